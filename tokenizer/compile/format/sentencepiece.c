// SPDX-License-Identifier: Apache-2.0
// .model: a SentencePiece ModelProto, read as the processor of sentencepiece 0.2.3 reads it.
//
// Source: sentencepiece_model.proto and InitializePieces() of model_interface.cc, for what is an error.
#include <errno.h>
#include <math.h>
#include <string.h>

#include "common/utf8.h"
#include "common/wire_reader.h"
#include "tokenizer/compile/format/format.h"

enum { PIECE_BYTES_LIMIT = 8000 }; // that of the reference

// Field numbers of sentencepiece_model.proto.
enum model_field {
    FIELD_PIECES = 1,
    FIELD_TRAINER = 2,
    FIELD_NORMALIZER = 3,
    FIELD_DENORMALIZER = 5
};
enum piece_field { FIELD_PIECE_TEXT = 1, FIELD_PIECE_SCORE = 2, FIELD_PIECE_TYPE = 3 };
enum trainer_field {
    FIELD_MODEL_TYPE = 3,
    FIELD_WHITESPACE_SUFFIX = 24,
    FIELD_BYTE_FALLBACK = 35,
    FIELD_UNKNOWN_SURFACE = 44
};
enum normalizer_field {
    FIELD_CHARSMAP = 2,
    FIELD_DUMMY_PREFIX = 3,
    FIELD_REMOVE_SPACES = 4,
    FIELD_ESCAPE_SPACES = 5
};

static int refuse(struct btk_format *format, const char *what)
{
    return btk_format_refuse(format, BTK_NO_OFFSET, "%s; this is not a sound SentencePiece model",
                             what);
}

static uint32_t token_kind(uint64_t type)
{
    switch (type) {
    case 1: return BTK_FORMAT_TOKEN_NORMAL;
    case 2: return BTK_FORMAT_TOKEN_UNKNOWN;
    case 3: return BTK_FORMAT_TOKEN_CONTROL;
    case 4: return BTK_FORMAT_TOKEN_USER_DEFINED;
    case 5: return BTK_FORMAT_TOKEN_UNUSED;
    case 6: return BTK_FORMAT_TOKEN_BYTE;
    default: return BTK_FORMAT_TOKEN_MISSING;
    }
}

static int check_piece(struct btk_format *format, struct btk_format_token *piece)
{
    const bool is_null = piece->text.length == 1 && piece->text.data[0] == 0;
    if (is_null && format->sentencepiece.byte_fallback) piece->kind = BTK_FORMAT_TOKEN_UNUSED;
    if (piece->kind == BTK_FORMAT_TOKEN_MISSING)
        return refuse(format, "a piece is of an unknown type");
    if (!piece->text.length) return refuse(format, "a piece is empty");
    if (piece->text.length >= PIECE_BYTES_LIMIT)
        return refuse(format, "a piece has 8000 bytes or more");
    if (btk_utf8_valid_prefix(piece->text.data, piece->text.length) != piece->text.length)
        return refuse(format, "a piece is not UTF-8");
    if (memchr(piece->text.data, 0, piece->text.length)
        && !(is_null && piece->kind == BTK_FORMAT_TOKEN_UNUSED))
        return refuse(format, "a piece has a null character");
    return isfinite(piece->score) ? 0 : refuse(format, "a score is not a finite number");
}

static int read_piece(struct btk_format *format, struct btk_bytes message,
                      struct btk_format_token *out_piece)
{
    struct btk_wire_reader reader;
    struct btk_wire_field field;
    *out_piece = (struct btk_format_token){.kind = BTK_FORMAT_TOKEN_NORMAL};
    btk_wire_reader_init(&reader, message);
    while (btk_wire_reader_next(&reader, &field)) {
        if (field.number == FIELD_PIECE_TEXT && field.type == BTK_WIRE_BYTES)
            out_piece->text = field.bytes;
        else if (field.number == FIELD_PIECE_SCORE && field.type == BTK_WIRE_FIXED32)
            out_piece->score = btk_wire_float(&field);
        else if (field.number == FIELD_PIECE_TYPE && field.type == BTK_WIRE_VARINT)
            out_piece->kind = token_kind(field.value);
    }
    return reader.is_broken ? refuse(format, "a piece is damaged") : 0;
}

static int read_trainer(struct btk_format *format, struct btk_bytes message)
{
    struct btk_format_sentencepiece *const settings = &format->sentencepiece;
    struct btk_wire_reader reader;
    struct btk_wire_field field;
    btk_wire_reader_init(&reader, message);
    while (btk_wire_reader_next(&reader, &field)) {
        const bool is_number = field.type == BTK_WIRE_VARINT;
        if (field.number == FIELD_MODEL_TYPE && is_number)
            settings->model_type = (uint32_t)field.value;
        else if (field.number == FIELD_WHITESPACE_SUFFIX && is_number)
            settings->has_whitespace_suffix = field.value != 0;
        else if (field.number == FIELD_BYTE_FALLBACK && is_number)
            settings->byte_fallback = field.value != 0;
        else if (field.number == FIELD_UNKNOWN_SURFACE && field.type == BTK_WIRE_BYTES)
            settings->unknown_surface = field.bytes;
    }
    if (reader.is_broken) return refuse(format, "its trainer_spec is damaged");
    if (settings->model_type < BTK_SENTENCEPIECE_UNIGRAM
        || settings->model_type > BTK_SENTENCEPIECE_CHAR)
        return refuse(format, "its model_type is none of unigram, bpe, word, char");
    const struct btk_bytes surface = settings->unknown_surface;
    return btk_utf8_valid_prefix(surface.data, surface.length) == surface.length
               ? 0
               : refuse(format, "its unk_surface is not UTF-8");
}

static int read_normalizer(struct btk_format *format, struct btk_bytes message,
                           struct btk_format_spaces *out_spaces)
{
    struct btk_wire_reader reader;
    struct btk_wire_field field;
    btk_wire_reader_init(&reader, message);
    while (btk_wire_reader_next(&reader, &field)) {
        const bool is_number = field.type == BTK_WIRE_VARINT;
        if (field.number == FIELD_CHARSMAP && field.type == BTK_WIRE_BYTES)
            out_spaces->charsmap = field.bytes;
        else if (field.number == FIELD_DUMMY_PREFIX && is_number)
            out_spaces->adds_dummy_prefix = field.value != 0;
        else if (field.number == FIELD_REMOVE_SPACES && is_number)
            out_spaces->removes_extra = field.value != 0;
        else if (field.number == FIELD_ESCAPE_SPACES && is_number)
            out_spaces->escapes = field.value != 0;
    }
    return reader.is_broken ? refuse(format, "a normalizer_spec is damaged") : 0;
}

// The settings decide what a piece may be, and may stand behind the pieces.
static int read_settings(struct btk_format *format, struct btk_bytes file, uint32_t *out_count)
{
    struct btk_format_sentencepiece *const settings = &format->sentencepiece;
    struct btk_wire_reader reader;
    struct btk_wire_field field;
    const struct btk_format_spaces defaults = {
        .adds_dummy_prefix = true, .removes_extra = true, .escapes = true};
    static const char surface[] = " \xe2\x81\x87 ";
    *settings = (struct btk_format_sentencepiece){
        .model_type = BTK_SENTENCEPIECE_UNIGRAM,
        .unknown_surface = {(const uint8_t *)surface, sizeof surface - 1},
        .normalizer = defaults,
        .denormalizer = defaults};
    uint64_t count = 0;
    int status = 0;
    btk_wire_reader_init(&reader, file);
    while (!status && btk_wire_reader_next(&reader, &field)) {
        if (field.type != BTK_WIRE_BYTES) continue;
        if (field.number == FIELD_PIECES) count++;
        if (field.number == FIELD_TRAINER) status = read_trainer(format, field.bytes);
        if (field.number == FIELD_NORMALIZER)
            status = read_normalizer(format, field.bytes, &settings->normalizer);
        if (field.number == FIELD_DENORMALIZER)
            status = read_normalizer(format, field.bytes, &settings->denormalizer);
    }
    if (status < 0) return status;
    if (reader.is_broken)
        return btk_format_refuse(format, reader.position,
                                 "what stands at byte %zu is no field of a SentencePiece model",
                                 reader.position);
    if (!count) return refuse(format, "it has no pieces");
    if (count > BTK_TOKEN_LIMIT) return refuse(format, "it has too many pieces");
    *out_count = (uint32_t)count;
    return 0;
}

static int read_pieces(struct btk_format *format, struct btk_bytes file)
{
    struct btk_wire_reader reader;
    struct btk_wire_field field;
    uint32_t id = 0;
    btk_wire_reader_init(&reader, file);
    while (id < format->token_count && btk_wire_reader_next(&reader, &field)) {
        if (field.number != FIELD_PIECES || field.type != BTK_WIRE_BYTES) continue;
        struct btk_format_token *const piece = &format->tokens[id++];
        int status = read_piece(format, field.bytes, piece);
        if (!status) status = check_piece(format, piece);
        if (status < 0) return status;
    }
    return 0;
}

// "<0x41>"
static bool try_byte_piece(struct btk_bytes text, uint8_t *out_byte)
{
    static const char digits[] = "0123456789ABCDEF";
    if (text.length != 6 || memcmp(text.data, "<0x", 3) != 0 || text.data[5] != '>') return false;
    const char *const high = memchr(digits, text.data[3], 16);
    const char *const low = memchr(digits, text.data[4], 16);
    if (!high || !low) return false;
    *out_byte = (uint8_t)((high - digits) << 4 | (low - digits));
    return true;
}

static int check_pieces(struct btk_format *format)
{
    bool has_byte[256] = {false};
    unsigned byte_count = 0, unknown_count = 0;
    const bool byte_fallback = format->sentencepiece.byte_fallback;
    for (uint32_t id = 0; id < format->token_count; id++) {
        const struct btk_format_token *const piece = &format->tokens[id];
        if (piece->kind == BTK_FORMAT_TOKEN_UNKNOWN && unknown_count++)
            return refuse(format, "it has two unknown pieces");
        if (piece->kind != BTK_FORMAT_TOKEN_BYTE) continue;
        uint8_t byte;
        if (!byte_fallback) return refuse(format, "it has byte pieces, but no byte_fallback");
        if (!try_byte_piece(piece->text, &byte)) return refuse(format, "a byte piece is no byte");
        byte_count += !has_byte[byte];
        has_byte[byte] = true;
    }
    if (byte_fallback && byte_count != 256)
        return refuse(format, "it has byte_fallback, but not 256 byte pieces");
    if (!byte_fallback && !unknown_count) return refuse(format, "it has no unknown piece");
    return 0;
}

// Control pieces are special tokens, for those who want to find them in texts.
static int write_frame(struct btk_format *format)
{
    struct btk_json_writer writer;
    btk_json_writer_init(&writer, &format->frame);
    btk_json_begin_object(&writer);
    btk_json_name(&writer, "added_tokens");
    btk_json_begin_array(&writer);
    for (uint32_t id = 0; id < format->token_count; id++)
        if (format->tokens[id].kind == BTK_FORMAT_TOKEN_CONTROL)
            btk_format_write_added(&writer, format->tokens[id].text, id, true);
    btk_json_end_array(&writer);
    btk_json_end_object(&writer);
    return writer.status < 0 ? btk_format_no_memory(format) : 0;
}

int btk_format_read_sentencepiece(struct btk_format *format, struct btk_bytes file)
{
    uint32_t count = 0;
    int status = read_settings(format, file, &count);
    if (!status) status = btk_format_reserve_tokens(format, count);
    if (!status) status = read_pieces(format, file);
    if (!status) status = check_pieces(format);
    return status < 0 ? status : write_frame(format);
}
