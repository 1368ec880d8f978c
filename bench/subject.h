// SPDX-License-Identifier: Apache-2.0
// A tokenizer to measure, with what is known about its ids.
//
// Ownership: btk_subject_close() frees all of it, also of one that was opened half. Threads: none.
#pragma once

#include "bench/golden.h"
#include "bench/settings.h"
#include "common/json.h"

struct btk_subject {
    enum btk_bench family;
    const char *name;
    const char *source; // how verified figures are called: "golden", "reference"
    const struct btk_json *goldens;
    struct btk_json *own_goldens;
    struct btk_tokenizer *tokenizer;
};

// Our own one of that family.
BTK_MUST_USE int btk_subject_open_own(const struct btk_bench_settings *settings,
                                      enum btk_bench family, struct btk_subject *out_subject,
                                      struct btk_error *error);

// The one that --tokenizer names: one of our own, or a file. -EINVAL: it is of a family that --bench
// does not name.
BTK_MUST_USE int btk_subject_open_named(const struct btk_bench_settings *settings,
                                        struct btk_subject *out_subject, struct btk_error *error);

void btk_subject_close(struct btk_subject *subject);
