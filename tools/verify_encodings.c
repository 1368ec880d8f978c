// SPDX-License-Identifier: Apache-2.0
#include "tools/verify_encodings.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/encoding_json.h"
#include "tools/open_tokenizer.h"

static int no_memory(struct btk_error *error)
{
    return btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "not enough memory");
}

int btk_verify_encodings_init(struct btk_verify_encodings *verifier,
                              const struct btk_tokenizer *tokenizer, struct btk_scratch *scratch,
                              struct btk_verify_report *report, struct btk_error *error)
{
    struct btk_error_info info;
    *verifier = (struct btk_verify_encodings){tokenizer, scratch, report};
    if (btk_encodings_new(&verifier->encodings, &info) == 0) return 0;
    return btk_error_import(error, &info);
}

void btk_verify_encodings_clear(struct btk_verify_encodings *verifier)
{
    btk_encodings_free(&verifier->encodings);
    btk_buffer_clear(&verifier->inputs);
    btk_word_lists_clear(&verifier->words);
    btk_buffer_clear(&verifier->label);
}

// --- Input

static int read_text(struct btk_verify_encodings *verifier, const struct btk_json *value,
                     struct btk_encode_text *out_text, struct btk_error *error)
{
    struct btk_bytes text;
    const struct btk_json *wrong;
    if (btk_json_try_string(value, &text)) {
        *out_text = (struct btk_encode_text){(const char *)text.data, text.length, NULL, 0};
        return 0;
    }
    if (btk_json_type(value) != BTK_JSON_ARRAY)
        return btk_error_set(error, EINVAL, BTK_NO_OFFSET,
                             "an input is to be a list of texts or of lists of words");
    const int status = btk_word_lists_read(&verifier->words, value, out_text, &wrong);
    if (status == -ENOMEM) return no_memory(error);
    return status < 0
               ? btk_error_set(error, EINVAL, BTK_NO_OFFSET, "a word is to be a string, but is %s",
                               btk_json_type_name(wrong))
               : 0;
}

static int read_document(struct btk_verify_encodings *verifier, const struct btk_json *list,
                         struct btk_error *error)
{
    struct btk_encode_input input = {.has_pair = btk_json_count(list) == 2};
    if (btk_json_count(list) != 1 && !input.has_pair)
        return btk_error_set(error, EINVAL, BTK_NO_OFFSET, "an input is to have one text or two");
    int status = read_text(verifier, btk_json_at(list, 0), &input.text, error);
    if (!status && input.has_pair)
        status = read_text(verifier, btk_json_at(list, 1), &input.pair, error);
    if (status < 0) return status;
    return btk_buffer_append(&verifier->inputs, &input, sizeof input) < 0 ? no_memory(error) : 0;
}

static int read_input(struct btk_verify_encodings *verifier, const struct btk_json *line,
                      struct btk_error *error)
{
    const struct btk_json *const input = btk_json_get(line, "input");
    bool is_batch = btk_json_type(btk_json_at(input, 0)) == BTK_JSON_ARRAY;
    btk_json_try_bool(btk_json_get(line, "is_batch"), &is_batch);
    verifier->inputs.length = 0;
    btk_word_lists_reset(&verifier->words);
    int status = is_batch ? 0 : read_document(verifier, input, error);
    for (size_t i = 0; is_batch && !status && i < btk_json_count(input); i++)
        status = read_document(verifier, btk_json_at(input, i), error);
    struct btk_encode_input *const inputs = (void *)verifier->inputs.data;
    struct btk_word_lists_cursor cursor = {0};
    for (size_t i = 0; !status && i < verifier->inputs.length / sizeof *inputs; i++) {
        btk_word_lists_point(&verifier->words, &cursor, &inputs[i].text);
        btk_word_lists_point(&verifier->words, &cursor, &inputs[i].pair);
    }
    return status;
}

// --- Encoding

static int encode(struct btk_verify_encodings *verifier, const struct btk_json *line,
                  struct btk_error *error)
{
    struct btk_encoding_options options = BTK_ENCODING_DEFAULTS;
    struct btk_error_info info;
    struct btk_request_options *const given = &verifier->options;
    *given = BTK_REQUEST_OPTIONS_DEFAULTS;
    const int read = btk_request_options_read_json(given, btk_json_get(line, "options"), error);
    if (read < 0) return read;
    options.fields = BTK_FIELDS_ALL;
    if (given->truncation_source == BTK_OPTION_IS_GIVEN) options.truncation = given->truncation;
    if (given->padding_source == BTK_OPTION_IS_GIVEN)
        options.padding = btk_request_options_padding(given);
    options.encode.special_text = given->special_text;
    options.encode.add_special_tokens = given->add_special_tokens;
    btk_json_try_bool(btk_json_get(line, "add_special_tokens"), &options.encode.add_special_tokens);
    int status = btk_truncation_check(verifier->tokenizer, &options.truncation, &info);
    if (!status)
        status = btk_encode_batch(verifier->tokenizer, verifier->scratch,
                                  (const struct btk_encode_input *)(void *)verifier->inputs.data,
                                  verifier->inputs.length / sizeof(struct btk_encode_input),
                                  &options, verifier->encodings, &info);
    if (status < 0) btk_error_import(error, &info);
    return status;
}

// --- Comparing

static int compare(struct btk_verify_encodings *verifier, const char *what,
                   const struct btk_json *expected)
{
    const struct btk_bytes label = {verifier->label.data, verifier->label.length};
    return btk_verify_report_compare(verifier->report, what, label, expected);
}

static int compare_encoding(struct btk_verify_encodings *verifier, const char *where,
                            const struct btk_json *expected, const struct btk_encoding_view *view)
{
    const char *name;
    for (uint32_t field = 1; (name = btk_encoding_json_field_name(field)) != NULL; field *= 2) {
        char what[100];
        const struct btk_json *const value = btk_json_get(expected, name);
        if (!value) continue;
        snprintf(what, sizeof what, "%s%s", where, name);
        struct btk_json_writer writer = btk_verify_report_writer(verifier->report);
        btk_encoding_json_write_field(&writer, field, view);
        const int status = writer.status ? writer.status : compare(verifier, what, value);
        if (status < 0) return status;
    }
    return 0;
}

static int compare_text(struct btk_verify_encodings *verifier, const char *what,
                        const char *expected, const char *found)
{
    const struct btk_bytes label = {verifier->label.data, verifier->label.length};
    struct btk_json_writer writer = btk_verify_report_writer(verifier->report);
    btk_json_string(&writer, found);
    if (writer.status) return writer.status;
    char quoted[40];
    snprintf(quoted, sizeof quoted, "\"%s\"", expected);
    return btk_verify_report_compare_text(verifier->report, what, label, quoted);
}

static int compare_count(struct btk_verify_encodings *verifier, const char *what, size_t count,
                         const struct btk_json *expected)
{
    char found[30], wanted[30];
    snprintf(found, sizeof found, "%zu", count);
    snprintf(wanted, sizeof wanted, "%zu", btk_json_count(expected));
    return compare_text(verifier, what, wanted, found);
}

static int compare_document(struct btk_verify_encodings *verifier, const struct btk_json *expected,
                            size_t document)
{
    const struct btk_json *const others = btk_json_get(expected, "overflowing");
    const size_t count = btk_encodings_count(verifier->encodings, document);
    struct btk_encoding_view view = btk_encodings_get(verifier->encodings, document, 0);
    int status = compare_encoding(verifier, "", expected, &view);
    if (!status && others)
        status = compare_count(verifier, "number of overflowing", count - 1, others);
    for (size_t i = 0; !status && i < btk_json_count(others) && i + 1 < count; i++) {
        char where[40];
        snprintf(where, sizeof where, "overflowing[%zu].", i);
        view = btk_encodings_get(verifier->encodings, document, i + 1);
        status = compare_encoding(verifier, where, btk_json_at(others, i), &view);
    }
    return status;
}

static int compare_success(struct btk_verify_encodings *verifier, const struct btk_json *line,
                           int found)
{
    return compare_text(verifier, "success", btk_json_get(line, "error") ? "an error" : "a result",
                        found < 0 ? "an error" : "a result");
}

static int write_label(struct btk_verify_encodings *verifier, const struct btk_json *line)
{
    struct btk_json_writer writer;
    verifier->label.length = 0;
    btk_json_writer_init(&writer, &verifier->label);
    btk_verify_report_write(&writer, btk_json_get(line, "input"));
    btk_verify_report_write(&writer, btk_json_get(line, "options"));
    return writer.status;
}

int btk_verify_encodings(struct btk_verify_encodings *verifier, const struct btk_json *line,
                         struct btk_error *error)
{
    struct btk_error why;
    if (write_label(verifier, line) < 0) return no_memory(error);
    int status = read_input(verifier, line, error);
    if (status < 0) return status;
    const int found = encode(verifier, line, &why);
    if (found == -ENOMEM) return no_memory(error);
    status = compare_success(verifier, line, found);
    const struct btk_json *const batch = btk_json_get(line, "batch");
    const struct btk_json *const single = btk_json_get(line, "encoding");
    if (!status && !found && single) status = compare_document(verifier, single, 0);
    for (size_t i = 0; !status && !found && i < btk_json_count(batch); i++)
        status = compare_document(verifier, btk_json_at(batch, i), i);
    return status < 0 ? no_memory(error) : 0;
}
