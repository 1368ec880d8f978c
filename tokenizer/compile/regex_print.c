// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/compile/regex_print.h"

#include <errno.h>
#include <string.h>

struct printer {
    struct btk_buffer *out;
    size_t begin;
    int status;
};

static void put_bytes(struct printer *printer, const char *text, size_t length)
{
    if (printer->status) return;
    printer->status = btk_buffer_append(printer->out, text, length);
    if (!printer->status && printer->out->length - printer->begin > BTK_REGEX_REWRITTEN_BYTES_MAX)
        printer->status = -E2BIG;
}

static void put(struct printer *printer, const char *text)
{
    put_bytes(printer, text, strlen(text));
}

static void put_number(struct printer *printer, uint32_t number, unsigned base)
{
    char digits[16];
    size_t at = sizeof digits;
    do {
        digits[--at] = "0123456789abcdef"[number % base];
        number /= base;
    } while (number);
    put_bytes(printer, digits + at, sizeof digits - at);
}

static void put_code_point(struct printer *printer, uint32_t code_point)
{
    const uint32_t lower = code_point | 0x20;
    if ((lower >= 'a' && lower <= 'z') || (code_point >= '0' && code_point <= '9')) {
        const char letter = (char)code_point;
        put_bytes(printer, &letter, 1);
        return;
    }
    put(printer, "\\x{");
    put_number(printer, code_point, 16);
    put(printer, "}");
}

static void put_ranges(struct printer *printer, struct btk_code_set set)
{
    for (size_t i = 0; i < set.count; i++) {
        put_code_point(printer, set.ranges[i].first);
        if (set.ranges[i].last == set.ranges[i].first) continue;
        put(printer, "-");
        put_code_point(printer, set.ranges[i].last);
    }
}

// A set that reaches the last code point is written as what it leaves out.
static void put_complement(struct printer *printer, struct btk_code_set set)
{
    uint32_t first = 0;
    put(printer, "[^");
    for (size_t i = 0; i < set.count; first = set.ranges[i++].last + 1) {
        if (set.ranges[i].first == first || (first == 0xd800 && set.ranges[i].first == 0xe000))
            continue;
        const struct btk_unicode_range gap = {first, set.ranges[i].first - 1};
        put_ranges(printer, (struct btk_code_set){&gap, 1});
    }
    put(printer, "]");
}

static void put_set(struct printer *printer, struct btk_code_set set)
{
    const bool is_one = set.count == 1 && set.ranges[0].first == set.ranges[0].last;
    const bool is_all = set.count == 2 && set.ranges[0].first == 0 && set.ranges[0].last == 0xd7ff
                        && set.ranges[1].first == 0xe000 && set.ranges[1].last == 0x10ffff;
    if (!set.count) {
        put(printer, "[0&&1]");
    } else if (is_all) {
        put(printer, "(?m:.)");
    } else if (is_one) {
        put_code_point(printer, set.ranges[0].first);
    } else if (set.ranges[set.count - 1].last == 0x10ffff && set.count > 1) {
        put_complement(printer, set);
    } else {
        put(printer, "[");
        put_ranges(printer, set);
        put(printer, "]");
    }
}

// Whether all that is behind a node matches whatever comes: what the node takes then is the match's.
enum ending { MAY_FAIL, MATCHES };

static void put_node(struct printer *printer, const struct btk_regex_node *node,
                     enum ending ending);

// Does it match at any place of any text?
static bool always_matches(const struct btk_regex_node *node)
{
    bool all = true, any = false;
    if (node->kind == BTK_REGEX_EMPTY || node->kind == BTK_REGEX_KEEP) return true;
    if (node->kind == BTK_REGEX_REPEAT && node->repeat.min == 0) return true;
    if (node->kind == BTK_REGEX_LOOK) return false;
    for (const struct btk_regex_node *child = node->child; child; child = child->next) {
        const bool matches = always_matches(child);
        all &= matches;
        any |= matches;
    }
    return node->kind == BTK_REGEX_SEQUENCE ? all : any;
}

static void put_sequence(struct printer *printer, const struct btk_regex_node *node,
                         enum ending ending)
{
    // The last child that may fail, and all before it, are followed by what may fail.
    const struct btk_regex_node *last = NULL;
    for (const struct btk_regex_node *child = node->child; child; child = child->next)
        if (!always_matches(child)) last = child;
    bool is_behind = last == NULL;
    for (const struct btk_regex_node *child = node->child; child; child = child->next) {
        is_behind |= child == last;
        put_node(printer, child, is_behind ? ending : MAY_FAIL);
    }
}

static void put_choice(struct printer *printer, const struct btk_regex_node *node,
                       enum ending ending)
{
    put(printer, "(?:");
    for (const struct btk_regex_node *child = node->child; child; child = child->next) {
        put_node(printer, child, ending);
        if (child->next) put(printer, "|");
    }
    put(printer, ")");
}

static void put_group(struct printer *printer, const char *open, const struct btk_regex_node *node,
                      enum ending ending)
{
    put(printer, open);
    put_node(printer, node->child, ending);
    put(printer, ")");
}

static void put_bounds(struct printer *printer, const struct btk_regex_node *node)
{
    const uint32_t min = node->repeat.min, max = node->repeat.max;
    if (max == BTK_REGEX_FOREVER && min <= 1) {
        put(printer, min ? "+" : "*");
    } else if (min == 0 && max == 1) {
        put(printer, "?");
    } else {
        put(printer, "{");
        put_number(printer, min, 10);
        put(printer, ",");
        if (max != BTK_REGEX_FOREVER) put_number(printer, max, 10);
        put(printer, "}");
    }
    if (node->repeat.mode == BTK_REGEX_LAZY) put(printer, "?");
}

// The library refuses to repeat what is a place, or may be one; in a group with flags it does not
// look.
static bool is_place(const struct btk_regex_node *node)
{
    switch (node->kind) {
    case BTK_REGEX_LOOK:
    case BTK_REGEX_ASSERTION:
    case BTK_REGEX_KEEP: return true;
    case BTK_REGEX_SEQUENCE: return node->child && !node->child->next && is_place(node->child);
    case BTK_REGEX_CHOICE:
        for (const struct btk_regex_node *child = node->child; child; child = child->next)
            if (is_place(child)) return true;
        return false;
    default: return false;
    }
}

// A loop in a loop counts by itself, and the library makes one of both if nothing is in between.
static bool is_loop(const struct btk_regex_node *node)
{
    if (node->kind == BTK_REGEX_SEQUENCE && node->child && !node->child->next)
        return is_loop(node->child);
    return node->kind == BTK_REGEX_REPEAT;
}

// A loop may take much and be in vain, and take it again from the next place. Its steps must count;
// the library counts those back alone, and those not where it cuts them off. So each round of such
// a loop calls tokenizer/regex.c. What a loop took at the end of the match was not in vain.
static bool must_count(const struct btk_regex_node *node, enum ending ending)
{
    enum { FEW = 16 };
    if (is_loop(node->child)) return false;
    return node->repeat.min > FEW || (ending == MAY_FAIL && node->repeat.max > FEW);
}

static void put_repeat(struct printer *printer, const struct btk_regex_node *node,
                       enum ending ending)
{
    const bool is_set = node->child->kind == BTK_REGEX_SET;
    const bool counts = must_count(node, ending);
    // Nothing is given back where nothing behind can fail: so it need not be remembered.
    const bool is_cut = node->repeat.mode == BTK_REGEX_POSSESSIVE
                        || (node->repeat.mode == BTK_REGEX_GREEDY && ending == MATCHES && is_set);
    if (is_cut) put(printer, "(?>");
    put(printer, is_place(node->child) ? "(?-i:" : "(?:");
    put_node(printer, node->child, node->repeat.max == 1 ? ending : MAY_FAIL);
    if (counts) put(printer, "(?{.})");
    put(printer, ")");
    put_bounds(printer, node);
    if (is_cut) put(printer, ")");
}

static void put_look(struct printer *printer, const struct btk_regex_node *node)
{
    const char *const open = node->look.is_behind    ? node->look.is_negated ? "(?<!" : "(?<="
                             : node->look.is_negated ? "(?!"
                                                     : "(?=";
    put_group(printer, open, node, MAY_FAIL);
}

static void put_assertion(struct printer *printer, enum btk_regex_assertion assertion)
{
    const char text[] = {'\\', (char)assertion};
    const bool is_bare = assertion == BTK_REGEX_LINE_BEGIN || assertion == BTK_REGEX_LINE_END;
    put_bytes(printer, text + is_bare, sizeof text - is_bare);
}

static void put_backref(struct printer *printer, uint32_t group)
{
    put(printer, "\\k<");
    put_number(printer, group, 10);
    put(printer, ">");
}

static void put_node(struct printer *printer, const struct btk_regex_node *node, enum ending ending)
{
    if (printer->status) return;
    switch (node->kind) {
    case BTK_REGEX_EMPTY: put(printer, "(?:)"); break;
    case BTK_REGEX_SET: put_set(printer, node->set); break;
    case BTK_REGEX_SEQUENCE: put_sequence(printer, node, ending); break;
    case BTK_REGEX_CHOICE: put_choice(printer, node, ending); break;
    case BTK_REGEX_REPEAT: put_repeat(printer, node, ending); break;
    case BTK_REGEX_GROUP: put_group(printer, "(", node, ending); break;
    case BTK_REGEX_ATOMIC: put_group(printer, "(?>", node, ending); break;
    case BTK_REGEX_LOOK: put_look(printer, node); break;
    case BTK_REGEX_ASSERTION: put_assertion(printer, node->assertion); break;
    case BTK_REGEX_BACKREF: put_backref(printer, node->group); break;
    case BTK_REGEX_KEEP: put(printer, "\\K"); break;
    case BTK_REGEX_CHAR:
    case BTK_REGEX_SCOPE: printer->status = -EINVAL; break; // folded away
    }
}

int btk_regex_print(const struct btk_regex_node *tree, struct btk_buffer *out)
{
    struct printer printer = {.out = out, .begin = out->length};
    put_node(&printer, tree, MATCHES);
    return printer.status;
}
