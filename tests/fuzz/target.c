// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/target.h"

#include <errno.h>
#include <string.h>

#include "common/utf8.h"
#include "tests/tokenizer/small_tokenizers.h"

enum { TOKENS_MAX = 1 << 20, DECODED_BYTES_MAX = 1 << 24 };

uint8_t fuzz_byte(struct fuzz_bytes *bytes)
{
    if (!bytes->left) return 0;
    bytes->left--;
    return *bytes->data++;
}

size_t fuzz_below(struct fuzz_bytes *bytes, size_t limit)
{
    return fuzz_byte(bytes) % limit;
}

// --- Tokenizers

static const char added[] =
    "{\"content\":\"[CLS]\",\"special\":true},{\"content\":\"[SEP]\",\"special\":"
    "true},{\"content\":\" a \",\"lstrip\":true,\"rstrip\":true},"
    "{\"content\":\"\\u00e9b\",\"normalized\":true,\"single_word\":true}";

static const char template[] =
    "\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":"
    "\"[CLS]\",\"type_id\":0}},{\"Sequence\":{\"id\":\"A\",\"type_id\":0}}],\"pair\":[{"
    "\"Sequence\":"
    "{\"id\":\"A\",\"type_id\":0}},{\"SpecialToken\":{\"id\":\"[SEP]\",\"type_id\":0}},{"
    "\"Sequence\":"
    "{\"id\":\"B\",\"type_id\":1}}],\"special_tokens\":{\"[CLS]\":{\"id\":\"[CLS]\",\"ids\":[7],"
    "\"tokens\":[\"[CLS]\"]},\"[SEP]\":{\"id\":\"[SEP]\",\"ids\":[8],\"tokens\":[\"[SEP]\"]}}},";

static const char unigram[] =
    "{\"added_tokens\":[{\"id\":0,\"content\":\"<unk>\",\"special\":true}],\"normalizer\":{"
    "\"type\":"
    "\"Sequence\",\"normalizers\":[{\"type\":\"NFKC\"},{\"type\":\"Replace\",\"pattern\":{"
    "\"Regex\":"
    "\" {2,}\"},\"content\":\" \"}]},\"pre_tokenizer\":{\"type\":\"Metaspace\",\"replacement\":"
    "\"\\u2581\",\"prepend_scheme\":\"always\",\"split\":false},\"decoder\":{\"type\":"
    "\"Metaspace\","
    "\"replacement\":\"\\u2581\"},\"model\":{\"type\":\"Unigram\",\"unk_id\":0,\"vocab\":[[\"<unk>"
    "\",0],"
    "[\"\\u2581\",-2],[\"a\",-3],[\"b\",-3.5],[\"ab\",-4],[\"\\u2581a\",-3],[\"aba\",-6],["
    "\"\\u4e2d\",-5]]}}";

static const char characters[] =
    "{\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Prepend\",\"prepend\":"
    "\"\\u2581\"},{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},\"content\":\"\\u2581\"}]},"
    "\"decoder\":{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"ByteFallback\"},{\"type\":"
    "\"Fuse\"},"
    "{\"type\":\"Strip\",\"content\":\"\\u2581\",\"start\":1,\"stop\":0}]},\"model\":{\"type\":"
    "\"BPE\","
    "\"unk_token\":\"<unk>\",\"fuse_unk\":true,\"byte_fallback\":true,\"vocab\":{\"<unk>\":0,\"a\":"
    "1,"
    "\"b\":2,\"\\u2581\":3,\"ab\":4,\"\\u2581a\":5,\"abab\":6,\"<0xC3>\":7,\"<0xA9>\":8},"
    "\"merges\":["
    "\"a b\",\"\\u2581 a\",\"ab ab\"]}}";

static const char pattern_of_words[] =
    "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\",\"pattern\":{\"Regex\":"
    "\"(?i:'s|'t)|\\\\p{N}{1,3}|\\\\s+(?!\\\\S)|[^a-c]+?b\"},\"behavior\":\"Isolated\",\"invert\":"
    "false},"
    "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":true,\"use_regex\":false}]"
    "}";

static char *copy_of(const char *json)
{
    char *const copy = strdup(json);
    CHECK(copy, "memory");
    return copy;
}

struct btk_tokenizer *fuzz_tokenizer(size_t index)
{
    static struct btk_tokenizer *tokenizers[FUZZ_TOKENIZERS];
    if (!tokenizers[0]) {
        tokenizers[0] = btk_small_open(btk_small_wordpiece_json(added, template));
        tokenizers[1] = btk_small_open(
            btk_small_bpe_json(added, "null", "{\"type\":\"ByteLevel\",\"use_regex\":true}"));
        tokenizers[2] =
            btk_small_open(btk_small_bpe_json(added, "{\"type\":\"NFC\"}", pattern_of_words));
        tokenizers[3] = btk_small_open(copy_of(unigram));
        tokenizers[4] = btk_small_open(copy_of(characters));
    }
    return tokenizers[index % FUZZ_TOKENIZERS];
}

// --- Decoding

static void check_stream(const struct btk_tokenizer *tokenizer, const uint32_t *ids, size_t count,
                         uint8_t mode, bool skips_special)
{
    struct btk_decode_stream *stream;
    struct btk_error_info error;
    const char *text;
    size_t length;
    CHECK(btk_decode_stream_new(tokenizer, mode, skips_special, &stream, &error) == 0, "memory");
    for (size_t i = 0; i < count; i++) {
        const int status = btk_decode_stream_step(stream, &ids[i], 1, &text, &length, &error);
        CHECK(status >= 0 || mode == BTK_STREAM_EXACT, "a stream without loss never fails");
        CHECK(status >= 0 || error.message[0], "an error says why");
        if (status < 0 && status != -EBADMSG) break;
    }
    CHECK(btk_decode_stream_finish(stream, &text, &length, &error) >= 0, "the end of a stream");
    btk_decode_stream_free(&stream);
}

void fuzz_decode(const struct btk_tokenizer *tokenizer, const uint32_t *ids, size_t count,
                 bool skips_special)
{
    const size_t bound = btk_decode_bound(tokenizer, count);
    struct btk_error_info error;
    size_t length = 0;
    if (bound > DECODED_BYTES_MAX) return;
    char *const text = malloc(bound + 1);
    CHECK(text, "memory");
    const int status =
        btk_decode(tokenizer, ids, count, skips_special, text, bound, &length, &error);
    CHECK(status != -ENOBUFS, "decode has room");
    CHECK(status == 0 || error.message[0], "an error says why");
    CHECK(status < 0 || btk_utf8_valid_prefix((uint8_t *)text, length) == length,
          "decoded text is UTF-8");
    free(text);
    check_stream(tokenizer, ids, count, BTK_STREAM_EXACT, skips_special);
    check_stream(tokenizer, ids, count, BTK_STREAM_LOSSLESS, skips_special);
}

// --- Encoding

static struct btk_encoding new_encoding(size_t capacity)
{
    return (struct btk_encoding){
        .capacity = capacity,
        .ids = malloc((capacity + 1) * sizeof(uint32_t)),
        .offsets = malloc((2 * capacity + 1) * sizeof(uint32_t)),
        .word_ids = malloc((capacity + 1) * sizeof(uint32_t)),
        .sources = malloc((2 * capacity + 1) * sizeof(uint32_t)),
    };
}

static void check_encoding(const struct btk_tokenizer *tokenizer, const struct btk_scratch *scratch,
                           const struct btk_encoding *encoding, size_t text_bytes)
{
    struct btk_tokenizer_info info;
    btk_tokenizer_info(tokenizer, &info);
    for (size_t i = 0; i < encoding->count; i++) {
        const uint32_t *const place = encoding->offsets + 2 * i;
        size_t length;
        CHECK(encoding->ids[i] < info.token_count, "an id that there is not");
        CHECK(place[0] <= place[1] && place[1] <= 3 * text_bytes, "a place outside of the text");
        btk_token_text_in(tokenizer, scratch, encoding->ids[i], encoding->sources + 2 * i, &length);
    }
}

void fuzz_use(const struct btk_tokenizer *tokenizer, const char *text, size_t text_bytes)
{
    struct btk_encode_options options = BTK_ENCODE_DEFAULTS;
    struct btk_scratch *scratch;
    struct btk_error_info error;
    options.invalid_utf8 = BTK_INVALID_UTF8_REPLACE;
    const size_t capacity = btk_encode_bound(tokenizer, text_bytes, &options);
    if (capacity > TOKENS_MAX) return;
    if (btk_scratch_new(tokenizer, &scratch, &error) < 0) {
        CHECK(error.message[0], "an error says why");
        return;
    }
    struct btk_encoding encoding = new_encoding(capacity);
    CHECK(encoding.ids && encoding.offsets && encoding.word_ids && encoding.sources, "memory");
    const int status =
        btk_encode(tokenizer, scratch, text, text_bytes, &options, &encoding, &error);
    CHECK(status != -ENOBUFS, "encode has room");
    CHECK(status == 0 || error.message[0], "an error says why");
    if (!status) {
        check_encoding(tokenizer, scratch, &encoding, text_bytes);
        fuzz_decode(tokenizer, encoding.ids, encoding.count, false);
    }
    free(encoding.ids);
    free(encoding.offsets);
    free(encoding.word_ids);
    free(encoding.sources);
    btk_scratch_free(&scratch);
}
