// SPDX-License-Identifier: Apache-2.0
// The vocabulary of a SentencePiece model, as one of the models that the image has:
//
//     unigram     Unigram with sums in single precision
//     bpe         BPE; a merge for each division of a piece into two, ranked by the piece's score
//     char        BPE without merges
//     word        BPE without merges, of words instead of characters
//
// Pieces that no text can become (control, unknown, unused, bytes) are outside of the model. User-defined
// symbols are: BPE reads the longest one at each place as one symbol that nothing joins.
//
// llama.cpp (GGUF) differs: bpe joins pieces of all kinds; unigram has sums in double precision, unused
// pieces count, and user-defined ones have the score 0. Those are cut out of the text beforehand.
//
// Source: InitializePieces() of model_interface.cc, unigram_model.cc, bpe_model.cc, word_model.cc and
// char_model.cc of sentencepiece 0.2.3.
#include <float.h>
#include <stdlib.h>
#include <string.h>

#include "common/utf8.h"
#include "tokenizer/compile/compiler.h"
#include "tokenizer/space_mark.h"

static const char place[] = "pieces";

static uint32_t kind_of(const struct btk_compiler *compiler, uint32_t id)
{
    return compiler->format->tokens[id].kind;
}

// --- Pieces

static uint32_t flags_of(const struct btk_compiler *compiler, const struct btk_format_token *piece)
{
    const bool is_special =
        piece->kind == BTK_FORMAT_TOKEN_CONTROL || piece->kind == BTK_FORMAT_TOKEN_UNKNOWN;
    const bool is_llama_cpp = compiler->format->sentencepiece.is_llama_cpp;
    if (is_llama_cpp && compiler->config.model == BTK_MODEL_BPE)
        return BTK_TOKEN_EXISTS | (is_special ? (uint32_t)BTK_TOKEN_SPECIAL : 0u);
    if (is_llama_cpp && piece->kind == BTK_FORMAT_TOKEN_UNUSED) return BTK_TOKEN_EXISTS;
    switch (piece->kind) {
    case BTK_FORMAT_TOKEN_NORMAL:
    case BTK_FORMAT_TOKEN_USER_DEFINED: return BTK_TOKEN_EXISTS;
    case BTK_FORMAT_TOKEN_CONTROL:
    case BTK_FORMAT_TOKEN_UNKNOWN:
        return BTK_TOKEN_EXISTS | BTK_TOKEN_SPECIAL | BTK_COMPILER_TOKEN_OUTSIDE;
    default: return BTK_TOKEN_EXISTS | BTK_COMPILER_TOKEN_OUTSIDE;
    }
}

static bool is_null_piece(struct btk_bytes text)
{
    return text.length == 1 && text.data[0] == 0;
}

static int take_pieces(struct btk_compiler *compiler)
{
    const struct btk_format *const format = compiler->format;
    int status = btk_compiler_grow_tokens(compiler, format->token_count - 1);
    if (status < 0) return status;
    for (uint32_t id = 0; id < format->token_count; id++) {
        const struct btk_format_token *const piece = &format->tokens[id];
        compiler->tokens[id] =
            (struct btk_compiler_token){.text = piece->text, .flags = flags_of(compiler, piece)};
        if (piece->kind == BTK_FORMAT_TOKEN_UNKNOWN) compiler->config.unknown_id = id;
    }
    compiler->config.vocabulary_count = format->token_count;
    status = btk_compile_text_lookup(compiler);
    for (uint32_t id = 0; id < format->token_count && !status; id++) {
        const struct btk_bytes text = compiler->tokens[id].text;
        if (!is_null_piece(text) && btk_compiler_find_token(compiler, text) != id)
            return btk_compiler_refuse(compiler, place, "\"%.*s\" is there twice",
                                       (int)btk_min_size(text.length, 100),
                                       (const char *)text.data);
    }
    return status;
}

// --- Unigram

// A user-defined symbol is better than all that could stand in its place.
static float score_of(const struct btk_format_token *piece, bool is_llama_cpp)
{
    if (piece->kind != BTK_FORMAT_TOKEN_USER_DEFINED) return piece->score;
    if (is_llama_cpp) return 0;
    return (float)(0.1 * (double)(piece->text.length - 1));
}

static int take_scores(struct btk_compiler *compiler)
{
    const struct btk_format *const format = compiler->format;
    compiler->scores =
        btk_arena_allocate(&compiler->arena, format->token_count * sizeof *compiler->scores);
    if (!compiler->scores) return btk_compiler_no_memory(compiler);
    float lowest = FLT_MAX;
    for (uint32_t id = 0; id < format->token_count; id++) {
        const struct btk_format_token *const piece = &format->tokens[id];
        compiler->scores[id] = score_of(piece, format->sentencepiece.is_llama_cpp);
        if (piece->kind == BTK_FORMAT_TOKEN_NORMAL && piece->score < lowest) lowest = piece->score;
    }
    compiler->lowest_score = lowest;
    return 0;
}

// --- BPE

// Larger for better scores, as the reference compares them: -0 comes behind 0.
static uint32_t score_order(float score)
{
    uint32_t bits;
    memcpy(&bits, &score, sizeof bits);
    return bits >> 31 ? ~bits : bits | 1u << 31;
}

static int compare_orders(const void *a, const void *b)
{
    const uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left < right) - (left > right);
}

// The different scores, the best one first: the place of a score is the rank of its pieces.
struct ranks {
    uint32_t *orders;
    uint32_t count;
};

static int rank_scores(struct btk_compiler *compiler, struct ranks *out)
{
    const struct btk_format *const format = compiler->format;
    uint32_t *const orders =
        btk_arena_allocate(&compiler->arena, format->token_count * sizeof *orders);
    if (!orders) return btk_compiler_no_memory(compiler);
    for (uint32_t id = 0; id < format->token_count; id++)
        orders[id] = score_order(format->tokens[id].score);
    qsort(orders, format->token_count, sizeof *orders, compare_orders);
    uint32_t count = 0;
    for (uint32_t i = 0; i < format->token_count; i++)
        if (!i || orders[i] != orders[i - 1]) orders[count++] = orders[i];
    *out = (struct ranks){orders, count};
    return 0;
}

static uint32_t rank_of(const struct ranks *ranks, float score)
{
    const uint32_t order = score_order(score);
    uint32_t low = 0, high = ranks->count;
    while (high - low > 1) {
        const uint32_t middle = low + (high - low) / 2;
        if (ranks->orders[middle] >= order)
            low = middle;
        else
            high = middle;
    }
    return low;
}

// A part of a piece that may stand there before the piece does; BTK_NO_TOKEN.
static uint32_t find_part(const struct btk_compiler *compiler, struct btk_bytes text)
{
    const uint32_t id = btk_compiler_find_model_token(compiler, text);
    if (id == BTK_NO_TOKEN || compiler->format->sentencepiece.is_llama_cpp) return id;
    return kind_of(compiler, id) == BTK_FORMAT_TOKEN_NORMAL ? id : (uint32_t)BTK_NO_TOKEN;
}

// A character that is no piece could be joined all the same, at one of the ends of what becomes a
// piece; but a symbol here has an id. (One that is a user-defined symbol is never joined.)
static int check_char(struct btk_compiler *compiler, struct btk_bytes piece, struct btk_bytes text,
                      struct btk_bytes rest)
{
    const bool is_joined =
        rest.length == btk_utf8_length(rest.data[0]) || find_part(compiler, rest) != BTK_NO_TOKEN;
    if (!is_joined || btk_compiler_find_model_token(compiler, text) != BTK_NO_TOKEN) return 0;
    return btk_compiler_unsupported(compiler, place, piece,
                                    "pieces whose characters are all pieces of the model");
}

static int check_ends(struct btk_compiler *compiler, struct btk_bytes piece)
{
    size_t last = piece.length - 1;
    while (last > 0 && (piece.data[last] & 0xc0) == 0x80) last--;
    const size_t first = btk_utf8_length(piece.data[0]);
    if (!last) return 0; // one character
    const int status = check_char(compiler, piece, (struct btk_bytes){piece.data, first},
                                  (struct btk_bytes){piece.data + first, piece.length - first});
    return status < 0 ? status
                      : check_char(compiler, piece,
                                   (struct btk_bytes){piece.data + last, piece.length - last},
                                   (struct btk_bytes){piece.data, last});
}

static int add_merges_of(struct btk_compiler *compiler, const struct ranks *ranks, uint32_t id,
                         struct btk_buffer *merges)
{
    const struct btk_bytes text = compiler->tokens[id].text;
    const uint32_t rank = rank_of(ranks, compiler->format->tokens[id].score);
    const int status = check_ends(compiler, text);
    if (status < 0) return status;
    for (size_t at = btk_utf8_length(text.data[0]); at < text.length;
         at += btk_utf8_length(text.data[at]))
    {
        const uint32_t left = find_part(compiler, (struct btk_bytes){text.data, at});
        const uint32_t right =
            left == BTK_NO_TOKEN
                ? BTK_NO_TOKEN
                : find_part(compiler, (struct btk_bytes){text.data + at, text.length - at});
        if (right == BTK_NO_TOKEN) continue;
        const struct btk_merge_slot merge = {(uint64_t)left << 32 | right, rank, id};
        if (btk_buffer_append(merges, &merge, sizeof merge) < 0)
            return btk_compiler_no_memory(compiler);
    }
    return 0;
}

// Can symbols be joined to the piece? With is_llama_cpp also to those that are not normal; but there all
// spaces were written as U+2581 before, and user-defined tokens were cut out of the text as it came.
static bool is_joined(const struct btk_compiler *compiler, uint32_t id)
{
    const struct btk_bytes text = compiler->tokens[id].text;
    if (!compiler->format->sentencepiece.is_llama_cpp)
        return kind_of(compiler, id) == BTK_FORMAT_TOKEN_NORMAL;
    if (memchr(text.data, ' ', text.length)) return false;
    return kind_of(compiler, id) != BTK_FORMAT_TOKEN_USER_DEFINED
           || memmem(text.data, text.length, BTK_SPACE_MARK, BTK_SPACE_MARK_BYTES);
}

static int take_merges(struct btk_compiler *compiler)
{
    const struct btk_format *const format = compiler->format;
    struct ranks ranks = {.count = 0};
    struct btk_buffer merges;
    int status = rank_scores(compiler, &ranks);
    btk_buffer_init(&merges);
    for (uint32_t id = 0; id < format->token_count && !status; id++) {
        if (is_joined(compiler, id)) status = add_merges_of(compiler, &ranks, id, &merges);
        if (!format->sentencepiece.is_llama_cpp && kind_of(compiler, id) == BTK_FORMAT_TOKEN_UNUSED
            && !is_null_piece(compiler->tokens[id].text))
            status = btk_compiler_unsupported(compiler, place, compiler->tokens[id].text,
                                              "BPE without unused pieces");
    }
    if (!status && merges.length / sizeof(struct btk_merge_slot) > BTK_MERGE_LIMIT)
        status = btk_compiler_refuse(compiler, place, "can be joined in too many ways");
    if (!status) {
        compiler->merge_count = (uint32_t)(merges.length / sizeof(struct btk_merge_slot));
        compiler->merges = (struct btk_merge_slot *)btk_arena_copy(
            &compiler->arena, (struct btk_bytes){merges.data, merges.length});
        if (!compiler->merges) status = btk_compiler_no_memory(compiler);
    }
    btk_buffer_clear(&merges);
    return status;
}

static bool has_symbols(const struct btk_compiler *compiler)
{
    for (uint32_t id = 0; id < compiler->format->token_count; id++)
        if (kind_of(compiler, id) == BTK_FORMAT_TOKEN_USER_DEFINED) return true;
    return false;
}

bool btk_compiler_is_symbol(const struct btk_compiler *compiler, uint32_t id)
{
    return id < compiler->format->token_count
           && kind_of(compiler, id) == BTK_FORMAT_TOKEN_USER_DEFINED;
}

// --- All

int btk_compile_sentencepiece(struct btk_compiler *compiler)
{
    const struct btk_format_sentencepiece *const settings = &compiler->format->sentencepiece;
    struct btk_image_config *const config = &compiler->config;
    const bool is_unigram = settings->model_type == BTK_SENTENCEPIECE_UNIGRAM;
    const bool is_word = settings->model_type == BTK_SENTENCEPIECE_WORD;
    config->model = is_unigram ? BTK_MODEL_UNIGRAM : BTK_MODEL_BPE;
    config->model_flags = BTK_MODEL_SENTENCEPIECE;
    if (!settings->is_llama_cpp) config->model_flags |= BTK_MODEL_SINGLE_SUMS;
    config->model_flags |=
        settings->byte_fallback ? BTK_MODEL_BYTE_FALLBACK : BTK_MODEL_FUSES_UNKNOWN;
    int status = take_pieces(compiler);
    if (status < 0) return status;
    if (config->unknown_id == BTK_NO_TOKEN && !(settings->is_llama_cpp && settings->byte_fallback))
        return btk_compiler_refuse(compiler, place, "have no unknown one");
    if (is_unigram) return take_scores(compiler);
    if (is_word) config->model_flags |= BTK_MODEL_READS_WORDS;
    if (!is_word && !settings->is_llama_cpp && has_symbols(compiler))
        config->model_flags |= BTK_MODEL_HAS_SYMBOLS;
    return settings->model_type == BTK_SENTENCEPIECE_BPE ? take_merges(compiler) : 0;
}
