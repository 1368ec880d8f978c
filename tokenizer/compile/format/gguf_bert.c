// SPDX-License-Identifier: Apache-2.0
// "bert" of llama.cpp: WordPiece with a normalization of its own, spelled with components of
// tokenizer.json. Pieces that begin a word begin with U+2581, all others go on with one.
//
//     text -> first character of each decomposition, no marks -> no control characters
//          -> words, punctuation and ideographs apart -> lower case -> longest pieces, or unknown
//
// Source: llm_tokenizer_wpm_session of llama.cpp, src/llama-vocab.cpp. What is left out: a piece that
// begins a word goes on with one, too, where U+2581 itself stands in the text.
#include "tokenizer/compile/format/gguf_bert.h"

#include <stdio.h>
#include <string.h>

#include "tokenizer/space_mark.h"

enum {
    HANGUL_BEGIN = 0xac00, // syllables, of 588 for each first consonant
    HANGUL_OF_ONE = 588,
    HANGUL_CONSONANTS = 19,
};

// Classes of Unicode 15.1: what came with 16 is a letter to llama.cpp.
static const char marks[] =
    "[\\p{M}&&[^\\x{897}\\x{10D69}-\\x{10D6D}\\x{10EFC}\\x{113B8}-\\x{113E2}"
    "\\x{11F5A}\\x{1611E}-\\x{1612F}\\x{1E5EE}\\x{1E5EF}]]";
static const char punctuation[] =
    "[[\\p{P}$+<=>^`|~]&&[^\\x{1B4E}\\x{1B4F}\\x{1B7F}\\x{10D6E}\\x{113D4}-\\x{113D8}\\x{11BE1}"
    "\\x{16D6D}-\\x{16D6F}\\x{1E5FF}]]";

static void begin_step(struct btk_json_writer *writer, const char *type)
{
    btk_json_begin_object(writer);
    btk_json_name(writer, "type");
    btk_json_string(writer, type);
}

static void write_step(struct btk_json_writer *writer, const char *type)
{
    begin_step(writer, type);
    btk_json_end_object(writer);
}

// `kind`: Regex or String.
static void write_pattern(struct btk_json_writer *writer, const char *kind, const char *pattern)
{
    btk_json_name(writer, "pattern");
    btk_json_begin_object(writer);
    btk_json_name(writer, kind);
    btk_json_string(writer, pattern);
    btk_json_end_object(writer);
}

static void write_replace(struct btk_json_writer *writer, const char *kind, const char *pattern,
                          const char *content)
{
    begin_step(writer, "Replace");
    write_pattern(writer, kind, pattern);
    btk_json_name(writer, "content");
    btk_json_string(writer, content);
    btk_json_end_object(writer);
}

// Of a syllable the first consonant is left, of all else the character below its marks.
static void write_strip_accents(struct btk_json_writer *writer)
{
    for (unsigned i = 0; i < HANGUL_CONSONANTS; i++) {
        char syllables[40];
        const unsigned begin = HANGUL_BEGIN + i * HANGUL_OF_ONE;
        const char consonant[] = {(char)0xe1, (char)0x84, (char)(0x80 + i), 0}; // U+1100 and on
        snprintf(syllables, sizeof syllables, "[\\x{%X}-\\x{%X}]", begin,
                 begin + HANGUL_OF_ONE - 1);
        write_replace(writer, "Regex", syllables, consonant);
    }
    write_step(writer, "NFD");
    write_replace(writer, "Regex", marks, "");
}

static void write_ideographs_apart(struct btk_json_writer *writer)
{
    static const char *const off[] = {"clean_text", "strip_accents", "lowercase"};
    begin_step(writer, "BertNormalizer");
    btk_json_name(writer, "handle_chinese_chars");
    btk_json_bool(writer, true);
    for (size_t i = 0; i < BTK_ARRAY_COUNT(off); i++) {
        btk_json_name(writer, off[i]);
        btk_json_bool(writer, false);
    }
    btk_json_end_object(writer);
}

static void write_normalizer(struct btk_json_writer *writer, const struct btk_gguf_bert *bert)
{
    btk_json_name(writer, "normalizer");
    begin_step(writer, "Sequence");
    btk_json_name(writer, "normalizers");
    btk_json_begin_array(writer);
    if (bert->strips_accents) write_strip_accents(writer);
    // Control, format and private characters that are no space.
    write_replace(writer, "Regex",
                  "[\\x00-\\x08\\x0E-\\x1F\\x7F-\\x{84}\\x{86}-\\x{9F}\\p{Cf}\\p{Co}\\x{FFFD}]",
                  "");
    write_ideographs_apart(writer);
    if (bert->lowercases) {
        // One character in lower case, of which it otherwise would have two.
        if (!bert->strips_accents) write_replace(writer, "String", "\xc4\xb0", "i");
        write_step(writer, "Lowercase");
    }
    btk_json_end_array(writer);
    btk_json_end_object(writer);
}

static void write_pre_tokenizer(struct btk_json_writer *writer)
{
    btk_json_name(writer, "pre_tokenizer");
    begin_step(writer, "Sequence");
    btk_json_name(writer, "pretokenizers");
    btk_json_begin_array(writer);
    write_step(writer, "WhitespaceSplit");
    begin_step(writer, "Split");
    write_pattern(writer, "Regex", punctuation);
    btk_json_name(writer, "behavior");
    btk_json_string(writer, "Isolated");
    btk_json_name(writer, "invert");
    btk_json_bool(writer, false);
    btk_json_end_object(writer);
    btk_json_end_array(writer);
    btk_json_end_object(writer);
}

// Names of the vocabulary: what begins a word without its mark, what goes on with "##".
static int write_vocabulary(struct btk_json_writer *writer, struct btk_format *format)
{
    struct btk_buffer name = {0};
    int status = 0;
    btk_json_name(writer, "vocab");
    btk_json_begin_object(writer);
    for (uint32_t id = 0; id < format->token_count && !status; id++) {
        const struct btk_format_token *const token = &format->tokens[id];
        struct btk_bytes text = token->text;
        const bool is_plain =
            token->kind == BTK_FORMAT_TOKEN_NORMAL || token->kind == BTK_FORMAT_TOKEN_UNUSED;
        const bool begins_word = is_plain && text.length > BTK_SPACE_MARK_BYTES
                                 && memcmp(text.data, BTK_SPACE_MARK, BTK_SPACE_MARK_BYTES) == 0;
        name.length = 0;
        if (begins_word)
            text = (struct btk_bytes){text.data + BTK_SPACE_MARK_BYTES,
                                      text.length - BTK_SPACE_MARK_BYTES};
        else if (is_plain)
            status = btk_buffer_append(&name, "##", 2);
        if (!status) status = btk_buffer_append(&name, text.data, text.length);
        btk_json_name_text(writer, (struct btk_bytes){name.data, name.length});
        btk_json_unsigned(writer, id);
    }
    btk_json_end_object(writer);
    btk_buffer_clear(&name);
    return status < 0 ? btk_format_no_memory(format) : 0;
}

int btk_gguf_write_bert(struct btk_format *format, const struct btk_gguf_bert *bert,
                        struct btk_json_writer *writer)
{
    write_normalizer(writer, bert);
    write_pre_tokenizer(writer);
    btk_json_name(writer, "decoder");
    begin_step(writer, "WordPiece");
    btk_json_name(writer, "prefix");
    btk_json_string(writer, "##");
    btk_json_name(writer, "cleanup");
    btk_json_bool(writer, true);
    btk_json_end_object(writer);
    btk_json_name(writer, "model");
    begin_step(writer, "WordPiece");
    btk_json_name(writer, "unk_token");
    btk_json_text(writer, format->tokens[bert->unknown].text);
    btk_json_name(writer, "continuing_subword_prefix");
    btk_json_string(writer, "##");
    btk_json_name(writer, "max_input_chars_per_word");
    btk_json_unsigned(writer, INT32_MAX);
    const int status = write_vocabulary(writer, format);
    btk_json_end_object(writer);
    if (status < 0) return status;
    return writer->status < 0 ? btk_format_no_memory(format) : 0;
}
