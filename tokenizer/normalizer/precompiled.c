// SPDX-License-Identifier: Apache-2.0
// Precompiled: the charsmap of SentencePiece as the reference reads it. Sources: its
// normalizers/precompiled.rs, spm_precompiled 0.1.4; the double array is that of Darts-clone.
//
// A grapheme cluster of less than six bytes is looked up whole, else each of its characters; and of all
// entries that a key begins with, the shortest counts for all of the key.
#include <errno.h>
#include <string.h>

#include "common/unicode_normal.h"
#include "common/utf8.h"
#include "tokenizer/normalizer/charsmap.h"
#include "tokenizer/normalizer/step_functions.h"

enum { CLUSTER_BYTES_LIMIT = 6, PROGRESS_EVERY_CLUSTERS = 4096 };

struct charsmap {
    const uint32_t *units;
    uint32_t unit_count;
    struct btk_bytes texts;
};

// The list of changes, and its last entry as long as it may still be changed.
struct list {
    struct btk_pass *pass;
    struct charsmap map;
    size_t kept; // of the source, from here on nothing was said yet
    bool looks;  // nothing is written, has_found says whether there is an entry
    bool has_found;
    bool has_last;
    bool is_pending;
    uint32_t code_point;
    int64_t change;
};

static struct charsmap charsmap_of(const struct btk_step_runner *runner)
{
    const uint32_t count = runner->step->numbers[0];
    const size_t unit_bytes = count * sizeof(uint32_t);
    return (struct charsmap){
        .units = (const void *)runner->data.data,
        .unit_count = count,
        .texts = {runner->data.data + unit_bytes, runner->data.length - unit_bytes},
    };
}

// 1 and *out_text, 0: no entry, -EDOM: the array leads out of itself, where the reference panics.
static int text_of_value(const struct charsmap *map, uint32_t value, struct btk_bytes *out_text)
{
    if (value > map->texts.length) return -EDOM;
    const struct btk_bytes text = btk_charsmap_text(map->texts, value);
    if (text.length && (text.data[0] & 0xc0) == 0x80) return -EDOM;
    *out_text = text;
    return 1;
}

static int look_up(const struct charsmap *map, struct btk_bytes key, struct btk_bytes *out_text)
{
    uint32_t node = btk_charsmap_offset(map->units[0]);
    for (size_t i = 0; i < key.length && key.data[i]; i++) {
        node ^= key.data[i];
        if (node >= map->unit_count) return -EDOM;
        const uint32_t unit = map->units[node];
        if (!btk_charsmap_is_of(unit, key.data[i])) return 0;
        node ^= btk_charsmap_offset(unit);
        if (!btk_charsmap_has_value(unit)) continue;
        if (node >= map->unit_count) return -EDOM;
        return text_of_value(map, btk_charsmap_value(map->units[node]), out_text);
    }
    return 0;
}

void btk_precompiled_prepare(struct btk_step_runner *runner)
{
    const struct charsmap map = charsmap_of(runner);
    struct btk_bytes unused;
    for (unsigned c = 0; c < 128; c++) {
        const uint8_t key = (uint8_t)c;
        runner->hits[c] = c == '\r' || look_up(&map, (struct btk_bytes){&key, 1}, &unused) != 0;
    }
}

static void flush(struct list *list)
{
    if (list->is_pending) btk_pass_put(list->pass, list->code_point, list->change);
    list->is_pending = false;
}

static void keep_until(struct list *list, size_t end)
{
    if (end <= list->kept) return;
    flush(list);
    btk_pass_copy(list->pass, list->kept, end);
    list->has_last = true;
}

static void push(struct list *list, uint32_t code_point, int64_t change)
{
    flush(list);
    list->is_pending = list->has_last = true;
    list->code_point = code_point;
    list->change = change;
}

// What was there last is said to have removed so many more; if nothing was there, nobody has.
static void lengthen_last(struct list *list, size_t chars)
{
    if (list->is_pending)
        list->change -= (int64_t)chars;
    else
        btk_pass_skip(list->pass, list->has_last ? chars : 0);
}

static void replace(struct list *list, size_t begin, size_t end, struct btk_bytes text)
{
    const size_t old_count = btk_utf8_count(list->pass->source->text.data + begin, end - begin);
    const size_t new_count = btk_utf8_count(text.data, text.length);
    keep_until(list, begin);
    size_t bytes, i = 0;
    for (size_t at = 0; at < text.length; at += bytes, i++)
        push(list, btk_utf8_decode(text.data + at, &bytes), i >= old_count);
    if (new_count < old_count) lengthen_last(list, old_count - new_count);
    list->kept = end;
}

// Returns whether there was an entry.
static bool try_replace(struct list *list, size_t begin, size_t end)
{
    struct btk_bytes text;
    const struct btk_bytes key = {list->pass->source->text.data + begin, end - begin};
    const int found = look_up(&list->map, key, &text);
    if (found < 0) list->pass->status = found;
    if (found <= 0) return false;
    list->has_found = true;
    if (!list->looks) replace(list, begin, end, text);
    return true;
}

static void replace_cluster(struct list *list, size_t begin, size_t end)
{
    const bool is_short = end - begin < CLUSTER_BYTES_LIMIT;
    if (is_short && try_replace(list, begin, end)) return;
    const uint8_t *const text = list->pass->source->text.data;
    for (size_t at = begin, bytes; at < end && !list->pass->status; at += bytes) {
        bytes = btk_utf8_length(text[at]);
        if (is_short && bytes == end - begin) return;
        try_replace(list, at, at + bytes);
    }
}

// Past ASCII characters that nothing changes and that are clusters of their own. The last one may
// belong to what stands behind it.
static size_t skip_ascii(const struct btk_step_runner *runner, struct btk_bytes text, size_t at)
{
    const size_t begin = at;
    while (at < text.length && text.data[at] < 0x80 && !runner->hits[text.data[at]]) at++;
    return at > begin && at < text.length && text.data[at] >= 0x80 ? at - 1 : at;
}

static void walk(const struct btk_step_runner *runner, struct list *list)
{
    const struct btk_bytes text = list->pass->source->text;
    size_t at = 0, end;
    for (size_t count = 0; !list->pass->status; count++, at = end) {
        if (count % PROGRESS_EVERY_CLUSTERS == 0) btk_progress_tick(list->pass->progress);
        at = skip_ascii(runner, text, at);
        if (at == text.length) break;
        end = btk_grapheme_end(text.data, text.length, at);
        replace_cluster(list, at, end);
    }
}

void btk_normalizer_precompiled(struct btk_step_runner *runner, struct btk_pass *pass)
{
    struct list list = {.pass = pass, .map = charsmap_of(runner)};
    // Behind characters in an empty place a list that changes something begins with them again.
    if (pass->empty_bytes) {
        list.looks = true;
        walk(runner, &list);
        if (!list.has_found) return;
        list.looks = false;
        btk_pass_begin_transform(pass);
    }
    walk(runner, &list);
    keep_until(&list, pass->source->text.length);
    flush(&list);
}
