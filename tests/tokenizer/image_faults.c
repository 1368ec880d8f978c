// SPDX-License-Identifier: Apache-2.0
// Flips every bit of small images, makes the checksum right again, and works with what the checks
// let pass: results may be anything, but nothing is read or written beyond the image and the columns.
//
// A program of its own, so that the sanitizers see all of it: the image ends at a protected page, the
// columns are exactly as long as they say.
#include <budtiktok/tokenizer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/hash.h"
#include "tests/tokenizer/small_models.h"

enum { COLUMN_TOKENS = 600, TEXT_BYTES = 300 };

static const char *const texts[] = {
    "abcd abcdabcd [X]   y <tok> abc",
    "  \303\251abc\n\344\270\255<TOK>  aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "",
};

static const char additions[] =
    ",\"added_tokens\":["
    "{\"content\":\"[X]\",\"rstrip\":true,\"lstrip\":true,\"normalized\":false,\"special\":true},"
    "{\"content\":\"<tok>\",\"single_word\":true,\"normalized\":true},"
    "{\"content\":\"ab\",\"normalized\":false,\"single_word\":true}]";

static const char wordpiece_additions[] =
    ",\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"BertNormalizer\"},"
    "{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"[cy]\"},\"content\":\"ab\"}]},"
    "\"post_processor\":{\"type\":\"BertProcessing\",\"cls\":[\"[UNK]\",0],\"sep\":[\"[UNK]\",0]}";

static const char bpe_additions[] =
    ",\"post_processor\":{\"type\":\"RobertaProcessing\",\"cls\":[\"a\",97],\"sep\":[\"b\",98]}";

struct run {
    uint8_t *image; // ends where a protected page begins
    size_t bytes;
    uint64_t refused, passed;
    struct btk_encoding columns;
    char text[TEXT_BYTES];
};

static uint8_t *map_before_guard(size_t bytes)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t mapped = btk_align_up(bytes, page);
    uint8_t *const memory =
        mmap(NULL, mapped + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED || mprotect(memory + mapped, page, PROT_NONE) != 0) abort();
    return memory + mapped - btk_align_up(bytes, BTK_IMAGE_ALIGNMENT);
}

static void make_columns(struct btk_encoding *columns)
{
    *columns = (struct btk_encoding){
        .capacity = COLUMN_TOKENS,
        .ids = malloc(COLUMN_TOKENS * sizeof(uint32_t)),
        .offsets = malloc(2 * COLUMN_TOKENS * sizeof(uint32_t)),
        .type_ids = malloc(COLUMN_TOKENS * sizeof(uint32_t)),
        .word_ids = malloc(COLUMN_TOKENS * sizeof(uint32_t)),
        .special_tokens_mask = malloc(COLUMN_TOKENS),
        .sources = malloc(2 * COLUMN_TOKENS * sizeof(uint32_t)),
    };
}

static void free_columns(struct btk_encoding *columns)
{
    free(columns->ids);
    free(columns->offsets);
    free(columns->type_ids);
    free(columns->word_ids);
    free(columns->special_tokens_mask);
    free(columns->sources);
}

// Reads every token text, so that a sanitizer looks at the bytes.
static uint64_t read_tokens(const struct btk_tokenizer *tokenizer,
                            const struct btk_scratch *scratch, const struct run *run)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < run->columns.count; i++) {
        size_t length = 0;
        const char *const token = btk_token_text_in(tokenizer, scratch, run->columns.ids[i],
                                                    &run->columns.sources[2 * i], &length);
        for (size_t at = 0; token && at < length; at++) sum += (uint8_t)token[at];
    }
    return sum;
}

static void work_with(struct run *run, const struct btk_tokenizer *tokenizer,
                      struct btk_scratch *scratch)
{
    const struct btk_encode_options options = BTK_ENCODE_DEFAULTS;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        btk_scratch_clear_cache(scratch);
        // Twice: the second time pieces come from the cache.
        for (int round = 0; round < 2; round++) {
            size_t bytes = 0;
            char *const text = malloc(strlen(texts[i]) + 1);
            memcpy(text, texts[i], strlen(texts[i]));
            if (btk_encode_validated(tokenizer, scratch, text, strlen(texts[i]), &options,
                                     &run->columns, NULL)
                == 0)
            {
                (void)read_tokens(tokenizer, scratch, run);
                (void)!btk_decode(tokenizer, run->columns.ids, run->columns.count, round, run->text,
                                  sizeof run->text, &bytes, NULL);
            }
            free(text);
        }
    }
}

static void try_image(struct run *run)
{
    struct btk_image_header header;
    memcpy(&header, run->image, sizeof header);
    header.checksum = btk_hash_xxh3(run->image + sizeof header, run->bytes - sizeof header, 0);
    memcpy(run->image, &header, sizeof header);
    struct btk_tokenizer *tokenizer = NULL;
    struct btk_scratch *scratch = NULL;
    if (btk_tokenizer_attach(run->image, run->bytes, false, &tokenizer, NULL) != 0) {
        run->refused++;
        return;
    }
    run->passed++;
    if (btk_scratch_new(tokenizer, &scratch, NULL) == 0) work_with(run, tokenizer, scratch);
    btk_scratch_free(&scratch);
    btk_tokenizer_close(&tokenizer);
}

static void flip_bits(const char *name, const struct btk_buffer *json, uint64_t step)
{
    struct run run = {0};
    void *const sound = btk_small_image(json, &run.bytes);
    run.image = map_before_guard(run.bytes);
    make_columns(&run.columns);
    memcpy(run.image, sound, run.bytes);
    try_image(&run);
    if (run.passed != 1) abort();
    for (uint64_t bit = 0; bit < 8 * run.bytes;
         bit += bit < 8 * sizeof(struct btk_image_header) ? 1 : step)
    {
        memcpy(run.image, sound, run.bytes);
        run.image[bit / 8] ^= (uint8_t)(1u << bit % 8);
        try_image(&run);
    }
    printf("%s: %zu bytes, %llu refused, %llu worked with\n", name, run.bytes,
           (unsigned long long)run.refused, (unsigned long long)run.passed);
    free_columns(&run.columns);
    free(sound);
}

// The argument: only every n-th bit behind the header.
int main(int argc, char **argv)
{
    static struct btk_small_model model;
    const uint64_t step = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    char more[2048];
    struct btk_buffer json;
    snprintf(more, sizeof more, "%s%s", additions, wordpiece_additions);
    btk_small_wordpiece(&model, 1, 30);
    btk_small_wordpiece_json(&model, more, &json);
    flip_bits("WordPiece", &json, step);
    btk_buffer_clear(&json);
    snprintf(more, sizeof more, "%s%s", additions, bpe_additions);
    btk_small_bpe(&model, 1, 30);
    btk_small_bpe_json(&model, more, &json);
    flip_bits("BPE", &json, step);
    btk_buffer_clear(&json);
    return 0;
}
