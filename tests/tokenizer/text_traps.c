// SPDX-License-Identifier: Apache-2.0
#include "tests/tokenizer/text_traps.h"

#include <string.h>

static void add(struct btk_text_traps *traps, struct btk_bytes text)
{
    if (text.length && traps->count < BTK_TEXT_TRAPS_MAX) traps->texts[traps->count++] = text;
}

static void add_common(struct btk_text_traps *traps)
{
    // clang-format off
    static const char *const texts[] = {
        " ", " ", " ", " ", "\n", "\n", "\r", "\r\n", "\t", "\v", "\f", "\x01", "\x1c", "\x7f",
        "a", "e", "s", "S", "t", "ll", "re", "RE", "d", "K", "Qu", "the", "word", "Word", "'",
        "'", "'s", "'S", "'\u017f", "'ll", "'r", "'re", "\u2019s", "``", "''", "`", ".", ",",
        "!", "?", "/", "-", "_", "(", ")", "|", "<", ">", "\"", "$", "+", "^", "~", "#", "1",
        "12", "123", "1234", "\u00b2", "\u0663", "\u2167", "\u3007", "\u00e9", "e\u0301",
        "\u0301", "\u0300", "\u0323", "\u0344", "\u0345", "\u00c5", "\u212b", "\u0130", "\u03a3",
        "\u1fef", "\u037e", "\u0958", "\u0600", "\u0d4e", "\u06dd", "\u4e2d", "\u6587",
        "\u4e2d\u6587", "\u3002", "\uff0c", "\uff01", "\u3001", "\u2026", "\u306e", "\u30ab",
        "\u30fc", "\u3099", "\uff9e", "\ufa0e", "\ufa10", "\U00020000", "\ud55c", "\u1112",
        "\u1161", "\u11ab", "\uac00", "\u0e01", "\u0e33", "\u0915\u094d", "\u0937", "\u0646",
        "\u06d4", "\u060c", "\u0964", "\u0416", "\u0439", "\u0418\u0306", "\u00a0", "\u2003",
        "\u3000", "\u2028", "\xc2\x85", "\u200b", "\u200c", "\u200d", "\ufeff", "\ufffd",
        "\u2581", "\u2581", "\u0120", "\u00ad", "\u180e", "\U0001f468\u200d\U0001f469",
        "\U0001f1e9\U0001f1ea", "\U0001f44d\U0001f3fd", "\ufe0f", "\ufb01", "\u00bd", "\ufdfa",
        "\u2460", "\uff21", "\uff11", "\U000e0001",
    };
    // clang-format on
    for (size_t i = 0; i < BTK_ARRAY_COUNT(texts); i++)
        add(traps, (struct btk_bytes){(const uint8_t *)texts[i], strlen(texts[i])});
}

// Some of the added tokens, whole and in halves.
static void add_tokens(struct btk_text_traps *traps, const struct btk_image *image)
{
    const uint32_t count = image->config->token_count;
    const uint32_t added = image->config->added_count, step = added / 80 + 1;
    uint32_t seen = 0;
    for (uint32_t id = 0; id < count; id++) {
        if (!(image->tokens[id].flags & BTK_TOKEN_ADDED) || seen++ % step) continue;
        const struct btk_bytes text = btk_image_token_text(image, id);
        size_t middle = text.length / 2;
        while (middle > 0 && (text.data[middle] & 0xc0) == 0x80) middle--;
        add(traps, text);
        add(traps, (struct btk_bytes){text.data, middle});
        add(traps, (struct btk_bytes){text.data + middle, text.length - middle});
    }
}

void btk_text_traps_fill(struct btk_text_traps *traps, const struct btk_image *image)
{
    traps->count = 0;
    add_common(traps);
    add_tokens(traps, image);
}
