// SPDX-License-Identifier: Apache-2.0
// Steps that write: spaces that become visible or are put before pieces, and the byte-level alphabet.
#include <errno.h>
#include <string.h>

#include "common/utf8.h"
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/byte_replace.h"
#include "tokenizer/model/short_piece.h"
#include "tokenizer/pretokenizer/stage.h"

static inline void put_map(struct btk_stage_text *text, size_t at, uint32_t begin, uint32_t end)
{
    text->begins[at] = begin;
    text->ends[at] = end;
}

// --- ' ' becomes a mark, which may also be put before a piece

struct spaces {
    uint8_t mark[4];
    size_t mark_bytes;
    uint32_t scheme; // enum btk_prepend_scheme
    bool splits;
};

static size_t count_blanks(struct btk_bytes text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.length; i++) count += text.data[i] == ' ';
    return count;
}

static inline bool is_mark_at(const struct spaces *spaces, const uint8_t *text, size_t length)
{
    return text[0] == spaces->mark[0] && length >= spaces->mark_bytes
           && memcmp(text, spaces->mark, spaces->mark_bytes) == 0;
}

static bool needs_mark(const struct btk_stage *stage, const struct spaces *spaces,
                       struct btk_piece piece)
{
    const uint8_t *const text = stage->span.text.data + piece.begin;
    if (spaces->scheme == BTK_PREPEND_NEVER || text[0] == ' '
        || is_mark_at(spaces, text, piece.end - piece.begin))
        return false;
    return spaces->scheme == BTK_PREPEND_ALWAYS
           || btk_span_source_begin(&stage->span, piece.begin) == 0;
}

// The next blank or mark at or after `at`; eight bytes at a time where there are as many.
static inline size_t find_space(const struct spaces *spaces, const uint8_t *text, size_t at,
                                size_t end)
{
    while (at < end) {
        if (end - at >= 8) {
            uint64_t word;
            memcpy(&word, text + at, sizeof word);
            const uint64_t found =
                btk_bytes_equal_to(word, ' ') | btk_bytes_equal_to(word, spaces->mark[0]);
            at += found ? (size_t)__builtin_ctzll(found) / 8 : 8;
            if (!found) continue;
        }
        if (text[at] == ' ' || is_mark_at(spaces, text + at, end - at)) return at;
        at++;
    }
    return end;
}

// The mark takes the place of the first character's first byte, and that character then that of its
// last byte, as the reference's prepend() has it. Without maps both have that of the character.
static size_t put_first_mark(const struct btk_stage *stage, const struct spaces *spaces,
                             struct btk_piece piece)
{
    struct btk_stage_text *const out = stage->text;
    const struct btk_span *const span = &stage->span;
    const size_t first_bytes = btk_utf8_length(span->text.data[piece.begin]);
    const size_t last = piece.begin + first_bytes - 1;
    memcpy(out->text + out->length, spaces->mark, sizeof spaces->mark); // the slack has room
    for (size_t i = 0; i < first_bytes; i++)
        out->text[out->length + spaces->mark_bytes + i] = span->text.data[piece.begin + i];
    const size_t mark_last = span->ends ? piece.begin : last;
    const size_t char_first = span->begins ? last : piece.begin;
    for (size_t i = 0; stage->has_maps && i < spaces->mark_bytes + first_bytes; i++) {
        const bool is_mark = i < spaces->mark_bytes;
        put_map(out, out->length + i,
                btk_span_source_begin(span, is_mark ? piece.begin : char_first),
                btk_span_source_end(span, is_mark ? mark_last : last));
    }
    out->length += spaces->mark_bytes + first_bytes;
    return first_bytes;
}

// A mark, made of the blank at `at` or the mark that stands there. Returns what it took.
static inline size_t put_mark(const struct btk_stage *stage, const struct spaces *spaces, size_t at)
{
    struct btk_stage_text *const out = stage->text;
    const bool is_blank = stage->span.text.data[at] == ' ';
    memcpy(out->text + out->length, spaces->mark, sizeof spaces->mark); // the slack has room
    for (size_t i = 0; stage->has_maps && i < spaces->mark_bytes; i++) {
        const size_t from = is_blank ? at : at + i;
        put_map(out, out->length + i, btk_span_source_begin(&stage->span, from),
                btk_span_source_end(&stage->span, from));
    }
    out->length += spaces->mark_bytes;
    return is_blank ? 1 : spaces->mark_bytes;
}

enum { COPY_BYTES = 16 }; // not more than the slack behind the text

static inline void copy_run(const struct btk_stage *stage, size_t begin, size_t end)
{
    struct btk_stage_text *const out = stage->text;
    const uint8_t *const from = stage->span.text.data + begin;
    uint8_t *const to = out->text + out->length;
    if (end - begin <= COPY_BYTES && from + COPY_BYTES <= stage->span.readable_end)
        memcpy(to, from, COPY_BYTES); // what is too much is written over
    else
        memcpy(to, from, end - begin);
    for (size_t i = begin; stage->has_maps && i < end; i++)
        put_map(out, out->length + i - begin, btk_span_source_begin(&stage->span, i),
                btk_span_source_end(&stage->span, i));
    out->length += end - begin;
}

// Where each mark begins a piece when the step splits.
static void put_piece(const struct btk_stage *stage, const struct spaces *spaces,
                      struct btk_piece piece)
{
    const uint8_t *const text = stage->span.text.data;
    size_t begin = stage->text->length;
    size_t at = piece.begin;
    if (needs_mark(stage, spaces, piece)) at += put_first_mark(stage, spaces, piece);
    if (!stage->has_maps && !spaces->splits) {
        struct btk_stage_text *const out = stage->text;
        const uint8_t *const out_end =
            btk_replace_byte(text + at, text + piece.end, ' ', spaces->mark, spaces->mark_bytes,
                             out->text + out->length);
        out->length = (size_t)(out_end - out->text);
        at = piece.end;
    }
    while (at < piece.end) {
        const size_t run = find_space(spaces, text, at, piece.end);
        copy_run(stage, at, run);
        at = run;
        if (run == piece.end) break;
        if (spaces->splits) {
            btk_piece_list_push(stage->out, begin, stage->text->length);
            begin = stage->text->length;
        }
        at += put_mark(stage, spaces, at);
    }
    btk_piece_list_push(stage->out, begin, stage->text->length);
}

// A piece without blanks and marks, when no maps are wanted: most of them are words. False: it is another.
static inline bool try_put_word(const struct btk_stage *stage, const struct spaces *spaces,
                                struct btk_piece piece)
{
    struct btk_stage_text *const out = stage->text;
    const uint8_t *const text = stage->span.text.data + piece.begin;
    const size_t length = piece.end - piece.begin;
    if (length > COPY_BYTES || text + COPY_BYTES > stage->span.readable_end) return false;
    const struct btk_short_key word = btk_short_key_read(text, length);
    const uint64_t found = btk_bytes_equal_to(word.words[0], ' ')
                           | btk_bytes_equal_to(word.words[1], ' ')
                           | btk_bytes_equal_to(word.words[0], spaces->mark[0])
                           | btk_bytes_equal_to(word.words[1], spaces->mark[0]);
    if (found) return false;
    const bool is_marked = spaces->scheme == BTK_PREPEND_ALWAYS;
    const size_t begin = out->length, mark_bytes = is_marked ? spaces->mark_bytes : 0;
    memcpy(out->text + begin, spaces->mark, sizeof spaces->mark);
    memcpy(out->text + begin + mark_bytes, &word, sizeof word); // the slack has room
    out->length += mark_bytes + length;
    btk_piece_list_push(stage->out, begin, out->length);
    return true;
}

int btk_stage_spaces(struct btk_stage *stage)
{
    struct spaces spaces = {.scheme = stage->step->numbers[1],
                            .splits = stage->step->flags & BTK_SPACES_SPLIT};
    spaces.mark_bytes = btk_utf8_encode(stage->step->numbers[0], spaces.mark);
    const size_t blanks = spaces.mark_bytes > 1 ? count_blanks(stage->span.text) : 0;
    const size_t marks = spaces.scheme == BTK_PREPEND_NEVER ? 0 : stage->in_count;
    const int status = btk_stage_text_reset(
        stage->text, stage->span.text.length + 4 * (blanks + marks), stage->has_maps);
    // Of PREPEND_FIRST only the place in the source says whether there is a mark.
    const bool has_words = !stage->has_maps && spaces.scheme != BTK_PREPEND_FIRST;
    if (status < 0) return status;
    for (size_t i = 0; i < stage->in_count; i++) {
        btk_stage_tick(stage, i);
        if (!has_words || !try_put_word(stage, &spaces, stage->in[i]))
            put_piece(stage, &spaces, stage->in[i]);
    }
    return 0;
}

// --- The byte-level alphabet

// The characters of the 256 bytes, two bytes each at most.
struct alphabet {
    uint8_t chars[256][2];
    uint8_t lengths[256];
};

static void fill_alphabet(struct alphabet *alphabet)
{
    uint32_t hidden = 0x100;
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint8_t encoded[4] = {0};
        const uint32_t code_point = btk_byte_prints(byte) ? byte : hidden++;
        alphabet->lengths[byte] = (uint8_t)btk_utf8_encode(code_point, encoded);
        memcpy(alphabet->chars[byte], encoded, 2);
    }
}

// The first byte of a character keeps its place and the others take that of the last one: in the
// reference one character replaces it and the others are put behind.
static void put_maps_of_char(const struct btk_stage *stage, const struct alphabet *alphabet,
                             size_t at, size_t length)
{
    size_t to = stage->text->length;
    for (size_t i = 0; i < length; i++) {
        const size_t from = i && stage->span.begins ? at + length - 1 : at + i;
        for (size_t k = 0; k < alphabet->lengths[stage->span.text.data[at + i]]; k++)
            put_map(stage->text, to++, btk_span_source_begin(&stage->span, from),
                    btk_span_source_end(&stage->span, from));
    }
}

static void put_alphabet(const struct btk_stage *stage, const struct alphabet *alphabet,
                         struct btk_piece piece)
{
    struct btk_stage_text *const out = stage->text;
    const uint8_t *const text = stage->span.text.data;
    size_t length;
    for (size_t at = piece.begin; at < piece.end; at += length) {
        length = btk_min_size(btk_utf8_length(text[at]), piece.end - at);
        if (stage->has_maps) put_maps_of_char(stage, alphabet, at, length);
        for (size_t i = 0; i < length; i++) {
            const uint8_t byte = text[at + i];
            memcpy(out->text + out->length, alphabet->chars[byte], 2);
            out->length += alphabet->lengths[byte];
        }
    }
}

int btk_stage_alphabet(struct btk_stage *stage)
{
    struct alphabet alphabet;
    fill_alphabet(&alphabet);
    const int status =
        btk_stage_text_reset(stage->text, 2 * stage->span.text.length, stage->has_maps);
    if (status < 0) return status;
    for (size_t i = 0; i < stage->in_count; i++) {
        const size_t begin = stage->text->length;
        btk_stage_tick(stage, i);
        put_alphabet(stage, &alphabet, stage->in[i]);
        btk_piece_list_push(stage->out, begin, stage->text->length);
    }
    return 0;
}

static void put_bytes(const struct btk_stage *stage, const uint8_t *bytes, struct btk_piece piece)
{
    struct btk_stage_text *const out = stage->text;
    size_t length;
    for (size_t at = piece.begin; at < piece.end; at += length) {
        const uint32_t code_point = btk_utf8_decode(stage->span.text.data + at, &length);
        out->text[out->length] = code_point < BTK_BYTE_ALPHABET_LIMIT ? bytes[code_point] : 0;
        if (stage->has_maps)
            put_map(out, out->length, btk_span_source_begin(&stage->span, at),
                    btk_span_source_end(&stage->span, at + length - 1));
        out->length++;
    }
}

int btk_stage_bytes(struct btk_stage *stage)
{
    uint8_t bytes[BTK_BYTE_ALPHABET_LIMIT] = {0};
    for (uint32_t code_point = 0; code_point < BTK_BYTE_ALPHABET_LIMIT; code_point++)
        if (!btk_byte_alphabet_try_byte(code_point, &bytes[code_point])) bytes[code_point] = 0;
    const int status = btk_stage_text_reset(stage->text, stage->span.text.length, stage->has_maps);
    if (status < 0) return status;
    for (size_t i = 0; i < stage->in_count; i++) {
        const size_t begin = stage->text->length;
        btk_stage_tick(stage, i);
        put_bytes(stage, bytes, stage->in[i]);
        btk_piece_list_push(stage->out, begin, stage->text->length);
    }
    return 0;
}
