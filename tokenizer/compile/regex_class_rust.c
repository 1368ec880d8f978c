// SPDX-License-Identifier: Apache-2.0
// Classes in brackets as regex-syntax reads them, with what fancy-regex puts in between.
#include <errno.h>
#include <string.h>

#include "tokenizer/compile/regex_parser.h"

enum operator{ NO_OPERATOR, INTERSECTION, DIFFERENCE, SYMMETRIC_DIFFERENCE };

static bool add(struct btk_regex_parser *parser, struct btk_code_set *set, struct btk_code_set more)
{
    return btk_code_set_union(parser->arena, *set, more, set) || btk_regex_no_memory(parser);
}

// Each operand is folded by itself.
static bool fold(struct btk_regex_parser *parser, struct btk_code_set *set)
{
    return !(parser->flags & BTK_REGEX_IGNORE_CASE)
           || btk_code_set_fold(parser->arena, parser->engine, *set, set)
           || btk_regex_no_memory(parser);
}

static bool complement(struct btk_regex_parser *parser, struct btk_code_set *set)
{
    return btk_code_set_complement(parser->arena, *set, set) || btk_regex_no_memory(parser);
}

static bool intersect(struct btk_regex_parser *parser, struct btk_code_set *set,
                      struct btk_code_set with)
{
    return btk_code_set_intersection(parser->arena, *set, with, set) || btk_regex_no_memory(parser);
}

static bool apply(struct btk_regex_parser *parser, enum operator operator,
                  struct btk_code_set * whole, struct btk_code_set operand)
{
    struct btk_code_set both = *whole, either = *whole;
    if (operator== NO_OPERATOR) {
        *whole = operand;
        return true;
    }
    if (operator== INTERSECTION) return intersect(parser, whole, operand);
    if (operator== DIFFERENCE)
        return complement(parser, &operand) && intersect(parser, whole, operand);
    if (!intersect(parser, &both, operand) || !add(parser, &either, operand)
        || !complement(parser, &both) || !intersect(parser, &either, both))
        return false;
    *whole = either;
    return true;
}

static enum operator take_operator(struct btk_regex_parser *parser)
{
    if (btk_regex_take_text(parser, "&&")) return INTERSECTION;
    if (btk_regex_take_text(parser, "--")) return DIFFERENCE;
    if (btk_regex_take_text(parser, "~~")) return SYMMETRIC_DIFFERENCE;
    return NO_OPERATOR;
}

static bool parse_escape_or_letter(struct btk_regex_parser *parser, struct btk_regex_escape *out)
{
    if (parser->at == parser->end) return btk_regex_fail(parser, EINVAL, "']' is missing");
    if (btk_regex_take(parser, '\\')) return btk_regex_parse_class_escape(parser, out);
    out->kind = BTK_REGEX_ESCAPE_CODE;
    out->code_point = btk_regex_take_code_point(parser);
    return true;
}

// A letter, a range or a class of one escape.
static bool parse_range(struct btk_regex_parser *parser, struct btk_code_set *set)
{
    struct btk_regex_escape first, last;
    struct btk_code_set range;
    if (!parse_escape_or_letter(parser, &first)) return false;
    last = first;
    const bool is_range = btk_regex_peek(parser, '-') && parser->at + 1 < parser->end
                          && parser->at[1] != ']' && parser->at[1] != '-';
    if (is_range) {
        parser->at++;
        if (!parse_escape_or_letter(parser, &last)) return false;
        if (first.kind != BTK_REGEX_ESCAPE_CODE || last.kind != BTK_REGEX_ESCAPE_CODE)
            return btk_regex_fail(parser, EINVAL, "a class for the end of a range");
        if (first.code_point > last.code_point)
            return btk_regex_fail(parser, EINVAL, "a range from high to low");
    }
    if (first.kind == BTK_REGEX_ESCAPE_SET) return add(parser, set, first.set);
    if (!btk_code_set_range(parser->arena, first.code_point, last.code_point, &range))
        return btk_regex_no_memory(parser);
    return add(parser, set, range);
}

// [:name:] is of ASCII.
static bool take_posix(struct btk_regex_parser *parser, struct btk_code_set *out)
{
    static const struct {
        const char *name;
        uint32_t ranges[4][2]; // up to the first that ends in 0
    } classes[] = {
        {"alnum", {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}}},
        {"alpha", {{'A', 'Z'}, {'a', 'z'}}},
        {"ascii", {{0, 0x7f}}},
        {"blank", {{'\t', '\t'}, {' ', ' '}}},
        {"cntrl", {{0, 0x1f}, {0x7f, 0x7f}}},
        {"digit", {{'0', '9'}}},
        {"graph", {{'!', '~'}}},
        {"lower", {{'a', 'z'}}},
        {"print", {{' ', '~'}}},
        {"punct", {{'!', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'}}},
        {"space", {{'\t', '\r'}, {' ', ' '}}},
        {"upper", {{'A', 'Z'}}},
        {"word", {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}},
        {"xdigit", {{'0', '9'}, {'A', 'F'}, {'a', 'f'}}},
    };
    const uint8_t *const begin = parser->at;
    if (!btk_regex_take(parser, ':')) return false;
    const bool is_negated = btk_regex_take(parser, '^');
    for (size_t i = 0; i < BTK_ARRAY_COUNT(classes); i++) {
        const uint8_t *const name = parser->at;
        struct btk_code_set range;
        if (!btk_regex_take_text(parser, classes[i].name) || !btk_regex_take_text(parser, ":]")) {
            parser->at = name;
            continue;
        }
        *out = (struct btk_code_set){0};
        for (size_t j = 0; j < 4 && classes[i].ranges[j][1]; j++)
            if (!btk_code_set_range(parser->arena, classes[i].ranges[j][0], classes[i].ranges[j][1],
                                    &range)
                || !add(parser, out, range))
                return btk_regex_no_memory(parser);
        return fold(parser, out) && (!is_negated || complement(parser, out));
    }
    parser->at = begin;
    return false;
}

static bool parse_member(struct btk_regex_parser *parser, struct btk_code_set *set)
{
    struct btk_code_set inner;
    if (!btk_regex_take(parser, '[')) return parse_range(parser, set);
    if (!take_posix(parser, &inner)
        && (parser->status || !btk_regex_parse_rust_class(parser, &inner)))
        return false;
    return add(parser, set, inner);
}

// Signs that are letters at the front: any number of '-', or one ']'.
static bool parse_front(struct btk_regex_parser *parser, struct btk_code_set *set)
{
    struct btk_code_set letter;
    const char sign = btk_regex_peek(parser, '-') ? '-' : ']';
    if (!btk_regex_peek(parser, sign)) return true;
    while (btk_regex_take(parser, sign) && sign == '-') {
    }
    return (btk_code_set_range(parser->arena, (uint32_t)sign, (uint32_t)sign, &letter)
            || btk_regex_no_memory(parser))
           && add(parser, set, letter);
}

bool btk_regex_parse_rust_class(struct btk_regex_parser *parser, struct btk_code_set *out)
{
    struct btk_code_set whole = {0}, operand = {0};
    enum operator operator= NO_OPERATOR;
    if (++parser->depth > BTK_REGEX_DEPTH_MAX)
        return btk_regex_fail(parser, EINVAL, "nested too deeply");
    const bool is_negated = btk_regex_take(parser, '^');
    if (!parse_front(parser, &operand)) return false;
    while (!btk_regex_take(parser, ']')) {
        if (parser->at == parser->end) return btk_regex_fail(parser, EINVAL, "']' is missing");
        const enum operator next = take_operator(parser);
        if (next == NO_OPERATOR) {
            if (!parse_member(parser, &operand)) return false;
            continue;
        }
        if (!fold(parser, &operand) || !apply(parser, operator, & whole, operand)) return false;
        operator= next;
        operand = (struct btk_code_set){0};
    }
    parser->depth--;
    if (!fold(parser, &operand) || !apply(parser, operator, & whole, operand)) return false;
    *out = whole;
    return !is_negated || complement(parser, out);
}
