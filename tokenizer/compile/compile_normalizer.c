// SPDX-License-Identifier: Apache-2.0
// normalizer: the one kind that has code of its own, or a list of steps (tokenizer/normalizer/steps.h).
//
// What a component is says its "type"; files from before there was one are told by their members, as
// the reference does (normalizers/mod.rs).
#include <stdio.h>
#include <string.h>

#include "common/base64.h"

#include "tokenizer/compile/compile_code_map.h"
#include "tokenizer/compile/compiler.h"
#include "tokenizer/compile/regex_compile.h"
#include "tokenizer/normalizer/steps.h"
#include "tokenizer/regex.h"

enum { DEPTH_MAX = 32, PLACE_BYTES = 256 };

#define SUPPORTED                                                                                  \
    "BertNormalizer, ByteLevel, Lowercase, NFC, NFD, NFKC, NFKD, Nmt, Precompiled, Prepend, "      \
    "Replace, Sequence, Strip, StripAccents, null"

struct component {
    struct btk_compiler *compiler;
    const struct btk_json *object;
    const char *place;
    unsigned depth;
};

typedef int compile_fn(const struct component *component);

static int add_step(const struct component *component, struct btk_step step, struct btk_bytes data)
{
    return btk_compiler_add_step(component->compiler, BTK_SECTION_NORMALIZER_STEPS, step, data);
}

static int add_plain(const struct component *component, enum btk_normalizer_step kind,
                     uint32_t number, uint32_t flags)
{
    return add_step(component, (struct btk_step){.kind = kind, .flags = flags, .numbers = {number}},
                    (struct btk_bytes){0});
}

// A member that the reference cannot do without.
static int require_text(const struct component *component, const char *name,
                        struct btk_bytes *out_text)
{
    if (btk_json_try_string(btk_json_get(component->object, name), out_text)) return 0;
    return btk_compiler_refuse(component->compiler, component->place,
                               "\"%s\" is to be a string, but is %s", name,
                               btk_json_type_name(btk_json_get(component->object, name)));
}

static int read_bert(const struct component *component, uint32_t *out_flags)
{
    static const char *const names[] = {"clean_text", "handle_chinese_chars", "lowercase",
                                        "strip_accents"};
    static const uint32_t flags[] = {BTK_BERT_CLEAN_TEXT, BTK_BERT_CHINESE, BTK_BERT_LOWERCASE,
                                     BTK_BERT_STRIP_ACCENTS};
    *out_flags = 0;
    bool value = true;
    for (unsigned i = 0; i < BTK_ARRAY_COUNT(names); i++) {
        // What null means there: as lowercase, which was read last.
        if (flags[i] != BTK_BERT_STRIP_ACCENTS) value = true;
        const int status = btk_compiler_bool(component->compiler, component->object,
                                             component->place, names[i], &value);
        if (status < 0) return status;
        if (value) *out_flags |= flags[i];
    }
    return 0;
}

static int compile_bert(const struct component *component)
{
    uint32_t flags;
    int status = read_bert(component, &flags);
    if (!status && (flags & BTK_BERT_CLEAN_TEXT))
        status = add_plain(component, BTK_NORMALIZER_STEP_FILTER, BTK_NORMALIZER_BERT_CONTROL, 0);
    if (!status && (flags & BTK_BERT_CLEAN_TEXT))
        status = add_plain(component, BTK_NORMALIZER_STEP_MAP, BTK_NORMALIZER_WHITESPACE, 0);
    if (!status && (flags & BTK_BERT_CHINESE))
        status = add_plain(component, BTK_NORMALIZER_STEP_CHINESE, 0, 0);
    if (!status && (flags & BTK_BERT_STRIP_ACCENTS))
        status = add_plain(component, BTK_NORMALIZER_STEP_FORM, 0, 0);
    if (!status && (flags & BTK_BERT_STRIP_ACCENTS))
        status = add_plain(component, BTK_NORMALIZER_STEP_FILTER, BTK_NORMALIZER_BERT_MN, 0);
    if (!status && (flags & BTK_BERT_LOWERCASE))
        status = add_plain(component, BTK_NORMALIZER_STEP_LOWERCASE, 0, 0);
    return status;
}

static int compile_byte_level(const struct component *component)
{
    return add_plain(component, BTK_NORMALIZER_STEP_BYTE_LEVEL, 0, 0);
}

static int compile_lowercase(const struct component *component)
{
    return add_plain(component, BTK_NORMALIZER_STEP_LOWERCASE, 0, 0);
}

static int compile_nfd(const struct component *component)
{
    return add_plain(component, BTK_NORMALIZER_STEP_FORM, 0, 0);
}

static int compile_nfkd(const struct component *component)
{
    return add_plain(component, BTK_NORMALIZER_STEP_FORM, 0, BTK_NORMALIZER_COMPATIBLE);
}

static int compile_nfc(const struct component *component)
{
    return add_plain(component, BTK_NORMALIZER_STEP_FORM, 0, BTK_NORMALIZER_COMPOSES);
}

static int compile_nfkc(const struct component *component)
{
    return add_plain(component, BTK_NORMALIZER_STEP_FORM, 0,
                     BTK_NORMALIZER_COMPOSES | BTK_NORMALIZER_COMPATIBLE);
}

static int compile_nmt(const struct component *component)
{
    const int status =
        add_plain(component, BTK_NORMALIZER_STEP_FILTER, BTK_NORMALIZER_NMT_CONTROL, 0);
    return status < 0 ? status
                      : add_plain(component, BTK_NORMALIZER_STEP_MAP, BTK_NORMALIZER_NMT_SPACE, 0);
}

static int compile_strip_accents(const struct component *component)
{
    return add_plain(component, BTK_NORMALIZER_STEP_FILTER, BTK_NORMALIZER_MARK, 0);
}

static int compile_strip(const struct component *component)
{
    static const char *const names[] = {"strip_left", "strip_right"};
    static const uint32_t flags[] = {BTK_NORMALIZER_LEFT, BTK_NORMALIZER_RIGHT};
    uint32_t sides = 0;
    for (unsigned i = 0; i < BTK_ARRAY_COUNT(names); i++) {
        bool value;
        const struct btk_json *const member = btk_json_get(component->object, names[i]);
        if (!btk_json_try_bool(member, &value))
            return btk_compiler_refuse(component->compiler, component->place,
                                       "\"%s\" is to be true or false, but is %s", names[i],
                                       btk_json_type_name(member));
        if (value) sides |= flags[i];
    }
    // The reference does one side after the other, or both at once; the result is the same.
    return sides ? add_plain(component, BTK_NORMALIZER_STEP_STRIP, 0, sides) : 0;
}

static int compile_prepend(const struct component *component)
{
    struct btk_bytes text;
    const int status = require_text(component, "prepend", &text);
    if (status < 0) return status;
    return add_step(component, (struct btk_step){.kind = BTK_NORMALIZER_STEP_PREPEND}, text);
}

// What its numbers say beside the length of the pattern, the caller has set.
static int add_replace(const struct component *component, struct btk_step step,
                       struct btk_bytes pattern, struct btk_bytes content)
{
    uint8_t *const data =
        btk_arena_allocate(&component->compiler->arena, pattern.length + content.length + 1);
    if (!data) return btk_compiler_no_memory(component->compiler);
    if (pattern.length) memcpy(data, pattern.data, pattern.length);
    if (content.length) memcpy(data + pattern.length, content.data, content.length);
    if (pattern.length > UINT32_MAX)
        return btk_compiler_refuse(component->compiler, component->place, "has too long a pattern");
    step.numbers[0] = (uint32_t)pattern.length;
    return add_step(component, step, (struct btk_bytes){data, pattern.length + content.length});
}

static const struct btk_step text_step = {.kind = BTK_NORMALIZER_STEP_REPLACE};

// Regular expressions that real files have and that need none: a text, or a run of spaces.
static bool is_plain_text(struct btk_bytes pattern)
{
    for (size_t i = 0; i < pattern.length; i++)
        if (memchr("\\.*?+^$|()[]{}", pattern.data[i], 15)) return false;
    return pattern.length > 0;
}

static bool try_run(struct btk_bytes pattern, struct btk_step *out_step)
{
    static const struct {
        const char *pattern;
        enum btk_normalizer_set set;
        uint32_t count_min;
    } runs[] = {
        {" +", BTK_NORMALIZER_BLANK, 1},
        {" {2,}", BTK_NORMALIZER_BLANK, 2},
        {"\\s+", BTK_NORMALIZER_REGEX_SPACE, 1},
        {"\\s{2,}", BTK_NORMALIZER_REGEX_SPACE, 2},
    };
    for (unsigned i = 0; i < BTK_ARRAY_COUNT(runs); i++) {
        if (!btk_bytes_are(pattern, runs[i].pattern)) continue;
        *out_step = (struct btk_step){.kind = BTK_NORMALIZER_STEP_REPLACE_RUN,
                                      .numbers = {0, runs[i].set, runs[i].count_min}};
        return true;
    }
    return false;
}

// The place before the text: Ruby's ^ stands behind each newline as well, which these exclude.
static bool is_begin(struct btk_bytes pattern)
{
    return btk_bytes_are(pattern, "(?<!\\n)^") || btk_bytes_are(pattern, "\\A");
}

static int add_general_replace(const struct component *component, struct btk_bytes pattern,
                               struct btk_bytes content)
{
    struct btk_regex *regex = NULL;
    size_t bytes_min = 0;
    struct btk_buffer rewritten;
    btk_buffer_init(&rewritten);
    int status = btk_regex_compile(pattern, BTK_REGEX_ONIGURUMA, &rewritten, &bytes_min,
                                   component->compiler->error);
    const struct btk_bytes bytes = {rewritten.data, rewritten.length};
    if (!status) status = btk_regex_new(bytes, &regex, component->compiler->error);
    btk_regex_free(&regex);
    if (status < 0)
        btk_error_prefix(component->compiler->error, "%s.pattern.Regex", component->place);
    else
        status = add_replace(component,
                             (struct btk_step){.kind = BTK_NORMALIZER_STEP_REPLACE_ALL,
                                               .numbers = {0, (uint32_t)bytes_min}},
                             bytes, content);
    btk_buffer_clear(&rewritten);
    return status;
}

// A character of a set, or any other pattern.
static int add_pattern_replace(const struct component *component, struct btk_bytes pattern,
                               struct btk_bytes content)
{
    struct btk_step step = {.kind = BTK_NORMALIZER_STEP_REPLACE_SET};
    size_t bytes_min = 0;
    struct btk_buffer set;
    btk_buffer_init(&set);
    int status;
    if (btk_compile_code_map(pattern, BTK_REGEX_ONIGURUMA, &set, &step.numbers[2], &bytes_min)) {
        step.numbers[1] = (uint32_t)bytes_min;
        status = add_replace(component, step, (struct btk_bytes){set.data, set.length}, content);
    } else {
        status = add_general_replace(component, pattern, content);
    }
    btk_buffer_clear(&set);
    return status;
}

static int add_regex_replace(const struct component *component, struct btk_bytes pattern,
                             struct btk_bytes content)
{
    struct btk_step step;
    if (is_plain_text(pattern)) return add_replace(component, text_step, pattern, content);
    if (is_begin(pattern))
        return add_step(component, (struct btk_step){.kind = BTK_NORMALIZER_STEP_REPLACE_BEGIN},
                        content);
    return try_run(pattern, &step) ? add_step(component, step, content)
                                   : add_pattern_replace(component, pattern, content);
}

static int compile_replace(const struct component *component)
{
    const struct btk_json *const pattern = btk_json_get(component->object, "pattern");
    struct btk_bytes text, content;
    const int status = require_text(component, "content", &content);
    if (status < 0) return status;
    if (btk_json_try_string(btk_json_get(pattern, "String"), &text))
        return add_replace(component, text_step, text, content);
    if (btk_json_try_string(btk_json_get(pattern, "Regex"), &text))
        return add_regex_replace(component, text, content);
    return btk_compiler_refuse(component->compiler, component->place,
                               "\"pattern\" is to be {\"String\": ...} or {\"Regex\": ...}");
}

static int compile_precompiled(const struct component *component)
{
    struct btk_compiler *const compiler = component->compiler;
    struct btk_bytes encoded;
    const int status = require_text(component, "precompiled_charsmap", &encoded);
    if (status < 0) return status;
    uint8_t *const bytes =
        btk_arena_allocate(&compiler->arena, btk_base64_bound(encoded.length) + 1);
    if (!bytes) return btk_compiler_no_memory(compiler);
    size_t length;
    if (!btk_base64_try_decode(encoded, bytes, &length))
        return btk_compiler_refuse(compiler, component->place,
                                   "\"precompiled_charsmap\" is not base64");
    return btk_compile_charsmap(compiler, (struct btk_bytes){bytes, length}, component->place);
}

static int compile_component(const struct component *component);

static int compile_member(const struct component *sequence, size_t index)
{
    char place[PLACE_BYTES];
    snprintf(place, sizeof place, "%s.normalizers[%zu]", sequence->place, index);
    const struct component member = {
        .compiler = sequence->compiler,
        .object = btk_json_at(btk_json_get(sequence->object, "normalizers"), index),
        .place = place,
        .depth = sequence->depth + 1,
    };
    if (member.depth > DEPTH_MAX)
        return btk_compiler_refuse(member.compiler, place, "stands in more than %d sequences",
                                   DEPTH_MAX);
    return compile_component(&member);
}

static int compile_sequence(const struct component *component)
{
    const struct btk_json *const list = btk_json_get(component->object, "normalizers");
    if (btk_json_type(list) != BTK_JSON_ARRAY)
        return btk_compiler_refuse(component->compiler, component->place,
                                   "\"normalizers\" is to be an array, but is %s",
                                   btk_json_type_name(list));
    int status = 0;
    for (size_t i = 0; i < btk_json_count(list) && !status; i++)
        status = compile_member(component, i);
    return status;
}

// `member` tells a component without a "type", in the order in which the reference tries them.
static const struct {
    const char *type;
    compile_fn *compile;
    const char *member;
} kinds[] = {
    {"BertNormalizer", compile_bert, "clean_text"},
    {"Bert", compile_bert, "clean_text"},
    {"Strip", compile_strip, "strip_left"},
    {"StripAccents", compile_strip_accents, NULL},
    {"NFC", compile_nfc, NULL},
    {"NFD", compile_nfd, NULL},
    {"NFKC", compile_nfkc, NULL},
    {"NFKD", compile_nfkd, NULL},
    {"Sequence", compile_sequence, "normalizers"},
    {"Lowercase", compile_lowercase, NULL},
    {"Nmt", compile_nmt, NULL},
    {"Precompiled", compile_precompiled, "precompiled_charsmap"},
    {"Replace", compile_replace, "pattern"},
    {"Prepend", compile_prepend, "prepend"},
    {"ByteLevel", compile_byte_level, NULL},
};

static compile_fn *find_kind(const struct btk_json *object)
{
    struct btk_bytes type;
    const bool has_type = btk_json_try_string(btk_json_get(object, "type"), &type);
    for (unsigned i = 0; has_type && i < BTK_ARRAY_COUNT(kinds); i++)
        if (btk_bytes_are(type, kinds[i].type)) return kinds[i].compile;
    for (unsigned i = 0; i < BTK_ARRAY_COUNT(kinds); i++)
        if (kinds[i].member && btk_json_get(object, kinds[i].member)) return kinds[i].compile;
    return NULL;
}

static int compile_component(const struct component *component)
{
    compile_fn *const compile = find_kind(component->object);
    if (compile) return compile(component);
    struct btk_bytes type;
    const int status =
        btk_compiler_type(component->compiler, component->object, component->place, &type);
    return status < 0
               ? status
               : btk_compiler_unsupported(component->compiler, component->place, type, SUPPORTED);
}

// BertNormalizer, or a Sequence of nothing else.
static const struct btk_json *find_only_bert(const struct btk_json *object)
{
    for (unsigned depth = 0; depth < DEPTH_MAX; depth++) {
        compile_fn *const compile = find_kind(object);
        if (compile == compile_bert) return object;
        const struct btk_json *const list = btk_json_get(object, "normalizers");
        if (compile != compile_sequence || btk_json_count(list) != 1) return NULL;
        object = btk_json_at(list, 0);
    }
    return NULL;
}

int btk_compile_normalizer(struct btk_compiler *compiler)
{
    struct component component = {.compiler = compiler,
                                  .object = btk_json_get(compiler->root, "normalizer"),
                                  .place = "normalizer"};
    if (btk_compiler_is_sentencepiece(compiler)) {
        const struct btk_format_sentencepiece *const settings = &compiler->format->sentencepiece;
        compiler->config.normalizer = BTK_NORMALIZER_STEPS;
        return btk_compile_spaces(compiler, &settings->normalizer, settings->has_whitespace_suffix);
    }
    if (btk_json_is_null(component.object)) return 0;
    const struct btk_json *const bert = find_only_bert(component.object);
    if (bert) {
        component.object = bert;
        compiler->config.normalizer = BTK_NORMALIZER_BERT;
        return read_bert(&component, &compiler->config.bert_flags);
    }
    const int status = compile_component(&component);
    if (!status && compiler->sections[BTK_SECTION_NORMALIZER_STEPS].length)
        compiler->config.normalizer = BTK_NORMALIZER_STEPS;
    return status;
}
