// SPDX-License-Identifier: Apache-2.0
// .tiktoken: a line for each token, its bytes in base64 and its rank, which is its id.
//
// Source: load_tiktoken_bpe() of tiktoken's load.py. The tokens of a file fall into pieces by a pattern
// that does not stand in it.
#include <errno.h>
#include <string.h>

#include "common/base64.h"
#include "tokenizer/compile/format/format.h"
#include "tokenizer/compile/format/known_tiktoken.h"

struct line {
    struct btk_bytes bytes;
    uint32_t rank;
};

struct lines {
    struct btk_format *format;
    struct btk_buffer all; // struct line
    uint32_t rank_limit;
    uint64_t number; // of the line, from 1 on
    uint64_t offset; // where it begins
};

static bool try_rank(const uint8_t *text, size_t length, uint32_t *out_rank)
{
    uint32_t rank = 0;
    if (length == 0 || length > 8) return false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9') return false;
        rank = 10 * rank + (text[i] - '0');
    }
    *out_rank = rank;
    return rank < BTK_TOKEN_LIMIT;
}

// "=" alone is how one file spells the empty token; Python's decoder takes it for that too.
static bool try_bytes(struct btk_arena *arena, struct btk_bytes text, struct btk_bytes *out_bytes)
{
    uint8_t *const bytes = btk_arena_allocate(arena, btk_base64_bound(text.length));
    *out_bytes = (struct btk_bytes){bytes, 0};
    if (!bytes) return false;
    if (text.length == 1 && text.data[0] == '=') return true;
    return btk_base64_try_decode(text, bytes, &out_bytes->length);
}

static int read_line(struct lines *lines, struct btk_bytes text)
{
    const uint8_t *const space = memchr(text.data, ' ', text.length);
    struct line line;
    const size_t head = space ? (size_t)(space - text.data) : 0;
    if (!space || !try_rank(space + 1, text.length - head - 1, &line.rank)
        || !try_bytes(lines->format->arena, (struct btk_bytes){text.data, head}, &line.bytes))
        return btk_format_refuse(
            lines->format, lines->offset,
            "line %llu is to be base64, a space and a rank below %u; this is not a .tiktoken file",
            (unsigned long long)lines->number, BTK_TOKEN_LIMIT);
    if (line.rank >= lines->rank_limit) lines->rank_limit = line.rank + 1;
    return btk_buffer_append(&lines->all, &line, sizeof line) < 0
               ? btk_format_no_memory(lines->format)
               : 0;
}

static int read_lines(struct lines *lines, struct btk_bytes file)
{
    for (size_t begin = 0; begin < file.length;) {
        const uint8_t *const newline = memchr(file.data + begin, '\n', file.length - begin);
        const size_t end = newline ? (size_t)(newline - file.data) : file.length;
        size_t length = end - begin;
        if (length && file.data[begin + length - 1] == '\r') length--;
        lines->number++;
        lines->offset = begin;
        const int status =
            length ? read_line(lines, (struct btk_bytes){file.data + begin, length}) : 0;
        if (status < 0) return status;
        begin = end + 1;
    }
    if (lines->all.length) return 0;
    return btk_format_refuse(lines->format, 0, "has no tokens");
}

// tiktoken refuses two tokens of one rank as well.
static int place_tokens(struct lines *lines, struct btk_bytes *texts)
{
    struct btk_format *const format = lines->format;
    const struct line *const all = (const void *)lines->all.data;
    const size_t count = lines->all.length / sizeof *all;
    for (size_t i = 0; i < count; i++) {
        struct btk_format_token *const token = &format->tokens[all[i].rank];
        if (token->kind != BTK_FORMAT_TOKEN_MISSING)
            return btk_format_refuse(format, BTK_NO_OFFSET, "two tokens have the rank %u",
                                     all[i].rank);
        token->kind = BTK_FORMAT_TOKEN_NORMAL;
        token->text = btk_format_spell_bytes(format, all[i].bytes);
        if (!token->text.data) return btk_format_no_memory(format);
        texts[all[i].rank] = all[i].bytes;
    }
    return 0;
}

static int build_tokens(struct lines *lines)
{
    struct btk_format *const format = lines->format;
    int status = btk_format_reserve_tokens(format, lines->rank_limit);
    if (status < 0) return status;
    struct btk_bytes *const texts =
        btk_arena_allocate(format->arena, lines->rank_limit * sizeof *texts);
    if (!texts) return btk_format_no_memory(format);
    memset(texts, 0, lines->rank_limit * sizeof *texts);
    status = place_tokens(lines, texts);
    return status < 0 ? status : btk_format_merges_of_ranks(format, texts);
}

static int refuse_unknown(struct btk_format *format, const struct btk_format_options *options)
{
    return btk_format_refuse(format, BTK_NO_OFFSET,
                             "\"%.*s\" with %u tokens is no .tiktoken file that is known by name; "
                             "say --pattern (a known name such as cl100k_base, or a regular "
                             "expression) and --special NAME=ID",
                             (int)btk_min_size(options->name.length, 100),
                             (const char *)options->name.data, format->token_count);
}

// What was said wins over what is known.
static int build_frame(struct btk_format *format, const struct btk_format_options *options)
{
    const struct btk_known_tiktoken *const file =
        btk_known_tiktoken_file(options->name, format->token_count);
    const bool is_said = options->pattern.length || options->special_count;
    if (!options->pattern.length && !file) return refuse_unknown(format, options);
    struct btk_bytes pattern = options->pattern;
    const char *const named = pattern.length ? btk_known_tiktoken_pattern(pattern) : file->pattern;
    if (named) pattern = (struct btk_bytes){(const uint8_t *)named, strlen(named)};
    if (is_said)
        return btk_format_byte_level_frame(format, pattern, options->specials,
                                           options->special_count);
    struct btk_buffer specials;
    btk_buffer_init(&specials);
    int status = file->append_specials(format->arena, &specials);
    status = status < 0 ? btk_format_no_memory(format)
                        : btk_format_byte_level_frame(format, pattern, (const void *)specials.data,
                                                      specials.length / sizeof *options->specials);
    btk_buffer_clear(&specials);
    return status;
}

int btk_format_read_tiktoken(struct btk_format *format, struct btk_bytes file,
                             const struct btk_format_options *options)
{
    struct lines lines = {.format = format};
    btk_buffer_init(&lines.all);
    int status = read_lines(&lines, file);
    if (!status) status = build_tokens(&lines);
    btk_buffer_clear(&lines.all);
    return status < 0 ? status : build_frame(format, options);
}
