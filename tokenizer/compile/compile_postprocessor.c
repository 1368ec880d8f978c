// SPDX-License-Identifier: Apache-2.0
// post_processor, truncation and padding of a tokenizer.json.
//
// The reference tells post-processors apart by their members, not by "type" (serde's untagged enum in
// processors/mod.rs): what has all of Roberta's is one.
#include <string.h>

#include "tokenizer/compile/postprocessor_chain.h"

#define PLACE "post_processor"

enum { CHAIN_DEPTH_MAX = 16 };

static bool try_u32(const struct btk_json *value, uint32_t *out_number)
{
    int64_t number;
    if (!btk_json_try_integer(value, &number) || number < 0 || number > UINT32_MAX) return false;
    *out_number = (uint32_t)number;
    return true;
}

// The index of a text that is not what the vocabulary has for the id.
static int intern_text(struct btk_compiler *compiler, struct btk_processor_chain *chain,
                       struct btk_bytes text, struct btk_processor_token *token)
{
    token->text = 0;
    if (token->id < compiler->config.token_count) {
        const struct btk_compiler_token *const known = &compiler->tokens[token->id];
        const struct btk_bytes shown =
            known->flags & BTK_TOKEN_NORMALIZED ? known->normal : known->text;
        if ((known->flags & BTK_TOKEN_EXISTS) && btk_bytes_equal(shown, text)) return 0;
    }
    if (btk_buffer_append(&chain->texts, text.data, text.length) < 0)
        return btk_compiler_no_memory(compiler);
    const uint32_t end = (uint32_t)chain->texts.length;
    const size_t count = chain->text_ends.length / sizeof end;
    if (chain->texts.length > INT32_MAX || count >= BTK_POST_TOKEN_LIMIT)
        return btk_compiler_refuse(compiler, PLACE, "more than %d special tokens",
                                   BTK_POST_TOKEN_LIMIT);
    token->text = (uint32_t)count + 1;
    return btk_buffer_append(&chain->text_ends, &end, sizeof end) < 0
               ? btk_compiler_no_memory(compiler)
               : 0;
}

// ["[SEP]", 102]
static int read_pair(struct btk_compiler *compiler, struct btk_processor_chain *chain,
                     const struct btk_json *object, const char *name,
                     struct btk_processor_token *out_token)
{
    const struct btk_json *const pair = btk_json_get(object, name);
    struct btk_bytes text;
    if (btk_json_count(pair) != 2 || !btk_json_try_string(btk_json_at(pair, 0), &text)
        || !try_u32(btk_json_at(pair, 1), &out_token->id))
        return btk_compiler_refuse(compiler, PLACE, "\"%s\" is to be [token, id]", name);
    return intern_text(compiler, chain, text, out_token);
}

static int read_pairs(struct btk_compiler *compiler, struct btk_processor_chain *chain,
                      const struct btk_json *object, struct btk_processor *processor)
{
    const int status = read_pair(compiler, chain, object, "cls", &processor->begin);
    return status < 0 ? status : read_pair(compiler, chain, object, "sep", &processor->separator);
}

static int read_trimming(struct btk_compiler *compiler, const struct btk_json *object,
                         struct btk_processor *processor)
{
    processor->trims = processor->adds_prefix_space = true;
    const int status =
        btk_compiler_bool(compiler, object, PLACE, "trim_offsets", &processor->trims);
    return status < 0 ? status
                      : btk_compiler_bool(compiler, object, PLACE, "add_prefix_space",
                                          &processor->adds_prefix_space);
}

// --- Templates

// A special token of a template stands for any number of ids.
struct special {
    struct btk_bytes name;
    struct btk_processor_token *tokens;
    uint32_t count;
};

static int read_special(struct btk_compiler *compiler, struct btk_processor_chain *chain,
                        const struct btk_json *object, struct special *special)
{
    const struct btk_json *const ids = btk_json_get(object, "ids");
    const struct btk_json *const texts = btk_json_get(object, "tokens");
    const size_t count = btk_json_count(ids);
    if (btk_json_type(ids) != BTK_JSON_ARRAY || btk_json_type(texts) != BTK_JSON_ARRAY
        || btk_json_count(texts) != count || count > BTK_POST_TOKEN_LIMIT)
        return btk_compiler_refuse(compiler, PLACE ".special_tokens",
                                   "\"ids\" and \"tokens\" are to be lists of one length");
    special->count = (uint32_t)count;
    special->tokens = btk_arena_allocate(&compiler->arena, (count + 1) * sizeof *special->tokens);
    if (!special->tokens) return btk_compiler_no_memory(compiler);
    for (size_t i = 0; i < count; i++) {
        struct btk_bytes text;
        if (!try_u32(btk_json_at(ids, i), &special->tokens[i].id)
            || !btk_json_try_string(btk_json_at(texts, i), &text))
            return btk_compiler_refuse(compiler, PLACE ".special_tokens",
                                       "ids are to be numbers, tokens strings");
        const int status = intern_text(compiler, chain, text, &special->tokens[i]);
        if (status < 0) return status;
    }
    return 0;
}

static int read_specials(struct btk_compiler *compiler, struct btk_processor_chain *chain,
                         const struct btk_json *object, struct special **out_specials)
{
    const size_t count = btk_json_count(object);
    if (btk_json_type(object) != BTK_JSON_OBJECT)
        return btk_compiler_refuse(compiler, PLACE, "\"special_tokens\" is to be an object");
    if (count > BTK_POST_PART_LIMIT)
        return btk_compiler_refuse(compiler, PLACE ".special_tokens", "more than %d of them",
                                   BTK_POST_PART_LIMIT);
    struct special *const specials =
        btk_arena_allocate(&compiler->arena, (count + 1) * sizeof *specials);
    if (!specials) return btk_compiler_no_memory(compiler);
    void *cursor = NULL;
    const struct btk_json *value;
    for (size_t i = 0; btk_json_next(object, &cursor, &specials[i].name, &value); i++) {
        const int status = read_special(compiler, chain, value, &specials[i]);
        if (status < 0) return status;
    }
    *out_specials = specials;
    return 0;
}

// {"Sequence": {"id": "A", "type_id": 0}} or {"SpecialToken": {"id": "[CLS]", "type_id": 0}}.
static int read_piece(struct btk_compiler *compiler, const struct btk_json *object,
                      const struct special *specials, size_t special_count,
                      struct btk_processor_piece *piece)
{
    const struct btk_json *const sequence = btk_json_get(object, "Sequence");
    const struct btk_json *const content =
        sequence ? sequence : btk_json_get(object, "SpecialToken");
    struct btk_bytes id;
    if (!btk_json_try_string(btk_json_get(content, "id"), &id)
        || !try_u32(btk_json_get(content, "type_id"), &piece->type_id))
        return btk_compiler_refuse(compiler, PLACE,
                                   "a piece of a template is to be a Sequence or a "
                                   "SpecialToken with \"id\" and \"type_id\"");
    piece->sequence = BTK_POST_NO_SEQUENCE;
    piece->tokens = NULL;
    piece->token_count = 0;
    if (sequence) {
        piece->sequence = btk_bytes_are(id, "B") ? 1 : 0;
        if (btk_bytes_are(id, "A") || btk_bytes_are(id, "B")) return 0;
        return btk_compiler_refuse(compiler, PLACE, "a Sequence is to be \"A\" or \"B\"");
    }
    for (size_t i = 0; i < special_count; i++) {
        if (!btk_bytes_equal(specials[i].name, id)) continue;
        piece->tokens = specials[i].tokens;
        piece->token_count = specials[i].count;
    }
    return 0;
}

static int read_pieces(struct btk_compiler *compiler, const struct btk_json *list,
                       const struct special *specials, size_t special_count,
                       struct btk_processor_template *out_template)
{
    const size_t count = btk_json_count(list);
    if (!btk_json_is_null(list) && btk_json_type(list) != BTK_JSON_ARRAY)
        return btk_compiler_refuse(compiler, PLACE, "a template is to be a list");
    if (count > BTK_POST_PART_LIMIT)
        return btk_compiler_refuse(compiler, PLACE, "more than %d pieces in a template",
                                   BTK_POST_PART_LIMIT);
    struct btk_processor_piece *const pieces =
        btk_arena_allocate(&compiler->arena, (count + 1) * sizeof *pieces);
    if (!pieces) return btk_compiler_no_memory(compiler);
    for (size_t i = 0; i < count; i++) {
        const int status =
            read_piece(compiler, btk_json_at(list, i), specials, special_count, &pieces[i]);
        if (status < 0) return status;
    }
    *out_template = (struct btk_processor_template){pieces, (uint32_t)count};
    return 0;
}

static int read_template(struct btk_compiler *compiler, struct btk_processor_chain *chain,
                         const struct btk_json *object, struct btk_processor *processor)
{
    static const char *const names[] = {"single", "pair"};
    const struct btk_json *const list = btk_json_get(object, "special_tokens");
    struct special *specials = NULL;
    int status = btk_json_is_null(list) ? 0 : read_specials(compiler, chain, list, &specials);
    for (unsigned i = 0; !status && i < 2; i++)
        status = read_pieces(compiler, btk_json_get(object, names[i]), specials,
                             btk_json_count(list), &processor->templates[i]);
    return status;
}

// --- The chain

static bool has(const struct btk_json *object, const char *name)
{
    return !btk_json_is_null(btk_json_get(object, name));
}

static int read_one(struct btk_compiler *compiler, struct btk_processor_chain *chain,
                    const struct btk_json *object, struct btk_bytes type)
{
    if (chain->count == BTK_PROCESSOR_LIMIT)
        return btk_compiler_refuse(compiler, PLACE, "more than %d in a sequence",
                                   BTK_PROCESSOR_LIMIT);
    struct btk_processor *const processor = &chain->processors[chain->count++];
    *processor = (struct btk_processor){.kind = BTK_PROCESSOR_TEMPLATE};
    if (has(object, "sep") && has(object, "cls")) {
        const bool is_roberta = has(object, "trim_offsets") && has(object, "add_prefix_space");
        processor->kind = is_roberta || btk_bytes_are(type, "RobertaProcessing")
                              ? BTK_PROCESSOR_ROBERTA
                              : BTK_PROCESSOR_BERT;
        const int status = processor->kind == BTK_PROCESSOR_ROBERTA
                               ? read_trimming(compiler, object, processor)
                               : 0;
        return status < 0 ? status : read_pairs(compiler, chain, object, processor);
    }
    if (btk_bytes_are(type, "ByteLevel")) {
        processor->kind = BTK_PROCESSOR_BYTE_LEVEL;
        return read_trimming(compiler, object, processor);
    }
    if (has(object, "single") || btk_bytes_are(type, "TemplateProcessing"))
        return read_template(compiler, chain, object, processor);
    if (btk_bytes_are(type, "BertProcessing") || btk_bytes_are(type, "RobertaProcessing"))
        return btk_compiler_refuse(compiler, PLACE, "is to have \"cls\" and \"sep\"");
    if (btk_bytes_are(type, "Sequence"))
        return btk_compiler_refuse(compiler, PLACE, "is a Sequence without \"processors\"");
    return btk_compiler_unsupported(compiler, PLACE ".type", type,
                                    "BertProcessing, ByteLevel, RobertaProcessing, Sequence, "
                                    "TemplateProcessing, null");
}

static int read_chain(struct btk_compiler *compiler, struct btk_processor_chain *chain,
                      const struct btk_json *object, unsigned depth)
{
    struct btk_bytes type = {(const uint8_t *)"", 0};
    int status = 0;
    if (!has(object, "sep") && !has(object, "single"))
        status = btk_compiler_type(compiler, object, PLACE, &type);
    if (status < 0) return status;
    if (!btk_bytes_are(type, "Sequence")) return read_one(compiler, chain, object, type);
    if (depth == CHAIN_DEPTH_MAX)
        return btk_compiler_refuse(compiler, PLACE, "sequences within sequences");
    const struct btk_json *const list = btk_json_get(object, "processors");
    if (btk_json_type(list) != BTK_JSON_ARRAY)
        return btk_compiler_refuse(compiler, PLACE, "a Sequence is to have \"processors\"");
    for (size_t i = 0; !status && i < btk_json_count(list); i++)
        status = read_chain(compiler, chain, btk_json_at(list, i), depth + 1);
    return status;
}

// --- Options that stand in the file

static bool try_choice(const struct btk_json *value, const char *const *names, uint32_t *out_index)
{
    struct btk_bytes text;
    if (!btk_json_try_string(value, &text)) return false;
    for (uint32_t i = 0; names[i]; i++) {
        if (!btk_bytes_are(text, names[i])) continue;
        *out_index = i;
        return true;
    }
    return false;
}

static const char *const directions[] = {"Right", "Left", NULL};

static bool try_size(const struct btk_json *value, uint64_t *out_size)
{
    int64_t number;
    if (!btk_json_try_integer(value, &number) || number < 0) return false;
    *out_size = (uint64_t)number;
    return true;
}

static int compile_truncation(struct btk_compiler *compiler, const struct btk_json *object)
{
    static const char *const strategies[] = {"LongestFirst", "OnlyFirst", "OnlySecond", NULL};
    struct btk_post_truncation truncation = {0};
    if (btk_json_is_null(object)) return 0;
    const struct btk_json *const direction = btk_json_get(object, "direction");
    if (!try_size(btk_json_get(object, "max_length"), &truncation.max_length)
        || !try_size(btk_json_get(object, "stride"), &truncation.stride)
        || !try_choice(btk_json_get(object, "strategy"), strategies, &truncation.strategy)
        || (direction && !try_choice(direction, directions, &truncation.direction)))
        return btk_compiler_refuse(compiler, "truncation",
                                   "is to have max_length, stride, strategy and direction");
    const struct btk_step step = {.kind = BTK_POST_TRUNCATION};
    const struct btk_bytes data = {(const uint8_t *)&truncation, sizeof truncation};
    return btk_compiler_add_step(compiler, BTK_SECTION_POSTPROCESSOR_STEPS, step, data);
}

// "BatchLongest" or {"Fixed": 24}.
static bool try_strategy(const struct btk_json *value, struct btk_post_padding *padding)
{
    static const char *const names[] = {"BatchLongest", NULL};
    uint32_t index;
    if (try_choice(value, names, &index)) return true;
    padding->has_length = 1;
    return try_size(btk_json_get(value, "Fixed"), &padding->length);
}

static int compile_padding(struct btk_compiler *compiler, const struct btk_json *object)
{
    struct btk_post_padding padding = {0};
    struct btk_bytes text;
    if (btk_json_is_null(object)) return 0;
    const struct btk_json *const multiple = btk_json_get(object, "pad_to_multiple_of");
    if (!try_strategy(btk_json_get(object, "strategy"), &padding)
        || !try_choice(btk_json_get(object, "direction"), directions, &padding.direction)
        || (!btk_json_is_null(multiple) && !try_size(multiple, &padding.multiple_of))
        || !try_u32(btk_json_get(object, "pad_id"), &padding.id)
        || !try_u32(btk_json_get(object, "pad_type_id"), &padding.type_id)
        || !btk_json_try_string(btk_json_get(object, "pad_token"), &text)
        || text.length > BTK_POST_TEXT_BYTES_LIMIT)
        return btk_compiler_refuse(compiler, "padding",
                                   "is to have strategy, direction, pad_to_multiple_of, pad_id, "
                                   "pad_type_id and pad_token (of at most %d bytes)",
                                   BTK_POST_TEXT_BYTES_LIMIT);
    struct btk_buffer data;
    btk_buffer_init(&data);
    int status = btk_buffer_append(&data, &padding, sizeof padding);
    if (!status) status = btk_buffer_append(&data, text.data, text.length);
    status = status < 0 ? btk_compiler_no_memory(compiler)
                        : btk_compiler_add_step(compiler, BTK_SECTION_POSTPROCESSOR_STEPS,
                                                (struct btk_step){.kind = BTK_POST_PADDING},
                                                (struct btk_bytes){data.data, data.length});
    btk_buffer_clear(&data);
    return status;
}

int btk_compile_postprocessor(struct btk_compiler *compiler)
{
    const struct btk_json *const object = btk_json_get(compiler->root, PLACE);
    struct btk_processor_chain *const chain = btk_arena_allocate(&compiler->arena, sizeof *chain);
    if (!chain) return btk_compiler_no_memory(compiler);
    chain->count = 0;
    btk_buffer_init(&chain->text_ends);
    btk_buffer_init(&chain->texts);
    const bool is_null = btk_json_is_null(object);
    int status = is_null ? 0 : read_chain(compiler, chain, object, 0);
    if (!status) status = btk_compile_postprocessor_programs(compiler, chain, is_null);
    btk_buffer_clear(&chain->text_ends);
    btk_buffer_clear(&chain->texts);
    if (!status) status = compile_truncation(compiler, btk_json_get(compiler->root, "truncation"));
    return status < 0 ? status : compile_padding(compiler, btk_json_get(compiler->root, "padding"));
}
