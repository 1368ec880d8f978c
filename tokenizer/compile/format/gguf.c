// SPDX-License-Identifier: Apache-2.0
// GGUF: the tokenizer of a model file of llama.cpp, read as llama.cpp reads it.
//
//     tokenizer.ggml.model    llama   pieces with scores, joined by score; no normalizer but spaces
//                             gpt2    byte-level BPE; tokenizer.ggml.pre names its patterns
//                             t5      unigram with a charsmap
//                             bert    WordPiece (gguf_bert.c)
//
// User-defined tokens are looked for in the text before all else, control tokens where special text is
// parsed. Source: llama_vocab::impl::load() and tokenize() of llama.cpp, src/llama-vocab.cpp.
#include <errno.h>
#include <math.h>
#include <string.h>

#include "common/utf8.h"
#include "tokenizer/compile/format/format.h"
#include "tokenizer/compile/format/gguf_bert.h"
#include "tokenizer/compile/format/gguf_kinds.h"
#include "tokenizer/compile/format/known_gguf.h"

enum key {
    KEY_MODEL,
    KEY_PRE,
    KEY_TOKENS,
    KEY_SCORES,
    KEY_TYPES,
    KEY_MERGES,
    KEY_BOS,
    KEY_EOS,
    KEY_ADD_BOS,
    KEY_ADD_EOS,
    KEY_ADD_SPACE,
    KEY_NAME,
    KEY_UNKNOWN,
    KEY_MERGE_SPACES,
    KEY_CHARSMAP,
    KEY_FIM_PRE,
    KEY_FIM_SUF,
    KEY_FIM_MID,
    KEY_FIM_PAD,
    KEY_FIM_REP,
    KEY_FIM_SEP,
    KEY_SEPARATOR,
    KEY_LOWERCASE,
    KEY_STRIP_ACCENTS,
    KEY_COUNT
};

enum token_type {
    TYPE_NORMAL = 1,
    TYPE_UNKNOWN = 2,
    TYPE_CONTROL = 3,
    TYPE_USER_DEFINED = 4,
    TYPE_UNUSED = 5,
    TYPE_BYTE = 6
};

struct gguf {
    struct btk_format *format;
    struct btk_gguf_value values[KEY_COUNT];
    const struct btk_known_gguf *known; // NULL: not BPE of bytes
    const struct btk_gguf_bert *bert;   // NULL: not WordPiece
    uint32_t bos, eos;
    bool adds_bos, adds_eos;
};

static int refuse(struct gguf *gguf, enum key key, const char *what)
{
    return btk_format_refuse(gguf->format, BTK_NO_OFFSET, "GGUF, key \"%s\": %s",
                             gguf->values[key].key, what);
}

static int refuse_kind(struct gguf *gguf, enum key key, struct btk_bytes found,
                       const char *supported)
{
    return btk_error_set(
        gguf->format->error, ENOTSUP, BTK_NO_OFFSET,
        "GGUF, key \"%s\": \"%.*s\" is not supported by this version; supported: %s",
        gguf->values[key].key, (int)btk_min_size(found.length, 60), (const char *)found.data,
        supported);
}

// --- Tokens

static uint32_t kind_of(const struct gguf *gguf, uint32_t id)
{
    const struct btk_gguf_value *const types = &gguf->values[KEY_TYPES];
    switch (types->is_there ? btk_gguf_number_at(types, id) : (uint32_t)TYPE_NORMAL) {
    case TYPE_UNKNOWN: return BTK_FORMAT_TOKEN_UNKNOWN;
    case TYPE_CONTROL: return BTK_FORMAT_TOKEN_CONTROL;
    case TYPE_USER_DEFINED: return BTK_FORMAT_TOKEN_USER_DEFINED;
    case TYPE_BYTE: return BTK_FORMAT_TOKEN_BYTE;
    case TYPE_UNUSED: return BTK_FORMAT_TOKEN_UNUSED;
    default: return BTK_FORMAT_TOKEN_NORMAL;
    }
}

static float score_of(const struct gguf *gguf, uint32_t id)
{
    const struct btk_gguf_value *const scores = &gguf->values[KEY_SCORES];
    if (!scores->is_there) return 0;
    const uint32_t bits = btk_gguf_number_at(scores, id);
    if (scores->member_type == BTK_GGUF_I32) return (float)(int32_t)bits;
    float score;
    memcpy(&score, &bits, sizeof score);
    return score + 0.0F; // -0 compares like 0
}

static int check_columns(struct gguf *gguf)
{
    const struct btk_gguf_value *const tokens = &gguf->values[KEY_TOKENS];
    const struct btk_gguf_value *const scores = &gguf->values[KEY_SCORES];
    const struct btk_gguf_value *const types = &gguf->values[KEY_TYPES];
    if (!btk_gguf_is_array(tokens, BTK_GGUF_STRING))
        return refuse(gguf, KEY_TOKENS, "is to be an array of strings");
    if (!tokens->count || tokens->count > BTK_TOKEN_LIMIT)
        return refuse(gguf, KEY_TOKENS, "has no tokens, or too many");
    const bool is_score =
        btk_gguf_is_array(scores, BTK_GGUF_F32) || btk_gguf_is_array(scores, BTK_GGUF_I32);
    if (scores->is_there && (!is_score || scores->count < tokens->count))
        return refuse(gguf, KEY_SCORES, "is to be an array with a number for each token");
    if (types->is_there
        && (!btk_gguf_is_array(types, BTK_GGUF_I32) || types->count < tokens->count))
        return refuse(gguf, KEY_TYPES, "is to be an array with a whole number for each token");
    return 0;
}

static int read_tokens(struct gguf *gguf)
{
    struct btk_format *const format = gguf->format;
    int status = check_columns(gguf);
    if (!status)
        status = btk_format_reserve_tokens(format, (uint32_t)gguf->values[KEY_TOKENS].count);
    if (status < 0) return status;
    struct btk_bytes data = gguf->values[KEY_TOKENS].data;
    for (uint32_t id = 0; id < format->token_count; id++) {
        const struct btk_bytes text = btk_gguf_next_string(&data);
        if (!text.length) return refuse(gguf, KEY_TOKENS, "has an empty token");
        if (btk_utf8_valid_prefix(text.data, text.length) != text.length)
            return refuse(gguf, KEY_TOKENS, "has a token that is not UTF-8");
        format->tokens[id] = (struct btk_format_token){
            .text = text, .kind = kind_of(gguf, id), .score = score_of(gguf, id)};
        if (!isfinite(format->tokens[id].score))
            return refuse(gguf, KEY_SCORES, "has a score that is not finite");
    }
    return btk_gguf_mark_kinds(format, &gguf->values[KEY_FIM_PRE]);
}

// --- The frame

static void write_added(struct btk_json_writer *writer, const struct btk_format *format)
{
    btk_json_name(writer, "added_tokens");
    btk_json_begin_array(writer);
    for (uint32_t id = 0; id < format->token_count; id++) {
        const struct btk_format_token *const token = &format->tokens[id];
        const bool is_special =
            token->kind == BTK_FORMAT_TOKEN_CONTROL || token->kind == BTK_FORMAT_TOKEN_UNKNOWN;
        if (is_special || token->kind == BTK_FORMAT_TOKEN_USER_DEFINED)
            btk_format_write_added(writer, token->text, id, is_special);
    }
    btk_json_end_array(writer);
}

static void write_part(struct btk_json_writer *writer, const char *kind, struct btk_bytes id)
{
    btk_json_begin_object(writer);
    btk_json_name(writer, kind);
    btk_json_begin_object(writer);
    btk_json_name(writer, "id");
    btk_json_text(writer, id);
    btk_json_name(writer, "type_id");
    btk_json_unsigned(writer, 0);
    btk_json_end_object(writer);
    btk_json_end_object(writer);
}

static void write_parts(struct btk_json_writer *writer, const struct gguf *gguf, bool is_pair)
{
    const struct btk_format_token *const tokens = gguf->format->tokens;
    static const struct btk_bytes first = {(const uint8_t *)"A", 1};
    static const struct btk_bytes second = {(const uint8_t *)"B", 1};
    btk_json_name(writer, is_pair ? "pair" : "single");
    btk_json_begin_array(writer);
    if (gguf->adds_bos) write_part(writer, "SpecialToken", tokens[gguf->bos].text);
    write_part(writer, "Sequence", first);
    if (is_pair) write_part(writer, "Sequence", second);
    if (gguf->adds_eos) write_part(writer, "SpecialToken", tokens[gguf->eos].text);
    btk_json_end_array(writer);
}

static void write_special(struct btk_json_writer *writer, const struct gguf *gguf, uint32_t id)
{
    const struct btk_bytes text = gguf->format->tokens[id].text;
    btk_json_name_text(writer, text);
    btk_json_begin_object(writer);
    btk_json_name(writer, "id");
    btk_json_text(writer, text);
    btk_json_name(writer, "ids");
    btk_json_begin_array(writer);
    btk_json_unsigned(writer, id);
    btk_json_end_array(writer);
    btk_json_name(writer, "tokens");
    btk_json_begin_array(writer);
    btk_json_text(writer, text);
    btk_json_end_array(writer);
    btk_json_end_object(writer);
}

static void write_template(struct btk_json_writer *writer, const struct gguf *gguf)
{
    if (!gguf->adds_bos && !gguf->adds_eos) return;
    btk_json_name(writer, "post_processor");
    btk_json_begin_object(writer);
    btk_json_name(writer, "type");
    btk_json_string(writer, "TemplateProcessing");
    write_parts(writer, gguf, false);
    write_parts(writer, gguf, true);
    btk_json_name(writer, "special_tokens");
    btk_json_begin_object(writer);
    if (gguf->adds_bos) write_special(writer, gguf, gguf->bos);
    if (gguf->adds_eos && (!gguf->adds_bos || gguf->eos != gguf->bos))
        write_special(writer, gguf, gguf->eos);
    btk_json_end_object(writer);
    btk_json_end_object(writer);
}

static void write_merges(struct btk_json_writer *writer, const struct btk_gguf_value *merges)
{
    struct btk_bytes data = merges->data;
    btk_json_name(writer, "merges");
    btk_json_begin_array(writer);
    for (uint64_t i = 0; i < merges->count; i++) btk_json_text(writer, btk_gguf_next_string(&data));
    btk_json_end_array(writer);
}

static int write_bytes_model(struct gguf *gguf, struct btk_json_writer *writer)
{
    const struct btk_gguf_value *const merges = &gguf->values[KEY_MERGES];
    struct btk_bytes patterns[BTK_GGUF_PATTERNS_MAX];
    size_t count = 0;
    for (const char *const *pattern = gguf->known->patterns; *pattern; pattern++)
        patterns[count++] = (struct btk_bytes){(const uint8_t *)*pattern, strlen(*pattern)};
    btk_format_write_byte_level(writer, patterns, count, false);
    btk_json_name(writer, "model");
    btk_json_begin_object(writer);
    btk_json_name(writer, "type");
    btk_json_string(writer, "BPE");
    btk_json_name(writer, "ignore_merges");
    btk_json_bool(writer, gguf->known->ignores_merges);
    write_merges(writer, merges);
    btk_json_end_object(writer);
    return writer->status < 0 ? btk_format_no_memory(gguf->format) : 0;
}

static int write_frame(struct gguf *gguf)
{
    struct btk_json_writer writer;
    int status = 0;
    btk_json_writer_init(&writer, &gguf->format->frame);
    btk_json_begin_object(&writer);
    write_added(&writer, gguf->format);
    write_template(&writer, gguf);
    if (gguf->known) status = write_bytes_model(gguf, &writer);
    if (gguf->bert) status = btk_gguf_write_bert(gguf->format, gguf->bert, &writer);
    btk_json_end_object(&writer);
    return status < 0 ? status : writer.status < 0 ? btk_format_no_memory(gguf->format) : 0;
}

// --- The models

static int read_ends(struct gguf *gguf)
{
    struct btk_format *const format = gguf->format;
    int status = btk_gguf_take_u32(format, &gguf->values[KEY_BOS], &gguf->bos);
    if (!status) status = btk_gguf_take_u32(format, &gguf->values[KEY_EOS], &gguf->eos);
    if (!status) status = btk_gguf_take_bool(format, &gguf->values[KEY_ADD_BOS], &gguf->adds_bos);
    if (!status) status = btk_gguf_take_bool(format, &gguf->values[KEY_ADD_EOS], &gguf->adds_eos);
    if (status < 0) return status;
    if (gguf->adds_bos && gguf->bos >= format->token_count)
        return refuse(gguf, KEY_BOS, "is no token, and is to be added");
    if (gguf->adds_eos && gguf->eos >= format->token_count)
        return refuse(gguf, KEY_EOS, "is no token, and is to be added");
    return 0;
}

// What the model of sentencepiece has in its settings.
static int read_llama(struct gguf *gguf)
{
    static const char shown[] = "\xe2\x96\x85"; // for the unknown token
    struct btk_format *const format = gguf->format;
    bool adds_space = true;
    gguf->bos = 1;
    gguf->eos = 2;
    gguf->adds_bos = true;
    int status = btk_gguf_take_bool(format, &gguf->values[KEY_ADD_SPACE], &adds_space);
    if (!status) status = read_tokens(gguf);
    if (!status) status = read_ends(gguf);
    if (!status) status = btk_gguf_check_overlaps(format);
    if (status < 0) return status;
    format->sentencepiece = (struct btk_format_sentencepiece){
        .model_type = BTK_SENTENCEPIECE_BPE,
        .byte_fallback = true,
        .is_llama_cpp = true,
        .unknown_surface = {(const uint8_t *)shown, sizeof shown - 1},
        .normalizer = {.adds_dummy_prefix = adds_space, .escapes = true}};
    return write_frame(gguf);
}

static int read_charsmap(struct gguf *gguf, struct btk_bytes *out_charsmap)
{
    const struct btk_gguf_value *const charsmap = &gguf->values[KEY_CHARSMAP];
    if (!charsmap->is_there) return 0;
    if (!btk_gguf_is_array(charsmap, BTK_GGUF_U8) && !btk_gguf_is_array(charsmap, BTK_GGUF_I8))
        return refuse(gguf, KEY_CHARSMAP, "is to be an array of bytes");
    *out_charsmap = charsmap->data;
    return 0;
}

// The one unknown token is the one that the file names.
static int check_unknown(struct gguf *gguf)
{
    const struct btk_format *const format = gguf->format;
    uint32_t unknown = 2;
    const int status = btk_gguf_take_u32(gguf->format, &gguf->values[KEY_UNKNOWN], &unknown);
    if (status < 0) return status;
    for (uint32_t id = 0; id < format->token_count; id++)
        if ((format->tokens[id].kind == BTK_FORMAT_TOKEN_UNKNOWN) != (id == unknown))
            return refuse(gguf, KEY_UNKNOWN, "is to be the one token of the type unknown");
    return unknown < format->token_count ? 0 : refuse(gguf, KEY_UNKNOWN, "is no token");
}

static int read_t5(struct gguf *gguf)
{
    struct btk_format *const format = gguf->format;
    struct btk_bytes charsmap = {0};
    bool adds_space = false, merges_spaces = false;
    gguf->eos = 1;
    gguf->adds_eos = true;
    int status = btk_gguf_take_bool(format, &gguf->values[KEY_ADD_SPACE], &adds_space);
    if (!status)
        status = btk_gguf_take_bool(format, &gguf->values[KEY_MERGE_SPACES], &merges_spaces);
    if (!status && (!adds_space || !merges_spaces))
        return refuse(gguf, adds_space ? KEY_MERGE_SPACES : KEY_ADD_SPACE,
                      "is supported as true only");
    if (!status) status = read_charsmap(gguf, &charsmap);
    if (!status) status = read_tokens(gguf);
    if (!status) status = read_ends(gguf);
    if (!status) status = check_unknown(gguf);
    if (!status) status = btk_gguf_check_overlaps(format);
    if (status < 0) return status;
    static const char shown[] = " \xe2\x81\x87 ";
    format->sentencepiece = (struct btk_format_sentencepiece){
        .model_type = BTK_SENTENCEPIECE_UNIGRAM,
        .is_llama_cpp = true,
        .unknown_surface = {(const uint8_t *)shown, sizeof shown - 1},
        .normalizer = {.charsmap = charsmap,
                       .adds_dummy_prefix = true,
                       .removes_extra = true,
                       .escapes = true}};
    return write_frame(gguf);
}

static int read_bytes(struct gguf *gguf)
{
    struct btk_format *const format = gguf->format;
    struct btk_bytes pre = {(const uint8_t *)"default", 7};
    int status = btk_gguf_take_text(format, &gguf->values[KEY_PRE], &pre);
    if (status < 0) return status;
    gguf->known = btk_known_gguf_find(pre);
    if (!gguf->known) return refuse_kind(gguf, KEY_PRE, pre, btk_known_gguf_names);
    if (!btk_gguf_is_array(&gguf->values[KEY_MERGES], BTK_GGUF_STRING))
        return refuse(gguf, KEY_MERGES, "is to be an array of strings");
    gguf->bos = gguf->eos = 11;
    gguf->adds_bos = gguf->known->adds_bos;
    format->first_merge_counts = true;
    status = read_tokens(gguf);
    if (!status) status = read_ends(gguf);
    if (!status) status = btk_gguf_check_overlaps(format);
    return status < 0 ? status : write_frame(gguf);
}

// Both ends are added whatever the file says of it.
static int read_bert(struct gguf *gguf)
{
    struct btk_format *const format = gguf->format;
    struct btk_gguf_bert bert = {.unknown = 100, .lowercases = true};
    gguf->bos = 101;
    gguf->eos = 102;
    int status = btk_gguf_take_u32(format, &gguf->values[KEY_BOS], &gguf->bos);
    if (!status) status = btk_gguf_take_u32(format, &gguf->values[KEY_SEPARATOR], &gguf->eos);
    if (!status) status = btk_gguf_take_u32(format, &gguf->values[KEY_UNKNOWN], &bert.unknown);
    if (!status)
        status = btk_gguf_take_bool(format, &gguf->values[KEY_LOWERCASE], &bert.lowercases);
    bert.strips_accents = bert.lowercases;
    if (!status)
        status = btk_gguf_take_bool(format, &gguf->values[KEY_STRIP_ACCENTS], &bert.strips_accents);
    if (!status) status = read_tokens(gguf);
    if (!status) status = btk_gguf_check_overlaps(format);
    if (status < 0) return status;
    if (gguf->bos >= format->token_count) return refuse(gguf, KEY_BOS, "is no token");
    if (gguf->eos >= format->token_count) return refuse(gguf, KEY_SEPARATOR, "is no token");
    if (bert.unknown >= format->token_count) return refuse(gguf, KEY_UNKNOWN, "is no token");
    gguf->adds_bos = gguf->adds_eos = true;
    gguf->bert = &bert;
    status = write_frame(gguf);
    // All of them stand in the frame.
    format->tokens = NULL;
    format->token_count = 0;
    gguf->bert = NULL;
    return status;
}

// Models whose added tokens take spaces, which the file does not say.
static bool strips_by_name(struct btk_bytes name)
{
    static const char *const parts[] = {"phi-3", "phi3"};
    for (size_t i = 0; i < BTK_ARRAY_COUNT(parts); i++) {
        const size_t length = strlen(parts[i]);
        for (size_t at = 0; at + length <= name.length; at++) {
            size_t same = 0;
            while (same < length
                   && (name.data[at + same] == (uint8_t)parts[i][same]
                       || (name.data[at + same] | 0x20) == (uint8_t)parts[i][same]))
                same++;
            if (same == length) return true;
        }
    }
    return false;
}

int btk_format_read_gguf(struct btk_format *format, struct btk_bytes file)
{
    static const char *const keys[KEY_COUNT] = {
        [KEY_MODEL] = "tokenizer.ggml.model",
        [KEY_PRE] = "tokenizer.ggml.pre",
        [KEY_TOKENS] = "tokenizer.ggml.tokens",
        [KEY_SCORES] = "tokenizer.ggml.scores",
        [KEY_TYPES] = "tokenizer.ggml.token_type",
        [KEY_MERGES] = "tokenizer.ggml.merges",
        [KEY_BOS] = "tokenizer.ggml.bos_token_id",
        [KEY_EOS] = "tokenizer.ggml.eos_token_id",
        [KEY_ADD_BOS] = "tokenizer.ggml.add_bos_token",
        [KEY_ADD_EOS] = "tokenizer.ggml.add_eos_token",
        [KEY_ADD_SPACE] = "tokenizer.ggml.add_space_prefix",
        [KEY_NAME] = "general.name",
        [KEY_UNKNOWN] = "tokenizer.ggml.unknown_token_id",
        [KEY_MERGE_SPACES] = "tokenizer.ggml.remove_extra_whitespaces",
        [KEY_CHARSMAP] = "tokenizer.ggml.precompiled_charsmap",
        [KEY_FIM_PRE] = "tokenizer.ggml.fim_pre_token_id",
        [KEY_FIM_SUF] = "tokenizer.ggml.fim_suf_token_id",
        [KEY_FIM_MID] = "tokenizer.ggml.fim_mid_token_id",
        [KEY_FIM_PAD] = "tokenizer.ggml.fim_pad_token_id",
        [KEY_FIM_REP] = "tokenizer.ggml.fim_rep_token_id",
        [KEY_FIM_SEP] = "tokenizer.ggml.fim_sep_token_id",
        [KEY_SEPARATOR] = "tokenizer.ggml.seperator_token_id", // its spelling
        [KEY_LOWERCASE] = "tokenizer.ggml.normalizer.lowercase",
        [KEY_STRIP_ACCENTS] = "tokenizer.ggml.normalizer.strip_accents",
    };
    struct gguf gguf = {.format = format};
    struct btk_bytes model = {0}, name = {0};
    for (size_t i = 0; i < KEY_COUNT; i++) gguf.values[i].key = keys[i];
    int status = btk_gguf_read(format, file, gguf.values, KEY_COUNT);
    if (!status) status = btk_gguf_take_text(format, &gguf.values[KEY_MODEL], &model);
    if (!status) status = btk_gguf_take_text(format, &gguf.values[KEY_NAME], &name);
    if (status < 0) return status;
    if (!model.length) return refuse(&gguf, KEY_MODEL, "is missing; the file has no tokenizer");
    if (strips_by_name(name))
        return refuse_kind(&gguf, KEY_NAME, name, "models that are not of the Phi-3 family");
    if (btk_bytes_are(model, "llama")) return read_llama(&gguf);
    if (btk_bytes_are(model, "gpt2")) return read_bytes(&gguf);
    if (btk_bytes_are(model, "t5")) return read_t5(&gguf);
    if (btk_bytes_are(model, "bert")) return read_bert(&gguf);
    return refuse_kind(&gguf, KEY_MODEL, model, "llama, gpt2, t5, bert");
}
