// SPDX-License-Identifier: Apache-2.0
// Opening, scratches, and what the vocabulary says.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tokenizer/compile/compile.h"
#include "tokenizer/engine.h"
#include "tokenizer/postprocessor/program.h"

int btk_error_export(const struct btk_error *error, struct btk_error_info *out_error)
{
    _Static_assert(sizeof error->message == sizeof out_error->message, "the same room for both");
    if (out_error) {
        out_error->code = error->code;
        out_error->offset = error->offset;
        memcpy(out_error->message, error->message, sizeof error->message);
    }
    return -error->code;
}

static int no_memory(struct btk_error *error)
{
    return btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "not enough memory to open the tokenizer");
}

static int attach(const void *image, size_t bytes, bool is_verified,
                  struct btk_tokenizer **out_tokenizer, struct btk_error *error)
{
    if ((uintptr_t)image % BTK_IMAGE_ALIGNMENT)
        return btk_error_set(error, EINVAL, BTK_NO_OFFSET, "the image is to be aligned to %u bytes",
                             BTK_IMAGE_ALIGNMENT);
    int status = is_verified ? 0 : btk_image_verify(image, bytes, error);
    if (status < 0) return status;
    struct btk_tokenizer *const tokenizer = calloc(1, sizeof *tokenizer);
    if (!tokenizer) return no_memory(error);
    status = btk_image_view(image, bytes, &tokenizer->image, error);
    if (status < 0) {
        free(tokenizer);
        return status;
    }
    tokenizer->normalizer_growth = btk_normalizer_growth(&tokenizer->image);
    btk_added_filter_init(&tokenizer->raw_filter, &tokenizer->image.raw_trie);
    btk_added_filter_init(&tokenizer->normal_filter, &tokenizer->image.normal_trie);
    *out_tokenizer = tokenizer;
    return 0;
}

// Copies the image into memory of the right alignment, which the tokenizer then owns.
static int attach_copy(struct btk_bytes image, struct btk_tokenizer **out_tokenizer,
                       struct btk_error *error)
{
    void *const memory =
        aligned_alloc(BTK_IMAGE_ALIGNMENT, btk_align_up(image.length, BTK_IMAGE_ALIGNMENT));
    if (!memory) return no_memory(error);
    memcpy(memory, image.data, image.length);
    const int status = attach(memory, image.length, false, out_tokenizer, error);
    if (status < 0)
        free(memory);
    else
        (*out_tokenizer)->memory = memory;
    return status;
}

static int open_json(struct btk_bytes json, struct btk_tokenizer **out_tokenizer,
                     struct btk_error *error)
{
    struct btk_buffer image;
    btk_buffer_init(&image);
    int status = btk_compile_json(json, &image, error);
    if (!status)
        status = attach_copy((struct btk_bytes){image.data, image.length}, out_tokenizer, error);
    btk_buffer_clear(&image);
    return status;
}

static struct btk_bytes bytes_of(const char *text)
{
    return (struct btk_bytes){(const uint8_t *)text, text ? strlen(text) : 0};
}

static int open_compiled(const char *path, const struct btk_compile_options *options,
                         struct btk_tokenizer **out_tokenizer, struct btk_error *error)
{
    struct btk_buffer image;
    btk_buffer_init(&image);
    int status = btk_compile_path(path, options, &image, error);
    if (!status) {
        status = attach_copy((struct btk_bytes){image.data, image.length}, out_tokenizer, error);
        if (status < 0) btk_error_prefix(error, "%s", path);
    }
    btk_buffer_clear(&image);
    return status;
}

static int open_path(const char *path, const struct btk_open_options *options,
                     struct btk_tokenizer **out_tokenizer, struct btk_error *error)
{
    if (!options) return open_compiled(path, NULL, out_tokenizer, error);
    struct btk_compile_special *const specials =
        calloc(options->special_count + 1, sizeof *specials);
    if (!specials) return no_memory(error);
    for (size_t i = 0; i < options->special_count; i++)
        specials[i] = (struct btk_compile_special){bytes_of(options->specials[i].text),
                                                   options->specials[i].id};
    const struct btk_compile_options said = {bytes_of(options->pattern), specials,
                                             options->special_count};
    const int status = open_compiled(path, &said, out_tokenizer, error);
    free(specials);
    return status;
}

BTK_API int btk_tokenizer_open_with(const char *path, const struct btk_open_options *options,
                                    struct btk_tokenizer **out_tokenizer,
                                    struct btk_error_info *out_error)
{
    struct btk_error error;
    return open_path(path, options, out_tokenizer, &error) < 0 ? btk_error_export(&error, out_error)
                                                               : 0;
}

BTK_API int btk_tokenizer_open(const char *path, struct btk_tokenizer **out_tokenizer,
                               struct btk_error_info *out_error)
{
    return btk_tokenizer_open_with(path, NULL, out_tokenizer, out_error);
}

BTK_API int btk_tokenizer_open_json(const void *json, size_t json_bytes,
                                    struct btk_tokenizer **out_tokenizer,
                                    struct btk_error_info *out_error)
{
    struct btk_error error;
    const struct btk_bytes bytes = {json, json_bytes};
    return open_json(bytes, out_tokenizer, &error) < 0 ? btk_error_export(&error, out_error) : 0;
}

BTK_API int btk_tokenizer_attach(const void *image, size_t image_bytes, bool is_verified,
                                 struct btk_tokenizer **out_tokenizer,
                                 struct btk_error_info *out_error)
{
    struct btk_error error;
    return attach(image, image_bytes, is_verified, out_tokenizer, &error) < 0
               ? btk_error_export(&error, out_error)
               : 0;
}

BTK_API void btk_tokenizer_close(struct btk_tokenizer **tokenizer)
{
    if (!*tokenizer) return;
    free((*tokenizer)->memory);
    free(*tokenizer);
    *tokenizer = NULL;
}

static const char *const model_names[] = {
    [BTK_MODEL_WORDPIECE] = "WordPiece",
    [BTK_MODEL_BPE] = "BPE",
    [BTK_MODEL_UNIGRAM] = "Unigram",
    [BTK_MODEL_WORDLEVEL] = "WordLevel",
};

BTK_API void btk_tokenizer_info(const struct btk_tokenizer *tokenizer,
                                struct btk_tokenizer_info *out_info)
{
    const struct btk_image_config *const config = tokenizer->image.config;
    *out_info = (struct btk_tokenizer_info){
        .model = model_names[config->model],
        .vocabulary_count = config->vocabulary_count,
        .token_count = config->token_count,
        .added_token_count = config->added_count,
        .special_prefix_tokens = config->prefix_count,
        .special_suffix_tokens = config->suffix_count,
        .token_bytes_max = config->token_bytes_max,
        .image_bytes = tokenizer->image.header->bytes,
    };
}

static int fill_scratch(const struct btk_tokenizer *tokenizer, struct btk_scratch *scratch,
                        struct btk_error *error)
{
    const struct btk_image_config *const config = tokenizer->image.config;
    scratch->cache = aligned_alloc(64, btk_align_up(sizeof *scratch->cache, 64));
    if (!scratch->cache || btk_piece_cache_init(scratch->cache) < 0) return -ENOMEM;
    int status = btk_model_scratch_init(&scratch->model, &tokenizer->image, BTK_LONG_PIECE_BYTES);
    scratch->model_is_certain = btk_model_is_certain(config);
    if (!status && config->normalizer == BTK_NORMALIZER_BERT) {
        status = btk_normal_buffer_init(&scratch->normal, BTK_WINDOW_BYTES, true);
        scratch->bert = malloc(sizeof *scratch->bert);
        if (!scratch->bert) return -ENOMEM;
        btk_bert_init(scratch->bert, scratch->kernels, config->bert_flags);
        scratch->bert->keeps_spaces =
            config->pretokenizer == BTK_PRETOKENIZER_BERT && tokenizer->normal_filter.is_empty;
        scratch->bert->keeps_characters =
            config->pretokenizer == BTK_PRETOKENIZER_BERT && config->model == BTK_MODEL_WORDPIECE;
    }
    if (!status && config->normalizer == BTK_NORMALIZER_STEPS)
        status =
            btk_normalizer_new(&tokenizer->image, scratch->kernels, &scratch->normalizer, error);
    if (!status && (config->flags & BTK_PIPELINE_ADD_PREFIX_SPACE))
        status = btk_normal_buffer_init(&scratch->prefixed, 1024, true);
    if (!status && config->pretokenizer == BTK_PRETOKENIZER_STEPS)
        return btk_pretokenizer_new(&tokenizer->image, scratch->kernels, &scratch->pretokenizer,
                                    error);
    return status;
}

BTK_API int btk_scratch_new(const struct btk_tokenizer *tokenizer, struct btk_scratch **out_scratch,
                            struct btk_error_info *out_error)
{
    struct btk_error error;
    const struct btk_kernels *kernels;
    if (btk_kernels_select(getenv("BUDTIKTOK_SIMD"), &kernels, &error) < 0)
        return btk_error_export(&error, out_error);
    struct btk_scratch *scratch = calloc(1, sizeof *scratch);
    no_memory(&error); // whatever fails below without a word
    if (scratch) {
        scratch->kernels = kernels;
        if (fill_scratch(tokenizer, scratch, &error) == 0) {
            *out_scratch = scratch;
            return 0;
        }
    }
    btk_scratch_free(&scratch);
    return btk_error_export(&error, out_error);
}

BTK_API void btk_scratch_free(struct btk_scratch **scratch)
{
    if (!*scratch) return;
    free((*scratch)->cache);
    btk_model_scratch_clear(&(*scratch)->model);
    free((*scratch)->bert);
    btk_normalizer_free(&(*scratch)->normalizer);
    btk_normal_buffer_clear(&(*scratch)->normal);
    btk_normal_buffer_clear(&(*scratch)->prefixed);
    btk_pretokenizer_free(&(*scratch)->pretokenizer);
    btk_encodings_free(&(*scratch)->general);
    btk_buffer_clear(&(*scratch)->shown);
    free((*scratch)->copy);
    free(*scratch);
    *scratch = NULL;
}

BTK_API uint64_t btk_scratch_spill_count(const struct btk_scratch *scratch)
{
    uint64_t count = scratch->spill_count + scratch->model.unigram.spill_count;
    if (scratch->normalizer) count += btk_normalizer_spill_count(scratch->normalizer);
    if (scratch->pretokenizer) count += btk_pretokenizer_spill_count(scratch->pretokenizer);
    return count;
}

BTK_API const char *btk_scratch_simd(const struct btk_scratch *scratch)
{
    return scratch->kernels->name;
}

BTK_API void btk_scratch_cache_counts(const struct btk_scratch *scratch, uint64_t *out_hits,
                                      uint64_t *out_misses)
{
    *out_hits = scratch->cache->hits;
    *out_misses = scratch->cache->misses;
}

static void take_cache_counts(const struct btk_scratch *scratch, struct btk_profile *profile)
{
    profile->cache_hits += scratch->cache->hits - scratch->profiler.cache_hits_before;
    profile->cache_misses += scratch->cache->misses - scratch->profiler.cache_misses_before;
}

BTK_API void btk_scratch_set_profiling(struct btk_scratch *scratch, bool is_on)
{
    scratch->profiler = (struct btk_profiler){.is_on = is_on,
                                              .cache_hits_before = scratch->cache->hits,
                                              .cache_misses_before = scratch->cache->misses};
}

BTK_API void btk_scratch_profile(const struct btk_scratch *scratch, struct btk_profile *out_profile)
{
    *out_profile = scratch->profiler.profile;
    if (scratch->profiler.is_on) take_cache_counts(scratch, out_profile);
}

BTK_API void btk_scratch_set_progress(struct btk_scratch *scratch, btk_progress_fn *report,
                                      void *context)
{
    scratch->progress = (struct btk_progress){report, context};
    btk_model_set_progress(&scratch->model, scratch->progress);
    if (scratch->bert) scratch->bert->progress = scratch->progress;
    if (scratch->normalizer) btk_normalizer_set_progress(scratch->normalizer, scratch->progress);
    if (scratch->pretokenizer)
        btk_pretokenizer_set_progress(scratch->pretokenizer, scratch->progress);
}

BTK_API void btk_scratch_clear_cache(struct btk_scratch *scratch)
{
    struct btk_profiler *const profiler = &scratch->profiler;
    if (profiler->is_on) take_cache_counts(scratch, &profiler->profile);
    profiler->cache_hits_before = profiler->cache_misses_before = 0;
    btk_piece_cache_clear(scratch->cache);
}

BTK_API const char *btk_token_text(const struct btk_tokenizer *tokenizer, uint32_t id,
                                   size_t *out_bytes)
{
    const struct btk_image *const image = &tokenizer->image;
    if (id >= image->config->token_count || !(image->tokens[id].flags & BTK_TOKEN_EXISTS))
        return NULL;
    const struct btk_bytes text = btk_image_token_text(image, id);
    *out_bytes = text.length;
    return (const char *)text.data;
}

BTK_API const char *btk_token_text_in(const struct btk_tokenizer *tokenizer,
                                      const struct btk_scratch *scratch, uint32_t id,
                                      const uint32_t source[2], size_t *out_bytes)
{
    if (source[1] == 0) {
        if (source[0]) {
            const struct btk_bytes own = btk_post_text(&tokenizer->image, source[0]);
            *out_bytes = own.length;
            return (const char *)own.data;
        }
        if (id >= tokenizer->image.config->token_count) return NULL;
        const struct btk_bytes shown = btk_image_shown_text(&tokenizer->image, id);
        *out_bytes = shown.length;
        return (const char *)shown.data;
    }
    *out_bytes = source[1] - source[0];
    return (const char *)scratch->shown.data + source[0];
}

BTK_API bool btk_token_id(const struct btk_tokenizer *tokenizer, const char *token, size_t bytes,
                          uint32_t *out_id)
{
    const uint32_t id =
        btk_image_find_token(&tokenizer->image, (struct btk_bytes){(const uint8_t *)token, bytes});
    if (id == BTK_NO_TOKEN) return false;
    *out_id = id;
    return true;
}
