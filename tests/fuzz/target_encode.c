// SPDX-License-Identifier: Apache-2.0
// Texts, pairs and words with any options: the first bytes are options, the rest is text.
#include <errno.h>
#include <string.h>

#include "tests/fuzz/target.h"

enum { WORDS_MAX = 6, INPUTS_MAX = 3 };

// Small numbers, and one time in eight a huge one.
static uint64_t take_number(struct fuzz_bytes *bytes)
{
    const uint8_t byte = fuzz_byte(bytes);
    return byte >= 224 ? UINT64_MAX >> (byte & 31) : byte % 24;
}

static struct btk_encoding_options take_options(struct fuzz_bytes *bytes)
{
    struct btk_encoding_options options = BTK_ENCODING_DEFAULTS;
    options.encode.add_special_tokens = fuzz_byte(bytes) & 1;
    options.encode.offsets_unit = fuzz_byte(bytes) & 1;
    options.encode.invalid_utf8 = fuzz_byte(bytes) & 1;
    options.encode.special_text = fuzz_byte(bytes) & 3;
    options.fields = fuzz_byte(bytes) | (uint32_t)fuzz_byte(bytes) << 8;
    options.truncation = (struct btk_truncation){.is_on = fuzz_byte(bytes) & 1,
                                                 .strategy = (uint8_t)fuzz_below(bytes, 3),
                                                 .direction = fuzz_byte(bytes) & 1,
                                                 .max_length = take_number(bytes),
                                                 .stride = take_number(bytes)};
    options.padding.is_on = fuzz_byte(bytes) & 1;
    options.padding.has_length = fuzz_byte(bytes) & 1;
    options.padding.direction = fuzz_byte(bytes) & 1;
    options.padding.length = take_number(bytes);
    options.padding.multiple_of = take_number(bytes);
    options.cost_max = 1 << 16;
    return options;
}

// A part of what is left, as one text or as words that end between characters.
static struct btk_encode_text take_text(struct fuzz_bytes *bytes, uint64_t ends[WORDS_MAX])
{
    const bool has_words = fuzz_byte(bytes) & 1;
    const size_t share = fuzz_byte(bytes) + 1u;
    const size_t length = bytes->left * share / 256;
    struct btk_encode_text text = {.data = (const char *)bytes->data, .bytes = length};
    bytes->data += length;
    bytes->left -= length;
    if (!has_words) return text;
    size_t at = 0;
    for (size_t i = 0; i < WORDS_MAX; i++) {
        at += i + 1 == WORDS_MAX ? length - at : (length - at) / 3;
        while (at < length && (text.data[at] & 0xc0) == 0x80) at++;
        ends[i] = at;
    }
    text.word_ends = ends;
    text.word_count = WORDS_MAX;
    return text;
}

static void check_view(const struct btk_tokenizer *tokenizer, struct btk_encoding_view view)
{
    struct btk_tokenizer_info info;
    btk_tokenizer_info(tokenizer, &info);
    for (size_t i = 0; i < view.token_count; i++) {
        size_t length, sequence;
        uint32_t range[2];
        CHECK(!view.offsets || view.offsets[2 * i] <= view.offsets[2 * i + 1], "a place");
        btk_encoding_token(&view, i, &length);
        btk_encoding_token_to_chars(&view, i, &sequence, range);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct btk_scratch *scratches[FUZZ_TOKENIZERS]; // kept: they are large
    struct fuzz_bytes bytes = {data, size};
    const size_t which = fuzz_below(&bytes, FUZZ_TOKENIZERS);
    const struct btk_tokenizer *const tokenizer = fuzz_tokenizer(which);
    const struct btk_encoding_options options = take_options(&bytes);
    struct btk_encode_input inputs[INPUTS_MAX];
    uint64_t ends[2 * INPUTS_MAX][WORDS_MAX];
    const size_t count = 1 + fuzz_below(&bytes, INPUTS_MAX);
    for (size_t i = 0; i < count; i++) {
        inputs[i] = (struct btk_encode_input){.has_pair = fuzz_byte(&bytes) & 1};
        inputs[i].text = take_text(&bytes, ends[2 * i]);
        if (inputs[i].has_pair) inputs[i].pair = take_text(&bytes, ends[2 * i + 1]);
    }
    struct btk_encodings *encodings = NULL;
    struct btk_error_info error = {.message = ""};
    CHECK(btk_encodings_new(&encodings, &error) == 0, "memory");
    CHECK(scratches[which] || btk_scratch_new(tokenizer, &scratches[which], &error) == 0, "memory");
    const int status =
        btk_encode_batch(tokenizer, scratches[which], inputs, count, &options, encodings, &error);
    CHECK(status == 0 || error.message[0], "an error says why");
    for (size_t i = 0; i < btk_encodings_document_count(encodings); i++)
        for (size_t at = 0; at < btk_encodings_count(encodings, i); at++)
            check_view(tokenizer, btk_encodings_get(encodings, i, at));
    btk_encodings_free(&encodings);
    return 0;
}
