// SPDX-License-Identifier: Apache-2.0
// The encode loop and little else, for tools that count: one call a piece of 4 KiB, one scratch, until
// so many bytes are encoded. A text that is shorter is taken again.
//
//     encode_loop TOKENIZER TEXT BYTES      0 bytes: everything but the loop, to be subtracted
//
// Prints what it encoded: bytes=N tokens=N simd=NAME
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/cut.h"
#include "bench/input_text.h"
#include "tools/open_tokenizer.h"

enum { EXIT_WRONG_USE = 2, BYTES_MAX = 1 << 30 };

static const struct btk_encode_options options = {.add_special_tokens = false};

struct loop {
    struct btk_tokenizer *tokenizer;
    struct btk_scratch *scratch;
    struct btk_encoding encoding; // room for the longest piece
    uint64_t bytes;
    uint64_t tokens;
};

static int encode(struct loop *loop, struct btk_bytes piece, struct btk_error *error)
{
    struct btk_error_info info;
    if (btk_encode(loop->tokenizer, loop->scratch, (const char *)piece.data, piece.length, &options,
                   &loop->encoding, &info)
        < 0)
        return btk_error_import(error, &info);
    loop->bytes += piece.length;
    loop->tokens += loop->encoding.count;
    return 0;
}

static int encode_pieces(struct loop *loop, const struct btk_cut_list *pieces, uint64_t bytes,
                         struct btk_error *error)
{
    for (size_t i = 0; loop->bytes < bytes; i = (i + 1) % pieces->count) {
        const int status = encode(loop, pieces->pieces[i], error);
        if (status < 0) return status;
    }
    return 0;
}

static int prepare(struct loop *loop, const char *tokenizer, const struct btk_cut_list *pieces,
                   struct btk_error *error)
{
    struct btk_error_info info;
    const int status = btk_open_tokenizer(tokenizer, NULL, &loop->tokenizer, error);
    if (status < 0) return status;
    if (btk_scratch_new(loop->tokenizer, &loop->scratch, &info) < 0)
        return btk_error_import(error, &info);
    size_t longest = BTK_CUT_PIECE_BYTES;
    for (size_t i = 0; i < pieces->count; i++)
        if (pieces->pieces[i].length > longest) longest = pieces->pieces[i].length;
    loop->encoding.capacity = btk_encode_bound(loop->tokenizer, longest, &options);
    loop->encoding.ids = calloc(loop->encoding.capacity, sizeof *loop->encoding.ids);
    if (!loop->encoding.ids)
        return btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "not enough memory");
    return 0;
}

// Warms up on what is never measured, then encodes `bytes`.
static int run_loop(struct loop *loop, const char *tokenizer, struct btk_bytes text, uint64_t bytes,
                    struct btk_error *error)
{
    struct btk_bytes body, rest;
    struct btk_cut_list pieces = {0}, warm_up = {0};
    btk_cut_split(text, BYTES_MAX, &body, &rest);
    int status = btk_cut_pieces(body, BTK_CUT_PIECE_BYTES, &pieces);
    if (!status) status = btk_cut_pieces(rest, BTK_CUT_PIECE_BYTES, &warm_up);
    if (status < 0 || !pieces.count)
        status = btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "no pieces: no text, or no memory");
    if (!status) status = prepare(loop, tokenizer, &pieces, error);
    for (size_t i = 0; !status && i < warm_up.count; i++)
        status = encode(loop, warm_up.pieces[i], error);
    loop->bytes = loop->tokens = 0;
    if (!status) status = encode_pieces(loop, &pieces, bytes, error);
    btk_cut_clear(&warm_up);
    btk_cut_clear(&pieces);
    return status;
}

int main(int argc, char **argv)
{
    struct btk_error error;
    struct btk_input_text text;
    struct loop loop = {0};
    char *end = NULL;
    if (argc == 4) errno = 0;
    const uint64_t bytes = argc == 4 ? strtoull(argv[3], &end, 10) : 0;
    if (argc != 4 || !*argv[3] || *end || errno || bytes > BYTES_MAX) {
        fprintf(stderr, "usage: encode_loop TOKENIZER TEXT BYTES (at most %d)\n", BYTES_MAX);
        return EXIT_WRONG_USE;
    }
    int status = btk_input_text_open(argv[2], &text, &error);
    if (!status) {
        status = run_loop(&loop, argv[1], text.bytes, bytes, &error);
        btk_input_text_close(&text);
    }
    if (status < 0)
        fprintf(stderr, "encode_loop: %s\n", error.message);
    else
        printf("bytes=%" PRIu64 " tokens=%" PRIu64 " simd=%s\n", loop.bytes, loop.tokens,
               btk_scratch_simd(loop.scratch));
    free(loop.encoding.ids);
    btk_scratch_free(&loop.scratch);
    btk_tokenizer_close(&loop.tokenizer);
    return status < 0;
}
