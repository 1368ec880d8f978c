// SPDX-License-Identifier: Apache-2.0
// What the documents of a call become: which encodings, and how long.
//
// Each part of the post-processor's program has as many choices as its sequence has windows. The
// encoding that is kept has the first of each part; what overflows is every other combination, in the
// order in which the reference merges part after part (merge_with() of its tokenizer/encoding.rs):
//
//     a0 a1 | b0 b1 b2     kept a0 b0; then a1 b0, a1 b1, a1 b2; then a0 b1, a0 b2
#include <errno.h>

#include "tokenizer/encodings.h"

enum { ENCODING_COST = 16 };

static uint64_t multiply(uint64_t a, uint64_t b)
{
    uint64_t product;
    return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

static uint64_t add(uint64_t a, uint64_t b)
{
    uint64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

static uint64_t window_count(const struct btk_post_part *part, const struct btk_document_plan *plan)
{
    return part->sequence == BTK_POST_NO_SEQUENCE ? 1 : plan->windows[part->sequence].count;
}

struct btk_window btk_plan_part_window(const struct btk_post_part *part,
                                       const struct btk_document_plan *plan, uint64_t window)
{
    if (part->sequence == BTK_POST_NO_SEQUENCE) return (struct btk_window){0, 0};
    return btk_windows_get(&plan->windows[part->sequence], window);
}

void btk_plan_windows(const struct btk_post_program *program, const struct btk_document_plan *plan,
                      uint64_t index, uint64_t *out_windows)
{
    uint64_t overflowing[BTK_POST_PART_LIMIT + 1]; // of the first i parts
    overflowing[0] = 0;
    for (uint32_t i = 0; i < program->part_count; i++) {
        const uint64_t choices = window_count(&program->parts[i], plan);
        overflowing[i + 1] = overflowing[i] * choices + choices - 1;
        out_windows[i] = 0;
    }
    if (index == 0) return;
    uint64_t at = index - 1;
    for (uint32_t i = program->part_count; i-- > 0;) {
        const uint64_t choices = window_count(&program->parts[i], plan);
        if (at >= overflowing[i] * choices) {
            out_windows[i] = at - overflowing[i] * choices + 1;
            return;
        }
        out_windows[i] = at % choices;
        at /= choices;
    }
}

static const struct btk_post_program *program_of(const struct btk_batch_call *call,
                                                 const struct btk_document_plan *plan)
{
    return &call->programs[plan->is_pair];
}

static uint64_t entry_length(const struct btk_post_program *program,
                             const struct btk_document_plan *plan, uint64_t index)
{
    uint64_t windows[BTK_POST_PART_LIMIT], length = 0;
    btk_plan_windows(program, plan, index, windows);
    for (uint32_t i = 0; i < program->part_count; i++) {
        const struct btk_post_part *const part = &program->parts[i];
        const struct btk_window window = btk_plan_part_window(part, plan, windows[i]);
        length += part->before_count + part->after_count + (window.end - window.begin);
    }
    return length;
}

static uint64_t ranges_of(const struct btk_post_program *program)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < program->part_count; i++)
        count += program->parts[i].range_count[0] > program->parts[i].range_count[1]
                     ? program->parts[i].range_count[0]
                     : program->parts[i].range_count[1];
    return count < BTK_POST_SEQUENCE_LIMIT ? count : BTK_POST_SEQUENCE_LIMIT;
}

// Tokens of all encodings of a document, without padding.
static uint64_t total_length(const struct btk_post_program *program,
                             const struct btk_document_plan *plan, uint64_t entry_count)
{
    uint64_t total = 0;
    for (uint32_t i = 0; i < program->part_count; i++) {
        const struct btk_post_part *const part = &program->parts[i];
        const uint64_t choices = window_count(part, plan);
        const uint64_t special = part->before_count + part->after_count;
        total = add(total, multiply(special, entry_count));
        if (part->sequence != BTK_POST_NO_SEQUENCE)
            total = add(total, multiply(btk_windows_total(&plan->windows[part->sequence]),
                                        entry_count / choices));
    }
    return total;
}

static uint64_t cost_max(const struct btk_batch_call *call)
{
    return call->options->cost_max ? call->options->cost_max : BTK_ENCODING_COST_MAX;
}

static int refuse_cost(const struct btk_batch_call *call, uint64_t cost)
{
    return btk_error_set(call->error, E2BIG, BTK_NO_OFFSET,
                         "truncation and padding would make %llu tokens of this (%d for each "
                         "encoding included); the most beyond what the texts have is %llu",
                         (unsigned long long)cost, ENCODING_COST,
                         (unsigned long long)cost_max(call));
}

static int check_cost(const struct btk_batch_call *call, uint64_t cost)
{
    const uint64_t most = add(cost_max(call), call->encodings->raw.count);
    return cost > most ? refuse_cost(call, cost) : 0;
}

static int explain_fault(const struct btk_batch_call *call, enum btk_truncation_fault fault)
{
    static const char *const reasons[] = {
        [BTK_TRUNCATION_STRIDE] = "stride is not less than the tokens that are left of a text "
                                  "when special tokens and the other text are in",
        [BTK_TRUNCATION_NO_PAIR] = "only the second text is to be cut, and there is none",
        [BTK_TRUNCATION_TOO_SHORT] = "the text that is to be cut is too short for max_length",
    };
    return btk_error_set(call->error, EINVAL, BTK_NO_OFFSET, "truncation: %s", reasons[fault]);
}

int btk_plan_document(struct btk_batch_call *call, struct btk_document_plan *plan)
{
    const struct btk_post_program *const program = program_of(call, plan);
    const uint64_t lengths[] = {plan->sequences[0].count, plan->sequences[1].count};
    const uint64_t added = call->options->encode.add_special_tokens ? program->added_count : 0;
    const enum btk_truncation_fault fault = btk_windows_make(
        &call->options->truncation, added, lengths, plan->is_pair ? 2 : 1, plan->windows);
    if (fault) return explain_fault(call, fault);
    if (program->fails)
        return btk_error_set(call->error, EINVAL, BTK_NO_OFFSET,
                             "the post-processor of this tokenizer has no template for %s",
                             plan->is_pair ? "two texts" : "one text");
    plan->entry_count = 1;
    if (!(call->fields & BTK_FIELD_OVERFLOWING)) return 0;
    for (uint32_t i = 0; i < program->part_count; i++)
        plan->entry_count = multiply(plan->entry_count, window_count(&program->parts[i], plan));
    if (plan->entry_count == UINT64_MAX) return refuse_cost(call, UINT64_MAX);
    return 0;
}

// --- All documents

static int check_all(struct btk_batch_call *call, const struct btk_document_plan *plans,
                     size_t count, uint64_t *out_entry_count)
{
    uint64_t cost = 0, entry_count = 0;
    for (size_t i = 0; i < count; i++) {
        const struct btk_post_program *const program = program_of(call, &plans[i]);
        const uint64_t entries = plans[i].entry_count;
        btk_progress_tick(&call->scratch->progress);
        const uint64_t tokens = entries == 1 ? entry_length(program, &plans[i], 0)
                                             : total_length(program, &plans[i], entries);
        entry_count = add(entry_count, entries);
        // One encoding for each document is what was asked for.
        cost = add(cost, add(tokens, multiply(ENCODING_COST + ranges_of(program), entries - 1)));
    }
    *out_entry_count = entry_count;
    return check_cost(call, cost);
}

static uint64_t padded_length(const struct btk_padding *padding, uint64_t longest)
{
    if (!padding->is_on) return 0;
    const uint64_t length = padding->has_length ? padding->length : longest;
    const uint64_t over = padding->multiple_of ? length % padding->multiple_of : 0;
    return over ? add(length, padding->multiple_of - over) : length;
}

static uint64_t fill_lengths(struct btk_batch_call *call, struct btk_document_plan *plans,
                             size_t count)
{
    struct btk_encoding_entry *const entries = call->encodings->entries.data;
    uint64_t longest = 0, at = 0;
    for (size_t i = 0; i < count; i++) {
        const struct btk_post_program *const program = program_of(call, &plans[i]);
        btk_progress_tick(&call->scratch->progress);
        plans[i].first_entry = at;
        for (uint64_t j = 0; j < plans[i].entry_count; j++, at++) {
            const uint64_t length = entry_length(program, &plans[i], j);
            entries[at] = (struct btk_encoding_entry){.count = length};
            if (j == 0 && length > longest) longest = length;
        }
    }
    return longest;
}

// Where each entry begins, with its padding. Returns the number of tokens.
static uint64_t place_entries(struct btk_encoding_entry *entries, size_t count, uint64_t target)
{
    uint64_t total = 0;
    for (size_t i = 0; i < count; i++) {
        entries[i].first = total;
        entries[i].padding = target > entries[i].count ? target - entries[i].count : 0;
        entries[i].count += entries[i].padding;
        total = add(total, entries[i].count);
    }
    return total;
}

static int reserve_columns(struct btk_batch_call *call, uint64_t token_count)
{
    struct btk_encodings *const all = call->encodings;
    const struct {
        struct btk_column *column;
        uint32_t field;
        uint32_t bytes;
    } columns[] = {
        {&all->ids, BTK_FIELD_IDS, 4},
        {&all->type_ids, BTK_FIELD_TYPE_IDS, 4},
        {&all->offsets, BTK_FIELD_OFFSETS, 8},
        {&all->word_ids, BTK_FIELD_WORD_IDS, 4},
        {&all->sequence_ids, BTK_FIELD_SEQUENCE_IDS, 4},
        {&all->sources, BTK_FIELD_SOURCES, 8},
        {&all->token_ends, BTK_FIELD_TOKENS, 4},
        {&all->special_tokens_mask, BTK_FIELD_SPECIAL_TOKENS_MASK, 1},
        {&all->attention_mask, BTK_FIELD_ATTENTION_MASK, 1},
    };
    for (size_t i = 0; i < BTK_ARRAY_COUNT(columns); i++)
        if ((call->fields & columns[i].field)
            && btk_column_reserve(all, columns[i].column, token_count * columns[i].bytes) < 0)
            return -ENOMEM;
    return 0;
}

static int reserve_ranges(struct btk_batch_call *call, const struct btk_document_plan *plans,
                          size_t count)
{
    uint64_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += plans[i].entry_count * ranges_of(program_of(call, &plans[i]));
    return btk_column_reserve(call->encodings, &call->encodings->ranges,
                              total * sizeof(struct btk_sequence_range));
}

int btk_plan_batch(struct btk_batch_call *call)
{
    struct btk_encodings *const all = call->encodings;
    struct btk_document_plan *const plans = all->documents.data;
    uint64_t entry_count;
    int status = check_all(call, plans, all->document_count, &entry_count);
    if (status < 0) return status;
    if (btk_column_reserve(all, &all->entries, entry_count * sizeof(struct btk_encoding_entry)) < 0)
        return btk_error_set(call->error, ENOMEM, BTK_NO_OFFSET, "not enough memory to encode");
    all->entry_count = entry_count;
    const uint64_t longest = fill_lengths(call, plans, all->document_count);
    const uint64_t target = padded_length(&call->options->padding, longest);
    const uint64_t token_count = place_entries(all->entries.data, entry_count, target);
    status = check_cost(call, token_count);
    if (status < 0) return status;
    if (reserve_columns(call, token_count) < 0
        || reserve_ranges(call, plans, all->document_count) < 0)
        return btk_error_set(call->error, ENOMEM, BTK_NO_OFFSET, "not enough memory to encode");
    return 0;
}
