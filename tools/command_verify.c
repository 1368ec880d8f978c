// SPDX-License-Identifier: Apache-2.0
// Compares what the engine gives with recorded results: each line of the reference has a "text" and
// any of ids, offsets, word_ids, tokens (without special tokens), ids_special, type_ids,
// special_tokens_mask (with them), decoded and decoded_skip.
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

enum { DIFFERENCES_SHOWN = 5, LINE_BYTES_MAX = 1 << 28 };

struct verifier {
    struct btk_tokenizer *tokenizer;
    struct btk_scratch *scratch;
    struct btk_encoding encoding;
    char *decoded;
    size_t decoded_capacity;
    uint64_t compared;
    uint64_t equal;
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

static void count(struct verifier *verifier, bool is_equal, const char *what, struct btk_bytes text)
{
    verifier->compared++;
    verifier->equal += is_equal;
    const uint64_t differences = verifier->compared - verifier->equal;
    if (!is_equal && differences <= DIFFERENCES_SHOWN)
        printf("%s of \"%.*s\" differ%s\n", what, (int)btk_min_size(text.length, 80),
               (const char *)text.data, strcmp(what, "decoded") == 0 ? "s" : "");
}

// Numbers of the reference, `null` as UINT32_MAX, against a column.
static bool equals_numbers(const struct btk_json *list, const uint32_t *numbers, size_t length)
{
    if (btk_json_count(list) != length) return false;
    for (size_t i = 0; i < length; i++) {
        int64_t number = UINT32_MAX;
        const struct btk_json *const value = btk_json_at(list, i);
        if (!btk_json_is_null(value) && !btk_json_try_integer(value, &number)) return false;
        if (number != numbers[i]) return false;
    }
    return true;
}

static bool equals_flags(const struct btk_json *list, const uint8_t *flags, size_t length)
{
    if (btk_json_count(list) != length) return false;
    for (size_t i = 0; i < length; i++) {
        int64_t number;
        if (!btk_json_try_integer(btk_json_at(list, i), &number) || number != flags[i])
            return false;
    }
    return true;
}

static bool equals_tokens(const struct verifier *verifier, const struct btk_json *list,
                          const char *text)
{
    const struct btk_encoding *const encoding = &verifier->encoding;
    if (btk_json_count(list) != encoding->count) return false;
    for (size_t i = 0; i < encoding->count; i++) {
        struct btk_bytes wanted;
        size_t length;
        const char *const token = btk_token_text_in(verifier->tokenizer, encoding->ids[i], text,
                                                    &encoding->sources[2 * i], &length);
        if (!btk_json_try_string(btk_json_at(list, i), &wanted) || wanted.length != length
            || memcmp(wanted.data, token, length) != 0)
            return false;
    }
    return true;
}

static int encode(struct verifier *verifier, struct btk_bytes text, bool add_special_tokens,
                  struct btk_error *error)
{
    struct btk_encode_options options = BTK_ENCODE_DEFAULTS;
    struct btk_error_info info;
    options.add_special_tokens = add_special_tokens;
    if (reserve(verifier, btk_encode_bound(verifier->tokenizer, text.length, &options)) < 0)
        return btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "not enough memory");
    const int status = btk_encode(verifier->tokenizer, verifier->scratch, (const char *)text.data,
                                  text.length, &options, &verifier->encoding, &info);
    return status < 0 ? btk_error_import(error, &info) : 0;
}

static int verify_plain(struct verifier *verifier, const struct btk_json *line,
                        struct btk_bytes text, struct btk_error *error)
{
    const int status = encode(verifier, text, false, error);
    if (status < 0) return status;
    const struct btk_encoding *const encoding = &verifier->encoding;
    const struct btk_json *const ids = btk_json_get(line, "ids");
    const struct btk_json *const offsets = btk_json_get(line, "offsets");
    const struct btk_json *const word_ids = btk_json_get(line, "word_ids");
    const struct btk_json *const tokens = btk_json_get(line, "tokens");
    if (ids) count(verifier, equals_numbers(ids, encoding->ids, encoding->count), "ids", text);
    if (offsets)
        count(verifier, equals_numbers(offsets, encoding->offsets, 2 * encoding->count), "offsets",
              text);
    if (word_ids)
        count(verifier, equals_numbers(word_ids, encoding->word_ids, encoding->count), "word_ids",
              text);
    if (tokens)
        count(verifier, equals_tokens(verifier, tokens, (const char *)text.data), "tokens", text);
    return 0;
}

static int verify_special(struct verifier *verifier, const struct btk_json *line,
                          struct btk_bytes text, struct btk_error *error)
{
    const int status = encode(verifier, text, true, error);
    if (status < 0) return status;
    const struct btk_encoding *const encoding = &verifier->encoding;
    const struct btk_json *const ids = btk_json_get(line, "ids_special");
    const struct btk_json *const type_ids = btk_json_get(line, "type_ids");
    const struct btk_json *const mask = btk_json_get(line, "special_tokens_mask");
    if (ids)
        count(verifier, equals_numbers(ids, encoding->ids, encoding->count), "ids_special", text);
    if (type_ids)
        count(verifier, equals_numbers(type_ids, encoding->type_ids, encoding->count), "type_ids",
              text);
    if (mask)
        count(verifier, equals_flags(mask, encoding->special_tokens_mask, encoding->count),
              "special_tokens_mask", text);
    return 0;
}

// The ids of the encoding that was made last, as text.
static int verify_decoded(struct verifier *verifier, const struct btk_json *wanted,
                          bool skip_special_tokens, struct btk_bytes text, struct btk_error *error)
{
    struct btk_bytes expected;
    if (!btk_json_try_string(wanted, &expected)) return 0;
    const size_t bound = btk_decode_bound(verifier->tokenizer, verifier->encoding.count);
    if (bound > verifier->decoded_capacity) {
        free(verifier->decoded);
        verifier->decoded = malloc(bound);
        verifier->decoded_capacity = verifier->decoded ? bound : 0;
        if (!verifier->decoded)
            return btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "not enough memory");
    }
    size_t length = 0;
    const int status = btk_decode(verifier->tokenizer, verifier->encoding.ids,
                                  verifier->encoding.count, skip_special_tokens, verifier->decoded,
                                  verifier->decoded_capacity, &length, NULL);
    const bool is_equal = !status && length == expected.length
                          && (!length || memcmp(verifier->decoded, expected.data, length) == 0);
    count(verifier, is_equal, "decoded", text);
    return 0;
}

static int verify_line(struct verifier *verifier, const struct btk_json *line,
                       struct btk_error *error)
{
    struct btk_bytes text;
    if (!btk_json_try_string(btk_json_get(line, "text"), &text))
        return btk_error_set(error, EINVAL, BTK_NO_OFFSET, "a line without \"text\"");
    int status = verify_plain(verifier, line, text, error);
    if (!status) status = verify_special(verifier, line, text, error);
    if (!status)
        status = verify_decoded(verifier, btk_json_get(line, "decoded"), false, text, error);
    if (!status)
        status = verify_decoded(verifier, btk_json_get(line, "decoded_skip"), true, text, error);
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
        status = is_too_long ? btk_error_set(error, EFBIG, BTK_NO_OFFSET, "more than %d bytes",
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
    int status =
        btk_open_tokenizer(options->values[BTK_OPTION_tokenizer], &verifier.tokenizer, &error);
    if (!status && btk_scratch_new(verifier.tokenizer, &verifier.scratch, &info) < 0)
        status = btk_error_import(&error, &info);
    if (!status) status = verify_file(&verifier, reference, &error);
    btk_scratch_free(&verifier.scratch);
    btk_tokenizer_close(&verifier.tokenizer);
    free(verifier.encoding.ids);
    free(verifier.decoded);
    if (status < 0) return btk_exit_report(BTK_EXIT_FILE, &error);
    printf("%llu of %llu equal\n", (unsigned long long)verifier.equal,
           (unsigned long long)verifier.compared);
    return verifier.equal == verifier.compared && verifier.compared ? BTK_EXIT_DONE
                                                                    : BTK_EXIT_DIFFERENCES;
}
