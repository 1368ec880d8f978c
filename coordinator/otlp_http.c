// SPDX-License-Identifier: Apache-2.0
#include "coordinator/otlp_http.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { RETRY_MAX_S = 60, STATUS_OK_LAST = 299 };

struct btk_otlp_http {
    CURL *curl;
    struct curl_slist *headers;
    btk_otlp_stop_fn *stop;
    void *context;
};

// What a collector answers is not needed.
static size_t ignore_body(char *data BTK_UNUSED, size_t size, size_t count,
                          void *context BTK_UNUSED)
{
    return size * count;
}

static int on_progress(void *context, curl_off_t all_in BTK_UNUSED, curl_off_t in BTK_UNUSED,
                       curl_off_t all_out BTK_UNUSED, curl_off_t out BTK_UNUSED)
{
    const struct btk_otlp_http *http = context;
    return http->stop(http->context) ? 1 : 0;
}

static bool try_add_header(struct btk_otlp_http *http, const char *text)
{
    struct curl_slist *headers = curl_slist_append(http->headers, text);
    if (headers != NULL) http->headers = headers;
    return headers != NULL;
}

static int make_headers(struct btk_otlp_http *http, const struct btk_otlp_config *config)
{
    const bool is_json = config->protocol == BTK_OTLP_JSON;
    char line[BTK_OTLP_TEXT_BYTES + 8];
    bool is_fine = try_add_header(http, is_json ? "Content-Type: application/json"
                                                : "Content-Type: application/x-protobuf")
                   // A body of some size would wait for a 100 that most never send.
                   && try_add_header(http, "Expect:");
    for (size_t i = 0; i < config->headers.count && is_fine; i++) {
        const struct btk_otlp_pair *pair = config->headers.pairs + i;
        snprintf(line, sizeof line, "%s: %s", pair->key, pair->value);
        is_fine = try_add_header(http, line);
    }
    return is_fine ? 0 : -ENOMEM;
}

static void set_options(struct btk_otlp_http *http, const struct btk_otlp_config *config)
{
    CURL *curl = http->curl;
    curl_easy_setopt(curl, CURLOPT_URL, config->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, http->headers);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "budtiktok/" BTK_VERSION);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, ignore_body);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, http);
    // Names are looked up without signals.
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    if (config->certificate[0] != 0) curl_easy_setopt(curl, CURLOPT_CAINFO, config->certificate);
}

int btk_otlp_http_open(const struct btk_otlp_config *config, btk_otlp_stop_fn *stop, void *context,
                       struct btk_otlp_http **out_http, struct btk_error *error)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return btk_error_set(error, ENOTSUP, BTK_NO_OFFSET, "libcurl does not start");
    struct btk_otlp_http *http = calloc(1, sizeof *http);
    if (http != NULL) http->curl = curl_easy_init();
    if (http == NULL || http->curl == NULL || make_headers(http, config) != 0) {
        if (http == NULL) curl_global_cleanup();
        btk_otlp_http_close(&http);
        return btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "out of memory");
    }
    http->stop = stop;
    http->context = context;
    set_options(http, config);
    *out_http = http;
    return 0;
}

void btk_otlp_http_close(struct btk_otlp_http **http_at)
{
    struct btk_otlp_http *http = *http_at;
    if (http == NULL) return;
    curl_easy_cleanup(http->curl);
    curl_slist_free_all(http->headers);
    free(http);
    curl_global_cleanup();
    *http_at = NULL;
}

static bool is_temporary(long status)
{
    return status == 429 || status == 502 || status == 503 || status == 504;
}

static int judge(struct btk_otlp_http *http, uint32_t *out_retry_ms, struct btk_error *error)
{
    long status = 0;
    curl_off_t retry_s = 0;
    curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 200 && status <= STATUS_OK_LAST) return 0;
    if (curl_easy_getinfo(http->curl, CURLINFO_RETRY_AFTER, &retry_s) == CURLE_OK && retry_s > 0)
        *out_retry_ms = (uint32_t)btk_min_size((size_t)retry_s, RETRY_MAX_S) * 1000;
    return btk_error_set(error, is_temporary(status) ? EAGAIN : EIO, BTK_NO_OFFSET,
                         "the collector answers %ld", status);
}

int btk_otlp_http_post(struct btk_otlp_http *http, struct btk_bytes body, uint32_t timeout_ms,
                       uint32_t *out_retry_ms, struct btk_error *error)
{
    *out_retry_ms = 0;
    curl_easy_setopt(http->curl, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    curl_easy_setopt(http->curl, CURLOPT_POSTFIELDS, body.data);
    curl_easy_setopt(http->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.length);
    const CURLcode code = curl_easy_perform(http->curl);
    if (code == CURLE_OK) return judge(http, out_retry_ms, error);
    return btk_error_set(error, EAGAIN, BTK_NO_OFFSET, "%s", curl_easy_strerror(code));
}
