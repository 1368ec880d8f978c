// SPDX-License-Identifier: Apache-2.0
// OpenTelemetry's "Environment Variable Specification", "OTLP Exporter Configuration" and "TraceIdRatioBased".
#include "coordinator/otlp_config.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/utf8.h"

enum { TIMEOUT_DEFAULT_MS = 10000, TIMEOUT_MAX_MS = 600000 };

static void warn(struct btk_otlp_config *config, const char *format, ...) BTK_PRINTF(2, 3);

static void warn(struct btk_otlp_config *config, const char *format, ...)
{
    if (config->warning_count == BTK_OTLP_WARNINGS_MAX) return;
    char *text = config->warnings[config->warning_count++];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof config->warnings[0], format, arguments);
    va_end(arguments);
}

// NULL: not set, or empty, which means the same.
static const char *get_set(btk_otlp_get_fn *get, const char *name)
{
    const char *value = get(name);
    return value != NULL && value[0] != 0 ? value : NULL;
}

// OTEL_EXPORTER_OTLP_TRACES_x, else OTEL_EXPORTER_OTLP_x.
static const char *get_exporter(btk_otlp_get_fn *get, const char *what)
{
    char name[64];
    snprintf(name, sizeof name, "OTEL_EXPORTER_OTLP_TRACES_%s", what);
    const char *value = get_set(get, name);
    if (value != NULL) return value;
    snprintf(name, sizeof name, "OTEL_EXPORTER_OTLP_%s", what);
    return get_set(get, name);
}

// --- Endpoint

static bool is_url(const char *text)
{
    const char *rest = strncasecmp(text, "http://", 7) == 0    ? text + 7
                       : strncasecmp(text, "https://", 8) == 0 ? text + 8
                                                               : "";
    for (const char *c = text; *c != 0; c++)
        if (*c <= ' ' || *c > '~') return false;
    return rest[0] != 0 && rest[0] != '/'
           && strlen(text) + sizeof "/v1/traces" < BTK_OTLP_URL_BYTES;
}

// "http://jaeger:14268/api/traces", "jaeger:6831", "[::1]:6831": the host.
static struct btk_bytes find_host(const char *text)
{
    const char *scheme = strstr(text, "://");
    const char *host = scheme == NULL ? text : scheme + 3;
    const char *name = memchr(host, '@', strcspn(host, "/"));
    if (name != NULL) host = name + 1;
    const size_t length = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/");
    return (struct btk_bytes){(const uint8_t *)host, btk_min_size(length, strlen(host))};
}

static void read_jaeger(struct btk_otlp_config *config, const char *text)
{
    const struct btk_bytes host = find_host(text);
    if (host.length == 0 || host.length > 255) {
        warn(config, "OTEL_EXPORTER_JAEGER_ENDPOINT: \"%.64s\": expected a host", text);
        return;
    }
    snprintf(config->url, sizeof config->url, "http://%.*s:4318/v1/traces", (int)host.length,
             (const char *)host.data);
    config->is_on = is_url(config->url);
    config->is_jaeger = true;
}

static void read_endpoint(struct btk_otlp_config *config, btk_otlp_get_fn *get)
{
    const char *own = get_set(get, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
    const char *common = get_set(get, "OTEL_EXPORTER_OTLP_ENDPOINT");
    const char *jaeger = get_set(get, "OTEL_EXPORTER_JAEGER_ENDPOINT");
    const char *text = own != NULL ? own : common;
    if (text == NULL && jaeger != NULL) read_jaeger(config, jaeger);
    if (text == NULL) return;
    if (!is_url(text)) {
        warn(config, "OTEL_EXPORTER_OTLP_ENDPOINT: \"%.64s\": expected http://... or https://...",
             text);
        return;
    }
    const size_t length = strlen(text);
    const char *slash = text[length - 1] == '/' ? "" : "/";
    snprintf(config->url, sizeof config->url, "%s%s%s", text, own != NULL ? "" : slash,
             own != NULL ? "" : "v1/traces");
    config->is_on = true;
}

static bool is_off(btk_otlp_get_fn *get)
{
    const char *disabled = get_set(get, "OTEL_SDK_DISABLED");
    const char *exporter = get_set(get, "OTEL_TRACES_EXPORTER");
    return (disabled != NULL && strcasecmp(disabled, "true") == 0)
           || (exporter != NULL && strcmp(exporter, "none") == 0);
}

// --- Exporter

static void read_protocol(struct btk_otlp_config *config, btk_otlp_get_fn *get)
{
    const char *text = get_exporter(get, "PROTOCOL");
    if (text == NULL || strcmp(text, "http/protobuf") == 0) return;
    if (strcmp(text, "http/json") == 0)
        config->protocol = BTK_OTLP_JSON;
    else
        warn(config,
             "OTEL_EXPORTER_OTLP_PROTOCOL: \"%.32s\": expected http/protobuf or http/json; "
             "http/protobuf is used",
             text);
}

static void read_timeout(struct btk_otlp_config *config, btk_otlp_get_fn *get)
{
    const char *text = get_exporter(get, "TIMEOUT");
    char *end = NULL;
    config->timeout_ms = TIMEOUT_DEFAULT_MS;
    if (text == NULL) return;
    errno = 0;
    const long value = strtol(text, &end, 10);
    if (errno == 0 && *end == 0 && value > 0 && value <= TIMEOUT_MAX_MS)
        config->timeout_ms = (uint32_t)value;
    else
        warn(config, "OTEL_EXPORTER_OTLP_TIMEOUT: \"%.32s\": expected 1 to %d ms; %d is used", text,
             TIMEOUT_MAX_MS, TIMEOUT_DEFAULT_MS);
}

static void read_certificate(struct btk_otlp_config *config, btk_otlp_get_fn *get)
{
    const char *text = get_exporter(get, "CERTIFICATE");
    if (text != NULL && strlen(text) < sizeof config->certificate)
        strcpy(config->certificate, text);
    const char *compression = get_exporter(get, "COMPRESSION");
    if (compression != NULL && strcmp(compression, "none") != 0)
        warn(config, "OTEL_EXPORTER_OTLP_COMPRESSION: \"%.32s\": expected none; none is used",
             compression);
}

// --- Pairs

static int hex_of(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    const char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static uint8_t byte_of(const char digits[2])
{
    return (uint8_t)(hex_of(digits[0]) << 4 | hex_of(digits[1]));
}

// A copy in the config's text without blanks around it, %XX decoded. NULL: no room, or it is no UTF-8, or
// has control characters.
static const char *keep(struct btk_otlp_config *config, const char *text, size_t length)
{
    while (length > 0 && (text[0] == ' ' || text[0] == '\t')) text++, length--;
    while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\t')) length--;
    if (length + 1 > sizeof config->text - config->text_bytes) return NULL;
    char *copy = config->text + config->text_bytes;
    size_t at = 0;
    for (size_t i = 0; i < length; i++) {
        const bool is_coded = text[i] == '%' && i + 2 < length && hex_of(text[i + 1]) >= 0
                              && hex_of(text[i + 2]) >= 0;
        const uint8_t byte = is_coded ? byte_of(text + i + 1) : (uint8_t)text[i];
        if (byte < ' ' || byte == 0x7f) return NULL;
        memcpy(copy + at, &byte, 1);
        at++;
        if (is_coded) i += 2;
    }
    copy[at] = 0;
    if (btk_utf8_valid_prefix((const uint8_t *)copy, at) != at) return NULL;
    config->text_bytes += at + 1;
    return copy;
}

static bool add_pair(struct btk_otlp_config *config, struct btk_otlp_pairs *pairs, const char *text,
                     size_t length)
{
    const char *equals = memchr(text, '=', length);
    if (equals == NULL || pairs->count == BTK_OTLP_PAIRS_MAX) return false;
    const char *key = keep(config, text, (size_t)(equals - text));
    const char *value =
        key == NULL ? NULL : keep(config, equals + 1, length - (size_t)(equals + 1 - text));
    if (value == NULL || key[0] == 0) return false;
    pairs->pairs[pairs->count++] = (struct btk_otlp_pair){key, value};
    return true;
}

static void read_pairs(struct btk_otlp_config *config, struct btk_otlp_pairs *pairs,
                       const char *name, const char *text)
{
    while (text != NULL && *text != 0) {
        const size_t length = strcspn(text, ",");
        // What stands in headers is secret: the warning does not repeat it.
        if (length > 0 && !add_pair(config, pairs, text, length))
            warn(config, "%s: expected KEY=VALUE,..., at most %d and %d bytes; one is left out",
                 name, BTK_OTLP_PAIRS_MAX, BTK_OTLP_TEXT_BYTES);
        text += length + (text[length] == ',');
    }
}

static void read_resource(struct btk_otlp_config *config, btk_otlp_get_fn *get)
{
    struct btk_otlp_pairs given = {.count = 0};
    const char *service = get_set(get, "OTEL_SERVICE_NAME");
    read_pairs(config, &given, "OTEL_RESOURCE_ATTRIBUTES",
               get_set(get, "OTEL_RESOURCE_ATTRIBUTES"));
    for (size_t i = 0; i < given.count; i++) {
        const bool is_name = strcmp(given.pairs[i].key, "service.name") == 0;
        if (!is_name && config->resource.count + 1 < BTK_OTLP_PAIRS_MAX)
            config->resource.pairs[config->resource.count++] = given.pairs[i];
        else if (is_name && service == NULL)
            service = given.pairs[i].value;
    }
    if (service == NULL) service = "budtiktok";
    const char *copy = keep(config, service, strlen(service));
    config->resource.pairs[config->resource.count++] =
        (struct btk_otlp_pair){"service.name", copy == NULL ? "budtiktok" : copy};
}

// --- Sampler

static const struct sampler {
    const char *name;
    bool is_parent_based;
    enum btk_otlp_sampler kind;
} samplers[] = {
    {"parentbased_always_on", true, BTK_OTLP_ALWAYS_ON},
    {"parentbased_always_off", true, BTK_OTLP_ALWAYS_OFF},
    {"parentbased_traceidratio", true, BTK_OTLP_RATIO},
    {"always_on", false, BTK_OTLP_ALWAYS_ON},
    {"always_off", false, BTK_OTLP_ALWAYS_OFF},
    {"traceidratio", false, BTK_OTLP_RATIO},
};

static const struct sampler *find_sampler(const char *name)
{
    for (size_t i = 0; i < BTK_ARRAY_COUNT(samplers); i++)
        if (strcmp(samplers[i].name, name) == 0) return samplers + i;
    return NULL;
}

static void read_ratio(struct btk_otlp_config *config, const char *text)
{
    char *end = NULL;
    config->ratio = 1;
    if (text == NULL) return;
    const double ratio = strtod(text, &end);
    if (end != text && *end == 0 && isfinite(ratio) && ratio >= 0 && ratio <= 1)
        config->ratio = ratio;
    else
        warn(config, "OTEL_TRACES_SAMPLER_ARG: \"%.32s\": expected 0 to 1; 1 is used", text);
}

static void read_sampler(struct btk_otlp_config *config, btk_otlp_get_fn *get)
{
    const char *name = get_set(get, "OTEL_TRACES_SAMPLER");
    const struct sampler *sampler = find_sampler(name == NULL ? samplers[0].name : name);
    if (sampler == NULL) {
        warn(config,
             "OTEL_TRACES_SAMPLER: \"%.32s\": expected [parentbased_]always_on, always_off "
             "or traceidratio; parentbased_always_on is used",
             name);
        sampler = samplers;
    }
    config->is_parent_based = sampler->is_parent_based;
    config->sampler = sampler->kind;
    config->ratio = sampler->kind == BTK_OTLP_ALWAYS_OFF ? 0 : 1;
    if (sampler->kind == BTK_OTLP_RATIO)
        read_ratio(config, get_set(get, "OTEL_TRACES_SAMPLER_ARG"));
    // Nothing could ever be kept.
    if (sampler->kind == BTK_OTLP_ALWAYS_OFF && !sampler->is_parent_based) config->is_on = false;
}

void btk_otlp_config_read(struct btk_otlp_config *config, btk_otlp_get_fn *get)
{
    *config = (struct btk_otlp_config){.protocol = BTK_OTLP_PROTOBUF};
    if (is_off(get)) return;
    read_endpoint(config, get);
    if (!config->is_on) return;
    read_protocol(config, get);
    read_timeout(config, get);
    read_certificate(config, get);
    read_pairs(config, &config->headers, "OTEL_EXPORTER_OTLP_HEADERS",
               get_exporter(get, "HEADERS"));
    read_resource(config, get);
    read_sampler(config, get);
}

// The last 63 bits of the id against the ratio, as all SDKs do it.
bool btk_otlp_config_samples(const struct btk_otlp_config *config, const uint8_t trace_id[16])
{
    uint64_t value = 0;
    if (config->ratio >= 1) return true;
    for (int i = 8; i < 16; i++) value = value << 8 | trace_id[i];
    return (double)(value >> 1) < config->ratio * 0x1p63;
}
