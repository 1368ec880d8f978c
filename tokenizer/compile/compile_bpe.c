// SPDX-License-Identifier: Apache-2.0
// The tables of BPE: characters or bytes, whole pieces, fallback bytes, merges.
#include <string.h>

#include "common/utf8.h"
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/compile/compiler.h"
#include "tokenizer/lookup_hash.h"
#include "tokenizer/model/merge_table.h"

enum { ASCII = 0x80 };

static bool reads_bytes(const struct btk_compiler *compiler)
{
    return compiler->config.flags & BTK_PIPELINE_MODEL_READS_BYTES;
}

// --- Characters

struct chars {
    uint32_t *byte_ids; // in the section
    struct btk_edge_slot *slots;
    uint64_t mask;
};

static bool begins_with(struct btk_bytes text, struct btk_bytes prefix)
{
    return text.length >= prefix.length
           && (!prefix.length || memcmp(text.data, prefix.data, prefix.length) == 0);
}

// The character that a token stands for in one of its places: what the affixes leave.
static bool try_char(const struct btk_compiler *compiler, struct btk_bytes text, uint32_t place,
                     uint32_t *out_code_point)
{
    const struct btk_bytes none = {0};
    const struct btk_bytes prefix = place & BTK_CHAR_CONTINUES ? compiler->prefix : none;
    const struct btk_bytes suffix = place & BTK_CHAR_ENDS ? compiler->suffix : none;
    if ((place & BTK_CHAR_CONTINUES && !prefix.length) || (place & BTK_CHAR_ENDS && !suffix.length))
        return false; // no such place
    if (!begins_with(text, prefix)) return false;
    text = (struct btk_bytes){text.data + prefix.length, text.length - prefix.length};
    if (text.length <= suffix.length) return false;
    size_t length;
    *out_code_point = btk_utf8_decode(text.data, &length);
    return begins_with((struct btk_bytes){text.data + length, text.length - length}, suffix)
           && text.length == length + suffix.length;
}

static void put_char(const struct btk_compiler *compiler, const struct chars *chars,
                     uint32_t code_point, uint32_t place, uint32_t id)
{
    uint8_t byte = (uint8_t)code_point;
    const bool is_byte =
        reads_bytes(compiler) ? btk_byte_alphabet_try_byte(code_point, &byte) : code_point < ASCII;
    if (is_byte) chars->byte_ids[place << 8 | byte] = id;
    if (is_byte || reads_bytes(compiler)) return;
    const uint32_t key = code_point << 2 | place;
    uint64_t at = btk_edge_hash(key);
    while (chars->slots[at & chars->mask].key != UINT32_MAX) at++;
    chars->slots[at & chars->mask] = (struct btk_edge_slot){key, id};
}

// Calls `put` or only counts the characters beyond ASCII.
static uint64_t each_char(const struct btk_compiler *compiler, const struct chars *chars)
{
    uint64_t count = 0;
    for (uint32_t id = 0; id < compiler->config.token_count; id++) {
        const struct btk_bytes text = compiler->tokens[id].text;
        if (!btk_compiler_is_model_token(compiler, id) || !text.length
            || text.length > 4u + compiler->prefix.length + compiler->suffix.length)
            continue;
        for (uint32_t place = 0; place < BTK_CHAR_PLACES; place++) {
            uint32_t code_point;
            if (!try_char(compiler, text, place, &code_point)) continue;
            count++;
            if (chars) put_char(compiler, chars, code_point, place, id);
        }
    }
    return count;
}

// Bytes that are dropped or fall back move what follows by as much as the alphabet has.
static bool counts_alphabet(const struct btk_compiler *compiler, const uint32_t *byte_ids)
{
    const struct btk_image_config *const config = &compiler->config;
    if (!reads_bytes(compiler)
        || !(config->model_flags & (BTK_MODEL_DROPS_UNKNOWN | BTK_MODEL_BYTE_FALLBACK)))
        return false;
    for (uint32_t place = 0; place < BTK_CHAR_PLACES; place++) {
        if ((place & BTK_CHAR_CONTINUES && !config->prefix_bytes)
            || (place & BTK_CHAR_ENDS && !config->suffix_bytes))
            continue;
        for (uint32_t byte = 0; byte < 256; byte++)
            if (byte_ids[place << 8 | byte] == BTK_NO_TOKEN) return true;
    }
    return false;
}

static int compile_chars(struct btk_compiler *compiler)
{
    struct btk_buffer *const bytes = &compiler->sections[BTK_SECTION_BYTE_IDS];
    const size_t bytes_length = BTK_CHAR_PLACES * 256 * sizeof(uint32_t);
    if (btk_buffer_reserve(bytes, bytes_length) < 0) return btk_compiler_no_memory(compiler);
    memset(bytes->data, 0xff, bytes_length);
    bytes->length = bytes_length;
    struct chars chars = {.byte_ids = (void *)bytes->data};
    const int status =
        btk_compiler_table(compiler, BTK_SECTION_CHAR_IDS, sizeof(struct btk_edge_slot),
                           reads_bytes(compiler) ? 0 : each_char(compiler, NULL), &chars.mask);
    if (status < 0) return status;
    chars.slots = (void *)compiler->sections[BTK_SECTION_CHAR_IDS].data;
    each_char(compiler, &chars);
    if (counts_alphabet(compiler, chars.byte_ids))
        compiler->config.model_flags |= BTK_MODEL_COUNTS_ALPHABET;
    return 0;
}

// --- Whole pieces

static struct btk_bytes decoded_text(const struct btk_compiler *compiler, uint32_t id)
{
    const uint32_t *const ends = (const void *)compiler->sections[BTK_SECTION_BYTES_ENDS].data;
    return (struct btk_bytes){compiler->sections[BTK_SECTION_BYTES_TEXT].data + ends[id],
                              ends[id + 1] - ends[id]};
}

// Does every character of the text stand for a byte? Pieces of bytes are no other tokens.
static bool stands_for_bytes(struct btk_bytes text)
{
    for (size_t at = 0; at < text.length;) {
        size_t length;
        uint8_t byte;
        if (!btk_byte_alphabet_try_byte(btk_utf8_decode(text.data + at, &length), &byte))
            return false;
        at += length;
    }
    return text.length;
}

int btk_compile_piece_lookup(struct btk_compiler *compiler)
{
    uint64_t mask = 0;
    const int status =
        btk_compiler_table(compiler, BTK_SECTION_BYTES_LOOKUP, sizeof(struct btk_lookup_slot),
                           compiler->config.token_count, &mask);
    if (status < 0) return status;
    struct btk_lookup_slot *const slots = (void *)compiler->sections[BTK_SECTION_BYTES_LOOKUP].data;
    for (uint32_t id = 0; id < compiler->config.token_count; id++) {
        const struct btk_bytes text = compiler->tokens[id].text;
        if (!btk_compiler_is_model_token(compiler, id)) continue;
        if (reads_bytes(compiler) && !stands_for_bytes(text)) continue;
        // Of two tokens with one text the last one counts.
        if (!reads_bytes(compiler) && btk_compiler_find_token(compiler, text) != id) continue;
        const struct btk_bytes piece = reads_bytes(compiler) ? decoded_text(compiler, id) : text;
        const uint64_t hash = btk_lookup_hash(piece);
        uint64_t at = hash;
        while (slots[at & mask].id != BTK_NO_TOKEN) at++;
        slots[at & mask] = (struct btk_lookup_slot){(uint32_t)(hash >> 32), id};
    }
    return 0;
}

// --- Fallback

int btk_compile_fallback(struct btk_compiler *compiler)
{
    static const char digits[] = "0123456789ABCDEF";
    if (!(compiler->config.model_flags & BTK_MODEL_BYTE_FALLBACK)) return 0;
    struct btk_buffer *const ids = &compiler->sections[BTK_SECTION_FALLBACK_IDS];
    for (unsigned byte = 0; byte < 256; byte++) {
        const uint8_t text[] = {
            '<', '0', 'x', (uint8_t)digits[byte >> 4], (uint8_t)digits[byte & 15], '>'};
        // A byte of SentencePiece is no token that a text could have.
        const struct btk_bytes name = {text, sizeof text};
        const uint32_t id = btk_compiler_is_sentencepiece(compiler)
                                ? btk_compiler_find_token(compiler, name)
                                : btk_compiler_find_model_token(compiler, name);
        if (btk_buffer_append(ids, &id, sizeof id) < 0) return btk_compiler_no_memory(compiler);
    }
    struct btk_buffer *const affixes = &compiler->sections[BTK_SECTION_AFFIXES];
    if (btk_buffer_append(affixes, compiler->prefix.data, compiler->prefix.length) < 0
        || btk_buffer_append(affixes, compiler->suffix.data, compiler->suffix.length) < 0)
        return btk_compiler_no_memory(compiler);
    return 0;
}

// --- Merges

// Of two merges of the same pair the reference keeps the later one, llama.cpp the first.
static bool is_replaced(const struct btk_compiler *compiler)
{
    return !compiler->format || !compiler->format->first_merge_counts;
}

static int fill_slots(struct btk_compiler *compiler)
{
    uint64_t mask = 0;
    const int status = btk_compiler_table(
        compiler, BTK_SECTION_MERGES, sizeof(struct btk_merge_slot), compiler->merge_count, &mask);
    if (status < 0) return status;
    struct btk_merge_slot *const slots = (void *)compiler->sections[BTK_SECTION_MERGES].data;
    for (uint32_t i = 0; i < compiler->merge_count; i++) {
        const struct btk_merge_slot merge = compiler->merges[i];
        uint64_t at = btk_merge_hash(merge.key);
        while (slots[at & mask].key != UINT64_MAX && slots[at & mask].key != merge.key) at++;
        if (slots[at & mask].key == UINT64_MAX || is_replaced(compiler)) slots[at & mask] = merge;
    }
    return 0;
}

// An array of all bits set, a power of two of at least `count` words.
static int reserve_words(struct btk_compiler *compiler, enum btk_section section, uint64_t count,
                         int fill, uint64_t *out_mask)
{
    uint64_t words = 16;
    while (words < count) words *= 2;
    struct btk_buffer *const buffer = &compiler->sections[section];
    if (btk_buffer_reserve(buffer, words * sizeof(uint64_t)) < 0)
        return btk_compiler_no_memory(compiler);
    buffer->length = words * sizeof(uint64_t);
    memset(buffer->data, fill, buffer->length);
    *out_mask = words - 1;
    return 0;
}

static int fill_packed(struct btk_compiler *compiler)
{
    uint64_t mask = 0;
    const int status =
        reserve_words(compiler, BTK_SECTION_MERGES,
                      compiler->merge_count + compiler->merge_count / 3 + 1ull, 0xff, &mask);
    if (status < 0) return status;
    uint64_t *const slots = (void *)compiler->sections[BTK_SECTION_MERGES].data;
    const uint32_t token_bits = compiler->config.merge_token_bits;
    const uint32_t rank_bits = 64 - 2 * token_bits;
    for (uint32_t i = 0; i < compiler->merge_count; i++) {
        const struct btk_merge_slot merge = compiler->merges[i];
        const uint64_t key =
            btk_merge_packed_key((uint32_t)(merge.key >> 32), (uint32_t)merge.key, token_bits);
        uint64_t at = btk_merge_hash(merge.key);
        while (slots[at & mask] != UINT64_MAX && slots[at & mask] >> rank_bits != key) at++;
        if (slots[at & mask] == UINT64_MAX || is_replaced(compiler))
            slots[at & mask] = key << rank_bits | merge.rank;
    }
    return 0;
}

enum { FILTER_BITS_A_MERGE = 6 };

static int fill_filter(struct btk_compiler *compiler)
{
    uint64_t mask = 0;
    const int status =
        reserve_words(compiler, BTK_SECTION_MERGE_FILTER,
                      (uint64_t)compiler->merge_count * FILTER_BITS_A_MERGE / 64, 0, &mask);
    if (status < 0) return status;
    uint64_t *const words = (void *)compiler->sections[BTK_SECTION_MERGE_FILTER].data;
    for (uint32_t i = 0; i < compiler->merge_count; i++) {
        const uint64_t bit = btk_merge_filter_bit(btk_merge_hash(compiler->merges[i].key), mask);
        words[bit / 64] |= UINT64_C(1) << bit % 64;
    }
    return 0;
}

static uint32_t bits_of(uint64_t value)
{
    return value ? 64 - (uint32_t)__builtin_clzll(value) : 0;
}

// RANK_IDS. *out_is_unique: no two tokens have one rank.
static int fill_rank_ids(struct btk_compiler *compiler, bool *out_is_unique)
{
    struct btk_buffer *const section = &compiler->sections[BTK_SECTION_RANK_IDS];
    const size_t bytes = compiler->config.rank_count * sizeof(uint32_t);
    *out_is_unique = true;
    if (!bytes) return 0;
    if (btk_buffer_reserve(section, bytes) < 0) return btk_compiler_no_memory(compiler);
    memset(section->data, 0xff, bytes);
    section->length = bytes;
    uint32_t *const ids = (void *)section->data;
    for (uint32_t i = 0; i < compiler->merge_count; i++) {
        const struct btk_merge_slot merge = compiler->merges[i];
        *out_is_unique &= ids[merge.rank] == BTK_NO_TOKEN || ids[merge.rank] == merge.id;
        ids[merge.rank] = merge.id;
    }
    return 0;
}

static int compile_merges(struct btk_compiler *compiler)
{
    struct btk_image_config *const config = &compiler->config;
    bool is_unique = true;
    for (uint32_t i = 0; i < compiler->merge_count; i++)
        if (compiler->merges[i].rank >= config->rank_count)
            config->rank_count = compiler->merges[i].rank + 1;
    int status = fill_rank_ids(compiler, &is_unique);
    if (!status) status = fill_filter(compiler);
    if (status < 0) return status;
    // No token is all ones: so no merge is an empty slot.
    config->merge_token_bits = bits_of(config->token_count);
    if (is_unique && 2 * config->merge_token_bits + bits_of(config->rank_count) <= 64) {
        config->model_flags |= BTK_MODEL_PACKED_MERGES;
        return fill_packed(compiler);
    }
    config->merge_token_bits = 0;
    if (!(config->model_flags & BTK_MODEL_KEEPS_STALE))
        compiler->sections[BTK_SECTION_RANK_IDS].length = 0;
    return fill_slots(compiler);
}

int btk_compile_bpe(struct btk_compiler *compiler)
{
    int status = compile_chars(compiler);
    if (!status) status = btk_compile_piece_lookup(compiler);
    if (!status) status = btk_compile_fallback(compiler);
    if (!status) status = compile_merges(compiler);
    if (!status && (compiler->config.model_flags & BTK_MODEL_HAS_SYMBOLS))
        status = btk_compile_trie(compiler);
    return status < 0 ? status : btk_compile_cuts(compiler);
}
