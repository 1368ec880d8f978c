// SPDX-License-Identifier: Apache-2.0
#include "coordinator/tracer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/utf8.h"
#include "coordinator/otlp_spans.h"

enum { BATCHES_MAX = 8192 };

struct traced_batch {
    bool is_used;
    struct btk_otlp_record record; // of the batch, as far as it is known
    uint32_t next_free;
};

struct btk_tracer {
    struct btk_otlp_config config;
    struct btk_otlp_exporter *exporter;
    struct btk_otlp_random random;
    uint32_t first_free;                      // 0: none
    struct traced_batch batches[BATCHES_MAX]; // number - 1
};

// --- Batches

static struct traced_batch *find(struct btk_tracer *tracer, uint32_t trace)
{
    if (tracer == NULL || trace == 0 || trace > BATCHES_MAX) return NULL;
    struct traced_batch *batch = tracer->batches + trace - 1;
    return batch->is_used ? batch : NULL;
}

static uint32_t take_number(struct btk_tracer *tracer)
{
    const uint32_t number = tracer->first_free;
    if (number == 0) {
        btk_otlp_exporter_drop(tracer->exporter, 1);
        return 0;
    }
    struct traced_batch *batch = tracer->batches + number - 1;
    tracer->first_free = batch->next_free;
    *batch = (struct traced_batch){.is_used = true};
    return number;
}

static bool is_kept(const struct btk_tracer *tracer, const struct btk_trace_parent *parent,
                    const uint8_t *trace_id)
{
    const struct btk_otlp_config *config = &tracer->config;
    if (config->is_parent_based && parent != NULL)
        return (parent->flags & BTK_TRACE_FLAG_SAMPLED) != 0;
    if (config->sampler == BTK_OTLP_ALWAYS_OFF) return false;
    return btk_otlp_config_samples(config, trace_id);
}

// A name that is cut ends with a whole character.
static void copy_name(char out[BTK_OTLP_NAME_BYTES], const char *name)
{
    snprintf(out, BTK_OTLP_NAME_BYTES, "%s", name);
    out[btk_utf8_valid_prefix((const uint8_t *)out, strlen(out))] = 0;
}

uint32_t btk_tracer_begin(struct btk_tracer *tracer, const struct btk_trace_parent *parent,
                          const struct btk_submission *submission, const char *tokenizer,
                          uint64_t now_ns)
{
    uint8_t trace_id[BTK_TRACE_ID_BYTES];
    if (!btk_trace_parent_is_valid(parent)) parent = NULL;
    if (parent != NULL)
        memcpy(trace_id, parent->trace_id, sizeof trace_id);
    else
        btk_otlp_random_fill(&tracer->random, trace_id, sizeof trace_id);
    if (!is_kept(tracer, parent, trace_id)) return 0;
    const uint32_t number = take_number(tracer);
    if (number == 0) return 0;
    struct btk_otlp_record *record = &tracer->batches[number - 1].record;
    record->kind = BTK_OTLP_RECORD_BATCH;
    memcpy(record->trace_id, trace_id, sizeof trace_id);
    btk_otlp_random_fill(&tracer->random, record->batch_span_id, sizeof record->batch_span_id);
    if (parent != NULL) memcpy(record->batch.parent_id, parent->span_id, sizeof parent->span_id);
    record->batch.submitted_ns = btk_min_size(submission->submitted_ns, now_ns);
    record->batch.bytes = submission->text_bytes;
    record->batch.document_count = submission->document_count;
    copy_name(record->batch.tokenizer, tokenizer);
    return number;
}

void btk_tracer_add_shard(struct btk_tracer *tracer, const struct btk_action *action, uint32_t pid,
                          uint64_t previous_finish_ns)
{
    struct traced_batch *batch = find(tracer, action->trace);
    if (batch == NULL) return;
    const struct btk_traced_shard *shard = &action->traced;
    const struct btk_shard_report *report = &shard->report;
    struct btk_otlp_record record = {.kind = BTK_OTLP_RECORD_SHARD,
                                     .status = (uint16_t)report->status};
    memcpy(record.trace_id, batch->record.trace_id, sizeof record.trace_id);
    memcpy(record.batch_span_id, batch->record.batch_span_id, sizeof record.batch_span_id);
    record.shard = (struct btk_otlp_shard_part){
        .submitted_ns = shard->submitted_ns,
        .ready_ns = btk_max_size(shard->dispatched_ns, previous_finish_ns),
        .started_ns = report->started_ns,
        .finished_ns = report->finished_ns,
        .bytes = shard->bytes,
        .tokens = report->token_count,
        .worker_id = action->worker_id,
        .pid = pid,
        .epoch = action->epoch,
        .shard_index = shard->shard_index,
        .document_count = shard->document_count,
    };
    btk_otlp_exporter_push(tracer->exporter, &record);
    struct btk_otlp_batch_part *whole = &batch->record.batch;
    whole->tokens += report->token_count;
    whole->shard_count++;
    if (report->finished_ns < whole->finished_ns) return;
    whole->finished_ns = report->finished_ns;
    whole->last_worker_id = action->worker_id;
    whole->last_shard_index = shard->shard_index;
}

void btk_tracer_note_returned(struct btk_tracer *tracer, uint32_t trace, uint64_t returned_ns,
                              uint64_t now_ns)
{
    struct traced_batch *batch = find(tracer, trace);
    if (batch != NULL) batch->record.batch.returned_ns = btk_min_size(returned_ns, now_ns);
}

static void end_batch(struct btk_tracer *tracer, struct traced_batch *batch, uint32_t status)
{
    batch->record.status = (uint16_t)status;
    batch->is_used = false;
    batch->next_free = tracer->first_free;
    tracer->first_free = (uint32_t)(batch - tracer->batches) + 1;
    btk_otlp_exporter_push(tracer->exporter, &batch->record);
}

void btk_tracer_end(struct btk_tracer *tracer, uint32_t trace, uint32_t status)
{
    struct traced_batch *batch = find(tracer, trace);
    if (batch != NULL) end_batch(tracer, batch, status);
}

struct btk_otlp_counts btk_tracer_counts(struct btk_tracer *tracer)
{
    return tracer == NULL ? (struct btk_otlp_counts){0}
                          : btk_otlp_exporter_counts(tracer->exporter);
}

// --- Life

// Without what somebody may have written into it as a secret.
static const char *shown_url(const struct btk_otlp_config *config)
{
    const char *name = strchr(config->url, '@');
    return name == NULL ? config->url : name + 1;
}

static void say_config(const struct btk_otlp_config *config)
{
    for (size_t i = 0; i < config->warning_count; i++)
        btk_log(BTK_LOG_WARN, "otlp", "ignored", "why=%s", config->warnings[i]);
    if (!config->is_on) return;
    if (config->is_jaeger)
        btk_log(BTK_LOG_INFO, "otlp", "jaeger_endpoint", "why=%s endpoint=%s",
                "OTEL_EXPORTER_JAEGER_ENDPOINT: Jaeger takes OTLP at port 4318 of its host",
                shown_url(config));
    btk_log(BTK_LOG_INFO, "otlp", "tracing", "endpoint=%s protocol=%s ratio=%g parent_based=%d",
            shown_url(config), config->protocol == BTK_OTLP_JSON ? "http/json" : "http/protobuf",
            config->ratio, config->is_parent_based);
}

static void free_numbers(struct btk_tracer *tracer)
{
    for (uint32_t i = BATCHES_MAX; i > 0; i--) {
        tracer->batches[i - 1].next_free = tracer->first_free;
        tracer->first_free = i;
    }
}

void btk_tracer_open(struct btk_tracer **out_tracer)
{
    struct btk_error error = {.message = "out of memory"};
    struct btk_otlp_config config;
    btk_otlp_config_read(&config, getenv);
    say_config(&config);
    if (!config.is_on) return;
    struct btk_tracer *tracer = calloc(1, sizeof *tracer);
    // Again, as its texts stand in it.
    if (tracer != NULL) btk_otlp_config_read(&tracer->config, getenv);
    if (tracer != NULL && btk_otlp_random_init(&tracer->random) == 0
        && btk_otlp_exporter_open(&tracer->config, &tracer->exporter, &error) == 0)
    {
        free_numbers(tracer);
        *out_tracer = tracer;
        return;
    }
    btk_log(BTK_LOG_ERROR, "otlp", "not_traced", "error=%s", error.message);
    free(tracer);
}

void btk_tracer_close(struct btk_tracer **tracer_at)
{
    struct btk_tracer *tracer = *tracer_at;
    if (tracer == NULL) return;
    for (uint32_t i = 0; i < BATCHES_MAX; i++)
        if (tracer->batches[i].is_used) end_batch(tracer, tracer->batches + i, BTK_STATUS_OK);
    btk_otlp_exporter_close(&tracer->exporter);
    free(tracer);
    *tracer_at = NULL;
}
