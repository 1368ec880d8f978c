// SPDX-License-Identifier: Apache-2.0
#include "coordinator/otlp_spans.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include <budtiktok/types.h>

#include "common/status.h"

// --- Ids

int btk_otlp_random_init(struct btk_otlp_random *random)
{
    const ssize_t got = getrandom(random->state, sizeof random->state, 0);
    random->state[0] |= 1; // all zero would stay so
    return got == (ssize_t)sizeof random->state ? 0 : -EIO;
}

static uint64_t rotate(uint64_t value, int bits)
{
    return value << bits | value >> (64 - bits);
}

static uint64_t next(uint64_t state[4])
{
    const uint64_t result = rotate(state[1] * 5, 7) * 9;
    const uint64_t shifted = state[1] << 17;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= shifted;
    state[3] = rotate(state[3], 45);
    return result;
}

void btk_otlp_random_fill(struct btk_otlp_random *random, uint8_t *out, size_t bytes)
{
    for (size_t at = 0; at < bytes; at += sizeof(uint64_t)) {
        const uint64_t value = next(random->state) | 1; // an id of zero is none
        memcpy(out + at, &value, btk_min_size(bytes - at, sizeof value));
    }
}

// --- Spans

static void add_number(struct btk_otlp_span *span, const char *key, uint64_t number)
{
    span->attributes[span->attribute_count++] = (struct btk_otlp_attribute){key, NULL, number};
}

static void add_text(struct btk_otlp_span *span, const char *key, const char *text)
{
    span->attributes[span->attribute_count++] = (struct btk_otlp_attribute){key, text, 0};
}

static struct btk_otlp_span make_child(const struct btk_otlp_record *record, const char *name,
                                       struct btk_otlp_random *random)
{
    struct btk_otlp_span span = {.kind = BTK_OTLP_INTERNAL, .name = name, .has_parent = true};
    memcpy(span.trace_id, record->trace_id, sizeof span.trace_id);
    memcpy(span.parent_id, record->batch_span_id, sizeof span.parent_id);
    btk_otlp_random_fill(random, span.span_id, sizeof span.span_id);
    return span;
}

static void describe_shard(struct btk_otlp_span *span, const struct btk_otlp_shard_part *shard)
{
    add_number(span, "budtiktok.shard", shard->shard_index);
    add_number(span, "budtiktok.worker", shard->worker_id);
    add_number(span, "process.pid", shard->pid);
    add_number(span, "budtiktok.epoch", shard->epoch);
    add_number(span, "budtiktok.bytes", shard->bytes);
    add_number(span, "budtiktok.documents", shard->document_count);
}

static const char *error_of(uint32_t status)
{
    return status == BTK_STATUS_OK ? NULL : btk_status_name(status);
}

// Stamps come from other processes: a part that would end before it began has no length.
static uint64_t clamp(uint64_t value, uint64_t least)
{
    return value > least ? value : least;
}

static size_t make_shard(const struct btk_otlp_record *record, uint64_t offset_ns,
                         struct btk_otlp_random *random, struct btk_otlp_span *spans)
{
    const struct btk_otlp_shard_part *shard = &record->shard;
    static const char *const names[] = {"queue_wait", "ipc_transfer", "tokenization"};
    uint64_t at_ns = shard->submitted_ns;
    const uint64_t ends[] = {shard->ready_ns, shard->started_ns, shard->finished_ns};
    for (int i = 0; i < 3; i++) {
        spans[i] = make_child(record, names[i], random);
        spans[i].begin_ns = at_ns + offset_ns;
        at_ns = clamp(ends[i], at_ns);
        spans[i].end_ns = at_ns + offset_ns;
        describe_shard(spans + i, shard);
    }
    add_number(spans + 2, "budtiktok.tokens", shard->tokens);
    spans[2].error = error_of(record->status);
    return 3;
}

static uint64_t end_of_batch(const struct btk_otlp_batch_part *batch)
{
    return clamp(batch->returned_ns, clamp(batch->finished_ns, batch->submitted_ns));
}

static void describe_batch(struct btk_otlp_span *span, const struct btk_otlp_batch_part *batch)
{
    add_text(span, "budtiktok.tokenizer", batch->tokenizer);
    add_number(span, "budtiktok.bytes", batch->bytes);
    add_number(span, "budtiktok.documents", batch->document_count);
    add_number(span, "budtiktok.shards", batch->shard_count);
    add_number(span, "budtiktok.tokens", batch->tokens);
}

static size_t make_batch(const struct btk_otlp_record *record, uint64_t offset_ns,
                         struct btk_otlp_random *random, struct btk_otlp_span *spans)
{
    static const uint8_t none[BTK_SPAN_ID_BYTES];
    const struct btk_otlp_batch_part *batch = &record->batch;
    spans[0] = make_child(record, "batch", random);
    spans[0].kind = BTK_OTLP_SERVER;
    memcpy(spans[0].span_id, record->batch_span_id, sizeof spans[0].span_id);
    memcpy(spans[0].parent_id, batch->parent_id, sizeof spans[0].parent_id);
    spans[0].has_parent = memcmp(batch->parent_id, none, sizeof none) != 0;
    spans[0].begin_ns = batch->submitted_ns + offset_ns;
    spans[0].end_ns = end_of_batch(batch) + offset_ns;
    spans[0].error = error_of(record->status);
    describe_batch(spans, batch);
    if (btk_otlp_spans_count(record) == 1) return 1;
    spans[1] = make_child(record, "return", random);
    spans[1].begin_ns = batch->finished_ns + offset_ns;
    spans[1].end_ns = end_of_batch(batch) + offset_ns;
    add_number(spans + 1, "budtiktok.shard", batch->last_shard_index);
    add_number(spans + 1, "budtiktok.worker", batch->last_worker_id);
    return 2;
}

size_t btk_otlp_spans_count(const struct btk_otlp_record *record)
{
    if (record->kind == BTK_OTLP_RECORD_SHARD) return 3;
    const bool has_return = record->batch.finished_ns != 0 && record->batch.returned_ns != 0;
    return has_return ? 2 : 1;
}

size_t btk_otlp_spans_make(const struct btk_otlp_record *record, uint64_t clock_offset_ns,
                           struct btk_otlp_random *random,
                           struct btk_otlp_span out_spans[BTK_OTLP_SPANS_PER_RECORD])
{
    if (record->kind == BTK_OTLP_RECORD_SHARD)
        return make_shard(record, clock_offset_ns, random, out_spans);
    return make_batch(record, clock_offset_ns, random, out_spans);
}
