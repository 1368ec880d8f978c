// SPDX-License-Identifier: Apache-2.0
// The normalizer of a SentencePiece model: charsmap and spaces in one walk. Source: normalizer.cc of
// sentencepiece 0.2.3, Normalize() and NormalizePrefix().
//
// At each place a user-defined symbol stays as it is, else the longest key of the charsmap is replaced,
// else a character stays. (The reference's Precompiled takes the shortest key, and looks at grapheme
// clusters: precompiled.c.) Spaces that follow one another are one, those at both ends go away, one is
// put before the text, and a space is written as U+2581: each as the flags say.
#include <string.h>

#include "common/utf8.h"
#include "tokenizer/normalizer/charsmap.h"
#include "tokenizer/normalizer/step_functions.h"
#include "tokenizer/space_mark.h"

enum { PROGRESS_EVERY = 1 << 14 };

static const struct btk_bytes plain_space = {(const uint8_t *)" ", 1};

struct symbols {
    const uint32_t *ends;
    const uint8_t *texts;
    uint32_t count;
};

struct walk {
    struct btk_pass *pass;
    struct btk_bytes text;
    const uint32_t *units;
    uint32_t unit_count;
    struct btk_bytes texts; // of the charsmap
    struct symbols symbols; // sorted by their bytes
    const uint8_t *hits;
    struct btk_bytes mark; // what a space is written as
    uint32_t flags;
    size_t kept; // of the source, from here on nothing was said yet
};

// What stands next: so many bytes of the source become the text.
struct prefix {
    struct btk_bytes text;
    size_t consumed;
};

static struct walk walk_of(const struct btk_step_runner *runner, struct btk_pass *pass)
{
    const struct btk_step *const step = runner->step;
    const uint32_t unit_count = step->numbers[0], symbol_count = step->numbers[2];
    const uint8_t *const data = runner->data.data;
    const uint32_t *const units = (const void *)data;
    const uint32_t *const ends = units + unit_count;
    const uint32_t symbol_bytes = symbol_count ? ends[symbol_count - 1] : 0;
    const uint8_t *const symbol_texts = (const uint8_t *)(ends + symbol_count);
    const uint8_t *const texts = symbol_texts + symbol_bytes;
    return (struct walk){
        .pass = pass,
        .text = pass ? pass->source->text : (struct btk_bytes){0},
        .units = units,
        .unit_count = unit_count,
        .texts = {texts, runner->data.length - (size_t)(texts - data)},
        .symbols = {ends, symbol_texts, symbol_count},
        .hits = runner->hits,
        .mark = step->flags & BTK_NORMALIZER_ESCAPES_SPACES ? btk_space_mark : plain_space,
        .flags = step->flags,
    };
}

static struct btk_bytes symbol(const struct symbols *symbols, uint32_t index)
{
    const uint32_t begin = index ? symbols->ends[index - 1] : 0;
    return (struct btk_bytes){symbols->texts + begin, symbols->ends[index] - begin};
}

// The first symbol of [begin, end) whose byte at `depth` is at least `byte`; all share what is before.
static uint32_t lower_bound(const struct symbols *symbols, uint32_t begin, uint32_t end,
                            size_t depth, unsigned byte)
{
    while (begin < end) {
        const uint32_t middle = begin + (end - begin) / 2;
        const struct btk_bytes text = symbol(symbols, middle);
        if (text.length <= depth || text.data[depth] < byte)
            begin = middle + 1;
        else
            end = middle;
    }
    return begin;
}

// The longest symbol that the text begins with; 0: none.
static size_t longest_symbol(const struct symbols *symbols, struct btk_bytes text)
{
    uint32_t begin = 0, end = symbols->count;
    size_t longest = 0;
    for (size_t depth = 0; begin < end && depth < text.length; depth++) {
        begin = lower_bound(symbols, begin, end, depth, text.data[depth]);
        end = lower_bound(symbols, begin, end, depth, text.data[depth] + 1u);
        if (begin < end && symbol(symbols, begin).length == depth + 1) longest = depth + 1;
    }
    return longest;
}

static bool try_text_of_value(const struct walk *walk, uint32_t value, struct btk_bytes *out_text)
{
    if (value >= walk->texts.length) return false;
    const struct btk_bytes text = btk_charsmap_text(walk->texts, value);
    if (text.length && (text.data[0] & 0xc0) == 0x80) return false;
    *out_text = text;
    return true;
}

// The longest key that the text begins with; consumed is 0: none.
static struct prefix longest_key(const struct walk *walk, struct btk_bytes text)
{
    struct prefix found = {.consumed = 0};
    if (!walk->unit_count) return found;
    uint32_t node = btk_charsmap_offset(walk->units[0]);
    for (size_t i = 0; i < text.length && text.data[i]; i++) {
        node ^= text.data[i];
        if (node >= walk->unit_count) break;
        const uint32_t unit = walk->units[node];
        if (!btk_charsmap_is_of(unit, text.data[i])) break;
        node ^= btk_charsmap_offset(unit);
        if (!btk_charsmap_has_value(unit)) continue;
        if (node >= walk->unit_count) break;
        if (try_text_of_value(walk, btk_charsmap_value(walk->units[node]), &found.text))
            found.consumed = i + 1;
    }
    return found;
}

static struct prefix next_prefix(const struct walk *walk, size_t at)
{
    const struct btk_bytes rest = {walk->text.data + at, walk->text.length - at};
    const bool is_plain = rest.data[0] < 0x80 && !walk->hits[rest.data[0]];
    const struct prefix one = {{rest.data, 1}, 1};
    if (is_plain) return one;
    const size_t symbol_bytes = longest_symbol(&walk->symbols, rest);
    if (symbol_bytes) return (struct prefix){{rest.data, symbol_bytes}, symbol_bytes};
    const struct prefix key = longest_key(walk, rest);
    // A key ends where a character does in every sound model; others are not followed into one.
    const size_t end = at + key.consumed;
    if (key.consumed && (end == walk->text.length || (walk->text.data[end] & 0xc0) != 0x80))
        return key;
    const size_t length = btk_utf8_length(rest.data[0]);
    return (struct prefix){{rest.data, length}, length};
}

void btk_sentencepiece_prepare(struct btk_step_runner *runner)
{
    const struct walk walk = walk_of(runner, NULL);
    for (unsigned c = 0; c < 128; c++) {
        const uint32_t first = lower_bound(&walk.symbols, 0, walk.symbols.count, 0, c);
        runner->hits[c] = first < walk.symbols.count && symbol(&walk.symbols, first).data[0] == c;
        if (!walk.unit_count) continue;
        const uint32_t node = btk_charsmap_offset(walk.units[0]) ^ c;
        runner->hits[c] |= node < walk.unit_count && btk_charsmap_is_of(walk.units[node], c);
    }
}

static void keep_until(struct walk *walk, size_t end)
{
    if (end > walk->kept) btk_pass_copy(walk->pass, walk->kept, end);
    walk->kept = end;
}

// Source bytes [at, at + consumed) become the text, whose spaces become marks.
static void replace(struct walk *walk, size_t at, size_t consumed, struct btk_bytes text)
{
    size_t removed = btk_utf8_count(walk->text.data + at, consumed) - 1;
    bool is_first = true;
    keep_until(walk, at);
    for (size_t i = 0, bytes; i < text.length; i += bytes) {
        uint32_t code_point = btk_utf8_decode(text.data + i, &bytes);
        size_t unused;
        if (code_point == ' ') code_point = btk_utf8_decode(walk->mark.data, &unused);
        btk_pass_put(walk->pass, code_point, is_first ? -(int64_t)removed : 1);
        is_first = false;
    }
    walk->kept = at + consumed;
}

static bool is_kept(const struct walk *walk, size_t at, const struct prefix *prefix,
                    struct btk_bytes text)
{
    return text.length == prefix->consumed && text.data == walk->text.data + at
           && (walk->mark.length == 1 || !memchr(text.data, ' ', text.length));
}

// Spaces at the beginning, as long as there is nothing else.
static size_t skip_leading(const struct walk *walk)
{
    size_t at = 0;
    while (walk->flags & BTK_NORMALIZER_REMOVES_SPACES && at < walk->text.length) {
        const struct prefix prefix = next_prefix(walk, at);
        if (prefix.text.length != 1 || prefix.text.data[0] != ' ') break;
        at += prefix.consumed;
    }
    return at;
}

// Does it end in a space?
static bool write_text(struct walk *walk, size_t at)
{
    const bool removes = walk->flags & BTK_NORMALIZER_REMOVES_SPACES;
    bool was_space = removes;
    for (size_t count = 0; at < walk->text.length && !walk->pass->status; count++) {
        if (count % PROGRESS_EVERY == 0) btk_progress_tick(walk->pass->progress);
        const struct prefix prefix = next_prefix(walk, at);
        struct btk_bytes text = prefix.text;
        while (was_space && text.length && text.data[0] == ' ') text.data++, text.length--;
        if (!text.length) {
            keep_until(walk, at);
            btk_pass_remove(walk->pass, at, at + prefix.consumed);
            walk->kept = at + prefix.consumed;
        } else if (!is_kept(walk, at, &prefix, text)) {
            replace(walk, at, prefix.consumed, text);
        }
        if (text.length) was_space = removes && text.data[text.length - 1] == ' ';
        at += prefix.consumed;
    }
    return was_space;
}

static bool ends_with(const uint8_t *text, size_t length, struct btk_bytes mark)
{
    return length >= mark.length
           && memcmp(text + length - mark.length, mark.data, mark.length) == 0;
}

// Marks at the end of what is written go away, whatever they were in the source.
static void trim(struct walk *walk)
{
    struct btk_pass *const pass = walk->pass;
    size_t end = walk->text.length;
    while (end > walk->kept
           && ends_with(walk->text.data + walk->kept, end - walk->kept, walk->mark))
        end -= walk->mark.length;
    keep_until(walk, btk_max_size(end, walk->kept));
    if (walk->kept < walk->text.length) btk_pass_remove(pass, walk->kept, walk->text.length);
    walk->kept = walk->text.length;
    while (pass->starts && !pass->status && ends_with(pass->buffer->text, pass->length, walk->mark))
        pass->length -= walk->mark.length;
}

// llama.cpp: only one that was a space goes away. It was written, not kept, for it was replaced.
static void drop_mark(struct walk *walk, bool ends_in_space)
{
    struct btk_pass *const pass = walk->pass;
    if (ends_in_space && pass->starts && !pass->status
        && ends_with(pass->buffer->text, pass->length, walk->mark))
        pass->length -= walk->mark.length;
}

void btk_normalizer_sentencepiece(struct btk_step_runner *runner, struct btk_pass *pass)
{
    struct walk walk = walk_of(runner, pass);
    if (!walk.text.length) return;
    const bool adds = walk.flags & BTK_NORMALIZER_ADDS_SPACE;
    const bool is_suffix = walk.flags & BTK_NORMALIZER_SPACE_IS_SUFFIX;
    const size_t begin = skip_leading(&walk);
    if (begin) btk_pass_remove(pass, 0, begin);
    walk.kept = begin;
    if (begin == walk.text.length) return;
    if (adds && !is_suffix) btk_pass_insert(pass, walk.mark);
    const bool ends_in_space = write_text(&walk, begin);
    if (walk.flags & BTK_NORMALIZER_KEEPS_MARKS)
        drop_mark(&walk, ends_in_space);
    else if (walk.flags & BTK_NORMALIZER_REMOVES_SPACES)
        trim(&walk);
    keep_until(&walk, walk.text.length);
    if (adds && is_suffix) btk_pass_insert(pass, walk.mark);
}
