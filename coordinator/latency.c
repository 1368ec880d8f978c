// SPDX-License-Identifier: Apache-2.0
#include "coordinator/latency.h"

#include <errno.h>
#include <stdlib.h>

#include "common/profile.h"

// What a place had recorded at the end of a second. Counts are kept modulo 2^32: only differences are
// looked at, and no window has as many.
struct btk_latency_second {
    uint64_t sum_ns[BTK_LATENCY_RETURN];
    uint32_t buckets[BTK_LATENCY_RETURN][BTK_HISTOGRAM_BUCKETS];
};

const char *const btk_latency_names[BTK_LATENCY_PARTS] = {
    [BTK_LATENCY_QUEUE_WAIT] = "queue_wait",
    [BTK_LATENCY_IPC_TRANSFER] = "ipc_transfer",
    [BTK_LATENCY_TOKENIZATION] = "tokenization",
    [BTK_LATENCY_RETURN] = "return",
};

int btk_latency_init(struct btk_latency *latency)
{
    *latency = (struct btk_latency){0};
    latency->seconds = calloc(BTK_LATENCY_SECONDS, sizeof *latency->seconds);
    return latency->seconds == NULL ? -ENOMEM : 0;
}

void btk_latency_clear(struct btk_latency *latency)
{
    for (uint32_t i = 0; i < BTK_LATENCY_PLACES; i++) {
        free(latency->kept[i]);
        free(latency->worker_seconds[i]);
    }
    free(latency->seconds);
    *latency = (struct btk_latency){0};
}

// --- Pages

static void merge(struct btk_histogram_snapshot *total, const struct btk_histogram *histogram)
{
    struct btk_histogram_snapshot snapshot;
    btk_histogram_read(histogram, &snapshot);
    btk_histogram_merge(total, &snapshot);
}

static void add_profiles(struct btk_profile *total, const struct btk_page_profiles *profiles)
{
    for (unsigned place = 0; place <= BTK_PAGE_PROFILES_MAX; place++) {
        struct btk_profile profile;
        if (btk_page_profiles_get(profiles, place, &profile) != 0 || place == 0)
            btk_profile_add(total, &profile);
    }
}

// NULL: there is no place.
static struct btk_profile *profile_of(struct btk_tokenizer_profiles *profiles,
                                      uint32_t tokenizer_id)
{
    for (uint32_t i = 0; i < profiles->count; i++)
        if (profiles->list[i].tokenizer_id == tokenizer_id) return &profiles->list[i].profile;
    if (profiles->count == BTK_PAGE_PROFILES_MAX) return NULL;
    profiles->list[profiles->count].tokenizer_id = tokenizer_id;
    profiles->list[profiles->count].profile = (struct btk_profile){0};
    return &profiles->list[profiles->count++].profile;
}

void btk_latency_want_profile(struct btk_tokenizer_profiles *profiles, uint32_t tokenizer_id)
{
    (void)profile_of(profiles, tokenizer_id);
}

void btk_latency_add_kept_profiles(const struct btk_latency *latency,
                                   struct btk_tokenizer_profiles *profiles)
{
    const struct btk_tokenizer_profiles *const kept = &latency->kept_profiles;
    for (uint32_t i = 0; i < kept->count; i++) {
        struct btk_profile *const total = profile_of(profiles, kept->list[i].tokenizer_id);
        if (total != NULL) btk_profile_add(total, &kept->list[i].profile);
    }
}

void btk_latency_forget_profile(struct btk_latency *latency, uint32_t tokenizer_id)
{
    struct btk_tokenizer_profiles *const kept = &latency->kept_profiles;
    for (uint32_t i = 0; i < kept->count; i++)
        if (kept->list[i].tokenizer_id == tokenizer_id) kept->list[i--] = kept->list[--kept->count];
}

void btk_latency_add_profiles(struct btk_tokenizer_profiles *profiles,
                              const struct btk_worker_page *page)
{
    if (page == NULL) return;
    for (unsigned place = 1; place <= BTK_PAGE_PROFILES_MAX; place++) {
        struct btk_profile profile;
        const uint32_t id = btk_page_profiles_get(&page->profiles, place, &profile);
        struct btk_profile *const total = id == 0 ? NULL : profile_of(profiles, id);
        if (total != NULL) btk_profile_add(total, &profile);
    }
}

static void add_page(struct btk_worker_totals *totals, const struct btk_worker_page *page)
{
    totals->shards += btk_worker_page_get(&page->shards);
    totals->documents += btk_worker_page_get(&page->documents);
    totals->document_errors += btk_worker_page_get(&page->document_errors);
    totals->bytes += btk_worker_page_get(&page->bytes);
    totals->tokens += btk_worker_page_get(&page->tokens);
    totals->cache_hits += btk_worker_page_get(&page->cache_hits);
    totals->cache_misses += btk_worker_page_get(&page->cache_misses);
    totals->busy_ns += btk_worker_page_get(&page->busy_ns);
    const uint64_t longest_ns = btk_worker_page_get(&page->duty_cycle_max_ns);
    if (longest_ns > totals->duty_cycle_max_ns) totals->duty_cycle_max_ns = longest_ns;
    merge(totals->latency.parts + BTK_LATENCY_QUEUE_WAIT, &page->queue_wait);
    merge(totals->latency.parts + BTK_LATENCY_IPC_TRANSFER, &page->ipc_transfer);
    merge(totals->latency.parts + BTK_LATENCY_TOKENIZATION, &page->tokenization);
    add_profiles(&totals->profile, &page->profiles);
}

void btk_latency_keep_worker(struct btk_latency *latency, uint32_t worker_id,
                             const struct btk_worker_page *page)
{
    if (page == NULL || worker_id >= BTK_LATENCY_PLACES) return;
    btk_latency_add_profiles(&latency->kept_profiles, page);
    struct btk_worker_totals **kept = latency->kept + worker_id;
    // Without memory the figures of this incarnation are lost, and nothing else.
    if (*kept == NULL) *kept = calloc(1, sizeof **kept);
    if (*kept != NULL) add_page(*kept, page);
}

void btk_latency_keep_client(struct btk_latency *latency, const struct btk_client_page *page)
{
    btk_latency_add_client(&latency->kept_returned, page);
}

void btk_latency_read_worker(const struct btk_latency *latency, uint32_t worker_id,
                             const struct btk_worker_page *page,
                             struct btk_worker_totals *out_totals)
{
    const struct btk_worker_totals *kept =
        worker_id < BTK_LATENCY_PLACES ? latency->kept[worker_id] : NULL;
    *out_totals = kept == NULL ? (struct btk_worker_totals){0} : *kept;
    if (page != NULL) add_page(out_totals, page);
}

void btk_latency_add_client(struct btk_histogram_snapshot *returned,
                            const struct btk_client_page *page)
{
    if (page != NULL) merge(returned, &page->returned);
}

// --- Windows

void btk_latency_push_worker(struct btk_latency *latency, uint32_t worker_id,
                             const struct btk_latency_set *total)
{
    struct btk_latency_second **ring = latency->worker_seconds + worker_id;
    // Without memory its windows are its whole life.
    if (*ring == NULL) *ring = calloc(BTK_LATENCY_SECONDS, sizeof **ring);
    if (*ring == NULL) return;
    struct btk_latency_second *second = *ring + latency->second_count % BTK_LATENCY_SECONDS;
    for (int part = 0; part < BTK_LATENCY_RETURN; part++) {
        second->sum_ns[part] = total->parts[part].sum_ns;
        for (size_t i = 0; i < BTK_HISTOGRAM_BUCKETS; i++)
            second->buckets[part][i] = (uint32_t)total->parts[part].buckets[i];
    }
}

void btk_latency_push_second(struct btk_latency *latency, const struct btk_latency_set *total)
{
    latency->seconds[latency->second_count++ % BTK_LATENCY_SECONDS] = *total;
}

void btk_latency_window(const struct btk_latency *latency, const struct btk_latency_set *total,
                        uint32_t seconds, struct btk_latency_set *out_window)
{
    *out_window = *total;
    if (latency->second_count < seconds) return; // younger than the window
    const uint64_t then = latency->second_count - seconds;
    const struct btk_latency_set *before = latency->seconds + then % BTK_LATENCY_SECONDS;
    for (int i = 0; i < BTK_LATENCY_PARTS; i++)
        btk_histogram_subtract(out_window->parts + i, before->parts + i);
}

static void subtract_second(struct btk_histogram_snapshot *later, const uint32_t *buckets,
                            uint64_t sum_ns)
{
    later->count = 0;
    for (size_t i = 0; i < BTK_HISTOGRAM_BUCKETS; i++) {
        const uint32_t more = (uint32_t)later->buckets[i] - buckets[i];
        later->buckets[i] = more > INT32_MAX ? 0 : more; // it went back
        later->count += later->buckets[i];
    }
    later->sum_ns = later->sum_ns > sum_ns ? later->sum_ns - sum_ns : 0;
    later->max_ns = btk_histogram_max_within(later, later->max_ns);
}

void btk_latency_window_worker(const struct btk_latency *latency, uint32_t worker_id,
                               const struct btk_latency_set *total, uint32_t seconds,
                               struct btk_latency_set *out_window)
{
    *out_window = *total;
    const struct btk_latency_second *ring = latency->worker_seconds[worker_id];
    if (ring == NULL || latency->second_count < seconds) return;
    const uint64_t then = latency->second_count - seconds;
    const struct btk_latency_second *before = ring + then % BTK_LATENCY_SECONDS;
    for (int part = 0; part < BTK_LATENCY_RETURN; part++)
        subtract_second(out_window->parts + part, before->buckets[part], before->sum_ns[part]);
}
