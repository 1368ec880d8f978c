// SPDX-License-Identifier: Apache-2.0
// The post-processors of a tokenizer.json, one after the other, and the options that stand there.
//
// Ownership: all of it is in the compiler's arena, or borrowed from the document.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "tokenizer/compile/compiler.h"
#include "tokenizer/postprocessor/program.h"

enum btk_processor_kind {
    BTK_PROCESSOR_BERT,
    BTK_PROCESSOR_ROBERTA,
    BTK_PROCESSOR_BYTE_LEVEL,
    BTK_PROCESSOR_TEMPLATE,
};

// A special token as the post-processor writes it, which need not be the vocabulary's.
struct btk_processor_token {
    uint32_t id;
    uint32_t text; // as in struct btk_post_token
};

// Of a template: a sequence, or special tokens.
struct btk_processor_piece {
    uint32_t sequence; // BTK_POST_NO_SEQUENCE: special tokens
    uint32_t type_id;
    const struct btk_processor_token *tokens; // NULL: there is no special token of this name
    uint32_t token_count;
};

struct btk_processor_template {
    const struct btk_processor_piece *pieces;
    uint32_t piece_count;
};

struct btk_processor {
    enum btk_processor_kind kind;
    bool trims;                                  // ByteLevel, Roberta
    bool adds_prefix_space;                      // ByteLevel, Roberta
    struct btk_processor_token begin, separator; // Bert, Roberta
    struct btk_processor_template templates[2];  // for one text and for two
};

enum { BTK_PROCESSOR_LIMIT = 64 };

struct btk_processor_chain {
    struct btk_processor processors[BTK_PROCESSOR_LIMIT];
    uint32_t count;
    struct btk_buffer text_ends; // uint32_t
    struct btk_buffer texts;
};

// Runs the chain in all modes: programs and texts in the image, and the template of the fast path.
// `is_null`: there is no post-processor, which is not the same as a chain of none.
int btk_compile_postprocessor_programs(struct btk_compiler *compiler,
                                       const struct btk_processor_chain *chain, bool is_null);
