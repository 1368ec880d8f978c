// SPDX-License-Identifier: Apache-2.0
// Steps of decoders in an image (struct btk_step, section DECODER_STEPS): what their kinds are, and
// what `flags`, `numbers` and the data mean for each.
//
// The data of a step are two strings back to back; numbers[0] is the length of the first.
#pragma once

enum btk_decoder_step_kind {
    // These make one string of one string; some look whether it is the first or the last of its
    // list.
    BTK_DECODE_SPACED = 1,    // no decoder: a space before each string but the first
    BTK_DECODE_REPLACE,       // data: what is looked for, what stands there then
    BTK_DECODE_REPLACE_REGEX, // data: a pattern as btk_regex_new() takes it, what stands there then
    BTK_DECODE_STRIP,         // data: a character; numbers[1], numbers[2]: how many go at both ends
    BTK_DECODE_METASPACE, // data: the character of spaces; flags: enum btk_decoder_metaspace_flag
    BTK_DECODE_WORDPIECE, // data: the prefix; flags: enum btk_decoder_cleanup_flag
    BTK_DECODE_SUFFIX,    // BPEDecoder. data: the suffix
    // These see the list.
    BTK_DECODE_CTC, // data: padding, delimiter of words; flags: enum btk_decoder_cleanup_flag
    BTK_DECODE_BYTE_FALLBACK, // neighbours such as <0xC3> <0xA9> become one string
    BTK_DECODE_BYTE_LEVEL,    // all become one string of the bytes that they stand for
    BTK_DECODE_FUSE,          // all become one string
    BTK_DECODE_SENTENCEPIECE, // the only step; flags: enum btk_decoder_sentencepiece_flag
    BTK_DECODE_KIND_END
};

enum btk_decoder_metaspace_flag {
    BTK_METASPACE_KEEPS_FIRST = 1 << 0, // spaces of the first string stay
};

// What a piece becomes stands in DECODED_TEXT: only the beginning of the text is another.
enum btk_decoder_sentencepiece_flag {
    BTK_SENTENCEPIECE_DROPS_SPACE = 1 << 0,  // of the first piece with a text
    BTK_SENTENCEPIECE_DROPS_SPACES = 1 << 1, // of each, as long as there is no text
};

enum btk_decoder_cleanup_flag {
    BTK_CLEANUP = 1 << 0, // " ." becomes ".", and ten more
};
