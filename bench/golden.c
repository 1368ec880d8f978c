// SPDX-License-Identifier: Apache-2.0
#include "bench/golden.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/json.h"

static const char *const prefixes[] = {
    [BTK_GOLDEN_PIECES] = "",
    [BTK_GOLDEN_WHOLE] = "whole_",
    [BTK_GOLDEN_LINES] = "lines_",
};

static const struct btk_json *get(const struct btk_json *text, enum btk_golden_part part,
                                  const char *name)
{
    char member[64];
    snprintf(member, sizeof member, "%s%s", prefixes[part], name);
    return btk_json_get(text, member);
}

static bool is_number(const struct btk_json *value, uint64_t expected)
{
    int64_t number;
    return btk_json_try_integer(value, &number) && number >= 0 && (uint64_t)number == expected;
}

static bool is_digest(const struct btk_json *value, uint64_t expected)
{
    struct btk_bytes text;
    char digits[17];
    snprintf(digits, sizeof digits, "%016" PRIx64, expected);
    return btk_json_try_string(value, &text) && text.length == 16
           && memcmp(text.data, digits, 16) == 0;
}

static bool are_ids_equal(const struct btk_json *text, enum btk_golden_part part,
                          const struct btk_golden_answer *answer)
{
    return is_number(get(text, part, "tokens"), answer->tokens)
           && is_digest(get(text, part, "ids_xxh64"), answer->ids_xxh64);
}

static const struct btk_json *find_text(const struct btk_json *goldens, const char *name)
{
    char stem[256];
    snprintf(stem, sizeof stem, "%s", name);
    char *const suffix = strrchr(stem, '.');
    if (suffix && strcmp(suffix, ".txt") == 0) *suffix = 0;
    return btk_json_get(goldens, stem);
}

enum btk_golden_verdict btk_golden_compare(const struct btk_json *goldens, const char *text_name,
                                           enum btk_golden_part part, bool is_recorded_cut,
                                           const struct btk_golden_answer *answer)
{
    const struct btk_json *const text = find_text(goldens, text_name);
    // Of a whole text there may be the digest of its pieces alone. Where the pieces are all of the
    // text and the ids are the same, those of the whole are the reference's for every piece.
    const bool is_part_known = get(text, part, "ids_xxh64") != NULL;
    const enum btk_golden_part known =
        part == BTK_GOLDEN_WHOLE && !is_part_known ? BTK_GOLDEN_PIECES : part;
    if (!is_number(get(text, known, "bytes"), answer->bytes)) return BTK_GOLDEN_NONE;
    const bool is_exact = known == part && is_recorded_cut;
    if (!are_ids_equal(text, known, answer))
        return is_exact ? BTK_GOLDEN_DIFFERENT : BTK_GOLDEN_NONE;
    const struct btk_json *const offsets = get(text, known, "offsets_xxh64");
    if (is_exact && answer->has_offsets && offsets && !is_digest(offsets, answer->offsets_xxh64))
        return BTK_GOLDEN_DIFFERENT;
    return BTK_GOLDEN_EQUAL;
}

enum btk_golden_verdict btk_golden_compare_decoded(const struct btk_json *goldens,
                                                   const char *text_name, uint64_t text_bytes,
                                                   uint64_t text_xxh64)
{
    const struct btk_json *const text = find_text(goldens, text_name);
    const struct btk_json *const digest = btk_json_get(text, "decoded_xxh64");
    if (!digest) return BTK_GOLDEN_NONE;
    return is_number(btk_json_get(text, "decoded_bytes"), text_bytes)
                   && is_digest(digest, text_xxh64)
               ? BTK_GOLDEN_EQUAL
               : BTK_GOLDEN_DIFFERENT;
}
