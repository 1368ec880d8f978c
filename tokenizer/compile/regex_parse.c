// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/compile/regex_parse.h"

#include <errno.h>
#include <string.h>

#include "common/utf8.h"
#include "tokenizer/compile/regex_parser.h"

bool btk_regex_fail(struct btk_regex_parser *parser, int code, const char *what)
{
    if (parser->status) return false;
    parser->status = btk_error_set(parser->error, code, (uint64_t)(parser->at - parser->begin),
                                   "regular expression, byte %zu: %s",
                                   (size_t)(parser->at - parser->begin), what);
    return false;
}

bool btk_regex_no_memory(struct btk_regex_parser *parser)
{
    return btk_regex_fail(parser, ENOMEM, "no memory");
}

struct btk_regex_node *btk_regex_checked(struct btk_regex_parser *parser,
                                         struct btk_regex_node *node)
{
    if (!node) btk_regex_no_memory(parser);
    return node;
}

bool btk_regex_take_text(struct btk_regex_parser *parser, const char *text)
{
    const size_t length = strlen(text);
    if ((size_t)(parser->end - parser->at) < length || memcmp(parser->at, text, length) != 0)
        return false;
    parser->at += length;
    return true;
}

uint32_t btk_regex_take_code_point(struct btk_regex_parser *parser)
{
    size_t length;
    const uint32_t code_point = btk_utf8_decode(parser->at, &length);
    parser->at += length;
    return code_point;
}

bool btk_regex_take_number(struct btk_regex_parser *parser, uint32_t *out)
{
    const uint8_t *const begin = parser->at;
    uint32_t number = 0;
    for (; parser->at < parser->end && *parser->at >= '0' && *parser->at <= '9'; parser->at++)
        if (number < UINT32_MAX / 16) number = 10 * number + (*parser->at - '0');
    *out = number;
    return parser->at > begin;
}

// Behind "(?#".
static bool skip_comment(struct btk_regex_parser *parser)
{
    while (parser->at < parser->end) {
        const uint8_t byte = *parser->at++;
        if (byte == ')') return true;
        if (byte == '\\' && parser->at < parser->end) parser->at++;
    }
    return btk_regex_fail(parser, EINVAL, "a comment without an end");
}

static void skip_line(struct btk_regex_parser *parser)
{
    while (parser->at < parser->end && *parser->at++ != '\n') {
    }
}

bool btk_regex_skip_blank(struct btk_regex_parser *parser)
{
    const bool is_extended = parser->flags & BTK_REGEX_EXTENDED;
    // Only Oniguruma takes a form feed for a blank.
    const char *const blanks = btk_regex_is_tiktoken(parser) ? " \t\n\r" : " \t\n\r\f";
    while (parser->at < parser->end) {
        if (btk_regex_take_text(parser, "(?#")) {
            if (!skip_comment(parser)) return false;
        } else if (is_extended && *parser->at == '#') {
            skip_line(parser);
        } else if (is_extended && *parser->at && strchr(blanks, *parser->at)) {
            parser->at++;
        } else {
            break;
        }
    }
    return true;
}

// "{n}", "{n,}", "{n,m}", "{,m}"; false, and nothing taken, where it is none of them: then the
// brace is a letter.
static bool take_interval(struct btk_regex_parser *parser, struct btk_regex_node *repeat,
                          bool *out_is_fixed)
{
    const uint8_t *const begin = parser->at++;
    const bool is_tiktoken = btk_regex_is_tiktoken(parser);
    uint32_t min = 0, max = BTK_REGEX_FOREVER;
    if (is_tiktoken && !btk_regex_skip_blank(parser)) return false;
    const bool has_min = btk_regex_take_number(parser, &min);
    bool has_max = false;
    if (is_tiktoken && !btk_regex_skip_blank(parser)) return false;
    *out_is_fixed = !btk_regex_peek(parser, ',');
    if (*out_is_fixed) {
        max = min;
    } else {
        parser->at++;
        if (is_tiktoken && !btk_regex_skip_blank(parser)) return false;
        has_max = btk_regex_take_number(parser, &max);
        if (!has_max) max = BTK_REGEX_FOREVER;
        if (is_tiktoken && !btk_regex_skip_blank(parser)) return false;
    }
    if ((!has_min && (*out_is_fixed || (!has_max && !is_tiktoken))) || !btk_regex_take(parser, '}'))
    {
        parser->at = begin;
        return false;
    }
    repeat->repeat.min = min;
    repeat->repeat.max = max;
    return true;
}

// The signs behind "?", "*", "+" or an interval that say how it goes back.
static void take_mode(struct btk_regex_parser *parser, struct btk_regex_node *repeat,
                      bool is_interval, bool is_fixed)
{
    const bool is_tiktoken = btk_regex_is_tiktoken(parser);
    const bool is_swapped = is_tiktoken && (parser->flags & BTK_REGEX_UNGREEDY);
    enum btk_regex_mode mode = is_swapped ? BTK_REGEX_LAZY : BTK_REGEX_GREEDY;
    if ((is_tiktoken || !is_fixed) && btk_regex_take(parser, '?')) {
        repeat->repeat.mode = is_swapped ? BTK_REGEX_GREEDY : BTK_REGEX_LAZY;
        return;
    }
    // To Oniguruma the plus behind an interval is one more repetition.
    if ((is_tiktoken || !is_interval) && btk_regex_take(parser, '+')) mode = BTK_REGEX_POSSESSIVE;
    repeat->repeat.mode = mode;
}

static bool take_bounds(struct btk_regex_parser *parser, struct btk_regex_node *repeat,
                        bool *out_is_interval, bool *out_is_fixed)
{
    if (parser->at == parser->end) return false;
    *out_is_interval = *out_is_fixed = false;
    repeat->repeat.min = *parser->at == '+';
    repeat->repeat.max = *parser->at == '?' ? 1 : BTK_REGEX_FOREVER;
    switch (*parser->at) {
    case '?':
    case '*':
    case '+': parser->at++; return true;
    case '{': *out_is_interval = true; return take_interval(parser, repeat, out_is_fixed);
    default: return false;
    }
}

static bool is_repeatable(const struct btk_regex_node *node)
{
    return node->kind != BTK_REGEX_EMPTY && node->kind != BTK_REGEX_LOOK
           && node->kind != BTK_REGEX_ASSERTION && node->kind != BTK_REGEX_KEEP;
}

static bool check_bounds(struct btk_regex_parser *parser, struct btk_regex_node *repeat)
{
    const uint32_t min = repeat->repeat.min, max = repeat->repeat.max;
    if (min > BTK_REGEX_REPEAT_MAX || (max > BTK_REGEX_REPEAT_MAX && max != BTK_REGEX_FOREVER))
        return btk_regex_fail(parser, EINVAL, "a number of repetitions that is too large");
    if (min <= max) return true;
    // regex-syntax takes the first number, Oniguruma means a possessive repetition by it.
    repeat->repeat.max = min;
    if (btk_regex_is_tiktoken(parser)) return true;
    repeat->repeat.min = max;
    repeat->repeat.mode = BTK_REGEX_POSSESSIVE;
    return true;
}

// All repetitions behind `node`. Where a lazy one is possessive too, an atomic group is around it.
static struct btk_regex_node *parse_repeats(struct btk_regex_parser *parser,
                                            struct btk_regex_node *node)
{
    bool is_interval, is_fixed;
    for (int count = 0; node; count++) {
        if (!btk_regex_skip_blank(parser)) return NULL;
        struct btk_regex_node *const repeat =
            btk_regex_node_new(parser->arena, BTK_REGEX_REPEAT, NULL);
        if (!repeat) return btk_regex_checked(parser, NULL);
        if (!take_bounds(parser, repeat, &is_interval, &is_fixed)) break;
        if (!is_repeatable(node) || count == BTK_REGEX_DEPTH_MAX) {
            btk_regex_fail(parser, EINVAL, "nothing that can be repeated");
            return NULL;
        }
        if (btk_regex_is_tiktoken(parser) && !btk_regex_skip_blank(parser)) return NULL;
        take_mode(parser, repeat, is_interval, is_fixed);
        if (!check_bounds(parser, repeat)) return NULL;
        repeat->child = node;
        node = repeat;
        if (!btk_regex_is_tiktoken(parser)) continue;
        if (repeat->repeat.mode != BTK_REGEX_POSSESSIVE && btk_regex_take(parser, '+'))
            node = btk_regex_checked(parser,
                                     btk_regex_node_new(parser->arena, BTK_REGEX_ATOMIC, node));
        break; // a second one has nothing to repeat
    }
    return parser->status ? NULL : node;
}

static struct btk_regex_node *parse_dot(struct btk_regex_parser *parser)
{
    struct btk_code_set set;
    if (!btk_code_set_range(parser->arena, '\n', '\n', &set)
        || ((parser->flags & BTK_REGEX_DOT_ALL) && !btk_code_set_range(parser->arena, 1, 0, &set))
        || !btk_code_set_complement(parser->arena, set, &set))
        return btk_regex_checked(parser, NULL);
    return btk_regex_checked(parser, btk_regex_node_set(parser->arena, set));
}

// tiktoken's ^ and $ are the ends of the text, and with (?m) also those of its lines.
static struct btk_regex_node *parse_tiktoken_anchor(struct btk_regex_parser *parser, bool is_begin)
{
    struct btk_arena *const arena = parser->arena;
    struct btk_regex_node *const end =
        btk_regex_node_assertion(arena, is_begin ? BTK_REGEX_TEXT_BEGIN : BTK_REGEX_TEXT_END);
    if (!(parser->flags & BTK_REGEX_LINES)) return btk_regex_checked(parser, end);
    struct btk_code_set set;
    if (!btk_code_set_range(arena, '\n', '\n', &set)) return btk_regex_checked(parser, NULL);
    struct btk_regex_node *const newline =
        btk_regex_node_look(arena, btk_regex_node_set(arena, set), is_begin, false);
    struct btk_regex_node *const both = btk_regex_node_pair(arena, BTK_REGEX_CHOICE, end, newline);
    return btk_regex_checked(parser, both);
}

static struct btk_regex_node *parse_anchor(struct btk_regex_parser *parser, bool is_begin)
{
    if (btk_regex_is_tiktoken(parser)) return parse_tiktoken_anchor(parser, is_begin);
    return btk_regex_checked(
        parser, btk_regex_node_assertion(parser->arena,
                                         is_begin ? BTK_REGEX_LINE_BEGIN : BTK_REGEX_LINE_END));
}

static struct btk_regex_node *parse_atom(struct btk_regex_parser *parser, bool *out_ends_branch)
{
    switch (*parser->at) {
    case '(': parser->at++; return btk_regex_parse_group(parser, out_ends_branch);
    case '[': parser->at++; return btk_regex_parse_class(parser);
    case '\\': parser->at++; return btk_regex_parse_escape(parser);
    case '.': parser->at++; return parse_dot(parser);
    case '^': parser->at++; return parse_anchor(parser, true);
    case '$': parser->at++; return parse_anchor(parser, false);
    case '*':
    case '+':
    case '?': btk_regex_fail(parser, EINVAL, "nothing to repeat"); return NULL;
    default: return btk_regex_char(parser, btk_regex_take_code_point(parser));
    }
}

// One alternative: up to '|', ')' or the end.
static struct btk_regex_node *parse_branch(struct btk_regex_parser *parser)
{
    struct btk_regex_node *const sequence =
        btk_regex_checked(parser, btk_regex_node_new(parser->arena, BTK_REGEX_SEQUENCE, NULL));
    if (!sequence) return NULL;
    struct btk_regex_node **tail = &sequence->child;
    bool ends_branch = false;
    while (!ends_branch) {
        if (!btk_regex_skip_blank(parser)) return NULL;
        if (parser->at == parser->end || *parser->at == '|' || *parser->at == ')') break;
        struct btk_regex_node *node = parse_atom(parser, &ends_branch);
        if (node && !ends_branch) node = parse_repeats(parser, node);
        if (!node) return NULL;
        *tail = node;
        tail = &node->next;
    }
    return sequence;
}

struct btk_regex_node *btk_regex_parse_choice(struct btk_regex_parser *parser)
{
    if (++parser->depth > BTK_REGEX_DEPTH_MAX) {
        btk_regex_fail(parser, EINVAL, "nested too deeply");
        return NULL;
    }
    struct btk_regex_node *const first = parse_branch(parser);
    struct btk_regex_node *choice = first, **tail = first ? &first->next : NULL;
    while (tail && btk_regex_take(parser, '|')) {
        if (choice == first)
            choice = btk_regex_checked(parser,
                                       btk_regex_node_new(parser->arena, BTK_REGEX_CHOICE, first));
        struct btk_regex_node *const branch = choice ? parse_branch(parser) : NULL;
        if (!branch) return NULL;
        *tail = branch;
        tail = &branch->next;
    }
    parser->depth--;
    return choice;
}

// Oniguruma: a group with a name anywhere changes what the others mean.
static bool has_named_group(struct btk_bytes pattern)
{
    const uint8_t *const end = pattern.data + pattern.length;
    for (const uint8_t *at = pattern.data; at + 3 < end; at++) {
        if (*at == '\\')
            at++;
        else if (at[0] == '(' && at[1] == '?'
                 && (at[2] == '\'' || (at[2] == '<' && at[3] != '=' && at[3] != '!')))
            return true;
    }
    return false;
}

int btk_regex_parse(struct btk_bytes pattern, enum btk_regex_dialect dialect,
                    struct btk_arena *arena, struct btk_regex_node **out, struct btk_error *error)
{
    struct btk_regex_parser parser = {
        .begin = pattern.data,
        .at = pattern.data,
        .end = pattern.data + pattern.length,
        .dialect = dialect,
        .engine = dialect == BTK_REGEX_TIKTOKEN ? BTK_ENGINE_RUST : BTK_ENGINE_ONIGURUMA,
        .has_names = dialect == BTK_REGEX_ONIGURUMA && has_named_group(pattern),
        .arena = arena,
        .error = error,
    };
    if (pattern.length > BTK_REGEX_PATTERN_BYTES_MAX)
        return btk_error_set(error, EINVAL, 0, "regular expression: %zu bytes, at most %u",
                             pattern.length, BTK_REGEX_PATTERN_BYTES_MAX);
    const size_t valid = btk_utf8_valid_prefix(pattern.data, pattern.length);
    if (valid != pattern.length)
        return btk_error_set(error, EINVAL, valid, "regular expression: no UTF-8");
    struct btk_regex_node *tree = btk_regex_parse_choice(&parser);
    if (tree && parser.at < parser.end) btk_regex_fail(&parser, EINVAL, "')' without its '('");
    if (parser.status) return parser.status;
    if (!btk_regex_fold(arena, parser.engine, &tree))
        return btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "regular expression: no memory");
    if (!btk_regex_tree_has(tree, BTK_REGEX_BACKREF))
        btk_regex_drop_groups(&tree, dialect == BTK_REGEX_ONIGURUMA);
    *out = tree;
    return 0;
}
