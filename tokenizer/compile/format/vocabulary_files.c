// SPDX-License-Identifier: Apache-2.0
// vocab.txt, and vocab.json with merges.txt: the vocabulary alone. What belongs around it is what the
// reference's own BertWordPieceTokenizer, ByteLevelBPETokenizer and CharBPETokenizer put there.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/json.h"
#include "common/utf8.h"
#include "tokenizer/compile/format/format.h"

static int done(struct btk_format *format, const struct btk_json_writer *writer)
{
    return writer->status < 0 ? btk_format_no_memory(format) : 0;
}

static void append_raw(struct btk_json_writer *writer, const char *json)
{
    if (!writer->status) writer->status = btk_buffer_append(writer->buffer, json, strlen(json));
}

// The next line without its end; false: there is none.
static bool next_line(struct btk_bytes file, size_t *position, struct btk_bytes *out_line)
{
    if (*position >= file.length) return false;
    const uint8_t *const begin = file.data + *position;
    const uint8_t *const newline = memchr(begin, '\n', file.length - *position);
    size_t length = newline ? (size_t)(newline - begin) : file.length - *position;
    *position += length + 1;
    if (newline && length && begin[length - 1] == '\r') length--;
    *out_line = (struct btk_bytes){begin, length};
    return true;
}

static int check_utf8(struct btk_format *format, struct btk_bytes file)
{
    const size_t valid = btk_utf8_valid_prefix(file.data, file.length);
    if (valid == file.length) return 0;
    return btk_format_refuse(format, valid, "not UTF-8 at byte %zu; this is no vocabulary file",
                             valid);
}

// --- vocab.txt

// The special tokens of BERT that the vocabulary has.
struct bert_special {
    const char *text;
    uint32_t id; // BTK_NO_TOKEN: it is not there
};

enum { SPECIAL_UNK, SPECIAL_SEP, SPECIAL_CLS, SPECIAL_PAD, SPECIAL_MASK, SPECIAL_COUNT };

// The reference trims spaces of all kinds at the end of a line; of a token that is all it can have.
static struct btk_bytes trimmed(struct btk_bytes line)
{
    while (line.length && (line.data[line.length - 1] == ' ' || line.data[line.length - 1] == '\t'))
        line.length--;
    return line;
}

static void write_vocabulary(struct btk_json_writer *writer, struct btk_bytes file,
                             struct bert_special *specials)
{
    struct btk_bytes line;
    uint32_t id = 0;
    btk_json_begin_object(writer);
    for (size_t at = 0; next_line(file, &at, &line); id++) {
        line = trimmed(line);
        btk_json_name_text(writer, line);
        btk_json_unsigned(writer, id);
        for (unsigned i = 0; i < SPECIAL_COUNT; i++)
            if (btk_bytes_are(line, specials[i].text)) specials[i].id = id;
    }
    btk_json_end_object(writer);
}

static void write_specials(struct btk_json_writer *writer, const struct bert_special *specials,
                           unsigned count)
{
    btk_json_begin_array(writer);
    for (unsigned i = 0; i < count; i++) {
        const char *const text = specials[i].text;
        if (specials[i].id != BTK_NO_TOKEN)
            btk_format_write_added(writer, (struct btk_bytes){(const uint8_t *)text, strlen(text)},
                                   specials[i].id, true);
    }
    btk_json_end_array(writer);
}

static void write_special_pair(struct btk_json_writer *writer, const char *name,
                               struct bert_special special)
{
    btk_json_name(writer, name);
    btk_json_begin_array(writer);
    btk_json_string(writer, special.text);
    btk_json_unsigned(writer, special.id);
    btk_json_end_array(writer);
}

static void write_bert_normalizer(struct btk_json_writer *writer,
                                  const struct btk_format_options *options)
{
    btk_json_name(writer, "normalizer");
    btk_json_begin_object(writer);
    btk_json_name(writer, "type");
    btk_json_string(writer, "BertNormalizer");
    btk_json_name(writer, "clean_text");
    btk_json_bool(writer, true);
    btk_json_name(writer, "handle_chinese_chars");
    btk_json_bool(writer, !options->keeps_chinese);
    btk_json_name(writer, "strip_accents");
    if (options->strip_accents < 0)
        btk_json_null(writer);
    else
        btk_json_bool(writer, options->strip_accents != 0);
    btk_json_name(writer, "lowercase");
    btk_json_bool(writer, !options->is_cased);
    btk_json_end_object(writer);
}

int btk_format_read_vocabulary_text(struct btk_format *format, struct btk_bytes file,
                                    const struct btk_format_options *options)
{
    struct bert_special specials[SPECIAL_COUNT] = {{"[UNK]", BTK_NO_TOKEN},
                                                   {"[SEP]", BTK_NO_TOKEN},
                                                   {"[CLS]", BTK_NO_TOKEN},
                                                   {"[PAD]", BTK_NO_TOKEN},
                                                   {"[MASK]", BTK_NO_TOKEN}};
    struct btk_json_writer writer;
    const int status = check_utf8(format, file);
    if (status < 0) return status;
    btk_json_writer_init(&writer, &format->frame);
    btk_json_begin_object(&writer);
    btk_json_name(&writer, "model");
    btk_json_begin_object(&writer);
    append_raw(&writer, "\"type\":\"WordPiece\",\"unk_token\":\"[UNK]\","
                        "\"continuing_subword_prefix\":\"##\",\"max_input_chars_per_word\":100,");
    btk_json_name(&writer, "vocab");
    write_vocabulary(&writer, file, specials);
    btk_json_end_object(&writer);
    if (specials[SPECIAL_SEP].id == BTK_NO_TOKEN || specials[SPECIAL_CLS].id == BTK_NO_TOKEN)
        return btk_format_refuse(
            format, BTK_NO_OFFSET,
            "has no line [CLS] or no line [SEP]; a vocabulary of BERT has both");
    btk_json_name(&writer, "added_tokens");
    write_specials(&writer, specials, SPECIAL_COUNT);
    write_bert_normalizer(&writer, options);
    btk_json_name(&writer, "pre_tokenizer");
    append_raw(&writer, "{\"type\":\"BertPreTokenizer\"},\"decoder\":{\"type\":\"WordPiece\","
                        "\"prefix\":\"##\",\"cleanup\":true},\"post_processor\":"
                        "{\"type\":\"BertProcessing\",");
    write_special_pair(&writer, "sep", specials[SPECIAL_SEP]);
    write_special_pair(&writer, "cls", specials[SPECIAL_CLS]);
    append_raw(&writer, "}");
    btk_json_end_object(&writer);
    return done(format, &writer);
}

// --- vocab.json and merges.txt

static int write_merges(struct btk_format *format, struct btk_json_writer *writer,
                        struct btk_bytes file)
{
    struct btk_bytes line;
    uint64_t number = 0;
    btk_json_begin_array(writer);
    for (size_t at = 0; next_line(file, &at, &line);) {
        const size_t begin = (size_t)(line.data - file.data);
        number++;
        if (line.length >= 8 && memcmp(line.data, "#version", 8) == 0) continue;
        const uint8_t *const space = memchr(line.data, ' ', line.length);
        const size_t head = space ? (size_t)(space - line.data) + 1 : 0;
        if (!space || memchr(line.data + head, ' ', line.length - head))
            return btk_format_refuse(
                format, begin, "merges: line %llu is to be two tokens with one space between them",
                (unsigned long long)number);
        btk_json_text(writer, line);
    }
    btk_json_end_array(writer);
    return 0;
}

static bool has_suffix(struct btk_bytes text, const char *suffix)
{
    const size_t length = strlen(suffix);
    return text.length > length && memcmp(text.data + text.length - length, suffix, length) == 0;
}

// Tokens that end in </w> are words in the manner of GPT-1; else the vocabulary is one of bytes.
static int look_at_vocabulary(struct btk_format *format, struct btk_bytes vocabulary,
                              bool *out_has_words, bool *out_has_unknown)
{
    struct btk_json *root = NULL;
    int status = btk_json_parse(vocabulary, &root, format->error);
    if (status < 0) return status;
    void *cursor = NULL;
    struct btk_bytes name;
    const struct btk_json *value;
    *out_has_words = false;
    if (btk_json_type(root) != BTK_JSON_OBJECT || !btk_json_count(root))
        status = btk_format_refuse(format, 0, "is to be an object of tokens and ids, but is %s",
                                   btk_json_type_name(root));
    *out_has_unknown = btk_json_get(root, "<unk>") != NULL;
    while (!status && btk_json_next(root, &cursor, &name, &value))
        if (has_suffix(name, "</w>")) *out_has_words = true;
    btk_json_free(root);
    return status;
}

static const char frame_of_words[] =
    "\"normalizer\":{\"type\":\"BertNormalizer\",\"clean_text\":true,\"handle_chinese_chars\":true,"
    "\"strip_accents\":null,\"lowercase\":%s},\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"},"
    "\"decoder\":{\"type\":\"BPEDecoder\",\"suffix\":\"</w>\"},";
static const char frame_of_bytes[] =
    "\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":%s,\"trim_offsets\":true,"
    "\"use_regex\":true},\"decoder\":{\"type\":\"ByteLevel\"},\"post_processor\":"
    "{\"type\":\"ByteLevel\",\"add_prefix_space\":true,\"trim_offsets\":false,\"use_regex\":true},";

static int write_frame(struct btk_format *format, bool has_words,
                       const struct btk_format_options *options)
{
    return has_words ? btk_buffer_printf(&format->frame, frame_of_words,
                                         options->is_lowercased ? "true" : "false")
                     : btk_buffer_printf(&format->frame, frame_of_bytes,
                                         options->adds_prefix_space ? "true" : "false");
}

int btk_format_read_vocabulary_json(struct btk_format *format, struct btk_bytes vocabulary,
                                    struct btk_bytes merges,
                                    const struct btk_format_options *options)
{
    bool has_words = false, has_unknown = false;
    struct btk_json_writer writer;
    int status = check_utf8(format, merges);
    if (!status) status = look_at_vocabulary(format, vocabulary, &has_words, &has_unknown);
    if (status < 0) return status;
    btk_json_writer_init(&writer, &format->frame);
    append_raw(&writer, "{");
    if (!writer.status) writer.status = write_frame(format, has_words, options);
    if (has_words && has_unknown)
        append_raw(&writer, "\"added_tokens\":[{\"content\":\"<unk>\",\"special\":true,"
                            "\"normalized\":false}],");
    append_raw(&writer, "\"model\":{\"type\":\"BPE\",");
    if (has_words) append_raw(&writer, "\"unk_token\":\"<unk>\",\"end_of_word_suffix\":\"</w>\",");
    append_raw(&writer, "\"vocab\":");
    if (!writer.status)
        writer.status = btk_buffer_append(&format->frame, vocabulary.data, vocabulary.length);
    append_raw(&writer, ",\"merges\":");
    status = write_merges(format, &writer, merges);
    if (status < 0) return status;
    append_raw(&writer, "}}");
    return done(format, &writer);
}
