// SPDX-License-Identifier: Apache-2.0
#include "tools/output_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/encoding_json.h"
#include "common/error.h"
#include "common/status.h"
#include "common/utf8.h"

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
        const bool has_offset = btk_status_has_offset(view->status);
        struct btk_request_error error = {.code = btk_status_name(view->status),
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
        btk_encoding_json_write_members(writer, fields, view->encodings, view->encoding_count);
    }
    btk_json_end_object(writer);
    return false;
}
