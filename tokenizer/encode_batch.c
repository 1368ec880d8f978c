// SPDX-License-Identifier: Apache-2.0
// btk_encode_batch(): the texts of all documents become raw tokens, then what encode_plan.c and
// encode_fill.c make of them.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/utf8.h"
#include "tokenizer/encodings.h"

#define TEXT_BYTES_MAX ((uint64_t)1 << 31)

static int no_memory(struct btk_error *error)
{
    return btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "not enough memory to encode");
}

// What is copied is what is checked and replaced: the text may be in memory that others write to.
// `offset`: where the text begins in what the caller gave.
static int copy_text(struct btk_batch_call *call, const char *text, size_t bytes, size_t offset)
{
    struct btk_encodings *const all = call->encodings;
    btk_profiler_enter(&call->scratch->profiler, BTK_STAGE_VALIDATION);
    const struct btk_kernels *const kernels = call->scratch->kernels;
    const bool replaces = call->options->encode.invalid_utf8 == BTK_INVALID_UTF8_REPLACE;
    const size_t room = all->text_bytes + (replaces ? 3 : 1) * bytes + BTK_READ_SLACK_BYTES;
    if (btk_column_reserve(all, &all->text, room) < 0) return no_memory(call->error);
    uint8_t *const copy = (uint8_t *)all->text.data + all->text_bytes;
    if (!replaces) {
        const size_t valid = kernels->utf8_copy(copy, (const uint8_t *)text, bytes);
        all->text_bytes += bytes;
        if (valid == bytes) return 0;
        return btk_error_set(call->error, EILSEQ, offset + valid,
                             "not UTF-8: byte 0x%02x at offset %zu", (unsigned char)text[valid],
                             offset + valid);
    }
    uint8_t *const behind = copy + 2 * bytes; // replacing grows towards it
    if (bytes) memcpy(behind, text, bytes);
    if (kernels->utf8_valid_prefix(behind, bytes) == bytes)
        memmove(copy, behind, bytes);
    else
        bytes = btk_utf8_replace_invalid(copy, behind, bytes);
    all->text_bytes += bytes;
    return 0;
}

// --- Raw tokens

static bool has_trims(const struct btk_post_program *program)
{
    for (uint32_t i = 0; i < program->part_count; i++)
        if (program->parts[i].trim_count) return true;
    return false;
}

static int reserve_raw(struct btk_batch_call *call, size_t capacity)
{
    struct btk_encodings *const all = call->encodings;
    struct btk_raw_tokens *const raw = &all->raw;
    const bool trims = has_trims(&call->programs[0]) || has_trims(&call->programs[1]);
    const struct {
        struct btk_column *column;
        size_t bytes;
        bool is_wanted;
    } columns[] = {
        {&raw->ids, 4, true},
        {&raw->offsets, 8, call->fields & BTK_FIELD_OFFSETS},
        {&raw->word_ids, 4, call->fields & BTK_FIELD_WORD_IDS},
        {&raw->sources, 8, call->fields & (BTK_FIELD_TOKENS | BTK_FIELD_SOURCES)},
        {&raw->spaces, 8, trims && (call->fields & BTK_FIELD_OFFSETS)},
    };
    raw->capacity = SIZE_MAX;
    for (size_t i = 0; i < BTK_ARRAY_COUNT(columns); i++) {
        if (!columns[i].is_wanted) continue;
        if (btk_column_reserve(all, columns[i].column, capacity * columns[i].bytes) < 0)
            return no_memory(call->error);
        raw->capacity = btk_min_size(raw->capacity, columns[i].column->bytes / columns[i].bytes);
    }
    return 0;
}

// The columns behind the raw tokens so far.
static struct btk_encoding raw_columns(const struct btk_batch_call *call)
{
    const struct btk_raw_tokens *const raw = &call->encodings->raw;
    const size_t count = raw->count;
    struct btk_encoding encoding = {.capacity = raw->capacity - count,
                                    .ids = (uint32_t *)raw->ids.data + count};
    if (call->fields & BTK_FIELD_OFFSETS)
        encoding.offsets = (uint32_t *)raw->offsets.data + 2 * count;
    if (call->fields & BTK_FIELD_WORD_IDS)
        encoding.word_ids = (uint32_t *)raw->word_ids.data + count;
    if (call->fields & (BTK_FIELD_TOKENS | BTK_FIELD_SOURCES))
        encoding.sources = (uint32_t *)raw->sources.data + 2 * count;
    return encoding;
}

static uint32_t *raw_spaces(const struct btk_batch_call *call)
{
    const struct btk_raw_tokens *const raw = &call->encodings->raw;
    const bool trims = has_trims(&call->programs[0]) || has_trims(&call->programs[1]);
    return trims && (call->fields & BTK_FIELD_OFFSETS)
               ? (uint32_t *)raw->spaces.data + 2 * raw->count
               : NULL;
}

// What stands in the columns so far goes with them.
static int grow_raw(struct btk_encoder *encoder, size_t count)
{
    struct btk_batch_call *const call = encoder->grow_context;
    const size_t used = encoder->encoding->count, capacity = call->encodings->raw.capacity;
    const int status = reserve_raw(call, capacity + capacity / 2 + count);
    if (status < 0) return status;
    *encoder->encoding = raw_columns(call);
    encoder->encoding->count = used;
    encoder->spaces = raw_spaces(call);
    return 0;
}

// The tokens of a text that is copied and valid.
static int encode_copied(struct btk_batch_call *call, size_t text_begin, size_t *out_count)
{
    struct btk_encodings *const all = call->encodings;
    const size_t bytes = all->text_bytes - text_begin;
    const size_t usual = all->raw.count + bytes / 2 + 64;
    int status = usual > all->raw.capacity ? reserve_raw(call, usual) : 0;
    if (status < 0) return status;
    struct btk_encoding encoding = raw_columns(call);
    struct btk_encoder encoder = {
        .tokenizer = call->tokenizer,
        .image = &call->tokenizer->image,
        .scratch = call->scratch,
        .options = &call->options->encode,
        .encoding = &encoding,
        .text = {(const uint8_t *)all->text.data + text_begin, bytes},
        .grow = grow_raw,
        .grow_context = call,
        .annotates = encoding.offsets || encoding.word_ids || encoding.sources,
        .spaces = raw_spaces(call),
    };
    status = btk_encode_text(&encoder);
    if (status < 0) return btk_encode_explain(status, &encoder, call->error);
    btk_profiler_enter(&call->scratch->profiler, BTK_STAGE_POST_PROCESSING);
    if (encoding.offsets) btk_postprocess_offsets(&encoder, 0);
    *out_count = encoding.count;
    all->raw.count += encoding.count;
    return 0;
}

static int encode_whole(struct btk_batch_call *call, const struct btk_encode_text *text)
{
    const size_t text_begin = call->encodings->text_bytes;
    size_t count;
    const int status = copy_text(call, text->data, text->bytes, 0);
    return status < 0 ? status : encode_copied(call, text_begin, &count);
}

// The newest tokens are of this word.
static void mark_word(struct btk_batch_call *call, size_t count, uint32_t word)
{
    const struct btk_raw_tokens *const raw = &call->encodings->raw;
    if (call->fields & BTK_FIELD_WORD_IDS)
        for (size_t i = raw->count - count; i < raw->count; i++)
            ((uint32_t *)raw->word_ids.data)[i] = word;
}

static int encode_words(struct btk_batch_call *call, const struct btk_encode_text *text)
{
    uint64_t begin = 0;
    for (size_t i = 0; i < text->word_count; i++) {
        const uint64_t end = text->word_ends[i];
        const size_t text_begin = call->encodings->text_bytes;
        size_t count = 0;
        btk_progress_tick(&call->scratch->progress);
        if (end < begin || end > text->bytes)
            return btk_error_set(call->error, EINVAL, BTK_NO_OFFSET,
                                 "word %zu ends outside of its text", i);
        int status = copy_text(call, text->data + begin, end - begin, begin);
        if (!status) status = encode_copied(call, text_begin, &count);
        if (status < 0) return status;
        mark_word(call, count, (uint32_t)i);
        begin = end;
    }
    return 0;
}

static int encode_sequence(struct btk_batch_call *call, const struct btk_encode_text *text,
                           struct btk_raw_sequence *sequence)
{
    struct btk_encodings *const all = call->encodings;
    if (text->bytes > TEXT_BYTES_MAX)
        return btk_error_set(call->error, E2BIG, BTK_NO_OFFSET,
                             "a text of %zu bytes; the most is %llu", text->bytes,
                             (unsigned long long)TEXT_BYTES_MAX);
    if (text->word_count > UINT32_MAX - 1)
        return btk_error_set(call->error, E2BIG, BTK_NO_OFFSET, "a text of %zu words",
                             text->word_count);
    *sequence = (struct btk_raw_sequence){.text_begin = all->text_bytes, .first = all->raw.count};
    const int status = text->word_ends ? encode_words(call, text) : encode_whole(call, text);
    sequence->count = all->raw.count - sequence->first;
    return status;
}

static int encode_document(struct btk_batch_call *call, const struct btk_encode_input *input,
                           struct btk_document_plan *plan)
{
    *plan = (struct btk_document_plan){.is_pair = input->has_pair};
    int status = encode_sequence(call, &input->text, &plan->sequences[0]);
    if (!status && input->has_pair)
        status = encode_sequence(call, &input->pair, &plan->sequences[1]);
    return status < 0 ? status : btk_plan_document(call, plan);
}

static int encode_documents(struct btk_batch_call *call, const struct btk_encode_input *inputs,
                            size_t count)
{
    struct btk_encodings *const all = call->encodings;
    struct btk_document_plan *plans = NULL;
    if (btk_column_reserve(all, &all->documents, count * sizeof *plans) < 0)
        return no_memory(call->error);
    plans = all->documents.data;
    for (size_t i = 0; i < count; i++) {
        btk_progress_tick(&call->scratch->progress);
        const int status = encode_document(call, &inputs[i], &plans[i]);
        if (status < 0)
            return count > 1 ? btk_error_prefix(call->error, "document %zu", i) : status;
    }
    all->document_count = count;
    btk_profiler_enter(&call->scratch->profiler, BTK_STAGE_POST_PROCESSING);
    const int status = btk_plan_batch(call);
    return status < 0 ? status : btk_fill_entries(call);
}

static void reset(struct btk_encodings *encodings, uint32_t fields)
{
    encodings->text_bytes = 0;
    encodings->raw.count = 0;
    encodings->raw.capacity = 0; // other columns may be wanted now
    encodings->document_count = 0;
    encodings->entry_count = 0;
    encodings->token_text_bytes = 0;
    encodings->range_count = 0;
    encodings->fields = fields;
}

static size_t text_bytes(const struct btk_encode_input *inputs, size_t count)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += inputs[i].text.bytes + (inputs[i].has_pair ? inputs[i].pair.bytes : 0);
    return bytes;
}

static int encode_batch(const struct btk_tokenizer *tokenizer, struct btk_scratch *scratch,
                        const struct btk_encode_input *inputs, size_t count,
                        const struct btk_encoding_options *options, struct btk_batch_call *call)
{
    const unsigned mode = options->encode.add_special_tokens ? BTK_POST_ADDS_SPECIAL : 0;
    call->tokenizer = tokenizer;
    call->scratch = scratch;
    call->options = options;
    call->fields = options->fields | BTK_FIELD_IDS;
    call->programs[0] = btk_post_program_get(&tokenizer->image, mode);
    call->programs[1] = btk_post_program_get(&tokenizer->image, mode | BTK_POST_IS_PAIR);
    reset(call->encodings, call->fields);
    scratch->shown.length = 0;
    btk_profiler_begin(&scratch->profiler, scratch->profiler.is_on ? text_bytes(inputs, count) : 0);
    const int status = encode_documents(call, inputs, count);
    btk_profiler_end(&scratch->profiler);
    if (status < 0) call->encodings->document_count = 0;
    return status;
}

int btk_encode_batch(const struct btk_tokenizer *tokenizer, struct btk_scratch *scratch,
                     const struct btk_encode_input *inputs, size_t count,
                     const struct btk_encoding_options *options, struct btk_encodings *encodings,
                     struct btk_error_info *out_error)
{
    struct btk_error error;
    struct btk_batch_call call = {.encodings = encodings, .error = &error};
    const int status = encode_batch(tokenizer, scratch, inputs, count, options, &call);
    return status < 0 ? btk_error_export(&error, out_error) : 0;
}

// --- For btk_encode(), whose columns are the caller's

static void copy_column(void *out, const struct btk_column *column, size_t bytes)
{
    if (out && bytes) memcpy(out, column->data, bytes);
}

static uint32_t fields_of(const struct btk_encoding *encoding)
{
    return (encoding->offsets ? (uint32_t)BTK_FIELD_OFFSETS : 0u)
           | (encoding->type_ids ? (uint32_t)BTK_FIELD_TYPE_IDS : 0u)
           | (encoding->word_ids ? (uint32_t)BTK_FIELD_WORD_IDS : 0u)
           | (encoding->special_tokens_mask ? (uint32_t)BTK_FIELD_SPECIAL_TOKENS_MASK : 0u)
           | (encoding->sources ? BTK_FIELD_SOURCES : 0u);
}

int btk_encode_generally(const struct btk_tokenizer *tokenizer, struct btk_scratch *scratch,
                         struct btk_bytes text, const struct btk_encode_options *options,
                         struct btk_encoding *encoding, struct btk_error *error)
{
    if (!scratch->general && !(scratch->general = calloc(1, sizeof *scratch->general)))
        return no_memory(error);
    struct btk_encodings *const all = scratch->general;
    const struct btk_encoding_options all_options = {.encode = *options,
                                                     .fields = fields_of(encoding)};
    const struct btk_encode_input input = {.text = {(const char *)text.data, text.length}};
    struct btk_batch_call call = {.encodings = all, .error = error};
    const int status = encode_batch(tokenizer, scratch, &input, 1, &all_options, &call);
    if (status < 0) return status;
    const size_t count = ((const struct btk_encoding_entry *)all->entries.data)->count;
    const struct btk_encoder encoder = {.encoding = encoding};
    if (count > encoding->capacity) return btk_encode_explain(-ENOBUFS, &encoder, error);
    copy_column(encoding->ids, &all->ids, 4 * count);
    copy_column(encoding->offsets, &all->offsets, 8 * count);
    copy_column(encoding->type_ids, &all->type_ids, 4 * count);
    copy_column(encoding->word_ids, &all->word_ids, 4 * count);
    copy_column(encoding->special_tokens_mask, &all->special_tokens_mask, count);
    copy_column(encoding->sources, &all->sources, 8 * count);
    encoding->count = count;
    return 0;
}
