// SPDX-License-Identifier: Apache-2.0
// The command line of budtiktok-bench, and what all of its benches are given.
//
// Ownership: names point into argv. Threads: none.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bench/arguments.h"
#include "bench/report.h"

enum btk_bench {
    BTK_BENCH_WORDPIECE, // the families: all of encode
    BTK_BENCH_BPE,
    BTK_BENCH_UNIGRAM,
    BTK_BENCH_WORDLEVEL,
    BTK_BENCH_NORMALIZER, // the stages, of each of these tokenizers
    BTK_BENCH_PRETOKENIZER,
    BTK_BENCH_DECODE,
    BTK_BENCH_KERNELS, // what needs no tokenizer
    BTK_BENCH_RING,
    BTK_BENCH_MEMORY,
    BTK_BENCH_ALL,
};
enum { BTK_BENCH_FAMILIES = BTK_BENCH_NORMALIZER }; // how many there are
#define BTK_BENCH_BIT(NAME) (1u << BTK_BENCH_##NAME)

enum btk_bench_mode {
    BTK_MODE_COLD,
    BTK_MODE_WARM,
    BTK_MODE_WHOLE,
    BTK_MODE_BATCH,
    BTK_MODE_LINES,
    BTK_MODE_COUNT
};

enum { BTK_BENCH_REPEAT_MAX = 1000, BTK_BENCH_SETS_MAX = 8, BTK_BENCH_BASELINE_RUNS = 9 };

extern const char *const btk_bench_names[];      // by enum btk_bench; NULL behind the last
extern const char *const btk_bench_mode_names[]; // by enum btk_bench_mode

struct btk_json;

struct btk_bench_settings {
    unsigned benches; // set of enum btk_bench
    bool says_benches;
    const char *tokenizer; // NULL: one of our own of each family
    const char *input;     // NULL: all texts of our own
    unsigned modes;        // set of enum btk_bench_mode
    bool says_modes;
    uint64_t chunk_bytes;
    const char *reference_path;
    struct btk_json *reference; // NULL: the goldens of our own texts
    uint64_t repeat;            // 0: once, in this process
    uint64_t threads;
    unsigned fields; // set of enum btk_measure_field
    char fields_text[64];
    const char *sets[BTK_BENCH_SETS_MAX]; // of kernels, beside each other
    unsigned set_count;                   // 0: the one of this process
    bool takes_profile;                   // of encode: BUDTIKTOK_PROFILE
    const char *save_baseline, *baseline;
    bool has_differences;
    struct btk_report report;
};

// -EINVAL with what is wrong. The baseline and the reference are not read. *out_wants_help: what was
// asked for (help, man page, completion) is printed, and that is all.
BTK_MUST_USE int btk_bench_settings_read(int argc, char **argv, struct btk_bench_settings *out,
                                         bool *out_wants_help, struct btk_error *error);

// Of each kind of bench: measures, verifies, reports. Errors that end the program.
BTK_MUST_USE int btk_bench_texts(struct btk_bench_settings *settings, struct btk_error *error);
BTK_MUST_USE int btk_bench_kernels(struct btk_bench_settings *settings, struct btk_error *error);
BTK_MUST_USE int btk_bench_ring(struct btk_bench_settings *settings, struct btk_error *error);
BTK_MUST_USE int btk_bench_memory(struct btk_bench_settings *settings, struct btk_error *error);
