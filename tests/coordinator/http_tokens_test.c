// SPDX-License-Identifier: Apache-2.0
#include "coordinator/http_tokens.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { TOKENS = 4000, TEXT_BYTES = 1 << 20 };

static uint32_t offsets[2 * TOKENS];

// The JSON of tokens of one text, all with the id 0.
static struct btk_buffer written(const char *text, size_t bytes, size_t count, bool has_bytes)
{
    static const uint32_t ids[TOKENS];
    static const uint8_t mask[TOKENS];
    const struct btk_encode_input input = {.text = {text, bytes, NULL, 0}};
    const struct btk_encoding_view view = {
        .token_count = count, .ids = ids, .offsets = offsets, .special_tokens_mask = mask};
    struct btk_buffer json = {0};
    struct btk_json_writer writer;
    btk_json_writer_init(&writer, &json);
    btk_http_tokens_write(&writer, &input, has_bytes, &view);
    cr_assert_eq(btk_buffer_append(&json, "", 1), 0);
    return json;
}

Test(http_tokens, texts_are_cut_where_offsets_say_also_where_they_go_back)
{
    const uint32_t places[] = {0, 1, 1, 3, 0, 2};
    memcpy(offsets, places, sizeof places);
    struct btk_buffer json = written("a\xc3\xa9z", 4, 3, false);
    cr_assert_not_null(strstr((const char *)json.data, "\"text\":\"a\""));
    cr_assert_not_null(strstr((const char *)json.data, "\"text\":\"\xc3\xa9z\""));
    cr_assert_not_null(strstr((const char *)json.data, "\"text\":\"a\xc3\xa9\""));
    btk_buffer_clear(&json);
}

// Each is all of the text, which nobody has room for; or the places jump to and fro.
Test(http_tokens, offsets_that_lie_cost_no_more_than_a_bound, .timeout = 60)
{
    char *const text = malloc(TEXT_BYTES);
    cr_assert_not_null(text);
    memset(text, 'a', TEXT_BYTES);
    for (size_t kind = 0; kind < 4; kind++) {
        for (uint32_t i = 0; i < TOKENS; i++) {
            offsets[2 * i] = kind < 2 || i % 2 == 0 ? 0 : TEXT_BYTES;
            offsets[2 * i + 1] = kind < 2 || i % 2 != 0 ? TEXT_BYTES : 0;
        }
        struct btk_buffer json = written(text, TEXT_BYTES, TOKENS, kind % 2 == 0);
        cr_assert_lt(json.length, (size_t)100 << 20);
        btk_buffer_clear(&json);
    }
    free(text);
}
