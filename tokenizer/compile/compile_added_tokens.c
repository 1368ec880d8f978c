// SPDX-License-Identifier: Apache-2.0
// added_tokens: their ids, their flags, and the two tries that find them.
//
// Ids follow the reference's rule, not the file: a token that the model has keeps the model's id,
// others are numbered on behind both (add_tokens() of its added_vocabulary.rs).
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tokenizer/compile/compiler.h"
#include "tokenizer/lookup_hash.h"
#include "tokenizer/normalizer/bert.h"
#include "tokenizer/normalizer/normalizer.h"

static int read_flags(struct btk_compiler *compiler, const struct btk_json *object,
                      struct btk_compiler_added *added)
{
    bool single_word = false, lstrip = false, rstrip = false, special = false, normalized = true;
    const char *const place = "added_tokens";
    int status = btk_compiler_bool(compiler, object, place, "single_word", &single_word);
    if (!status) status = btk_compiler_bool(compiler, object, place, "lstrip", &lstrip);
    if (!status) status = btk_compiler_bool(compiler, object, place, "rstrip", &rstrip);
    if (!status) status = btk_compiler_bool(compiler, object, place, "special", &special);
    if (!status) status = btk_compiler_bool(compiler, object, place, "normalized", &normalized);
    added->flags = (single_word ? BTK_ADDED_SINGLE_WORD : 0u) | (lstrip ? BTK_ADDED_LSTRIP : 0u)
                   | (rstrip ? BTK_ADDED_RSTRIP : 0u) | (special ? BTK_ADDED_SPECIAL : 0u);
    added->is_normalized = normalized;
    return status;
}

static int normalize_by_bert(struct btk_compiler *compiler, struct btk_compiler_added *added)
{
    const size_t bound = btk_bert_bound(added->text.length);
    uint8_t *const text = btk_arena_allocate(&compiler->arena, bound);
    struct btk_unicode_char *const chars = btk_arena_allocate(
        &compiler->arena, btk_unicode_nfd_bound(added->text.length + 1) * sizeof *chars);
    if (!text || !chars) return btk_compiler_no_memory(compiler);
    struct btk_bert bert;
    btk_bert_init(&bert, &btk_kernels_scalar, compiler->config.bert_flags);
    bert.chars = chars;
    struct btk_bert_output output = {.text = text};
    added->pattern = (struct btk_bytes){text, btk_bert_normalize(&bert, added->text, 0, &output)};
    return 0;
}

static int normalize_by_steps(struct btk_compiler *compiler, struct btk_normalizer *normalizer,
                              struct btk_compiler_added *added)
{
    const struct btk_span source = {.text = added->text,
                                    .readable_end = added->text.data + added->text.length};
    struct btk_span span;
    const int status = btk_normalizer_run(normalizer, &source, false, &span);
    if (status == -ENOMEM) return btk_compiler_no_memory(compiler);
    if (status < 0)
        return btk_compiler_refuse(
            compiler, "added_tokens", "the normalizer has no result for \"%.*s\"",
            (int)btk_min_size(added->text.length, 100), (const char *)added->text.data);
    const char *const copy = btk_arena_copy(&compiler->arena, span.text);
    if (!copy) return btk_compiler_no_memory(compiler);
    added->pattern = (struct btk_bytes){(const uint8_t *)copy, span.text.length};
    return 0;
}

// `normalizer`: NULL if it is not one of steps.
static int normalize_pattern(struct btk_compiler *compiler, struct btk_normalizer *normalizer,
                             struct btk_compiler_added *added)
{
    added->pattern = added->text;
    if (!added->is_normalized) return 0;
    if (normalizer) return normalize_by_steps(compiler, normalizer, added);
    return compiler->config.normalizer == BTK_NORMALIZER_BERT ? normalize_by_bert(compiler, added)
                                                              : 0;
}

// The steps are in the sections already; that is all of an image that the normalizer asks.
static int new_normalizer(struct btk_compiler *compiler, struct btk_normalizer **out_normalizer)
{
    if (compiler->config.normalizer != BTK_NORMALIZER_STEPS) return 0;
    const struct btk_buffer *const steps = &compiler->sections[BTK_SECTION_NORMALIZER_STEPS];
    const struct btk_image image = {
        .config = &compiler->config,
        .normalizer = {(const void *)steps->data,
                       (uint32_t)(steps->length / sizeof(struct btk_step))},
        .step_data = compiler->sections[BTK_SECTION_STEP_DATA].data,
    };
    return btk_normalizer_new(&image, &btk_kernels_scalar, out_normalizer, compiler->error);
}

// The slot of a text in compiler->added_slots: that of the added token, or the empty one for it.
static uint32_t *find_slot(struct btk_compiler *compiler, struct btk_bytes text)
{
    for (uint64_t at = btk_lookup_hash(text);; at++) {
        uint32_t *const slot = &compiler->added_slots[at & compiler->added_slot_mask];
        if (*slot == BTK_NO_TOKEN) return slot;
        if (btk_bytes_equal(compiler->added[*slot].text, text)) return slot;
    }
}

static int allocate_added(struct btk_compiler *compiler, size_t count)
{
    uint64_t slot_count = 16;
    while (slot_count < 2 * count) slot_count *= 2;
    compiler->added = btk_arena_allocate(&compiler->arena, (count + 1) * sizeof *compiler->added);
    compiler->added_slots =
        btk_arena_allocate(&compiler->arena, slot_count * sizeof *compiler->added_slots);
    if (!compiler->added || !compiler->added_slots) return btk_compiler_no_memory(compiler);
    memset(compiler->added_slots, 0xff, slot_count * sizeof *compiler->added_slots);
    compiler->added_slot_mask = slot_count - 1;
    return 0;
}

// A token that the model does not have. Ids that the model has left out are not filled: the
// reference would then give an id twice.
static int add_outside(struct btk_compiler *compiler, struct btk_bytes text, uint32_t id)
{
    const int status = btk_compiler_grow_tokens(compiler, id);
    if (status < 0) return status;
    struct btk_compiler_token *const token = &compiler->tokens[id];
    if (token->flags & BTK_TOKEN_EXISTS)
        return btk_compiler_refuse(compiler, "added_tokens",
                                   "\"%.*s\" would get the id %u, which a token of the model has",
                                   (int)btk_min_size(text.length, 100), (const char *)text.data,
                                   id);
    *token = (struct btk_compiler_token){.text = text,
                                         .flags = BTK_TOKEN_EXISTS | BTK_COMPILER_TOKEN_OUTSIDE};
    return 0;
}

// simple_id_to_token() of the reference: the normalized form is what is decoded.
static void show_normalized(struct btk_compiler *compiler, const struct btk_compiler_added *added)
{
    if (btk_bytes_equal(added->pattern, added->text)) return;
    struct btk_compiler_token *const token = &compiler->tokens[added->id];
    token->flags |= BTK_TOKEN_NORMALIZED;
    token->normal = added->pattern;
}

// The id that the token has already, or that another format than tokenizer.json gives it.
static uint32_t find_id(const struct btk_compiler *compiler, const struct btk_json *object,
                        struct btk_bytes text)
{
    int64_t id;
    if (compiler->format && btk_json_try_integer(btk_json_get(object, "id"), &id) && id >= 0
        && id < BTK_TOKEN_LIMIT)
        return (uint32_t)id;
    return btk_compiler_find_token(compiler, text);
}

static int add_one(struct btk_compiler *compiler, struct btk_normalizer *normalizer,
                   const struct btk_json *object, uint32_t *next_id)
{
    struct btk_compiler_added added = {0};
    if (!btk_json_try_string(btk_json_get(object, "content"), &added.text))
        return btk_compiler_refuse(compiler, "added_tokens", "a token without \"content\"");
    if (!added.text.length) return 0;
    int status = read_flags(compiler, object, &added);
    if (!status) status = normalize_pattern(compiler, normalizer, &added);
    if (!status && !added.pattern.length)
        status = btk_compiler_refuse(compiler, "added_tokens",
                                     "the normalizer leaves nothing of \"%.*s\": the reference "
                                     "then divides a text at each byte, and panics inside of a "
                                     "character",
                                     (int)btk_min_size(added.text.length, 100),
                                     (const char *)added.text.data);
    if (status < 0) return status;
    uint32_t *const slot = find_slot(compiler, added.text);
    const struct btk_compiler_added *const known =
        *slot == BTK_NO_TOKEN ? NULL : &compiler->added[*slot];
    // special_tokens_set of the reference never forgets a text.
    if (known) added.flags |= known->flags & BTK_ADDED_SPECIAL;
    added.id = known ? known->id : find_id(compiler, object, added.text);
    const bool is_new = added.id == BTK_NO_TOKEN;
    if (is_new) added.id = (*next_id)++;
    if (is_new || !btk_compiler_has_token(compiler, added.id))
        status = add_outside(compiler, added.text, added.id);
    if (status < 0) return status;
    show_normalized(compiler, &added);
    compiler->tokens[added.id].flags |= BTK_TOKEN_ADDED;
    if (!known) *slot = compiler->config.added_count++;
    compiler->added[*slot] = added;
    return 0;
}

// What is decoded is what is looked up among the special ones, so one that is normalized to
// something else is not left out.
static void mark_special(struct btk_compiler *compiler)
{
    for (uint32_t i = 0; i < compiler->config.added_count; i++) {
        struct btk_compiler_token *const token = &compiler->tokens[compiler->added[i].id];
        const uint32_t slot =
            *find_slot(compiler, token->flags & BTK_TOKEN_NORMALIZED ? token->normal : token->text);
        if (slot != BTK_NO_TOKEN && (compiler->added[slot].flags & BTK_ADDED_SPECIAL))
            token->flags |= BTK_TOKEN_SPECIAL;
    }
}

// A trie whose nodes are made in the order of a sorted list of patterns: the edges of a node stand
// together because its patterns do.
struct level {
    uint32_t begin, end; // patterns
    uint32_t node;
    uint32_t depth;
};

static int compare_patterns(const void *a, const void *b)
{
    const struct btk_compiler_added *const left = a, *const right = b;
    const size_t shared = btk_min_size(left->pattern.length, right->pattern.length);
    const int order = memcmp(left->pattern.data, right->pattern.data, shared);
    if (order) return order;
    if (left->pattern.length != right->pattern.length)
        return left->pattern.length < right->pattern.length ? -1 : 1;
    return left->id < right->id ? -1 : left->id > right->id;
}

struct trie_sections {
    struct btk_compiler *compiler;
    struct btk_buffer *nodes, *edges;
    const struct btk_compiler_added *patterns;
    struct btk_buffer queue; // struct level
};

static int push_level(struct trie_sections *trie, struct level level)
{
    const struct btk_added_node node = {.token = BTK_NO_TOKEN};
    if (btk_buffer_append(&trie->queue, &level, sizeof level) < 0
        || btk_buffer_append(trie->nodes, &node, sizeof node) < 0)
        return btk_compiler_no_memory(trie->compiler);
    return 0;
}

static uint32_t node_count(const struct trie_sections *trie)
{
    return (uint32_t)(trie->nodes->length / sizeof(struct btk_added_node));
}

static int add_edges(struct trie_sections *trie, struct level level, uint32_t first)
{
    for (uint32_t begin = first, end; begin < level.end; begin = end) {
        const uint8_t byte = trie->patterns[begin].pattern.data[level.depth];
        end = begin + 1;
        while (end < level.end && trie->patterns[end].pattern.data[level.depth] == byte) end++;
        const struct btk_added_edge edge = {byte, node_count(trie)};
        if (btk_buffer_append(trie->edges, &edge, sizeof edge) < 0)
            return btk_compiler_no_memory(trie->compiler);
        const int status = push_level(trie, (struct level){begin, end, edge.node, level.depth + 1});
        if (status < 0) return status;
    }
    return 0;
}

static int expand_level(struct trie_sections *trie, struct level level)
{
    struct btk_added_node node = {.token = BTK_NO_TOKEN};
    uint32_t first = level.begin;
    while (first < level.end && trie->patterns[first].pattern.length == level.depth) {
        node.token = trie->patterns[first].id;
        node.flags = trie->patterns[first].flags;
        first++;
    }
    const size_t first_edge = trie->edges->length / sizeof(struct btk_added_edge);
    const int status = add_edges(trie, level, first);
    if (status < 0) return status;
    node.first_edge = (uint32_t)first_edge;
    node.edge_count = (uint32_t)(trie->edges->length / sizeof(struct btk_added_edge) - first_edge);
    memcpy(trie->nodes->data + level.node * sizeof node, &node, sizeof node);
    return 0;
}

static int build_trie(struct btk_compiler *compiler, enum btk_section nodes_section,
                      const struct btk_compiler_added *patterns, uint32_t count)
{
    if (!count) return 0;
    struct trie_sections trie = {.compiler = compiler,
                                 .nodes = &compiler->sections[nodes_section],
                                 .edges = &compiler->sections[nodes_section + 1],
                                 .patterns = patterns};
    btk_buffer_init(&trie.queue);
    int status = push_level(&trie, (struct level){0, count, 0, 0});
    for (size_t at = 0; at < trie.queue.length && !status; at += sizeof(struct level)) {
        struct level level;
        memcpy(&level, trie.queue.data + at, sizeof level);
        status = expand_level(&trie, level);
    }
    btk_buffer_clear(&trie.queue);
    return status;
}

static int build_tries(struct btk_compiler *compiler)
{
    const uint32_t count = compiler->config.added_count;
    struct btk_compiler_added *const chosen =
        btk_arena_allocate(&compiler->arena, (count + 1) * sizeof *chosen);
    if (!chosen) return btk_compiler_no_memory(compiler);
    for (int is_normalized = 0; is_normalized < 2; is_normalized++) {
        uint32_t chosen_count = 0;
        for (uint32_t i = 0; i < count; i++)
            if (compiler->added[i].is_normalized == (bool)is_normalized)
                chosen[chosen_count++] = compiler->added[i];
        qsort(chosen, chosen_count, sizeof *chosen, compare_patterns);
        const int status =
            build_trie(compiler, is_normalized ? BTK_SECTION_NORMAL_NODES : BTK_SECTION_RAW_NODES,
                       chosen, chosen_count);
        if (status < 0) return status;
    }
    return 0;
}

// What stands beside the file adds what it lacks, and changes nothing.
static bool is_known(struct btk_compiler *compiler, const struct btk_json *object)
{
    struct btk_bytes text;
    return btk_json_try_string(btk_json_get(object, "content"), &text)
           && *find_slot(compiler, text) != BTK_NO_TOKEN;
}

static int add_all(struct btk_compiler *compiler, const struct btk_json *list, size_t count)
{
    struct btk_normalizer *normalizer = NULL;
    int status = new_normalizer(compiler, &normalizer);
    uint32_t next_id = compiler->config.vocabulary_count;
    for (size_t i = 0; i < count && !status; i++)
        status = add_one(compiler, normalizer, btk_json_at(list, i), &next_id);
    for (size_t i = 0; i < btk_json_count(compiler->more_added) && !status; i++) {
        const struct btk_json *const object = btk_json_at(compiler->more_added, i);
        if (!is_known(compiler, object)) status = add_one(compiler, normalizer, object, &next_id);
    }
    btk_normalizer_free(&normalizer);
    return status;
}

int btk_compile_added_tokens(struct btk_compiler *compiler)
{
    const struct btk_json *const list = btk_json_get(compiler->root, "added_tokens");
    if (!btk_json_is_null(list) && btk_json_type(list) != BTK_JSON_ARRAY)
        return btk_compiler_refuse(compiler, "added_tokens", "is to be an array, but is %s",
                                   btk_json_type_name(list));
    const size_t count = btk_json_count(list);
    if (count > BTK_TOKEN_LIMIT)
        return btk_compiler_refuse(compiler, "added_tokens", "more than %u", BTK_TOKEN_LIMIT);
    const int allocated = allocate_added(compiler, count + btk_json_count(compiler->more_added));
    if (allocated < 0) return allocated;
    int status = add_all(compiler, list, count);
    if (status < 0) return status;
    mark_special(compiler);
    status = btk_compile_text_lookup(compiler);
    return status < 0 ? status : build_tries(compiler);
}
