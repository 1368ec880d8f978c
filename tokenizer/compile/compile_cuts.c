// SPDX-License-Identifier: Apache-2.0
// The places where a piece of BPE may be cut (model/bpe_cut.h).
#include <string.h>

#include "common/utf8.h"
#include "tokenizer/compile/compiler.h"
#include "tokenizer/lookup_hash.h"
#include "tokenizer/model/bpe_cut.h"
#include "tokenizer/space_mark.h"

// Characters that have no token are dropped only when they cannot fall back.
static bool may_drop(const struct btk_compiler *compiler)
{
    if (!(compiler->config.model_flags & BTK_MODEL_DROPS_UNKNOWN)) return false;
    if (!(compiler->config.model_flags & BTK_MODEL_BYTE_FALLBACK)) return true;
    const uint32_t *const ids = (const void *)compiler->sections[BTK_SECTION_FALLBACK_IDS].data;
    for (unsigned byte = 0; byte < 256; byte++)
        if (ids[byte] == BTK_NO_TOKEN) return true;
    return false;
}

static bool allows_cuts(const struct btk_compiler *compiler)
{
    const struct btk_image_config *const config = &compiler->config;
    return !(config->flags & (BTK_PIPELINE_MODEL_READS_BYTES | BTK_PIPELINE_IGNORE_MERGES))
           && !(config->model_flags & (BTK_MODEL_KEEPS_STALE | BTK_MODEL_READS_WORDS))
           && !config->prefix_bytes && !config->suffix_bytes && config->dropout <= 0
           && !may_drop(compiler);
}

static uint32_t first_char(struct btk_bytes text)
{
    size_t length;
    return btk_utf8_decode(text.data, &length);
}

static uint32_t last_char(struct btk_bytes text)
{
    size_t at = text.length - 1, length;
    while (at > 0 && (text.data[at] & 0xc0) == 0x80) at--;
    return btk_utf8_decode(text.data + at, &length);
}

// Both are true of a pair of characters that have bits.
static void mark_known(const struct btk_compiler *compiler, uint64_t *bits)
{
    const uint32_t *const byte_ids = (const void *)compiler->sections[BTK_SECTION_BYTE_IDS].data;
    uint64_t known[BTK_CUT_ROW_WORDS] = {0};
    for (uint32_t i = 0; i < BTK_CUT_CLASSES - 1; i++)
        if (byte_ids[i] != BTK_NO_TOKEN) known[i / 64] |= UINT64_C(1) << i % 64;
    if (btk_compiler_find_model_token(compiler, btk_space_mark) != BTK_NO_TOKEN)
        known[(BTK_CUT_CLASSES - 1) / 64] |= UINT64_C(1) << (BTK_CUT_CLASSES - 1) % 64;
    for (uint32_t i = 0; i < BTK_CUT_CLASSES; i++)
        if (known[i / 64] >> i % 64 & 1) memcpy(&bits[i * BTK_CUT_ROW_WORDS], known, sizeof known);
}

static bool put_pair(uint64_t *slots, uint64_t mask, uint64_t pair)
{
    uint64_t at = btk_merge_hash(pair);
    while (slots[at & mask] != UINT64_MAX && slots[at & mask] != pair) at++;
    const bool is_new = slots[at & mask] == UINT64_MAX;
    slots[at & mask] = pair;
    return is_new;
}

// Clears the bit of two characters that are no cut, or puts them into the table: is it new there?
static bool mark_pair(uint64_t *bits, uint64_t *slots, uint64_t mask, uint32_t left, uint32_t right)
{
    const uint32_t row = btk_cut_class(left), column = btk_cut_class(right);
    if (row == BTK_CUT_NO_CLASS || column == BTK_CUT_NO_CLASS)
        return put_pair(slots, mask, (uint64_t)left << 32 | right);
    bits[row * BTK_CUT_ROW_WORDS + column / 64] &= ~(UINT64_C(1) << column % 64);
    return false;
}

// The characters that a merge joins.
static uint64_t mark_joined(const struct btk_compiler *compiler, uint64_t *bits, uint64_t *slots,
                            uint64_t mask)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < compiler->merge_count; i++) {
        const uint64_t key = compiler->merges[i].key;
        const struct btk_bytes before = compiler->tokens[key >> 32].text;
        const struct btk_bytes behind = compiler->tokens[(uint32_t)key].text;
        if (!before.length || !behind.length) continue; // no text has them
        const uint32_t left = last_char(before), right = first_char(behind);
        count += mark_pair(bits, slots, mask, left, right);
    }
    return count;
}

// The characters of a string that is one symbol are not cut apart.
static uint64_t mark_symbols(const struct btk_compiler *compiler, uint64_t *bits, uint64_t *slots,
                             uint64_t mask)
{
    uint64_t count = 0;
    if (!(compiler->config.model_flags & BTK_MODEL_HAS_SYMBOLS)) return 0;
    for (uint32_t id = 0; id < compiler->config.token_count; id++) {
        const struct btk_bytes text = compiler->tokens[id].text;
        if (!btk_compiler_is_symbol(compiler, id)) continue;
        size_t at;
        uint32_t left = btk_utf8_decode(text.data, &at);
        for (size_t length; at < text.length; at += length) {
            const uint32_t right = btk_utf8_decode(text.data + at, &length);
            count += mark_pair(bits, slots, mask, left, right);
            left = right;
        }
    }
    return count;
}

static uint64_t symbol_bytes(const struct btk_compiler *compiler)
{
    uint64_t bytes = 0;
    if (!(compiler->config.model_flags & BTK_MODEL_HAS_SYMBOLS)) return 0;
    for (uint32_t id = 0; id < compiler->config.token_count; id++)
        if (btk_compiler_is_symbol(compiler, id)) bytes += compiler->tokens[id].text.length;
    return bytes;
}

static uint64_t mark_all(const struct btk_compiler *compiler, uint64_t *bits,
                         struct btk_buffer *table, uint64_t mask)
{
    uint64_t *const slots = (void *)table->data;
    return mark_joined(compiler, bits, slots, mask) + mark_symbols(compiler, bits, slots, mask);
}

int btk_compile_cuts(struct btk_compiler *compiler)
{
    if (!allows_cuts(compiler)) return 0;
    uint64_t bits[BTK_CUT_CLASSES * BTK_CUT_ROW_WORDS] = {0};
    uint64_t mask = 0, pair_mask = 0;
    int status = btk_compiler_table(compiler, BTK_SECTION_CUT_PAIRS, sizeof(uint64_t),
                                    compiler->merge_count + symbol_bytes(compiler), &mask);
    if (status < 0) return status;
    mark_known(compiler, bits);
    // The table was made for as many pairs as there are merges; far fewer are different.
    struct btk_buffer large = compiler->sections[BTK_SECTION_CUT_PAIRS];
    btk_buffer_init(&compiler->sections[BTK_SECTION_CUT_PAIRS]);
    const uint64_t count = mark_all(compiler, bits, &large, mask);
    status =
        btk_compiler_table(compiler, BTK_SECTION_CUT_PAIRS, sizeof(uint64_t), count, &pair_mask);
    if (!status) mark_all(compiler, bits, &compiler->sections[BTK_SECTION_CUT_PAIRS], pair_mask);
    btk_buffer_clear(&large);
    if (status < 0) return status;
    if (btk_buffer_append(&compiler->sections[BTK_SECTION_CUT_BITS], bits, sizeof bits) < 0)
        return btk_compiler_no_memory(compiler);
    compiler->config.model_flags |= BTK_MODEL_HAS_CUTS;
    return 0;
}
