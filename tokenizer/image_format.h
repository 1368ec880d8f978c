// SPDX-License-Identifier: Apache-2.0
// The image: a compiled tokenizer as one read-only, position-independent block of bytes.
//
//     | header | section | section | ...        each section begins at a multiple of 64
//
// All integers are of the host's order and all indices are checked once (btk_image_verify), so the
// engine follows them without looking again. `checksum` is XXH3 of all that follows the header.
#pragma once

#include <stdint.h>

#define BTK_IMAGE_MAGIC     UINT64_C(0x3147414d494b5442)
#define BTK_IMAGE_VERSION   9u
#define BTK_IMAGE_ALIGNMENT 64u

// Ids are below this: tables are indexed by id.
#define BTK_TOKEN_LIMIT    (1u << 24)
#define BTK_NO_TOKEN       UINT32_MAX
#define BTK_NO_NODE        UINT32_MAX
#define BTK_TEMPLATE_LIMIT 64u
#define BTK_MERGE_LIMIT    (1u << 28)
#define BTK_STEP_LIMIT     256u // of one list
// BPE: longest prefix and suffix: a character may become as many tokens.
#define BTK_AFFIX_BYTES_LIMIT 64u
// Pieces that are known in half a cache line.
#define BTK_SHORT_BYTES_MAX 16u
#define BTK_SHORT_IDS_MAX   3u

enum btk_model_kind {
    BTK_MODEL_WORDPIECE = 1,
    BTK_MODEL_BPE = 2,
    BTK_MODEL_UNIGRAM = 3,
    BTK_MODEL_WORDLEVEL = 4
};

// What has code of its own, and lists of steps for all the rest.
enum btk_normalizer_kind {
    BTK_NORMALIZER_NONE = 0,
    BTK_NORMALIZER_BERT = 1,
    BTK_NORMALIZER_STEPS = 2
};
enum btk_pretokenizer_kind {
    BTK_PRETOKENIZER_BERT = 1,
    BTK_PRETOKENIZER_BYTE_LEVEL = 2,
    BTK_PRETOKENIZER_STEPS = 3
};

enum btk_bert_flag {
    BTK_BERT_CLEAN_TEXT = 1 << 0,
    BTK_BERT_CHINESE = 1 << 1,
    BTK_BERT_STRIP_ACCENTS = 1 << 2,
    BTK_BERT_LOWERCASE = 1 << 3,
};

enum btk_pipeline_flag {
    BTK_PIPELINE_ADD_PREFIX_SPACE = 1 << 0,  // ByteLevel pre-tokenizer
    BTK_PIPELINE_USE_REGEX = 1 << 1,         // ByteLevel pre-tokenizer: config.pattern
    BTK_PIPELINE_TRIM_OFFSETS = 1 << 2,      // post-processor
    BTK_PIPELINE_TRIM_PREFIX_SPACE = 1 << 3, // post-processor: its add_prefix_space
    BTK_PIPELINE_IGNORE_MERGES = 1 << 4,     // BPE
    // All that reaches the model is of the byte-level alphabet, so it reads the bytes themselves:
    // the tables of the model are made of bytes.
    BTK_PIPELINE_MODEL_READS_BYTES = 1 << 6,
    // The template does not say what becomes of a single text: only the post-processor's program does.
    BTK_PIPELINE_POST_GENERAL = 1 << 7,
    BTK_PIPELINE_PLAIN_SPECIAL = 1 << 8, // the text of a special token is text, if nobody says more
    BTK_PIPELINE_CUTS_MOVE_OFFSETS = 1 << 9, // text cuts are proved but for offsets
};

enum btk_model_flag {
    BTK_MODEL_BYTE_FALLBACK = 1 << 0,   // BPE, Unigram
    BTK_MODEL_FUSES_UNKNOWN = 1 << 1,   // BPE
    BTK_MODEL_DROPS_UNKNOWN = 1 << 2,   // BPE: unk_token is null
    BTK_MODEL_COUNTS_ALPHABET = 1 << 3, // BPE of bytes: see model/bpe.h
    BTK_MODEL_KEEPS_STALE = 1 << 4,     // BPE: see model/bpe.h
    BTK_MODEL_HAS_CUTS = 1 << 5,        // BPE: see model/bpe_cut.h
    // Unigram: unknown strings are not looked up once more. Unknown tokens show their text.
    BTK_MODEL_SENTENCEPIECE = 1 << 6,
    BTK_MODEL_HAS_SYMBOLS = 1 << 7,    // BPE: the trie has strings that are one symbol each
    BTK_MODEL_READS_WORDS = 1 << 8,    // BPE: symbols are words; U+2581 begins one
    BTK_MODEL_SINGLE_SUMS = 1 << 9,    // Unigram: sums have single precision
    BTK_MODEL_HAS_BYTE_CUTS = 1 << 10, // BPE of bytes: see model/byte_cut.h
    BTK_MODEL_PACKED_MERGES = 1 << 11, // BPE: see model/merge_table.h
};

// BPE: what stands around a character decides which of its tokens it becomes.
enum btk_char_place {
    BTK_CHAR_CONTINUES = 1 << 0, // behind the continuing prefix
    BTK_CHAR_ENDS = 1 << 1,      // before the suffix of words
    BTK_CHAR_PLACES = 4
};

// Where a text may be cut: see text_cut.h.
enum btk_text_cuts {
    BTK_TEXT_CUTS_NONE,
    BTK_TEXT_CUTS_BETWEEN_WORDS,
    BTK_TEXT_CUTS_INSIDE_WORDS,        // as model/bpe_cut.h allows
    BTK_TEXT_CUTS_INSIDE_MARKED_WORDS, // the same, and the model reads U+2581 for ' '
    BTK_TEXT_CUTS_COUNT
};

// And why it may not.
enum btk_no_text_cuts {
    BTK_NO_TEXT_CUTS_DROPOUT,
    BTK_NO_TEXT_CUTS_ENDS,
    BTK_NO_TEXT_CUTS_NORMALIZER,
    BTK_NO_TEXT_CUTS_PATTERN,
    BTK_NO_TEXT_CUTS_WHOLE,
    BTK_NO_TEXT_CUTS_PREFIX,
    BTK_NO_TEXT_CUTS_ADDED,
    BTK_NO_TEXT_CUTS_TEMPLATE,
    BTK_NO_TEXT_CUTS_COUNT
};

struct btk_image_config {
    uint32_t model;          // enum btk_model_kind
    uint32_t normalizer;     // enum btk_normalizer_kind
    uint32_t bert_flags;     // set of enum btk_bert_flag
    uint32_t pretokenizer;   // enum btk_pretokenizer_kind
    uint32_t pattern;        // BTK_PRETOKENIZER_BYTE_LEVEL: enum btk_pattern
    uint32_t flags;          // set of enum btk_pipeline_flag
    uint32_t unknown_id;     // BTK_NO_TOKEN: none
    uint32_t word_chars_max; // WordPiece: longer words are unknown
    uint32_t vocabulary_count;
    uint32_t token_count; // highest id + 1, with added tokens
    uint32_t added_count;
    uint32_t token_bytes_max;   // of TOKEN_TEXT
    uint32_t shown_bytes_max;   // of TOKEN_TEXT and NORMAL_FORM_TEXT
    uint32_t model_bytes_max;   // of BYTES_TEXT
    uint32_t decoded_bytes_max; // of DECODED_TEXT
    uint32_t prefix_count;      // of the template: tokens before the text
    uint32_t suffix_count;
    uint32_t text_type_id;      // type id of the text's tokens
    uint32_t continuation_root; // WordPiece: the trie's node for words that go on
    uint32_t prefix_bytes;      // length of the continuing prefix
    uint32_t suffix_bytes;      // BPE: length of the suffix of words
    uint32_t model_flags;       // set of enum btk_model_flag
    uint32_t rank_count;        // BPE: ranks of merges are below
    uint32_t merge_token_bits;  // BPE: of a packed merge, for each of its tokens
    float dropout;              // BPE: 0 to 1
    double unknown_score;       // Unigram: of a character without a token
    uint32_t text_cuts;         // enum btk_text_cuts
    uint32_t no_text_cuts;      // enum btk_no_text_cuts, if there are none
};

enum btk_token_flag {
    BTK_TOKEN_EXISTS = 1 << 0,
    BTK_TOKEN_ADDED = 1 << 1,
    BTK_TOKEN_SPECIAL = 1 << 2,    // skip_special_tokens leaves it out
    BTK_TOKEN_BYTE = 1 << 3,       // its DECODED_TEXT is one byte of a run (ByteFallback)
    BTK_TOKEN_WHOLE = 1 << 4,      // BPE: merging its bytes gives this token and nothing else
    BTK_TOKEN_NORMALIZED = 1 << 5, // an added token that shows another text: see NORMAL_FORMS
};

struct btk_token_info {
    uint32_t flags;          // set of enum btk_token_flag
    uint16_t leading_spaces; // what trim_offsets takes off
    uint16_t trailing_spaces;
};

// An open-addressing table: the slot of a hash is its low bits, then the next ones. `id` of an empty
// slot is BTK_NO_TOKEN.
struct btk_lookup_slot {
    uint32_t hash; // the high half
    uint32_t id;
};

// The same for pairs; an empty slot has the key UINT64_MAX. Most models have a third of that, with
// BTK_MODEL_PACKED_MERGES: see model/merge_table.h.
struct btk_merge_slot {
    uint64_t key; // left << 32 | right
    uint32_t rank;
    uint32_t id;
};

// The same for characters; an empty slot has the key UINT32_MAX.
struct btk_edge_slot {
    uint32_t key;   // code point << 2 | enum btk_char_place
    uint32_t child; // id
};

// A node of a trie: see model/trie.h.
struct btk_trie_unit {
    uint32_t check; // the node that leads here; BTK_NO_NODE: nobody does
    uint32_t base;  // its children stand at base + byte
    uint32_t token; // id, or BTK_NO_TOKEN
    uint32_t mark;  // the node behind U+2581, or BTK_NO_NODE
};

// What a piece of the vocabulary becomes: see model/short_piece.h.
struct btk_short_piece {
    uint64_t words[2];
    uint32_t ids[BTK_SHORT_IDS_MAX];
    uint32_t layout;
};

enum btk_added_flag {
    BTK_ADDED_SINGLE_WORD = 1 << 0,
    BTK_ADDED_LSTRIP = 1 << 1,
    BTK_ADDED_RSTRIP = 1 << 2,
    BTK_ADDED_SPECIAL = 1 << 3, // or one of the same text was, in the same file
};

// A node of an added-token trie: its edges stand together, sorted by byte.
struct btk_added_node {
    uint32_t first_edge;
    uint32_t edge_count;
    uint32_t token; // id, or BTK_NO_TOKEN
    uint32_t flags; // set of enum btk_added_flag of that token
};

struct btk_added_edge {
    uint32_t byte;
    uint32_t node;
};

// What an added token shows instead of its text: the text as the normalizer has it. At `begin` of
// NORMAL_FORM_TEXT.
struct btk_normal_form {
    uint32_t id;
    uint32_t begin;
    uint32_t bytes;
};

// One component of a list: a normalizer of a Sequence, a pre-tokenizer, a decoder. What `kind`, `flags`
// and `numbers` mean says the header of the stage; its strings and tables are in STEP_DATA, each at a
// multiple of 8.
struct btk_step {
    uint32_t kind;
    uint32_t flags;
    uint32_t numbers[4];
    uint32_t data_begin;
    uint32_t data_bytes;
};

// Prefix tokens, then suffix tokens.
struct btk_template_token {
    uint32_t id;
    uint32_t type_id;
};

enum btk_section {
    BTK_SECTION_TOKENS,       // struct btk_token_info[token_count]
    BTK_SECTION_TOKEN_ENDS,   // uint32_t[token_count + 1], the first is 0
    BTK_SECTION_TOKEN_TEXT,   // as `tokens` shows it
    BTK_SECTION_BYTES_ENDS,   // uint32_t[token_count + 1]: a model that reads bytes
    BTK_SECTION_BYTES_TEXT,   // the bytes that the token stands for
    BTK_SECTION_DECODED_ENDS, // uint32_t[token_count + 1]: see decoder/plan.h
    BTK_SECTION_DECODED_TEXT, // what the decoder makes of the token behind the first one
    BTK_SECTION_TEXT_LOOKUP,  // btk_lookup_slot: token text -> id
    BTK_SECTION_BYTES_LOOKUP, // btk_lookup_slot: all but WordPiece, a whole piece -> id
    BTK_SECTION_BYTE_IDS, // uint32_t[BTK_CHAR_PLACES][256]: BPE, the token of one byte; of characters: ASCII
    BTK_SECTION_CHAR_IDS,     // btk_edge_slot: BPE of characters, those beyond ASCII
    BTK_SECTION_FALLBACK_IDS, // uint32_t[256]: BPE and Unigram with byte fallback
    BTK_SECTION_AFFIXES,      // BPE with byte fallback: the prefix, then the suffix
    BTK_SECTION_MERGES,       // btk_merge_slot, or uint64_t: BPE, see model/merge_table.h
    BTK_SECTION_RANK_IDS,     // uint32_t[rank count]: BPE with packed merges or stale pairs
    BTK_SECTION_CUT_BITS,     // uint64_t[]: BPE with cuts, see model/bpe_cut.h
    BTK_SECTION_CUT_PAIRS,    // uint64_t[]: BPE with cuts
    BTK_SECTION_TRIE,         // btk_trie_unit: WordPiece, Unigram, BPE with symbols
    BTK_SECTION_SCORES,       // double[token_count]: Unigram
    BTK_SECTION_RAW_NODES,    // btk_added_node: tokens that are looked for in the text as it came
    BTK_SECTION_RAW_EDGES,
    BTK_SECTION_NORMAL_NODES, // and in the normalized text
    BTK_SECTION_NORMAL_EDGES,
    BTK_SECTION_TEMPLATE,            // btk_template_token[prefix_count + suffix_count]
    BTK_SECTION_NORMALIZER_STEPS,    // btk_step
    BTK_SECTION_PRETOKENIZER_STEPS,  // btk_step
    BTK_SECTION_POSTPROCESSOR_STEPS, // btk_step
    BTK_SECTION_DECODER_STEPS,       // btk_step
    BTK_SECTION_STEP_DATA,
    BTK_SECTION_NORMAL_FORMS, // btk_normal_form, by id
    BTK_SECTION_NORMAL_FORM_TEXT,
    BTK_SECTION_CUT_FILTER,   // uint64_t[]: BPE with byte cuts, see model/byte_cut.h
    BTK_SECTION_MERGE_FILTER, // uint64_t[]: BPE, see model/merge_table.h
    BTK_SECTION_WHOLE_CHARS,  // btk_edge_slot: BPE with byte cuts, see model/whole_chars.h
    BTK_SECTION_PIECES,       // btk_short_piece: see model/piece_table.h
    BTK_SECTION_TEXT_CUTS,    // uint64_t[]: see text_cut.h
    BTK_SECTION_COUNT
};

struct btk_image_section {
    uint64_t offset;
    uint64_t bytes;
};

struct btk_image_header {
    uint64_t magic;
    uint32_t version;
    uint32_t section_count;
    uint64_t bytes; // of the whole image
    uint64_t checksum;
    struct btk_image_config config;
    struct btk_image_section sections[BTK_SECTION_COUNT];
};
