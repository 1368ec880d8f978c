// SPDX-License-Identifier: Apache-2.0
#include "tests/kernels/kernel_cases.h"

#include "common/base.h"

// Bytes of output per byte of text and per block: a kernel of the list without a line here, or
// without a function below, does not compile.
enum {
    PER_BYTE_utf8_copy = 1,
    PER_BYTE_utf8_valid_prefix = 0,
    PER_BYTE_ascii_prefix = 0,
    PER_BYTE_ascii_lower = 1,
    PER_BYTE_utf8_count = 0,
    PER_BYTE_class_masks = 0,
    PER_BYTE_word_masks = 0,
    PER_BYTE_bert_masks = 0,
    PER_BLOCK_utf8_copy = 0,
    PER_BLOCK_utf8_valid_prefix = 0,
    PER_BLOCK_ascii_prefix = 0,
    PER_BLOCK_ascii_lower = 0,
    PER_BLOCK_utf8_count = 0,
    PER_BLOCK_class_masks = sizeof(struct btk_class_masks),
    PER_BLOCK_word_masks = sizeof(struct btk_word_masks),
    PER_BLOCK_bert_masks = sizeof(struct btk_bert_masks),
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

static struct kernel_outcome run_class_masks(const struct btk_kernels *set, const uint8_t *text,
                                             size_t length, uint8_t *out)
{
    struct btk_class_masks *masks = (struct btk_class_masks *)(void *)out;
    set->class_masks(text, length, masks);
    return (struct kernel_outcome){0, (length + 63) / 64 * sizeof *masks};
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

const struct kernel_case kernel_cases[] = {
#define KERNEL(result, name, parameters) {#name, run_##name, PER_BYTE_##name, PER_BLOCK_##name},
    BTK_KERNEL_LIST(KERNEL)
#undef KERNEL
};
const size_t kernel_case_count = BTK_ARRAY_COUNT(kernel_cases);
