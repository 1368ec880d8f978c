// SPDX-License-Identifier: Apache-2.0
// tekken.json: a vocabulary of bytes with ranks, a pattern, and special tokens before all others.
//
// Source: mistral-common's tokens/tokenizers/tekken.py. The id of a token is its rank plus the number
// of special tokens; ranks from the size of the vocabulary on are cut off.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base64.h"
#include "common/json.h"
#include "tokenizer/compile/format/format.h"

struct tekken {
    struct btk_format *format;
    const struct btk_json *root;
    struct btk_bytes pattern;
    uint32_t special_count;
    uint32_t inner_count; // tokens that are not special
    struct btk_bytes *texts;
    struct btk_compile_special *specials;
};

static int refuse(const struct tekken *tekken, const char *place, const char *what)
{
    return btk_format_refuse(tekken->format, BTK_NO_OFFSET, "%s: %s", place, what);
}

static int read_count(const struct tekken *tekken, const char *name, uint32_t *out_count)
{
    int64_t value;
    const struct btk_json *const config = btk_json_get(tekken->root, "config");
    if (!btk_json_try_integer(btk_json_get(config, name), &value) || value < 0
        || value > BTK_TOKEN_LIMIT)
        return btk_format_refuse(tekken->format, BTK_NO_OFFSET,
                                 "config.%s: is to be a number from 0 to %u", name,
                                 BTK_TOKEN_LIMIT);
    *out_count = (uint32_t)value;
    return 0;
}

static int read_config(struct tekken *tekken)
{
    uint32_t all_count = 0;
    const struct btk_json *const config = btk_json_get(tekken->root, "config");
    if (!btk_json_try_string(btk_json_get(config, "pattern"), &tekken->pattern))
        return refuse(tekken, "config.pattern", "is to be a string");
    int status = read_count(tekken, "default_vocab_size", &all_count);
    if (!status) status = read_count(tekken, "default_num_special_tokens", &tekken->special_count);
    if (status < 0) return status;
    const uint64_t there = btk_json_count(btk_json_get(tekken->root, "vocab"));
    if (all_count < tekken->special_count || all_count > there + tekken->special_count)
        return refuse(tekken, "config.default_vocab_size",
                      "is to lie between the special tokens and all tokens of the file");
    tekken->inner_count = all_count - tekken->special_count;
    return btk_format_reserve_tokens(tekken->format, all_count);
}

static int read_token(struct tekken *tekken, const struct btk_json *entry)
{
    struct btk_format *const format = tekken->format;
    struct btk_bytes base64;
    int64_t rank;
    if (!btk_json_try_integer(btk_json_get(entry, "rank"), &rank) || rank < 0
        || !btk_json_try_string(btk_json_get(entry, "token_bytes"), &base64))
        return refuse(tekken, "vocab", "an entry is to have a rank and token_bytes");
    if (rank >= tekken->inner_count) return 0;
    const uint32_t id = (uint32_t)rank + tekken->special_count;
    struct btk_format_token *const token = &format->tokens[id];
    uint8_t *const bytes = btk_arena_allocate(format->arena, btk_base64_bound(base64.length));
    if (!bytes) return btk_format_no_memory(format);
    struct btk_bytes text = {bytes, 0};
    if (token->kind != BTK_FORMAT_TOKEN_MISSING) return refuse(tekken, "vocab", "has a rank twice");
    if (!btk_base64_try_decode(base64, bytes, &text.length))
        return refuse(tekken, "vocab", "token_bytes are to be base64");
    token->kind = BTK_FORMAT_TOKEN_NORMAL;
    token->text = btk_format_spell_bytes(format, text);
    tekken->texts[id] = text;
    return token->text.data ? 0 : btk_format_no_memory(format);
}

static int read_vocabulary(struct tekken *tekken)
{
    struct btk_format *const format = tekken->format;
    const struct btk_json *const vocabulary = btk_json_get(tekken->root, "vocab");
    tekken->texts =
        btk_arena_allocate(format->arena, (format->token_count + 1ull) * sizeof *tekken->texts);
    if (!tekken->texts) return btk_format_no_memory(format);
    memset(tekken->texts, 0, format->token_count * sizeof *tekken->texts);
    int status = 0;
    for (size_t i = 0; i < btk_json_count(vocabulary) && !status; i++)
        status = read_token(tekken, btk_json_at(vocabulary, i));
    for (uint32_t id = tekken->special_count; id < format->token_count && !status; id++)
        if (format->tokens[id].kind == BTK_FORMAT_TOKEN_MISSING)
            status = refuse(tekken, "vocab", "lacks a rank");
    return status < 0 ? status : btk_format_merges_of_ranks(format, tekken->texts);
}

// Files up to version 7 do not name them.
static const char *const usual_specials[] = {"<unk>",
                                             "<s>",
                                             "</s>",
                                             "[INST]",
                                             "[/INST]",
                                             "[AVAILABLE_TOOLS]",
                                             "[/AVAILABLE_TOOLS]",
                                             "[TOOL_RESULTS]",
                                             "[/TOOL_RESULTS]",
                                             "[TOOL_CALLS]",
                                             "[IMG]",
                                             "<pad>",
                                             "[IMG_BREAK]",
                                             "[IMG_END]",
                                             "[PREFIX]",
                                             "[MIDDLE]",
                                             "[SUFFIX]",
                                             "[SYSTEM_PROMPT]",
                                             "[/SYSTEM_PROMPT]",
                                             "[TOOL_CONTENT]"};

static int name_special(struct tekken *tekken, uint32_t id)
{
    const struct btk_json *const list = btk_json_get(tekken->root, "special_tokens");
    struct btk_compile_special *const special = &tekken->specials[id];
    char filler[32];
    snprintf(filler, sizeof filler, "<SPECIAL_%u>", id);
    const char *name = filler;
    special->id = id;
    if (btk_json_is_null(list) && id < BTK_ARRAY_COUNT(usual_specials)) name = usual_specials[id];
    if (id < btk_json_count(list)) {
        const struct btk_json *const entry = btk_json_at(list, id);
        int64_t rank;
        if (!btk_json_try_integer(btk_json_get(entry, "rank"), &rank) || rank < 0
            || rank >= tekken->special_count
            || !btk_json_try_string(btk_json_get(entry, "token_str"), &special->text))
            return refuse(tekken, "special_tokens", "an entry is to have a rank and a token_str");
        special->id = (uint32_t)rank;
        return 0;
    }
    const struct btk_bytes text = {(const uint8_t *)name, strlen(name)};
    special->text = (struct btk_bytes){(const uint8_t *)btk_arena_copy(tekken->format->arena, text),
                                       text.length};
    return special->text.data ? 0 : btk_format_no_memory(tekken->format);
}

static int read_specials(struct tekken *tekken)
{
    struct btk_format *const format = tekken->format;
    tekken->specials = btk_arena_allocate(format->arena, (tekken->special_count + 1ull)
                                                             * sizeof *tekken->specials);
    if (!tekken->specials) return btk_format_no_memory(format);
    memset(tekken->specials, 0, tekken->special_count * sizeof *tekken->specials);
    int status = 0;
    for (uint32_t id = 0; id < tekken->special_count && !status; id++)
        status = name_special(tekken, id);
    return status;
}

bool btk_format_is_tekken(const struct btk_json *root)
{
    return btk_json_type(btk_json_get(root, "vocab")) == BTK_JSON_ARRAY
           && btk_json_type(btk_json_get(root, "config")) == BTK_JSON_OBJECT;
}

int btk_format_read_tekken(struct btk_format *format, const struct btk_json *root)
{
    struct tekken tekken = {.format = format, .root = root};
    int status = read_config(&tekken);
    if (!status) status = read_vocabulary(&tekken);
    if (!status) status = read_specials(&tekken);
    return status < 0 ? status
                      : btk_format_byte_level_frame(format, tekken.pattern, tekken.specials,
                                                    tekken.special_count);
}
