// SPDX-License-Identifier: Apache-2.0
// What the environment says about tracing, in the words of OpenTelemetry:
//
//     OTEL_SDK_DISABLED, OTEL_TRACES_EXPORTER                          true, none: no tracing
//     OTEL_EXPORTER_OTLP_TRACES_ENDPOINT                               as it is
//     OTEL_EXPORTER_OTLP_ENDPOINT                                      with /v1/traces behind it
//     OTEL_EXPORTER_JAEGER_ENDPOINT                                    its host, port 4318, /v1/traces
//     OTEL_EXPORTER_OTLP_[TRACES_]PROTOCOL                             http/protobuf, http/json
//     OTEL_EXPORTER_OTLP_[TRACES_]HEADERS, _TIMEOUT (ms), _CERTIFICATE
//     OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES
//     OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG
//
// Without an endpoint there is no tracing. What cannot be understood is left out with a warning, as that
// specification wants it: a cluster serves without traces, too.
//
// Ownership: all texts stand in the struct, which must not be moved. Threads: no state.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/base.h"

enum {
    BTK_OTLP_URL_BYTES = 1024,
    BTK_OTLP_PAIRS_MAX = 32,
    BTK_OTLP_TEXT_BYTES = 8192,
    BTK_OTLP_WARNINGS_MAX = 8,
};

enum btk_otlp_protocol { BTK_OTLP_PROTOBUF = 0, BTK_OTLP_JSON };
enum btk_otlp_sampler { BTK_OTLP_ALWAYS_ON = 0, BTK_OTLP_ALWAYS_OFF, BTK_OTLP_RATIO };

struct btk_otlp_pair {
    const char *key;
    const char *value;
};

struct btk_otlp_pairs {
    struct btk_otlp_pair pairs[BTK_OTLP_PAIRS_MAX];
    size_t count;
};

struct btk_otlp_config {
    bool is_on;
    bool is_jaeger; // the endpoint was made of OTEL_EXPORTER_JAEGER_ENDPOINT
    char url[BTK_OTLP_URL_BYTES];
    char certificate[512]; // a file of authorities; "": those of the system
    enum btk_otlp_protocol protocol;
    uint32_t timeout_ms;
    bool is_parent_based; // a caller that has decided is followed
    enum btk_otlp_sampler sampler;
    double ratio;
    struct btk_otlp_pairs headers;
    struct btk_otlp_pairs resource; // with service.name
    char text[BTK_OTLP_TEXT_BYTES]; // of the pairs
    size_t text_bytes;
    char warnings[BTK_OTLP_WARNINGS_MAX][160];
    size_t warning_count;
};

// `get` is getenv(), or that of a test.
typedef char *btk_otlp_get_fn(const char *name);
void btk_otlp_config_read(struct btk_otlp_config *config, btk_otlp_get_fn *get);

// Whether a trace of this id is kept by the ratio: all who look at an id agree.
bool btk_otlp_config_samples(const struct btk_otlp_config *config, const uint8_t trace_id[16]);
