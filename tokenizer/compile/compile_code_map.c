// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/compile/compile_code_map.h"

#include <string.h>

#include "tokenizer/code_map.h"
#include "tokenizer/compile/regex_parse.h"

enum {
    BITMAPS_MAX = 256, // their numbers are bytes
    PAGE_CODE_POINTS = 1 << BTK_CODE_MAP_PAGE_BITS,
};

struct bitmap {
    uint8_t bytes[BTK_CODE_MAP_BITMAP_BYTES];
};

struct maker {
    uint8_t pages[BTK_CODE_MAP_PAGES_MAX];
    uint32_t page_count;
    struct bitmap bitmaps[BITMAPS_MAX];
    uint32_t bitmap_count;
};

static struct bitmap bitmap_of_page(struct btk_code_set set, size_t *in_out_range, uint32_t page)
{
    struct bitmap bitmap = {{0}};
    const uint32_t first = page << BTK_CODE_MAP_PAGE_BITS, last = first + PAGE_CODE_POINTS - 1;
    while (*in_out_range < set.count && set.ranges[*in_out_range].last < first) ++*in_out_range;
    for (size_t i = *in_out_range; i < set.count && set.ranges[i].first <= last; i++) {
        const uint32_t from = set.ranges[i].first > first ? set.ranges[i].first : first;
        const uint32_t to = set.ranges[i].last < last ? set.ranges[i].last : last;
        for (uint32_t c = from - first; c <= to - first; c++)
            bitmap.bytes[c / 8] |= (uint8_t)(1u << c % 8);
    }
    return bitmap;
}

static bool try_add_page(struct maker *maker, const struct bitmap *bitmap)
{
    uint32_t number = 0;
    while (number < maker->bitmap_count
           && memcmp(&maker->bitmaps[number], bitmap, sizeof *bitmap) != 0)
        number++;
    if (number == BITMAPS_MAX) return false;
    if (number == maker->bitmap_count) maker->bitmaps[maker->bitmap_count++] = *bitmap;
    maker->pages[maker->page_count++] = (uint8_t)number;
    return true;
}

static bool try_make(struct maker *maker, struct btk_code_set set)
{
    const uint32_t last_page =
        set.count ? set.ranges[set.count - 1].last >> BTK_CODE_MAP_PAGE_BITS : 0;
    size_t range = 0;
    for (uint32_t page = 0; page <= last_page; page++) {
        const struct bitmap bitmap = bitmap_of_page(set, &range, page);
        if (!try_add_page(maker, &bitmap)) return false;
    }
    return true;
}

static bool try_append(struct btk_arena *arena, struct btk_code_set set, struct btk_buffer *out,
                       uint32_t *out_page_count)
{
    struct maker *const maker = btk_arena_allocate(arena, sizeof *maker);
    const size_t length = out->length;
    if (!maker || !try_make(maker, set)) return false;
    *out_page_count = maker->page_count;
    if (btk_buffer_append(out, maker->pages, maker->page_count) == 0
        && btk_buffer_append(out, maker->bitmaps, maker->bitmap_count * sizeof *maker->bitmaps)
               == 0)
        return true;
    out->length = length;
    return false;
}

// The set, if nothing stands beside it; or NULL.
static const struct btk_regex_node *only_set(const struct btk_regex_node *node)
{
    while (node && node->kind == BTK_REGEX_SEQUENCE && node->child && !node->child->next)
        node = node->child;
    return node && node->kind == BTK_REGEX_SET ? node : NULL;
}

bool btk_compile_code_map(struct btk_bytes pattern, enum btk_regex_dialect dialect,
                          struct btk_buffer *out, uint32_t *out_page_count, size_t *out_bytes_min)
{
    struct btk_arena arena;
    struct btk_regex_node *tree = NULL;
    btk_arena_init(&arena);
    const bool is_pattern = btk_regex_parse(pattern, dialect, &arena, &tree, NULL) == 0;
    const struct btk_regex_node *const node = is_pattern ? only_set(tree) : NULL;
    const bool is_made = node && try_append(&arena, node->set, out, out_page_count);
    if (is_made) *out_bytes_min = btk_regex_match_bytes_min(node);
    btk_arena_clear(&arena);
    return is_made;
}
