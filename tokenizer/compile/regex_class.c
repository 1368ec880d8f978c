// SPDX-License-Identifier: Apache-2.0
// Classes in brackets, Oniguruma's way; regex_class_rust.c has tiktoken's.
#include <errno.h>
#include <string.h>

#include "tokenizer/compile/regex_parser.h"

// What the member before was: a letter may begin a range, a class may not.
enum state { AT_START, AFTER_LETTER, AFTER_CLASS, IN_RANGE, AFTER_RANGE };

struct class {
    struct btk_code_set set;   // of the operand that is read
    struct btk_code_set whole; // of the operands before, if has_whole
    bool has_whole;
    enum state state;
    uint32_t letter; // AFTER_LETTER, IN_RANGE
};

static bool add_set(struct btk_regex_parser *parser, struct class *class, struct btk_code_set set)
{
    return btk_code_set_union(parser->arena, class->set, set, &class->set)
           || btk_regex_no_memory(parser);
}

static bool add_range(struct btk_regex_parser *parser, struct class *class, uint32_t first,
                      uint32_t last)
{
    struct btk_code_set set;
    if (first > last) return btk_regex_fail(parser, EINVAL, "a range from high to low");
    if (!btk_code_set_range(parser->arena, first, last, &set)) return btk_regex_no_memory(parser);
    return add_set(parser, class, set);
}

// The letter that was read last waits: it may begin a range.
static bool add_waiting(struct btk_regex_parser *parser, struct class *class)
{
    return class->state != AFTER_LETTER || add_range(parser, class, class->letter, class->letter);
}

static bool add_letter(struct btk_regex_parser *parser, struct class *class, uint32_t letter)
{
    if (class->state == IN_RANGE) {
        class->state = AFTER_RANGE;
        return add_range(parser, class, class->letter, letter);
    }
    if (!add_waiting(parser, class)) return false;
    class->state = AFTER_LETTER;
    class->letter = letter;
    return true;
}

static bool add_class(struct btk_regex_parser *parser, struct class *class, struct btk_code_set set)
{
    if (class->state == IN_RANGE)
        return btk_regex_fail(parser, EINVAL, "a class for the end of a range");
    if (!add_waiting(parser, class)) return false;
    class->state = AFTER_CLASS;
    return add_set(parser, class, set);
}

// In "[a-[b]]" the letter and its sign are forgotten, as Oniguruma does.
static bool add_brackets(struct btk_regex_parser *parser, struct class *class,
                         struct btk_code_set set)
{
    if (!add_waiting(parser, class)) return false;
    class->state = AFTER_RANGE;
    return add_set(parser, class, set);
}

static bool ends_here(const struct btk_regex_parser *parser)
{
    return btk_regex_peek(parser, ']')
           || (parser->end - parser->at >= 2 && parser->at[0] == '&' && parser->at[1] == '&');
}

// Behind a '-', which may be a letter.
static bool parse_minus(struct btk_regex_parser *parser, struct class *class)
{
    if (class->state == AFTER_LETTER && !ends_here(parser)) {
        class->state = IN_RANGE;
        return true;
    }
    if (class->state == AFTER_CLASS && !ends_here(parser))
        return btk_regex_fail(parser, EINVAL, "a class for the begin of a range");
    return add_letter(parser, class, '-');
}

// The operand is over: it is intersected with those before it.
static bool end_operand(struct btk_regex_parser *parser, struct class *class)
{
    if (!add_waiting(parser, class)) return false;
    if (class->has_whole
        && !btk_code_set_intersection(parser->arena, class->whole, class->set, &class->set))
        return btk_regex_no_memory(parser);
    class->whole = class->set;
    class->has_whole = true;
    class->set = (struct btk_code_set){0};
    class->state = AT_START;
    return true;
}

// [:name:], behind "[:"; false without a failure (status 0) where it is none.
static bool parse_posix(struct btk_regex_parser *parser, struct btk_code_set *out)
{
    char name[16] = ":";
    size_t length = 1;
    const uint8_t *const begin = parser->at;
    const bool is_negated = btk_regex_take(parser, '^');
    while (parser->at < parser->end && (*parser->at | 0x20) >= 'a' && (*parser->at | 0x20) <= 'z') {
        if (length < sizeof name - 1) name[length++] = (char)*parser->at;
        parser->at++;
    }
    if (length == 1 || !btk_regex_take_text(parser, ":]")) {
        parser->at = begin;
        return false;
    }
    return btk_regex_named_set(parser, name, out)
           && (!is_negated || btk_code_set_complement(parser->arena, *out, out)
               || btk_regex_no_memory(parser));
}

static bool parse_brackets(struct btk_regex_parser *parser, struct btk_code_set *out,
                           bool *out_is_negated);

static bool parse_inner(struct btk_regex_parser *parser, struct class *class)
{
    struct btk_code_set set;
    bool is_negated;
    if (btk_regex_take(parser, ':')) {
        if (parse_posix(parser, &set)) return add_class(parser, class, set);
        if (parser->status) return false;
        parser->at--;
    }
    if (!parse_brackets(parser, &set, &is_negated)) return false;
    if (is_negated && !btk_code_set_complement(parser->arena, set, &set))
        return btk_regex_no_memory(parser);
    return add_brackets(parser, class, set);
}

static bool parse_member(struct btk_regex_parser *parser, struct class *class)
{
    struct btk_regex_escape escape;
    if (btk_regex_take(parser, '[')) return parse_inner(parser, class);
    if (btk_regex_take_text(parser, "&&")) return end_operand(parser, class);
    if (btk_regex_take(parser, '-')) return parse_minus(parser, class);
    if (!btk_regex_take(parser, '\\'))
        return add_letter(parser, class, btk_regex_take_code_point(parser));
    if (!btk_regex_parse_class_escape(parser, &escape)) return false;
    if (escape.kind == BTK_REGEX_ESCAPE_CODE) return add_letter(parser, class, escape.code_point);
    return add_class(parser, class, escape.set);
}

// A bracket that comes first is a letter, if another one follows.
static bool is_letter_bracket(const struct btk_regex_parser *parser)
{
    if (!btk_regex_peek(parser, ']')) return false;
    for (const uint8_t *at = parser->at + 1; at < parser->end; at++) {
        if (*at == ']') return true;
        if (*at == '\\') at++;
    }
    return false;
}

// Behind the bracket; what the caller negates.
static bool parse_brackets(struct btk_regex_parser *parser, struct btk_code_set *out,
                           bool *out_is_negated)
{
    struct class class = {0};
    if (++parser->depth > BTK_REGEX_DEPTH_MAX)
        return btk_regex_fail(parser, EINVAL, "nested too deeply");
    *out_is_negated = btk_regex_take(parser, '^');
    if (is_letter_bracket(parser)) {
        parser->at++;
        if (!add_letter(parser, &class, ']')) return false;
    } else if (btk_regex_peek(parser, ']')) {
        return btk_regex_fail(parser, EINVAL, "a class without members");
    }
    while (!btk_regex_peek(parser, ']')) {
        if (parser->at == parser->end) return btk_regex_fail(parser, EINVAL, "']' is missing");
        if (!parse_member(parser, &class)) return false;
    }
    parser->at++;
    parser->depth--;
    if (!end_operand(parser, &class)) return false;
    *out = class.whole;
    return true;
}

struct btk_regex_node *btk_regex_parse_class(struct btk_regex_parser *parser)
{
    struct btk_code_set set;
    bool is_negated;
    if (btk_regex_is_tiktoken(parser)) {
        if (!btk_regex_parse_rust_class(parser, &set)) return NULL;
        return btk_regex_checked(parser, btk_regex_node_set(parser->arena, set));
    }
    if (!parse_brackets(parser, &set, &is_negated)) return NULL;
    const bool is_folded = parser->flags & BTK_REGEX_IGNORE_CASE;
    if (is_folded && !is_negated)
        return btk_regex_checked(parser, btk_regex_fold_class(parser->arena, set));
    if ((is_folded && !btk_code_set_fold(parser->arena, parser->engine, set, &set))
        || (is_negated && !btk_code_set_complement(parser->arena, set, &set)))
        return btk_regex_checked(parser, NULL);
    return btk_regex_checked(parser, btk_regex_node_set(parser->arena, set));
}
