// SPDX-License-Identifier: Apache-2.0
// Puts the sections behind their header, and marks the BPE tokens that need no merging.
#include <string.h>

#include "common/hash.h"
#include "tokenizer/compile/compiler.h"
#include "tokenizer/image.h"
#include "tokenizer/model/bpe.h"

// Many decoders leave tokens as they are, or make the bytes that the model reads: what is the same
// stands there once.
static bool try_share(const struct btk_compiler *compiler, struct btk_image_header *header,
                      unsigned at)
{
    static const struct {
        enum btk_section section, other;
    } likely[] = {
        {BTK_SECTION_DECODED_ENDS, BTK_SECTION_TOKEN_ENDS},
        {BTK_SECTION_DECODED_TEXT, BTK_SECTION_TOKEN_TEXT},
        {BTK_SECTION_DECODED_ENDS, BTK_SECTION_BYTES_ENDS},
        {BTK_SECTION_DECODED_TEXT, BTK_SECTION_BYTES_TEXT},
    };
    for (size_t i = 0; i < BTK_ARRAY_COUNT(likely); i++) {
        const struct btk_buffer *const section = &compiler->sections[at];
        const struct btk_buffer *const other = &compiler->sections[likely[i].other];
        if (likely[i].section != at || !section->length || section->length != other->length
            || memcmp(section->data, other->data, section->length) != 0)
            continue;
        header->sections[at] = header->sections[likely[i].other];
        return true;
    }
    return false;
}

static int append_section(struct btk_compiler *compiler, struct btk_buffer *image,
                          struct btk_image_header *header, unsigned at)
{
    static const uint8_t zeros[BTK_IMAGE_ALIGNMENT];
    const struct btk_buffer *const section = &compiler->sections[at];
    if (try_share(compiler, header, at)) return 0;
    const size_t padding = btk_align_up(image->length, BTK_IMAGE_ALIGNMENT) - image->length;
    if (btk_buffer_append(image, zeros, padding) < 0) return btk_compiler_no_memory(compiler);
    header->sections[at] = (struct btk_image_section){image->length, section->length};
    return btk_buffer_append(image, section->data, section->length) < 0
               ? btk_compiler_no_memory(compiler)
               : 0;
}

static int append_sections(struct btk_compiler *compiler, struct btk_buffer *image,
                           struct btk_image_header *header)
{
    int status = 0;
    for (unsigned i = 0; i < BTK_SECTION_COUNT && !status; i++)
        status = append_section(compiler, image, header, i);
    return status;
}

// A token is whole when merging its bytes gives it back: then a piece that equals it needs no
// merging. Some are not: those that only an added token or an older training put there.
static int mark_whole_tokens(struct btk_compiler *compiler, const struct btk_image *view,
                             struct btk_token_info *tokens)
{
    struct btk_bpe_scratch scratch;
    const size_t bytes_max =
        btk_max_size(view->config->model_bytes_max, view->config->token_bytes_max);
    if (btk_bpe_scratch_init(&scratch, view, btk_bpe_symbols_max(view->config, bytes_max)) < 0)
        return btk_compiler_no_memory(compiler);
    for (uint32_t id = 0; id < view->config->token_count; id++) {
        const struct btk_bytes piece = btk_image_model_text(view, id);
        size_t count;
        if (!piece.length || btk_image_find_bytes(view, piece) != id) continue;
        if (btk_bpe_merge(view, &scratch, piece, &count) == 0 && count == 1 && scratch.ids[0] == id
            && scratch.lengths[0] == piece.length)
            tokens[id].flags |= BTK_TOKEN_WHOLE;
    }
    btk_bpe_scratch_clear(&scratch);
    return 0;
}

static int view_image(struct btk_compiler *compiler, struct btk_buffer *image,
                      struct btk_image_header *header, struct btk_image *out_view)
{
    header->bytes = image->length;
    memcpy(image->data, header, sizeof *header);
    return btk_image_view(image->data, image->length, out_view, compiler->error);
}

// What the engine itself finds out, from the image as far as it is made.
static int append_findings(struct btk_compiler *compiler, struct btk_buffer *image,
                           struct btk_image_header *header)
{
    struct btk_image view;
    int status = view_image(compiler, image, header, &view);
    if (!status && compiler->config.model == BTK_MODEL_BPE && compiler->config.dropout <= 0)
        status = mark_whole_tokens(
            compiler, &view, (void *)(image->data + header->sections[BTK_SECTION_TOKENS].offset));
    if (!status) status = btk_compile_byte_cuts(compiler, &view);
    if (!status) status = btk_compile_whole_chars(compiler, &view);
    if (!status) status = btk_compile_pieces(compiler, &view);
    if (!status) status = btk_compile_text_cuts(compiler, &view);
    static const enum btk_section found[] = {BTK_SECTION_CUT_FILTER, BTK_SECTION_WHOLE_CHARS,
                                             BTK_SECTION_PIECES, BTK_SECTION_TEXT_CUTS};
    for (size_t i = 0; i < BTK_ARRAY_COUNT(found) && !status; i++)
        status = append_section(compiler, image, header, found[i]);
    header->config = compiler->config;
    header->bytes = image->length;
    return status;
}

int btk_compile_image(struct btk_compiler *compiler, struct btk_buffer *out_image)
{
    struct btk_image_header header = {.magic = BTK_IMAGE_MAGIC,
                                      .version = BTK_IMAGE_VERSION,
                                      .section_count = BTK_SECTION_COUNT,
                                      .config = compiler->config};
    const size_t template_bytes = (compiler->config.prefix_count + compiler->config.suffix_count)
                                  * sizeof(struct btk_template_token);
    if (btk_buffer_append(&compiler->sections[BTK_SECTION_TEMPLATE], compiler->template_tokens,
                          template_bytes)
        < 0)
        return btk_compiler_no_memory(compiler);
    struct btk_buffer image;
    btk_buffer_init(&image);
    int status = btk_buffer_append(&image, &header, sizeof header);
    if (status < 0) status = btk_compiler_no_memory(compiler);
    if (!status) status = append_sections(compiler, &image, &header);
    if (!status) status = append_findings(compiler, &image, &header);
    if (status < 0) {
        btk_buffer_clear(&image);
        return status;
    }
    header.checksum = btk_hash_xxh3(image.data + sizeof header, image.length - sizeof header, 0);
    memcpy(image.data, &header, sizeof header);
    *out_image = image;
    return 0;
}
