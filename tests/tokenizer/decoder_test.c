// SPDX-License-Identifier: Apache-2.0
// Every decoder and streams. Expected: what the reference gave (decoder_cases.h;
// tests/differential/decoders.py asks it about more).
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/utf8.h"
#include "tests/tokenizer/small_tokenizers.h"

struct decoder_case {
    const char *before; // of the tokenizer's file
    const char *behind;
    const char *decoder; // of the cases behind it
    bool is_refused;
    const char *ids;
    bool skips_special;
    const char *text;  // NULL: an error
    const char *steps; // "=text" or "-", with | between
    bool steps_fail;
};

#define BEFORE(json)  {.before = json},
#define BEHIND(json)  {.behind = json},
#define DECODER(json) {.decoder = json},
#define REFUSED(json) {.decoder = json, .is_refused = true},
#define CASE(ids, skips, text, steps, fail)                                                        \
    {NULL, NULL, NULL, false, ids, skips, text, steps, fail},

static const struct decoder_case cases[] = {
#include "tests/tokenizer/decoder_cases.h"
};

enum { IDS_MAX = 64 };

static size_t read_ids(const char *text, uint32_t *ids)
{
    size_t count = 0;
    for (char *end; *text; text = *end ? end + 1 : end)
        ids[count++] = (uint32_t)strtoul(text, &end, 10);
    return count;
}

// NULL: the decoder is refused.
static struct btk_tokenizer *open_with(const char *decoder)
{
    struct btk_buffer json;
    struct btk_error_info error;
    struct btk_tokenizer *tokenizer = NULL;
    btk_buffer_init(&json);
    cr_assert_eq(btk_buffer_printf(&json, "%s%s%s", cases[0].before, decoder, cases[1].behind), 0);
    const int status = btk_tokenizer_open_json(json.data, json.length, &tokenizer, &error);
    cr_expect(status == 0 || status == -EINVAL, "%s: %s", decoder, error.message);
    btk_buffer_clear(&json);
    return tokenizer;
}

// --- The recorded cases

static void expect_decoded(const struct btk_tokenizer *tokenizer, const char *decoder,
                           const struct decoder_case *wanted, const uint32_t *ids, size_t count)
{
    const size_t bound = btk_decode_bound(tokenizer, count);
    char *const text = malloc(bound + 1);
    size_t bytes = 0;
    struct btk_error_info error;
    const int status =
        btk_decode(tokenizer, ids, count, wanted->skips_special, text, bound, &bytes, &error);
    cr_expect_eq(status, wanted->text ? 0 : -ERANGE, "%s %s: %d", decoder, wanted->ids, status);
    if (!status && wanted->text)
        cr_expect(bytes == strlen(wanted->text) && memcmp(text, wanted->text, bytes) == 0,
                  "%s %s: %.*s, not %s", decoder, wanted->ids, (int)bytes, text, wanted->text);
    free(text);
}

static void expect_steps(const struct btk_tokenizer *tokenizer, const char *decoder,
                         const struct decoder_case *wanted, const uint32_t *ids, size_t count)
{
    struct btk_decode_stream *stream;
    struct btk_buffer steps;
    struct btk_error_info error;
    int status =
        btk_decode_stream_new(tokenizer, BTK_STREAM_EXACT, wanted->skips_special, &stream, &error);
    cr_assert_eq(status, 0);
    btk_buffer_init(&steps);
    for (size_t i = 0; i < count && status >= 0; i++) {
        const char *text = "";
        size_t bytes = 0;
        status = btk_decode_stream_step(stream, &ids[i], 1, &text, &bytes, &error);
        if (status < 0) break;
        cr_assert_eq(btk_buffer_printf(&steps, "%s%s%.*s", i ? "|" : "", status ? "=" : "-",
                                       status ? (int)bytes : 0, text),
                     0);
    }
    cr_expect_eq(status < 0, wanted->steps_fail, "%s %s: %d", decoder, wanted->ids, status);
    cr_expect(steps.length == strlen(wanted->steps)
                  && (!steps.length || memcmp(steps.data, wanted->steps, steps.length) == 0),
              "%s %s: %.*s, not %s", decoder, wanted->ids, (int)steps.length,
              (const char *)steps.data, wanted->steps);
    btk_buffer_clear(&steps);
    btk_decode_stream_free(&stream);
}

Test(decoder, each_gives_what_the_reference_gave)
{
    struct btk_tokenizer *tokenizer = NULL;
    const char *decoder = NULL;
    for (size_t i = 2; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t ids[IDS_MAX];
        if (cases[i].decoder) {
            decoder = cases[i].decoder;
            btk_tokenizer_close(&tokenizer);
            tokenizer = open_with(decoder);
            cr_assert_eq(!tokenizer, cases[i].is_refused, "%s", decoder);
            continue;
        }
        const size_t count = read_ids(cases[i].ids, ids);
        expect_decoded(tokenizer, decoder, &cases[i], ids, count);
        expect_steps(tokenizer, decoder, &cases[i], ids, count);
    }
    btk_tokenizer_close(&tokenizer);
}

// --- Streams

#define LLAMA                                                                                      \
    "{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"Replace\",\"pattern\":{\"String\":"          \
    "\"\\u2581\"},\"content\":\" \"},{\"type\":\"ByteFallback\"},{\"type\":\"Fuse\"},"             \
    "{\"type\":\"Strip\",\"content\":\" \",\"start\":1,\"stop\":0}]}"
#define BYTE_LEVEL "{\"type\":\"ByteLevel\"}"

static uint32_t id_of(const struct btk_tokenizer *tokenizer, const char *token)
{
    uint32_t id = UINT32_MAX;
    cr_assert(btk_token_id(tokenizer, token, strlen(token), &id), "%s", token);
    return id;
}

static struct btk_decode_stream *new_stream(const struct btk_tokenizer *tokenizer, uint8_t mode)
{
    struct btk_decode_stream *stream;
    struct btk_error_info error;
    cr_assert_eq(btk_decode_stream_new(tokenizer, mode, false, &stream, &error), 0);
    return stream;
}

// `wanted` is NULL: nothing yet.
static void expect_step(struct btk_decode_stream *stream, const struct btk_tokenizer *tokenizer,
                        const char *token, const char *wanted)
{
    const char *text = "";
    size_t bytes = 0;
    struct btk_error_info error = {.message = ""};
    const uint32_t id = id_of(tokenizer, token);
    const int status = btk_decode_stream_step(stream, &id, 1, &text, &bytes, &error);
    cr_expect_eq(status, wanted ? 1 : 0, "%s: %d %s", token, status, error.message);
    if (wanted)
        cr_expect(bytes == strlen(wanted) && memcmp(text, wanted, bytes) == 0, "%s: \"%.*s\"",
                  token, (int)bytes, text);
}

static void expect_finish(struct btk_decode_stream *stream, const char *wanted)
{
    const char *text = "";
    size_t bytes = 0;
    struct btk_error_info error;
    cr_expect_eq(btk_decode_stream_finish(stream, &text, &bytes, &error), wanted ? 1 : 0);
    if (wanted) cr_expect(bytes == strlen(wanted) && memcmp(text, wanted, bytes) == 0);
}

Test(stream, without_loss_bytes_wait_until_they_are_a_character)
{
    struct btk_tokenizer *tokenizer = open_with(LLAMA);
    struct btk_decode_stream *stream = new_stream(tokenizer, BTK_STREAM_LOSSLESS);
    expect_step(stream, tokenizer,
                "\xe2\x96\x81"
                "a",
                "a"); // the first space goes
    expect_step(stream, tokenizer,
                "\xe2\x96\x81"
                "a",
                " a");
    expect_step(stream, tokenizer, "<0xE2>", NULL);
    expect_step(stream, tokenizer, "<0x82>", NULL);
    expect_step(stream, tokenizer, "", NULL);
    expect_step(stream, tokenizer, "<0xAC>", "\xe2\x82\xac");
    expect_step(stream, tokenizer, "<0xC3>", NULL);
    expect_step(stream, tokenizer, "b",
                "\xc3"
                "b"); // it was no character
    expect_step(stream, tokenizer, "<0xFF>", "\xff");
    expect_step(stream, tokenizer, "<0xF0>", NULL);
    expect_step(stream, tokenizer, "<0x9F>", NULL);
    expect_finish(stream, "\xf0\x9f");
    expect_finish(stream, NULL);
    expect_step(stream, tokenizer,
                "\xe2\x96\x81"
                "a",
                "a"); // it has begun anew
    btk_decode_stream_free(&stream);
    btk_tokenizer_close(&tokenizer);
}

Test(stream, without_loss_it_goes_on_where_the_exact_one_gives_up)
{
    struct btk_tokenizer *tokenizer = open_with(LLAMA);
    struct btk_decode_stream *exact = new_stream(tokenizer, BTK_STREAM_EXACT);
    struct btk_decode_stream *lossless = new_stream(tokenizer, BTK_STREAM_LOSSLESS);
    static const char *const tokens[] = {"<0xC3>", "<0xA9>", "<0xC3>"};
    static const char *const wanted[] = {NULL, "\xc3\xa9", NULL};
    for (size_t i = 0; i < 3; i++) {
        expect_step(exact, tokenizer, tokens[i], wanted[i]);
        expect_step(lossless, tokenizer, tokens[i], wanted[i]);
    }
    const char *text;
    size_t bytes;
    struct btk_error_info error;
    const uint32_t id = id_of(tokenizer, "b");
    for (int i = 0; i < 2; i++) {
        cr_expect_eq(btk_decode_stream_step(exact, &id, 1, &text, &bytes, &error), -EBADMSG);
        cr_expect(strstr(error.message, "\xc3\xa9"), "%s", error.message);
    }
    expect_step(lossless, tokenizer, "b",
                "\xc3"
                "b");
    btk_decode_stream_reset(exact);
    expect_step(exact, tokenizer, "b", "b");
    expect_finish(exact, NULL);
    btk_decode_stream_free(&exact);
    btk_decode_stream_free(&lossless);
    btk_tokenizer_close(&tokenizer);
}

Test(stream, ids_before_it_are_not_shown_and_several_may_come_at_once)
{
    struct btk_tokenizer *tokenizer = open_with("null");
    struct btk_decode_stream *stream = new_stream(tokenizer, BTK_STREAM_EXACT);
    const uint32_t ids[] = {id_of(tokenizer, "ab"), id_of(tokenizer, "ba"), 16777217};
    const char *text;
    size_t bytes;
    struct btk_error_info error;
    cr_assert_eq(btk_decode_stream_prefill(stream, ids, 2, &error), 0);
    cr_assert_eq(btk_decode_stream_step(stream, ids, 3, &text, &bytes, &error), 1);
    cr_expect(bytes == 6 && memcmp(text, " ab ba", 6) == 0);
    cr_assert_eq(btk_decode_stream_step(stream, ids, 0, &text, &bytes, &error), 0);
    btk_decode_stream_free(&stream);
    btk_decode_stream_free(&stream);
    btk_tokenizer_close(&tokenizer);
}

// The reference would decode 200,000 ids with each of them.
Test(stream, ids_without_text_take_no_time_of_each_other)
{
    static const char *const decoders[] = {BYTE_LEVEL, LLAMA};
    static const char *const tokens[] = {"\xc4\xa2", "<0xE2>"};
    for (int i = 0; i < 2; i++) {
        struct btk_tokenizer *tokenizer = open_with(decoders[i]);
        struct btk_decode_stream *stream = new_stream(tokenizer, BTK_STREAM_EXACT);
        for (int count = 0; count < 200000; count++)
            expect_step(stream, tokenizer, tokens[i], NULL);
        btk_decode_stream_free(&stream);
        btk_tokenizer_close(&tokenizer);
    }
}

Test(stream, a_list_that_decodes_all_ids_again_does_so_within_a_limit)
{
    struct btk_tokenizer *tokenizer =
        open_with("{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"Fuse\"},{\"type\":\"Replace\","
                  "\"pattern\":{\"Regex\":\"a+\"},\"content\":\"\"}]}");
    struct btk_decode_stream *stream = new_stream(tokenizer, BTK_STREAM_EXACT);
    const uint32_t id = id_of(tokenizer, "a");
    const char *text;
    size_t bytes;
    int status = 0, count = 0;
    struct btk_error_info error;
    while (!status && ++count < 100000)
        status = btk_decode_stream_step(stream, &id, 1, &text, &bytes, &error);
    cr_expect_eq(status, -E2BIG, "%d after %d", status, count);
    cr_expect_gt(count, 4096);
    btk_decode_stream_free(&stream);
    btk_tokenizer_close(&tokenizer);
}

// --- Refusals and bounds

Test(decoder, steps_that_would_grow_a_text_without_end_are_refused)
{
#define DOUBLE "{\"type\":\"Replace\",\"pattern\":{\"String\":\"a\"},\"content\":\"aaaaaaaa\"},"
#define MANY   DOUBLE DOUBLE DOUBLE DOUBLE DOUBLE DOUBLE DOUBLE DOUBLE
    static const char *const decoders[] = {
        "{\"type\":\"Sequence\",\"decoders\":[" MANY "{\"type\":\"Fuse\"}]}",
        "{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"Fuse\"}," MANY "{\"type\":\"Fuse\"}]}",
        "{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"(\"},\"content\":\"\"}",
        "{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"Fuse\"},{\"type\":\"Replace\","
        "\"pattern\":{\"Regex\":\"a{2\"},\"content\":7}]}",
    };
    for (size_t i = 0; i < sizeof decoders / sizeof decoders[0]; i++)
        cr_expect_null(open_with(decoders[i]), "%s", decoders[i]);
}

Test(decoder, too_little_room_is_said_and_nothing_is_written_behind_it)
{
    struct btk_tokenizer *tokenizer = open_with(BYTE_LEVEL);
    const uint32_t ids[] = {id_of(tokenizer, "ab"), id_of(tokenizer, "\xc4\xa2")};
    char text[8] = "-------";
    size_t bytes = 99;
    struct btk_error_info error;
    cr_expect_eq(btk_decode(tokenizer, ids, 2, false, text, 4, &bytes, &error), -ENOBUFS);
    cr_expect_eq(bytes, 99);
    cr_expect_eq(memcmp(text + 4, "---", 3), 0);
    cr_expect_eq(btk_decode(tokenizer, ids, 2, false, text, 5, &bytes, &error), 0);
    cr_expect_eq(bytes, 5); // "ab" and U+FFFD
    btk_tokenizer_close(&tokenizer);
}
