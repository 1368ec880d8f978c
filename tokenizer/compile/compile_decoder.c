// SPDX-License-Identifier: Apache-2.0
// decoder: a list of steps (tokenizer/decoder/step_kind.h).
//
// Sequences pass lists on, so a Sequence within a Sequence is its members. What a component is says its
// "type"; without one that is known it is told by its members, as the reference does (decoders/mod.rs).
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/utf8.h"
#include "tokenizer/compile/compiler.h"
#include "tokenizer/compile/regex_compile.h"
#include "tokenizer/decoder/step_kind.h"
#include "tokenizer/regex.h"

enum { DEPTH_MAX = 32, PLACE_BYTES = 256 };

#define SUPPORTED                                                                                  \
    "BPEDecoder, ByteFallback, ByteLevel, CTC, Fuse, Metaspace, Replace, Sequence, Strip, "        \
    "WordPiece, null"

struct component {
    struct btk_compiler *compiler;
    const struct btk_json *object;
    const char *place;
    unsigned depth;
};

typedef int compile_fn(const struct component *component);

static const struct btk_bytes nothing = {NULL, 0};

// --- Members: the reference can do without none of these

static int refuse_member(const struct component *component, const char *name, const char *wanted)
{
    return btk_compiler_refuse(component->compiler, component->place,
                               "\"%s\" is to be %s, but is %s", name, wanted,
                               btk_json_type_name(btk_json_get(component->object, name)));
}

static int require_text(const struct component *component, const char *name,
                        struct btk_bytes *out_text)
{
    if (btk_json_try_string(btk_json_get(component->object, name), out_text)) return 0;
    return refuse_member(component, name, "a string");
}

static int require_char(const struct component *component, const char *name,
                        struct btk_bytes *out_text)
{
    const int status = require_text(component, name, out_text);
    if (status < 0) return status;
    if (out_text->length && btk_utf8_length(out_text->data[0]) == out_text->length) return 0;
    return btk_compiler_refuse(
        component->compiler, component->place, "\"%s\" is to be one character, not \"%.*s\"", name,
        (int)btk_min_size(out_text->length, 100), (const char *)out_text->data);
}

static int require_flag(const struct component *component, const char *name, uint32_t flag,
                        uint32_t *flags)
{
    bool value;
    if (!btk_json_try_bool(btk_json_get(component->object, name), &value))
        return refuse_member(component, name, "true or false");
    if (value) *flags |= flag;
    return 0;
}

// No text has as many characters as the largest of these.
static int require_count(const struct component *component, const char *name, uint32_t *out_count)
{
    int64_t value;
    if (!btk_json_try_integer(btk_json_get(component->object, name), &value) || value < 0)
        return refuse_member(component, name, "a number from 0 on");
    *out_count = value < UINT32_MAX ? (uint32_t)value : UINT32_MAX;
    return 0;
}

// --- Steps

static int add_step(const struct component *component, struct btk_step step, struct btk_bytes first,
                    struct btk_bytes second)
{
    struct btk_compiler *const compiler = component->compiler;
    if (first.length > INT32_MAX || second.length > INT32_MAX)
        return btk_compiler_refuse(compiler, component->place, "has a string of more than 2 GiB");
    const size_t length = first.length + second.length;
    uint8_t *const data = btk_arena_allocate(&compiler->arena, length + 1);
    if (!data) return btk_compiler_no_memory(compiler);
    if (first.length) memcpy(data, first.data, first.length);
    if (second.length) memcpy(data + first.length, second.data, second.length);
    step.numbers[0] = (uint32_t)first.length;
    return btk_compiler_add_step(compiler, BTK_SECTION_DECODER_STEPS, step,
                                 (struct btk_bytes){data, length});
}

static int add_plain(const struct component *component, enum btk_decoder_step_kind kind)
{
    return add_step(component, (struct btk_step){.kind = kind}, nothing, nothing);
}

static int compile_suffix(const struct component *component)
{
    struct btk_bytes suffix;
    const int status = require_text(component, "suffix", &suffix);
    return status < 0
               ? status
               : add_step(component, (struct btk_step){.kind = BTK_DECODE_SUFFIX}, suffix, nothing);
}

// What its members say concerns the pre-tokenizer of that name.
static int compile_byte_level(const struct component *component)
{
    return add_plain(component, BTK_DECODE_BYTE_LEVEL);
}

static int compile_byte_fallback(const struct component *component)
{
    return add_plain(component, BTK_DECODE_BYTE_FALLBACK);
}

static int compile_fuse(const struct component *component)
{
    return add_plain(component, BTK_DECODE_FUSE);
}

static int compile_wordpiece(const struct component *component)
{
    struct btk_step step = {.kind = BTK_DECODE_WORDPIECE};
    struct btk_bytes prefix;
    int status = require_text(component, "prefix", &prefix);
    if (!status) status = require_flag(component, "cleanup", BTK_CLEANUP, &step.flags);
    return status < 0 ? status : add_step(component, step, prefix, nothing);
}

static int compile_ctc(const struct component *component)
{
    struct btk_step step = {.kind = BTK_DECODE_CTC};
    struct btk_bytes padding, delimiter;
    int status = require_text(component, "pad_token", &padding);
    if (!status) status = require_text(component, "word_delimiter_token", &delimiter);
    if (!status) status = require_flag(component, "cleanup", BTK_CLEANUP, &step.flags);
    return status < 0 ? status : add_step(component, step, padding, delimiter);
}

static int compile_strip(const struct component *component)
{
    struct btk_step step = {.kind = BTK_DECODE_STRIP};
    struct btk_bytes content;
    int status = require_char(component, "content", &content);
    if (!status) status = require_count(component, "start", &step.numbers[1]);
    if (!status) status = require_count(component, "stop", &step.numbers[2]);
    return status < 0 ? status : add_step(component, step, content, nothing);
}

// The newer member names the scheme; the older one only may not contradict it.
static int read_scheme(const struct component *component, bool *out_is_never)
{
    const struct btk_json *const value = btk_json_get(component->object, "prepend_scheme");
    struct btk_bytes scheme = {(const uint8_t *)"always", 6};
    bool adds = true;
    if (value && !btk_json_try_string(value, &scheme))
        return refuse_member(component, "prepend_scheme", "always, first or never");
    *out_is_never = btk_bytes_are(scheme, "never");
    if (!*out_is_never && !btk_bytes_are(scheme, "always") && !btk_bytes_are(scheme, "first"))
        return btk_compiler_refuse(component->compiler, component->place,
                                   "\"prepend_scheme\" is to be always, first or never, not "
                                   "\"%.*s\"",
                                   (int)btk_min_size(scheme.length, 100),
                                   (const char *)scheme.data);
    const int status = btk_compiler_bool(component->compiler, component->object, component->place,
                                         "add_prefix_space", &adds);
    if (status < 0 || adds || *out_is_never) return status;
    return btk_compiler_refuse(
        component->compiler, component->place,
        "\"add_prefix_space\" is false, but \"prepend_scheme\" is not never");
}

static int compile_metaspace(const struct component *component)
{
    struct btk_bytes mark;
    bool is_never = false;
    int status = require_char(component, "replacement", &mark);
    if (!status) status = read_scheme(component, &is_never);
    if (status < 0) return status;
    const struct btk_step step = {.kind = BTK_DECODE_METASPACE,
                                  .flags = is_never ? BTK_METASPACE_KEEPS_FIRST : 0};
    return add_step(component, step, mark, nothing);
}

// --- Replace

static bool has_special_char(struct btk_bytes pattern)
{
    for (size_t i = 0; i < pattern.length; i++)
        if (!pattern.data[i] || strchr("\\^$.|?*+()[]{}", pattern.data[i])) return true;
    return false;
}

// (?<!\n)^X is an X where the text begins: what Strip takes off.
static bool try_text_begin(struct btk_bytes pattern, struct btk_bytes *out_char)
{
    static const char begin[] = "(?<!\\n)^";
    const size_t length = sizeof begin - 1;
    if (pattern.length <= length || memcmp(pattern.data, begin, length) != 0) return false;
    *out_char = (struct btk_bytes){pattern.data + length, pattern.length - length};
    return !has_special_char(*out_char) && btk_utf8_length(out_char->data[0]) == out_char->length;
}

static int compile_regex(const struct component *component, struct btk_bytes pattern,
                         struct btk_bytes content)
{
    struct btk_bytes character;
    if (!has_special_char(pattern))
        return add_step(component, (struct btk_step){.kind = BTK_DECODE_REPLACE}, pattern, content);
    if (!content.length && try_text_begin(pattern, &character))
        return add_step(component,
                        (struct btk_step){.kind = BTK_DECODE_STRIP, .numbers = {0, 1, 0}},
                        character, nothing);
    struct btk_buffer rewritten;
    struct btk_regex *regex = NULL;
    btk_buffer_init(&rewritten);
    int status = btk_regex_compile(pattern, BTK_REGEX_ONIGURUMA, &rewritten, NULL,
                                   component->compiler->error);
    if (!status)
        status = btk_regex_new((struct btk_bytes){rewritten.data, rewritten.length}, &regex,
                               component->compiler->error);
    btk_regex_free(&regex);
    if (status < 0)
        btk_error_prefix(component->compiler->error, "%s.pattern", component->place);
    else
        status = add_step(component, (struct btk_step){.kind = BTK_DECODE_REPLACE_REGEX},
                          (struct btk_bytes){rewritten.data, rewritten.length}, content);
    btk_buffer_clear(&rewritten);
    return status;
}

static int compile_replace(const struct component *component)
{
    const struct btk_json *const pattern = btk_json_get(component->object, "pattern");
    struct btk_bytes text, content;
    const int status = require_text(component, "content", &content);
    if (status < 0) return status;
    if (btk_json_try_string(btk_json_get(pattern, "String"), &text))
        return add_step(component, (struct btk_step){.kind = BTK_DECODE_REPLACE}, text, content);
    if (btk_json_try_string(btk_json_get(pattern, "Regex"), &text))
        return compile_regex(component, text, content);
    return btk_compiler_refuse(component->compiler, component->place,
                               "\"pattern\" is to be {\"String\": ...} or {\"Regex\": ...}");
}

// --- Lists

static int compile_component(const struct component *component);

static int compile_member(const struct component *sequence, size_t index)
{
    char place[PLACE_BYTES];
    snprintf(place, sizeof place, "%s.decoders[%zu]", sequence->place, index);
    const struct component member = {
        .compiler = sequence->compiler,
        .object = btk_json_at(btk_json_get(sequence->object, "decoders"), index),
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
    const struct btk_json *const list = btk_json_get(component->object, "decoders");
    if (btk_json_type(list) != BTK_JSON_ARRAY)
        return refuse_member(component, "decoders", "an array");
    int status = 0;
    for (size_t i = 0; i < btk_json_count(list) && !status; i++)
        status = compile_member(component, i);
    return status;
}

// `member` tells a component without a type that is known, in the order in which the reference tries
// them.
static const struct {
    const char *type;
    compile_fn *compile;
    const char *member;
} kinds[] = {
    {"BPEDecoder", compile_suffix, "suffix"},   {"ByteLevel", compile_byte_level, NULL},
    {"WordPiece", compile_wordpiece, "prefix"}, {"Metaspace", compile_metaspace, NULL},
    {"CTC", compile_ctc, "pad_token"},          {"Sequence", compile_sequence, NULL},
    {"Replace", compile_replace, "pattern"},    {"Fuse", compile_fuse, NULL},
    {"Strip", compile_strip, "start"},          {"ByteFallback", compile_byte_fallback, NULL},
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
    char place[PLACE_BYTES + 8];
    struct btk_bytes type;
    const int status =
        btk_compiler_type(component->compiler, component->object, component->place, &type);
    if (status < 0) return status;
    snprintf(place, sizeof place, "%s.type", component->place);
    return btk_compiler_unsupported(component->compiler, place, type, SUPPORTED);
}

static int compile_sentencepiece(struct btk_compiler *compiler)
{
    const struct btk_format_spaces *const spaces = &compiler->format->sentencepiece.normalizer;
    const struct btk_step step = {
        .kind = BTK_DECODE_SENTENCEPIECE,
        .flags = (spaces->adds_dummy_prefix || spaces->removes_extra ? BTK_SENTENCEPIECE_DROPS_SPACE
                                                                     : 0u)
                 | (spaces->removes_extra ? BTK_SENTENCEPIECE_DROPS_SPACES : 0u),
    };
    if (compiler->format->sentencepiece.denormalizer.charsmap.length)
        return btk_compiler_refuse(compiler, "denormalizer_spec",
                                   "has a charsmap, which this version does not support");
    return btk_compiler_add_step(compiler, BTK_SECTION_DECODER_STEPS, step, nothing);
}

int btk_compile_decoder(struct btk_compiler *compiler)
{
    if (btk_compiler_is_sentencepiece(compiler)) return compile_sentencepiece(compiler);
    const struct component component = {.compiler = compiler,
                                        .object = btk_json_get(compiler->root, "decoder"),
                                        .place = "decoder"};
    return btk_json_is_null(component.object) ? add_plain(&component, BTK_DECODE_SPACED)
                                              : compile_component(&component);
}
