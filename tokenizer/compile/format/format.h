// SPDX-License-Identifier: Apache-2.0
// Tokenizers that stand in other formats than tokenizer.json.
//
//     file or folder --reader--> struct btk_format ---+--> the stages of compile/ --> image
//                                tokens, merges       |
//                                frame: all the rest, as the JSON that tokenizer.json would have
//
// A reader understands one format and says so in terms of the one that the compiler knows: so there
// is one compiler, and what a component means is written once.
//
// Errors: -EINVAL with the place (a line, an entry, a byte) and what was expected there; -ENOMEM.
// Ownership: strings and arrays are in the arena, `frame` is the reader's until
// btk_format_clear(). Threads: no state.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/base.h"
#include "common/buffer.h"
#include "common/error.h"
#include "common/json_writer.h"
#include "tokenizer/compile/compile.h"
#include "tokenizer/image_format.h"

enum btk_format_token_kind {
    BTK_FORMAT_TOKEN_MISSING = 0, // no token has this id
    BTK_FORMAT_TOKEN_NORMAL,
    BTK_FORMAT_TOKEN_UNKNOWN,
    BTK_FORMAT_TOKEN_CONTROL,
    BTK_FORMAT_TOKEN_USER_DEFINED,
    BTK_FORMAT_TOKEN_BYTE,
    BTK_FORMAT_TOKEN_UNUSED,
};

struct btk_format_token {
    struct btk_bytes text; // as the vocabulary of tokenizer.json spells it
    uint32_t kind;         // enum btk_format_token_kind
    float score;           // SentencePiece
};

// What a SentencePiece normalizer does beside its charsmap.
struct btk_format_spaces {
    struct btk_bytes charsmap; // as it stands in the file; empty: none
    bool adds_dummy_prefix;
    bool removes_extra;
    bool escapes; // ' ' becomes U+2581
};

enum btk_sentencepiece_type {
    BTK_SENTENCEPIECE_UNIGRAM = 1, // the numbers of sentencepiece_model.proto
    BTK_SENTENCEPIECE_BPE = 2,
    BTK_SENTENCEPIECE_WORD = 3,
    BTK_SENTENCEPIECE_CHAR = 4,
};

struct btk_format_sentencepiece {
    uint32_t model_type; // enum btk_sentencepiece_type; 0: the file is none
    bool byte_fallback;
    bool is_llama_cpp; // its rules, see compile_sentencepiece.c
    bool has_whitespace_suffix;
    struct btk_bytes unknown_surface; // what an unknown piece decodes to
    struct btk_format_spaces normalizer;
    struct btk_format_spaces denormalizer;
};

struct btk_format {
    struct btk_arena *arena;         // borrowed
    struct btk_error *error;         // borrowed
    struct btk_buffer frame;         // JSON: a tokenizer.json without vocabulary and merges
    struct btk_format_token *tokens; // by id
    uint32_t token_count;
    struct btk_merge_slot *merges; // NULL: they stand in the frame, if there are any
    size_t merge_count;
    bool is_tiktoken_dialect;                      // of the patterns in the frame
    bool first_merge_counts;                       // of two of the same pair
    struct btk_format_sentencepiece sentencepiece; // borrows the file
};

// What a user can say beside the file.
struct btk_format_options {
    struct btk_bytes name;    // of the file, without folder and ending
    struct btk_bytes pattern; // the name of a known one, or a regular expression; empty: not said
    const struct btk_compile_special *specials;
    size_t special_count;
    // From the tokenizer_config.json beside a vocabulary; 0 is what the reference's classes do.
    bool is_cased;          // vocab.txt: no lower-casing
    bool is_lowercased;     // vocab.json of words
    bool keeps_chinese;     // vocab.txt: Chinese characters are not set apart
    bool adds_prefix_space; // vocab.json of bytes
    int strip_accents;      // vocab.txt: -1: as lower-casing; 0, 1
};

struct btk_json;

// `format` has its arena and error. Each fills the rest, or fails.
BTK_MUST_USE int btk_format_read_tiktoken(struct btk_format *format, struct btk_bytes file,
                                          const struct btk_format_options *options);

BTK_MUST_USE int btk_format_read_sentencepiece(struct btk_format *format, struct btk_bytes file);
bool btk_format_is_tekken(const struct btk_json *root);
BTK_MUST_USE int btk_format_read_tekken(struct btk_format *format, const struct btk_json *root);

// These make a whole tokenizer.json in `frame`: no tokens and no merges are left apart.
BTK_MUST_USE int btk_format_read_vocabulary_text(struct btk_format *format, struct btk_bytes file,
                                                 const struct btk_format_options *options);
BTK_MUST_USE int btk_format_read_vocabulary_json(struct btk_format *format,
                                                 struct btk_bytes vocabulary,
                                                 struct btk_bytes merges,
                                                 const struct btk_format_options *options);

void btk_format_clear(struct btk_format *format); // NULL is fine

// --- For the readers

int btk_format_refuse(struct btk_format *format, uint64_t offset, const char *what, ...)
    BTK_PRINTF(3, 4);
int btk_format_no_memory(struct btk_format *format);

// Room for tokens up to `id`, which is refused when it is beyond BTK_TOKEN_LIMIT.
BTK_MUST_USE int btk_format_reserve_tokens(struct btk_format *format, uint32_t token_count);

// The byte-level alphabet's spelling of bytes, in the arena; text.data is NULL: no memory.
struct btk_bytes btk_format_spell_bytes(struct btk_format *format, struct btk_bytes bytes);

// Merges of a vocabulary of bytes in which the rank of a token is the rank of every pair that joins
// to it (tiktoken). `texts` has the bytes of each token, by id; empty: none.
BTK_MUST_USE int btk_format_merges_of_ranks(struct btk_format *format,
                                            const struct btk_bytes *texts);

// One of the frame's added_tokens, looked for in the text as it came.
void btk_format_write_added(struct btk_json_writer *writer, struct btk_bytes text, uint32_t id,
                            bool is_special);

// pre_tokenizer and decoder of a byte-level BPE whose patterns isolate their matches, one after the
// other; members of the object that is open. `drops_the_rest`: what no pattern matches has no tokens.
void btk_format_write_byte_level(struct btk_json_writer *writer, const struct btk_bytes *patterns,
                                 size_t pattern_count, bool drops_the_rest);

BTK_MUST_USE int btk_format_read_gguf(struct btk_format *format, struct btk_bytes file);

// The frame of a byte-level BPE that tiktoken reads: pattern, special tokens.
BTK_MUST_USE int btk_format_byte_level_frame(struct btk_format *format, struct btk_bytes pattern,
                                             const struct btk_compile_special *specials,
                                             size_t special_count);
