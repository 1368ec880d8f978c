// SPDX-License-Identifier: Apache-2.0
// A charsmap of SentencePiece: the length of a double array in bytes, its units (Darts-clone), then the
// texts that they lead to, each with a NUL behind it. Integers are little-endian.
#include <string.h>

#include "common/unicode_normal.h"
#include "common/utf8.h"
#include "tokenizer/compile/compiler.h"
#include "tokenizer/normalizer/charsmap.h"
#include "tokenizer/normalizer/steps.h"

enum { KEY_BYTES = 8 };

// A node of the double array that is to be looked at, and the shortest key that leads there: its first
// bytes.
struct visit {
    uint32_t node;
    uint32_t depth;
    uint8_t key[KEY_BYTES];
};

struct survey {
    struct btk_compiler *compiler;
    const uint32_t *units;
    uint32_t count;
    struct btk_bytes texts;
    uint8_t *seen;
    struct btk_buffer queue; // struct visit
    size_t growth;           // bytes that one byte becomes at most
    size_t stable_growth;    // the same where the text is in NFKD already
    bool longest_counts;     // longer keys than those that lead to a text count as well
};

static uint32_t read_le32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16
           | (uint32_t)bytes[3] << 24;
}

static int push(struct survey *survey, struct visit visit)
{
    if (visit.node >= survey->count || survey->seen[visit.node]) return 0;
    survey->seen[visit.node] = 1;
    return btk_buffer_append(&survey->queue, &visit, sizeof visit) < 0
               ? btk_compiler_no_memory(survey->compiler)
               : 0;
}

// Can a text in NFKD have the key? A long one, or half a character: who knows.
static bool may_be_stable(const struct visit *visit)
{
    if (visit->depth > KEY_BYTES || btk_utf8_valid_prefix(visit->key, visit->depth) != visit->depth)
        return true;
    for (size_t at = 0, bytes; at < visit->depth; at += bytes)
        if (btk_unicode_normal_bits(btk_utf8_decode(visit->key + at, &bytes))
            & BTK_NORMAL_COMPATIBLE)
            return false;
    return true;
}

// An entry. Keys that are longer find it too, and become no more.
static void count_entry(struct survey *survey, const struct visit *visit)
{
    if (visit->node >= survey->count) return;
    const uint32_t value = btk_charsmap_value(survey->units[visit->node]);
    if (value >= survey->texts.length) return;
    const size_t length = btk_charsmap_text(survey->texts, value).length;
    const size_t growth = (length + visit->depth - 1) / visit->depth;
    survey->growth = btk_max_size(survey->growth, growth);
    if (may_be_stable(visit)) survey->stable_growth = btk_max_size(survey->stable_growth, growth);
}

// Breadth first, so the first visit of a node is by its shortest key.
static int visit_children(struct survey *survey, struct visit visit)
{
    for (uint32_t byte = 1; byte < 256; byte++) {
        const uint32_t child = visit.node ^ byte;
        if (child >= survey->count) continue;
        const uint32_t unit = survey->units[child];
        if (!btk_charsmap_is_of(unit, byte)) continue;
        struct visit next = visit;
        next.node = child ^ btk_charsmap_offset(unit);
        next.depth = visit.depth + 1;
        if (visit.depth < KEY_BYTES) next.key[visit.depth] = (uint8_t)byte;
        if (btk_charsmap_has_value(unit)) {
            count_entry(survey, &next);
            if (!survey->longest_counts) continue;
        }
        const int status = push(survey, next);
        if (status < 0) return status;
    }
    return 0;
}

static int walk(struct survey *survey)
{
    survey->seen = btk_arena_allocate(&survey->compiler->arena, survey->count);
    if (!survey->seen) return btk_compiler_no_memory(survey->compiler);
    int status = push(survey, (struct visit){.node = btk_charsmap_offset(survey->units[0])});
    for (size_t at = 0; at < survey->queue.length && !status; at += sizeof(struct visit)) {
        struct visit visit;
        memcpy(&visit, survey->queue.data + at, sizeof visit);
        status = visit_children(survey, visit);
    }
    return status;
}

static int survey_growth(struct btk_compiler *compiler, bool longest_counts,
                         struct btk_compiler_charsmap *charsmap)
{
    struct survey survey = {.compiler = compiler,
                            .units = charsmap->units,
                            .count = charsmap->unit_count,
                            .texts = charsmap->texts,
                            .growth = 1,
                            .stable_growth = 1,
                            .longest_counts = longest_counts};
    btk_buffer_init(&survey.queue);
    const int status = walk(&survey);
    btk_buffer_clear(&survey.queue);
    charsmap->growth = (uint32_t)btk_min_size(survey.growth, UINT32_MAX);
    charsmap->stable_growth = (uint32_t)btk_min_size(survey.stable_growth, UINT32_MAX);
    return status;
}

int btk_compiler_read_charsmap(struct btk_compiler *compiler, struct btk_bytes charsmap,
                               const char *place, bool longest_counts,
                               struct btk_compiler_charsmap *out)
{
    const uint32_t count = charsmap.length < 4 ? 0 : read_le32(charsmap.data) / 4;
    if (!count || count > (charsmap.length - 4) / 4)
        return btk_compiler_refuse(compiler, place,
                                   "\"precompiled_charsmap\" has no whole double array");
    const size_t unit_bytes = (size_t)count * 4;
    const struct btk_bytes texts = {charsmap.data + 4 + unit_bytes,
                                    charsmap.length - 4 - unit_bytes};
    if (btk_utf8_valid_prefix(texts.data, texts.length) != texts.length)
        return btk_compiler_refuse(compiler, place,
                                   "the texts of \"precompiled_charsmap\" are not UTF-8");
    uint32_t *const units = btk_arena_allocate(&compiler->arena, unit_bytes + texts.length);
    if (!units) return btk_compiler_no_memory(compiler);
    for (uint32_t i = 0; i < count; i++) units[i] = read_le32(charsmap.data + 4 + 4 * (size_t)i);
    if (texts.length) memcpy(units + count, texts.data, texts.length);
    *out = (struct btk_compiler_charsmap){
        .units = units, .unit_count = count, .texts = {(uint8_t *)(units + count), texts.length}};
    return survey_growth(compiler, longest_counts, out);
}

int btk_compile_charsmap(struct btk_compiler *compiler, struct btk_bytes charsmap,
                         const char *place)
{
    struct btk_compiler_charsmap parts;
    const int status = btk_compiler_read_charsmap(compiler, charsmap, place, false, &parts);
    if (status < 0) return status;
    const struct btk_step step = {.kind = BTK_NORMALIZER_STEP_PRECOMPILED,
                                  .numbers = {parts.unit_count, parts.growth, parts.stable_growth}};
    return btk_compiler_add_step(
        compiler, BTK_SECTION_NORMALIZER_STEPS, step,
        (struct btk_bytes){(const uint8_t *)parts.units,
                           parts.unit_count * sizeof *parts.units + parts.texts.length});
}
