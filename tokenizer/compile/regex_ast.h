// SPDX-License-Identifier: Apache-2.0
// A regular expression as a tree: what the parser makes, the folding and the canonical form work on,
// and the printers read.
//
// Nodes come from an arena. A node is in one tree only; `next` chains the children of a sequence or
// a choice.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tokenizer/compile/code_set.h"

enum btk_regex_dialect {
    BTK_REGEX_ONIGURUMA, // tokenizer.json: Oniguruma's own syntax, as rust-onig has it by default
    BTK_REGEX_TIKTOKEN,  // .tiktoken: fancy-regex 0.19
};

// A pattern longer than this, or nested deeper, is refused.
#define BTK_REGEX_PATTERN_BYTES_MAX (64u << 10)
#define BTK_REGEX_DEPTH_MAX         200
#define BTK_REGEX_REPEAT_MAX        100000u
#define BTK_REGEX_FOREVER           UINT32_MAX

enum btk_regex_kind {
    BTK_REGEX_EMPTY,
    BTK_REGEX_CHAR,     // only until case is folded: then a set
    BTK_REGEX_SET,      // one code point of a set; an empty set never matches
    BTK_REGEX_SEQUENCE, // of children
    BTK_REGEX_CHOICE,   // of children, the first that leads to a match
    BTK_REGEX_REPEAT,
    BTK_REGEX_GROUP,  // captures
    BTK_REGEX_SCOPE,  // only until case is folded: letters do not fold across its edge
    BTK_REGEX_ATOMIC, // no way back into it
    BTK_REGEX_LOOK,
    BTK_REGEX_ASSERTION,
    BTK_REGEX_BACKREF,
    BTK_REGEX_KEEP, // \K: the match begins here
};

enum btk_regex_mode { BTK_REGEX_GREEDY, BTK_REGEX_LAZY, BTK_REGEX_POSSESSIVE };

// Written as Oniguruma writes them.
enum btk_regex_assertion {
    BTK_REGEX_LINE_BEGIN = '^',
    BTK_REGEX_LINE_END = '$',
    BTK_REGEX_TEXT_BEGIN = 'A',
    BTK_REGEX_TEXT_END = 'z',
    BTK_REGEX_TEXT_END_NEWLINE = 'Z',
    BTK_REGEX_SEARCH_BEGIN = 'G',
};

struct btk_regex_node {
    enum btk_regex_kind kind;
    struct btk_regex_node *next;
    struct btk_regex_node *child; // the first; all kinds but leaves
    union {
        struct {
            uint32_t code_point;
            bool ignore_case;
        } character;
        struct btk_code_set set;
        struct {
            uint32_t min, max; // max: BTK_REGEX_FOREVER
            enum btk_regex_mode mode;
        } repeat;
        struct {
            bool is_behind, is_negated;
        } look;
        enum btk_regex_assertion assertion;
        uint32_t group; // GROUP and BACKREF: from 1
    };
};

// All return NULL when there is no memory.
struct btk_regex_node *btk_regex_node_new(struct btk_arena *arena, enum btk_regex_kind kind,
                                          struct btk_regex_node *child);
struct btk_regex_node *btk_regex_node_set(struct btk_arena *arena, struct btk_code_set set);
struct btk_regex_node *btk_regex_node_look(struct btk_arena *arena, struct btk_regex_node *child,
                                           bool is_behind, bool is_negated);
struct btk_regex_node *btk_regex_node_assertion(struct btk_arena *arena,
                                                enum btk_regex_assertion assertion);
// A sequence or a choice of two; NULL if either is NULL.
struct btk_regex_node *btk_regex_node_pair(struct btk_arena *arena, enum btk_regex_kind kind,
                                           struct btk_regex_node *first,
                                           struct btk_regex_node *second);

// Leaves out groups whose captures nobody reads. `keeps_quirks`: Oniguruma ends a loop around a
// group when the group matched nothing, and does not so without the group; such ones stay.
void btk_regex_drop_groups(struct btk_regex_node **tree, bool keeps_quirks);

// Does any node of the tree have this kind?
bool btk_regex_tree_has(const struct btk_regex_node *node, enum btk_regex_kind kind);

// Bytes of UTF-8 that a match has at the least. Case is folded already.
size_t btk_regex_match_bytes_min(const struct btk_regex_node *node);
