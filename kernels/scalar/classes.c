// SPDX-License-Identifier: Apache-2.0
#include <stdbool.h>

#include "common/base.h"
#include "kernels/scalar/scalar.h"

static bool is_letter(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

static bool is_space(uint8_t byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static bool is_bert_space(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

static bool is_printable(uint8_t byte)
{
    return byte > ' ' && byte < 0x7f;
}

static struct btk_word_masks word_classes_of(const uint8_t *text, size_t count)
{
    struct btk_word_masks masks = {0};
    for (size_t i = 0; i < count; i++) {
        const uint8_t byte = text[i];
        const bool is_control = (byte < ' ' || byte == 0x7f) && !is_space(byte);
        masks.letter |= (uint64_t)is_letter(byte) << i;
        masks.upper |= (uint64_t)(byte >= 'A' && byte <= 'Z') << i;
        masks.digit |= (uint64_t)is_digit(byte) << i;
        masks.space |= (uint64_t)is_space(byte) << i;
        masks.control |= (uint64_t)is_control << i;
        masks.high |= (uint64_t)(byte >> 7) << i;
    }
    return masks;
}

static struct btk_bert_masks bert_classes_of(const uint8_t *text, size_t count)
{
    struct btk_bert_masks masks = {0};
    for (size_t i = 0; i < count; i++) {
        const uint8_t byte = text[i];
        const bool is_high = byte >> 7;
        const bool is_space = is_bert_space(byte);
        const bool is_mark = is_printable(byte) && !is_letter(byte) && !is_digit(byte);
        masks.space |= (uint64_t)is_space << i;
        masks.punctuation |= (uint64_t)is_mark << i;
        masks.control |= (uint64_t)(!is_high && !is_printable(byte) && !is_space) << i;
        masks.high |= (uint64_t)is_high << i;
    }
    return masks;
}

void btk_scalar_word_masks(const uint8_t *text, size_t length, struct btk_word_masks *out_masks)
{
    for (size_t at = 0; at < length; at += 64)
        out_masks[at / 64] = word_classes_of(text + at, btk_min_size(length - at, 64));
}

void btk_scalar_bert_masks(const uint8_t *text, size_t length, struct btk_bert_masks *out_masks)
{
    for (size_t at = 0; at < length; at += 64)
        out_masks[at / 64] = bert_classes_of(text + at, btk_min_size(length - at, 64));
}
