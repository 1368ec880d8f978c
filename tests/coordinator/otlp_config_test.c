// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/otlp_config.h"

static struct btk_otlp_config config;

// The environment of a test: NAME, value, NAME, value, NULL.
static char *variables[32];

static char *get(const char *name)
{
    for (size_t i = 0; variables[i] != NULL; i += 2)
        if (strcmp(variables[i], name) == 0) return variables[i + 1];
    return NULL;
}

#define READ(...)                                                                                  \
    do {                                                                                           \
        static char *const given[] = {__VA_ARGS__};                                                \
        memset(variables, 0, sizeof variables);                                                    \
        memcpy(variables, given, sizeof given);                                                    \
        btk_otlp_config_read(&config, get);                                                        \
    } while (0)

#define ON "OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318"

Test(otlp_config, without_an_endpoint_there_is_no_tracing_and_nothing_to_say)
{
    READ("OTEL_SERVICE_NAME", "x", "OTEL_TRACES_SAMPLER", "nonsense");
    cr_expect_not(config.is_on);
    cr_expect_eq(config.warning_count, 0);
    READ("OTEL_EXPORTER_OTLP_ENDPOINT", "");
    cr_expect_not(config.is_on);
    READ(ON, "OTEL_SDK_DISABLED", "TRUE");
    cr_expect_not(config.is_on);
    READ(ON, "OTEL_SDK_DISABLED", "1"); // only true is true
    cr_expect(config.is_on);
    READ(ON, "OTEL_TRACES_EXPORTER", "none");
    cr_expect_not(config.is_on);
    READ(ON, "OTEL_TRACES_SAMPLER", "always_off");
    cr_expect_not(config.is_on);
}

Test(otlp_config, endpoints_become_urls)
{
    READ(ON);
    cr_expect(config.is_on);
    cr_expect_str_eq(config.url, "http://c:4318/v1/traces");
    READ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://c/base/");
    cr_expect_str_eq(config.url, "https://c/base/v1/traces");
    READ(ON, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://t/own");
    cr_expect_str_eq(config.url, "http://t/own");
    READ(ON, "OTEL_EXPORTER_JAEGER_ENDPOINT", "http://j:14268/api/traces");
    cr_expect_str_eq(config.url, "http://c:4318/v1/traces");
    cr_expect_not(config.is_jaeger);
}

Test(otlp_config, the_host_of_a_jaeger_endpoint_is_kept)
{
    static const struct {
        char *text;
        const char *url;
    } cases[] = {
        {"http://jaeger:14268/api/traces", "http://jaeger:4318/v1/traces"},
        {"jaeger:6831", "http://jaeger:4318/v1/traces"},
        {"jaeger", "http://jaeger:4318/v1/traces"},
        {"https://u:p@10.0.0.1:14268", "http://10.0.0.1:4318/v1/traces"},
        {"http://[fe80::1]:14268/api", "http://[fe80::1]:4318/v1/traces"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        memset(variables, 0, sizeof variables);
        variables[0] = "OTEL_EXPORTER_JAEGER_ENDPOINT";
        variables[1] = cases[i].text;
        btk_otlp_config_read(&config, get);
        cr_expect(config.is_on && config.is_jaeger);
        cr_expect_str_eq(config.url, cases[i].url);
    }
    READ("OTEL_EXPORTER_JAEGER_ENDPOINT", "http://:14268");
    cr_expect_not(config.is_on);
    cr_expect_eq(config.warning_count, 1);
}

Test(otlp_config, what_is_no_url_turns_tracing_off_with_a_warning)
{
    static char *const texts[] = {"c:4318",    "ftp://c",    "http://",
                                  "http:///x", "http://a b", "http://a\nb"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        memset(variables, 0, sizeof variables);
        variables[0] = "OTEL_EXPORTER_OTLP_ENDPOINT";
        variables[1] = texts[i];
        btk_otlp_config_read(&config, get);
        cr_expect_not(config.is_on, "%s", texts[i]);
        cr_expect_eq(config.warning_count, 1);
        cr_expect_not_null(strstr(config.warnings[0], "expected http://"));
    }
    char *text = malloc(3000);
    memset(text, 'x', 2999);
    memcpy(text, "http://", 7);
    text[2999] = 0;
    variables[1] = text;
    btk_otlp_config_read(&config, get);
    cr_expect_not(config.is_on);
    free(text);
}

Test(otlp_config, headers_and_attributes_are_pairs_and_decoded)
{
    READ(ON, "OTEL_EXPORTER_OTLP_HEADERS", "api-key = se%2Ccret ,,other=1",
         "OTEL_RESOURCE_ATTRIBUTES", "a=%C3%A9,service.name=attribute,b=100%");
    cr_assert_eq(config.headers.count, 2);
    cr_expect_str_eq(config.headers.pairs[0].key, "api-key");
    cr_expect_str_eq(config.headers.pairs[0].value, "se,cret");
    cr_assert_eq(config.resource.count, 3);
    cr_expect_str_eq(config.resource.pairs[0].value, "é");
    cr_expect_str_eq(config.resource.pairs[1].value, "100%");
    cr_expect_str_eq(config.resource.pairs[2].key, "service.name");
    cr_expect_str_eq(config.resource.pairs[2].value, "attribute");
    READ(ON, "OTEL_SERVICE_NAME", "named", "OTEL_RESOURCE_ATTRIBUTES", "service.name=attribute");
    cr_expect_eq(config.resource.count, 1);
    cr_expect_str_eq(config.resource.pairs[0].value, "named");
    READ(ON);
    cr_expect_str_eq(config.resource.pairs[0].value, "budtiktok");
}

Test(otlp_config, what_is_no_pair_is_left_out_without_being_repeated)
{
    READ(ON, "OTEL_EXPORTER_OTLP_HEADERS", "secret,=b,a=%0d%0aX: y,c=%ff,good=1");
    cr_assert_eq(config.headers.count, 1);
    cr_expect_str_eq(config.headers.pairs[0].key, "good");
    cr_expect_eq(config.warning_count, 4);
    for (size_t i = 0; i < config.warning_count; i++)
        cr_expect_null(strstr(config.warnings[i], "secret"));
    char text[4096] = "";
    for (int i = 0; i < 500; i++) strcat(text, "a=b,");
    memset(variables, 0, sizeof variables);
    variables[0] = "OTEL_EXPORTER_OTLP_ENDPOINT";
    variables[1] = "http://c";
    variables[2] = "OTEL_RESOURCE_ATTRIBUTES";
    variables[3] = text;
    btk_otlp_config_read(&config, get);
    cr_expect_eq(config.resource.count, BTK_OTLP_PAIRS_MAX);
    cr_expect_eq(config.warning_count, BTK_OTLP_WARNINGS_MAX);
    cr_expect_str_eq(config.resource.pairs[BTK_OTLP_PAIRS_MAX - 1].key, "service.name");
}

Test(otlp_config, protocol_and_timeout_are_what_is_known_or_the_default_with_a_warning)
{
    READ(ON);
    cr_expect_eq(config.protocol, BTK_OTLP_PROTOBUF);
    cr_expect_eq(config.timeout_ms, 10000u);
    READ(ON, "OTEL_EXPORTER_OTLP_PROTOCOL", "http/json", "OTEL_EXPORTER_OTLP_TIMEOUT", "250");
    cr_expect_eq(config.protocol, BTK_OTLP_JSON);
    cr_expect_eq(config.timeout_ms, 250u);
    READ(ON, "OTEL_EXPORTER_OTLP_PROTOCOL", "http/json", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
         "http/protobuf");
    cr_expect_eq(config.protocol, BTK_OTLP_PROTOBUF);
    cr_expect_eq(config.warning_count, 0);
    READ(ON, "OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "OTEL_EXPORTER_OTLP_TIMEOUT", "-1",
         "OTEL_EXPORTER_OTLP_COMPRESSION", "gzip");
    cr_expect_eq(config.protocol, BTK_OTLP_PROTOBUF);
    cr_expect_eq(config.timeout_ms, 10000u);
    cr_expect_eq(config.warning_count, 3);
}

Test(otlp_config, samplers_and_their_ratio)
{
    READ(ON);
    cr_expect(config.is_parent_based);
    cr_expect_eq(config.sampler, BTK_OTLP_ALWAYS_ON);
    READ(ON, "OTEL_TRACES_SAMPLER", "traceidratio", "OTEL_TRACES_SAMPLER_ARG", "0.25");
    cr_expect_not(config.is_parent_based);
    cr_expect_eq(config.ratio, 0.25);
    READ(ON, "OTEL_TRACES_SAMPLER", "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG", "2");
    cr_expect_eq(config.ratio, 1);
    cr_expect_eq(config.warning_count, 1);
    READ(ON, "OTEL_TRACES_SAMPLER", "sometimes");
    cr_expect(config.is_parent_based);
    cr_expect_eq(config.sampler, BTK_OTLP_ALWAYS_ON);
    cr_expect_eq(config.warning_count, 1);
    READ(ON, "OTEL_TRACES_SAMPLER", "parentbased_always_off");
    cr_expect(config.is_on);
    cr_expect_eq(config.ratio, 0);
}

Test(otlp_config, the_last_bits_of_an_id_are_held_against_the_ratio)
{
    uint8_t id[16] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    READ(ON, "OTEL_TRACES_SAMPLER", "traceidratio", "OTEL_TRACES_SAMPLER_ARG", "0.5");
    cr_expect(btk_otlp_config_samples(&config, id));
    id[8] = 0x7f;
    cr_expect(btk_otlp_config_samples(&config, id));
    id[8] = 0x80;
    cr_expect_not(btk_otlp_config_samples(&config, id));
    READ(ON, "OTEL_TRACES_SAMPLER", "traceidratio", "OTEL_TRACES_SAMPLER_ARG", "0");
    memset(id, 0, sizeof id);
    cr_expect_not(btk_otlp_config_samples(&config, id));
    READ(ON, "OTEL_TRACES_SAMPLER", "traceidratio", "OTEL_TRACES_SAMPLER_ARG", "1");
    memset(id, 0xff, sizeof id);
    cr_expect(btk_otlp_config_samples(&config, id));
}
