// SPDX-License-Identifier: Apache-2.0
// What stands behind a backslash.
#include <errno.h>
#include <string.h>

#include "common/utf8.h"
#include "tokenizer/compile/regex_parser.h"

struct btk_regex_node *btk_regex_char(struct btk_regex_parser *parser, uint32_t code_point)
{
    struct btk_regex_node *const node =
        btk_regex_checked(parser, btk_regex_node_new(parser->arena, BTK_REGEX_CHAR, NULL));
    if (!node) return NULL;
    node->character.code_point = code_point;
    node->character.ignore_case = parser->flags & BTK_REGEX_IGNORE_CASE;
    return node;
}

bool btk_regex_named_set(struct btk_regex_parser *parser, const char *name,
                         struct btk_code_set *out)
{
    const struct btk_bytes bytes = {(const uint8_t *)name, strlen(name)};
    int property = btk_unicode_property_find(parser->engine, bytes);
    // Only where it differs has a class another meaning outside of brackets.
    if (property < 0 && strcmp(name, ":word-alone") == 0)
        property = btk_unicode_property_find(parser->engine, (struct btk_bytes){bytes.data, 5});
    if (property < 0) return btk_regex_fail(parser, EINVAL, "a class that nobody knows");
    const unsigned ascii = strncmp(name, ":word", 5) == 0 ? BTK_REGEX_ASCII_WORD
                           : strcmp(name, ":digit") == 0  ? BTK_REGEX_ASCII_DIGIT
                           : strcmp(name, ":space") == 0  ? BTK_REGEX_ASCII_SPACE
                                                          : 0;
    struct btk_code_set limit;
    if (!btk_code_set_property(parser->arena, property, out)
        || ((parser->flags & ascii)
            && (!btk_code_set_range(parser->arena, 0, 0x7f, &limit)
                || !btk_code_set_intersection(parser->arena, *out, limit, out))))
        return btk_regex_no_memory(parser);
    return true;
}

// --- Numbers

static int hex_digit(uint8_t byte)
{
    if (byte >= '0' && byte <= '9') return byte - '0';
    if ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'f') return (byte | 0x20) - 'a' + 10;
    return -1;
}

// Up to `limit` digits of base 8 or 16; returns how many there were.
static int take_digits(struct btk_regex_parser *parser, int base, int limit, uint32_t *out)
{
    int count = 0;
    *out = 0;
    for (; count < limit && parser->at < parser->end; count++) {
        const int digit = hex_digit(*parser->at);
        if (digit < 0 || digit >= base) break;
        *out = (uint32_t)base * *out + (uint32_t)digit;
        parser->at++;
    }
    return count;
}

static bool check_code_point(struct btk_regex_parser *parser, uint32_t code_point)
{
    // To Oniguruma it is one that no text has.
    return !btk_regex_is_tiktoken(parser)
           || (code_point <= 0x10ffff && (code_point < 0xd800 || code_point > 0xdfff))
           || btk_regex_fail(parser, EINVAL, "a number that is no code point");
}

// "{digits}", of which several may stand in Oniguruma's braces.
static bool take_braced(struct btk_regex_parser *parser, int base, uint32_t *out)
{
    parser->at++;
    const int count = take_digits(parser, base, base == 8 ? 11 : 8, out);
    if (count && btk_regex_peek(parser, ' '))
        return btk_regex_fail(parser, ENOTSUP, "several code points in braces are not supported");
    if (!count || !btk_regex_take(parser, '}'))
        return btk_regex_fail(parser, EINVAL, "a number that is no code point");
    return check_code_point(parser, *out);
}

// Oniguruma's \xHH and \OOO are bytes; those above 127 must be UTF-8 together.
static bool take_byte(struct btk_regex_parser *parser, int base, int limit, uint32_t *out)
{
    take_digits(parser, base, limit, out);
    return *out < 0x100 || btk_regex_fail(parser, EINVAL, "a number that is no byte");
}

static bool take_more_bytes(struct btk_regex_parser *parser, uint32_t first, uint32_t *out)
{
    uint8_t bytes[4] = {(uint8_t)first};
    size_t length, skipped;
    const size_t wanted = first < 0x80 ? 1 : btk_utf8_length((uint8_t)first);
    for (size_t i = 1; i < wanted; i++) {
        uint32_t byte = 0;
        const bool is_hex = btk_regex_take_text(parser, "\\x");
        if (!is_hex && !btk_regex_take(parser, '\\')) break;
        if (!take_byte(parser, is_hex ? 16 : 8, is_hex ? 2 : 3, &byte)) return false;
        bytes[i] = (uint8_t)byte;
    }
    if (!btk_utf8_check(bytes, wanted, &skipped))
        return btk_regex_fail(parser, EINVAL, "bytes that are no UTF-8");
    *out = btk_utf8_decode(bytes, &length);
    return true;
}

static bool take_oniguruma_number(struct btk_regex_parser *parser, uint8_t letter, uint32_t *out)
{
    uint32_t byte;
    if (letter == 'u') {
        const int count = take_digits(parser, 16, 4, out);
        return count == 4 || btk_regex_fail(parser, EINVAL, "\\u without its four digits");
    }
    if (letter == 'x') {
        if (btk_regex_peek(parser, '{')) return take_braced(parser, 16, out);
        return take_byte(parser, 16, 2, &byte) && take_more_bytes(parser, byte, out);
    }
    parser->at--;
    return take_byte(parser, 8, 3, &byte) && take_more_bytes(parser, byte, out);
}

static bool take_tiktoken_number(struct btk_regex_parser *parser, uint8_t letter, uint32_t *out)
{
    const int wanted = letter == 'x' ? 2 : letter == 'u' ? 4 : 8;
    if (!btk_regex_skip_blank(parser)) return false;
    const uint8_t *const begin = parser->at;
    if (take_digits(parser, 16, wanted, out) == wanted) return check_code_point(parser, *out);
    parser->at = begin;
    if (btk_regex_peek(parser, '{')) return take_braced(parser, 16, out);
    return btk_regex_fail(parser, EINVAL, "a number that is no code point");
}

// --- Letters

static uint32_t control_letter(uint8_t letter)
{
    switch (letter) {
    case 'n': return '\n';
    case 't': return '\t';
    case 'r': return '\r';
    case 'f': return '\f';
    case 'v': return '\v';
    case 'a': return 7;
    case 'b': return '\b';
    case 'e': return 27;
    default: return 0;
    }
}

// A class of one letter, d s w h and their opposites: 1, 0: it is none, -1: failed.
static int take_class_letter(struct btk_regex_parser *parser, bool in_class,
                             struct btk_code_set *out)
{
    const char *name;
    const uint8_t letter = *parser->at;
    switch (letter | 0x20) {
    case 'd': name = ":digit"; break;
    case 's': name = ":space"; break;
    case 'w': name = in_class ? ":word" : ":word-alone"; break;
    case 'h': name = btk_regex_is_tiktoken(parser) ? "asciihexdigit" : ":xdigit"; break;
    default: return 0;
    }
    parser->at++;
    if (!btk_regex_named_set(parser, name, out)) return -1;
    if (letter >= 'a') return 1;
    return btk_code_set_complement(parser->arena, *out, out) ? 1
                                                             : (btk_regex_no_memory(parser), -1);
}

static bool is_property(const struct btk_regex_parser *parser)
{
    if ((*parser->at | 0x20) != 'p') return false;
    return btk_regex_is_tiktoken(parser) || (parser->at + 1 < parser->end && parser->at[1] == '{');
}

// \cX, \C-X, \M-X of Oniguruma, behind the letter.
static bool take_control(struct btk_regex_parser *parser, uint8_t letter, uint32_t *out)
{
    if (letter != 'c' && !btk_regex_take(parser, '-'))
        return btk_regex_fail(parser, EINVAL, "a control character that is none");
    if (letter == 'M' || parser->at == parser->end || *parser->at == '\\')
        return btk_regex_fail(parser, ENOTSUP, "this control character is not supported");
    const uint32_t code_point = btk_regex_take_code_point(parser);
    *out = code_point == '?' ? 0x7f : code_point & 0x9f;
    return true;
}

// An escape that stands for one code point, behind the backslash.
static bool take_code_point(struct btk_regex_parser *parser, uint32_t *out)
{
    const bool is_tiktoken = btk_regex_is_tiktoken(parser);
    const uint32_t code_point = btk_regex_take_code_point(parser);
    const uint8_t letter = code_point < 0x80 ? (uint8_t)code_point : 0;
    const bool is_letter = (letter | 0x20) >= 'a' && (letter | 0x20) <= 'z';
    *out = control_letter(letter);
    if (*out) return true;
    if (is_tiktoken && letter && strchr("xuU", letter))
        return take_tiktoken_number(parser, letter, out);
    if (!is_tiktoken && (letter == 'x' || letter == 'u' || (letter >= '0' && letter <= '7')))
        return take_oniguruma_number(parser, letter, out);
    if (!is_tiktoken && letter == 'o' && btk_regex_peek(parser, '{'))
        return take_braced(parser, 8, out);
    if (!is_tiktoken && letter && strchr("cCM", letter)) return take_control(parser, letter, out);
    *out = code_point;
    return !is_tiktoken || !(is_letter || (letter >= '0' && letter <= '9'))
           || btk_regex_fail(parser, EINVAL, "an escape that is none");
}

static bool expect_more(struct btk_regex_parser *parser)
{
    return parser->at < parser->end || btk_regex_fail(parser, EINVAL, "a backslash at the end");
}

bool btk_regex_parse_class_escape(struct btk_regex_parser *parser, struct btk_regex_escape *out)
{
    if (!expect_more(parser)) return false;
    out->kind = BTK_REGEX_ESCAPE_SET;
    const int status = take_class_letter(parser, true, &out->set);
    if (status) return status > 0;
    if (is_property(parser)) {
        const bool is_negated = *parser->at++ == 'P';
        return btk_regex_parse_property(parser, is_negated, true, &out->set);
    }
    out->kind = BTK_REGEX_ESCAPE_CODE;
    return take_code_point(parser, &out->code_point);
}

// --- Outside of brackets

// A place between a character of `behind` and one of `ahead`; NULL is any.
static struct btk_regex_node *border(struct btk_regex_parser *parser, struct btk_code_set word,
                                     int behind, int ahead)
{
    struct btk_arena *const arena = parser->arena;
    struct btk_regex_node *const before =
        btk_regex_node_look(arena, btk_regex_node_set(arena, word), true, behind == 0);
    struct btk_regex_node *const after =
        btk_regex_node_look(arena, btk_regex_node_set(arena, word), false, ahead == 0);
    if (behind < 0) return btk_regex_checked(parser, after);
    if (ahead < 0) return btk_regex_checked(parser, before);
    return btk_regex_checked(parser, btk_regex_node_pair(arena, BTK_REGEX_SEQUENCE, before, after));
}

static struct btk_regex_node *parse_word_border(struct btk_regex_parser *parser, bool is_inner)
{
    struct btk_code_set word;
    if (!btk_regex_named_set(parser, ":word-alone", &word)) return NULL;
    if (btk_regex_is_tiktoken(parser) && !is_inner) {
        if (btk_regex_take_text(parser, "{start}")) return border(parser, word, 0, 1);
        if (btk_regex_take_text(parser, "{end}")) return border(parser, word, 1, 0);
        if (btk_regex_take_text(parser, "{start-half}")) return border(parser, word, 0, -1);
        if (btk_regex_take_text(parser, "{end-half}")) return border(parser, word, -1, 0);
    }
    struct btk_regex_node *const first = border(parser, word, 1, is_inner);
    struct btk_regex_node *const second = border(parser, word, 0, !is_inner);
    return btk_regex_checked(parser,
                             btk_regex_node_pair(parser->arena, BTK_REGEX_CHOICE, first, second));
}

static struct btk_regex_node *parse_angle(struct btk_regex_parser *parser, bool is_begin)
{
    struct btk_code_set word;
    if (!btk_regex_named_set(parser, ":word-alone", &word)) return NULL;
    return border(parser, word, !is_begin, is_begin);
}

static struct btk_regex_node *set_of(struct btk_regex_parser *parser, uint32_t first, uint32_t last,
                                     bool is_negated)
{
    struct btk_code_set set;
    if (!btk_code_set_range(parser->arena, first, last, &set)
        || (is_negated && !btk_code_set_complement(parser->arena, set, &set)))
        return btk_regex_checked(parser, NULL);
    return btk_regex_checked(parser, btk_regex_node_set(parser->arena, set));
}

// \R: \r\n together, or one of the characters that end a line.
static struct btk_regex_node *parse_newline(struct btk_regex_parser *parser)
{
    static const uint32_t lone[] = {0x85, 0x2028, 0x2029};
    struct btk_arena *const arena = parser->arena;
    struct btk_code_set set, more;
    if (!btk_code_set_range(arena, '\n', '\r', &set)) return btk_regex_checked(parser, NULL);
    for (size_t i = 0; i < BTK_ARRAY_COUNT(lone); i++)
        if (!btk_code_set_range(arena, lone[i], lone[i], &more)
            || !btk_code_set_union(arena, set, more, &set))
            return btk_regex_checked(parser, NULL);
    struct btk_regex_node *const both =
        btk_regex_node_pair(arena, BTK_REGEX_SEQUENCE, set_of(parser, '\r', '\r', false),
                            set_of(parser, '\n', '\n', false));
    struct btk_regex_node *const choice =
        btk_regex_node_pair(arena, BTK_REGEX_CHOICE, both, btk_regex_node_set(arena, set));
    return btk_regex_checked(parser,
                             choice ? btk_regex_node_new(arena, BTK_REGEX_ATOMIC, choice) : NULL);
}

// tiktoken's \Z stands before all newlines at the end, Oniguruma's before one.
static struct btk_regex_node *parse_text_end(struct btk_regex_parser *parser)
{
    struct btk_arena *const arena = parser->arena;
    if (!btk_regex_is_tiktoken(parser))
        return btk_regex_checked(parser,
                                 btk_regex_node_assertion(arena, BTK_REGEX_TEXT_END_NEWLINE));
    struct btk_regex_node *const newlines =
        btk_regex_node_new(arena, BTK_REGEX_REPEAT, set_of(parser, '\n', '\n', false));
    if (!newlines) return btk_regex_checked(parser, NULL);
    newlines->repeat.max = BTK_REGEX_FOREVER;
    newlines->repeat.mode = BTK_REGEX_GREEDY;
    struct btk_regex_node *const both = btk_regex_node_pair(
        arena, BTK_REGEX_SEQUENCE, newlines, btk_regex_node_assertion(arena, BTK_REGEX_TEXT_END));
    return btk_regex_checked(parser, btk_regex_node_look(arena, both, false, false));
}

static struct btk_regex_node *backref(struct btk_regex_parser *parser, uint32_t group)
{
    // Case would have to be ignored the reference's way.
    if (parser->flags & BTK_REGEX_IGNORE_CASE) {
        btk_regex_fail(parser, ENOTSUP, "a back-reference that ignores case is not supported");
        return NULL;
    }
    if (group == 0 || group > parser->group_count) {
        btk_regex_fail(parser, EINVAL, "a back-reference to no group before it");
        return NULL;
    }
    struct btk_regex_node *const node =
        btk_regex_checked(parser, btk_regex_node_new(parser->arena, BTK_REGEX_BACKREF, NULL));
    if (node) node->group = group;
    return node;
}

// \k<name>, \k<1>, \k'name', behind the k.
static struct btk_regex_node *parse_named_backref(struct btk_regex_parser *parser)
{
    uint32_t number;
    const char close = btk_regex_peek(parser, '\'') ? '\'' : '>';
    if (close == '>' && !btk_regex_peek(parser, '<')) return btk_regex_char(parser, 'k');
    const uint8_t *const begin = ++parser->at;
    if (btk_regex_take_number(parser, &number) && btk_regex_take(parser, close))
        return backref(parser, number);
    parser->at = begin;
    while (parser->at < parser->end && *parser->at != (uint8_t)close) parser->at++;
    const size_t length = (size_t)(parser->at - begin);
    for (const struct btk_regex_name *name = parser->names; name; name = name->next)
        if (name->name.length == length && memcmp(name->name.data, begin, length) == 0
            && btk_regex_take(parser, close))
            return backref(parser, name->group);
    btk_regex_fail(parser, ENOTSUP, "this back-reference is not supported");
    return NULL;
}

// \1 to \9 and above: a back-reference, in Oniguruma only if there are as many groups.
static struct btk_regex_node *parse_digits(struct btk_regex_parser *parser, bool *out_is_number)
{
    const uint8_t *const begin = parser->at;
    uint32_t number;
    btk_regex_take_number(parser, &number);
    *out_is_number = btk_regex_is_tiktoken(parser) || number <= 9 || number <= parser->group_count;
    if (*out_is_number && !(*begin == '0' && !btk_regex_is_tiktoken(parser))) {
        if (parser->has_names) {
            btk_regex_fail(parser, EINVAL, "a number for a group that has a name");
            return NULL;
        }
        return backref(parser, number);
    }
    *out_is_number = false;
    parser->at = begin;
    return NULL;
}

static struct btk_regex_node *assertion(struct btk_regex_parser *parser,
                                        enum btk_regex_assertion kind)
{
    return btk_regex_checked(parser, btk_regex_node_assertion(parser->arena, kind));
}

static struct btk_regex_node *refuse(struct btk_regex_parser *parser)
{
    btk_regex_fail(parser, ENOTSUP, "this escape is not supported");
    return NULL;
}

// In a look-around it would let a match begin behind its end, of which the references die.
static struct btk_regex_node *parse_keep(struct btk_regex_parser *parser)
{
    if (parser->look_depth) return refuse(parser);
    return btk_regex_checked(parser, btk_regex_node_new(parser->arena, BTK_REGEX_KEEP, NULL));
}

// An escape that is a place or more than a character: *out_is_one tells.
static struct btk_regex_node *parse_special(struct btk_regex_parser *parser, bool *out_is_one)
{
    const uint8_t letter = *parser->at++;
    *out_is_one = true;
    switch (letter) {
    case 'A': return assertion(parser, BTK_REGEX_TEXT_BEGIN);
    case 'z': return assertion(parser, BTK_REGEX_TEXT_END);
    case 'G': return assertion(parser, BTK_REGEX_SEARCH_BEGIN);
    case 'Z': return parse_text_end(parser);
    case 'b': return parse_word_border(parser, false);
    case 'B': return parse_word_border(parser, true);
    case 'K': return parse_keep(parser);
    case 'R': return parse_newline(parser);
    case 'N': return set_of(parser, '\n', '\n', true);
    case 'O': return set_of(parser, 0, 0x10ffff, false);
    case 'k': return parse_named_backref(parser);
    case 'g': return refuse(parser);
    case 'X':
    case 'y':
    case 'Y':
        if (!btk_regex_is_tiktoken(parser)) return refuse(parser);
        break;
    case '<':
    case '>':
        if (btk_regex_is_tiktoken(parser)) return parse_angle(parser, letter == '<');
        break;
    default: break;
    }
    parser->at--;
    *out_is_one = false;
    return NULL;
}

struct btk_regex_node *btk_regex_parse_escape(struct btk_regex_parser *parser)
{
    struct btk_code_set set;
    uint32_t code_point;
    bool is_one;
    if (!expect_more(parser)) return NULL;
    struct btk_regex_node *const special = parse_special(parser, &is_one);
    if (is_one) return special;
    if (*parser->at >= '0' && *parser->at <= '9') {
        struct btk_regex_node *const node = parse_digits(parser, &is_one);
        if (is_one) return node;
    }
    const int status = take_class_letter(parser, false, &set);
    if (status < 0) return NULL;
    if (status > 0) return btk_regex_checked(parser, btk_regex_node_set(parser->arena, set));
    if (is_property(parser)) {
        const bool is_negated = *parser->at++ == 'P';
        if (!btk_regex_parse_property(parser, is_negated, false, &set)) return NULL;
        return btk_regex_checked(parser, btk_regex_node_set(parser->arena, set));
    }
    return take_code_point(parser, &code_point) ? btk_regex_char(parser, code_point) : NULL;
}
