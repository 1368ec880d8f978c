// SPDX-License-Identifier: Apache-2.0
// What the targets of libFuzzer share. A target is LLVMFuzzerTestOneInput(): any bytes, and what must
// always hold is checked or aborts. replay.c calls the same on the files of corpus/.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <budtiktok/tokenizer.h>

#include "tests/fuzz/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// The bytes of an input, one after the other; 0 when there are none left.
struct fuzz_bytes {
    const uint8_t *data;
    size_t left;
};

uint8_t fuzz_byte(struct fuzz_bytes *bytes);
size_t fuzz_below(struct fuzz_bytes *bytes, size_t limit); // limit up to 256

// Tokenizers of all models, made when the first is asked for and kept.
enum { FUZZ_TOKENIZERS = 5 };
struct btk_tokenizer *fuzz_tokenizer(size_t index);

// Encodes the text with columns of all kinds, decodes its ids, and gives them to both streams. Errors
// are fine where they say why.
void fuzz_use(const struct btk_tokenizer *tokenizer, const char *text, size_t text_bytes);
void fuzz_decode(const struct btk_tokenizer *tokenizer, const uint32_t *ids, size_t count,
                 bool skips_special);
