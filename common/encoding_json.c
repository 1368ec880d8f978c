// SPDX-License-Identifier: Apache-2.0
#include "common/encoding_json.h"

#include "common/base.h"

static void write_flags(struct btk_json_writer *writer, const uint8_t *flags, size_t count)
{
    btk_json_begin_array(writer);
    for (size_t i = 0; i < count; i++) btk_json_unsigned(writer, flags[i]);
    btk_json_end_array(writer);
}

static void write_optional(struct btk_json_writer *writer, const uint32_t *numbers, size_t count)
{
    btk_json_begin_array(writer);
    for (size_t i = 0; i < count; i++) {
        if (numbers[i] == UINT32_MAX)
            btk_json_null(writer);
        else
            btk_json_unsigned(writer, numbers[i]);
    }
    btk_json_end_array(writer);
}

static void write_tokens(struct btk_json_writer *writer, const struct btk_encoding_view *view)
{
    btk_json_begin_array(writer);
    for (size_t i = 0; i < view->token_count; i++) {
        size_t length = 0;
        const char *const token = btk_encoding_token(view, i, &length);
        btk_json_text(writer, (struct btk_bytes){(const uint8_t *)token, token ? length : 0});
    }
    btk_json_end_array(writer);
}

void btk_encoding_json_write_field(struct btk_json_writer *writer, uint32_t field,
                                   const struct btk_encoding_view *view)
{
    const size_t count = view->token_count;
    switch (field) {
    case BTK_FIELD_IDS: btk_json_unsigned_array(writer, view->ids, count); return;
    case BTK_FIELD_TYPE_IDS: btk_json_unsigned_array(writer, view->type_ids, count); return;
    case BTK_FIELD_TOKENS: write_tokens(writer, view); return;
    case BTK_FIELD_OFFSETS: btk_json_pair_array(writer, view->offsets, count); return;
    case BTK_FIELD_WORD_IDS: write_optional(writer, view->word_ids, count); return;
    case BTK_FIELD_SEQUENCE_IDS: write_optional(writer, view->sequence_ids, count); return;
    case BTK_FIELD_SPECIAL_TOKENS_MASK:
        write_flags(writer, view->special_tokens_mask, count);
        return;
    default: write_flags(writer, view->attention_mask, count); return;
    }
}

const char *const btk_encoding_json_fields[] = {"ids",
                                                "type_ids",
                                                "tokens",
                                                "offsets",
                                                "word_ids",
                                                "sequence_ids",
                                                "special_tokens_mask",
                                                "attention_mask",
                                                "overflowing",
                                                NULL};

const char *btk_encoding_json_field_name(uint32_t field)
{
    for (size_t i = 0; 1u << i != BTK_FIELD_OVERFLOWING; i++)
        if (field == 1u << i) return btk_encoding_json_fields[i];
    return NULL;
}

static void write_fields(struct btk_json_writer *writer, uint32_t fields,
                         const struct btk_encoding_view *view)
{
    for (size_t i = 0; 1u << i != BTK_FIELD_OVERFLOWING; i++) {
        if (!(fields & 1u << i)) continue;
        btk_json_name(writer, btk_encoding_json_fields[i]);
        btk_encoding_json_write_field(writer, 1u << i, view);
    }
}

void btk_encoding_json_write_members(struct btk_json_writer *writer, uint32_t fields,
                                     const struct btk_encoding_view *encodings, size_t count)
{
    write_fields(writer, fields, &encodings[0]);
    if (!(fields & BTK_FIELD_OVERFLOWING)) return;
    btk_json_name(writer, "overflowing");
    btk_json_begin_array(writer);
    for (size_t i = 1; i < count; i++) {
        btk_json_begin_object(writer);
        write_fields(writer, fields, &encodings[i]);
        btk_json_end_object(writer);
    }
    btk_json_end_array(writer);
}
