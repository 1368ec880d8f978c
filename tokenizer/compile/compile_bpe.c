// SPDX-License-Identifier: Apache-2.0
// Byte-level BPE: merges as pairs of ids, and the table from bytes to ids.
#include <string.h>

#include "tokenizer/byte_alphabet.h"
#include "tokenizer/compile/compiler.h"
#include "tokenizer/lookup_hash.h"

static struct btk_bytes decoded_text(const struct btk_compiler *compiler, uint32_t id)
{
    const uint32_t *const ends = (const void *)compiler->sections[BTK_SECTION_DECODED_ENDS].data;
    return (struct btk_bytes){compiler->sections[BTK_SECTION_DECODED_TEXT].data + ends[id],
                              ends[id + 1] - ends[id]};
}

// Tokens of the model whose every character stands for a byte; others no text can give.
static bool stands_for_bytes(const struct btk_compiler *compiler, uint32_t id, uint8_t *scratch)
{
    const struct btk_compiler_token token = compiler->tokens[id];
    size_t length;
    return (token.flags & BTK_TOKEN_EXISTS) && !(token.flags & BTK_COMPILER_TOKEN_OUTSIDE)
           && token.text.length && btk_byte_alphabet_try_bytes(token.text, scratch, &length);
}

static int compile_bytes_lookup(struct btk_compiler *compiler, uint32_t *byte_ids)
{
    uint64_t mask = 0;
    const int status =
        btk_compiler_table(compiler, BTK_SECTION_BYTES_LOOKUP, sizeof(struct btk_lookup_slot),
                           compiler->config.token_count, &mask);
    if (status < 0) return status;
    uint8_t *const scratch =
        btk_arena_allocate(&compiler->arena, compiler->config.token_bytes_max + 1u);
    if (!scratch) return btk_compiler_no_memory(compiler);
    struct btk_lookup_slot *const slots = (void *)compiler->sections[BTK_SECTION_BYTES_LOOKUP].data;
    for (uint32_t id = 0; id < compiler->config.token_count; id++) {
        if (!stands_for_bytes(compiler, id, scratch)) continue;
        const struct btk_bytes bytes = decoded_text(compiler, id);
        if (bytes.length == 1) byte_ids[bytes.data[0]] = id;
        const uint64_t hash = btk_lookup_hash(bytes);
        uint64_t at = hash;
        while (slots[at & mask].id != BTK_NO_TOKEN) at++;
        slots[at & mask] = (struct btk_lookup_slot){(uint32_t)(hash >> 32), id};
    }
    return 0;
}

static int compile_byte_ids(struct btk_compiler *compiler)
{
    uint32_t byte_ids[256];
    memset(byte_ids, 0xff, sizeof byte_ids);
    const int status = compile_bytes_lookup(compiler, byte_ids);
    if (status < 0) return status;
    for (unsigned byte = 0; byte < 256; byte++)
        if (byte_ids[byte] == BTK_NO_TOKEN)
            return btk_compiler_refuse(compiler, "model.vocab",
                                       "has no token for the byte 0x%02x; a byte-level BPE needs "
                                       "all 256",
                                       byte);
    if (btk_buffer_append(&compiler->sections[BTK_SECTION_BYTE_IDS], byte_ids, sizeof byte_ids) < 0)
        return btk_compiler_no_memory(compiler);
    return 0;
}

// "left right", or ["left", "right"].
static bool try_split_merge(const struct btk_json *merge, struct btk_bytes *out_left,
                            struct btk_bytes *out_right)
{
    struct btk_bytes text;
    if (btk_json_try_string(merge, &text)) {
        const uint8_t *const space = memchr(text.data, ' ', text.length);
        if (!space) return false;
        const size_t left_bytes = (size_t)(space - text.data);
        *out_left = (struct btk_bytes){text.data, left_bytes};
        *out_right = (struct btk_bytes){space + 1, text.length - left_bytes - 1};
        return !memchr(out_right->data, ' ', out_right->length);
    }
    return btk_json_count(merge) == 2 && btk_json_try_string(btk_json_at(merge, 0), out_left)
           && btk_json_try_string(btk_json_at(merge, 1), out_right);
}

static int refuse_merge(struct btk_compiler *compiler, size_t rank, const char *what)
{
    return btk_compiler_refuse(compiler, "model.merges", "entry %zu %s", rank, what);
}

// Of two merges of the same pair the reference keeps the later one.
static void put_merge(struct btk_merge_slot *slots, uint64_t mask, struct btk_merge_slot merge)
{
    uint64_t at = btk_merge_hash(merge.key);
    while (slots[at & mask].key != UINT64_MAX && slots[at & mask].key != merge.key) at++;
    slots[at & mask] = merge;
}

static int add_merge(struct btk_compiler *compiler, const struct btk_json *merge, size_t rank,
                     uint64_t mask)
{
    struct btk_bytes left, right;
    if (!try_split_merge(merge, &left, &right))
        return refuse_merge(compiler, rank, "is to be two tokens with a space between");
    const uint32_t left_id = btk_compiler_find_model_token(compiler, left);
    const uint32_t right_id = btk_compiler_find_model_token(compiler, right);
    if (left_id == BTK_NO_TOKEN || right_id == BTK_NO_TOKEN)
        return refuse_merge(compiler, rank, "names a token that is not in the vocabulary");
    uint8_t *const joined = btk_arena_allocate(&compiler->arena, left.length + right.length + 1);
    if (!joined) return btk_compiler_no_memory(compiler);
    memcpy(joined, left.data, left.length);
    memcpy(joined + left.length, right.data, right.length);
    const uint32_t id = btk_compiler_find_model_token(
        compiler, (struct btk_bytes){joined, left.length + right.length});
    if (id == BTK_NO_TOKEN)
        return refuse_merge(compiler, rank, "gives a token that is not in the vocabulary");
    put_merge((void *)compiler->sections[BTK_SECTION_MERGES].data, mask,
              (struct btk_merge_slot){(uint64_t)left_id << 32 | right_id, (uint32_t)rank, id});
    return 0;
}

static int compile_merges(struct btk_compiler *compiler)
{
    const struct btk_json *const merges =
        btk_json_get(btk_json_get(compiler->root, "model"), "merges");
    if (btk_json_type(merges) != BTK_JSON_ARRAY)
        return btk_compiler_refuse(compiler, "model.merges", "is to be an array, but is %s",
                                   merges ? btk_json_type_name(merges) : "missing");
    const size_t count = btk_json_count(merges);
    if (count >= UINT32_MAX / 4) return refuse_merge(compiler, count, "is one too many");
    uint64_t mask = 0;
    int status = btk_compiler_table(compiler, BTK_SECTION_MERGES, sizeof(struct btk_merge_slot),
                                    count, &mask);
    for (size_t rank = 0; rank < count && !status; rank++)
        status = add_merge(compiler, btk_json_at(merges, rank), rank, mask);
    return status;
}

int btk_compile_bpe(struct btk_compiler *compiler)
{
    const int status = compile_byte_ids(compiler);
    return status < 0 ? status : compile_merges(compiler);
}
