// SPDX-License-Identifier: Apache-2.0
// NFC, NFD, NFKC, NFKD. Source: UAX 15, with the changes that decompose.rs and recompose.rs of
// unicode-normalization-alignments give with each character.
//
// A stretch of text that a form may change begins with a character that nothing before it can change,
// and ends where the next one stands. All others are copied as they are.
#include <string.h>

#include "common/unicode_normal.h"
#include "common/utf8.h"
#include "tokenizer/normalizer/step_functions.h"

// Runs of marks from this length on are sorted in linear time, which takes room.
enum { LONG_RUN = 512 };

struct walk {
    struct btk_pass *pass;
    struct btk_pass_chars *chars; // of a stretch
    struct btk_pass_chars *spare; // as many, to sort
    struct btk_bytes text;
    bool composes;
    bool is_compatible;
    uint16_t check; // enum btk_unicode_normal_bit: 0 for forms that do not compose
};

enum standing {
    STARTS,  // and stays as it is
    FOLLOWS, // a mark that stays, if it is in its order
    CHANGES,
};

static enum standing standing_of(const struct walk *walk, uint32_t c, uint8_t *out_class)
{
    const uint16_t classes = btk_unicode_classes(c), bits = btk_unicode_normal_bits(c);
    *out_class = 0;
    const bool changes = walk->composes        ? bits & walk->check
                         : walk->is_compatible ? bits & BTK_NORMAL_COMPATIBLE
                                               : classes & BTK_CLASS_DECOMPOSES;
    if (changes) return CHANGES;
    if (!(classes & BTK_CLASS_COMBINES)) return STARTS;
    *out_class = btk_unicode_combining_class(c);
    return FOLLOWS;
}

static size_t append_decomposed(const struct walk *walk, size_t count, uint32_t c)
{
    uint32_t parts[BTK_UNICODE_COMPATIBLE_MAX];
    const size_t part_count = walk->is_compatible ? btk_unicode_decompose_compatible(c, parts)
                                                  : btk_unicode_decompose(c, parts);
    for (size_t i = 0; i < part_count; i++)
        walk->chars->chars[count + i] = (struct btk_unicode_char){
            .code_point = parts[i],
            .position = (uint32_t)(count + i),
            .combining_class = btk_unicode_combining_class(parts[i]),
            .inserted = i > 0,
        };
    return count + part_count;
}

// Composes in place; `position` is the change from now on. What cannot be composed with the starter
// is written behind it, in order.
static size_t compose(struct btk_unicode_char *chars, size_t count)
{
    size_t length = 0;
    struct btk_unicode_char *starter = NULL;
    int last_class = -1; // of what stands between the starter and here
    for (size_t i = 0; i < count; i++) {
        const struct btk_unicode_char now = chars[i];
        const int class = now.combining_class;
        const bool may_join = starter && (last_class < 0 || last_class < class);
        const uint32_t joined =
            may_join ? btk_unicode_compose(starter->code_point, now.code_point) : 0;
        if (joined) {
            starter->code_point = joined;
            starter->position += now.position - 1u;
            continue;
        }
        chars[length] = now;
        if (class == 0) starter = &chars[length];
        last_class = class == 0 || !starter ? -1 : class;
        length++;
    }
    return length;
}

static bool is_same(const struct walk *walk, size_t count, size_t begin, size_t end)
{
    size_t at = begin, bytes;
    for (size_t i = 0; i < count; i++, at += bytes) {
        const struct btk_unicode_char c = walk->chars->chars[i];
        if (at >= end || c.position != 0) return false;
        if (btk_utf8_decode(walk->text.data + at, &bytes) != c.code_point) return false;
    }
    return at == end;
}

// By combining class, stably.
static void sort_long_run(struct walk *walk, struct btk_unicode_char *run, size_t count)
{
    if (!btk_pass_reserve_chars(walk->pass, walk->spare, count)) return;
    size_t begins[256] = {0};
    for (size_t i = 0; i < count; i++) begins[run[i].combining_class]++;
    size_t begin = 0;
    for (unsigned class = 0; class < 256; class ++) {
        const size_t class_count = begins[class];
        begins[class] = begin;
        begin += class_count;
    }
    for (size_t i = 0; i < count; i++)
        walk->spare->chars[begins[run[i].combining_class]++] = run[i];
    memcpy(run, walk->spare->chars, count * sizeof *run);
}

static void order(struct walk *walk, size_t count)
{
    struct btk_unicode_char *const chars = walk->chars->chars;
    for (size_t begin = 0, end; begin < count; begin = end) {
        end = begin + 1;
        if (!chars[begin].combining_class) continue;
        while (end < count && chars[end].combining_class) end++;
        if (end - begin < LONG_RUN)
            btk_unicode_order(chars + begin, end - begin);
        else
            sort_long_run(walk, chars + begin, end - begin);
    }
}

static void write_stretch(struct walk *walk, size_t begin, size_t end)
{
    size_t count = 0, bytes;
    for (size_t at = begin; at < end; at += bytes) {
        if (!btk_pass_reserve_chars(walk->pass, walk->chars, count + BTK_UNICODE_COMPATIBLE_MAX))
            return;
        count = append_decomposed(walk, count, btk_utf8_decode(walk->text.data + at, &bytes));
    }
    struct btk_unicode_char *const chars = walk->chars->chars;
    order(walk, count);
    for (size_t i = 0; i < count; i++) chars[i].position = chars[i].inserted;
    if (walk->composes) count = compose(chars, count);
    if (is_same(walk, count, begin, end)) {
        btk_pass_copy(walk->pass, begin, end);
        return;
    }
    for (size_t i = 0; i < count && !walk->pass->status; i++)
        btk_pass_put(walk->pass, chars[i].code_point, (int32_t)chars[i].position);
}

// Where the next starter stands that nothing changes.
static size_t stretch_end(const struct walk *walk, size_t at)
{
    uint8_t class;
    for (size_t bytes; at < walk->text.length; at += bytes) {
        if (walk->text.data[at] < 0x80) break;
        const uint32_t c = btk_utf8_decode(walk->text.data + at, &bytes);
        if (standing_of(walk, c, &class) == STARTS) break;
    }
    return at;
}

// From `at` on to where something changes: *out_starter is the last starter before that.
static size_t unchanged_end(const struct walk *walk, size_t at, size_t *out_starter)
{
    const struct btk_bytes text = walk->text;
    uint8_t last_class = 0, class;
    while (at < text.length) {
        const size_t ascii = walk->pass->kernels->ascii_prefix(text.data + at, text.length - at);
        if (ascii) {
            at += ascii;
            *out_starter = at - 1;
            last_class = 0;
        }
        for (size_t bytes; at < text.length && text.data[at] >= 0x80; at += bytes) {
            const enum standing standing =
                standing_of(walk, btk_utf8_decode(text.data + at, &bytes), &class);
            if (standing == CHANGES || (standing == FOLLOWS && class < last_class)) return at;
            if (standing == STARTS) *out_starter = at;
            last_class = class;
        }
    }
    *out_starter = at;
    return at;
}

void btk_normalizer_form(struct btk_step_runner *runner, struct btk_pass *pass)
{
    const uint32_t flags = runner->step->flags;
    struct walk walk = {.pass = pass,
                        .chars = &runner->chars[0],
                        .spare = &runner->chars[1],
                        .text = pass->source->text,
                        .composes = flags & BTK_NORMALIZER_COMPOSES,
                        .is_compatible = flags & BTK_NORMALIZER_COMPATIBLE};
    walk.check = walk.is_compatible ? BTK_NORMAL_NFKC_CHECK : BTK_NORMAL_NFC_CHECK;
    btk_pass_begin_transform(pass);
    for (size_t begin = 0; begin < walk.text.length && !pass->status;) {
        btk_progress_tick(pass->progress);
        size_t starter = begin;
        const size_t change = unchanged_end(&walk, begin, &starter);
        btk_pass_copy(pass, begin, starter);
        if (change == walk.text.length && starter == change) break;
        begin = stretch_end(&walk, change);
        write_stretch(&walk, starter, begin);
    }
}
