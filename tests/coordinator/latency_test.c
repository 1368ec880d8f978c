// SPDX-License-Identifier: Apache-2.0
// The latency of a cluster whose pages we wrote ourselves: windows, workers, and /debug/latency.
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "coordinator/coordinator_internal.h"
#include "coordinator/latency_json.h"

static struct btk_latency latency;
static struct btk_worker_page pages[2];
static struct btk_client_page client;

static void begin(void)
{
    cr_assert_eq(btk_latency_init(&latency), 0);
}

static void end(void)
{
    btk_latency_clear(&latency);
}

TestSuite(latency, .init = begin, .fini = end);

static void read_worker(uint32_t worker, struct btk_worker_totals *out_totals)
{
    btk_latency_read_worker(&latency, worker, pages + worker, out_totals);
}

static void read_total(struct btk_latency_set *out_total)
{
    static struct btk_worker_totals totals;
    memset(out_total, 0, sizeof *out_total);
    for (uint32_t worker = 0; worker < 2; worker++) {
        read_worker(worker, &totals);
        for (int part = 0; part < BTK_LATENCY_PARTS; part++)
            btk_histogram_merge(out_total->parts + part, totals.latency.parts + part);
    }
    btk_latency_add_client(out_total->parts + BTK_LATENCY_RETURN, &client);
}

// The end of a second, as the snapshot's board has it.
static void pass_second(void)
{
    static struct btk_worker_totals totals;
    static struct btk_latency_set total;
    for (uint32_t worker = 0; worker < 2; worker++) {
        read_worker(worker, &totals);
        btk_latency_push_worker(&latency, worker, &totals.latency);
    }
    read_total(&total);
    btk_latency_push_second(&latency, &total);
}

static void record(uint32_t worker, uint64_t tokenization_us)
{
    btk_histogram_record(&pages[worker].tokenization, tokenization_us * 1000);
    btk_worker_page_add(&pages[worker].shards, 1);
}

static struct btk_histogram_snapshot window_of_worker(uint32_t worker, uint32_t seconds)
{
    static struct btk_worker_totals totals;
    static struct btk_latency_set window;
    read_worker(worker, &totals);
    btk_latency_window_worker(&latency, worker, &totals.latency, seconds, &window);
    return window.parts[BTK_LATENCY_TOKENIZATION];
}

static struct btk_histogram_snapshot window_of_all(uint32_t seconds)
{
    static struct btk_latency_set total, window;
    read_total(&total);
    btk_latency_window(&latency, &total, seconds, &window);
    return window.parts[BTK_LATENCY_TOKENIZATION];
}

Test(latency, a_window_holds_what_happened_in_it_for_each_worker_and_for_all)
{
    record(0, 900);
    record(1, 7);
    for (int second = 0; second < 5; second++) pass_second();
    cr_expect_eq(window_of_worker(0, 10).count, 1, "a cluster that is younger than the window");
    for (int second = 0; second < 20; second++) pass_second();
    record(0, 100);
    record(0, 200);
    cr_expect_eq(window_of_worker(0, 10).count, 2);
    cr_expect_eq(window_of_worker(0, 60).count, 3);
    cr_expect_eq(window_of_worker(1, 10).count, 0);
    cr_expect_eq(window_of_all(10).count, 2);
    cr_expect_eq(window_of_all(60).count, 4);
    for (int second = 0; second < 60; second++) pass_second();
    cr_expect_eq(window_of_worker(0, 60).count, 0);
    cr_expect_eq(window_of_all(60).count, 0);
}

Test(latency, the_maximum_of_a_window_is_its_own_to_within_a_bucket)
{
    record(0, 50000);
    for (int second = 0; second < 70; second++) pass_second();
    record(0, 100);
    record(0, 200);
    for (int i = 0; i < 2; i++) {
        const struct btk_histogram_snapshot window =
            i == 0 ? window_of_all(10) : window_of_worker(0, 10);
        cr_expect_float_eq((double)window.max_ns / 200000, 1, 0.033);
        cr_expect_eq(window.sum_ns, 300000);
        cr_expect_eq(btk_histogram_percentile(&window, 1), window.max_ns);
    }
}

Test(latency, what_a_dead_worker_did_stays_in_the_windows_of_its_place)
{
    for (int second = 0; second < 20; second++) pass_second();
    record(0, 100);
    btk_latency_keep_worker(&latency, 0, pages);
    memset(pages, 0, sizeof pages[0]);
    record(0, 300);
    cr_expect_eq(window_of_worker(0, 10).count, 2);
    for (int second = 0; second < 11; second++) pass_second();
    cr_expect_eq(window_of_worker(0, 10).count, 0);
    cr_expect_eq(window_of_worker(0, 60).count, 2);
}

Test(latency, counts_that_went_back_are_nothing)
{
    for (int i = 0; i < 100; i++) record(0, 100);
    for (int second = 0; second < 20; second++) pass_second();
    memset(pages, 0, sizeof pages[0]); // as a hostile worker could
    record(0, 100);
    cr_expect_eq(window_of_worker(0, 10).count, 0);
    cr_expect_eq(window_of_worker(0, 10).max_ns, 0);
}

// --- /debug/latency

static struct btk_cluster_snapshot snapshot;

static struct btk_json *write_json(void)
{
    struct btk_buffer text = {0};
    struct btk_json *root = NULL;
    struct btk_error error;
    cr_assert_eq(btk_latency_json_write(&snapshot, &text), 0);
    const struct btk_bytes bytes = {text.data, text.length};
    cr_assert_eq(btk_json_parse(bytes, &root, &error), 0, "%s", error.message);
    btk_buffer_clear(&text);
    return root;
}

static double number_of(const struct btk_json *object, const char *name)
{
    double number = -1;
    cr_assert(btk_json_try_number(btk_json_get(object, name), &number), "%s", name);
    return number;
}

static void take_snapshot(void)
{
    snapshot = (struct btk_cluster_snapshot){.worker_count = 2, .uptime_ns = 5000000};
    snapshot.tokenizers.count = 1;
    snprintf(snapshot.tokenizers.list[0].name, BTK_IMAGE_NAME_MAX, "a\"b\\c");
    snapshot.tokenizer_list[0] = (struct btk_tokenizer_snapshot){.id = 3, .image_bytes = 12345};
    for (uint32_t worker = 0; worker < 2; worker++) {
        struct btk_worker_snapshot *out = snapshot.workers + worker;
        out->id = worker;
        read_worker(worker, &out->totals);
        btk_latency_window_worker(&latency, worker, &out->totals.latency, 10, &out->last_10s);
        btk_latency_window_worker(&latency, worker, &out->totals.latency, 60, &out->last_60s);
    }
    read_total(&snapshot.since_start);
    btk_latency_window(&latency, &snapshot.since_start, 10, &snapshot.last_10s);
    btk_latency_window(&latency, &snapshot.since_start, 60, &snapshot.last_60s);
}

static void expect_parts(const struct btk_json *object, int part_count)
{
    static const char *const figures[] = {"p50_us",  "p90_us", "p99_us", "p999_us",
                                          "mean_us", "max_us", "count"};
    char name[64];
    for (int part = 0; part < part_count; part++) {
        double last = 0;
        for (size_t i = 0; i < BTK_ARRAY_COUNT(figures); i++) {
            snprintf(name, sizeof name, "%s_%s", btk_latency_names[part], figures[i]);
            const double number = number_of(object, name);
            if (strcmp(figures[i], "mean_us") == 0 || strcmp(figures[i], "count") == 0) continue;
            cr_expect_geq(number, last, "%s", name);
            last = number;
        }
    }
}

Test(latency, the_flat_keys_stand_first_and_nothing_is_missing_in_any_window_or_worker)
{
    static const char *const first[] = {"tokenization_p50_us", "tokenization_p99_us",
                                        "ipc_transfer_p50_us", "queue_wait_p50_us"};
    for (uint64_t i = 1; i <= 1000; i++) record(i & 1, i);
    for (uint64_t i = 1; i <= 500; i++) btk_histogram_record(&client.returned, i * 100);
    take_snapshot();
    struct btk_json *const root = write_json();
    void *cursor = NULL;
    for (size_t i = 0; i < BTK_ARRAY_COUNT(first); i++) {
        struct btk_bytes name;
        const struct btk_json *value;
        cr_assert(btk_json_next(root, &cursor, &name, &value));
        cr_expect(btk_bytes_are(name, first[i]));
    }
    expect_parts(root, BTK_LATENCY_PARTS);
    const struct btk_json *windows = btk_json_get(root, "windows");
    expect_parts(btk_json_get(windows, "10s"), BTK_LATENCY_PARTS);
    expect_parts(btk_json_get(windows, "60s"), BTK_LATENCY_PARTS);
    expect_parts(btk_json_get(windows, "since_start"), BTK_LATENCY_PARTS);
    for (uint32_t i = 0; i < 2; i++) {
        const struct btk_json *worker = btk_json_at(btk_json_get(root, "workers"), i);
        expect_parts(worker, BTK_LATENCY_RETURN);
        expect_parts(btk_json_get(btk_json_get(worker, "windows"), "10s"), BTK_LATENCY_RETURN);
        expect_parts(btk_json_get(btk_json_get(worker, "windows"), "60s"), BTK_LATENCY_RETURN);
        cr_expect_null(btk_json_get(worker, "return_p50_us"), "nobody counts it by worker");
    }
    btk_json_free(root);
}

Test(latency, percentiles_come_from_merged_buckets)
{
    // One worker is fast and has most of the work: no mean of the two p99 is the p99 of all.
    for (int i = 0; i < 9900; i++) record(0, 10);
    for (int i = 0; i < 100; i++) record(1, 1000);
    take_snapshot();
    struct btk_json *const root = write_json();
    cr_expect_eq(number_of(root, "tokenization_count"), 10000);
    cr_expect_float_eq(number_of(root, "tokenization_p50_us"), 10, 0.4);
    cr_expect_float_eq(number_of(root, "tokenization_p99_us"), 10, 0.4);
    cr_expect_float_eq(number_of(root, "tokenization_p999_us"), 1000, 33);
    cr_expect_float_eq(number_of(root, "tokenization_max_us"), 1000, 1e-9);
    cr_expect_float_eq(number_of(root, "tokenization_mean_us"), 19.9, 1e-9);
    btk_json_free(root);
}

Test(latency, a_tokenizers_name_comes_back_whatever_stands_in_it)
{
    take_snapshot();
    struct btk_json *const root = write_json();
    const struct btk_json *tokenizer = btk_json_at(btk_json_get(root, "tokenizers"), 0);
    struct btk_bytes name;
    cr_assert(btk_json_try_string(btk_json_get(tokenizer, "name"), &name));
    cr_expect(btk_bytes_are(name, "a\"b\\c"));
    cr_expect_eq(number_of(tokenizer, "image_bytes"), 12345);
    btk_json_free(root);
}
