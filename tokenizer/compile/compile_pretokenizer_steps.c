// SPDX-License-Identifier: Apache-2.0
// The components of pre_tokenizer. What the reference refuses is refused; what it does not know it
// ignores, and so does this.
#include <errno.h>
#include <string.h>

#include "common/utf8.h"
#include "kernels/pretok/pretok.h"
#include "tokenizer/compile/pretokenizer_steps.h"
#include "tokenizer/compile/regex_recognize.h"

#define PLACE "pre_tokenizer"

enum { DEPTH_MAX = 100, FIXED_LENGTH_DEFAULT = 5 };

static const struct btk_bytes nothing = {NULL, 0};

int btk_pretokenizer_steps_add(struct btk_compiler *compiler, struct btk_pretokenizer_steps *list,
                               struct btk_step step, struct btk_bytes data)
{
    if (list->count == BTK_STEP_LIMIT)
        return btk_compiler_refuse(compiler, PLACE, "has more than %u steps", BTK_STEP_LIMIT);
    list->steps[list->count] = step;
    list->data[list->count] = data;
    list->count++;
    return 0;
}

// --- Members that have to be there

static int read_bool(struct btk_compiler *compiler, const struct btk_json *object, const char *name,
                     bool *out_value)
{
    const struct btk_json *const value = btk_json_get(object, name);
    if (btk_json_try_bool(value, out_value)) return 0;
    return btk_compiler_refuse(compiler, PLACE, "\"%s\" is to be true or false, but is %s", name,
                               btk_json_type_name(value));
}

static int read_char(struct btk_compiler *compiler, const struct btk_json *object, const char *name,
                     struct btk_bytes *out_text)
{
    const struct btk_json *const value = btk_json_get(object, name);
    if (!btk_json_try_string(value, out_text))
        return btk_compiler_refuse(compiler, PLACE, "\"%s\" is to be a character, but is %s", name,
                                   btk_json_type_name(value));
    if (!out_text->length || btk_utf8_length(out_text->data[0]) != out_text->length)
        return btk_compiler_refuse(compiler, PLACE, "\"%s\" is to be one character, not \"%.*s\"",
                                   name, (int)btk_min_size(out_text->length, 100),
                                   (const char *)out_text->data);
    return 0;
}

static const char *const behavior_names[BTK_SPLIT_BEHAVIOR_COUNT] = {
    [BTK_SPLIT_REMOVED] = "Removed",
    [BTK_SPLIT_ISOLATED] = "Isolated",
    [BTK_SPLIT_MERGED_WITH_PREVIOUS] = "MergedWithPrevious",
    [BTK_SPLIT_MERGED_WITH_NEXT] = "MergedWithNext",
    [BTK_SPLIT_CONTIGUOUS] = "Contiguous",
};

static int read_behavior(struct btk_compiler *compiler, const struct btk_json *object,
                         uint32_t *out_behavior)
{
    const struct btk_json *const value = btk_json_get(object, "behavior");
    struct btk_bytes name = nothing;
    if (btk_json_try_string(value, &name))
        for (uint32_t i = 0; i < BTK_SPLIT_BEHAVIOR_COUNT; i++)
            if (btk_bytes_are(name, behavior_names[i])) {
                *out_behavior = i;
                return 0;
            }
    return btk_compiler_refuse(compiler, PLACE,
                               "\"behavior\" is to be Removed, Isolated, MergedWithPrevious, "
                               "MergedWithNext or Contiguous, but is %s \"%.*s\"",
                               btk_json_type_name(value), (int)btk_min_size(name.length, 100),
                               name.data ? (const char *)name.data : "");
}

// --- The components

typedef int read_fn(struct btk_compiler *compiler, const struct btk_json *object,
                    struct btk_pretokenizer_steps *list);

static int add_split(struct btk_compiler *compiler, struct btk_pretokenizer_steps *list,
                     uint32_t kind, uint32_t behavior)
{
    const struct btk_step step = {.kind = kind, .numbers = {behavior}};
    return btk_pretokenizer_steps_add(compiler, list, step, nothing);
}

static int read_bert(struct btk_compiler *compiler, const struct btk_json *object,
                     struct btk_pretokenizer_steps *list)
{
    (void)object;
    const int status = add_split(compiler, list, BTK_STEP_SPLIT_WHITESPACE, BTK_SPLIT_REMOVED);
    return status < 0 ? status
                      : add_split(compiler, list, BTK_STEP_SPLIT_PUNCTUATION, BTK_SPLIT_ISOLATED);
}

// "prepend" takes a ' ' for the character that becomes visible: so spaces stay what they are.
static int read_byte_level(struct btk_compiler *compiler, const struct btk_json *object,
                           struct btk_pretokenizer_steps *list)
{
    bool adds_space = true, uses_pattern = true;
    int status = btk_compiler_bool(compiler, object, PLACE, "add_prefix_space", &adds_space);
    if (!status) status = btk_compiler_bool(compiler, object, PLACE, "use_regex", &uses_pattern);
    const struct btk_step space = {.kind = BTK_STEP_SPACES, .numbers = {' ', BTK_PREPEND_ALWAYS}};
    const struct btk_step pattern = {.kind = BTK_STEP_SPLIT_PATTERN,
                                     .numbers = {BTK_SPLIT_ISOLATED, BTK_PATTERN_GPT2}};
    const struct btk_step alphabet = {.kind = BTK_STEP_ALPHABET};
    if (!status && adds_space) status = btk_pretokenizer_steps_add(compiler, list, space, nothing);
    if (!status && uses_pattern)
        status = btk_pretokenizer_steps_add(compiler, list, pattern, nothing);
    return status ? status : btk_pretokenizer_steps_add(compiler, list, alphabet, nothing);
}

static int read_delimiter(struct btk_compiler *compiler, const struct btk_json *object,
                          struct btk_pretokenizer_steps *list)
{
    struct btk_bytes delimiter;
    const struct btk_step step = {.kind = BTK_STEP_SPLIT_LITERAL, .numbers = {BTK_SPLIT_REMOVED}};
    const int status = read_char(compiler, object, "delimiter", &delimiter);
    return status < 0 ? status : btk_pretokenizer_steps_add(compiler, list, step, delimiter);
}

// Old files have add_prefix_space alone; where both stand they must not contradict each other.
static int read_scheme(struct btk_compiler *compiler, const struct btk_json *object,
                       uint32_t *out_scheme)
{
    static const char *const names[BTK_PREPEND_SCHEME_COUNT] = {[BTK_PREPEND_NEVER] = "never",
                                                                [BTK_PREPEND_ALWAYS] = "always",
                                                                [BTK_PREPEND_FIRST] = "first"};
    const struct btk_json *const value = btk_json_get(object, "prepend_scheme");
    struct btk_bytes name = {(const uint8_t *)"always", 6};
    uint32_t scheme = 0;
    if (value && !btk_json_try_string(value, &name))
        return btk_compiler_refuse(compiler, PLACE,
                                   "\"prepend_scheme\" is to be a string, but is %s",
                                   btk_json_type_name(value));
    while (scheme < BTK_PREPEND_SCHEME_COUNT && !btk_bytes_are(name, names[scheme])) scheme++;
    if (scheme == BTK_PREPEND_SCHEME_COUNT)
        return btk_compiler_refuse(
            compiler, PLACE, "\"prepend_scheme\" is to be first, never or always, not \"%.*s\"",
            (int)btk_min_size(name.length, 100), (const char *)name.data);
    bool adds_space = true;
    const int status = btk_compiler_bool(compiler, object, PLACE, "add_prefix_space", &adds_space);
    if (status < 0) return status;
    if (!adds_space && scheme != BTK_PREPEND_NEVER)
        return btk_compiler_refuse(compiler, PLACE,
                                   "\"add_prefix_space\" does not match \"prepend_scheme\"");
    *out_scheme = scheme;
    return 0;
}

static int read_metaspace(struct btk_compiler *compiler, const struct btk_json *object,
                          struct btk_pretokenizer_steps *list)
{
    struct btk_bytes mark, old_mark = nothing;
    uint32_t scheme = 0;
    bool splits = true;
    int status = read_char(compiler, object, "replacement", &mark);
    if (!status) status = read_scheme(compiler, object, &scheme);
    if (!status) status = btk_compiler_bool(compiler, object, PLACE, "split", &splits);
    if (!status) status = btk_compiler_text(compiler, object, PLACE, "str_rep", &old_mark);
    if (status < 0) return status;
    size_t length;
    const struct btk_step spaces = {.kind = BTK_STEP_SPACES,
                                    .flags = splits ? BTK_SPACES_SPLIT : 0,
                                    .numbers = {btk_utf8_decode(mark.data, &length), scheme}};
    return btk_pretokenizer_steps_add(compiler, list, spaces, nothing);
}

static int read_whitespace(struct btk_compiler *compiler, const struct btk_json *object,
                           struct btk_pretokenizer_steps *list)
{
    (void)object;
    const struct btk_step step = {
        .kind = BTK_STEP_SPLIT_WORDS, .flags = BTK_SPLIT_INVERT, .numbers = {BTK_SPLIT_REMOVED}};
    return btk_pretokenizer_steps_add(compiler, list, step, nothing);
}

static int read_whitespace_split(struct btk_compiler *compiler, const struct btk_json *object,
                                 struct btk_pretokenizer_steps *list)
{
    (void)object;
    return add_split(compiler, list, BTK_STEP_SPLIT_WHITESPACE, BTK_SPLIT_REMOVED);
}

static int read_digits(struct btk_compiler *compiler, const struct btk_json *object,
                       struct btk_pretokenizer_steps *list)
{
    bool is_individual = false;
    const int status = read_bool(compiler, object, "individual_digits", &is_individual);
    return status < 0 ? status
                      : add_split(compiler, list, BTK_STEP_SPLIT_NUMERIC,
                                  is_individual ? BTK_SPLIT_ISOLATED : BTK_SPLIT_CONTIGUOUS);
}

static int read_punctuation(struct btk_compiler *compiler, const struct btk_json *object,
                            struct btk_pretokenizer_steps *list)
{
    uint32_t behavior = BTK_SPLIT_ISOLATED;
    const int status =
        btk_json_get(object, "behavior") ? read_behavior(compiler, object, &behavior) : 0;
    return status < 0 ? status : add_split(compiler, list, BTK_STEP_SPLIT_PUNCTUATION, behavior);
}

static int read_scripts(struct btk_compiler *compiler, const struct btk_json *object,
                        struct btk_pretokenizer_steps *list)
{
    (void)object;
    const struct btk_step step = {.kind = BTK_STEP_SCRIPTS};
    return btk_pretokenizer_steps_add(compiler, list, step, nothing);
}

// With a length of 0 the reference loads, and dies at the first text.
static int read_fixed_length(struct btk_compiler *compiler, const struct btk_json *object,
                             struct btk_pretokenizer_steps *list)
{
    int64_t chars = FIXED_LENGTH_DEFAULT;
    const struct btk_json *const value = btk_json_get(object, "length");
    if (value && (!btk_json_try_integer(value, &chars) || chars <= 0))
        return btk_compiler_refuse(compiler, PLACE, "\"length\" is to be a number above 0");
    const struct btk_step step = {.kind = BTK_STEP_FIXED_LENGTH,
                                  .numbers = {(uint32_t)btk_min_size((size_t)chars, UINT32_MAX)}};
    return btk_pretokenizer_steps_add(compiler, list, step, nothing);
}

// The matches are all that stays of a text that falls into matches alone: as if each were isolated.
// And what is isolated is so on both sides of the matches.
static void simplify(struct btk_step *step, bool covers_all)
{
    if (covers_all && step->numbers[0] == BTK_SPLIT_REMOVED && step->flags)
        step->numbers[0] = BTK_SPLIT_ISOLATED;
    if (step->numbers[0] == BTK_SPLIT_ISOLATED) step->flags = 0;
}

// One that is written by hand, or else for the library, which gets it rewritten (emit()).
static int add_pattern(struct btk_compiler *compiler, struct btk_pretokenizer_steps *list,
                       struct btk_step step, struct btk_bytes text)
{
    const enum btk_pattern pattern = btk_regex_recognize(text, btk_compiler_dialect(compiler));
    const bool is_known = pattern < BTK_PATTERN_COUNT;
    const bool covers_all = is_known && pattern != BTK_PATTERN_BLOOM;
    simplify(&step, covers_all);
    step.kind = BTK_STEP_SPLIT_REGEX;
    if (!covers_all && !(is_known && step.numbers[0] == BTK_SPLIT_ISOLATED))
        return btk_pretokenizer_steps_add(compiler, list, step, text);
    step.kind = BTK_STEP_SPLIT_PATTERN;
    step.numbers[1] = pattern;
    return btk_pretokenizer_steps_add(compiler, list, step, nothing);
}

static int read_split(struct btk_compiler *compiler, const struct btk_json *object,
                      struct btk_pretokenizer_steps *list)
{
    const struct btk_json *const pattern = btk_json_get(object, "pattern");
    struct btk_step step = {.kind = BTK_STEP_SPLIT_LITERAL};
    struct btk_bytes text;
    bool inverts = false;
    int status = read_behavior(compiler, object, &step.numbers[0]);
    if (!status) status = read_bool(compiler, object, "invert", &inverts);
    if (status < 0) return status;
    if (inverts) step.flags = BTK_SPLIT_INVERT;
    if (btk_json_type(pattern) != BTK_JSON_OBJECT || btk_json_count(pattern) != 1)
        return btk_compiler_refuse(compiler, PLACE,
                                   "\"pattern\" is to be an object with one member, "
                                   "\"String\" or \"Regex\"");
    if (btk_json_try_string(btk_json_get(pattern, "String"), &text))
        return btk_pretokenizer_steps_add(compiler, list, step, text);
    if (btk_json_try_string(btk_json_get(pattern, "Regex"), &text))
        return add_pattern(compiler, list, step, text);
    return btk_compiler_refuse(compiler, PLACE,
                               "\"pattern\" is to hold a string, \"String\" or \"Regex\"");
}

static int read_component(struct btk_compiler *compiler, const struct btk_json *object,
                          struct btk_pretokenizer_steps *list, unsigned depth);

static int read_sequence(struct btk_compiler *compiler, const struct btk_json *object,
                         struct btk_pretokenizer_steps *list, unsigned depth)
{
    const struct btk_json *const members = btk_json_get(object, "pretokenizers");
    if (btk_json_type(members) != BTK_JSON_ARRAY)
        return btk_compiler_refuse(compiler, PLACE, "\"pretokenizers\" is to be a list, but is %s",
                                   btk_json_type_name(members));
    if (depth == DEPTH_MAX)
        return btk_compiler_refuse(compiler, PLACE, "is a Sequence more than %u deep", DEPTH_MAX);
    for (size_t i = 0; i < btk_json_count(members); i++) {
        const int status = read_component(compiler, btk_json_at(members, i), list, depth + 1);
        if (status < 0) return status;
    }
    return 0;
}

static const struct component {
    const char *type;
    read_fn *read;
} components[] = {
    {"BertPreTokenizer", read_bert},
    {"ByteLevel", read_byte_level},
    {"CharDelimiterSplit", read_delimiter},
    {"Digits", read_digits},
    {"FixedLength", read_fixed_length},
    {"Metaspace", read_metaspace},
    {"Punctuation", read_punctuation},
    {"Split", read_split},
    {"UnicodeScripts", read_scripts},
    {"Whitespace", read_whitespace},
    {"WhitespaceSplit", read_whitespace_split},
};

static int read_component(struct btk_compiler *compiler, const struct btk_json *object,
                          struct btk_pretokenizer_steps *list, unsigned depth)
{
    struct btk_bytes type;
    const int status = btk_compiler_type(compiler, object, PLACE, &type);
    if (status < 0) return status;
    if (btk_bytes_are(type, "Sequence")) return read_sequence(compiler, object, list, depth);
    for (size_t i = 0; i < BTK_ARRAY_COUNT(components); i++)
        if (btk_bytes_are(type, components[i].type))
            return components[i].read(compiler, object, list);
    return btk_compiler_unsupported(
        compiler, PLACE ".type", type,
        "BertPreTokenizer, ByteLevel, CharDelimiterSplit, Digits, FixedLength, Metaspace, "
        "Punctuation, Sequence, Split, UnicodeScripts, Whitespace, WhitespaceSplit");
}

int btk_pretokenizer_steps_read(struct btk_compiler *compiler, const struct btk_json *object,
                                struct btk_pretokenizer_steps *list)
{
    return btk_json_is_null(object) ? 0 : read_component(compiler, object, list, 0);
}
