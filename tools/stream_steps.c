// SPDX-License-Identifier: Apache-2.0
#include "tools/stream_steps.h"

#include <errno.h>

#include "common/buffer.h"
#include "common/utf8.h"

static int write_text(struct btk_json_writer *writer, const char *text, size_t length)
{
    const uint8_t *const bytes = (const uint8_t *)text;
    if (btk_utf8_valid_prefix(bytes, length) == length) {
        btk_json_text(writer, (struct btk_bytes){bytes, length});
        return 0;
    }
    struct btk_buffer valid;
    btk_buffer_init(&valid);
    const int status = btk_buffer_reserve(&valid, 3 * length);
    if (!status) {
        valid.length = btk_utf8_replace_invalid(valid.data, bytes, length);
        btk_json_text(writer, (struct btk_bytes){valid.data, valid.length});
    }
    btk_buffer_clear(&valid);
    return status;
}

static const char *name_of(int status)
{
    switch (status) {
    case -EBADMSG: return "changed_text";
    case -E2BIG: return "too_large";
    case -ENOMEM: return "out_of_memory";
    default: return "malformed";
    }
}

// Messages show tokens, and may end within a character.
static int write_error(struct btk_json_writer *writer, int status, const char *message)
{
    size_t length = 0;
    while (message[length]) length++;
    btk_json_name(writer, "error");
    btk_json_begin_object(writer);
    btk_json_name(writer, "code");
    btk_json_string(writer, name_of(status));
    btk_json_name(writer, "message");
    const int written = write_text(writer, message, length);
    btk_json_end_object(writer);
    return written;
}

static int write_steps(struct btk_decode_stream *stream, const uint32_t *ids, size_t id_count,
                       struct btk_json_writer *writer, struct btk_error_info *error)
{
    const char *text;
    size_t length;
    for (size_t i = 0; i < id_count; i++) {
        const int status = btk_decode_stream_step(stream, &ids[i], 1, &text, &length, error);
        if (status < 0) return status;
        if (!status)
            btk_json_null(writer);
        else if (write_text(writer, text, length) < 0)
            return -ENOMEM;
    }
    const int status = btk_decode_stream_finish(stream, &text, &length, error);
    return status > 0 ? write_text(writer, text, length) : status;
}

int btk_stream_steps_write(struct btk_decode_stream *stream, const uint32_t *ids, size_t id_count,
                           struct btk_json_writer *writer, bool *out_is_error)
{
    struct btk_error_info error = {.message = "not enough memory"};
    btk_decode_stream_reset(stream);
    btk_json_begin_object(writer);
    btk_json_name(writer, "steps");
    btk_json_begin_array(writer);
    int status = write_steps(stream, ids, id_count, writer, &error);
    btk_json_end_array(writer);
    *out_is_error = status < 0;
    if (status < 0) status = write_error(writer, status, error.message);
    btk_json_end_object(writer);
    return status;
}
