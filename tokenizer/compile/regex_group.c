// SPDX-License-Identifier: Apache-2.0
// Groups: "(" and all that may stand behind it.
#include <errno.h>
#include <string.h>

#include "tokenizer/compile/regex_parser.h"

static bool close_group(struct btk_regex_parser *parser)
{
    return btk_regex_take(parser, ')') || btk_regex_fail(parser, EINVAL, "')' is missing");
}

static struct btk_regex_node *parse_body(struct btk_regex_parser *parser)
{
    struct btk_regex_node *const body = btk_regex_parse_choice(parser);
    return body && close_group(parser) ? body : NULL;
}

// Flags that a group's body sets are forgotten at its end by Oniguruma; fancy-regex forgets them
// only behind "(?flags:".
static struct btk_regex_node *parse_scoped(struct btk_regex_parser *parser, bool is_forgotten)
{
    const unsigned flags = parser->flags;
    struct btk_regex_node *const body = parse_body(parser);
    if (is_forgotten || !btk_regex_is_tiktoken(parser)) parser->flags = flags;
    return body;
}

static struct btk_regex_node *parse_look(struct btk_regex_parser *parser, bool is_behind,
                                         bool is_negated)
{
    parser->look_depth++;
    struct btk_regex_node *const body = parse_scoped(parser, false);
    parser->look_depth--;
    if (!body) return NULL;
    return btk_regex_checked(parser,
                             btk_regex_node_look(parser->arena, body, is_behind, is_negated));
}

static bool add_name(struct btk_regex_parser *parser, struct btk_bytes name, uint32_t group)
{
    for (const struct btk_regex_name *known = parser->names; known; known = known->next)
        if (known->name.length == name.length
            && memcmp(known->name.data, name.data, name.length) == 0)
            return btk_regex_fail(parser, ENOTSUP, "two groups of one name are not supported");
    struct btk_regex_name *const entry = btk_arena_allocate(parser->arena, sizeof *entry);
    if (!entry) return btk_regex_no_memory(parser);
    *entry = (struct btk_regex_name){name, group, parser->names};
    parser->names = entry;
    return true;
}

static struct btk_regex_node *parse_capture(struct btk_regex_parser *parser,
                                            const struct btk_bytes *name)
{
    if (!name && parser->has_names) return parse_scoped(parser, false);
    const uint32_t number = ++parser->group_count;
    if (name && !add_name(parser, *name, number)) return NULL;
    struct btk_regex_node *const body = parse_scoped(parser, false);
    struct btk_regex_node *const group =
        body ? btk_regex_node_new(parser->arena, BTK_REGEX_GROUP, body) : NULL;
    if (!group) return btk_regex_checked(parser, NULL);
    group->group = number;
    return group;
}

static struct btk_regex_node *parse_named(struct btk_regex_parser *parser, char close)
{
    const uint8_t *const begin = parser->at;
    while (parser->at < parser->end && *parser->at != (uint8_t)close && *parser->at != ')')
        parser->at++;
    const struct btk_bytes name = {begin, (size_t)(parser->at - begin)};
    const bool is_number = name.length && (*begin == '-' || (*begin >= '0' && *begin <= '9'));
    if (!name.length || (is_number && !btk_regex_is_tiktoken(parser))
        || !btk_regex_take(parser, close)) {
        btk_regex_fail(parser, EINVAL, "a group's name is wrong");
        return NULL;
    }
    return parse_capture(parser, &name);
}

// A letter of "(?letters)" in Oniguruma; 0: there is no such letter.
static unsigned oniguruma_flag(uint8_t letter)
{
    switch (letter) {
    case 'i': return BTK_REGEX_IGNORE_CASE;
    case 'm': return BTK_REGEX_DOT_ALL;
    case 'x': return BTK_REGEX_EXTENDED;
    case 'W': return BTK_REGEX_ASCII_WORD;
    case 'D': return BTK_REGEX_ASCII_DIGIT;
    case 'S': return BTK_REGEX_ASCII_SPACE;
    default: return 0;
    }
}

static unsigned tiktoken_flag(uint8_t letter)
{
    switch (letter) {
    case 'i': return BTK_REGEX_IGNORE_CASE;
    case 's': return BTK_REGEX_DOT_ALL;
    case 'x': return BTK_REGEX_EXTENDED;
    case 'm': return BTK_REGEX_LINES;
    case 'U': return BTK_REGEX_UNGREEDY;
    default: return 0;
    }
}

// The letters up to ':' or ')', which stays. tiktoken's 'u' is always on.
static bool take_flags(struct btk_regex_parser *parser)
{
    const bool is_tiktoken = btk_regex_is_tiktoken(parser);
    const uint8_t *const begin = parser->at;
    bool is_negated = false;
    for (; parser->at < parser->end; parser->at++) {
        const uint8_t letter = *parser->at;
        const unsigned flag = is_tiktoken ? tiktoken_flag(letter) : oniguruma_flag(letter);
        if (letter == ':' || letter == ')')
            return !is_tiktoken || letter == ':' || parser->at > begin
                   || btk_regex_fail(parser, EINVAL, "no flags");
        if (letter == '-' && (!is_negated || !is_tiktoken))
            is_negated = true;
        else if (flag)
            parser->flags = is_negated ? parser->flags & ~flag : parser->flags | flag;
        else if (!(is_tiktoken && letter == 'u' && !is_negated))
            return btk_regex_fail(parser, letter && strchr("RPCILy", letter) ? ENOTSUP : EINVAL,
                                  "this flag is not supported");
    }
    return btk_regex_fail(parser, EINVAL, "')' is missing");
}

static struct btk_regex_node *parse_flags(struct btk_regex_parser *parser, bool *out_ends_branch)
{
    const unsigned flags = parser->flags;
    const bool is_plain = btk_regex_peek(parser, ':') || btk_regex_is_tiktoken(parser);
    if (!take_flags(parser)) return NULL;
    if (btk_regex_take(parser, ':')) {
        struct btk_regex_node *const body = parse_body(parser);
        parser->flags = flags;
        if (!body || is_plain) return body;
        return btk_regex_checked(parser, btk_regex_node_new(parser->arena, BTK_REGEX_SCOPE, body));
    }
    parser->at++;
    if (btk_regex_is_tiktoken(parser))
        return btk_regex_checked(parser, btk_regex_node_new(parser->arena, BTK_REGEX_EMPTY, NULL));
    // To Oniguruma the rest of the group, with its alternatives, stands in a group of its own.
    *out_ends_branch = true;
    struct btk_regex_node *const rest = btk_regex_parse_choice(parser);
    parser->flags = flags;
    if (!rest) return NULL;
    return btk_regex_checked(parser, btk_regex_node_new(parser->arena, BTK_REGEX_SCOPE, rest));
}

static struct btk_regex_node *refuse(struct btk_regex_parser *parser)
{
    btk_regex_fail(parser, ENOTSUP, "this kind of group is not supported");
    return NULL;
}

static struct btk_regex_node *parse_atomic(struct btk_regex_parser *parser)
{
    struct btk_regex_node *const body = parse_scoped(parser, false);
    if (!body) return NULL;
    return btk_regex_checked(parser, btk_regex_node_new(parser->arena, BTK_REGEX_ATOMIC, body));
}

struct btk_regex_node *btk_regex_parse_group(struct btk_regex_parser *parser, bool *out_ends_branch)
{
    const bool is_tiktoken = btk_regex_is_tiktoken(parser);
    if (is_tiktoken && !btk_regex_skip_blank(parser)) return NULL;
    if (btk_regex_peek(parser, '*')) return refuse(parser);
    if (!btk_regex_take(parser, '?')) return parse_capture(parser, NULL);
    if (btk_regex_take(parser, '=')) return parse_look(parser, false, false);
    if (btk_regex_take(parser, '!')) return parse_look(parser, false, true);
    if (btk_regex_take(parser, '>')) return parse_atomic(parser);
    if (btk_regex_take_text(parser, "<=")) return parse_look(parser, true, false);
    if (btk_regex_take_text(parser, "<!")) return parse_look(parser, true, true);
    if (btk_regex_take(parser, '<')) return parse_named(parser, '>');
    if (btk_regex_take(parser, '\'')) return parse_named(parser, '\'');
    if (is_tiktoken && btk_regex_take_text(parser, "P<")) return parse_named(parser, '>');
    if (parser->at < parser->end && *parser->at && strchr("~({P", *parser->at))
        return refuse(parser);
    return parse_flags(parser, out_ends_branch);
}
