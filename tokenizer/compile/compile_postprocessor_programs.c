// SPDX-License-Identifier: Apache-2.0
// Runs a chain of post-processors over texts of unknown length: see postprocessor/program.h.
//
// Source: process_encodings() of the reference's processors/*.rs and pre_tokenizers/byte_level.rs,
// and process() of tokenizer/mod.rs: which of them set types, ranges and masks of what truncation
// cut off, and which only of the first part, follows those.
#include <string.h>

#include "tokenizer/compile/postprocessor_chain.h"

#define PLACE "post_processor"

enum { MAIN, OVERFLOWING }; // the two kinds of everything that stands twice

struct part {
    uint32_t sequence;
    uint32_t type_ids[2];
    const struct btk_post_token *tokens; // before the sequence, then after it
    uint32_t before_count;
    uint32_t after_count;
    const struct btk_post_trim *trims;
    uint32_t trim_count;
    const struct btk_post_range *ranges[2];
    uint32_t range_count[2];
};

struct run {
    struct btk_compiler *compiler;
    bool adds_special;
    bool is_pair;
    bool fails;
    uint32_t added_count;
    struct part *parts; // BTK_POST_PART_LIMIT
    uint32_t part_count;
};

// A copy of a list with room for one more behind it.
static void *copy_list(struct run *run, const void *list, uint32_t count, size_t bytes)
{
    void *const copy = btk_arena_allocate(&run->compiler->arena, (count + 2) * bytes);
    if (copy && count) memcpy(copy, list, count * bytes);
    return copy;
}

static int too_long(struct run *run)
{
    return btk_compiler_refuse(run->compiler, PLACE, "its templates are too long");
}

// Puts special tokens around a part; each NULL: none.
static int wrap(struct run *run, struct part *part, const struct btk_post_token *before,
                const struct btk_post_token *after)
{
    const uint32_t count = part->before_count + part->after_count;
    struct btk_post_token *const tokens =
        btk_arena_allocate(&run->compiler->arena, (count + 2) * sizeof *tokens);
    if (!tokens) return btk_compiler_no_memory(run->compiler);
    if (count + 2 > BTK_POST_TOKEN_LIMIT) return too_long(run);
    uint32_t at = 0;
    if (before) tokens[at++] = *before;
    if (count) memcpy(tokens + at, part->tokens, count * sizeof *tokens);
    if (after) tokens[at + count] = *after;
    // The mask is made anew: only the new ones are special in it.
    for (uint32_t i = at; i < at + count; i++) tokens[i].is_special = 0;
    part->tokens = tokens;
    part->before_count += before != NULL;
    part->after_count += after != NULL;
    return 0;
}

static int set_ranges(struct run *run, struct part *part, unsigned kind,
                      struct btk_post_range range)
{
    struct btk_post_range *const list = copy_list(run, NULL, 0, sizeof *list);
    if (!list) return btk_compiler_no_memory(run->compiler);
    list[0] = range;
    part->ranges[kind] = list;
    part->range_count[kind] = 1;
    return 0;
}

static uint32_t has_sequence(const struct part *part)
{
    return part->sequence != BTK_POST_NO_SEQUENCE;
}

// set_sequence_id(): the whole part, special tokens too, beside what ranges it has.
static int add_whole_range(struct run *run, struct part *part, unsigned kind, uint32_t sequence_id)
{
    const struct btk_post_range range = {.sequence_id = sequence_id,
                                         .end = part->before_count + part->after_count,
                                         .end_grows = has_sequence(part)};
    const uint32_t count = part->range_count[kind];
    struct btk_post_range *const list = copy_list(run, part->ranges[kind], count, sizeof *list);
    if (!list) return btk_compiler_no_memory(run->compiler);
    uint32_t at = 0;
    while (at < count && list[at].sequence_id != sequence_id) at++;
    list[at] = range;
    part->ranges[kind] = list;
    part->range_count[kind] = at == count ? count + 1 : count;
    return 0;
}

static int set_types(struct run *run, struct part *part, unsigned kind, uint32_t type_id)
{
    const uint32_t count = part->before_count + part->after_count;
    struct btk_post_token *const tokens = copy_list(run, part->tokens, count, sizeof *tokens);
    if (!tokens) return btk_compiler_no_memory(run->compiler);
    for (uint32_t i = 0; i < count; i++) tokens[i].type_ids[kind] = type_id;
    part->tokens = tokens;
    part->type_ids[kind] = type_id;
    return 0;
}

// What stands in no part yet: the texts alone.
static int begin(struct run *run, bool is_null)
{
    run->part_count = run->is_pair ? 2 : 1;
    for (uint32_t i = 0; i < run->part_count; i++) {
        struct part *const part = &run->parts[i];
        *part = (struct part){.sequence = i, .type_ids = {i, i}};
        if (is_null && !run->is_pair) continue;
        int status = add_whole_range(run, part, MAIN, i);
        if (!status && !is_null) status = add_whole_range(run, part, OVERFLOWING, i);
        if (status < 0) return status;
    }
    return 0;
}

static int run_trims(struct run *run, const struct btk_processor *processor)
{
    if (!processor->trims) return 0;
    for (uint32_t i = 0; i < run->part_count; i++) {
        struct part *const part = &run->parts[i];
        struct btk_post_trim *const trims =
            copy_list(run, part->trims, part->trim_count, sizeof *trims);
        if (!trims) return btk_compiler_no_memory(run->compiler);
        trims[part->trim_count++] =
            (struct btk_post_trim){part->before_count, processor->adds_prefix_space};
        part->trims = trims;
    }
    return 0;
}

static int run_byte_level(struct run *run, const struct btk_processor *processor)
{
    int status = run_trims(run, processor);
    for (uint32_t i = 0; !status && i < run->part_count; i++)
        status = add_whole_range(run, &run->parts[i], MAIN, i);
    return status;
}

static struct btk_post_token special_token(struct btk_processor_token token, uint32_t type_id)
{
    return (struct btk_post_token){token.id, {type_id, type_id}, 1, token.text};
}

// The tokens between the first and the last belong to the sequence.
static int set_inner_range(struct run *run, struct part *part, uint32_t sequence_id,
                           uint32_t begin_at)
{
    const struct btk_post_range range = {.sequence_id = sequence_id,
                                         .begin = begin_at,
                                         .end = part->before_count + part->after_count - 1,
                                         .end_grows = has_sequence(part)};
    // Before the sequence, or behind all of it when it has its tokens before it alone.
    const int status = set_ranges(run, part, MAIN, range);
    return status < 0 ? status : set_ranges(run, part, OVERFLOWING, range);
}

static int run_bert(struct run *run, const struct btk_processor *processor)
{
    const struct btk_post_token first = special_token(processor->begin, 0);
    for (uint32_t i = 0; run->adds_special && i < run->part_count; i++) {
        const struct btk_post_token last = special_token(processor->separator, i ? 1 : 0);
        int status = wrap(run, &run->parts[i], i ? NULL : &first, &last);
        if (!status) status = set_inner_range(run, &run->parts[i], i ? 1 : 0, i ? 0 : 1);
        if (status < 0) return status;
    }
    return 0;
}

static int run_roberta(struct run *run, const struct btk_processor *processor)
{
    int status = run_trims(run, processor);
    for (uint32_t i = 0; !status && i < run->part_count; i++)
        status = set_types(run, &run->parts[i], MAIN, 0);
    const struct btk_post_token last = special_token(processor->separator, 0);
    for (uint32_t i = 0; !status && run->adds_special && i < run->part_count; i++) {
        struct part *const part = &run->parts[i];
        const struct btk_post_token first =
            special_token(i ? processor->separator : processor->begin, 0);
        status = wrap(run, part, &first, &last);
        if (!status) status = set_types(run, part, OVERFLOWING, 0);
        if (!status) status = set_inner_range(run, part, i ? 1 : 0, 1);
    }
    return status;
}

static int add_special_part(struct run *run, const struct btk_processor_piece *piece,
                            struct part *part)
{
    struct btk_post_token *const tokens =
        btk_arena_allocate(&run->compiler->arena, (piece->token_count + 1) * sizeof *tokens);
    if (!tokens) return btk_compiler_no_memory(run->compiler);
    for (uint32_t i = 0; i < piece->token_count; i++)
        tokens[i] = special_token(piece->tokens[i], piece->type_id);
    *part = (struct part){
        .sequence = BTK_POST_NO_SEQUENCE, .tokens = tokens, .before_count = piece->token_count};
    return 0;
}

// Each piece becomes a part. A sequence that the list does not have, or a special token without a
// name, is where the reference gives up.
static int run_template(struct run *run, const struct btk_processor *processor)
{
    if (run->part_count != 1 && run->part_count != 2) {
        run->fails = true;
        return 0;
    }
    const struct btk_processor_template *const template =
        &processor->templates[run->part_count - 1];
    struct part sources[2];
    memcpy(sources, run->parts, run->part_count * sizeof *sources);
    const uint32_t source_count = run->part_count;
    run->part_count = 0;
    for (uint32_t i = 0; i < template->piece_count; i++) {
        const struct btk_processor_piece *const piece = &template->pieces[i];
        const uint32_t sequence = piece->sequence;
        if (sequence == BTK_POST_NO_SEQUENCE) {
            if (!run->adds_special) continue;
            if (!piece->tokens) run->fails = true;
            const int status = add_special_part(run, piece, &run->parts[run->part_count++]);
            if (status < 0) return status;
            continue;
        }
        if (sequence >= source_count) {
            run->fails = true;
            continue;
        }
        int status = set_types(run, &sources[sequence], MAIN, piece->type_id);
        if (!status) status = add_whole_range(run, &sources[sequence], MAIN, sequence);
        if (status < 0) return status;
        run->parts[run->part_count++] = sources[sequence];
    }
    return 0;
}

static uint32_t count_added(const struct btk_processor *processor, bool is_pair)
{
    switch (processor->kind) {
    case BTK_PROCESSOR_BERT: return is_pair ? 3 : 2;
    case BTK_PROCESSOR_ROBERTA: return is_pair ? 4 : 2;
    case BTK_PROCESSOR_BYTE_LEVEL: return 0;
    default: break;
    }
    uint32_t count = 0;
    const struct btk_processor_template *const template = &processor->templates[is_pair];
    for (uint32_t i = 0; i < template->piece_count; i++) count += template->pieces[i].token_count;
    return count;
}

static int run_chain(struct run *run, const struct btk_processor_chain *chain, bool is_null)
{
    static int (*const runners[])(struct run *, const struct btk_processor *) = {
        [BTK_PROCESSOR_BERT] = run_bert,
        [BTK_PROCESSOR_ROBERTA] = run_roberta,
        [BTK_PROCESSOR_BYTE_LEVEL] = run_byte_level,
        [BTK_PROCESSOR_TEMPLATE] = run_template,
    };
    int status = begin(run, is_null);
    for (uint32_t i = 0; !status && i < chain->count; i++) {
        run->added_count += count_added(&chain->processors[i], run->is_pair);
        if (!run->fails) status = runners[chain->processors[i].kind](run, &chain->processors[i]);
    }
    if (run->fails) run->part_count = 0;
    return status;
}

// --- Into the image

struct lists {
    struct btk_buffer parts, tokens, trims, ranges;
};

static uint32_t append_list(struct btk_buffer *list, const void *items, uint32_t count,
                            size_t bytes, int *status)
{
    const uint32_t first = (uint32_t)(list->length / bytes);
    if (!*status && btk_buffer_append(list, items, count * bytes) < 0) *status = -1;
    return first;
}

static int append_part(struct lists *lists, const struct part *part)
{
    int status = 0;
    struct btk_post_part out = {
        .sequence = part->sequence,
        .type_ids = {part->type_ids[MAIN], part->type_ids[OVERFLOWING]},
        .before_count = part->before_count,
        .after_count = part->after_count,
        .trim_count = part->trim_count,
        .range_count = {part->range_count[MAIN], part->range_count[OVERFLOWING]},
    };
    out.first_token =
        append_list(&lists->tokens, part->tokens, part->before_count + part->after_count,
                    sizeof *part->tokens, &status);
    out.first_trim =
        append_list(&lists->trims, part->trims, part->trim_count, sizeof *part->trims, &status);
    for (unsigned kind = 0; kind < 2; kind++)
        out.first_range[kind] =
            append_list(&lists->ranges, part->ranges[kind], part->range_count[kind],
                        sizeof(struct btk_post_range), &status);
    append_list(&lists->parts, &out, 1, sizeof out, &status);
    return status;
}

static int write_program(const struct run *run, unsigned mode, struct lists *lists)
{
    const struct btk_post_head head = {run->added_count, run->fails};
    const struct btk_step step = {
        .kind = BTK_POST_PROGRAM,
        .flags = mode,
        .numbers = {run->part_count,
                    (uint32_t)(lists->tokens.length / sizeof(struct btk_post_token)),
                    (uint32_t)(lists->trims.length / sizeof(struct btk_post_trim)),
                    (uint32_t)(lists->ranges.length / sizeof(struct btk_post_range))},
    };
    for (unsigned i = 1; i < 4; i++)
        if (step.numbers[i] > BTK_POST_TOKEN_LIMIT)
            return btk_compiler_refuse(run->compiler, PLACE, "its templates are too long");
    struct btk_buffer data;
    btk_buffer_init(&data);
    const struct btk_buffer *const all[] = {&lists->parts, &lists->tokens, &lists->trims,
                                            &lists->ranges};
    int status = btk_buffer_append(&data, &head, sizeof head);
    for (size_t i = 0; !status && i < BTK_ARRAY_COUNT(all); i++)
        status = btk_buffer_append(&data, all[i]->data, all[i]->length);
    status = status < 0 ? btk_compiler_no_memory(run->compiler)
                        : btk_compiler_add_step(run->compiler, BTK_SECTION_POSTPROCESSOR_STEPS,
                                                step, (struct btk_bytes){data.data, data.length});
    btk_buffer_clear(&data);
    return status;
}

static int emit_program(const struct run *run, unsigned mode)
{
    struct lists lists = {0};
    int status = 0;
    for (uint32_t i = 0; !status && i < run->part_count; i++)
        status = append_part(&lists, &run->parts[i]);
    status = status < 0 ? btk_compiler_no_memory(run->compiler) : write_program(run, mode, &lists);
    btk_buffer_clear(&lists.parts);
    btk_buffer_clear(&lists.tokens);
    btk_buffer_clear(&lists.trims);
    btk_buffer_clear(&lists.ranges);
    return status;
}

static int emit_texts(struct btk_compiler *compiler, const struct btk_processor_chain *chain)
{
    const struct btk_step step = {
        .kind = BTK_POST_TEXTS,
        .numbers = {(uint32_t)(chain->text_ends.length / sizeof(uint32_t))}};
    struct btk_buffer data;
    btk_buffer_init(&data);
    int status = btk_buffer_append(&data, chain->text_ends.data, chain->text_ends.length);
    if (!status) status = btk_buffer_append(&data, chain->texts.data, chain->texts.length);
    status = status < 0 ? btk_compiler_no_memory(compiler)
                        : btk_compiler_add_step(compiler, BTK_SECTION_POSTPROCESSOR_STEPS, step,
                                                (struct btk_bytes){data.data, data.length});
    btk_buffer_clear(&data);
    return status;
}

// --- The template of the fast path

// One text, with special tokens of the vocabulary before and behind it.
static bool add_template_tokens(struct btk_image_config *config,
                                struct btk_template_token *out_tokens, const struct part *part,
                                uint32_t first, uint32_t count)
{
    for (uint32_t i = first; i < first + count; i++) {
        const struct btk_post_token token = part->tokens[i];
        const uint32_t at = config->prefix_count + config->suffix_count;
        if (!token.is_special || token.text || at >= BTK_TEMPLATE_LIMIT) return false;
        out_tokens[at] = (struct btk_template_token){token.id, token.type_ids[MAIN]};
        const bool is_suffix = config->text_type_id != BTK_POST_NO_SEQUENCE;
        config->prefix_count += !is_suffix;
        config->suffix_count += is_suffix;
    }
    return true;
}

static bool add_template_part(struct btk_image_config *config,
                              struct btk_template_token *out_tokens, const struct part *part)
{
    if (!add_template_tokens(config, out_tokens, part, 0, part->before_count)) return false;
    if (!has_sequence(part)) return part->after_count == 0;
    if (config->text_type_id != BTK_POST_NO_SEQUENCE || part->trim_count > 1
        || (part->trim_count && part->trims[0].before_count))
        return false;
    config->text_type_id = part->type_ids[MAIN];
    if (part->trim_count) config->flags |= BTK_PIPELINE_TRIM_OFFSETS;
    if (part->trim_count && part->trims[0].adds_prefix_space)
        config->flags |= BTK_PIPELINE_TRIM_PREFIX_SPACE;
    return add_template_tokens(config, out_tokens, part, part->before_count, part->after_count);
}

static bool try_template(const struct run *run, struct btk_image_config *config,
                         struct btk_template_token *out_tokens)
{
    config->text_type_id = BTK_POST_NO_SEQUENCE;
    if (run->fails) return false;
    for (uint32_t i = 0; i < run->part_count; i++)
        if (!add_template_part(config, out_tokens, &run->parts[i])) return false;
    return config->text_type_id != BTK_POST_NO_SEQUENCE;
}

// What is unknown shows itself there: how many spaces that has, only the general way counts.
static bool trims_unknown_text(const struct btk_image_config *config)
{
    return (config->flags & BTK_PIPELINE_TRIM_OFFSETS)
           && (config->model == BTK_MODEL_UNIGRAM
               || (config->model_flags & BTK_MODEL_SENTENCEPIECE));
}

// The runs without and with special tokens have to agree about the text itself.
static void compile_template(struct btk_compiler *compiler, const struct run *plain,
                             const struct run *special)
{
    struct btk_image_config with = compiler->config, without = compiler->config;
    struct btk_template_token unused[BTK_TEMPLATE_LIMIT];
    if (try_template(special, &with, compiler->template_tokens)
        && try_template(plain, &without, unused) && with.flags == without.flags
        && with.text_type_id == without.text_type_id
        && without.prefix_count + without.suffix_count == 0 && !trims_unknown_text(&with))
        compiler->config = with;
    else
        compiler->config.flags |= BTK_PIPELINE_POST_GENERAL;
}

int btk_compile_postprocessor_programs(struct btk_compiler *compiler,
                                       const struct btk_processor_chain *chain, bool is_null)
{
    struct run runs[BTK_POST_MODE_COUNT];
    for (unsigned mode = 0; mode < BTK_POST_MODE_COUNT; mode++) {
        runs[mode] = (struct run){.compiler = compiler,
                                  .adds_special = mode & BTK_POST_ADDS_SPECIAL,
                                  .is_pair = mode & BTK_POST_IS_PAIR};
        runs[mode].parts =
            btk_arena_allocate(&compiler->arena, BTK_POST_PART_LIMIT * sizeof(struct part));
        if (!runs[mode].parts) return btk_compiler_no_memory(compiler);
        int status = run_chain(&runs[mode], chain, is_null);
        if (!status) status = emit_program(&runs[mode], mode);
        if (status < 0) return status;
    }
    compile_template(compiler, &runs[0], &runs[BTK_POST_ADDS_SPECIAL]);
    return emit_texts(compiler, chain);
}
