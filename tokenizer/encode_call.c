// SPDX-License-Identifier: Apache-2.0
// The calls that encode one text into columns of the caller.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/utf8.h"
#include "tokenizer/encodings.h"
#include "tokenizer/normalizer/steps.h"

#define TEXT_BYTES_MAX ((size_t)1 << 31)

static int encode_all(struct btk_encoder *encoder)
{
    btk_profiler_enter(&encoder->scratch->profiler, BTK_STAGE_POST_PROCESSING);
    int status = btk_postprocess_prefix(encoder);
    const size_t first = encoder->encoding->count;
    if (!status) status = btk_encode_text(encoder);
    if (status < 0) return status;
    btk_profiler_enter(&encoder->scratch->profiler, BTK_STAGE_POST_PROCESSING);
    btk_postprocess_columns(encoder, first);
    return btk_postprocess_suffix(encoder);
}

static int explain_special(const struct btk_encoder *encoder, struct btk_error *error)
{
    const struct btk_special_found found = encoder->scratch->special_found;
    const struct btk_bytes token = btk_image_token_text(encoder->image, found.id);
    return btk_error_set(
        error, EPERM, found.offset, "the text has the special token \"%.*s\" at byte %u",
        (int)btk_min_size(token.length, 100), (const char *)token.data, found.offset);
}

int btk_encode_explain(int status, const struct btk_encoder *encoder, struct btk_error *error)
{
    if (status == -ENOBUFS)
        return btk_error_set(error, ENOBUFS, BTK_NO_OFFSET,
                             "the columns have room for %zu tokens, which is not enough",
                             encoder->encoding->capacity);
    if (status == -EPERM) return explain_special(encoder, error);
    if (status == -ETIME)
        return btk_error_set(error, ETIME, BTK_NO_OFFSET,
                             "a regular expression takes too long on this text");
    if (status == -ENODATA)
        return btk_error_set(error, ENODATA, BTK_NO_OFFSET,
                             "the text has something unknown in it, and the vocabulary has no "
                             "unknown token");
    if (status == -EDOM)
        return btk_error_set(error, EDOM, BTK_NO_OFFSET,
                             "the normalizer has no result for this text: the reference panics");
    if (status == -E2BIG)
        return btk_error_set(error, E2BIG, BTK_NO_OFFSET,
                             "the normalized text has more than %u bytes", UINT32_MAX);
    return btk_error_set(error, -status, BTK_NO_OFFSET, "not enough memory to encode");
}

int btk_encode_validated(const struct btk_tokenizer *tokenizer, struct btk_scratch *scratch,
                         const char *text, size_t text_bytes,
                         const struct btk_encode_options *options, struct btk_encoding *encoding,
                         struct btk_error_info *out_error)
{
    struct btk_error error;
    encoding->count = 0;
    if (text_bytes > TEXT_BYTES_MAX) {
        btk_error_set(&error, E2BIG, BTK_NO_OFFSET, "a text of %zu bytes; the most is %zu",
                      text_bytes, TEXT_BYTES_MAX);
        return btk_error_export(&error, out_error);
    }
    struct btk_encoder encoder = {
        .tokenizer = tokenizer,
        .image = &tokenizer->image,
        .scratch = scratch,
        .options = options,
        .encoding = encoding,
        .text = {(const uint8_t *)text, text_bytes},
        .annotates = encoding->offsets || encoding->word_ids || encoding->sources,
    };
    scratch->shown.length = 0;
    btk_profiler_begin(&scratch->profiler, text_bytes);
    const bool is_general = tokenizer->image.config->flags & BTK_PIPELINE_POST_GENERAL;
    int status = is_general ? btk_encode_generally(tokenizer, scratch, encoder.text, options,
                                                   encoding, &error)
                            : encode_all(&encoder);
    btk_profiler_end(&scratch->profiler);
    if (!status) return 0;
    if (!is_general) btk_encode_explain(status, &encoder, &error);
    encoding->count = 0;
    return btk_error_export(&error, out_error);
}

// Room for a private copy; what a text beyond the usual needed is given back by release_copy().
static uint8_t *reserve_copy(struct btk_scratch *scratch, size_t bytes)
{
    if (scratch->copy_bytes < bytes) {
        free(scratch->copy);
        scratch->copy = malloc(bytes);
        scratch->copy_bytes = scratch->copy ? bytes : 0;
        if (bytes > BTK_COPY_BYTES_MAX) scratch->spill_count++;
    }
    return scratch->copy;
}

static void release_copy(struct btk_scratch *scratch)
{
    if (scratch->copy_bytes <= BTK_COPY_BYTES_MAX) return;
    free(scratch->copy);
    scratch->copy = NULL;
    scratch->copy_bytes = 0;
}

// What is copied is what is checked and replaced: the text may be in memory that others write to.
static int copy_text(struct btk_scratch *scratch, const char *text, size_t *in_out_bytes,
                     const struct btk_encode_options *options, struct btk_error *error)
{
    const size_t bytes = *in_out_bytes;
    const bool replaces = options->invalid_utf8 == BTK_INVALID_UTF8_REPLACE;
    const size_t front = replaces ? 2 * bytes : 0; // replacing grows into it
    uint8_t *const copy = reserve_copy(scratch, btk_max_size(front + bytes, 64 * 1024));
    if (!copy) return btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "not enough memory to encode");
    scratch->copy_begin = 0;
    if (!replaces) {
        const size_t valid = scratch->kernels->utf8_copy(copy, (const uint8_t *)text, bytes);
        if (valid == bytes) return 0;
        return btk_error_set(error, EILSEQ, valid, "not UTF-8: byte 0x%02x at offset %zu",
                             (unsigned char)text[valid], valid);
    }
    if (bytes) memcpy(copy + front, text, bytes);
    if (scratch->kernels->utf8_valid_prefix(copy + front, bytes) == bytes)
        scratch->copy_begin = front;
    else
        *in_out_bytes = btk_utf8_replace_invalid(copy, copy + front, bytes);
    return 0;
}

int btk_encode(const struct btk_tokenizer *tokenizer, struct btk_scratch *scratch, const char *text,
               size_t text_bytes, const struct btk_encode_options *options,
               struct btk_encoding *encoding, struct btk_error_info *out_error)
{
    struct btk_error error;
    encoding->count = 0;
    if (text_bytes > TEXT_BYTES_MAX)
        return btk_encode_validated(tokenizer, scratch, text, text_bytes, options, encoding,
                                    out_error);
    btk_profiler_begin(&scratch->profiler, text_bytes);
    int status = copy_text(scratch, text, &text_bytes, options, &error);
    if (status < 0)
        btk_error_export(&error, out_error);
    else
        status = btk_encode_validated(tokenizer, scratch,
                                      (const char *)scratch->copy + scratch->copy_begin, text_bytes,
                                      options, encoding, out_error);
    release_copy(scratch);
    btk_profiler_end(&scratch->profiler);
    return status;
}

// Special tokens of a program, and how often it shows the text.
static size_t count_program(const struct btk_image *image, bool adds_special, size_t *out_uses)
{
    const struct btk_post_program program =
        btk_post_program_get(image, adds_special ? BTK_POST_ADDS_SPECIAL : 0);
    size_t count = 0;
    *out_uses = 0;
    for (uint32_t i = 0; i < program.part_count; i++) {
        count += program.parts[i].before_count + program.parts[i].after_count;
        *out_uses += program.parts[i].sequence != BTK_POST_NO_SEQUENCE;
    }
    return count;
}

// Beyond all memory, and yet nothing that is multiplied with the size of a column overflows.
#define BOUND_MAX ((size_t)1 << 48)

static size_t multiply(size_t a, size_t b)
{
    size_t product;
    return __builtin_mul_overflow(a, b, &product) ? BOUND_MAX : btk_min_size(product, BOUND_MAX);
}

// The steps may round: of two bytes there may be ten and of one only one. What they put before a text
// they put before each gap between added tokens, however short it is.
static size_t steps_growth(const struct btk_image *image)
{
    enum { EACH_LENGTH_MAX = 256, LONG_BYTES = 1 << 20 };
    const size_t of_long = btk_normalizer_bound(image, LONG_BYTES);
    size_t growth = of_long / LONG_BYTES + (of_long % LONG_BYTES != 0);
    for (size_t bytes = 1; bytes <= EACH_LENGTH_MAX; bytes++) {
        const size_t bound = btk_normalizer_bound(image, bytes);
        growth = btk_max_size(growth, bound / bytes + (bound % bytes != 0));
    }
    return btk_max_size(growth, 1);
}

size_t btk_normalizer_growth(const struct btk_image *image)
{
    switch (image->config->normalizer) {
    // Not more characters than there were bytes, but more bytes: a Hangul syllable has nine of them
    // then. Words are read by the character, pieces of BPE by the byte.
    case BTK_NORMALIZER_BERT: return image->config->model == BTK_MODEL_BPE ? 3 : 1;
    case BTK_NORMALIZER_STEPS: return steps_growth(image);
    default: return 1;
    }
}

// A byte gives at most one token; with an added space, a gap of one byte gives two.
size_t btk_encode_bound(const struct btk_tokenizer *tokenizer, size_t text_bytes,
                        const struct btk_encode_options *options)
{
    const struct btk_image *const image = &tokenizer->image;
    const struct btk_image_config *const config = image->config;
    const bool is_general = config->flags & BTK_PIPELINE_POST_GENERAL;
    size_t uses = 1, specials = 0;
    if (is_general)
        specials = count_program(image, options->add_special_tokens, &uses);
    else if (options->add_special_tokens)
        specials = config->prefix_count + (size_t)config->suffix_count;
    const size_t factors[] = {
        options->invalid_utf8 == BTK_INVALID_UTF8_REPLACE ? 3 : 1,
        config->flags & BTK_PIPELINE_ADD_PREFIX_SPACE ? 2 : 1,
        tokenizer->normalizer_growth,
        btk_pretokenizer_growth(image),
        btk_model_tokens_per_byte(config),
        uses,
    };
    size_t tokens = text_bytes;
    for (size_t i = 0; i < BTK_ARRAY_COUNT(factors); i++) tokens = multiply(tokens, factors[i]);
    return tokens + specials + BTK_PIECE_IDS_MAX + 1;
}
