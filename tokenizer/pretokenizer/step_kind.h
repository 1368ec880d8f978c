// SPDX-License-Identifier: Apache-2.0
// Steps of pre-tokenizers in an image (struct btk_step, section PRETOKENIZER_STEPS): what their kinds
// are, and what `flags`, `numbers` and the data mean for each.
#pragma once

enum btk_split_behavior {
    BTK_SPLIT_REMOVED,
    BTK_SPLIT_ISOLATED,
    BTK_SPLIT_MERGED_WITH_PREVIOUS,
    BTK_SPLIT_MERGED_WITH_NEXT,
    BTK_SPLIT_CONTIGUOUS,
    BTK_SPLIT_BEHAVIOR_COUNT
};

enum btk_split_flag {
    BTK_SPLIT_INVERT = 1 << 0, // matches are gaps, and gaps matches
};

enum btk_spaces_flag {
    BTK_SPACES_SPLIT = 1 << 0, // each such character begins a piece
};

enum btk_prepend_scheme {
    BTK_PREPEND_NEVER,
    BTK_PREPEND_ALWAYS,
    BTK_PREPEND_FIRST, // to what begins where the text begins
    BTK_PREPEND_SCHEME_COUNT
};

enum btk_pretokenizer_step_kind {
    // These split at matches. numbers[0]: enum btk_split_behavior; flags: enum btk_split_flag.
    BTK_STEP_SPLIT_WHITESPACE = 1, // each character that is white space
    BTK_STEP_SPLIT_PUNCTUATION,    // each that is punctuation
    BTK_STEP_SPLIT_NUMERIC,        // each that is a number
    BTK_STEP_SPLIT_WORDS,          // \w+|[^\w\s]+
    BTK_STEP_SPLIT_LITERAL,        // data: the bytes that match, which may be none
    BTK_STEP_SPLIT_PATTERN,        // numbers[1]: enum btk_pattern
    BTK_STEP_SPLIT_REGEX,          // data: a pattern as btk_regex_new() takes it
    // These divide and drop nothing, save scripts what stands before the first letter.
    BTK_STEP_SCRIPTS,
    BTK_STEP_FIXED_LENGTH, // numbers[0]: characters in a piece, not 0
    // These write. SPACES: ' ' becomes the character numbers[0], and that is put before a piece
    // that does not begin with it, as numbers[1] says (enum btk_prepend_scheme); flags: enum
    // btk_spaces_flag.
    BTK_STEP_SPACES,
    BTK_STEP_ALPHABET, // bytes become characters of the byte-level alphabet
    BTK_STEP_BYTES,    // and these become bytes again; all characters are of the alphabet
    // Splits at each character of a set, as those above; data: the set (tokenizer/code_map.h),
    // numbers[1]: its pages.
    BTK_STEP_SPLIT_SET,
    BTK_STEP_KIND_END
};
