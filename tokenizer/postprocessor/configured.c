// SPDX-License-Identifier: Apache-2.0
// Truncation and padding: what stands in the file, and what cannot be.
#include <errno.h>

#include "tokenizer/engine.h"
#include "tokenizer/postprocessor/program.h"

void btk_tokenizer_configured(const struct btk_tokenizer *tokenizer,
                              struct btk_truncation *out_truncation,
                              struct btk_padding *out_padding)
{
    struct btk_bytes token;
    const struct btk_post_truncation *const truncation = btk_post_truncation_get(&tokenizer->image);
    const struct btk_post_padding *const padding = btk_post_padding_get(&tokenizer->image, &token);
    *out_truncation = (struct btk_truncation){0};
    *out_padding = (struct btk_padding)BTK_PADDING_DEFAULTS;
    if (truncation)
        *out_truncation = (struct btk_truncation){
            .is_on = true,
            .strategy = (uint8_t)truncation->strategy,
            .direction = (uint8_t)truncation->direction,
            .max_length = truncation->max_length,
            .stride = truncation->stride,
        };
    if (padding)
        *out_padding = (struct btk_padding){
            .is_on = true,
            .has_length = padding->has_length,
            .direction = (uint8_t)padding->direction,
            .length = padding->length,
            .multiple_of = padding->multiple_of,
            .id = padding->id,
            .type_id = padding->type_id,
            .token = (const char *)token.data,
            .token_bytes = token.length,
        };
}

// Source: with_truncation() of the reference's tokenizer/mod.rs: it counts the special tokens of one
// text, whether they will be added or not, and lets its numbers wrap.
int btk_truncation_check(const struct btk_tokenizer *tokenizer,
                         const struct btk_truncation *truncation, struct btk_error_info *out_error)
{
    if (!truncation->is_on) return 0;
    const struct btk_post_program program =
        btk_post_program_get(&tokenizer->image, BTK_POST_ADDS_SPECIAL);
    const uint64_t most = truncation->max_length - program.added_count;
    if (most >= truncation->stride) return 0;
    struct btk_error error;
    btk_error_set(&error, EINVAL, BTK_NO_OFFSET,
                  "truncation: a stride of %llu, but max_length leaves room for %llu tokens beside "
                  "the special ones",
                  (unsigned long long)truncation->stride, (unsigned long long)most);
    return btk_error_export(&error, out_error);
}
