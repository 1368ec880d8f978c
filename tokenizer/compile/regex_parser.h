// SPDX-License-Identifier: Apache-2.0
// What the files of the parser share; nobody else includes this.
#pragma once

#include "tokenizer/compile/regex_parse.h"

enum btk_regex_flag {
    BTK_REGEX_IGNORE_CASE = 1 << 0,
    BTK_REGEX_DOT_ALL = 1 << 1,
    BTK_REGEX_EXTENDED = 1 << 2,
    BTK_REGEX_LINES = 1 << 3,      // tiktoken's (?m)
    BTK_REGEX_UNGREEDY = 1 << 4,   // tiktoken's (?U)
    BTK_REGEX_ASCII_WORD = 1 << 5, // Oniguruma's (?W), (?D), (?S)
    BTK_REGEX_ASCII_DIGIT = 1 << 6,
    BTK_REGEX_ASCII_SPACE = 1 << 7,
};

struct btk_regex_name {
    struct btk_bytes name;
    uint32_t group;
    struct btk_regex_name *next;
};

// Functions that return a node return NULL after a failure, those that return bool return false;
// `status` then says which, and the error is filled.
struct btk_regex_parser {
    const uint8_t *begin, *at, *end;
    enum btk_regex_dialect dialect;
    enum btk_unicode_engine engine;
    unsigned flags; // enum btk_regex_flag
    int depth;
    int look_depth; // inside how many look-arounds
    uint32_t group_count;
    bool has_names; // Oniguruma: then groups without a name do not capture
    struct btk_regex_name *names;
    struct btk_arena *arena;
    struct btk_error *error;
    int status;
};

bool btk_regex_fail(struct btk_regex_parser *parser, int code, const char *what);
bool btk_regex_no_memory(struct btk_regex_parser *parser);
// Checks a node for NULL: a failure that nobody has told of yet is one of memory.
struct btk_regex_node *btk_regex_checked(struct btk_regex_parser *parser,
                                         struct btk_regex_node *node);

static inline bool btk_regex_is_tiktoken(const struct btk_regex_parser *parser)
{
    return parser->dialect == BTK_REGEX_TIKTOKEN;
}

static inline bool btk_regex_peek(const struct btk_regex_parser *parser, char wanted)
{
    return parser->at < parser->end && *parser->at == (uint8_t)wanted;
}

static inline bool btk_regex_take(struct btk_regex_parser *parser, char wanted)
{
    if (!btk_regex_peek(parser, wanted)) return false;
    parser->at++;
    return true;
}

bool btk_regex_take_text(struct btk_regex_parser *parser, const char *text);
// The code point at `at`, which is not the end.
uint32_t btk_regex_take_code_point(struct btk_regex_parser *parser);
// A decimal number; false, and nothing taken, where there is none. Too large ones saturate.
bool btk_regex_take_number(struct btk_regex_parser *parser, uint32_t *out);
// tiktoken: white space and comments that stand for nothing.
bool btk_regex_skip_blank(struct btk_regex_parser *parser);

// regex_escape.c: what stands behind a backslash.
struct btk_regex_escape {
    enum { BTK_REGEX_ESCAPE_CODE, BTK_REGEX_ESCAPE_SET } kind;
    uint32_t code_point;
    struct btk_code_set set;
};
// Behind the backslash, in brackets; outside of them what is no escape of a class is a node.
bool btk_regex_parse_class_escape(struct btk_regex_parser *parser, struct btk_regex_escape *out);
struct btk_regex_node *btk_regex_parse_escape(struct btk_regex_parser *parser);
bool btk_regex_named_set(struct btk_regex_parser *parser, const char *name,
                         struct btk_code_set *out);
struct btk_regex_node *btk_regex_char(struct btk_regex_parser *parser, uint32_t code_point);

// regex_property.c: \p{...} and \P{...}, behind the p or P.
bool btk_regex_parse_property(struct btk_regex_parser *parser, bool is_negated, bool in_class,
                              struct btk_code_set *out);

// regex_class.c: behind the opening bracket.
struct btk_regex_node *btk_regex_parse_class(struct btk_regex_parser *parser);
// regex_class_rust.c
bool btk_regex_parse_rust_class(struct btk_regex_parser *parser, struct btk_code_set *out);

// regex_group.c: behind the opening parenthesis; *out_ends_branch: what follows in the branch is in
// the node already. May be an EMPTY that stands for nothing (a comment, flags).
struct btk_regex_node *btk_regex_parse_group(struct btk_regex_parser *parser,
                                             bool *out_ends_branch);
struct btk_regex_node *btk_regex_parse_choice(struct btk_regex_parser *parser);

// regex_fold.c
BTK_MUST_USE bool btk_regex_fold(struct btk_arena *arena, enum btk_unicode_engine engine,
                                 struct btk_regex_node **tree);
// Oniguruma: the set of a class when case is ignored; a choice where it has letters that fold to
// two or three.
struct btk_regex_node *btk_regex_fold_class(struct btk_arena *arena, struct btk_code_set set);
