// SPDX-License-Identifier: Apache-2.0
// One step over one text: reads a span, writes the next, keeps the places.
//
// The reference describes a step as a list of (character, change): 0 replaces the next character, 1 is
// inserted, -n replaces one and removes the n behind it. `at` is the next character of the source that
// the list has not used up; steps say what becomes of it by the functions below. Where a step works on
// what stands at `at`, as all sound ones do, copying is a memcpy; else it is done by the list.
//
// Nothing is written before the first change: a pass that never starts has changed nothing.
//
// Errors are kept: after one, the functions do nothing, and btk_pass_status() tells.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/unicode.h"
#include "kernels/kernels.h"
#include "tokenizer/normalizer/normalizer.h"
#include "tokenizer/span.h"

enum {
    BTK_PASS_BYTES = 256 * 1024, // room in a buffer before it grows
    BTK_PASS_CHARS = 1024,       // of a stretch of a normal form
    BTK_PASS_SLACK_BYTES = 32,   // behind the text, for whole loads
};

struct btk_pass_buffer {
    uint8_t *text;
    uint32_t *begins;
    uint32_t *ends;
    size_t text_capacity; // bytes
    size_t map_capacity;  // entries
};

struct btk_pass_chars {
    struct btk_unicode_char *chars;
    size_t capacity;
};

struct btk_pass {
    const struct btk_span *source;
    struct btk_pass_buffer *buffer;
    const struct btk_kernels *kernels;
    const struct btk_progress *progress;
    uint64_t *spill_count;
    uint32_t origin;    // where the text that is normalized begins
    size_t empty_bytes; // of the source: those that stand in an empty place, all at the beginning
    size_t at;
    size_t length;     // written
    size_t out_empty;  // empty_bytes of what is written
    bool all_is_empty; // so far
    bool starts;       // something was written
    bool wants_maps;
    bool has_maps; // else byte i of what is written is byte i of the source, if maps are wanted
    int status;
};

// The characters [from, to) of the source stay.
void btk_pass_copy(struct btk_pass *pass, size_t from, size_t to);
// They are ASCII and become lower case.
void btk_pass_lower_ascii(struct btk_pass *pass, size_t from, size_t to);
// They are removed.
void btk_pass_remove(struct btk_pass *pass, size_t from, size_t to);
// One entry of the list.
void btk_pass_put(struct btk_pass *pass, uint32_t code_point, int64_t change);
// The change of the last entry is `chars` less than it was said to be.
void btk_pass_skip(struct btk_pass *pass, uint64_t chars);
// Inserted characters.
void btk_pass_insert(struct btk_pass *pass, struct btk_bytes text);

// Replaces each `byte` of ASCII from `at` to the end by one to BTK_REPLACED_BYTES_MAX bytes. Only where no maps
// are wanted and what is written does not begin the text: btk_pass_is_plain().
void btk_pass_replace_byte(struct btk_pass *pass, uint8_t byte, struct btk_bytes content);
bool btk_pass_is_plain(const struct btk_pass *pass);

// For steps that the reference does with transform(): behind characters in an empty place the list
// begins with them again. All but Prepend and Replace.
void btk_pass_begin_transform(struct btk_pass *pass);

// Grows to at least `count`; what is there stays. false: no memory, the pass knows.
bool btk_pass_reserve_chars(struct btk_pass *pass, struct btk_pass_chars *chars, size_t count);
