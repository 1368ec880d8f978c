// SPDX-License-Identifier: Apache-2.0
#include "common/unicode_properties.h"

#include <string.h>

#include "common/unicode_properties_tables.h"

static int compare_name(const char *entry, struct btk_bytes name)
{
    const int order = strncmp(entry, (const char *)name.data, name.length);
    return order ? order : entry[name.length] != 0;
}

int btk_unicode_property_find(enum btk_unicode_engine engine, struct btk_bytes name)
{
    const bool is_onig = engine == BTK_ENGINE_ONIGURUMA;
    const struct btk_unicode_name *const names =
        is_onig ? btk_unicode_onig_names : btk_unicode_rust_names;
    size_t low = 0, high = is_onig ? btk_unicode_onig_name_count : btk_unicode_rust_name_count;
    if (!name.length || memchr(name.data, 0, name.length)) return -1;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        const int order = compare_name(names[middle].name, name);
        if (order == 0) return (int)names[middle].set;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}

size_t btk_unicode_property_range_count(int set)
{
    return btk_unicode_sets[set].range_count;
}

static uint32_t read_number(const uint8_t **data)
{
    uint32_t number = 0;
    for (int shift = 0;; shift += 7) {
        const uint8_t byte = *(*data)++;
        number |= (uint32_t)(byte & 0x7f) << shift;
        if (byte < 0x80) return number;
    }
}

void btk_unicode_property_ranges(int set, struct btk_unicode_range *out)
{
    const uint8_t *data = btk_unicode_set_data + btk_unicode_sets[set].offset;
    uint32_t end = 0;
    for (size_t i = 0; i < btk_unicode_sets[set].range_count; i++) {
        out[i].first = end + read_number(&data);
        out[i].last = out[i].first + read_number(&data);
        end = out[i].last + 1;
    }
}

uint32_t btk_unicode_fold_next(enum btk_unicode_engine engine, uint32_t code_point)
{
    size_t low = 0, high = btk_unicode_fold_count;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (btk_unicode_folds[middle].code_point < code_point)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == btk_unicode_fold_count || btk_unicode_folds[low].code_point != code_point)
        return code_point;
    return btk_unicode_folds[low].next[engine];
}

size_t btk_unicode_cased_count(void)
{
    return btk_unicode_fold_count;
}

uint32_t btk_unicode_cased(size_t index)
{
    return btk_unicode_folds[index].code_point;
}

const uint32_t *btk_unicode_multi_fold(size_t index)
{
    return index < btk_unicode_multi_fold_count ? btk_unicode_multi_folds[index] : NULL;
}
