// SPDX-License-Identifier: Apache-2.0
#include "coordinator/http_routes.h"

#include <errno.h>
#include <string.h>

#include "common/clock.h"
#include "common/json_writer.h"
#include "coordinator/coordinator_internal.h"
#include "coordinator/http_json.h"
#include "coordinator/http_page.h"
#include "coordinator/latency_json.h"
#include "coordinator/metrics_text.h"

// Without a snapshot for this long the loop does not turn.
#define STALE_NS UINT64_C(3000000000)

static const char json_type[] = "application/json";
static const char text_type[] = "text/plain; charset=utf-8";

void btk_http_routes_error(struct btk_http_answer *answer, unsigned status, const char *type,
                           const char *message)
{
    answer->status = status;
    answer->type = json_type;
    answer->body.length = 0;
    if (btk_http_json_write_error(&answer->body, type, message) != 0) answer->body.length = 0;
}

// --- GET

static int say(struct btk_http_answer *answer, unsigned status, const char *text)
{
    answer->status = status;
    return btk_buffer_printf(&answer->body, "%s\n", text);
}

static int get_health(struct btk_coordinator *coordinator BTK_UNUSED,
                      const struct btk_cluster_snapshot *snapshot, struct btk_http_answer *answer)
{
    if (btk_clock_now_ns() - snapshot->taken_ns > STALE_NS)
        return say(answer, 503, "the loop does not turn");
    return say(answer, 200, "ok");
}

static int get_ready(struct btk_coordinator *coordinator BTK_UNUSED,
                     const struct btk_cluster_snapshot *snapshot, struct btk_http_answer *answer)
{
    if (btk_clock_now_ns() - snapshot->taken_ns > STALE_NS)
        return say(answer, 503, "the loop does not turn");
    if (snapshot->stage == BTK_COORDINATOR_STARTING) return say(answer, 503, "starting");
    if (snapshot->stage != BTK_COORDINATOR_RUNNING) return say(answer, 503, "shutting down");
    if (snapshot->ready_count == 0) return say(answer, 503, "no worker is ready");
    return say(answer, 200, "ok");
}

static int get_metrics(struct btk_coordinator *coordinator BTK_UNUSED,
                       const struct btk_cluster_snapshot *snapshot, struct btk_http_answer *answer)
{
    answer->type = "text/plain; version=0.0.4; charset=utf-8";
    return btk_metrics_text_write(snapshot, &answer->body);
}

static int get_latency(struct btk_coordinator *coordinator BTK_UNUSED,
                       const struct btk_cluster_snapshot *snapshot, struct btk_http_answer *answer)
{
    answer->type = json_type;
    return btk_latency_json_write(snapshot, &answer->body);
}

static int get_page(struct btk_coordinator *coordinator BTK_UNUSED,
                    const struct btk_cluster_snapshot *snapshot BTK_UNUSED,
                    struct btk_http_answer *answer)
{
    answer->type = "text/html; charset=utf-8";
    answer->policy = btk_http_page_policy;
    return btk_buffer_append(&answer->body, btk_http_page, strlen(btk_http_page));
}

static int get_info(struct btk_coordinator *coordinator,
                    const struct btk_cluster_snapshot *snapshot, struct btk_http_answer *answer)
{
    const struct btk_image_names *names = &snapshot->tokenizers;
    struct btk_json_writer writer;
    answer->type = json_type;
    btk_json_writer_init(&writer, &answer->body);
    btk_json_begin_object(&writer);
    btk_json_name(&writer, "model_id");
    btk_json_string(&writer, names->list[0].name);
    btk_json_name(&writer, "models");
    btk_json_begin_array(&writer);
    for (uint32_t i = 0; i < names->count; i++) btk_json_string(&writer, names->list[i].name);
    btk_json_end_array(&writer);
    btk_latency_json_number(&writer, "tokenization_workers", snapshot->ready_count);
    btk_latency_json_number(&writer, "max_concurrent_requests", coordinator->options.batch_limit);
    btk_json_name(&writer, "version");
    btk_json_string(&writer, BTK_VERSION);
    btk_json_end_object(&writer);
    return writer.status;
}

static const struct route {
    const char *path;
    int (*get)(struct btk_coordinator *coordinator, const struct btk_cluster_snapshot *snapshot,
               struct btk_http_answer *answer);
} routes[] = {
    {"/", get_page},           {"/healthz", get_health},        {"/readyz", get_ready},
    {"/metrics", get_metrics}, {"/debug/latency", get_latency}, {"/info", get_info},
};

bool btk_http_routes_get(struct btk_coordinator *coordinator, const char *path,
                         struct btk_http_answer *out_answer)
{
    for (size_t i = 0; i < BTK_ARRAY_COUNT(routes); i++) {
        if (strcmp(path, routes[i].path) != 0) continue;
        out_answer->status = 200;
        out_answer->type = text_type;
        const struct btk_cluster_snapshot *snapshot =
            btk_snapshot_board_read_begin(&coordinator->board);
        const int rc = routes[i].get(coordinator, snapshot, out_answer);
        btk_snapshot_board_read_end(&coordinator->board);
        if (rc != 0) btk_http_routes_error(out_answer, 500, "Backend", "out of memory");
        return true;
    }
    return false;
}

// --- POST

bool btk_http_routes_is_post(const char *path)
{
    return strcmp(path, "/tokenize") == 0 || strcmp(path, "/decode") == 0;
}

static void say_overloaded(struct btk_http_answer *answer, uint32_t retry_after_ms)
{
    btk_http_routes_error(answer, 429, "Overloaded", "the cluster is overloaded");
    answer->retry_after_s = (retry_after_ms + 999) / 1000;
    if (answer->retry_after_s == 0) answer->retry_after_s = 1;
}

bool btk_http_routes_read(struct btk_http_bridge *bridge, const char *path, struct btk_bytes body,
                          struct btk_http_job *job, struct btk_http_answer *out_answer)
{
    struct btk_error error = {0};
    const int rc = strcmp(path, "/decode") == 0
                       ? btk_http_json_read_decode(bridge, body, job, &error)
                       : btk_http_json_read_tokenize(bridge, body, job, &error);
    switch (rc) {
    case 0: return true;
    case -EAGAIN: say_overloaded(out_answer, 0); return false;
    case -EMSGSIZE:
        btk_http_routes_error(out_answer, 413, "Validation",
                              error.code != 0 ? error.message : "the inputs are too large");
        return false;
    case -ENOMEM: btk_http_routes_error(out_answer, 500, "Backend", "out of memory"); return false;
    default: btk_http_routes_error(out_answer, 400, "Validation", error.message); return false;
    }
}

static void say_failed(const struct btk_http_job *job, struct btk_http_answer *answer)
{
    switch (job->status) {
    case BTK_STATUS_OVERLOADED: say_overloaded(answer, job->retry_after_ms); return;
    case BTK_STATUS_SHUTTING_DOWN:
        btk_http_routes_error(answer, 503, "Unhealthy", "the cluster is shutting down");
        return;
    case BTK_STATUS_UNKNOWN_TOKENIZER:
        btk_http_routes_error(answer, 404, "Validation",
                              "model: there is no tokenizer of this name");
        return;
    case BTK_STATUS_TOO_LARGE:
        btk_http_routes_error(answer, 413, "Validation", "the result could be too large");
        return;
    default: btk_http_routes_error(answer, 500, "Backend", "the batch failed"); return;
    }
}

void btk_http_routes_finish(struct btk_http_bridge *bridge, const struct btk_http_job *job,
                            struct btk_http_answer *out_answer)
{
    struct btk_error error = {0};
    if (job->status != BTK_STATUS_OK) {
        say_failed(job, out_answer);
        return;
    }
    out_answer->status = 200;
    out_answer->type = json_type;
    switch (btk_http_json_write(bridge, job, &out_answer->body, &error)) {
    case 0: btk_http_bridge_record_return(bridge, job); return;
    case -ENOMEM: btk_http_routes_error(out_answer, 500, "Backend", "out of memory"); return;
    case -EINVAL: btk_http_routes_error(out_answer, 422, "Tokenizer", error.message); return;
    case -EMSGSIZE: btk_http_routes_error(out_answer, 413, "Validation", error.message); return;
    default: btk_http_routes_error(out_answer, 500, "Backend", error.message); return;
    }
}
