// SPDX-License-Identifier: Apache-2.0
// What runs the steps: a function for each line of BTK_NORMALIZER_LIST, which reads pass->source and
// writes into the pass.
#pragma once

#include "tokenizer/normalizer/pass.h"
#include "tokenizer/normalizer/steps.h"
#include "tokenizer/regex.h"

// A step with what was made of its data when the normalizer was made.
struct btk_step_runner {
    const struct btk_step *step;
    struct btk_bytes data;
    struct btk_pass_chars *chars; // FORM: two, shared by all
    struct btk_regex *regex;      // REPLACE_ALL: ours
    // PRECOMPILED: ASCII characters that it changes, and CR. SENTENCEPIECE: those that keys begin with.
    uint8_t hits[128];
};

#define STEP(NAME, function)                                                                       \
    void btk_normalizer_##function(struct btk_step_runner *runner, struct btk_pass *pass);
BTK_NORMALIZER_LIST(STEP)
#undef STEP

// Fills runner->hits.
void btk_precompiled_prepare(struct btk_step_runner *runner);
void btk_sentencepiece_prepare(struct btk_step_runner *runner);

// The next character that is not one of 0x20 to 0x7e, from `at` on; the length: there is none.
static inline size_t btk_plain_end(struct btk_bytes text, size_t at)
{
    while (at < text.length && text.data[at] >= 0x20 && text.data[at] < 0x7f) at++;
    return at;
}
