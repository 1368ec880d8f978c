// SPDX-License-Identifier: Apache-2.0
// A worker that dies of a text: linked with --wrap=btk_encode, it calls this in place of the engine
// and is the real one in all else.
#include <budtiktok/tokenizer.h>
#include <string.h>

#include "tests/coordinator/crashing_worker.h"

int __real_btk_encode(const struct btk_tokenizer *tokenizer, struct btk_scratch *scratch,
                      const char *text, size_t text_bytes, const struct btk_encode_options *options,
                      struct btk_encoding *encoding, struct btk_error_info *error);
int __wrap_btk_encode(const struct btk_tokenizer *tokenizer, struct btk_scratch *scratch,
                      const char *text, size_t text_bytes, const struct btk_encode_options *options,
                      struct btk_encoding *encoding, struct btk_error_info *error);

static int *volatile nowhere;

int __wrap_btk_encode(const struct btk_tokenizer *tokenizer, struct btk_scratch *scratch,
                      const char *text, size_t text_bytes, const struct btk_encode_options *options,
                      struct btk_encoding *encoding, struct btk_error_info *error)
{
    if (memmem(text, text_bytes, CRASHING_WORKER_TEXT, strlen(CRASHING_WORKER_TEXT)) != NULL)
        *nowhere = 1;
    return __real_btk_encode(tokenizer, scratch, text, text_bytes, options, encoding, error);
}
