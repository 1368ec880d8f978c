// SPDX-License-Identifier: Apache-2.0
// Tokens of a GGUF file that are of another kind than the file says, because llama.cpp knows their texts.
#pragma once

#include "tokenizer/compile/format/gguf_reader.h"

// Changes the kinds of format->tokens. `fill_ins`: the values of the six keys that name the places a code
// model fills in: prefix, suffix, middle, padding, repository, separator. -EINVAL: it is not clear which of
// several texts is meant.
BTK_MUST_USE int btk_gguf_mark_kinds(struct btk_format *format,
                                     const struct btk_gguf_value *fill_ins);

// llama.cpp looks for the longest user-defined token wherever it stands; that is the leftmost one only
// where none begins in another and is longer. -EINVAL: they do.
BTK_MUST_USE int btk_gguf_check_overlaps(struct btk_format *format);
