// SPDX-License-Identifier: Apache-2.0
// Compares what the engine gives with recorded results. A line of the reference has a "text" and any
// of ids, offsets, word_ids, tokens (without special tokens), ids_special, type_ids,
// special_tokens_mask (with them), decoded and decoded_skip; or an "input" with options and all that
// its encoding holds (verify_encodings.c).
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/json.h"
#include "tools/commands.h"
#include "tools/exit_status.h"
#include "tools/line_reader.h"
#include "tools/open_tokenizer.h"
#include "tools/verify_encodings.h"
#include "tools/verify_report.h"

enum { LINE_BYTES_MAX = 1 << 28 };

struct verifier {
    struct btk_tokenizer *tokenizer;
    struct btk_scratch *scratch;
    struct btk_encoding encoding;
    char *decoded;
    size_t decoded_capacity;
    uint8_t special_text; // enum btk_special_text, of what has special tokens
    struct btk_verify_report report;
    struct btk_verify_encodings encodings;
};

static int reserve(struct verifier *verifier, size_t capacity)
{
    struct btk_encoding *const encoding = &verifier->encoding;
    if (encoding->capacity >= capacity) return 0;
    uint32_t *const columns = realloc(encoding->ids, 7 * capacity * sizeof *columns + capacity);
    if (!columns) return -ENOMEM;
    *encoding = (struct btk_encoding){
        .capacity = capacity,
        .ids = columns,
        .offsets = columns + capacity,
        .type_ids = columns + 3 * capacity,
        .word_ids = columns + 4 * capacity,
        .sources = columns + 5 * capacity,
        .special_tokens_mask = (uint8_t *)(columns + 7 * capacity),
    };
    return 0;
}

static int encode(struct verifier *verifier, struct btk_bytes text, bool add_special_tokens,
                  struct btk_error *error)
{
    struct btk_encode_options options = BTK_ENCODE_DEFAULTS;
    struct btk_error_info info;
    options.add_special_tokens = add_special_tokens;
    if (add_special_tokens) options.special_text = verifier->special_text;
    if (reserve(verifier, btk_encode_bound(verifier->tokenizer, text.length, &options)) < 0)
        return btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "not enough memory");
    const int status = btk_encode(verifier->tokenizer, verifier->scratch, (const char *)text.data,
                                  text.length, &options, &verifier->encoding, &info);
    return status < 0 ? btk_error_import(error, &info) : 0;
}

// A column of the encoding that was made last, against a member of the line, if that is there.
struct comparison {
    struct verifier *verifier;
    const struct btk_json *line;
    struct btk_bytes text;
    struct btk_error *error;
};

static int compare(const struct comparison *comparison, const char *name)
{
    const int status =
        btk_verify_report_compare(&comparison->verifier->report, name, comparison->text,
                                  btk_json_get(comparison->line, name));
    return status < 0 ? btk_error_set(comparison->error, ENOMEM, BTK_NO_OFFSET, "not enough memory")
                      : 0;
}

// UINT32_MAX is null.
static int compare_numbers(const struct comparison *comparison, const char *name,
                           const uint32_t *numbers, size_t count)
{
    if (!btk_json_get(comparison->line, name)) return 0;
    struct btk_json_writer writer = btk_verify_report_writer(&comparison->verifier->report);
    btk_json_begin_array(&writer);
    for (size_t i = 0; i < count; i++) {
        if (numbers[i] == UINT32_MAX)
            btk_json_null(&writer);
        else
            btk_json_unsigned(&writer, numbers[i]);
    }
    btk_json_end_array(&writer);
    return compare(comparison, name);
}

static int compare_flags(const struct comparison *comparison, const char *name,
                         const uint8_t *flags, size_t count)
{
    if (!btk_json_get(comparison->line, name)) return 0;
    struct btk_json_writer writer = btk_verify_report_writer(&comparison->verifier->report);
    btk_json_begin_array(&writer);
    for (size_t i = 0; i < count; i++) btk_json_unsigned(&writer, flags[i]);
    btk_json_end_array(&writer);
    return compare(comparison, name);
}

static int compare_tokens(const struct comparison *comparison)
{
    if (!btk_json_get(comparison->line, "tokens")) return 0;
    struct verifier *const verifier = comparison->verifier;
    const struct btk_encoding *const encoding = &verifier->encoding;
    struct btk_json_writer writer = btk_verify_report_writer(&verifier->report);
    btk_json_begin_array(&writer);
    for (size_t i = 0; i < encoding->count; i++) {
        size_t length;
        const char *const token =
            btk_token_text_in(verifier->tokenizer, verifier->scratch, encoding->ids[i],
                              &encoding->sources[2 * i], &length);
        btk_json_text(&writer, (struct btk_bytes){(const uint8_t *)token, length});
    }
    btk_json_end_array(&writer);
    return compare(comparison, "tokens");
}

static int verify_plain(const struct comparison *comparison)
{
    int status = encode(comparison->verifier, comparison->text, false, comparison->error);
    if (status < 0) return status;
    const struct btk_encoding *const encoding = &comparison->verifier->encoding;
    const size_t count = encoding->count;
    status = compare_numbers(comparison, "ids", encoding->ids, count);
    if (!status) status = compare_numbers(comparison, "offsets", encoding->offsets, 2 * count);
    if (!status) status = compare_numbers(comparison, "word_ids", encoding->word_ids, count);
    return status ? status : compare_tokens(comparison);
}

static int verify_special(const struct comparison *comparison)
{
    int status = encode(comparison->verifier, comparison->text, true, comparison->error);
    if (status < 0) return status;
    const struct btk_encoding *const encoding = &comparison->verifier->encoding;
    const size_t count = encoding->count;
    status = compare_numbers(comparison, "ids_special", encoding->ids, count);
    if (!status) status = compare_numbers(comparison, "type_ids", encoding->type_ids, count);
    return status ? status
                  : compare_flags(comparison, "special_tokens_mask", encoding->special_tokens_mask,
                                  count);
}

// The ids of the encoding that was made last, as text.
static int verify_decoded(const struct comparison *comparison, const char *name,
                          bool skip_special_tokens)
{
    struct verifier *const verifier = comparison->verifier;
    if (!btk_json_get(comparison->line, name)) return 0;
    const size_t bound = btk_decode_bound(verifier->tokenizer, verifier->encoding.count);
    if (bound > verifier->decoded_capacity) {
        free(verifier->decoded);
        verifier->decoded = malloc(bound);
        verifier->decoded_capacity = verifier->decoded ? bound : 0;
        if (!verifier->decoded)
            return btk_error_set(comparison->error, ENOMEM, BTK_NO_OFFSET, "not enough memory");
    }
    size_t length = 0;
    struct btk_error_info info;
    if (btk_decode(verifier->tokenizer, verifier->encoding.ids, verifier->encoding.count,
                   skip_special_tokens, verifier->decoded, verifier->decoded_capacity, &length,
                   &info)
        < 0)
        return btk_error_import(comparison->error, &info);
    struct btk_json_writer writer = btk_verify_report_writer(&verifier->report);
    btk_json_text(&writer, (struct btk_bytes){(const uint8_t *)verifier->decoded, length});
    return compare(comparison, name);
}

static int verify_line(struct verifier *verifier, const struct btk_json *line,
                       struct btk_error *error)
{
    struct btk_bytes text;
    if (btk_json_get(line, "input")) return btk_verify_encodings(&verifier->encodings, line, error);
    if (!btk_json_try_string(btk_json_get(line, "text"), &text))
        return btk_error_set(error, EINVAL, BTK_NO_OFFSET, "a line without \"text\" or \"input\"");
    const struct comparison comparison = {verifier, line, text, error};
    int status = verify_plain(&comparison);
    if (!status) status = verify_special(&comparison);
    if (!status) status = verify_decoded(&comparison, "decoded", false);
    if (!status) status = verify_decoded(&comparison, "decoded_skip", true);
    return status;
}

static int verify_text(struct verifier *verifier, struct btk_bytes text, struct btk_error *error)
{
    struct btk_json *line = NULL;
    int status = btk_json_parse(text, &line, error);
    if (!status) status = verify_line(verifier, line, error);
    btk_json_free(line);
    return status;
}

static int verify_lines(struct verifier *verifier, struct btk_line_reader *lines, const char *path,
                        struct btk_error *error)
{
    struct btk_bytes text;
    bool is_too_long;
    for (unsigned long number = 1;; number++) {
        int status = btk_line_reader_next(lines, &text, &is_too_long);
        if (status == 0) return 0;
        if (status < 0)
            return btk_error_set(error, -status, BTK_NO_OFFSET, "%s: %s", path, strerror(-status));
        status = is_too_long   ? btk_error_set(error, EFBIG, BTK_NO_OFFSET, "more than %d bytes",
                                               LINE_BYTES_MAX)
                 : text.length ? verify_text(verifier, text, error)
                               : 0;
        if (status < 0) return btk_error_prefix(error, "%s: line %lu", path, number);
    }
}

static int verify_file(struct verifier *verifier, const char *path, struct btk_error *error)
{
    struct btk_line_reader lines;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return btk_error_set(error, errno, BTK_NO_OFFSET, "%s: %s", path, strerror(errno));
    btk_line_reader_init(&lines, fd, LINE_BYTES_MAX);
    const int status = verify_lines(verifier, &lines, path, error);
    btk_line_reader_clear(&lines);
    close(fd);
    return status;
}

// tiktoken's own records of special tokens are those of a text that may have all of them.
static int read_special_text(const struct btk_options *options, uint8_t *out_special_text,
                             struct btk_error *error)
{
    static const char suffix[] = ".tiktoken";
    const char *const path = options->values[BTK_OPTION_tokenizer];
    const size_t length = path ? strlen(path) : 0;
    unsigned choice = 0;
    const int status = btk_options_choice(options, BTK_OPTION_special_text,
                                          btk_request_special_texts, &choice, error);
    const bool is_tiktoken =
        length >= strlen(suffix) && strcmp(path + length - strlen(suffix), suffix) == 0;
    if (choice == BTK_SPECIAL_TEXT_DEFAULT && is_tiktoken) choice = BTK_SPECIAL_TEXT_PARSE;
    *out_special_text = (uint8_t)choice;
    return status;
}

int btk_command_verify(const struct btk_options *options)
{
    struct btk_error error;
    struct btk_error_info info;
    struct verifier verifier = {0};
    const char *const reference = options->values[BTK_OPTION_reference];
    if (!reference) {
        btk_error_set(&error, EINVAL, BTK_NO_OFFSET,
                      "verify takes --reference FILE; see budtiktok verify --help");
        return btk_exit_report(BTK_EXIT_USAGE, &error);
    }
    if (read_special_text(options, &verifier.special_text, &error) < 0)
        return btk_exit_report(BTK_EXIT_USAGE, &error);
    btk_verify_report_init(&verifier.report);
    struct btk_said said;
    btk_said_read(options, &said);
    int status = btk_open_tokenizer(options->values[BTK_OPTION_tokenizer], &said,
                                    &verifier.tokenizer, &error);
    if (!status && btk_scratch_new(verifier.tokenizer, &verifier.scratch, &info) < 0)
        status = btk_error_import(&error, &info);
    if (!status)
        status = btk_verify_encodings_init(&verifier.encodings, verifier.tokenizer,
                                           verifier.scratch, &verifier.report, &error);
    if (!status) status = verify_file(&verifier, reference, &error);
    btk_verify_encodings_clear(&verifier.encodings);
    btk_scratch_free(&verifier.scratch);
    btk_tokenizer_close(&verifier.tokenizer);
    free(verifier.encoding.ids);
    free(verifier.decoded);
    const bool is_equal =
        verifier.report.equal == verifier.report.compared && verifier.report.compared;
    if (!status) btk_verify_report_print(&verifier.report);
    btk_verify_report_clear(&verifier.report);
    if (status < 0) return btk_exit_report(BTK_EXIT_FILE, &error);
    return is_equal ? BTK_EXIT_DONE : BTK_EXIT_DIFFERENCES;
}
