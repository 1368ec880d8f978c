// SPDX-License-Identifier: Apache-2.0
// Random lists of decoders, sound and mutated, and random ids through decode and streams: see README.md.
//
// What is checked: text is UTF-8 and fits into its bound; the exact stream gives, step by step, what
// decoding all its ids again gives (the reference's way, written down plainly below); the lossless one
// never fails, and its parts are whole.
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/hash.h"
#include "common/utf8.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/rounds.h"
#include "tests/tokenizer/small_tokenizers.h"
#include "tokenizer/compile/compile.h"
#include "tokenizer/image.h"

enum { IDS_MAX = 40, STREAMS_A_TOKENIZER = 40 };

// --- Tokenizers

static const char *const decoder_parts[] = {
    "{\"type\":\"ByteLevel\"}",
    "{\"type\":\"Fuse\"}",
    "{\"type\":\"ByteFallback\"}",
    "{\"type\":\"BPEDecoder\",\"suffix\":\"b\"}",
    "{\"type\":\"BPEDecoder\",\"suffix\":\"\"}",
    "{\"type\":\"WordPiece\",\"prefix\":\"##\",\"cleanup\":true}",
    "{\"type\":\"WordPiece\",\"prefix\":\"\",\"cleanup\":false}",
    "{\"type\":\"Metaspace\",\"replacement\":\"\\u00e9\"}",
    "{\"type\":\"Metaspace\",\"replacement\":\"a\",\"prepend_scheme\":\"never\"}",
    "{\"type\":\"CTC\",\"pad_token\":\"a\",\"word_delimiter_token\":\"b\",\"cleanup\":true}",
    "{\"type\":\"CTC\",\"pad_token\":\"\",\"word_delimiter_token\":\"\",\"cleanup\":true}",
    "{\"type\":\"Replace\",\"pattern\":{\"String\":\"ab\"},\"content\":\"<0xC3>\"}",
    "{\"type\":\"Replace\",\"pattern\":{\"String\":\"a\"},\"content\":\"\"}",
    "{\"type\":\"Replace\",\"pattern\":{\"String\":\"\"},\"content\":\"a\"}",
    "{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"\\\\s|b*\"},\"content\":\"\\u00e9\"}",
    "{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"(?<!\\\\n)^a\"},\"content\":\"\"}",
    "{\"type\":\"Strip\",\"content\":\"a\",\"start\":1,\"stop\":0}",
    "{\"type\":\"Strip\",\"content\":\"\\ufffd\",\"start\":2,\"stop\":0}",
    "{\"type\":\"Strip\",\"content\":\"b\",\"start\":3,\"stop\":2}",
    ("{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"ByteFallback\"},{\"type\":\"Fuse\"},"
     "{\"type\":\"Strip\",\"content\":\" \",\"start\":1,\"stop\":0}]}"),
    "null",
};

static const char added_bytes[] =
    "{\"content\":\"<0xC3>\"},{\"content\":\"<0xA9>\"},{\"content\":\"<0xE2>\"},"
    "{\"content\":\"<0x82>\"},{\"content\":\"<0xAC>\"},{\"content\":\"<0x61>\"},"
    "{\"content\":\"\\ufffd\",\"normalized\":false},{\"content\":\"ABBA\",\"special\":true},"
    "{\"content\":\"##b a\",\"normalized\":false},{\"content\":\" .\"},{\"content\":\"abab b\"}";

static void add_decoder(struct random *random, struct btk_buffer *out)
{
    const size_t count = below(random, 6);
    int status = 0;
    if (count < 2) {
        status = btk_buffer_printf(out, "%s",
                                   decoder_parts[below(random, BTK_ARRAY_COUNT(decoder_parts))]);
    } else {
        status = btk_buffer_printf(out, "{\"type\":\"Sequence\",\"decoders\":[");
        for (size_t i = 0; i < count && !status; i++)
            status =
                btk_buffer_printf(out, "%s%s", i ? "," : "",
                                  decoder_parts[below(random, BTK_ARRAY_COUNT(decoder_parts) - 1)]);
        if (!status) status = btk_buffer_printf(out, "]}");
    }
    CHECK(status == 0, "memory");
}

// One of the small tokenizers with another decoder, and one time in four with a character changed.
static void make_json(struct random *random, struct btk_buffer *out)
{
    char *const json = below(random, 2)
                           ? btk_small_wordpiece_json(added_bytes, "")
                           : btk_small_bpe_json(added_bytes, "{\"type\":\"BertNormalizer\"}",
                                                "{\"type\":\"ByteLevel\"}");
    const char *const begin = strstr(json, "\"decoder\":");
    CHECK(begin && strchr(begin, '}'), "the small tokenizers have decoders");
    CHECK(btk_buffer_append(out, json, (size_t)(begin - json)) == 0, "memory");
    const size_t before = out->length;
    CHECK(btk_buffer_printf(out, "\"decoder\":") == 0, "memory");
    add_decoder(random, out);
    if (!below(random, 4))
        out->data[before + below(random, out->length - before)] =
            (uint8_t) "{}[]\",:0129-abltu\\#"[below(random, 19)];
    CHECK(btk_buffer_printf(out, "%s", strchr(begin, '}') + 1) == 0, "memory");
    free(json);
}

// Numbers of what concerns decoding are changed and the checksum is mended: what verify lets through
// must be safe.
static void mutate_image(struct random *random, struct btk_image_header *header)
{
    static const enum btk_section sections[] = {BTK_SECTION_DECODER_STEPS, BTK_SECTION_STEP_DATA,
                                                BTK_SECTION_DECODED_ENDS,  BTK_SECTION_DECODED_TEXT,
                                                BTK_SECTION_NORMAL_FORMS,  BTK_SECTION_TOKENS};
    if (below(random, 2)) return;
    for (size_t count = 1 + below(random, 3); count; count--) {
        const bool in_config = !below(random, 5);
        const struct btk_image_section section =
            header->sections[sections[below(random, BTK_ARRAY_COUNT(sections))]];
        uint32_t *const numbers = in_config ? (uint32_t *)(void *)&header->config
                                            : (uint32_t *)((uint8_t *)header + section.offset);
        const size_t limit = (in_config ? sizeof header->config : section.bytes) / sizeof *numbers;
        if (!limit) continue;
        uint32_t *const number = &numbers[below(random, limit)];
        const uint32_t choices[] = {0,
                                    UINT32_MAX,
                                    *number + 1,
                                    *number - 1,
                                    (uint32_t)next(random),
                                    (uint32_t)below(random, 12)};
        *number = choices[below(random, BTK_ARRAY_COUNT(choices))];
    }
    header->checksum =
        btk_hash_xxh3((uint8_t *)header + sizeof *header, header->bytes - sizeof *header, 0);
}

// NULL: it was refused.
static struct btk_tokenizer *open_mutated(struct random *random, void **out_memory)
{
    struct btk_buffer image, json;
    struct btk_error error;
    struct btk_error_info info;
    btk_buffer_init(&image);
    btk_buffer_init(&json);
    make_json(random, &json);
    const int status = btk_compile_json((struct btk_bytes){json.data, json.length}, &image, &error);
    btk_buffer_clear(&json);
    if (status < 0) {
        CHECK(error.code == -status && error.message[0], "a refusal says why");
        return NULL;
    }
    const size_t bytes = image.length;
    void *const memory =
        aligned_alloc(BTK_IMAGE_ALIGNMENT, btk_align_up(bytes, BTK_IMAGE_ALIGNMENT));
    CHECK(memory, "memory");
    memcpy(memory, image.data, bytes);
    btk_buffer_clear(&image);
    CHECK(btk_image_verify(memory, bytes, &error) == 0, "what the compiler makes is sound");
    mutate_image(random, memory);
    struct btk_tokenizer *tokenizer = NULL;
    if (btk_tokenizer_attach(memory, bytes, false, &tokenizer, &info) == 0)
        *out_memory = memory;
    else
        free(memory);
    return tokenizer;
}

// --- Decoding

struct text {
    char *data;
    size_t length;
};

// NULL data: an error, which is none of room.
static struct text decode(const struct btk_tokenizer *tokenizer, const uint32_t *ids, size_t count,
                          bool skips)
{
    const size_t bound = btk_decode_bound(tokenizer, count);
    struct text text = {0};
    struct btk_error_info error;
    // A mutated image may have steps of a million bytes each.
    if (bound > (16 << 20)) return text;
    text.data = malloc(bound + 1);
    CHECK(text.data, "memory");
    const int status =
        btk_decode(tokenizer, ids, count, skips, text.data, bound, &text.length, &error);
    CHECK(status != -ENOBUFS, "decode has room");
    CHECK(status == 0 || error.message[0], "an error says why");
    if (status < 0) {
        free(text.data);
        return (struct text){0};
    }
    CHECK(btk_utf8_valid_prefix((uint8_t *)text.data, text.length) == text.length,
          "decoded text is UTF-8");
    return text;
}

static bool ends_open(struct text text)
{
    return text.length >= 3 && memcmp(text.data + text.length - 3, "\xef\xbf\xbd", 3) == 0;
}

// The reference's stream, plainly.
struct plain_stream {
    const struct btk_tokenizer *tokenizer;
    bool skips;
    uint32_t ids[IDS_MAX];
    size_t count, prefix_count;
    struct text prefix;
};

// 1: *out_text is new text; 0: none; -1: it gives up; -2: an error of decode.
static int plain_step(struct plain_stream *stream, uint32_t id, struct text *out_text)
{
    if (!stream->prefix.length && stream->count) {
        const struct text prefix =
            decode(stream->tokenizer, stream->ids, stream->count, stream->skips);
        if (!prefix.data) return -2;
        if (ends_open(prefix)) {
            free(prefix.data);
        } else {
            free(stream->prefix.data);
            stream->prefix = prefix;
            stream->prefix_count = stream->count;
        }
    }
    stream->ids[stream->count++] = id;
    struct text text = decode(stream->tokenizer, stream->ids, stream->count, stream->skips);
    if (!text.data) return -2;
    const size_t shown = stream->prefix.length;
    int status = 0;
    if (text.length > shown && !ends_open(text))
        status = shown && memcmp(text.data, stream->prefix.data, shown) != 0 ? -1 : 1;
    if (status <= 0) {
        free(text.data);
        return status;
    }
    text.length -= shown;
    memmove(text.data, text.data + shown, text.length);
    *out_text = text;
    stream->count -= stream->prefix_count;
    memmove(stream->ids, stream->ids + stream->prefix_count, stream->count * sizeof *stream->ids);
    stream->prefix_count = stream->count;
    free(stream->prefix.data);
    stream->prefix = decode(stream->tokenizer, stream->ids, stream->count, stream->skips);
    return stream->prefix.data ? 1 : -2;
}

static void check_exact(const struct btk_tokenizer *tokenizer, const uint32_t *ids, size_t count,
                        bool skips)
{
    struct plain_stream plain = {.tokenizer = tokenizer, .skips = skips};
    struct btk_decode_stream *stream;
    struct btk_error_info error;
    CHECK(btk_decode_stream_new(tokenizer, BTK_STREAM_EXACT, skips, &stream, &error) == 0,
          "memory");
    for (size_t i = 0; i < count; i++) {
        const char *text = "";
        size_t length = 0;
        struct text wanted = {0};
        const int expected = plain_step(&plain, ids[i], &wanted);
        const int status = btk_decode_stream_step(stream, &ids[i], 1, &text, &length, &error);
        if (expected == -2) {
            free(wanted.data);
            break;
        }
        CHECK(expected < 0 ? status == -EBADMSG : status == expected, "a step of the stream");
        CHECK(status <= 0 || (length == wanted.length && memcmp(text, wanted.data, length) == 0),
              "the text of a step");
        free(wanted.data);
    }
    free(plain.prefix.data);
    btk_decode_stream_free(&stream);
}

static void check_lossless(const struct btk_tokenizer *tokenizer, const uint32_t *ids, size_t count,
                           bool skips)
{
    struct btk_decode_stream *stream;
    struct btk_error_info error;
    struct btk_buffer all;
    const char *text = "";
    size_t length = 0, parts_length = 0;
    uint8_t valid[3 << 10];
    btk_buffer_init(&all);
    CHECK(btk_decode_stream_new(tokenizer, BTK_STREAM_LOSSLESS, skips, &stream, &error) == 0,
          "memory");
    for (size_t i = 0; i <= count; i++) {
        const int status = i < count
                               ? btk_decode_stream_step(stream, &ids[i], 1, &text, &length, &error)
                               : btk_decode_stream_finish(stream, &text, &length, &error);
        CHECK(status >= 0, "a stream without loss never fails");
        if (!status) continue;
        CHECK(btk_buffer_append(&all, text, length) == 0, "memory");
        if (length <= sizeof valid / 3)
            parts_length += btk_utf8_replace_invalid(valid, (const uint8_t *)text, length);
        else
            parts_length = SIZE_MAX / 2; // not looked at
    }
    uint8_t *const joined = malloc(3 * all.length + 1);
    CHECK(joined, "memory");
    CHECK(parts_length >= SIZE_MAX / 2
              || btk_utf8_replace_invalid(joined, all.data, all.length) == parts_length,
          "parts are whole");
    free(joined);
    btk_buffer_clear(&all);
    btk_decode_stream_free(&stream);
}

// --- Rounds

static bool run_round(struct random *random)
{
    struct btk_tokenizer_info info;
    void *memory = NULL;
    struct btk_tokenizer *tokenizer = open_mutated(random, &memory);
    if (!tokenizer) return false;
    btk_tokenizer_info(tokenizer, &info);
    for (int i = 0; i < STREAMS_A_TOKENIZER; i++) {
        uint32_t ids[IDS_MAX];
        const size_t count = below(random, IDS_MAX);
        const size_t limit = below(random, 2) ? info.token_count + 2 : 14;
        // The last tokens are the added ones.
        for (size_t at = 0; at < count; at++)
            ids[at] = (uint32_t)(info.token_count + 1 - below(random, limit));
        const bool skips = below(random, 2);
        free(decode(tokenizer, ids, count, skips).data);
        check_exact(tokenizer, ids, count, skips);
        check_lossless(tokenizer, ids, count, skips);
    }
    btk_tokenizer_close(&tokenizer);
    free(memory);
    return true;
}

int main(int argc, char **argv)
{
    return run_rounds(argc, argv, 10, UINT64_MAX, run_round);
}
