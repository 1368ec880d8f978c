// SPDX-License-Identifier: Apache-2.0
// Do the parts of a text between its cuts give what the whole gives (tokenizer/text_cut.h)? Ids, offsets in
// bytes and in characters, and word ids of
//
//     texts      all parts between neighbouring cuts, and between cuts that are drawn
//     windows    two parts around each of some cuts, from one character on
//     traps      short texts of what makes trouble: spaces of all kinds, marks, added tokens and their halves, ...
//
//     check_text_cuts [--bytes N] [--traps N] [--spoil XX YY] TOKENIZER... -- TEXT...
//
// A tokenizer is a file, or the name of a default model. --spoil makes a cut of the ASCII characters XX|YY
// (hexadecimal), which has to be found out: a test of this test. Prints how far cuts are from each other.
#include <budtiktok/tokenizer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mapped_file.h"
#include "common/utf8.h"
#include "tests/tokenizer/text_traps.h"
#include "tokenizer/default/default_models.h"
#include "tokenizer/engine.h"
#include "tokenizer/text_cut.h"

enum {
    DOCUMENT_BYTES = 256 * 1024,
    WINDOWS_A_TEXT = 400,
    TRAP_UNITS_MAX = 24,
    FAILURES_SHOWN = 5,
};

struct columns {
    size_t capacity;
    size_t count;
    uint32_t *ids, *offsets, *word_ids;
};

struct check {
    struct btk_tokenizer *tokenizer;
    struct btk_scratch *scratch;
    const char *name;
    struct columns whole, part;
    uint8_t special_text; // enum btk_special_text
    uint64_t random;
    uint64_t cut_count;
    uint64_t failure_count;
};

struct settings {
    size_t bytes_max; // of each text
    size_t trap_texts;
    bool spoils;
    uint32_t left, right;
};

static uint64_t draw(struct check *check, uint64_t below)
{
    uint64_t z = check->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (z ^ z >> 31) % below;
}

static void *allocate(size_t bytes)
{
    void *const memory = malloc(bytes);
    if (!memory) abort();
    return memory;
}

static void reserve(struct columns *columns, size_t capacity)
{
    if (columns->capacity >= capacity) return;
    free(columns->ids);
    free(columns->offsets);
    free(columns->word_ids);
    columns->capacity = capacity;
    columns->ids = allocate(capacity * sizeof *columns->ids);
    columns->offsets = allocate(2 * capacity * sizeof *columns->offsets);
    columns->word_ids = allocate(capacity * sizeof *columns->word_ids);
}

static bool try_encode(struct check *check, struct btk_bytes text, uint8_t unit,
                       struct columns *columns)
{
    struct btk_encode_options options = BTK_ENCODE_DEFAULTS;
    options.add_special_tokens = false;
    options.offsets_unit = unit;
    options.special_text = check->special_text;
    reserve(columns, btk_encode_bound(check->tokenizer, text.length, &options));
    struct btk_encoding encoding = {.capacity = columns->capacity,
                                    .ids = columns->ids,
                                    .offsets = columns->offsets,
                                    .word_ids = columns->word_ids};
    const int status =
        btk_encode_validated(check->tokenizer, check->scratch, (const char *)text.data, text.length,
                             &options, &encoding, NULL);
    columns->count = encoding.count;
    return status == 0;
}

static struct btk_bytes part_of(struct btk_bytes text, size_t begin, size_t end)
{
    return (struct btk_bytes){text.data + begin, end - begin};
}

static size_t next_cut(const struct check *check, struct btk_bytes text, size_t at)
{
    return btk_text_next_cut(&check->tokenizer->image, text, at);
}

static void print_escaped(struct btk_bytes text)
{
    for (size_t i = 0; i < text.length; i++)
        fprintf(stderr, text.data[i] < 0x20 ? "\\x%02x" : "%c", text.data[i]);
}

// The part and what is around it.
static void show(struct check *check, struct btk_bytes text, size_t begin, size_t end,
                 const char *what)
{
    check->failure_count++;
    if (check->failure_count > FAILURES_SHOWN) return;
    const size_t from = begin > 40 ? begin - 40 : 0, to = btk_min_size(end + 40, text.length);
    fprintf(stderr, "%s: %s differ in a part: \"", check->name, what);
    print_escaped(part_of(text, from, begin));
    fprintf(stderr, "|||");
    print_escaped(part_of(text, begin, end));
    fprintf(stderr, "|||");
    print_escaped(part_of(text, end, to));
    fprintf(stderr, "\"\n");
}

// What was counted of the parts before.
struct base {
    size_t tokens;
    uint32_t place; // bytes or characters
    uint32_t words;
};

// NULL: the part is what the whole has there.
static const char *compare(const struct check *check, const struct base *base)
{
    const struct columns *const whole = &check->whole, *const part = &check->part;
    const bool has_offsets = !btk_text_cuts_move_offsets(&check->tokenizer->image);
    if (base->tokens + part->count > whole->count) return "numbers of tokens";
    for (size_t i = 0; i < part->count; i++) {
        const size_t at = base->tokens + i;
        if (whole->ids[at] != part->ids[i]) return "ids";
        if (has_offsets
            && (whole->offsets[2 * at] != part->offsets[2 * i] + base->place
                || whole->offsets[2 * at + 1] != part->offsets[2 * i + 1] + base->place))
            return "offsets";
        if (whole->word_ids[at] != part->word_ids[i] + base->words) return "word ids";
    }
    return NULL;
}

static void count_part(const struct check *check, struct btk_bytes part, uint8_t unit,
                       struct base *base)
{
    const bool are_inside =
        check->tokenizer->image.config->text_cuts != BTK_TEXT_CUTS_BETWEEN_WORDS;
    const struct columns *const columns = &check->part;
    base->tokens += columns->count;
    base->place +=
        (uint32_t)(unit == BTK_OFFSETS_BYTE ? part.length : btk_utf8_count(part.data, part.length));
    base->words += check->scratch->word_count - are_inside;
}

// The parts between cuts, of which it leaves out most when `skip` is large.
static void check_parts(struct check *check, struct btk_bytes text, uint8_t unit, uint64_t skip)
{
    struct base base = {0};
    if (!try_encode(check, text, unit, &check->whole)) return;
    for (size_t begin = 0, end; begin < text.length; begin = end) {
        end = next_cut(check, text, begin + 1 + (skip > 1 ? draw(check, skip) : 0));
        const struct btk_bytes part = part_of(text, begin, end);
        check->cut_count += end < text.length;
        if (!try_encode(check, part, unit, &check->part)) {
            show(check, text, begin, end, "errors");
            return;
        }
        const char *const what = compare(check, &base);
        if (what) {
            show(check, text, begin, end, what);
            return;
        }
        count_part(check, part, unit, &base);
    }
    if (base.tokens != check->whole.count) show(check, text, 0, text.length, "numbers of tokens");
}

static size_t char_begin(struct btk_bytes text, size_t at)
{
    while (at > 0 && at < text.length && (text.data[at] & 0xc0) == 0x80) at--;
    return at;
}

static void check_windows(struct check *check, struct btk_bytes text)
{
    static const size_t sizes[] = {1, 3, 10, 40, 200, 1000};
    for (unsigned i = 0; i < WINDOWS_A_TEXT; i++) {
        const size_t cut = next_cut(check, text, 1 + draw(check, text.length));
        if (cut >= text.length) continue;
        const size_t before = sizes[draw(check, BTK_ARRAY_COUNT(sizes))];
        const size_t behind = sizes[draw(check, BTK_ARRAY_COUNT(sizes))];
        const size_t begin = char_begin(text, cut - btk_min_size(before, cut));
        size_t end = btk_min_size(cut + behind, text.length);
        while (end < text.length && (text.data[end] & 0xc0) == 0x80) end++;
        check_parts(check, part_of(text, begin, end), (uint8_t)(i % 2), 1);
    }
}

static int compare_sizes(const void *a, const void *b)
{
    const size_t left = *(const size_t *)a, right = *(const size_t *)b;
    return (left > right) - (left < right);
}

static void print_distances(struct check *check, const char *file, struct btk_bytes text)
{
    size_t *const distances = allocate((text.length + 1) * sizeof *distances);
    size_t count = 0;
    for (size_t begin = 0, end; begin < text.length; begin = end) {
        end = next_cut(check, text, begin + 1);
        distances[count++] = end - begin;
    }
    qsort(distances, count, sizeof *distances, compare_sizes);
    const char *const slash = strrchr(file, '/');
    if (count)
        printf("%s\t%s\tmedian %zu\tmax %zu\n", check->name, slash ? slash + 1 : file,
               distances[count / 2], distances[count - 1]);
    free(distances);
}

static void check_file(struct check *check, const char *file, size_t bytes_max)
{
    struct btk_mapped_file mapped;
    struct btk_error error;
    if (btk_mapped_file_map_lazily(file, &mapped, &error) < 0) {
        fprintf(stderr, "%s: %s\n", file, error.message);
        exit(1);
    }
    struct btk_bytes text = {mapped.data, btk_min_size(mapped.length, bytes_max)};
    text.length = btk_utf8_valid_prefix(text.data, text.length);
    print_distances(check, file, text);
    for (size_t begin = 0, end; begin < text.length; begin = end) {
        end = char_begin(text, btk_min_size(begin + DOCUMENT_BYTES, text.length));
        const struct btk_bytes document = part_of(text, begin, end);
        check_parts(check, document, BTK_OFFSETS_BYTE, 1);
        check_parts(check, document, BTK_OFFSETS_CHAR, 1);
        check_parts(check, document, BTK_OFFSETS_CHAR, 4000);
        check_windows(check, document);
    }
    btk_mapped_file_unmap(&mapped);
}

// --- Traps

static void check_traps(struct check *check, size_t count)
{
    uint8_t text[TRAP_UNITS_MAX * 256];
    struct btk_text_traps traps;
    btk_text_traps_fill(&traps, &check->tokenizer->image);
    for (size_t i = 0; i < count; i++) {
        const uint64_t units = 2 + draw(check, TRAP_UNITS_MAX - 2);
        // Some texts of few different units: these meet more often.
        const uint64_t first = draw(check, traps.count);
        const uint64_t kinds = i % 3 ? traps.count : 1 + draw(check, 6);
        size_t length = 0;
        check->special_text = i % 7 ? BTK_SPECIAL_TEXT_DEFAULT : BTK_SPECIAL_TEXT_PLAIN;
        for (uint64_t unit = 0; unit < units; unit++) {
            const struct btk_bytes trap =
                traps.texts[(first + draw(check, kinds) * 37) % traps.count];
            if (trap.length > 256 || length + trap.length > sizeof text) continue;
            memcpy(text + length, trap.data, trap.length);
            length += trap.length;
        }
        check_parts(check, (struct btk_bytes){text, length}, (uint8_t)(i % 2), i % 5 ? 1 : 8);
    }
    check->special_text = BTK_SPECIAL_TEXT_DEFAULT;
}

// --- Tokenizers

static int open_named(const char *name, struct btk_tokenizer **out_tokenizer,
                      struct btk_error_info *error)
{
    struct btk_default_model model;
    if (btk_default_model_find(name, &model))
        return btk_tokenizer_open_json(model.json, model.json_bytes, out_tokenizer, error);
    return btk_tokenizer_open(name, out_tokenizer, error);
}

// The image is the tokenizer's own, compiled a moment ago.
static void spoil(struct check *check, const struct settings *settings)
{
    const size_t at = settings->left * BTK_TEXT_CUT_ROW_WORDS + settings->right / 64;
    const size_t offset = (size_t)((const uint8_t *)(check->tokenizer->image.text_cuts + at)
                                   - (const uint8_t *)check->tokenizer->memory);
    uint64_t *const word = (void *)((uint8_t *)check->tokenizer->memory + offset);
    *word |= UINT64_C(1) << settings->right % 64;
}

static bool check_tokenizer(const char *name, const struct settings *settings, char **texts)
{
    const char *const slash = strrchr(name, '/');
    struct btk_error_info error;
    struct check check = {.name = slash ? slash + 1 : name, .random = 7};
    if (open_named(name, &check.tokenizer, &error) < 0
        || btk_scratch_new(check.tokenizer, &check.scratch, &error) < 0)
    {
        fprintf(stderr, "%s: %s\n", name, error.message);
        exit(1);
    }
    const char *const reason = btk_text_cut_reason(&check.tokenizer->image);
    if (reason) {
        printf("%s\tno cuts: %s\n", check.name, reason);
    } else {
        if (settings->spoils) spoil(&check, settings);
        check_traps(&check, settings->trap_texts);
        for (char **text = texts; *text; text++) check_file(&check, *text, settings->bytes_max);
        printf("%s\t%llu cuts, %llu failures\n", check.name, (unsigned long long)check.cut_count,
               (unsigned long long)check.failure_count);
    }
    fflush(stdout);
    struct columns *const all[] = {&check.whole, &check.part};
    for (unsigned i = 0; i < 2; i++) {
        free(all[i]->ids);
        free(all[i]->offsets);
        free(all[i]->word_ids);
    }
    btk_scratch_free(&check.scratch);
    btk_tokenizer_close(&check.tokenizer);
    return check.failure_count == 0;
}

int main(int argc, char **argv)
{
    struct settings settings = {.bytes_max = 1 << 20, .trap_texts = 20000};
    int at = 1;
    for (; at + 2 < argc && strncmp(argv[at], "--", 2) == 0 && argv[at][2]; at += 2) {
        const size_t number = strtoull(argv[at + 1], NULL, 10);
        if (strcmp(argv[at], "--bytes") == 0) settings.bytes_max = number;
        if (strcmp(argv[at], "--traps") == 0) settings.trap_texts = number;
        if (strcmp(argv[at], "--spoil") != 0) continue;
        settings.spoils = true;
        settings.left = (uint32_t)strtoul(argv[at + 1], NULL, 16) & 0x7f;
        settings.right = (uint32_t)strtoul(argv[at + 2], NULL, 16) & 0x7f;
        at++;
    }
    int texts = at;
    while (texts < argc && strcmp(argv[texts], "--") != 0) texts++;
    if (texts >= argc) return 2;
    unsigned failed = 0;
    for (; at < texts; at++) failed += !check_tokenizer(argv[at], &settings, argv + texts + 1);
    return failed != 0;
}
