// SPDX-License-Identifier: Apache-2.0
// Source: decoders/*.rs, normalizers/replace.rs and pre_tokenizers/metaspace.rs of the reference.
#include "tokenizer/decoder/token_step.h"

#include "common/utf8.h"
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/decoder/step_kind.h"
#include "tokenizer/regex.h"

static const struct btk_bytes space = {(const uint8_t *)" ", 1};
static const struct btk_bytes nothing = {NULL, 0};

void btk_decoder_step_init(struct btk_decoder_step *step, const struct btk_image *image,
                           uint32_t index)
{
    const struct btk_step *const source = &image->decoder.steps[index];
    const struct btk_bytes data = btk_image_step_data(image, source);
    const size_t first = source->numbers[0];
    *step = (struct btk_decoder_step){.step = source,
                                      .first = {data.data, first},
                                      .second = {data.data + first, data.length - first}};
}

void btk_decoder_step_clear(struct btk_decoder_step *step)
{
    btk_regex_free(&step->regex);
}

// --- Replacing

static struct btk_bytes after(struct btk_bytes text, size_t bytes)
{
    return (struct btk_bytes){text.data + bytes, text.length - bytes};
}

static bool begins_with(struct btk_bytes text, struct btk_bytes prefix)
{
    return text.length >= prefix.length
           && (!prefix.length || memcmp(text.data, prefix.data, prefix.length) == 0);
}

// Nothing is found before each character and at the end.
static int replace_nothing(struct btk_bytes text, struct btk_bytes put, struct btk_room *out)
{
    int status = btk_room_append(out, put);
    while (text.length && !status) {
        const struct btk_bytes one = {text.data, btk_utf8_length(text.data[0])};
        status = btk_room_append(out, one);
        if (!status) status = btk_room_append(out, put);
        text = after(text, one.length);
    }
    return status;
}

static int replace(struct btk_bytes text, struct btk_bytes found, struct btk_bytes put,
                   struct btk_room *out)
{
    if (!found.length) return replace_nothing(text, put, out);
    while (text.length >= found.length) {
        const uint8_t *const at = memchr(text.data, found.data[0], text.length - found.length + 1);
        if (!at) break;
        const size_t gap = (size_t)(at - text.data);
        const bool is_found = begins_with(after(text, gap), found);
        int status = btk_room_append(out, (struct btk_bytes){text.data, gap + !is_found});
        if (!status && is_found) status = btk_room_append(out, put);
        if (status < 0) return status;
        text = after(text, is_found ? gap + found.length : gap + 1);
    }
    return btk_room_append(out, text);
}

static int replace_regex(struct btk_decoder_step *step, struct btk_bytes text, struct btk_room *out)
{
    struct btk_error error;
    struct btk_regex_walk walk;
    struct btk_regex_piece piece;
    int status = step->regex ? 0 : btk_regex_new(step->first, &step->regex, &error);
    if (status < 0) return status;
    btk_regex_walk_init(&walk, step->regex, text);
    while ((status = btk_regex_walk_next(&walk, &piece)) > 0) {
        const struct btk_bytes part = {text.data + piece.begin, piece.end - piece.begin};
        status = btk_room_append(out, piece.is_match ? step->second : part);
        if (status < 0) break;
    }
    return status;
}

// What is put in place of what, one after the other.
static const struct {
    const char *from;
    const char *to;
} cleanups[] = {
    {" .", "."},   {" ?", "?"},     {" !", "!"},     {" ,", ","},
    {" ' ", "'"},  {" n't", "n't"}, {" 'm", "'m"},   {" do not", " don't"},
    {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"},
};

// In place: no replacement is longer than what it replaces.
static size_t replace_in_place(uint8_t *text, size_t length, const char *from, const char *to)
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

static void clean_up(struct btk_room *out, size_t begin)
{
    // All but the strings of a space and what is looked for are left alone.
    if (out->length == begin || !memchr(out->data + begin, ' ', out->length - begin)) return;
    for (size_t i = 0; i < BTK_ARRAY_COUNT(cleanups); i++)
        out->length = begin
                      + replace_in_place(out->data + begin, out->length - begin, cleanups[i].from,
                                         cleanups[i].to);
}

// --- The kinds

static int strip(const struct btk_decoder_step *step, struct btk_bytes text, struct btk_room *out)
{
    const struct btk_bytes content = step->first;
    size_t begin = 0, end = text.length;
    for (uint32_t i = 0; i < step->step->numbers[1] && begins_with(after(text, begin), content);
         i++)
        begin += content.length;
    for (uint32_t i = 0; i < step->step->numbers[2]; i++) {
        if (!end) return -ERANGE;
        if (end < content.length || !begins_with(after(text, end - content.length), content)) break;
        end -= content.length;
    }
    if (begin > end) return -ERANGE;
    return btk_room_append(out, (struct btk_bytes){text.data + begin, end - begin});
}

static int wordpiece(const struct btk_decoder_step *step, struct btk_bytes text, unsigned place,
                     struct btk_room *out)
{
    const size_t begin = out->length;
    int status = 0;
    if (!(place & BTK_PLACE_FIRST)) {
        if (begins_with(text, step->first))
            text = after(text, step->first.length);
        else
            status = btk_room_append(out, space);
    }
    if (!status) status = btk_room_append(out, text);
    if (!status && (step->step->flags & BTK_CLEANUP)) clean_up(out, begin);
    return status;
}

static int ctc(const struct btk_decoder_step *step, struct btk_bytes text, struct btk_room *out)
{
    if (!(step->step->flags & BTK_CLEANUP))
        return step->first.length ? replace(text, step->first, nothing, out)
                                  : btk_room_append(out, text);
    uint8_t memory[512];
    struct btk_room clean = btk_room_on(memory, sizeof memory);
    int status = step->first.length ? replace(text, step->first, nothing, &clean)
                                    : btk_room_append(&clean, text);
    if (!status) {
        clean_up(&clean, 0);
        status = replace(btk_room_text(&clean), step->second, space, out);
    }
    btk_room_clear(&clean);
    return status;
}

static int spaced(struct btk_bytes text, unsigned place, struct btk_room *out)
{
    const int status = place & BTK_PLACE_FIRST ? 0 : btk_room_append(out, space);
    return status < 0 ? status : btk_room_append(out, text);
}

int btk_decoder_step_apply(struct btk_decoder_step *step, struct btk_bytes text, unsigned place,
                           struct btk_room *out)
{
    switch (step->step->kind) {
    case BTK_DECODE_SPACED: return spaced(text, place, out);
    // The empty string is one gap to a regular expression, and that is what all of them are there.
    case BTK_DECODE_REPLACE: return text.length ? replace(text, step->first, step->second, out) : 0;
    case BTK_DECODE_REPLACE_REGEX: return replace_regex(step, text, out);
    case BTK_DECODE_STRIP: return strip(step, text, out);
    case BTK_DECODE_METASPACE: {
        const bool drops =
            (place & BTK_PLACE_FIRST) && !(step->step->flags & BTK_METASPACE_KEEPS_FIRST);
        return replace(text, step->first, drops ? nothing : space, out);
    }
    case BTK_DECODE_WORDPIECE: return wordpiece(step, text, place, out);
    case BTK_DECODE_SUFFIX:
        if (!step->first.length && (place & BTK_PLACE_LAST)) return btk_room_append(out, text);
        return replace(text, step->first, place & BTK_PLACE_LAST ? nothing : space, out);
    default: return ctc(step, text, out);
    }
}

// --- Bytes

static bool try_digit(uint8_t byte, unsigned *value)
{
    const unsigned digit = byte - (unsigned)'0', letter = (byte | 0x20) - (unsigned)'a';
    if (digit < 10)
        *value = *value << 4 | digit;
    else if (letter < 6)
        *value = *value << 4 | (letter + 10);
    else
        return false;
    return true;
}

// The reference's parser of numbers takes a plus sign for one of the two digits.
bool btk_decoder_try_byte(struct btk_bytes text, uint8_t *out_byte)
{
    unsigned value = 0;
    if (text.length != 6 || memcmp(text.data, "<0x", 3) != 0 || text.data[5] != '>') return false;
    if (text.data[3] != '+' && !try_digit(text.data[3], &value)) return false;
    if (!try_digit(text.data[4], &value)) return false;
    *out_byte = (uint8_t)value;
    return true;
}

size_t btk_decoder_known_part(struct btk_bytes run, bool *out_is_text)
{
    size_t skip = 0;
    const size_t valid = btk_utf8_check(run.data, run.length, &skip);
    *out_is_text = valid != 0;
    if (valid) return valid;
    return skip == run.length && run.data[0] >= 0xc2 && run.data[0] <= 0xf4 ? 0 : skip;
}

int btk_decoder_append_bytes(struct btk_bytes text, struct btk_room *out)
{
    size_t length;
    const int status = btk_room_reserve(out, text.length);
    if (status < 0) return status;
    if (!text.length) return 0;
    if (!btk_byte_alphabet_try_bytes(text, out->data + out->length, &length))
        return btk_room_append(out, text);
    out->length += length;
    return 0;
}
