// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tools/recorder_print.h"

uint64_t btk_recorder_first_ns(const struct btk_recording *recording)
{
    uint64_t first_ns = UINT64_MAX;
    for (size_t i = 0; i < recording->shard_count; i++)
        first_ns = btk_min_size(first_ns, recording->shards[i].stamps.submitted_ns);
    return recording->shard_count == 0 ? recording->header.started_ns : first_ns;
}

static int compare_starts(const void *left, const void *right)
{
    const struct btk_recorded_shard *a = left, *b = right;
    return (a->stamps.started_ns > b->stamps.started_ns)
           - (a->stamps.started_ns < b->stamps.started_ns);
}

// The text of a file that somebody else may have made: nothing that moves a terminal.
static void print_text(const char *text, FILE *file)
{
    for (; *text != 0; text++) fputc(*text > ' ' && *text <= '~' ? *text : '?', file);
}

static void print_head(const struct btk_recording *recording, uint64_t first_ns, FILE *file)
{
    const struct btk_recorder_header *header = &recording->header;
    const uint64_t clock_ns = header->started_clock_ns + (first_ns - header->started_ns);
    const time_t seconds = (time_t)(clock_ns / 1000000000);
    struct tm parts = {0};
    char text[64] = "";
    gmtime_r(&seconds, &parts);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    fputs("recorder of ", file);
    print_text(header->endpoint, file);
    fprintf(file,
            " (coordinator %" PRIu32 "): %zu shards, %zu torn; times in us since %s.%06" PRIu64
            "Z\n",
            header->pid, recording->shard_count, recording->torn_count, text,
            clock_ns / 1000 % 1000000);
}

static void print_shard(const struct btk_recorded_shard *shard, uint64_t first_ns, FILE *file)
{
    const struct btk_recorder_stamps *stamps = &shard->stamps;
    const double first = (double)first_ns;
    fprintf(file,
            "%6" PRIu32 " %8" PRIu64 " %5" PRIu32 " %6" PRIu32 " %5" PRIu32 " %8" PRIu32
            " %9" PRIu64 " %9" PRIu32 " ",
            stamps->client_id, stamps->batch_id, stamps->shard_index, shard->worker_id,
            stamps->epoch, stamps->pid, stamps->bytes, stamps->document_count);
    if (shard->is_ended)
        fprintf(file, "%9" PRIu64, stamps->tokens);
    else
        fprintf(file, "%9s", "-");
    fprintf(file, " %13.1f %13.1f %13.1f", ((double)stamps->submitted_ns - first) / 1000,
            ((double)stamps->dispatched_ns - first) / 1000,
            ((double)stamps->started_ns - first) / 1000);
    if (shard->is_ended)
        fprintf(file, " %13.1f %6" PRIu32 "\n", ((double)stamps->finished_ns - first) / 1000,
                stamps->status);
    else
        fprintf(file, " %13s %6s\n", "unfinished", "-");
}

int btk_recorder_print_table(const struct btk_recording *recording, FILE *file)
{
    const uint64_t first_ns = btk_recorder_first_ns(recording);
    const size_t count = recording->shard_count;
    struct btk_recorded_shard *order = calloc(count + 1, sizeof *order);
    if (order == NULL) return -ENOMEM;
    if (count > 0) memcpy(order, recording->shards, count * sizeof *order);
    qsort(order, count, sizeof *order, compare_starts);
    print_head(recording, first_ns, file);
    fprintf(file, "%6s %8s %5s %6s %5s %8s %9s %9s %9s %13s %13s %13s %13s %6s\n", "client",
            "batch", "shard", "worker", "epoch", "pid", "bytes", "documents", "tokens", "submitted",
            "dispatched", "started", "finished", "status");
    for (size_t i = 0; i < count; i++) print_shard(order + i, first_ns, file);
    free(order);
    return 0;
}
