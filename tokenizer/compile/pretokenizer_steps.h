// SPDX-License-Identifier: Apache-2.0
// Components of pre_tokenizer as lists of steps (tokenizer/pretokenizer/step_kind.h).
//
// A component may be more than one step: ByteLevel puts a space before, splits at its pattern and
// turns bytes into its alphabet. So what has code of its own is recognised by its steps, whatever
// components they came from.
#pragma once

#include <stdint.h>

#include "kernels/pretok/pretok.h"
#include "tokenizer/compile/compiler.h"
#include "tokenizer/pretokenizer/step_kind.h"

struct btk_pretokenizer_steps {
    struct btk_step steps[BTK_STEP_LIMIT];
    // Borrowed. That of SPLIT_REGEX is the pattern as the file has it, to be rewritten.
    struct btk_bytes data[BTK_STEP_LIMIT];
    uint32_t count;
};

// Appends a step. -EINVAL: there are too many.
int btk_pretokenizer_steps_add(struct btk_compiler *compiler, struct btk_pretokenizer_steps *list,
                               struct btk_step step, struct btk_bytes data);

// Appends the steps of a component, or of all components of a Sequence, however deep.
int btk_pretokenizer_steps_read(struct btk_compiler *compiler, const struct btk_json *object,
                                struct btk_pretokenizer_steps *list);

// The pattern (kernels/pretok) that does what all of the steps do, or BTK_PATTERN_COUNT.
enum btk_pattern btk_pretokenizer_steps_recognize(const struct btk_pretokenizer_steps *list);
