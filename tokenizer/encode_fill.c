// SPDX-License-Identifier: Apache-2.0
// Writes the columns of encodings: windows of raw tokens, special tokens, padding.
#include <errno.h>
#include <string.h>

#include "tokenizer/encodings.h"

// Text of tokens beyond what the texts themselves are.
#define TOKEN_TEXT_BYTES_MAX ((uint64_t)1 << 30)

// What is written between two signs of life.
enum { TOKENS_A_TICK = 1 << 16 };

struct filler {
    struct btk_batch_call *call;
    const struct btk_post_program *program;
    const struct btk_document_plan *plan;
    struct btk_encoding_entry *entry;
    size_t at; // token in the columns
};

static uint32_t *numbers(const struct filler *filler, uint32_t field,
                         const struct btk_column *column, size_t width)
{
    return filler->call->fields & field ? (uint32_t *)column->data + width * filler->at : NULL;
}

static uint8_t *flags(const struct filler *filler, uint32_t field, const struct btk_column *column)
{
    return filler->call->fields & field ? (uint8_t *)column->data + filler->at : NULL;
}

static void tick(const struct filler *filler)
{
    btk_progress_tick(&filler->call->scratch->progress);
}

static void fill_numbers(uint32_t *column, uint32_t value, size_t count)
{
    if (!column) return;
    for (size_t i = 0; i < count; i++) column[i] = value;
}

static void fill_flags(uint8_t *column, uint8_t value, size_t count)
{
    if (column) memset(column, value, count);
}

// The text of the newest token.
static int append_text(struct filler *filler, size_t at, struct btk_bytes text)
{
    struct btk_encodings *const all = filler->call->encodings;
    const size_t end = all->token_text_bytes + text.length;
    if (end > TOKEN_TEXT_BYTES_MAX + 8 * (uint64_t)all->text_bytes
        || end - filler->entry->text_begin > UINT32_MAX)
        return -E2BIG;
    if (btk_column_reserve(all, &all->token_text, end) < 0) return -ENOMEM;
    if (text.length)
        memcpy((uint8_t *)all->token_text.data + all->token_text_bytes, text.data, text.length);
    all->token_text_bytes = end;
    ((uint32_t *)all->token_ends.data)[at] = (uint32_t)(end - filler->entry->text_begin);
    return 0;
}

// --- Tokens that are in none of the texts

struct added {
    uint32_t id;
    uint32_t type_id;
    uint8_t is_special;
    uint8_t attention;
    uint32_t source; // as in struct btk_post_token
};

static void fill_added(const struct filler *filler, const struct added *added, size_t count)
{
    const struct btk_encodings *const all = filler->call->encodings;
    fill_numbers(numbers(filler, BTK_FIELD_IDS, &all->ids, 1), added->id, count);
    fill_numbers(numbers(filler, BTK_FIELD_TYPE_IDS, &all->type_ids, 1), added->type_id, count);
    fill_numbers(numbers(filler, BTK_FIELD_OFFSETS, &all->offsets, 2), 0, 2 * count);
    fill_numbers(numbers(filler, BTK_FIELD_WORD_IDS, &all->word_ids, 1), UINT32_MAX, count);
    fill_flags(flags(filler, BTK_FIELD_SPECIAL_TOKENS_MASK, &all->special_tokens_mask),
               added->is_special, count);
    fill_flags(flags(filler, BTK_FIELD_ATTENTION_MASK, &all->attention_mask), added->attention,
               count);
    uint32_t *const sources = numbers(filler, BTK_FIELD_SOURCES, &all->sources, 2);
    for (size_t i = 0; sources && i < count; i++) {
        sources[2 * i] = added->source;
        sources[2 * i + 1] = 0;
    }
}

static int fill_special(struct filler *filler, const struct btk_post_token *tokens, size_t count,
                        bool is_overflowing)
{
    const struct btk_image *const image = &filler->call->tokenizer->image;
    for (size_t i = 0; i < count; i++, filler->at++) {
        const struct btk_post_token token = tokens[i];
        const struct added added = {token.id, token.type_ids[is_overflowing],
                                    (uint8_t)token.is_special, 1, token.text};
        fill_added(filler, &added, 1);
        if (!(filler->call->fields & BTK_FIELD_TOKENS)) continue;
        const struct btk_bytes text =
            token.text ? btk_post_text(image, token.text) : btk_image_shown_text(image, token.id);
        const int status = append_text(filler, filler->at, text);
        if (status < 0) return status;
    }
    return 0;
}

static int fill_some_padding(struct filler *filler, size_t count)
{
    const struct btk_padding *const padding = &filler->call->options->padding;
    const struct added added = {padding->id, padding->type_id, 1, 0, 0};
    fill_added(filler, &added, count);
    const struct btk_bytes text = {(const uint8_t *)padding->token, padding->token_bytes};
    for (size_t i = 0; (filler->call->fields & BTK_FIELD_TOKENS) && i < count; i++) {
        const int status = append_text(filler, filler->at + i, text);
        if (status < 0) return status;
    }
    filler->at += count;
    return 0;
}

static int fill_padding(struct filler *filler)
{
    int status = 0;
    for (size_t left = filler->entry->padding, count; left > 0 && !status; left -= count) {
        count = btk_min_size(left, TOKENS_A_TICK);
        status = fill_some_padding(filler, count);
        tick(filler);
    }
    return status;
}

// --- Tokens of a text

static void copy_numbers(uint32_t *out, const struct btk_column *column, size_t first, size_t count)
{
    if (out && count) memcpy(out, (const uint32_t *)column->data + first, count * sizeof *out);
}

// The part's tokens from `done` on.
static void trim(const struct filler *filler, const struct btk_post_part *part, size_t first,
                 size_t done, size_t count)
{
    const struct btk_encodings *const all = filler->call->encodings;
    uint32_t *const offsets = numbers(filler, BTK_FIELD_OFFSETS, &all->offsets, 2);
    for (uint32_t j = 0; offsets && j < part->trim_count; j++) {
        const struct btk_post_trim rule = filler->program->trims[part->first_trim + j];
        for (size_t i = 0; i < count; i++) {
            const uint32_t *const spaces = (const uint32_t *)all->raw.spaces.data + 2 * (first + i);
            if (spaces[0] || spaces[1])
                btk_postprocess_trim(rule.adds_prefix_space, rule.before_count + done + i, spaces,
                                     &offsets[2 * i]);
        }
    }
}

static int fill_texts(struct filler *filler, size_t first, size_t count)
{
    const struct btk_encodings *const all = filler->call->encodings;
    for (size_t i = 0; i < count; i++) {
        const uint32_t *const source = (const uint32_t *)all->raw.sources.data + 2 * (first + i);
        size_t bytes;
        const char *const text =
            btk_token_text_in(filler->call->tokenizer, filler->call->scratch,
                              ((const uint32_t *)all->raw.ids.data)[first + i], source, &bytes);
        const struct btk_bytes shown = {(const uint8_t *)text, text ? bytes : 0};
        const int status = append_text(filler, filler->at + i, shown);
        if (status < 0) return status;
    }
    return 0;
}

// Those of the window from `done` on.
static int fill_some_of_sequence(struct filler *filler, const struct btk_post_part *part,
                                 struct btk_window window, size_t done, size_t count,
                                 bool is_overflowing)
{
    const struct btk_encodings *const all = filler->call->encodings;
    const size_t first = filler->plan->sequences[part->sequence].first + window.begin + done;
    copy_numbers(numbers(filler, BTK_FIELD_IDS, &all->ids, 1), &all->raw.ids, first, count);
    copy_numbers(numbers(filler, BTK_FIELD_OFFSETS, &all->offsets, 2), &all->raw.offsets, 2 * first,
                 2 * count);
    copy_numbers(numbers(filler, BTK_FIELD_WORD_IDS, &all->word_ids, 1), &all->raw.word_ids, first,
                 count);
    copy_numbers(numbers(filler, BTK_FIELD_SOURCES, &all->sources, 2), &all->raw.sources, 2 * first,
                 2 * count);
    fill_numbers(numbers(filler, BTK_FIELD_TYPE_IDS, &all->type_ids, 1),
                 part->type_ids[is_overflowing], count);
    fill_flags(flags(filler, BTK_FIELD_SPECIAL_TOKENS_MASK, &all->special_tokens_mask), 0, count);
    fill_flags(flags(filler, BTK_FIELD_ATTENTION_MASK, &all->attention_mask), 1, count);
    trim(filler, part, first, done, count);
    const int status =
        filler->call->fields & BTK_FIELD_TOKENS ? fill_texts(filler, first, count) : 0;
    filler->at += count;
    return status;
}

static int fill_sequence(struct filler *filler, const struct btk_post_part *part,
                         struct btk_window window, bool is_overflowing)
{
    const size_t all = window.end - window.begin;
    int status = 0;
    for (size_t done = 0, count; done < all && !status; done += count) {
        count = btk_min_size(all - done, TOKENS_A_TICK);
        status = fill_some_of_sequence(filler, part, window, done, count, is_overflowing);
        tick(filler);
    }
    return status;
}

// --- Which sequence a token is of

// A later part's range of the same sequence takes the place of an earlier one's.
static void set_range(const struct filler *filler, uint32_t sequence_id, uint64_t begin,
                      uint64_t end)
{
    struct btk_encodings *const all = filler->call->encodings;
    struct btk_encoding_entry *const entry = filler->entry;
    struct btk_sequence_range *const ranges =
        (struct btk_sequence_range *)all->ranges.data + entry->first_range;
    size_t i = 0;
    while (i < entry->range_count && ranges[i].sequence_id != sequence_id) i++;
    ranges[i] = (struct btk_sequence_range){.sequence_id = sequence_id, .begin = begin, .end = end};
    if (i < entry->range_count) return;
    entry->range_count++;
    all->range_count++;
}

static void add_ranges(const struct filler *filler, const struct btk_post_part *part,
                       bool is_overflowing, uint64_t part_begin, uint64_t sequence_length)
{
    for (uint32_t i = 0; i < part->range_count[is_overflowing]; i++) {
        const struct btk_post_range range =
            filler->program->ranges[part->first_range[is_overflowing] + i];
        set_range(filler, range.sequence_id, part_begin + range.begin,
                  part_begin + range.end + (range.end_grows ? sequence_length : 0));
    }
}

static void fill_range(const struct filler *filler, uint32_t *column, uint32_t value, size_t count)
{
    for (size_t done = 0, some; done < count; done += some) {
        some = btk_min_size(count - done, TOKENS_A_TICK);
        fill_numbers(column + done, value, some);
        tick(filler);
    }
}

// Sequences are numbered up to how many there are; one that has no range is all of the encoding.
static void fill_sequence_ids(const struct filler *filler)
{
    const struct btk_encodings *const all = filler->call->encodings;
    const struct btk_encoding_entry *const entry = filler->entry;
    if (!(filler->call->fields & BTK_FIELD_SEQUENCE_IDS)) return;
    uint32_t *const column = (uint32_t *)all->sequence_ids.data + entry->first;
    const struct btk_sequence_range *const ranges =
        (const struct btk_sequence_range *)all->ranges.data + entry->first_range;
    const size_t sequence_count = entry->range_count ? entry->range_count : 1;
    fill_range(filler, column, UINT32_MAX, entry->count);
    for (uint32_t id = 0; id < sequence_count; id++) {
        uint64_t begin = 0, end = entry->count;
        for (size_t i = 0; i < entry->range_count; i++) {
            if (ranges[i].sequence_id != id) continue;
            begin = ranges[i].begin;
            end = ranges[i].end;
        }
        fill_range(filler, column + begin, id, end - begin);
    }
}

// --- Entries

static int fill_part(struct filler *filler, const struct btk_post_part *part, uint64_t window_index)
{
    const bool is_overflowing = window_index > 0;
    const struct btk_post_token *const tokens = filler->program->tokens + part->first_token;
    const struct btk_window window = btk_plan_part_window(part, filler->plan, window_index);
    add_ranges(filler, part, is_overflowing, filler->at - filler->entry->first,
               window.end - window.begin);
    int status = fill_special(filler, tokens, part->before_count, is_overflowing);
    if (!status && part->sequence != BTK_POST_NO_SEQUENCE)
        status = fill_sequence(filler, part, window, is_overflowing);
    return status ? status
                  : fill_special(filler, tokens + part->before_count, part->after_count,
                                 is_overflowing);
}

static int fill_entry(struct filler *filler, uint64_t index)
{
    struct btk_encodings *const all = filler->call->encodings;
    const bool is_left = filler->call->options->padding.direction == BTK_DIRECTION_LEFT;
    uint64_t windows[BTK_POST_PART_LIMIT];
    filler->at = filler->entry->first;
    filler->entry->text_begin = all->token_text_bytes;
    filler->entry->first_range = all->range_count;
    btk_plan_windows(filler->program, filler->plan, index, windows);
    int status = is_left ? fill_padding(filler) : 0;
    for (uint32_t i = 0; !status && i < filler->program->part_count; i++)
        status = fill_part(filler, &filler->program->parts[i], windows[i]);
    if (!status && !is_left) status = fill_padding(filler);
    if (!status) fill_sequence_ids(filler);
    return status;
}

int btk_fill_entries(struct btk_batch_call *call)
{
    struct btk_encodings *const all = call->encodings;
    const struct btk_document_plan *const plans = all->documents.data;
    for (size_t i = 0; i < all->document_count; i++) {
        struct filler filler = {
            .call = call, .program = &call->programs[plans[i].is_pair], .plan = &plans[i]};
        for (uint64_t j = 0; j < plans[i].entry_count; j++) {
            filler.entry =
                (struct btk_encoding_entry *)all->entries.data + plans[i].first_entry + j;
            tick(&filler);
            const int status = fill_entry(&filler, j);
            if (status == -E2BIG)
                return btk_error_set(call->error, E2BIG, BTK_NO_OFFSET,
                                     "the texts of the tokens would be too long");
            if (status < 0)
                return btk_error_set(call->error, ENOMEM, BTK_NO_OFFSET,
                                     "not enough memory to encode");
        }
    }
    return 0;
}
