// SPDX-License-Identifier: Apache-2.0
#include "bench/memory_footprint.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench/input_text.h"
#include "bench/measure.h"
#include "bench/subject.h"
#include "common/hash.h"
#include "common/json_writer.h"
#include "tokenizer/engine.h"
#include "tools/open_tokenizer.h"

enum { NOTES_MAX = 32, RANGES = 2 };

// What one thread gets, by size.
static struct {
    size_t bytes[NOTES_MAX];
    double ns[NOTES_MAX];
    unsigned count;
    double read_gb_per_s; // of the largest room
} notes;

void btk_memory_footprint_note(const struct btk_figure *figure)
{
    if (figure->threads != 1) return;
    if (strcmp(figure->mode, "read") == 0) notes.read_gb_per_s = btk_figures_rate(figure);
    if (strcmp(figure->mode, "chase") != 0 || notes.count == NOTES_MAX) return;
    notes.bytes[notes.count] = figure->bytes;
    notes.ns[notes.count++] = btk_figures_rate(figure);
}

// The next larger room that was measured; notes.count is above 0.
static unsigned room_of(size_t bytes)
{
    unsigned room = 0;
    while (room + 1 < notes.count && bytes > notes.bytes[room]) room++;
    return room;
}

// --- Pages that were touched. Global, because the handler of a fault counts them.

struct range {
    uintptr_t begin, end; // whole pages
    size_t touched_pages;
};
static struct range ranges[RANGES];
static size_t page_bytes;

static void on_fault(int number, siginfo_t *info, void *context)
{
    const uintptr_t at = (uintptr_t)info->si_addr;
    (void)context;
    for (unsigned i = 0; i < RANGES; i++) {
        if (at < ranges[i].begin || at >= ranges[i].end) continue;
        ranges[i].touched_pages++;
        if (mprotect((void *)(at - at % page_bytes), page_bytes, PROT_READ | PROT_WRITE) == 0)
            return;
    }
    // Not one of ours: let it end the process when it comes again.
    signal(number, SIG_DFL);
}

static int take_away(struct range *range, const void *memory, size_t bytes)
{
    range->begin = btk_align_up((uintptr_t)memory, page_bytes);
    range->end = ((uintptr_t)memory + bytes) / page_bytes * page_bytes;
    range->touched_pages = 0;
    if (range->end <= range->begin) return 0;
    return mprotect((void *)range->begin, range->end - range->begin, PROT_NONE) < 0 ? -errno : 0;
}

static void give_back(const struct range *range)
{
    if (range->end > range->begin)
        (void)mprotect((void *)range->begin, range->end - range->begin, PROT_READ | PROT_WRITE);
}

// --- One tokenizer

struct footprint {
    const struct btk_subject *subject;
    const struct btk_input_text *text;
    struct btk_cut_list calls;
    uint32_t *ids;
    size_t token_count;
    size_t image_bytes, cache_bytes;
    size_t image_touched_bytes, cache_touched_bytes;
    double mb_per_s;
};

static int encode_all(struct footprint *footprint, struct btk_scratch *scratch, size_t bound,
                      struct btk_error_info *info)
{
    footprint->token_count = 0;
    for (size_t i = 0; i < footprint->calls.count; i++) {
        const struct btk_bytes call = footprint->calls.pieces[i];
        struct btk_encoding encoding = {.capacity = bound - footprint->token_count,
                                        .ids = footprint->ids + footprint->token_count};
        const int status =
            btk_encode(footprint->subject->tokenizer, scratch, (const char *)call.data, call.length,
                       &(struct btk_encode_options){0}, &encoding, info);
        if (status < 0) return status;
        footprint->token_count += encoding.count;
    }
    return 0;
}

static int count_pages(struct footprint *footprint, struct btk_scratch *scratch, size_t bound,
                       struct btk_error *error)
{
    struct btk_tokenizer *const tokenizer = footprint->subject->tokenizer;
    struct btk_error_info info;
    struct sigaction old;
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    footprint->image_bytes = tokenizer->image.header->bytes;
    footprint->cache_bytes = sizeof *scratch->cache;
    sigaction(SIGSEGV, &action, &old);
    int status = take_away(&ranges[0], tokenizer->memory, footprint->image_bytes);
    if (!status) status = take_away(&ranges[1], scratch->cache, footprint->cache_bytes);
    if (status < 0)
        btk_error_set(error, -status, BTK_NO_OFFSET, "mprotect: %s", strerror(-status));
    else if ((status = encode_all(footprint, scratch, bound, &info)) < 0)
        btk_error_import(error, &info);
    for (unsigned i = 0; i < RANGES; i++) give_back(&ranges[i]);
    sigaction(SIGSEGV, &old, NULL);
    footprint->image_touched_bytes = ranges[0].touched_pages * page_bytes;
    footprint->cache_touched_bytes = ranges[1].touched_pages * page_bytes;
    return status;
}

static int time_calls(struct footprint *footprint, struct btk_error *error)
{
    const struct btk_cut_list nothing = {0};
    const struct btk_measure_plan plan = {.tokenizer = footprint->subject->tokenizer,
                                          .calls = &footprint->calls,
                                          .warm_up = &nothing,
                                          .has_first_pass = true,
                                          .threads = 1};
    struct btk_measure_result result;
    const int status = btk_measure(&plan, &result, error);
    if (!status) footprint->mb_per_s = (double)footprint->calls.bytes / result.seconds / 1e6;
    return status;
}

static const char *verify(const struct footprint *footprint)
{
    const struct btk_golden_answer answer = {
        .bytes = footprint->calls.bytes,
        .tokens = footprint->token_count,
        .ids_xxh64 =
            btk_hash_xxh64(footprint->ids, footprint->token_count * sizeof *footprint->ids, 0)};
    switch (btk_golden_compare(footprint->subject->goldens, footprint->text->name,
                               BTK_GOLDEN_PIECES, true, &answer))
    {
    case BTK_GOLDEN_EQUAL: return footprint->subject->source;
    case BTK_GOLDEN_NONE: return "none";
    default: return NULL;
    }
}

static void print_footprint(const struct footprint *footprint, const char *verified)
{
    const unsigned room = room_of(footprint->image_touched_bytes + footprint->cache_touched_bytes);
    const double traffic_gb_per_s =
        footprint->mb_per_s / 1e3
        * (1 + (double)footprint->token_count * sizeof(uint32_t) / (double)footprint->calls.bytes);
    printf(
        "%s on %s, warm, ids verified by %s: touches %zu of %zu KiB of its tables and %zu of %zu "
        "KiB of the cache of pieces;\n"
        "    in a room of %zu KiB a dependent access costs %.1f ns. %.1f MB/s of text: text and "
        "ids "
        "are %.2f GB/s, %.1f %% of what a thread reads from memory.\n",
        footprint->subject->name, footprint->text->name, verified,
        footprint->image_touched_bytes >> 10, footprint->image_bytes >> 10,
        footprint->cache_touched_bytes >> 10, footprint->cache_bytes >> 10, notes.bytes[room] >> 10,
        notes.ns[room], footprint->mb_per_s, traffic_gb_per_s,
        notes.read_gb_per_s > 0 ? 100 * traffic_gb_per_s / notes.read_gb_per_s : 0);
}

static void print_json(const struct footprint *footprint, const char *verified)
{
    const struct {
        const char *name;
        uint64_t value;
    } numbers[] = {
        {"bytes", footprint->calls.bytes},
        {"tokens", footprint->token_count},
        {"table_bytes", footprint->image_bytes},
        {"table_touched_bytes", footprint->image_touched_bytes},
        {"cache_bytes", footprint->cache_bytes},
        {"cache_touched_bytes", footprint->cache_touched_bytes},
    };
    const char *const texts[][2] = {{"bench", "memory"},
                                    {"mode", "footprint"},
                                    {"tokenizer", footprint->subject->name},
                                    {"input", footprint->text->name},
                                    {"verified", verified}};
    struct btk_buffer line;
    struct btk_json_writer writer;
    btk_buffer_init(&line);
    btk_json_writer_init(&writer, &line);
    btk_json_begin_object(&writer);
    for (size_t i = 0; i < BTK_ARRAY_COUNT(texts); i++) {
        btk_json_name(&writer, texts[i][0]);
        btk_json_string(&writer, texts[i][1]);
    }
    for (size_t i = 0; i < BTK_ARRAY_COUNT(numbers); i++) {
        btk_json_name(&writer, numbers[i].name);
        btk_json_unsigned(&writer, numbers[i].value);
    }
    btk_json_name(&writer, "mb_per_s");
    btk_json_real(&writer, footprint->mb_per_s);
    btk_json_end_object(&writer);
    if (!writer.status) printf("%.*s\n", (int)line.length, (const char *)line.data);
    btk_buffer_clear(&line);
}

static void show(struct btk_bench_settings *settings, const struct footprint *footprint)
{
    const char *const verified = verify(footprint);
    if (!verified) {
        settings->has_differences = true;
        fprintf(stderr, "budtiktok-bench: memory, %s, %s: not what the reference produces\n",
                footprint->subject->name, footprint->text->name);
    } else if (settings->report.is_json) {
        print_json(footprint, verified);
    } else if (strcmp(verified, "none") == 0) {
        printf("not verified (none): memory, %s, %s\n", footprint->subject->name,
               footprint->text->name);
    } else {
        print_footprint(footprint, verified);
    }
    fflush(stdout);
}

static int measure_footprint(struct btk_bench_settings *settings, struct footprint *footprint,
                             struct btk_error *error)
{
    const struct btk_tokenizer *const tokenizer = footprint->subject->tokenizer;
    struct btk_scratch *scratch = NULL;
    struct btk_error_info info;
    size_t bound = 1;
    for (size_t i = 0; i < footprint->calls.count; i++)
        bound += btk_encode_bound(tokenizer, footprint->calls.pieces[i].length,
                                  &(struct btk_encode_options){0});
    footprint->ids = malloc(bound * sizeof *footprint->ids);
    int status = 0;
    if (!footprint->ids)
        status = btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "not enough memory");
    else if (btk_scratch_new(tokenizer, &scratch, &info) < 0)
        status = btk_error_import(error, &info);
    if (!status) status = count_pages(footprint, scratch, bound, error);
    if (!status) status = time_calls(footprint, error);
    if (!status) show(settings, footprint);
    btk_scratch_free(&scratch);
    free(footprint->ids);
    return status;
}

static int bench_subject(struct btk_bench_settings *settings, const struct btk_subject *subject,
                         struct btk_error *error)
{
    struct btk_input_text text;
    struct btk_bytes body;
    struct btk_bytes rest;
    int status = btk_input_text_open(settings->input ? settings->input : "en", &text, error);
    if (status < 0) return status;
    struct footprint footprint = {.subject = subject, .text = &text};
    btk_cut_split(text.bytes, BTK_CUT_BODY_BYTES, &body, &rest);
    status = btk_cut_pieces(body, BTK_CUT_PIECE_BYTES, &footprint.calls);
    if (status < 0)
        btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "not enough memory");
    else
        status = measure_footprint(settings, &footprint, error);
    btk_cut_clear(&footprint.calls);
    btk_input_text_close(&text);
    return status;
}

int btk_memory_footprint(struct btk_bench_settings *settings, struct btk_error *error)
{
    page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    int status = 0;
    if (!settings->report.is_json) printf("\n");
    for (unsigned family = 0; family < BTK_BENCH_FAMILIES && !status; family++) {
        struct btk_subject subject;
        status = settings->tokenizer ? btk_subject_open_named(settings, &subject, error)
                                     : btk_subject_open_own(settings, family, &subject, error);
        if (!status) status = bench_subject(settings, &subject, error);
        btk_subject_close(&subject);
        if (settings->tokenizer) break;
    }
    return status;
}
