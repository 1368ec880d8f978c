// SPDX-License-Identifier: Apache-2.0
// The table of short pieces (model/piece_table.h): each text of the vocabulary, run through the model.
#include <string.h>

#include "common/utf8.h"
#include "tokenizer/compile/compiler.h"
#include "tokenizer/model/model.h"
#include "tokenizer/model/piece_table.h"

enum {
    PIECES_OF_TEN_MAX = 8, // filled further, it has no place for some
    MOVES_MAX = 256,       // of others, to make place for one
};

struct table {
    struct btk_short_piece *pieces;
    uint32_t line_count;
    uint64_t random; // which of a full line goes
};

static struct btk_short_key key_of(const struct btk_short_piece *piece)
{
    return (struct btk_short_key){{piece->words[0], piece->words[1]}};
}

static bool try_put(const struct table *table, uint32_t line, const struct btk_short_piece *piece)
{
    struct btk_short_piece *const pieces = table->pieces + (size_t)line * BTK_PIECE_TABLE_WAYS;
    for (size_t way = 0; way < BTK_PIECE_TABLE_WAYS; way++) {
        if (!btk_short_piece_is_nothing(&pieces[way])) continue;
        pieces[way] = *piece;
        return true;
    }
    return false;
}

// What finds no place after all is left out: the model answers for it.
static void put(struct table *table, struct btk_short_piece piece)
{
    uint32_t from = UINT32_MAX;
    for (unsigned moves = 0; moves < MOVES_MAX; moves++) {
        const struct btk_short_key key = key_of(&piece);
        const struct btk_piece_places places = btk_piece_table_places(&key, table->line_count);
        if (try_put(table, places.lines[0], &piece) || try_put(table, places.lines[1], &piece))
            return;
        table->random = table->random * UINT64_C(6364136223846793005) + 1;
        const unsigned bits = (unsigned)(table->random >> 62);
        const uint32_t line = places.lines[places.lines[0] == from ? 1 : bits >> 1];
        struct btk_short_piece *const other =
            &table->pieces[(size_t)line * BTK_PIECE_TABLE_WAYS + (bits & 1)];
        const struct btk_short_piece moved = *other;
        *other = piece;
        piece = moved;
        from = line;
    }
}

// Texts that a piece could be. What only stands behind other tokens of its word is none.
static bool is_piece(const struct btk_image *view, uint32_t id, struct btk_bytes *out_text)
{
    const struct btk_bytes text = btk_image_model_text(view, id);
    *out_text = text;
    return text.length && text.length <= BTK_SHORT_BYTES_MAX
           && (view->tokens[id].flags & BTK_TOKEN_EXISTS)
           && btk_utf8_valid_prefix(text.data, text.length) == text.length;
}

static bool is_known(const struct table *table, const struct btk_short_key *key)
{
    const struct btk_image view = {.pieces = table->pieces, .piece_line_count = table->line_count};
    return btk_piece_table_find(&view, key);
}

static void put_text(const struct btk_image *view, struct btk_model_scratch *scratch,
                     struct table *table, struct btk_bytes text)
{
    const struct btk_short_key key = btk_short_key_copy(text.data, text.length);
    struct btk_short_piece piece;
    size_t count, more;
    if (is_known(table, &key) || btk_model_begin(view, scratch, text, &count) < 0
        || !btk_short_piece_try_fill(&piece, &key, text.length, scratch->ids, scratch->places,
                                     count)
        || btk_model_next(view, scratch, &more) < 0 || more)
        return;
    put(table, piece);
}

static int fill(struct btk_compiler *compiler, const struct btk_image *view, struct table *table)
{
    struct btk_model_scratch scratch;
    if (btk_model_scratch_init(&scratch, view, BTK_SHORT_BYTES_MAX) < 0)
        return btk_compiler_no_memory(compiler);
    for (uint32_t id = 0; id < view->config->token_count; id++) {
        struct btk_bytes text;
        if (is_piece(view, id, &text)) put_text(view, &scratch, table, text);
    }
    btk_model_scratch_clear(&scratch);
    return 0;
}

int btk_compile_pieces(struct btk_compiler *compiler, const struct btk_image *view)
{
    if (!btk_model_is_certain(view->config)) return 0;
    uint64_t count = 0;
    struct btk_bytes text;
    for (uint32_t id = 0; id < view->config->token_count; id++) count += is_piece(view, id, &text);
    if (!count) return 0;
    const uint64_t lines = count * 10 / (BTK_PIECE_TABLE_WAYS * PIECES_OF_TEN_MAX) + 1;
    const size_t bytes = lines * BTK_PIECE_TABLE_WAYS * sizeof(struct btk_short_piece);
    struct btk_buffer *const section = &compiler->sections[BTK_SECTION_PIECES];
    if (btk_buffer_reserve(section, bytes) < 0) return btk_compiler_no_memory(compiler);
    memset(section->data, BTK_SHORT_NOTHING_BYTE, bytes);
    section->length = bytes;
    struct table table = {(void *)section->data, (uint32_t)lines, 1};
    return fill(compiler, view, &table);
}
