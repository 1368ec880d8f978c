// SPDX-License-Identifier: Apache-2.0
// budtiktok-load: requests for a running cluster, in a closed or an open loop.
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "bench/arguments.h"
#include "bench/input_text.h"
#include "bench/load_report.h"
#include "bench/load_run.h"
#include "tools/options.h"

enum { IN_FLIGHT_MAX = 65536, IN_FLIGHT_DEFAULT = 512, CONNECTIONS_DEFAULT = 64 };

static const char *const arrival_names[] = {"poisson", "constant", NULL};

struct settings {
    struct btk_load_target target;
    struct btk_load_run_plan plan;
    struct btk_load_rates rates; // none: a closed loop
    const char *input;
    bool is_json;
};

static int open_transport(const struct settings *settings, struct btk_load_transport *out_transport,
                          struct btk_error *error)
{
    return settings->target.url ? btk_load_http_open(&settings->target, out_transport, error)
                                : btk_load_cluster_open(&settings->target, out_transport, error);
}

// A connection of its own for each rate: what one leaves behind is not the next one's.
static int run_once(const struct settings *settings, double rate, struct btk_error *error)
{
    struct btk_load_transport transport;
    struct btk_load_run_plan plan = settings->plan;
    struct btk_load_result *const result = malloc(sizeof *result);
    if (!result) return btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "not enough memory");
    plan.rate = rate;
    int status = open_transport(settings, &transport, error);
    if (!status) {
        status = btk_load_run(&plan, &transport, result, error);
        transport.close(transport.self);
        if (!status && !settings->is_json)
            btk_load_report_print(&plan, transport.has_parts, result);
        else if (!status)
            status = btk_load_report_print_json(&plan, transport.has_parts, result);
    }
    free(result);
    return status;
}

static int run(struct settings *settings, struct btk_error *error)
{
    struct btk_input_text text;
    int status = btk_input_text_open(settings->input, &text, error);
    if (status < 0) return status;
    settings->plan.text = text.bytes;
    if (!settings->rates.count) status = run_once(settings, 0, error);
    for (unsigned i = 0; i < settings->rates.count && !status; i++)
        status = run_once(settings, settings->rates.rates[i], error);
    btk_input_text_close(&text);
    return status;
}

struct given {
    const char *connect, *http, *tokenizer, *concurrency, *rate, *arrivals, *duration, *size,
        *input, *json;
};

static int read_settings(const struct given *given, struct settings *settings,
                         struct btk_error *error)
{
    uint64_t in_flight = !given->rate ? 1 : given->http ? CONNECTIONS_DEFAULT : IN_FLIGHT_DEFAULT;
    unsigned arrivals = 0;
    settings->target.connect = given->connect;
    settings->target.url = given->http;
    settings->target.tokenizer = given->tokenizer;
    settings->input = given->input ? given->input : "en";
    settings->is_json = given->json;
    if (given->connect && given->http)
        return btk_error_set(error, EINVAL, BTK_NO_OFFSET, "--connect or --http, not both");
    int status = btk_arguments_number("concurrency", given->concurrency, 1, IN_FLIGHT_MAX,
                                      &in_flight, error);
    if (!status && given->rate) status = btk_load_rates_parse(given->rate, &settings->rates, error);
    if (!status)
        status = btk_arguments_choice("arrivals", given->arrivals, arrival_names, &arrivals, error);
    if (!status)
        status =
            btk_arguments_real("duration", given->duration, 1e6, &settings->plan.seconds, error);
    if (!status)
        status =
            btk_load_sizes_parse(given->size ? given->size : "1024", &settings->plan.sizes, error);
    settings->plan.is_poisson = arrivals == 0;
    settings->plan.in_flight = settings->target.in_flight = (uint32_t)in_flight;
    return status;
}

static int parse(int argc, char **argv, struct given *given, bool *out_wants_help,
                 struct btk_error *error)
{
    const struct btk_argument arguments[] = {
        {"connect", "ENDPOINT", "the cluster, ipc:///path; default: $BUDTIKTOK_CONNECT",
         &given->connect},
        {"http", "URL", "POST /tokenize at http://ADDR:PORT instead", &given->http},
        {"tokenizer", "NAME", "one that the cluster knows; default: its default one",
         &given->tokenizer},
        {"concurrency", "N",
         "closed loop: requests in flight (default 1); with --rate: at most so many",
         &given->concurrency},
        {"rate", "R[,R...]", "open loop: requests a second, one run for each", &given->rate},
        {"arrivals", "NAME", "of an open loop: poisson (default) or constant", &given->arrivals},
        {"duration", "SECONDS", "of each run (default 5)", &given->duration},
        {"size", "SIZE",
         "of a document: BYTES (default 1024), lognormal:MEDIAN,SIGMA, or file: the lines of "
         "--input",
         &given->size},
        {"input", "FILE", "text in UTF-8, or a text of our own (default: en)", &given->input},
        {"json", NULL, "a line of JSON for each run", &given->json},
    };
    const struct btk_argument_table table = {
        .program = "budtiktok-load",
        .summary = "Loads a running cluster and prints throughput, latency and where it went.\n"
                   "In an open loop latency counts from the time at which a request was due,\n"
                   "however late it could be sent.",
        .examples = "budtiktok-load --concurrency 8\n"
                    "budtiktok-load --rate 1000,2000,4000 --size lognormal:1024,1 --json\n"
                    "budtiktok-load --http http://127.0.0.1:8080 --rate 100",
        .arguments = arguments,
        .count = BTK_ARRAY_COUNT(arguments),
    };
    const int status = btk_arguments_parse(&table, argc, argv, out_wants_help, error);
    if (!status && *out_wants_help) btk_arguments_print_help(&table);
    return status;
}

static int exit_status_of(int status)
{
    switch (status) {
    case -ECONNREFUSED:
    case -ECONNRESET:
    case -ETIMEDOUT:
    case -EHOSTUNREACH: return BTK_EXIT_NO_CLUSTER;
    case -EACCES:
    case -EBUSY: return BTK_EXIT_REFUSED;
    default: return BTK_EXIT_FILE;
    }
}

int main(int argc, char **argv)
{
    struct given given = {0};
    struct settings settings = {.plan.seconds = 5,
                                .target.document_bytes_max = BTK_LOAD_DOCUMENT_BYTES_MAX};
    struct btk_error error;
    bool wants_help = false;
    int status = parse(argc, argv, &given, &wants_help, &error);
    if (!status && wants_help) return BTK_EXIT_DONE;
    if (!status) status = read_settings(&given, &settings, &error);
    if (status < 0) {
        fprintf(stderr, "budtiktok-load: %s\n", error.message);
        return BTK_EXIT_USAGE;
    }
    // Requests are due to the microsecond; the kernel's default is to wake up to 50 us late.
    prctl(PR_SET_TIMERSLACK, 1);
    signal(SIGPIPE, SIG_IGN);
    status = run(&settings, &error);
    if (!status) return BTK_EXIT_DONE;
    fprintf(stderr, "budtiktok-load: %s\n", error.message);
    return exit_status_of(status);
}
