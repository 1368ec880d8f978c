// SPDX-License-Identifier: Apache-2.0
#include "bench/golden.h"

#include <criterion/criterion.h>
#include <string.h>

#include "bench/own_texts.h"
#include "common/json.h"

static const char goldens_text[] =
    "{\"en\": {\"bytes\": 10, \"tokens\": 3, \"ids_xxh64\": \"00000000000000ff\","
    " \"offsets_xxh64\": \"00000000000000aa\"},"
    " \"de\": {\"bytes\": 10, \"tokens\": 3, \"ids_xxh64\": \"00000000000000ff\","
    " \"whole_bytes\": 12, \"whole_tokens\": 4, \"whole_ids_xxh64\": \"00000000000000ee\"}}";

static enum btk_golden_verdict compare(const char *name, enum btk_golden_part part,
                                       bool is_recorded_cut, struct btk_golden_answer answer)
{
    struct btk_json *goldens = NULL;
    const struct btk_bytes text = {(const uint8_t *)goldens_text, strlen(goldens_text)};
    cr_assert_eq(btk_json_parse(text, &goldens, NULL), 0);
    const enum btk_golden_verdict verdict =
        btk_golden_compare(goldens, name, part, is_recorded_cut, &answer);
    btk_json_free(goldens);
    return verdict;
}

static const struct btk_golden_answer good = {.bytes = 10, .tokens = 3, .ids_xxh64 = 0xff};
static const struct btk_golden_answer bad = {.bytes = 10, .tokens = 3, .ids_xxh64 = 0xfe};

Test(golden, the_digest_of_the_pieces_tells_equal_from_different)
{
    cr_assert_eq(compare("en.txt", BTK_GOLDEN_PIECES, true, good), BTK_GOLDEN_EQUAL);
    cr_assert_eq(compare("en", BTK_GOLDEN_PIECES, true, good), BTK_GOLDEN_EQUAL);
    cr_assert_eq(compare("en.txt", BTK_GOLDEN_PIECES, true, bad), BTK_GOLDEN_DIFFERENT);
}

Test(golden, other_texts_and_other_bytes_are_not_verified)
{
    struct btk_golden_answer longer = good;
    longer.bytes = 11;
    cr_assert_eq(compare("fr.txt", BTK_GOLDEN_PIECES, true, good), BTK_GOLDEN_NONE);
    cr_assert_eq(compare("en.txt", BTK_GOLDEN_PIECES, true, longer), BTK_GOLDEN_NONE);
    cr_assert_eq(compare("en.txt", BTK_GOLDEN_LINES, true, good), BTK_GOLDEN_NONE);
}

Test(golden, other_cuts_are_never_called_different)
{
    cr_assert_eq(compare("en.txt", BTK_GOLDEN_PIECES, false, bad), BTK_GOLDEN_NONE);
    cr_assert_eq(compare("en.txt", BTK_GOLDEN_PIECES, false, good), BTK_GOLDEN_EQUAL);
}

Test(golden, offsets_are_compared_where_the_reference_has_them)
{
    struct btk_golden_answer answer = good;
    answer.has_offsets = true;
    answer.offsets_xxh64 = 0xaa;
    cr_assert_eq(compare("en.txt", BTK_GOLDEN_PIECES, true, answer), BTK_GOLDEN_EQUAL);
    answer.offsets_xxh64 = 0xab;
    cr_assert_eq(compare("en.txt", BTK_GOLDEN_PIECES, true, answer), BTK_GOLDEN_DIFFERENT);
    cr_assert_eq(compare("de.txt", BTK_GOLDEN_PIECES, true, answer), BTK_GOLDEN_EQUAL);
}

Test(golden, a_whole_text_has_a_digest_of_its_own_or_that_of_its_pieces)
{
    const struct btk_golden_answer whole = {.bytes = 12, .tokens = 4, .ids_xxh64 = 0xee};
    cr_assert_eq(compare("de.txt", BTK_GOLDEN_WHOLE, true, whole), BTK_GOLDEN_EQUAL);
    cr_assert_eq(compare("de.txt", BTK_GOLDEN_WHOLE, true, good), BTK_GOLDEN_NONE);
    cr_assert_eq(compare("en.txt", BTK_GOLDEN_WHOLE, true, good), BTK_GOLDEN_EQUAL);
    cr_assert_eq(compare("en.txt", BTK_GOLDEN_WHOLE, true, bad), BTK_GOLDEN_NONE);
}

Test(golden, every_own_text_has_goldens_for_every_embedded_tokenizer)
{
    static const char *const tokenizers[] = {"wordpiece", "bpe"};
    for (size_t i = 0; i < BTK_ARRAY_COUNT(tokenizers); i++) {
        struct btk_bytes json;
        struct btk_json *goldens = NULL;
        struct btk_own_text text;
        cr_assert(btk_own_golden_find(tokenizers[i], &json));
        cr_assert_eq(btk_json_parse(json, &goldens, NULL), 0);
        for (size_t j = 0; btk_own_text_get(j, &text); j++)
            cr_assert_not_null(btk_json_get(goldens, text.name));
        btk_json_free(goldens);
    }
}
