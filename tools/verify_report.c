// SPDX-License-Identifier: Apache-2.0
#include "tools/verify_report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/utf8.h"

enum {
    DIFFERENCES_SHOWN = 5,
    TEXT_BYTES_SHOWN = 80,
    VALUE_BYTES_SHOWN = 160,
    VALUE_BYTES_BEFORE = 40, // of what is equal still
};

void btk_verify_report_init(struct btk_verify_report *report)
{
    *report = (struct btk_verify_report){0};
    btk_buffer_init(&report->expected);
    btk_buffer_init(&report->found);
    btk_buffer_init(&report->differences);
}

void btk_verify_report_clear(struct btk_verify_report *report)
{
    btk_buffer_clear(&report->expected);
    btk_buffer_clear(&report->found);
    btk_buffer_clear(&report->differences);
}

struct btk_json_writer btk_verify_report_writer(struct btk_verify_report *report)
{
    struct btk_json_writer writer;
    report->found.length = 0;
    btk_json_writer_init(&writer, &report->found);
    return writer;
}

static void write_item(struct btk_json_writer *writer, const struct btk_json *value)
{
    int64_t number = 0;
    double real = 0;
    struct btk_bytes text;
    if (btk_json_try_integer(value, &number))
        btk_json_signed(writer, number);
    else if (btk_json_try_number(value, &real))
        btk_json_real(writer, real);
    else if (btk_json_try_string(value, &text))
        btk_json_text(writer, text);
    else
        btk_json_null(writer);
}

static void write_members(struct btk_json_writer *writer, const struct btk_json *object)
{
    void *cursor = NULL;
    struct btk_bytes name;
    const struct btk_json *value;
    btk_json_begin_object(writer);
    while (btk_json_next(object, &cursor, &name, &value)) {
        btk_json_name_text(writer, name);
        btk_verify_report_write(writer, value);
    }
    btk_json_end_object(writer);
}

void btk_verify_report_write(struct btk_json_writer *writer, const struct btk_json *value)
{
    if (btk_json_type(value) == BTK_JSON_OBJECT) {
        write_members(writer, value);
        return;
    }
    if (btk_json_type(value) != BTK_JSON_ARRAY) {
        write_item(writer, value);
        return;
    }
    btk_json_begin_array(writer);
    for (size_t i = 0; i < btk_json_count(value); i++)
        btk_verify_report_write(writer, btk_json_at(value, i));
    btk_json_end_array(writer);
}

static int write_expected(struct btk_verify_report *report, const struct btk_json *value)
{
    struct btk_json_writer writer;
    report->expected.length = 0;
    btk_json_writer_init(&writer, &report->expected);
    btk_verify_report_write(&writer, value);
    return writer.status;
}

static size_t shared_bytes(struct btk_bytes a, struct btk_bytes b)
{
    const size_t most = btk_min_size(a.length, b.length);
    size_t shared = 0;
    while (shared < most && a.data[shared] == b.data[shared]) shared++;
    return shared;
}

static struct btk_bytes bytes_of(const struct btk_buffer *buffer)
{
    return (struct btk_bytes){buffer->data, buffer->length};
}

// The part of a value from `begin` on, and dots where more of it stands.
static int append_value(struct btk_buffer *out, const char *label, struct btk_bytes value,
                        size_t begin)
{
    while (begin > 0 && begin < value.length && (value.data[begin] & 0xc0) == 0x80) begin--;
    const size_t most = btk_min_size(value.length - begin, VALUE_BYTES_SHOWN);
    const size_t length = btk_utf8_valid_prefix(value.data + begin, most);
    return btk_buffer_printf(out, "    %s %s%.*s%s\n", label, begin ? "..." : "", (int)length,
                             (const char *)value.data + begin,
                             begin + length < value.length ? "..." : "");
}

static int append_difference(struct btk_verify_report *report, const char *what,
                             struct btk_bytes text)
{
    struct btk_json_writer writer;
    struct btk_buffer *const out = &report->differences;
    const struct btk_bytes expected = bytes_of(&report->expected), found = bytes_of(&report->found);
    const size_t shared = shared_bytes(expected, found);
    const size_t begin = shared > VALUE_BYTES_BEFORE ? shared - VALUE_BYTES_BEFORE : 0;
    int status = btk_buffer_printf(out, "%s of ", what);
    btk_json_writer_init(&writer, out);
    text.length = btk_utf8_valid_prefix(text.data, btk_min_size(text.length, TEXT_BYTES_SHOWN));
    btk_json_text(&writer, text);
    if (!status) status = writer.status;
    if (!status) status = btk_buffer_append(out, "\n", 1);
    if (!status) status = append_value(out, "expected", expected, begin);
    return status ? status : append_value(out, "found   ", found, begin);
}

static int compare_written(struct btk_verify_report *report, const char *what,
                           struct btk_bytes text)
{
    report->compared++;
    if (report->expected.length == report->found.length
        && memcmp(report->expected.data, report->found.data, report->found.length) == 0)
    {
        report->equal++;
        return 0;
    }
    return report->compared - report->equal <= DIFFERENCES_SHOWN
               ? append_difference(report, what, text)
               : 0;
}

int btk_verify_report_compare(struct btk_verify_report *report, const char *what,
                              struct btk_bytes text, const struct btk_json *expected)
{
    const int status = write_expected(report, expected);
    return status < 0 ? status : compare_written(report, what, text);
}

int btk_verify_report_compare_text(struct btk_verify_report *report, const char *what,
                                   struct btk_bytes text, const char *expected)
{
    report->expected.length = 0;
    const int status = btk_buffer_append(&report->expected, expected, strlen(expected));
    return status < 0 ? status : compare_written(report, what, text);
}

void btk_verify_report_print(const struct btk_verify_report *report)
{
    printf("%" PRIu64 " of %" PRIu64 " equal\n", report->equal, report->compared);
    if (report->differences.length)
        fwrite(report->differences.data, 1, report->differences.length, stdout);
}
