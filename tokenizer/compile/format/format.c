// SPDX-License-Identifier: Apache-2.0
// What the readers share.
#include "tokenizer/compile/format/format.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tokenizer/byte_alphabet.h"
#include "tokenizer/lookup_hash.h"

void btk_format_clear(struct btk_format *format)
{
    if (format) btk_buffer_clear(&format->frame);
}

int btk_format_refuse(struct btk_format *format, uint64_t offset, const char *what, ...)
{
    char message[400];
    va_list arguments;
    va_start(arguments, what);
    vsnprintf(message, sizeof message, what, arguments);
    va_end(arguments);
    return btk_error_set(format->error, EINVAL, offset, "%s", message);
}

int btk_format_no_memory(struct btk_format *format)
{
    return btk_error_set(format->error, ENOMEM, BTK_NO_OFFSET,
                         "not enough memory to read the tokenizer");
}

int btk_format_reserve_tokens(struct btk_format *format, uint32_t token_count)
{
    if (token_count > BTK_TOKEN_LIMIT)
        return btk_format_refuse(format, BTK_NO_OFFSET, "id %u is beyond the limit of %u",
                                 token_count - 1, BTK_TOKEN_LIMIT - 1);
    format->tokens =
        btk_arena_allocate(format->arena, (token_count + 1ull) * sizeof *format->tokens);
    if (!format->tokens) return btk_format_no_memory(format);
    memset(format->tokens, 0, token_count * sizeof *format->tokens);
    format->token_count = token_count;
    return 0;
}

struct btk_bytes btk_format_spell_bytes(struct btk_format *format, struct btk_bytes bytes)
{
    uint8_t *const out = btk_arena_allocate(format->arena, 2 * bytes.length + 1);
    if (!out) return (struct btk_bytes){0};
    size_t length = 0;
    for (size_t i = 0; i < bytes.length; i++)
        length += btk_byte_alphabet_spell(bytes.data[i], out + length);
    return (struct btk_bytes){out, length};
}

// --- Merges of ranks

struct rank_table {
    struct btk_lookup_slot *slots;
    uint64_t mask;
    const struct btk_bytes *texts;
    size_t bytes_max; // of a text
};

static uint32_t find_rank(const struct rank_table *table, const uint8_t *data, size_t length)
{
    const struct btk_bytes text = {data, length};
    const uint64_t hash = btk_lookup_hash(text);
    for (uint64_t at = hash;; at++) {
        const struct btk_lookup_slot slot = table->slots[at & table->mask];
        if (slot.id == BTK_NO_TOKEN) return BTK_NO_TOKEN;
        const struct btk_bytes found = table->texts[slot.id];
        if (slot.hash == hash >> 32 && found.length == length
            && memcmp(found.data, data, length) == 0)
            return slot.id;
    }
}

static int fill_table(struct btk_format *format, const struct btk_bytes *texts,
                      struct rank_table *table)
{
    uint64_t slot_count = 16;
    while (slot_count < 2ull * format->token_count) slot_count *= 2;
    table->slots = btk_arena_allocate(format->arena, slot_count * sizeof *table->slots);
    if (!table->slots) return btk_format_no_memory(format);
    memset(table->slots, 0xff, slot_count * sizeof *table->slots);
    table->mask = slot_count - 1;
    table->texts = texts;
    for (uint32_t id = 0; id < format->token_count; id++) {
        if (!texts[id].length) continue;
        const uint64_t hash = btk_lookup_hash(texts[id]);
        uint64_t at = hash;
        while (table->slots[at & table->mask].id != BTK_NO_TOKEN) at++;
        table->slots[at & table->mask] = (struct btk_lookup_slot){(uint32_t)(hash >> 32), id};
        table->bytes_max = btk_max_size(table->bytes_max, texts[id].length);
    }
    return 0;
}

// ids[n]: the token of the first n bytes; the last ones the other way round.
static void find_parts(const struct rank_table *table, struct btk_bytes text, uint32_t *heads,
                       uint32_t *tails)
{
    for (size_t cut = 1; cut < text.length; cut++) {
        heads[cut] = find_rank(table, text.data, cut);
        tails[cut] = heads[cut] == BTK_NO_TOKEN
                         ? BTK_NO_TOKEN
                         : find_rank(table, text.data + cut, text.length - cut);
    }
}

// Each way to put a token together from two others is a merge of its rank. The rank of a merge need
// not be its number: equal ranks go from left to right, as they do in tiktoken.
int btk_format_merges_of_ranks(struct btk_format *format, const struct btk_bytes *texts)
{
    struct rank_table table = {0};
    struct btk_buffer merges;
    btk_buffer_init(&merges);
    int status = fill_table(format, texts, &table);
    uint32_t *const heads =
        btk_arena_allocate(format->arena, 2 * (table.bytes_max + 1) * sizeof *heads);
    if (!status && !heads) status = btk_format_no_memory(format);
    for (uint32_t id = 0; id < format->token_count && !status; id++) {
        uint32_t *const tails = heads + table.bytes_max + 1;
        find_parts(&table, texts[id], heads, tails);
        for (size_t cut = 1; cut < texts[id].length && !status; cut++) {
            if (tails[cut] == BTK_NO_TOKEN) continue;
            const struct btk_merge_slot merge = {(uint64_t)heads[cut] << 32 | tails[cut], id, id};
            if (btk_buffer_append(&merges, &merge, sizeof merge) < 0)
                status = btk_format_no_memory(format);
        }
    }
    if (!status) {
        // One more than there are: a file of single bytes has none, which is not the same as nothing.
        format->merges = btk_arena_allocate(format->arena, merges.length + sizeof *format->merges);
        if (format->merges && merges.length) memcpy(format->merges, merges.data, merges.length);
        format->merge_count = merges.length / sizeof *format->merges;
        if (!format->merges) status = btk_format_no_memory(format);
    }
    btk_buffer_clear(&merges);
    return status;
}
