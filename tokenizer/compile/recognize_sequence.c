// SPDX-License-Identifier: Apache-2.0
// Lists of steps that have a walk of their own (kernels/pretok/pattern_sources.h).
#include <string.h>

#include "kernels/pretok/pattern_sources.h"
#include "tokenizer/compile/pretokenizer_steps.h"
#include "tokenizer/compile/regex_recognize.h"

enum { SEQUENCE_STEPS_MAX = 6 };

enum known_kind {
    KNOWN_END,
    KNOWN_SPLIT,
    KNOWN_MATCHES,
    KNOWN_DIGITS,
    KNOWN_PUNCTUATION,
    KNOWN_BYTE_LEVEL
};

struct known_step {
    enum known_kind kind;
    const char *text;
};

// The list of sequences has small names.
enum {
#define PATTERN(name, NAME, source) pattern_##name = BTK_PATTERN_##NAME,
    BTK_PATTERN_LIST(PATTERN)
#undef PATTERN
};

static const struct known_sequence {
    enum btk_pattern pattern;
    struct known_step steps[SEQUENCE_STEPS_MAX + 1];
} known_sequences[] = {
#define STEP(kind, text)      {KNOWN_##kind, text},
#define SEQUENCE(name, steps) {(enum btk_pattern)pattern_##name, {steps}},
    BTK_SEQUENCE_LIST(SEQUENCE, STEP)
#undef SEQUENCE
#undef STEP
};

// Sequences are known by their spelling: they come with their models.
static bool is_spelt(struct btk_bytes pattern, struct btk_bytes known)
{
    return btk_bytes_equal(pattern, known);
}

static bool is_step(const struct btk_step *step, uint32_t kind, uint32_t behavior, uint32_t flags)
{
    return step->kind == kind && step->numbers[0] == behavior && step->flags == flags;
}

static bool is_pattern(const struct btk_step *step, enum btk_pattern pattern)
{
    return is_step(step, BTK_STEP_SPLIT_PATTERN, BTK_SPLIT_ISOLATED, 0)
           && step->numbers[1] == (uint32_t)pattern;
}

// What was recognised by itself is compared by what it was recognised as.
static bool is_split(const struct btk_step *step, struct btk_bytes data, const char *text)
{
    const struct btk_bytes known = {(const uint8_t *)text, strlen(text)};
    if (step->kind == BTK_STEP_SPLIT_PATTERN)
        return is_pattern(step, btk_regex_recognize(known, BTK_REGEX_ONIGURUMA));
    return is_step(step, BTK_STEP_SPLIT_REGEX, BTK_SPLIT_ISOLATED, 0) && is_spelt(data, known);
}

static bool is_matches(const struct btk_step *step, struct btk_bytes data, const char *text)
{
    const struct btk_bytes known = {(const uint8_t *)text, strlen(text)};
    return is_step(step, BTK_STEP_SPLIT_REGEX, BTK_SPLIT_REMOVED, BTK_SPLIT_INVERT)
           && is_spelt(data, known);
}

static bool is_known_step(const struct known_step *known, const struct btk_step *step,
                          struct btk_bytes data)
{
    const bool is_individual = known->text && strcmp(known->text, "individual") == 0;
    switch (known->kind) {
    case KNOWN_SPLIT: return is_split(step, data, known->text);
    case KNOWN_MATCHES: return is_matches(step, data, known->text);
    case KNOWN_DIGITS:
        return is_step(step, BTK_STEP_SPLIT_NUMERIC,
                       is_individual ? BTK_SPLIT_ISOLATED : BTK_SPLIT_CONTIGUOUS, 0);
    case KNOWN_PUNCTUATION:
        return is_step(step, BTK_STEP_SPLIT_PUNCTUATION, BTK_SPLIT_CONTIGUOUS, 0);
    case KNOWN_BYTE_LEVEL: return is_pattern(step, BTK_PATTERN_GPT2);
    default: return false;
    }
}

// The alphabet of a ByteLevel is made when a step behind it looks at it, and is then made back into
// bytes at the end.
static bool is_sequence(const struct known_sequence *known,
                        const struct btk_pretokenizer_steps *list)
{
    uint32_t at = 0;
    bool has_alphabet = false;
    for (const struct known_step *step = known->steps; step->kind != KNOWN_END; step++) {
        if (at == list->count || !is_known_step(step, &list->steps[at], list->data[at]))
            return false;
        at++;
        if (step->kind != KNOWN_BYTE_LEVEL || step[1].kind == KNOWN_END) continue;
        if (at == list->count || list->steps[at].kind != BTK_STEP_ALPHABET) return false;
        has_alphabet = true;
        at++;
    }
    if (has_alphabet && (at == list->count || list->steps[at++].kind != BTK_STEP_BYTES))
        return false;
    return at == list->count;
}

enum btk_pattern btk_pretokenizer_steps_recognize(const struct btk_pretokenizer_steps *list)
{
    for (size_t i = 0; i < BTK_ARRAY_COUNT(known_sequences); i++)
        if (is_sequence(&known_sequences[i], list)) return known_sequences[i].pattern;
    return BTK_PATTERN_COUNT;
}
