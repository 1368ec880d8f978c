// SPDX-License-Identifier: Apache-2.0
// Lists of words in JSON as texts of an input: words stand back to back in one buffer, their ends in
// another. While these grow a text only knows how many words it has; it points to them once all are
// read, in the same order.
//
// Ownership: the struct owns its buffers; texts borrow them. Threads: one.
#pragma once

#include <budtiktok/encoding.h>

#include "common/buffer.h"
#include "common/json.h"

struct btk_word_lists {
    struct btk_buffer bytes;
    struct btk_buffer ends; // uint64_t, from the beginning of their text
};

// Where pointing has come to; begins with zeros.
struct btk_word_lists_cursor {
    size_t byte;
    size_t word;
};

// Reads a list. -EINVAL: *out_wrong is no string; -ENOMEM.
BTK_MUST_USE int btk_word_lists_read(struct btk_word_lists *lists, const struct btk_json *list,
                                     struct btk_encode_text *out_text,
                                     const struct btk_json **out_wrong);

// Texts that are not words stay as they are.
void btk_word_lists_point(const struct btk_word_lists *lists, struct btk_word_lists_cursor *cursor,
                          struct btk_encode_text *text);

void btk_word_lists_reset(struct btk_word_lists *lists); // keeps the memory
void btk_word_lists_clear(struct btk_word_lists *lists);
