// SPDX-License-Identifier: Apache-2.0
#include "tests/kernels/kernel_cases.h"

#include <string.h>

#include "common/base.h"

// Bytes of output per byte of text and per block: a kernel of the list without a line here, or
// without a function below, does not compile.
enum {
    PER_BYTE_utf8_copy = 1,
    PER_BYTE_utf8_valid_prefix = 0,
    PER_BYTE_ascii_prefix = 0,
    PER_BYTE_ascii_lower = 1,
    PER_BYTE_utf8_count = 0,
    PER_BYTE_word_masks = 0,
    PER_BYTE_bert_masks = 0,
    PER_BYTE_char_masks = 0,
    PER_BYTE_mark_offsets = 0,
    PER_BLOCK_utf8_copy = 0,
    PER_BLOCK_utf8_valid_prefix = 0,
    PER_BLOCK_ascii_prefix = 0,
    PER_BLOCK_ascii_lower = 0,
    PER_BLOCK_utf8_count = 0,
    PER_BLOCK_word_masks = sizeof(struct btk_word_masks),
    PER_BLOCK_bert_masks = sizeof(struct btk_bert_masks),
    PER_BLOCK_char_masks = sizeof(struct btk_char_masks),
    PER_BLOCK_mark_offsets = 64 * sizeof(uint32_t),
};

static struct kernel_outcome run_utf8_copy(const struct btk_kernels *set, const uint8_t *text,
                                           size_t length, uint8_t *out)
{
    const size_t valid = set->utf8_copy(out, text, length);
    return (struct kernel_outcome){valid, valid};
}

static struct kernel_outcome run_utf8_valid_prefix(const struct btk_kernels *set,
                                                   const uint8_t *text, size_t length,
                                                   BTK_UNUSED uint8_t *out)
{
    return (struct kernel_outcome){set->utf8_valid_prefix(text, length), 0};
}

static struct kernel_outcome run_ascii_prefix(const struct btk_kernels *set, const uint8_t *text,
                                              size_t length, BTK_UNUSED uint8_t *out)
{
    return (struct kernel_outcome){set->ascii_prefix(text, length), 0};
}

static struct kernel_outcome run_ascii_lower(const struct btk_kernels *set, const uint8_t *text,
                                             size_t length, uint8_t *out)
{
    set->ascii_lower(out, text, length);
    return (struct kernel_outcome){0, length};
}

static struct kernel_outcome run_utf8_count(const struct btk_kernels *set, const uint8_t *text,
                                            size_t length, BTK_UNUSED uint8_t *out)
{
    return (struct kernel_outcome){set->utf8_count(text, length), 0};
}

static struct kernel_outcome run_word_masks(const struct btk_kernels *set, const uint8_t *text,
                                            size_t length, uint8_t *out)
{
    struct btk_word_masks *masks = (struct btk_word_masks *)(void *)out;
    set->word_masks(text, length, masks);
    return (struct kernel_outcome){0, (length + 63) / 64 * sizeof *masks};
}

static struct kernel_outcome run_bert_masks(const struct btk_kernels *set, const uint8_t *text,
                                            size_t length, uint8_t *out)
{
    struct btk_bert_masks *masks = (struct btk_bert_masks *)(void *)out;
    set->bert_masks(text, length, masks);
    return (struct kernel_outcome){0, (length + 63) / 64 * sizeof *masks};
}

// Each kind has other classes, and 0 has some.
static void fill_classes(uint8_t *classes)
{
    for (size_t i = 0; i < BTK_CHAR_KIND_ROOM; i++) classes[i] = (uint8_t)(i * 37 + 1);
}

// Of the part of the text that is valid.
static struct kernel_outcome run_char_masks(const struct btk_kernels *set, const uint8_t *text,
                                            size_t length, uint8_t *out)
{
    struct btk_char_masks *masks = (struct btk_char_masks *)(void *)out;
    uint8_t classes[BTK_CHAR_KIND_ROOM];
    fill_classes(classes);
    const size_t valid = set->utf8_valid_prefix(text, length);
    const size_t blocks = (valid + 63) / 64;
    set->char_masks(text, valid, blocks, classes, masks);
    return (struct kernel_outcome){blocks, blocks * sizeof *masks};
}

// Any masks will do: those of the scalar set, with leads and marks from the text itself.
static struct kernel_outcome run_mark_offsets(const struct btk_kernels *set, const uint8_t *text,
                                              size_t length, uint8_t *out)
{
    enum { MOST_BLOCKS = 2048 };
    static struct btk_char_masks masks[MOST_BLOCKS];
    static uint64_t marks[MOST_BLOCKS];
    const size_t blocks = btk_min_size(length / 16, MOST_BLOCKS);
    for (size_t i = 0; i < blocks; i++) {
        memcpy(&masks[i].leads, text + i * 16, 8);
        memcpy(&marks[i], text + i * 16 + 8, 8);
        if (i % 3 == 0) masks[i].leads = UINT64_MAX;
        if (i % 5 == 0) marks[i] = UINT64_MAX;
        const unsigned count = (unsigned)__builtin_popcountll(masks[i].leads);
        marks[i] = count == 0 ? 0 : marks[i] & UINT64_MAX >> (64 - count);
    }
    const size_t room = (length + 63) / 64;
    const size_t used = btk_min_size(blocks, room);
    const size_t count = set->mark_offsets(masks, marks, used, 12345, (uint32_t *)(void *)out);
    return (struct kernel_outcome){count, count * sizeof(uint32_t)};
}

const struct kernel_case kernel_cases[] = {
#define KERNEL(result, name, parameters) {#name, run_##name, PER_BYTE_##name, PER_BLOCK_##name},
    BTK_KERNEL_LIST(KERNEL)
#undef KERNEL
};
const size_t kernel_case_count = BTK_ARRAY_COUNT(kernel_cases);
