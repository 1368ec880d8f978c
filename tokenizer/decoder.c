// SPDX-License-Identifier: Apache-2.0
// ids -> text. Source: decode() of the reference's tokenizer/mod.rs, its decoders/wordpiece.rs and
// pre_tokenizers/byte_level.rs.
#include <errno.h>
#include <string.h>

#include "common/utf8.h"
#include "tokenizer/engine.h"

struct decode_output {
    char *text;
    size_t capacity;
    size_t length;
};

static int append(struct decode_output *output, struct btk_bytes bytes)
{
    if (bytes.length > output->capacity - output->length) return -ENOBUFS;
    if (bytes.length) memcpy(output->text + output->length, bytes.data, bytes.length);
    output->length += bytes.length;
    return 0;
}

// What the WordPiece decoder's cleanup replaces, one after the other, inside of each token.
static const struct {
    const char *from;
    const char *to;
} cleanups[] = {
    {" .", "."},   {" ?", "?"},     {" !", "!"},     {" ,", ","},
    {" ' ", "'"},  {" n't", "n't"}, {" 'm", "'m"},   {" do not", " don't"},
    {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"},
};

// In place: no replacement is longer than what it replaces.
static size_t replace_all(char *text, size_t length, const char *from, const char *to)
{
    const size_t from_bytes = strlen(from), to_bytes = strlen(to);
    size_t out = 0;
    for (size_t at = 0; at < length;) {
        if (length - at >= from_bytes && memcmp(text + at, from, from_bytes) == 0) {
            memcpy(text + out, to, to_bytes);
            out += to_bytes;
            at += from_bytes;
        } else {
            text[out++] = text[at++];
        }
    }
    return out;
}

static size_t clean_up(char *text, size_t length)
{
    // All but the tokens of a space and what is looked for are left alone.
    if (!memchr(text, ' ', length)) return length;
    for (size_t i = 0; i < BTK_ARRAY_COUNT(cleanups); i++)
        length = replace_all(text, length, cleanups[i].from, cleanups[i].to);
    return length;
}

static int append_word(const struct btk_image *image, uint32_t id, bool is_first,
                       struct decode_output *output)
{
    const size_t begin = output->length;
    struct btk_bytes text = btk_image_shown_text(image, id);
    int status = 0;
    if (!is_first && (image->tokens[id].flags & BTK_TOKEN_CONTINUES)) {
        text.data += image->config->prefix_bytes;
        text.length -= image->config->prefix_bytes;
    } else if (!is_first && !(image->config->prefix_bytes == 0)) {
        status = append(output, (struct btk_bytes){(const uint8_t *)" ", 1});
    }
    if (!status) status = append(output, text);
    if (!status && (image->config->flags & BTK_PIPELINE_CLEANUP))
        output->length = begin + clean_up(output->text + begin, output->length - begin);
    return status;
}

static int append_joined(const struct btk_image *image, uint32_t id, bool is_first,
                         struct decode_output *output)
{
    const int status = is_first ? 0 : append(output, (struct btk_bytes){(const uint8_t *)" ", 1});
    return status < 0 ? status : append(output, btk_image_shown_text(image, id));
}

static int append_token(const struct btk_image *image, uint32_t id, bool is_first,
                        struct decode_output *output)
{
    switch (image->config->decoder) {
    case BTK_DECODER_BYTE_LEVEL: return append(output, btk_image_shown_bytes(image, id));
    case BTK_DECODER_WORDPIECE: return append_word(image, id, is_first, output);
    default: return append_joined(image, id, is_first, output);
    }
}

// Bytes that are not UTF-8 become U+FFFD, one for each maximal part, as Rust's from_utf8_lossy() has
// it. The bytes are moved to the end of the room first, so that growing never overtakes reading.
static int replace_invalid(struct decode_output *output)
{
    const uint8_t *const text = (const uint8_t *)output->text;
    const size_t valid = btk_utf8_valid_prefix(text, output->length);
    if (valid == output->length) return 0;
    const size_t left = output->length - valid;
    if (output->capacity - output->length < 2 * left) return -ENOBUFS;
    uint8_t *const out = (uint8_t *)output->text;
    uint8_t *const in = out + output->capacity - left;
    memmove(in, out + valid, left);
    output->length = valid + btk_utf8_replace_invalid(out + valid, in, left);
    return 0;
}

// A byte that is not UTF-8 becomes three.
size_t btk_decode_bound(const struct btk_tokenizer *tokenizer, size_t id_count)
{
    const struct btk_image_config *const config = tokenizer->image.config;
    if (config->decoder == BTK_DECODER_BYTE_LEVEL)
        return 3 * id_count * (size_t)config->decoded_bytes_max;
    return id_count * (btk_max_size(config->token_bytes_max, config->decoded_bytes_max) + 1);
}

static int decode(const struct btk_image *image, const uint32_t *ids, size_t id_count,
                  bool skip_special_tokens, struct decode_output *output)
{
    bool is_first = true;
    for (size_t i = 0; i < id_count; i++) {
        if (ids[i] >= image->config->token_count) continue;
        const uint32_t flags = image->tokens[ids[i]].flags;
        if (!(flags & BTK_TOKEN_EXISTS)) continue;
        if (skip_special_tokens && (flags & BTK_TOKEN_SPECIAL)) continue;
        const int status = append_token(image, ids[i], is_first, output);
        if (status < 0) return status;
        is_first = false;
    }
    return image->config->decoder == BTK_DECODER_BYTE_LEVEL ? replace_invalid(output) : 0;
}

int btk_decode(const struct btk_tokenizer *tokenizer, const uint32_t *ids, size_t id_count,
               bool skip_special_tokens, char *out_text, size_t capacity_bytes, size_t *out_bytes,
               struct btk_error_info *out_error)
{
    struct decode_output output = {.text = out_text, .capacity = capacity_bytes};
    const int status = decode(&tokenizer->image, ids, id_count, skip_special_tokens, &output);
    if (status < 0) {
        struct btk_error error;
        btk_error_set(&error, ENOBUFS, BTK_NO_OFFSET,
                      "the text needs more room than the %zu bytes there are", capacity_bytes);
        return btk_error_export(&error, out_error);
    }
    *out_bytes = output.length;
    return 0;
}
