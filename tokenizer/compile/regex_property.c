// SPDX-License-Identifier: Apache-2.0
// \p{...} and \P{...}.
#include <errno.h>
#include <string.h>

#include "tokenizer/compile/regex_parser.h"

enum { NAME_BYTES_MAX = 64 };

struct name {
    uint8_t bytes[NAME_BYTES_MAX];
    size_t length;
};

// Names are compared without case, spaces, '-' and '_'.
static bool read_name(struct btk_regex_parser *parser, struct name *name)
{
    name->length = 0;
    for (; parser->at < parser->end && *parser->at != '}'; parser->at++) {
        const uint8_t byte = *parser->at;
        if (byte == ' ' || byte == '-' || byte == '_') continue;
        if (name->length == NAME_BYTES_MAX || byte >= 0x80)
            return btk_regex_fail(parser, EINVAL, "a class that nobody knows");
        name->bytes[name->length++] =
            byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte - 'A' + 'a') : byte;
    }
    return btk_regex_take(parser, '}') || btk_regex_fail(parser, EINVAL, "'}' is missing");
}

static void replace_prefix(struct name *name, const char *prefix, const char *with)
{
    const size_t length = strlen(prefix), new_length = strlen(with);
    if (name->length < length || memcmp(name->bytes, prefix, length) != 0) return;
    memmove(name->bytes + new_length, name->bytes + length, name->length - length);
    memcpy(name->bytes, with, new_length);
    name->length += new_length - length;
}

// Rust's "key=value" and "key:value"; with "!=" the other code points are meant.
static bool take_operator(struct name *name)
{
    uint8_t *sign = memchr(name->bytes, ':', name->length);
    if (!sign) sign = memchr(name->bytes, '=', name->length);
    if (!sign) return false;
    *sign = '=';
    const bool is_negated = sign > name->bytes && sign[-1] == '!';
    if (is_negated) {
        memmove(sign - 1, sign, (size_t)(name->bytes + name->length - sign));
        name->length--;
    }
    // The values of these two are names by themselves.
    replace_prefix(name, "scriptextensions=", "scx=");
    replace_prefix(name, "generalcategory=", "");
    replace_prefix(name, "gc=", "");
    replace_prefix(name, "script=", "");
    replace_prefix(name, "sc=", "");
    return is_negated;
}

bool btk_regex_parse_property(struct btk_regex_parser *parser, bool is_negated, bool in_class,
                              struct btk_code_set *out)
{
    struct name name;
    const bool is_tiktoken = btk_regex_is_tiktoken(parser);
    if (is_tiktoken && parser->at < parser->end && *parser->at != '{') {
        name = (struct name){{(uint8_t)(*parser->at | 0x20)}, 1};
        parser->at++;
    } else {
        if (!btk_regex_take(parser, '{'))
            return btk_regex_fail(parser, EINVAL, "a class that nobody knows");
        if (btk_regex_take(parser, '^')) is_negated = !is_negated;
        if (!read_name(parser, &name)) return false;
        if (is_tiktoken && take_operator(&name)) is_negated = !is_negated;
    }
    const int property =
        btk_unicode_property_find(parser->engine, (struct btk_bytes){name.bytes, name.length});
    if (property < 0 || name.bytes[0] == ':')
        return btk_regex_fail(parser, EINVAL, "a class that nobody knows");
    if (!btk_code_set_property(parser->arena, property, out)) return btk_regex_no_memory(parser);
    // Alone it is the \w that is no class of brackets.
    if (!in_class && name.length == 4 && memcmp(name.bytes, "word", 4) == 0
        && !btk_regex_named_set(parser, ":word-alone", out))
        return false;
    const bool is_folded = is_tiktoken && (parser->flags & BTK_REGEX_IGNORE_CASE);
    if ((is_folded && !btk_code_set_fold(parser->arena, parser->engine, *out, out))
        || (is_negated && !btk_code_set_complement(parser->arena, *out, out)))
        return btk_regex_no_memory(parser);
    return true;
}
