// SPDX-License-Identifier: Apache-2.0
#include "tools/output_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/error.h"
#include "common/utf8.h"
#include "tools/output.h"

static void write_flags(struct btk_json_writer *writer, const uint8_t *flags, size_t count)
{
    btk_json_begin_array(writer);
    for (size_t i = 0; i < count; i++) btk_json_unsigned(writer, flags[i]);
    btk_json_end_array(writer);
}

static void write_repeated(struct btk_json_writer *writer, uint64_t number, size_t count)
{
    btk_json_begin_array(writer);
    for (size_t i = 0; i < count; i++) btk_json_unsigned(writer, number);
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

// Without a column of its own, sequence 0 is the text; what the post-processor added is of none.
static void write_sequences(struct btk_json_writer *writer, const struct btk_encoding_view *view)
{
    if (view->sequence_ids) {
        write_optional(writer, view->sequence_ids, view->token_count);
        return;
    }
    btk_json_begin_array(writer);
    for (size_t i = 0; i < view->token_count; i++) {
        if (view->special_tokens_mask && view->special_tokens_mask[i])
            btk_json_null(writer);
        else
            btk_json_unsigned(writer, 0);
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

void btk_output_json_field(struct btk_json_writer *writer, uint32_t field,
                           const struct btk_encoding_view *view)
{
    const size_t count = view->token_count;
    switch (field) {
    case BTK_FIELD_IDS: btk_json_unsigned_array(writer, view->ids, count); return;
    case BTK_FIELD_TYPE_IDS: btk_json_unsigned_array(writer, view->type_ids, count); return;
    case BTK_FIELD_TOKENS: write_tokens(writer, view); return;
    case BTK_FIELD_OFFSETS: btk_json_pair_array(writer, view->offsets, count); return;
    case BTK_FIELD_WORD_IDS: write_optional(writer, view->word_ids, count); return;
    case BTK_FIELD_SEQUENCE_IDS: write_sequences(writer, view); return;
    case BTK_FIELD_SPECIAL_TOKENS_MASK:
        write_flags(writer, view->special_tokens_mask, count);
        return;
    default:
        if (view->attention_mask)
            write_flags(writer, view->attention_mask, count);
        else
            write_repeated(writer, 1, count);
    }
}

static const char *const field_names[] = {"ids",
                                          "type_ids",
                                          "tokens",
                                          "offsets",
                                          "word_ids",
                                          "sequence_ids",
                                          "special_tokens_mask",
                                          "attention_mask"};

const char *btk_output_json_field_name(uint32_t field)
{
    for (size_t i = 0; i < BTK_ARRAY_COUNT(field_names); i++)
        if (field == 1u << i) return field_names[i];
    return NULL;
}

static void write_fields(struct btk_json_writer *writer, uint32_t fields,
                         const struct btk_encoding_view *view)
{
    for (size_t i = 0; i < BTK_ARRAY_COUNT(field_names); i++) {
        if (!(fields & 1u << i)) continue;
        btk_json_name(writer, field_names[i]);
        btk_output_json_field(writer, 1u << i, view);
    }
}

static void write_encodings(struct btk_json_writer *writer, uint32_t fields,
                            const struct btk_result_view *view)
{
    write_fields(writer, fields, &view->encodings[0]);
    if (!(fields & BTK_FIELD_OVERFLOWING)) return;
    btk_json_name(writer, "overflowing");
    btk_json_begin_array(writer);
    for (size_t i = 1; i < view->encoding_count; i++) {
        btk_json_begin_object(writer);
        write_fields(writer, fields, &view->encodings[i]);
        btk_json_end_object(writer);
    }
    btk_json_end_array(writer);
}

// A message may end within a character of the input that it shows.
static void write_message(struct btk_json_writer *writer, const char *message)
{
    uint8_t valid[3 * BTK_REQUEST_MESSAGE_MAX];
    const size_t length =
        btk_utf8_replace_invalid(valid, (const uint8_t *)message, strlen(message));
    btk_json_text(writer, (struct btk_bytes){valid, length});
}

void btk_output_json_error(struct btk_json_writer *writer, const struct btk_request_error *error)
{
    btk_json_begin_object(writer);
    btk_json_name(writer, "error");
    btk_json_begin_object(writer);
    btk_json_name(writer, "code");
    btk_json_string(writer, error->code);
    btk_json_name(writer, "message");
    write_message(writer, error->message);
    if (error->offset != BTK_NO_OFFSET) {
        btk_json_name(writer, "offset");
        btk_json_unsigned(writer, error->offset);
    }
    btk_json_end_object(writer);
    btk_json_end_object(writer);
}

bool btk_output_json_document(struct btk_json_writer *writer, uint32_t fields,
                              const struct btk_result_view *view)
{
    if (view->status != BTK_STATUS_OK) {
        const bool has_offset = btk_output_has_offset(view->status);
        struct btk_request_error error = {.code = btk_output_status_name(view->status),
                                          .offset =
                                              has_offset ? view->error_offset : BTK_NO_OFFSET};
        if (view->status == BTK_STATUS_SPECIAL_TEXT)
            snprintf(error.message, sizeof error.message,
                     "a special token stands in the document at byte %" PRIu64, view->error_offset);
        else if (has_offset)
            snprintf(error.message, sizeof error.message,
                     "not UTF-8 from byte %" PRIu64 " of the document on", view->error_offset);
        else if (view->message)
            snprintf(error.message, sizeof error.message, "%s", view->message);
        else
            snprintf(error.message, sizeof error.message, "the document could not be done: %s",
                     error.code);
        btk_output_json_error(writer, &error);
        return true;
    }
    btk_json_begin_object(writer);
    if (view->text) {
        btk_json_name(writer, "text");
        btk_json_text(writer, (struct btk_bytes){view->text, view->text_bytes});
    } else {
        write_encodings(writer, fields, view);
    }
    btk_json_end_object(writer);
    return false;
}
