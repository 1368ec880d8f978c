// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buffer.h"
#include "common/json_writer.h"
#include "common/utf8.h"
#include "ipc/endpoint.h"
#include "kernels/pretok/pretok.h"
#include "tokenizer/decoder/step_kind.h"
#include "tokenizer/image.h"
#include "tokenizer/normalizer/steps.h"
#include "tokenizer/pretokenizer/step_kind.h"
#include "tokenizer/text_cut.h"
#include "tools/commands.h"
#include "tools/exit_status.h"
#include "tools/open_tokenizer.h"
#include "tools/recorder_print.h"

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

// By their names; none is null, one is no list.
static void write_steps(struct btk_json_writer *writer, const char *name,
                        const struct btk_step_list *list, const char *const *names)
{
    btk_json_name(writer, name);
    if (!list->count) btk_json_null(writer);
    if (list->count == 1) btk_json_string(writer, names[list->steps[0].kind]);
    if (list->count < 2) return;
    btk_json_begin_array(writer);
    for (uint32_t i = 0; i < list->count; i++) btk_json_string(writer, names[list->steps[i].kind]);
    btk_json_end_array(writer);
}

static void write_normalizer(struct btk_json_writer *writer, const struct btk_image *image)
{
    static const char *const names[BTK_NORMALIZER_STEP_COUNT] = {
#define STEP(NAME, function) [BTK_NORMALIZER_STEP_##NAME] = #function,
        BTK_NORMALIZER_LIST(STEP)
#undef STEP
    };
    const struct btk_image_config *const config = image->config;
    if (config->normalizer != BTK_NORMALIZER_BERT) {
        write_steps(writer, "normalizer", &image->normalizer, names);
        return;
    }
    write_text(writer, "normalizer", "BertNormalizer");
    write_flag(writer, "clean_text", config->bert_flags & BTK_BERT_CLEAN_TEXT);
    write_flag(writer, "handle_chinese_chars", config->bert_flags & BTK_BERT_CHINESE);
    write_flag(writer, "strip_accents", config->bert_flags & BTK_BERT_STRIP_ACCENTS);
    write_flag(writer, "lowercase", config->bert_flags & BTK_BERT_LOWERCASE);
}

static const char *const model_names[] = {
    [BTK_MODEL_WORDPIECE] = "WordPiece",
    [BTK_MODEL_BPE] = "BPE",
    [BTK_MODEL_UNIGRAM] = "Unigram",
    [BTK_MODEL_WORDLEVEL] = "WordLevel",
};

static const char *pattern_name(uint32_t pattern)
{
    switch (pattern) {
#define PATTERN(name, NAME, source)                                                                \
    case BTK_PATTERN_##NAME: return #name;
        BTK_PATTERN_LIST(PATTERN)
#undef PATTERN
    default: return NULL;
    }
}

static void write_pretokenizer(struct btk_json_writer *writer, const struct btk_image *image)
{
    static const char *const names[BTK_STEP_KIND_END] = {
        [BTK_STEP_SPLIT_WHITESPACE] = "split_whitespace",
        [BTK_STEP_SPLIT_PUNCTUATION] = "split_punctuation",
        [BTK_STEP_SPLIT_NUMERIC] = "split_numeric",
        [BTK_STEP_SPLIT_WORDS] = "split_words",
        [BTK_STEP_SPLIT_LITERAL] = "split_literal",
        [BTK_STEP_SPLIT_PATTERN] = "split_pattern",
        [BTK_STEP_SPLIT_REGEX] = "split_regex",
        [BTK_STEP_SCRIPTS] = "scripts",
        [BTK_STEP_FIXED_LENGTH] = "fixed_length",
        [BTK_STEP_SPACES] = "spaces",
        [BTK_STEP_ALPHABET] = "alphabet",
        [BTK_STEP_BYTES] = "bytes",
        [BTK_STEP_SPLIT_SET] = "split_set",
    };
    const struct btk_image_config *const config = image->config;
    if (config->pretokenizer == BTK_PRETOKENIZER_STEPS) {
        write_steps(writer, "pre_tokenizer", &image->pretokenizer, names);
        return;
    }
    const bool splits = config->flags & BTK_PIPELINE_USE_REGEX;
    const char *const name =
        config->pretokenizer == BTK_PRETOKENIZER_BERT ? "BertPreTokenizer" : "ByteLevel";
    const bool is_there = splits || config->pretokenizer == BTK_PRETOKENIZER_BERT
                          || (config->flags & BTK_PIPELINE_MODEL_READS_BYTES);
    write_text(writer, "pre_tokenizer", is_there ? name : NULL);
    if (splits) write_text(writer, "pattern", pattern_name(config->pattern));
}

static void write_decoder(struct btk_json_writer *writer, const struct btk_step_list *list)
{
    static const char *const names[BTK_DECODE_KIND_END] = {
        [BTK_DECODE_SPACED] = "none",
        [BTK_DECODE_REPLACE] = "Replace",
        [BTK_DECODE_REPLACE_REGEX] = "Replace",
        [BTK_DECODE_STRIP] = "Strip",
        [BTK_DECODE_METASPACE] = "Metaspace",
        [BTK_DECODE_WORDPIECE] = "WordPiece",
        [BTK_DECODE_SUFFIX] = "BPEDecoder",
        [BTK_DECODE_CTC] = "CTC",
        [BTK_DECODE_BYTE_FALLBACK] = "ByteFallback",
        [BTK_DECODE_BYTE_LEVEL] = "ByteLevel",
        [BTK_DECODE_FUSE] = "Fuse",
        [BTK_DECODE_SENTENCEPIECE] = "sentencepiece",
    };
    write_steps(writer, "decoder", list, names);
}

// --- Where texts may be cut

// Characters that stand for the pairs that most texts have.
static const struct char_group {
    const char *name;
    const char *chars; // each of one to three bytes
} char_groups[] = {
    {"letter", "aeszAQ"},      {"digit", "059"},
    {"punctuation", ".,;:!?"}, {"space", " "},
    {"newline", "\n"},         {"ideograph", "\xe4\xb8\xad\xe6\x96\x87"},
    {"kana", "\xe3\x81\xae"},  {"ideographic_full_stop", "\xe3\x80\x82"},
};

static bool are_cut(const struct btk_image *image, const char *left, const char *right)
{
    char text[8] = {0};
    const size_t left_bytes = btk_utf8_length((uint8_t)*left);
    const size_t right_bytes = btk_utf8_length((uint8_t)*right);
    memcpy(text, left, left_bytes);
    memcpy(text + left_bytes, right, right_bytes);
    const struct btk_bytes bytes = {(const uint8_t *)text, left_bytes + right_bytes};
    return btk_text_is_cut(image, bytes, left_bytes);
}

// All of one group before all of the other.
static bool are_all_cut(const struct btk_image *image, const struct char_group *left,
                        const struct char_group *right)
{
    for (const char *x = left->chars; *x; x += btk_utf8_length((uint8_t)*x))
        for (const char *y = right->chars; *y; y += btk_utf8_length((uint8_t)*y))
            if (!are_cut(image, x, y)) return false;
    return true;
}

// What may stand behind each group: {"letter": ["space", ...], ...}. Other pairs are not named.
static void write_cut_pairs(struct btk_json_writer *writer, const struct btk_image *image)
{
    btk_json_begin_object(writer);
    for (size_t i = 0; i < BTK_ARRAY_COUNT(char_groups); i++) {
        bool has_any = false;
        for (size_t j = 0; j < BTK_ARRAY_COUNT(char_groups); j++) {
            if (!are_all_cut(image, &char_groups[i], &char_groups[j])) continue;
            if (!has_any) btk_json_name(writer, char_groups[i].name);
            if (!has_any) btk_json_begin_array(writer);
            btk_json_string(writer, char_groups[j].name);
            has_any = true;
        }
        if (has_any) btk_json_end_array(writer);
    }
    btk_json_end_object(writer);
}

static void write_cuts(struct btk_json_writer *writer, const struct btk_image *image)
{
    const char *const reason = btk_text_cut_reason(image);
    btk_json_name(writer, "cuts");
    if (reason)
        btk_json_null(writer);
    else
        write_cut_pairs(writer, image);
    if (reason) {
        write_text(writer, "no_cuts", reason);
        return;
    }
    write_flag(writer, "cuts_are_inside_words",
               image->config->text_cuts != BTK_TEXT_CUTS_BETWEEN_WORDS);
    write_flag(writer, "cuts_move_offsets", btk_text_cuts_move_offsets(image));
}

static void write_pipeline(struct btk_json_writer *writer, const struct btk_image *image)
{
    const struct btk_image_config *const config = image->config;
    write_normalizer(writer, image);
    write_pretokenizer(writer, image);
    write_flag(writer, "add_prefix_space", config->flags & BTK_PIPELINE_ADD_PREFIX_SPACE);
    write_flag(writer, "trim_offsets", config->flags & BTK_PIPELINE_TRIM_OFFSETS);
    write_decoder(writer, &image->decoder);
    write_number(writer, "special_tokens_before", config->prefix_count);
    write_number(writer, "special_tokens_behind", config->suffix_count);
}

// As the errors name it, in one word: "pretokenizer_steps".
static const char *member_name(enum btk_section section, char name[64])
{
    size_t length = 0;
    for (const char *at = btk_image_section_name(section); *at && length < 63; at++)
        if (*at == ' ')
            name[length++] = '_';
        else if (*at != '-')
            name[length++] = *at;
    name[length] = 0;
    return name;
}

static void write_sections(struct btk_json_writer *writer, const struct btk_image_header *header)
{
    char name[64];
    btk_json_name(writer, "bytes");
    btk_json_begin_object(writer);
    for (unsigned i = 0; i < BTK_SECTION_COUNT; i++)
        write_number(writer, member_name(i, name), header->sections[i].bytes);
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
    write_text(&writer, "model", model_names[config->model]);
    write_number(&writer, "image_version", image->header->version);
    write_number(&writer, "image_bytes", image->header->bytes);
    write_number(&writer, "vocabulary", config->vocabulary_count);
    write_number(&writer, "tokens", config->token_count);
    write_number(&writer, "added_tokens", config->added_count);
    write_number(&writer, "longest_token_bytes", config->token_bytes_max);
    write_pipeline(&writer, image);
    write_cuts(&writer, image);
    write_sections(&writer, image->header);
    btk_json_end_object(&writer);
    if (!writer.status) printf("%.*s\n", (int)text.length, (const char *)text.data);
    btk_buffer_clear(&text);
    return writer.status;
}

// --- A flight recorder

static int read_recording(const char *name, struct btk_recording *out_recording,
                          struct btk_error *error)
{
    struct btk_endpoint endpoint;
    char path[BTK_RECORDER_PATH_MAX];
    if (strncmp(name, "ipc://", 6) != 0) return btk_recording_read(name, out_recording, error);
    const int rc = btk_endpoint_parse(name, &endpoint, error);
    if (rc != 0) return rc;
    btk_recorder_path(&endpoint, path);
    return btk_recording_read(path, out_recording, error);
}

static int open_output(const struct btk_options *options, FILE **out_file, struct btk_error *error)
{
    const char *const path = options->values[BTK_OPTION_output];
    *out_file = stdout;
    if (path == NULL || strcmp(path, "-") == 0) return 0;
    *out_file = fopen(path, "we");
    if (*out_file != NULL) return 0;
    return btk_error_set(error, errno, BTK_NO_OFFSET, "%s: %s", path, strerror(errno));
}

static int write_recording(const struct btk_options *options, const struct btk_recording *recording,
                           bool is_chrome, struct btk_error *error)
{
    FILE *file = NULL;
    int rc = open_output(options, &file, error);
    if (rc != 0) return rc;
    rc = is_chrome ? btk_recorder_print_chrome(recording, file)
                   : btk_recorder_print_table(recording, file);
    // Of standard output main() looks after the end.
    if (file != stdout && (ferror(file) | fclose(file)) != 0 && rc == 0) rc = -EIO;
    if (rc == 0) return 0;
    return btk_error_set(error, -rc, BTK_NO_OFFSET, "recorder: %s", strerror(-rc));
}

static int inspect_recorder(const struct btk_options *options)
{
    static const char *const formats[] = {"table", "chrome", NULL};
    struct btk_recording recording = {0};
    struct btk_error error;
    unsigned format = 0;
    if (options->file_count > 0) {
        btk_error_set(&error, EINVAL, BTK_NO_OFFSET, "%s: --recorder takes no tokenizer file",
                      options->files[0]);
        return btk_exit_report(BTK_EXIT_USAGE, &error);
    }
    if (btk_options_choice(options, BTK_OPTION_output_format, formats, &format, &error) != 0)
        return btk_exit_report(BTK_EXIT_USAGE, &error);
    int rc = read_recording(options->values[BTK_OPTION_recorder], &recording, &error);
    if (rc == 0) rc = write_recording(options, &recording, format == 1, &error);
    btk_recording_clear(&recording);
    return rc == 0 ? BTK_EXIT_DONE : btk_exit_report(BTK_EXIT_FILE, &error);
}

int btk_command_inspect(const struct btk_options *options)
{
    struct btk_error error;
    struct btk_buffer image;
    struct btk_image view;
    if (btk_options_has(options, BTK_OPTION_recorder)) return inspect_recorder(options);
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
