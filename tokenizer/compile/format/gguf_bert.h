// SPDX-License-Identifier: Apache-2.0
// The frame of a GGUF file whose tokenizer is "bert".
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/base.h"
#include "common/json_writer.h"
#include "tokenizer/compile/format/format.h"

struct btk_gguf_bert {
    uint32_t unknown; // a token of the format
    bool lowercases;
    bool strips_accents;
};

// Writes normalizer, pre-tokenizer, decoder and model, with the tokens of the format as its vocabulary,
// into the object that is open. -ENOMEM.
BTK_MUST_USE int btk_gguf_write_bert(struct btk_format *format, const struct btk_gguf_bert *bert,
                                     struct btk_json_writer *writer);
