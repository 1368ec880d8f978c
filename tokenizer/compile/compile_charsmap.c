// SPDX-License-Identifier: Apache-2.0
// A charsmap of SentencePiece: the length of a double array in bytes, its units (Darts-clone), then the
// texts that they lead to, each with a NUL behind it. Integers are little-endian.
#include <stdlib.h>
#include <string.h>

#include "common/utf8.h"
#include "tokenizer/compile/compiler.h"
#include "tokenizer/normalizer/steps.h"

// A node of the double array that is to be looked at, and the length of the keys that end there.
struct visit {
    uint32_t node;
    uint32_t depth;
};

struct survey {
    struct btk_compiler *compiler;
    const uint32_t *units;
    uint32_t count;
    struct btk_bytes texts;
    uint8_t *seen;
    struct btk_buffer queue; // struct visit
    size_t growth;           // bytes that one byte becomes at most
    bool longest_counts;     // SentencePiece; the reference takes the shortest key
};

static uint32_t read_le32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16
           | (uint32_t)bytes[3] << 24;
}

static uint32_t unit_offset(uint32_t unit)
{
    return (unit >> 10) << ((unit & (1u << 9)) >> 6);
}

static int push(struct survey *survey, uint32_t node, uint32_t depth)
{
    if (node >= survey->count || survey->seen[node]) return 0;
    survey->seen[node] = 1;
    const struct visit visit = {node, depth};
    return btk_buffer_append(&survey->queue, &visit, sizeof visit) < 0
               ? btk_compiler_no_memory(survey->compiler)
               : 0;
}

// An entry whose keys have `depth` bytes. Longer keys find it too, and become no more.
static void count_entry(struct survey *survey, uint32_t node, uint32_t depth)
{
    if (node >= survey->count) return;
    const uint32_t value = survey->units[node] & ~(1u << 31);
    if (value >= survey->texts.length) return;
    const uint8_t *const text = survey->texts.data + value;
    const uint8_t *const end = memchr(text, 0, survey->texts.length - value);
    const size_t length = end ? (size_t)(end - text) : survey->texts.length - value;
    survey->growth = btk_max_size(survey->growth, (length + depth - 1) / depth);
}

// Breadth first, so the first visit of a node is by its shortest key.
static int visit_children(struct survey *survey, struct visit visit)
{
    for (uint32_t byte = 1; byte < 256; byte++) {
        const uint32_t child = visit.node ^ byte;
        if (child >= survey->count) continue;
        const uint32_t unit = survey->units[child];
        if ((unit & (1u << 31 | 0xffu)) != byte) continue;
        const uint32_t next = child ^ unit_offset(unit);
        if (unit >> 8 & 1) {
            count_entry(survey, next, visit.depth + 1);
            if (!survey->longest_counts) continue;
        }
        const int status = push(survey, next, visit.depth + 1);
        if (status < 0) return status;
    }
    return 0;
}

static int walk(struct survey *survey)
{
    survey->seen = btk_arena_allocate(&survey->compiler->arena, survey->count);
    if (!survey->seen) return btk_compiler_no_memory(survey->compiler);
    int status = push(survey, unit_offset(survey->units[0]), 0);
    for (size_t at = 0; at < survey->queue.length && !status; at += sizeof(struct visit)) {
        struct visit visit;
        memcpy(&visit, survey->queue.data + at, sizeof visit);
        status = visit_children(survey, visit);
    }
    return status;
}

// Its parts, in the arena.
struct charsmap {
    uint32_t *units;
    uint32_t count;
    uint32_t growth;
    struct btk_bytes texts;
};

static int survey_growth(struct btk_compiler *compiler, bool longest_counts,
                         struct charsmap *charsmap)
{
    struct survey survey = {.compiler = compiler,
                            .units = charsmap->units,
                            .count = charsmap->count,
                            .texts = charsmap->texts,
                            .growth = 1,
                            .longest_counts = longest_counts};
    btk_buffer_init(&survey.queue);
    const int status = walk(&survey);
    btk_buffer_clear(&survey.queue);
    charsmap->growth = (uint32_t)btk_min_size(survey.growth, UINT32_MAX);
    return status;
}

static int read_charsmap(struct btk_compiler *compiler, struct btk_bytes bytes, const char *place,
                         bool longest_counts, struct charsmap *out)
{
    const uint32_t count = bytes.length < 4 ? 0 : read_le32(bytes.data) / 4;
    if (!count || count > (bytes.length - 4) / 4)
        return btk_compiler_refuse(compiler, place,
                                   "\"precompiled_charsmap\" has no whole double array");
    const size_t unit_bytes = (size_t)count * 4;
    out->count = count;
    out->texts = (struct btk_bytes){bytes.data + 4 + unit_bytes, bytes.length - 4 - unit_bytes};
    if (btk_utf8_valid_prefix(out->texts.data, out->texts.length) != out->texts.length)
        return btk_compiler_refuse(compiler, place,
                                   "the texts of \"precompiled_charsmap\" are not UTF-8");
    out->units = btk_arena_allocate(&compiler->arena, unit_bytes);
    if (!out->units) return btk_compiler_no_memory(compiler);
    for (uint32_t i = 0; i < count; i++) out->units[i] = read_le32(bytes.data + 4 + 4 * (size_t)i);
    return survey_growth(compiler, longest_counts, out);
}

static int append(struct btk_compiler *compiler, struct btk_buffer *data, const void *bytes,
                  size_t length)
{
    return btk_buffer_append(data, bytes, length) < 0 ? btk_compiler_no_memory(compiler) : 0;
}

int btk_compile_charsmap(struct btk_compiler *compiler, struct btk_bytes bytes, const char *place)
{
    struct charsmap charsmap = {.count = 0};
    struct btk_buffer data;
    btk_buffer_init(&data);
    int status = read_charsmap(compiler, bytes, place, false, &charsmap);
    if (!status)
        status = append(compiler, &data, charsmap.units, charsmap.count * sizeof *charsmap.units);
    if (!status) status = append(compiler, &data, charsmap.texts.data, charsmap.texts.length);
    const struct btk_step step = {.kind = BTK_NORMALIZER_STEP_PRECOMPILED,
                                  .numbers = {charsmap.count, charsmap.growth}};
    if (!status)
        status = btk_compiler_add_step(compiler, BTK_SECTION_NORMALIZER_STEPS, step,
                                       (struct btk_bytes){data.data, data.length});
    btk_buffer_clear(&data);
    return status;
}

// --- SentencePiece's own normalizer

static int compare_texts(const void *a, const void *b)
{
    const struct btk_bytes *const left = a, *const right = b;
    const int order = memcmp(left->data, right->data, btk_min_size(left->length, right->length));
    return order ? order : (left->length > right->length) - (left->length < right->length);
}

// The ends of the user-defined symbols, then their texts.
static int append_symbols(struct btk_compiler *compiler, struct btk_buffer *data,
                          uint32_t *out_count)
{
    const struct btk_format *const format = compiler->format;
    struct btk_bytes *const texts =
        btk_arena_allocate(&compiler->arena, (format->token_count + 1ull) * sizeof *texts);
    if (!texts) return btk_compiler_no_memory(compiler);
    uint32_t count = 0, end = 0;
    for (uint32_t id = 0; id < format->token_count; id++)
        if (format->tokens[id].kind == BTK_FORMAT_TOKEN_USER_DEFINED)
            texts[count++] = format->tokens[id].text;
    qsort(texts, count, sizeof *texts, compare_texts);
    int status = 0;
    for (uint32_t i = 0; i < count && !status; i++) {
        end += (uint32_t)texts[i].length;
        status = append(compiler, data, &end, sizeof end);
    }
    for (uint32_t i = 0; i < count && !status; i++)
        status = append(compiler, data, texts[i].data, texts[i].length);
    *out_count = count;
    return status;
}

int btk_compile_spaces(struct btk_compiler *compiler, const struct btk_format_spaces *spaces,
                       bool is_suffix)
{
    struct charsmap charsmap = {.growth = 1};
    struct btk_buffer data;
    uint32_t symbol_count = 0;
    btk_buffer_init(&data);
    int status = spaces->charsmap.length
                     ? read_charsmap(compiler, spaces->charsmap, "normalizer_spec", true, &charsmap)
                     : 0;
    if (!status)
        status = append(compiler, &data, charsmap.units, charsmap.count * sizeof *charsmap.units);
    if (!status) status = append_symbols(compiler, &data, &symbol_count);
    if (!status) status = append(compiler, &data, charsmap.texts.data, charsmap.texts.length);
    const struct btk_step step = {
        .kind = BTK_NORMALIZER_STEP_SENTENCEPIECE,
        .flags = (spaces->adds_dummy_prefix ? BTK_NORMALIZER_ADDS_SPACE : 0u)
                 | (spaces->removes_extra ? BTK_NORMALIZER_REMOVES_SPACES : 0u)
                 | (spaces->escapes ? BTK_NORMALIZER_ESCAPES_SPACES : 0u)
                 | (is_suffix ? BTK_NORMALIZER_SPACE_IS_SUFFIX : 0u),
        .numbers = {charsmap.count, charsmap.growth, symbol_count},
    };
    if (!status)
        status = btk_compiler_add_step(compiler, BTK_SECTION_NORMALIZER_STEPS, step,
                                       (struct btk_bytes){data.data, data.length});
    btk_buffer_clear(&data);
    return status;
}
