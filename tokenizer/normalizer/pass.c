// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/normalizer/pass.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/utf8.h"
#include "tokenizer/byte_replace.h"

// The place of one character.
struct place {
    uint32_t begin, end;
    bool is_empty;
};

static bool fail(struct btk_pass *pass, int status)
{
    if (!pass->status) pass->status = status;
    return false;
}

static bool grow_map(uint32_t **map, size_t count)
{
    uint32_t *const grown = realloc(*map, count * sizeof **map);
    if (grown) *map = grown;
    return grown;
}

static bool grow_text(struct btk_pass_buffer *buffer, size_t capacity)
{
    uint8_t *const text = realloc(buffer->text, capacity + BTK_PASS_SLACK_BYTES);
    if (!text) return false;
    buffer->text = text;
    buffer->text_capacity = capacity;
    return true;
}

static bool grow_maps(struct btk_pass_buffer *buffer, size_t capacity)
{
    if (!grow_map(&buffer->begins, capacity) || !grow_map(&buffer->ends, capacity)) return false;
    buffer->map_capacity = capacity;
    return true;
}

// A text may have grown for a caller who wanted no maps, so each has its own capacity.
static bool grow(struct btk_pass *pass, size_t needed)
{
    struct btk_pass_buffer *const buffer = pass->buffer;
    if (needed > UINT32_MAX) return fail(pass, -E2BIG);
    const size_t capacity = btk_min_size(btk_max_size(needed, 2 * pass->length), UINT32_MAX);
    ++*pass->spill_count;
    if (buffer->text_capacity < needed && !grow_text(buffer, capacity)) return fail(pass, -ENOMEM);
    if (pass->wants_maps && buffer->map_capacity < needed && !grow_maps(buffer, capacity))
        return fail(pass, -ENOMEM);
    return true;
}

static bool reserve(struct btk_pass *pass, size_t bytes)
{
    const size_t needed = pass->length + bytes;
    if (pass->status) return false;
    return (needed <= pass->buffer->text_capacity
            && (!pass->wants_maps || needed <= pass->buffer->map_capacity))
           || grow(pass, needed);
}

// Places of characters [begin, end) of a text that stands at `base`.
static void fill_places(const struct btk_pass *pass, size_t out, struct btk_bytes text,
                        uint32_t base)
{
    uint32_t *const begins = pass->buffer->begins + out, *const ends = pass->buffer->ends + out;
    for (size_t at = 0; at < text.length;) {
        const size_t ascii = pass->kernels->ascii_prefix(text.data + at, text.length - at);
        for (size_t i = at; i < at + ascii; i++) {
            begins[i] = base + (uint32_t)i;
            ends[i] = base + (uint32_t)i + 1;
        }
        at += ascii;
        while (at < text.length && text.data[at] >= 0x80) {
            const size_t bytes = btk_utf8_length(text.data[at]);
            for (size_t i = at; i < at + bytes; i++) {
                begins[i] = base + (uint32_t)at;
                ends[i] = base + (uint32_t)(at + bytes);
            }
            at += bytes;
        }
    }
}

// From here on byte i is no longer byte i of the source.
static void make_maps(struct btk_pass *pass)
{
    pass->has_maps = true;
    fill_places(pass, 0, (struct btk_bytes){pass->buffer->text, pass->length}, pass->source->base);
}

// `bytes` were written, `empty` of them in an empty place and these first.
static void count_empty(struct btk_pass *pass, size_t bytes, size_t empty)
{
    if (!pass->all_is_empty) return;
    pass->out_empty += empty;
    pass->all_is_empty = empty == bytes;
}

// Copies maps of the source's bytes, and moves on.
static void write_places(struct btk_pass *pass, size_t from, size_t to)
{
    const struct btk_span *const source = pass->source;
    const size_t bytes = to - from;
    if (pass->wants_maps && !pass->has_maps && pass->length != from) make_maps(pass);
    if (pass->has_maps && source->begins) {
        memcpy(pass->buffer->begins + pass->length, source->begins + from,
               bytes * sizeof *source->begins);
        memcpy(pass->buffer->ends + pass->length, source->ends + from,
               bytes * sizeof *source->ends);
    } else if (pass->has_maps) {
        fill_places(pass, pass->length, (struct btk_bytes){source->text.data + from, bytes},
                    source->base + (uint32_t)from);
    }
    const size_t empty = pass->empty_bytes > from ? pass->empty_bytes - from : 0;
    count_empty(pass, bytes, btk_min_size(empty, bytes));
    pass->length += bytes;
}

static void write_verbatim(struct btk_pass *pass, size_t from, size_t to)
{
    if (from == to || !reserve(pass, to - from)) return;
    memcpy(pass->buffer->text + pass->length, pass->source->text.data + from, to - from);
    write_places(pass, from, to);
}

static void start(struct btk_pass *pass)
{
    if (pass->starts) return;
    pass->starts = true;
    pass->has_maps = pass->wants_maps && pass->source->begins;
    if (!reserve(pass, pass->source->text.length)) return;
    write_verbatim(pass, 0, pass->at);
}

void btk_pass_begin_transform(struct btk_pass *pass)
{
    if (!pass->empty_bytes) return;
    pass->at = pass->empty_bytes;
    start(pass);
}

static void put_all(struct btk_pass *pass, size_t from, size_t to)
{
    size_t bytes;
    for (size_t at = from; at < to && !pass->status; at += bytes)
        btk_pass_put(pass, btk_utf8_decode(pass->source->text.data + at, &bytes), 0);
}

void btk_pass_copy(struct btk_pass *pass, size_t from, size_t to)
{
    if (pass->at != from) {
        put_all(pass, from, to);
        return;
    }
    if (pass->starts) write_verbatim(pass, from, to);
    pass->at = to;
}

void btk_pass_lower_ascii(struct btk_pass *pass, size_t from, size_t to)
{
    const uint8_t *const text = pass->source->text.data;
    if (pass->at != from) {
        for (size_t at = from; at < to && !pass->status; at++)
            btk_pass_put(pass, text[at] >= 'A' && text[at] <= 'Z' ? text[at] | 0x20u : text[at], 0);
        return;
    }
    start(pass);
    if (!reserve(pass, to - from)) return;
    pass->kernels->ascii_lower(pass->buffer->text + pass->length, text + from, to - from);
    write_places(pass, from, to);
    pass->at = to;
}

void btk_pass_skip(struct btk_pass *pass, uint64_t chars)
{
    start(pass);
    const struct btk_bytes text = pass->source->text;
    for (; chars > 0 && pass->at < text.length; chars--)
        pass->at += btk_utf8_length(text.data[pass->at]);
}

void btk_pass_remove(struct btk_pass *pass, size_t from, size_t to)
{
    start(pass);
    if (pass->at == from)
        pass->at = to;
    else
        btk_pass_skip(pass, btk_utf8_count(pass->source->text.data + from, to - from));
}

bool btk_pass_is_plain(const struct btk_pass *pass)
{
    return pass->starts && !pass->wants_maps && !pass->all_is_empty;
}

void btk_pass_replace_byte(struct btk_pass *pass, uint8_t byte, struct btk_bytes content)
{
    enum { BLOCK_BYTES = 16 * 1024 };
    const struct btk_bytes text = pass->source->text;
    uint8_t padded[BTK_REPLACED_BYTES_MAX] = {0};
    memcpy(padded, content.data, content.length);
    while (pass->at < text.length) {
        const size_t end = btk_min_size(pass->at + BLOCK_BYTES, text.length);
        if (!reserve(pass, (end - pass->at) * content.length)) return;
        uint8_t *const out = pass->buffer->text + pass->length;
        const uint8_t *const out_end = btk_replace_byte(text.data + pass->at, text.data + end, byte,
                                                        padded, content.length, out);
        pass->length += (size_t)(out_end - out);
        pass->at = end;
        btk_progress_tick(pass->progress);
    }
}

static struct place place_at(const struct btk_pass *pass, size_t begin, size_t end)
{
    return (struct place){btk_span_source_begin(pass->source, begin),
                          btk_span_source_end(pass->source, end - 1), begin < pass->empty_bytes};
}

// Of the character before `at`.
static struct place place_before(const struct btk_pass *pass)
{
    if (!pass->at) return (struct place){pass->origin, pass->origin, true};
    size_t begin = pass->at - 1;
    while (begin > 0 && (pass->source->text.data[begin] & 0xc0) == 0x80) begin--;
    return place_at(pass, begin, pass->at);
}

static void write_at_place(struct btk_pass *pass, struct btk_bytes text, struct place place)
{
    if (!reserve(pass, text.length)) return;
    memcpy(pass->buffer->text + pass->length, text.data, text.length);
    if (pass->has_maps) {
        uint32_t *const begins = pass->buffer->begins + pass->length;
        uint32_t *const ends = pass->buffer->ends + pass->length;
        for (size_t i = 0; i < text.length; i++) begins[i] = place.begin;
        for (size_t i = 0; i < text.length; i++) ends[i] = place.end;
    }
    count_empty(pass, text.length, place.is_empty ? text.length : 0);
    pass->length += text.length;
}

void btk_pass_insert(struct btk_pass *pass, struct btk_bytes text)
{
    if (!text.length) return;
    start(pass);
    if (pass->wants_maps && !pass->has_maps) make_maps(pass);
    write_at_place(pass, text, place_before(pass));
}

void btk_pass_put(struct btk_pass *pass, uint32_t code_point, int64_t change)
{
    uint8_t bytes[4];
    const struct btk_bytes text = {bytes, btk_utf8_encode(code_point, bytes)};
    if (change > 0) {
        btk_pass_insert(pass, text);
        return;
    }
    start(pass);
    const size_t begin = pass->at;
    if (begin >= pass->source->text.length) {
        fail(pass, -EDOM);
        return;
    }
    const size_t replaced = btk_utf8_length(pass->source->text.data[begin]);
    const struct place place = place_at(pass, begin, begin + replaced);
    if (pass->wants_maps && !pass->has_maps && (pass->length != begin || replaced != text.length))
        make_maps(pass);
    pass->at += replaced;
    btk_pass_skip(pass, (uint64_t)-change);
    write_at_place(pass, text, place);
}

bool btk_pass_reserve_chars(struct btk_pass *pass, struct btk_pass_chars *chars, size_t count)
{
    if (count <= chars->capacity) return true;
    const size_t capacity = btk_max_size(count, 2 * chars->capacity);
    struct btk_unicode_char *const grown = realloc(chars->chars, capacity * sizeof *grown);
    if (!grown) return fail(pass, -ENOMEM);
    *chars = (struct btk_pass_chars){grown, capacity};
    ++*pass->spill_count;
    return true;
}
