// SPDX-License-Identifier: Apache-2.0
// From tokens to places and back: the functions of the reference's Encoding (tokenizer/encoding.rs),
// with their ways: a search among the words of a sequence ends at the first that is greater.
#include <stddef.h>

#include <budtiktok/encodings.h>

static struct btk_sequence_range range_of(const struct btk_encoding_view *view, size_t sequence)
{
    for (size_t i = 0; i < view->range_count; i++)
        if (view->ranges[i].sequence_id == sequence) return view->ranges[i];
    return (struct btk_sequence_range){.end = view->token_count};
}

bool btk_encoding_token_to_sequence(const struct btk_encoding_view *view, size_t token,
                                    size_t *out_sequence)
{
    if (token > view->token_count) return false;
    if (!view->range_count) {
        *out_sequence = 0;
        return true;
    }
    for (size_t i = 0; i < view->range_count; i++) {
        if (token < view->ranges[i].begin || token >= view->ranges[i].end) continue;
        *out_sequence = view->ranges[i].sequence_id;
        return true;
    }
    return false;
}

bool btk_encoding_token_to_chars(const struct btk_encoding_view *view, size_t token,
                                 size_t *out_sequence, uint32_t out_range[2])
{
    if (!view->offsets || token >= view->token_count
        || !btk_encoding_token_to_sequence(view, token, out_sequence))
        return false;
    out_range[0] = view->offsets[2 * token];
    out_range[1] = view->offsets[2 * token + 1];
    return true;
}

bool btk_encoding_token_to_word(const struct btk_encoding_view *view, size_t token,
                                size_t *out_sequence, uint32_t *out_word)
{
    if (!view->word_ids || token >= view->token_count || view->word_ids[token] == UINT32_MAX
        || !btk_encoding_token_to_sequence(view, token, out_sequence))
        return false;
    *out_word = view->word_ids[token];
    return true;
}

bool btk_encoding_char_to_token(const struct btk_encoding_view *view, size_t position,
                                size_t sequence, size_t *out_token)
{
    const struct btk_sequence_range range = range_of(view, sequence);
    for (size_t i = range.begin; view->offsets && i < range.end; i++) {
        if (position < view->offsets[2 * i] || position >= view->offsets[2 * i + 1]) continue;
        *out_token = i;
        return true;
    }
    return false;
}

bool btk_encoding_char_to_word(const struct btk_encoding_view *view, size_t position,
                               size_t sequence, uint32_t *out_word)
{
    size_t token, unused;
    return btk_encoding_char_to_token(view, position, sequence, &token)
           && btk_encoding_token_to_word(view, token, &unused, out_word);
}

// Tokens of no word come before all words.
static bool is_after(uint32_t word, uint32_t wanted)
{
    return word != UINT32_MAX && word > wanted;
}

bool btk_encoding_word_to_tokens(const struct btk_encoding_view *view, uint32_t word,
                                 size_t sequence, size_t out_range[2])
{
    const struct btk_sequence_range range = range_of(view, sequence);
    bool is_found = false;
    for (size_t i = range.begin; view->word_ids && i < range.end; i++) {
        if (is_after(view->word_ids[i], word)) break;
        if (view->word_ids[i] != word || word == UINT32_MAX) continue;
        if (!is_found) out_range[0] = i;
        out_range[1] = i + 1;
        is_found = true;
    }
    return is_found;
}

bool btk_encoding_word_to_chars(const struct btk_encoding_view *view, uint32_t word,
                                size_t sequence, uint32_t out_range[2])
{
    size_t tokens[2];
    if (!view->offsets || !btk_encoding_word_to_tokens(view, word, sequence, tokens)) return false;
    out_range[0] = view->offsets[2 * tokens[0]];
    out_range[1] = view->offsets[2 * (tokens[1] - 1) + 1];
    return true;
}
