// SPDX-License-Identifier: Apache-2.0
// What the normalizer of a tokenizer.json makes of texts: for normalizers.py, which asks the reference
// about the same.
//
//     normalized TOKENIZER.json < texts > answers
//
// A text is its length (uint32_t) and its bytes. An answer is a status (int32_t); with status 0, the
// length, the text, and for each of its bytes where its source begins, then where it ends (uint32_t).
// Each text is normalized without maps as well, and has to be the same then.
#include <budtiktok/tokenizer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/utf8.h"
#include "tokenizer/engine.h"

static void write_number(uint32_t number)
{
    fwrite(&number, sizeof number, 1, stdout);
}

// Where the character of byte `at` begins or ends, in a span without maps.
static uint32_t widened(const struct btk_span *span, size_t at, bool is_end)
{
    size_t begin = at;
    while (begin > 0 && (span->text.data[begin] & 0xc0) == 0x80) begin--;
    const size_t place = is_end ? begin + btk_utf8_length(span->text.data[begin]) : begin;
    return span->base + (uint32_t)place;
}

static void write_places(const struct btk_span *span, const uint32_t *map, bool is_end)
{
    for (size_t i = 0; i < span->text.length; i++)
        write_number(map ? map[i] : widened(span, i, is_end));
}

static uint8_t *copy_text(const struct btk_span *span)
{
    uint8_t *const copy = malloc(span->text.length + 1);
    if (!copy) abort();
    if (span->text.length) memcpy(copy, span->text.data, span->text.length);
    return copy;
}

static void answer(struct btk_normalizer *normalizer, struct btk_bytes text)
{
    const struct btk_span source = {.text = text, .readable_end = text.data + text.length};
    struct btk_span span;
    const int bare_status = btk_normalizer_run(normalizer, &source, false, &span);
    const size_t bare_length = bare_status ? 0 : span.text.length;
    uint8_t *const bare = bare_status ? NULL : copy_text(&span);
    const int status = btk_normalizer_run(normalizer, &source, true, &span);
    if (status != bare_status) abort();
    write_number((uint32_t)status);
    if (status) return;
    if (bare_length != span.text.length || memcmp(bare, span.text.data, bare_length) != 0) abort();
    free(bare);
    write_number((uint32_t)span.text.length);
    fwrite(span.text.data, 1, span.text.length, stdout);
    write_places(&span, span.begins, false);
    write_places(&span, span.ends, true);
    btk_normalizer_release(normalizer);
}

int main(int argc, char **argv)
{
    struct btk_tokenizer *tokenizer;
    struct btk_error_info told;
    struct btk_error error;
    struct btk_normalizer *normalizer;
    if (argc != 2) return 2;
    if (btk_tokenizer_open(argv[1], &tokenizer, &told) < 0) {
        fprintf(stderr, "%s\n", told.message);
        return 1;
    }
    if (btk_normalizer_new(&tokenizer->image, &btk_kernels_scalar, &normalizer, &error) < 0)
        return 1;
    uint32_t length;
    while (fread(&length, sizeof length, 1, stdin) == 1) {
        uint8_t *const text = malloc(length + 1u);
        if (!text || fread(text, 1, length, stdin) != length) return 1;
        answer(normalizer, (struct btk_bytes){text, length});
        free(text);
    }
    btk_normalizer_free(&normalizer);
    btk_tokenizer_close(&tokenizer);
    return 0;
}
