// SPDX-License-Identifier: Apache-2.0
// The components around a vocabulary of bytes, as tiktoken and llama.cpp read it.
#include "tokenizer/compile/format/format.h"

static void write_split(struct btk_json_writer *writer, struct btk_bytes pattern,
                        bool drops_the_rest)
{
    btk_json_begin_object(writer);
    btk_json_name(writer, "type");
    btk_json_string(writer, "Split");
    btk_json_name(writer, "pattern");
    btk_json_begin_object(writer);
    btk_json_name(writer, "Regex");
    btk_json_text(writer, pattern);
    btk_json_end_object(writer);
    btk_json_name(writer, "behavior");
    btk_json_string(writer, drops_the_rest ? "Removed" : "Isolated");
    btk_json_name(writer, "invert");
    btk_json_bool(writer, drops_the_rest);
    btk_json_end_object(writer);
}

static void write_byte_level(struct btk_json_writer *writer)
{
    btk_json_begin_object(writer);
    btk_json_name(writer, "type");
    btk_json_string(writer, "ByteLevel");
    btk_json_name(writer, "add_prefix_space");
    btk_json_bool(writer, false);
    btk_json_name(writer, "trim_offsets");
    btk_json_bool(writer, false);
    btk_json_name(writer, "use_regex");
    btk_json_bool(writer, false);
    btk_json_end_object(writer);
}

void btk_format_write_added(struct btk_json_writer *writer, struct btk_bytes text, uint32_t id,
                            bool is_special)
{
    btk_json_begin_object(writer);
    btk_json_name(writer, "id");
    btk_json_unsigned(writer, id);
    btk_json_name(writer, "content");
    btk_json_text(writer, text);
    btk_json_name(writer, "special");
    btk_json_bool(writer, is_special);
    btk_json_name(writer, "normalized");
    btk_json_bool(writer, false);
    btk_json_end_object(writer);
}

void btk_format_write_byte_level(struct btk_json_writer *writer, const struct btk_bytes *patterns,
                                 size_t pattern_count, bool drops_the_rest)
{
    btk_json_name(writer, "pre_tokenizer");
    btk_json_begin_object(writer);
    btk_json_name(writer, "type");
    btk_json_string(writer, "Sequence");
    btk_json_name(writer, "pretokenizers");
    btk_json_begin_array(writer);
    for (size_t i = 0; i < pattern_count; i++) write_split(writer, patterns[i], drops_the_rest);
    write_byte_level(writer);
    btk_json_end_array(writer);
    btk_json_end_object(writer);
    btk_json_name(writer, "decoder");
    write_byte_level(writer);
}

// tiktoken encodes what the pattern matches and nothing else, looks for the whole piece first, and
// knows no normalizer and no post-processor.
int btk_format_byte_level_frame(struct btk_format *format, struct btk_bytes pattern,
                                const struct btk_compile_special *specials, size_t special_count)
{
    struct btk_json_writer writer;
    btk_json_writer_init(&writer, &format->frame);
    format->is_tiktoken_dialect = true;
    btk_json_begin_object(&writer);
    btk_json_name(&writer, "added_tokens");
    btk_json_begin_array(&writer);
    for (size_t i = 0; i < special_count; i++)
        btk_format_write_added(&writer, specials[i].text, specials[i].id, true);
    btk_json_end_array(&writer);
    btk_format_write_byte_level(&writer, &pattern, 1, true);
    btk_json_name(&writer, "model");
    btk_json_begin_object(&writer);
    btk_json_name(&writer, "type");
    btk_json_string(&writer, "BPE");
    btk_json_name(&writer, "ignore_merges");
    btk_json_bool(&writer, true);
    btk_json_end_object(&writer);
    btk_json_end_object(&writer);
    return writer.status < 0 ? btk_format_no_memory(format) : 0;
}
