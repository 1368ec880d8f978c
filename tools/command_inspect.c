// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buffer.h"
#include "common/json_writer.h"
#include "tokenizer/image.h"
#include "tools/commands.h"
#include "tools/exit_status.h"
#include "tools/open_tokenizer.h"

static void write_text(struct btk_json_writer *writer, const char *name, const char *value)
{
    btk_json_name(writer, name);
    if (value)
        btk_json_string(writer, value);
    else
        btk_json_null(writer);
}

static void write_number(struct btk_json_writer *writer, const char *name, uint64_t number)
{
    btk_json_name(writer, name);
    btk_json_unsigned(writer, number);
}

static void write_flag(struct btk_json_writer *writer, const char *name, bool flag)
{
    btk_json_name(writer, name);
    btk_json_bool(writer, flag);
}

static void write_pipeline(struct btk_json_writer *writer, const struct btk_image_config *config)
{
    static const char *const decoders[] = {NULL, "WordPiece", "ByteLevel"};
    const bool has_bert = config->normalizer == BTK_NORMALIZER_BERT;
    const bool is_byte_level = config->pretokenizer == BTK_PRETOKENIZER_BYTE_LEVEL;
    write_text(writer, "normalizer", has_bert ? "BertNormalizer" : NULL);
    if (has_bert) {
        write_flag(writer, "clean_text", config->bert_flags & BTK_BERT_CLEAN_TEXT);
        write_flag(writer, "handle_chinese_chars", config->bert_flags & BTK_BERT_CHINESE);
        write_flag(writer, "strip_accents", config->bert_flags & BTK_BERT_STRIP_ACCENTS);
        write_flag(writer, "lowercase", config->bert_flags & BTK_BERT_LOWERCASE);
    }
    write_text(writer, "pre_tokenizer", is_byte_level ? "ByteLevel" : "BertPreTokenizer");
    write_flag(writer, "add_prefix_space", config->flags & BTK_PIPELINE_ADD_PREFIX_SPACE);
    write_flag(writer, "trim_offsets", config->flags & BTK_PIPELINE_TRIM_OFFSETS);
    write_text(writer, "decoder",
               config->decoder < BTK_ARRAY_COUNT(decoders) ? decoders[config->decoder] : NULL);
    write_number(writer, "special_tokens_before", config->prefix_count);
    write_number(writer, "special_tokens_behind", config->suffix_count);
}

static void write_sections(struct btk_json_writer *writer, const struct btk_image_header *header)
{
    static const char *const names[BTK_SECTION_COUNT] = {"tokens",
                                                         "token_ends",
                                                         "token_text",
                                                         "decoded_ends",
                                                         "decoded_text",
                                                         "text_lookup",
                                                         "bytes_lookup",
                                                         "byte_ids",
                                                         "char_ids",
                                                         "fallback_ids",
                                                         "affixes",
                                                         "merges",
                                                         "rank_ids",
                                                         "cut_bits",
                                                         "cut_pairs",
                                                         "trie_edges",
                                                         "trie_tokens",
                                                         "scores",
                                                         "raw_nodes",
                                                         "raw_edges",
                                                         "normal_nodes",
                                                         "normal_edges",
                                                         "template",
                                                         "normalizer_steps",
                                                         "pretokenizer_steps",
                                                         "postprocessor_steps",
                                                         "decoder_steps",
                                                         "step_data",
                                                         "normal_forms",
                                                         "normal_form_text"};
    btk_json_name(writer, "bytes");
    btk_json_begin_object(writer);
    for (unsigned i = 0; i < BTK_SECTION_COUNT; i++)
        write_number(writer, names[i], header->sections[i].bytes);
    btk_json_end_object(writer);
}

static int print_image(const struct btk_image *image)
{
    struct btk_buffer text;
    struct btk_json_writer writer;
    btk_buffer_init(&text);
    btk_json_writer_init(&writer, &text);
    const struct btk_image_config *const config = image->config;
    btk_json_begin_object(&writer);
    write_text(&writer, "model", config->model == BTK_MODEL_BPE ? "BPE" : "WordPiece");
    write_number(&writer, "image_version", image->header->version);
    write_number(&writer, "image_bytes", image->header->bytes);
    write_number(&writer, "vocabulary", config->vocabulary_count);
    write_number(&writer, "tokens", config->token_count);
    write_number(&writer, "added_tokens", config->added_count);
    write_number(&writer, "longest_token_bytes", config->token_bytes_max);
    write_pipeline(&writer, config);
    write_sections(&writer, image->header);
    btk_json_end_object(&writer);
    if (!writer.status) printf("%.*s\n", (int)text.length, (const char *)text.data);
    btk_buffer_clear(&text);
    return writer.status;
}

int btk_command_inspect(const struct btk_options *options)
{
    struct btk_error error;
    struct btk_buffer image;
    struct btk_image view;
    btk_buffer_init(&image);
    struct btk_said said;
    btk_said_read(options, &said);
    int status =
        btk_compile_named(options->file_count ? options->files[0] : NULL, &said, &image, &error);
    if (!status) status = btk_image_view(image.data, image.length, &view, &error);
    if (!status && print_image(&view) < 0)
        status = btk_error_set(&error, ENOMEM, BTK_NO_OFFSET, "not enough memory");
    btk_buffer_clear(&image);
    return status < 0 ? btk_exit_report(BTK_EXIT_FILE, &error) : BTK_EXIT_DONE;
}
