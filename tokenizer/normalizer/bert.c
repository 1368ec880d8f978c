// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/normalizer/bert.h"

#include <assert.h>
#include <string.h>

#include "common/utf8.h"
#include "tokenizer/image_format.h"

enum { CHUNK_BYTES = 8192, CHUNK_BLOCKS = CHUNK_BYTES / 64 };

// One call: where we read and where we write.
struct walk {
    struct btk_bert *bert;
    struct btk_bytes text;
    uint32_t base;
    struct btk_bert_output *output;
    size_t length; // written
};

// A character of the source after cleaning; end == 0: there is none.
struct source_char {
    uint32_t code_point;
    uint16_t classes;
    size_t begin, end;
};

void btk_bert_init(struct btk_bert *bert, const struct btk_kernels *kernels, uint32_t flags)
{
    bert->kernels = kernels;
    bert->flags = flags;
    bert->keeps_spaces = false;
    bert->keeps_characters = false;
    bert->apart_class = flags & BTK_BERT_CHINESE ? BTK_CLASS_CHINESE : 0;
    bert->fold_classes = flags & BTK_BERT_LOWERCASE ? BTK_CLASS_HAS_LOWERCASE : 0;
    bert->special_classes = 0;
    if (flags & BTK_BERT_CLEAN_TEXT)
        bert->special_classes |= BTK_CLASS_BERT_CONTROL | BTK_CLASS_WHITESPACE;
    if (flags & BTK_BERT_STRIP_ACCENTS) {
        bert->fold_classes |= BTK_CLASS_BERT_MN;
        bert->special_classes |= BTK_CLASS_DECOMPOSES | BTK_CLASS_COMBINES;
    }
    bert->chars = NULL;
    bert->progress = (struct btk_progress){0};
    for (unsigned i = 0; i < BTK_BERT_MEMO_SLOTS; i++) bert->memo[i].code_point = UINT32_MAX;
}

// Bytes of the text from `at` on that stand where they stood in the source, from `begin` on.
static void fill_places(const struct walk *walk, size_t at, size_t begin, size_t length)
{
    uint32_t *const begins = walk->output->begins + at, *const ends = walk->output->ends + at;
    const uint32_t first = walk->base + (uint32_t)begin;
    for (size_t i = 0; i < length; i++) {
        begins[i] = first + (uint32_t)i;
        ends[i] = first + (uint32_t)i + 1;
    }
}

// From now on the maps are written.
static void start_maps(struct walk *walk)
{
    if (!walk->output->begins || walk->output->has_moved) return;
    walk->output->has_moved = true;
    fill_places(walk, 0, 0, walk->length);
}

// A character that became one of the same length, or something else.
static inline void write_map(struct walk *walk, size_t length, size_t begin, size_t end)
{
    struct btk_bert_output *const output = walk->output;
    if (!output->begins) return;
    if (!output->has_moved) {
        const bool is_kept = length == 1 || walk->bert->keeps_characters;
        if (begin == walk->length && length == end - begin && is_kept) return;
        start_maps(walk);
    }
    for (size_t i = 0; i < length; i++) {
        output->begins[walk->length + i] = walk->base + (uint32_t)begin;
        output->ends[walk->length + i] = walk->base + (uint32_t)end;
    }
}

static void write_space(struct walk *walk, size_t begin, size_t end)
{
    write_map(walk, 1, begin, end);
    walk->output->text[walk->length++] = ' ';
}

static void write_char(struct walk *walk, uint32_t code_point, size_t begin, size_t end)
{
    uint8_t bytes[4];
    const size_t length = btk_utf8_encode(code_point, bytes);
    write_map(walk, length, begin, end);
    memcpy(walk->output->text + walk->length, bytes, length);
    walk->length += length;
}

// The next character from `position` on that cleaning does not remove.
static struct source_char next_char(const struct walk *walk, size_t position)
{
    const bool cleans = walk->bert->flags & BTK_BERT_CLEAN_TEXT;
    while (position < walk->text.length) {
        size_t length;
        const uint32_t code_point = btk_utf8_decode(walk->text.data + position, &length);
        const uint16_t classes = btk_unicode_classes(code_point);
        if (!cleans || !(classes & BTK_CLASS_BERT_CONTROL))
            return (struct source_char){code_point, classes, position, position + length};
        position += length;
    }
    return (struct source_char){0};
}

static size_t append_lower(const struct btk_bert *bert, uint32_t code_point, uint8_t *out)
{
    if (!(bert->flags & BTK_BERT_LOWERCASE)) return btk_utf8_encode(code_point, out);
    uint32_t lower[BTK_UNICODE_LOWERCASE_MAX];
    const size_t count = btk_unicode_to_lowercase(code_point, lower);
    size_t length = 0;
    for (size_t i = 0; i < count; i++) length += btk_utf8_encode(lower[i], out + length);
    return length;
}

static void fold(const struct btk_bert *bert, uint32_t code_point, struct btk_bert_folded *out)
{
    uint32_t parts[BTK_UNICODE_DECOMPOSED_MAX] = {code_point};
    const bool strips = bert->flags & BTK_BERT_STRIP_ACCENTS;
    const size_t count = strips ? btk_unicode_decompose(code_point, parts) : 1;
    // Lower-casing may double a part; none does after a decomposition.
    uint8_t bytes[4 * BTK_UNICODE_DECOMPOSED_MAX * BTK_UNICODE_LOWERCASE_MAX];
    size_t length = 0;
    for (size_t i = 0; i < count; i++) {
        if (strips && (btk_unicode_classes(parts[i]) & BTK_CLASS_BERT_MN)) continue;
        length += append_lower(bert, parts[i], bytes + length);
    }
    assert(length <= BTK_BERT_FOLDED_BYTES_MAX);
    *out = (struct btk_bert_folded){
        .code_point = code_point,
        .length = (uint8_t)length,
        .first_combines = btk_unicode_combining_class(parts[0]) != 0,
    };
    memcpy(out->bytes, bytes, length);
}

static const struct btk_bert_folded *folded(struct btk_bert *bert, uint32_t code_point)
{
    struct btk_bert_folded *const slot = &bert->memo[code_point % BTK_BERT_MEMO_SLOTS];
    if (slot->code_point != code_point) fold(bert, code_point, slot);
    return slot;
}

static void write_folded(struct walk *walk, struct source_char source)
{
    const struct btk_bert_folded *const result = folded(walk->bert, source.code_point);
    if (!result->length) return;
    if (btk_utf8_length(result->bytes[0]) != result->length) start_maps(walk);
    write_map(walk, result->length, source.begin, source.end);
    memcpy(walk->output->text + walk->length, result->bytes, result->length);
    walk->length += result->length;
}

// Does the decomposition of the character begin with a mark?
static bool is_mark(struct btk_bert *bert, struct source_char source)
{
    if (source.classes & BTK_CLASS_COMBINES) return true;
    return (source.classes & BTK_CLASS_DECOMPOSES)
           && folded(bert, source.code_point)->first_combines;
}

static bool is_set_apart(const struct btk_bert *bert, struct source_char source)
{
    return (bert->flags & BTK_BERT_CHINESE) && (source.classes & BTK_CLASS_CHINESE);
}

static bool is_mark_at(const struct walk *walk, size_t position)
{
    if (position >= walk->text.length) return false;
    const uint8_t byte = walk->text.data[position];
    if (byte >= 0x20 && byte < 0x7f) return false;
    const struct source_char source = next_char(walk, position);
    return source.end && !is_set_apart(walk->bert, source) && is_mark(walk->bert, source);
}

static size_t append_decomposed(struct btk_unicode_char *chars, size_t count, uint32_t code_point)
{
    uint32_t parts[BTK_UNICODE_DECOMPOSED_MAX];
    const size_t part_count = btk_unicode_decompose(code_point, parts);
    for (size_t i = 0; i < part_count; i++)
        chars[count + i] = (struct btk_unicode_char){
            .code_point = parts[i],
            .position = (uint32_t)(count + i),
            .combining_class = btk_unicode_combining_class(parts[i]),
            .inserted = i > 0,
        };
    return count + part_count;
}

static void write_stripped(struct walk *walk, uint32_t code_point, struct source_char source)
{
    if (btk_unicode_classes(code_point) & BTK_CLASS_BERT_MN) return;
    uint32_t lower[BTK_UNICODE_LOWERCASE_MAX] = {code_point};
    const bool lowers = walk->bert->flags & BTK_BERT_LOWERCASE;
    const size_t count = lowers ? btk_unicode_to_lowercase(code_point, lower) : 1;
    for (size_t i = 0; i < count; i++) write_char(walk, lower[i], source.begin, source.end);
}

// A character with marks behind it, decomposed and reordered together. Returns where the run ends.
static size_t write_run(struct walk *walk, struct source_char first)
{
    struct btk_unicode_char *const chars = walk->bert->chars;
    size_t count = append_decomposed(chars, 0, first.code_point);
    size_t end = first.end;
    while (is_mark_at(walk, end)) {
        const struct source_char mark = next_char(walk, end);
        count = append_decomposed(chars, count, mark.code_point);
        end = mark.end;
    }
    btk_unicode_order(chars, count);
    struct source_char source = first;
    bool is_first = true;
    for (size_t i = 0; i < count; i++) {
        if (!chars[i].inserted && !is_first) source = next_char(walk, source.end);
        is_first = false;
        write_stripped(walk, chars[i].code_point, source);
    }
    return end;
}

// One character that is not plain ASCII, with the marks behind it. Returns where the next begins.
static size_t write_one(struct walk *walk, size_t position)
{
    struct btk_bert *const bert = walk->bert;
    const struct source_char source = next_char(walk, position);
    if (!source.end) return walk->text.length;
    if ((bert->flags & BTK_BERT_CLEAN_TEXT) && (source.classes & BTK_CLASS_WHITESPACE)) {
        write_space(walk, source.begin, source.end);
        return source.end;
    }
    if (is_set_apart(bert, source)) {
        write_space(walk, source.begin, source.end);
        write_folded(walk, source);
        write_space(walk, source.begin, source.end);
        return source.end;
    }
    const uint16_t moves = BTK_CLASS_DECOMPOSES | BTK_CLASS_COMBINES;
    if ((bert->flags & BTK_BERT_STRIP_ACCENTS) && (source.classes & moves)
        && is_mark_at(walk, source.end))
        return write_run(walk, source);
    if (source.classes & (moves | BTK_CLASS_HAS_LOWERCASE | BTK_CLASS_BERT_MN))
        write_folded(walk, source);
    else
        write_char(walk, source.code_point, source.begin, source.end);
    return source.end;
}

// A-Z of eight bytes become a-z; bytes above ASCII stay.
static inline uint64_t lower_word(uint64_t word)
{
    const uint64_t ones = 0x0101010101010101u;
    const uint64_t low = word & 0x7f * ones;
    const uint64_t is_upper = (low + (0x80 - 'A') * ones) ^ (low + (0x7f - 'Z') * ones);
    return word | (is_upper & ~word & 0x80 * ones) >> 2;
}

enum { SHORT_BYTES = 16 };

// A few bytes between others, without a call; what is written behind them does not stay.
static inline void lower_short(uint8_t *out, const uint8_t *text)
{
    uint64_t words[2];
    memcpy(words, text, sizeof words);
    words[0] = lower_word(words[0]);
    words[1] = lower_word(words[1]);
    memcpy(out, words, sizeof words);
}

static void write_ascii(struct walk *walk, size_t position, size_t length)
{
    const struct btk_bert *const bert = walk->bert;
    const uint8_t *const source = walk->text.data + position;
    uint8_t *const out = walk->output->text + walk->length;
    if (!(bert->flags & BTK_BERT_LOWERCASE))
        memcpy(out, source, length);
    else if (length <= SHORT_BYTES && walk->text.length - position >= SHORT_BYTES)
        lower_short(out, source);
    else
        bert->kernels->ascii_lower(out, source, length);
    if ((bert->flags & BTK_BERT_CLEAN_TEXT) && !bert->keeps_spaces)
        for (size_t i = 0; i < length; i++)
            if (out[i] < ' ') out[i] = ' ';
    if (walk->output->begins) {
        if (position != walk->length) start_maps(walk);
        if (walk->output->has_moved) fill_places(walk, walk->length, position, length);
    }
    walk->length += length;
}

// A Chinese character of three bytes or four, which nothing changes, with a space on either side.
static inline void write_apart(struct walk *walk, size_t position, size_t length)
{
    const uint8_t *const source = walk->text.data + position;
    uint8_t *const out = walk->output->text + walk->length;
    write_map(walk, length + 2, position, position + length);
    out[0] = ' ';
    memcpy(out + 1, source, 2);
    memcpy(out + length - 1, source + length - 2, 2);
    out[length + 1] = ' ';
    walk->length += length + 2;
}

// The character stays as it is.
static inline void write_same(struct walk *walk, size_t position, size_t length)
{
    const uint8_t *const source = walk->text.data + position;
    uint8_t *const out = walk->output->text + walk->length;
    write_map(walk, length, position, position + length);
    memcpy(out, source, 2);
    memcpy(out + length - 2, source + length - 2, 2);
    walk->length += length;
}

// The characters above ASCII from `position` on that do not depend on what stands behind them. Returns
// where they end, at the latest the first that begins at `limit`.
static size_t write_simple(struct walk *walk, size_t position, size_t limit)
{
    const uint16_t apart = walk->bert->apart_class, folds = walk->bert->fold_classes;
    const uint16_t special = walk->bert->special_classes;
    while (position < limit && walk->text.data[position] >= 0x80) {
        size_t length;
        const uint32_t code_point = btk_utf8_decode(walk->text.data + position, &length);
        const uint16_t classes = btk_unicode_classes(code_point);
        if (classes & special) break;
        if (classes & apart)
            write_apart(walk, position, length);
        else if (classes & folds)
            write_folded(walk,
                         (struct source_char){code_point, classes, position, position + length});
        else
            write_same(walk, position, length);
        position += length;
    }
    return position;
}

// What is not plain ASCII, one character or more. Returns where it ends.
static size_t write_others(struct walk *walk, size_t position, size_t limit)
{
    const size_t end = write_simple(walk, position, limit);
    if (end > position && (end >= limit || walk->text.data[end] < 0x80)) return end;
    return write_one(walk, end);
}

// The first byte from `position` on that needs a closer look; `limit` when there is none.
static size_t plain_end(const uint64_t *stops, size_t position, size_t limit)
{
    while (position < limit) {
        const uint64_t stop = stops[position / 64] >> (position % 64);
        if (stop) return btk_min_size(position + (size_t)__builtin_ctzll(stop), limit);
        position += 64 - position % 64;
    }
    return limit;
}

// A chunk of at most CHUNK_BYTES; the last character may reach beyond it. Returns where it ended.
static size_t write_chunk(struct walk *walk, size_t begin)
{
    const size_t length = btk_min_size(walk->text.length - begin, CHUNK_BYTES);
    const bool cleans = walk->bert->flags & BTK_BERT_CLEAN_TEXT;
    struct btk_bert_masks masks[CHUNK_BLOCKS];
    uint64_t stops[CHUNK_BLOCKS];
    walk->bert->kernels->bert_masks(walk->text.data + begin, length, masks);
    for (size_t i = 0; i < (length + 63) / 64; i++)
        stops[i] = masks[i].high | (cleans ? masks[i].control : 0);
    size_t position = 0;
    while (position < length) {
        const size_t end = plain_end(stops, position, length);
        if (end > position) write_ascii(walk, begin + position, end - position);
        position = end;
        if (end < length) position = write_others(walk, begin + end, begin + length) - begin;
    }
    return begin + position;
}

size_t btk_bert_normalize(struct btk_bert *bert, struct btk_bytes text, uint32_t base,
                          struct btk_bert_output *output)
{
    struct walk walk = {.bert = bert, .text = text, .base = base, .output = output};
    output->has_moved = false;
    for (size_t position = 0; position < text.length;) {
        position = write_chunk(&walk, position);
        btk_progress_tick(&bert->progress);
    }
    return walk.length;
}
