// SPDX-License-Identifier: Apache-2.0
// THE list of patterns: PATTERN(name, NAME, source). One line here, one file of that name beside it.
//
// gpt2  OpenAI's GPT-2, encoder.py; in the reference pre_tokenizers/byte_level.rs:
//       's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
//       All text falls into pieces. Classes: Oniguruma with Unicode 16.
// bert  the reference's pre_tokenizers/bert.rs: white space separates and is no piece, each
//       punctuation character is a piece, what is between is one.
#pragma once

#define BTK_PATTERN_LIST(PATTERN)                                                                  \
    PATTERN(gpt2, GPT2, "GPT-2")                                                                   \
    PATTERN(bert, BERT, "BertPreTokenizer")
