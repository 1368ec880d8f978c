// SPDX-License-Identifier: Apache-2.0
// The header of an image, its view, look-ups in it.
#include "tokenizer/image.h"

#include <errno.h>
#include <string.h>

#include "tokenizer/image_check.h"
#include "tokenizer/lookup_hash.h"

static const char *const section_names[BTK_SECTION_COUNT] = {
    [BTK_SECTION_TOKENS] = "tokens",
    [BTK_SECTION_TOKEN_ENDS] = "token ends",
    [BTK_SECTION_TOKEN_TEXT] = "token text",
    [BTK_SECTION_BYTES_ENDS] = "bytes ends",
    [BTK_SECTION_BYTES_TEXT] = "bytes text",
    [BTK_SECTION_DECODED_ENDS] = "decoded ends",
    [BTK_SECTION_DECODED_TEXT] = "decoded text",
    [BTK_SECTION_TEXT_LOOKUP] = "text lookup",
    [BTK_SECTION_BYTES_LOOKUP] = "bytes lookup",
    [BTK_SECTION_BYTE_IDS] = "byte ids",
    [BTK_SECTION_CHAR_IDS] = "character ids",
    [BTK_SECTION_FALLBACK_IDS] = "fallback ids",
    [BTK_SECTION_AFFIXES] = "affixes",
    [BTK_SECTION_MERGES] = "merges",
    [BTK_SECTION_RANK_IDS] = "rank ids",
    [BTK_SECTION_CUT_BITS] = "cut bits",
    [BTK_SECTION_CUT_PAIRS] = "cut pairs",
    [BTK_SECTION_TRIE] = "trie",
    [BTK_SECTION_SCORES] = "scores",
    [BTK_SECTION_RAW_NODES] = "raw nodes",
    [BTK_SECTION_RAW_EDGES] = "raw edges",
    [BTK_SECTION_NORMAL_NODES] = "normal nodes",
    [BTK_SECTION_NORMAL_EDGES] = "normal edges",
    [BTK_SECTION_TEMPLATE] = "template",
    [BTK_SECTION_NORMALIZER_STEPS] = "normalizer steps",
    [BTK_SECTION_PRETOKENIZER_STEPS] = "pre-tokenizer steps",
    [BTK_SECTION_POSTPROCESSOR_STEPS] = "post-processor steps",
    [BTK_SECTION_DECODER_STEPS] = "decoder steps",
    [BTK_SECTION_STEP_DATA] = "step data",
    [BTK_SECTION_NORMAL_FORMS] = "normal forms",
    [BTK_SECTION_NORMAL_FORM_TEXT] = "normal form text",
    [BTK_SECTION_CUT_FILTER] = "cut filter",
    [BTK_SECTION_MERGE_FILTER] = "merge filter",
    [BTK_SECTION_WHOLE_CHARS] = "whole characters",
    [BTK_SECTION_PIECES] = "pieces",
    [BTK_SECTION_TEXT_CUTS] = "text cuts",
};

const char *btk_image_section_name(enum btk_section section)
{
    return section_names[section];
}

int btk_image_refuse(struct btk_error *error, const char *what)
{
    return btk_error_set(error, EPROTO, BTK_NO_OFFSET,
                         "not a sound tokenizer image: %s; compile the tokenizer again", what);
}

int btk_image_refuse_section(struct btk_error *error, enum btk_section section, const char *what)
{
    return btk_error_set(error, EPROTO, BTK_NO_OFFSET,
                         "not a sound tokenizer image: section \"%s\" %s; compile the tokenizer "
                         "again",
                         section_names[section], what);
}

static const void *section_data(const struct btk_image_header *header, enum btk_section section)
{
    return (const uint8_t *)header + header->sections[section].offset;
}

static int check_header(const struct btk_image_header *header, size_t bytes,
                        struct btk_error *error)
{
    if (bytes < sizeof *header || header->magic != BTK_IMAGE_MAGIC)
        return btk_image_refuse(error, "it does not begin as one");
    if (header->version != BTK_IMAGE_VERSION || header->section_count != BTK_SECTION_COUNT)
        return btk_image_refuse(error, "it is of another version");
    if (header->bytes != bytes) return btk_image_refuse(error, "its length is not what it says");
    for (unsigned i = 0; i < BTK_SECTION_COUNT; i++) {
        const struct btk_image_section section = header->sections[i];
        if (section.offset % BTK_IMAGE_ALIGNMENT || section.offset > bytes
            || section.bytes > bytes - section.offset)
            return btk_image_refuse_section(error, i, "is not inside");
    }
    return 0;
}

static struct btk_step_list step_list(const struct btk_image_header *header,
                                      enum btk_section section)
{
    return (struct btk_step_list){
        section_data(header, section),
        (uint32_t)(header->sections[section].bytes / sizeof(struct btk_step))};
}

static void fill_view(const struct btk_image_header *header, struct btk_image *view)
{
    *view = (struct btk_image){
        .header = header,
        .config = &header->config,
        .tokens = section_data(header, BTK_SECTION_TOKENS),
        .token_ends = section_data(header, BTK_SECTION_TOKEN_ENDS),
        .token_text = section_data(header, BTK_SECTION_TOKEN_TEXT),
        .bytes_ends = section_data(header, BTK_SECTION_BYTES_ENDS),
        .bytes_text = section_data(header, BTK_SECTION_BYTES_TEXT),
        .decoded_ends = section_data(header, BTK_SECTION_DECODED_ENDS),
        .decoded_text = section_data(header, BTK_SECTION_DECODED_TEXT),
        .text_lookup = {section_data(header, BTK_SECTION_TEXT_LOOKUP),
                        header->sections[BTK_SECTION_TEXT_LOOKUP].bytes / 8 - 1},
        .bytes_lookup = {section_data(header, BTK_SECTION_BYTES_LOOKUP),
                         header->sections[BTK_SECTION_BYTES_LOOKUP].bytes / 8 - 1},
        .byte_ids = section_data(header, BTK_SECTION_BYTE_IDS),
        .char_ids = section_data(header, BTK_SECTION_CHAR_IDS),
        .char_mask =
            header->sections[BTK_SECTION_CHAR_IDS].bytes / sizeof(struct btk_edge_slot) - 1,
        .fallback_ids = section_data(header, BTK_SECTION_FALLBACK_IDS),
        .affixes = section_data(header, BTK_SECTION_AFFIXES),
        .merges = section_data(header, BTK_SECTION_MERGES),
        .packed_merges = section_data(header, BTK_SECTION_MERGES),
        .merge_mask = header->sections[BTK_SECTION_MERGES].bytes
                          / (header->config.model_flags & BTK_MODEL_PACKED_MERGES
                                 ? sizeof(uint64_t)
                                 : sizeof(struct btk_merge_slot))
                      - 1,
        .merge_filter = section_data(header, BTK_SECTION_MERGE_FILTER),
        .merge_filter_mask =
            header->sections[BTK_SECTION_MERGE_FILTER].bytes / sizeof(uint64_t) - 1,
        .rank_ids = section_data(header, BTK_SECTION_RANK_IDS),
        .cut_bits = section_data(header, BTK_SECTION_CUT_BITS),
        .cut_pairs = section_data(header, BTK_SECTION_CUT_PAIRS),
        .cut_mask = header->sections[BTK_SECTION_CUT_PAIRS].bytes / sizeof(uint64_t) - 1,
        .trie = section_data(header, BTK_SECTION_TRIE),
        .scores = section_data(header, BTK_SECTION_SCORES),
        .raw_trie = {section_data(header, BTK_SECTION_RAW_NODES),
                     section_data(header, BTK_SECTION_RAW_EDGES),
                     (uint32_t)(header->sections[BTK_SECTION_RAW_NODES].bytes
                                / sizeof(struct btk_added_node))},
        .normal_trie = {section_data(header, BTK_SECTION_NORMAL_NODES),
                        section_data(header, BTK_SECTION_NORMAL_EDGES),
                        (uint32_t)(header->sections[BTK_SECTION_NORMAL_NODES].bytes
                                   / sizeof(struct btk_added_node))},
        .template_tokens = section_data(header, BTK_SECTION_TEMPLATE),
        .normalizer = step_list(header, BTK_SECTION_NORMALIZER_STEPS),
        .pretokenizer = step_list(header, BTK_SECTION_PRETOKENIZER_STEPS),
        .postprocessor = step_list(header, BTK_SECTION_POSTPROCESSOR_STEPS),
        .decoder = step_list(header, BTK_SECTION_DECODER_STEPS),
        .step_data = section_data(header, BTK_SECTION_STEP_DATA),
        .normal_forms = section_data(header, BTK_SECTION_NORMAL_FORMS),
        .normal_form_count = (uint32_t)(header->sections[BTK_SECTION_NORMAL_FORMS].bytes
                                        / sizeof(struct btk_normal_form)),
        .normal_form_text = section_data(header, BTK_SECTION_NORMAL_FORM_TEXT),
        .cut_filter = section_data(header, BTK_SECTION_CUT_FILTER),
        .cut_filter_mask = header->sections[BTK_SECTION_CUT_FILTER].bytes / sizeof(uint64_t) - 1,
        .whole_chars = section_data(header, BTK_SECTION_WHOLE_CHARS),
        .whole_char_mask =
            header->sections[BTK_SECTION_WHOLE_CHARS].bytes / sizeof(struct btk_edge_slot) - 1,
        .pieces = section_data(header, BTK_SECTION_PIECES),
        .piece_line_count =
            (uint32_t)(header->sections[BTK_SECTION_PIECES].bytes / BTK_IMAGE_ALIGNMENT),
        .text_cuts = section_data(header, BTK_SECTION_TEXT_CUTS),
    };
}

int btk_image_view(const void *image, size_t bytes, struct btk_image *out_view,
                   struct btk_error *error)
{
    const int status = check_header(image, bytes, error);
    if (status < 0) return status;
    fill_view(image, out_view);
    return 0;
}

// NULL: it shows its own text.
static const struct btk_normal_form *find_normal_form(const struct btk_image *image, uint32_t id)
{
    if (!(image->tokens[id].flags & BTK_TOKEN_NORMALIZED)) return NULL;
    uint32_t begin = 0, end = image->normal_form_count;
    while (begin < end) {
        const uint32_t middle = begin + (end - begin) / 2;
        if (image->normal_forms[middle].id == id) return &image->normal_forms[middle];
        if (image->normal_forms[middle].id < id)
            begin = middle + 1;
        else
            end = middle;
    }
    return NULL;
}

struct btk_bytes btk_image_shown_text(const struct btk_image *image, uint32_t id)
{
    const struct btk_normal_form *const form = find_normal_form(image, id);
    if (!form) return btk_image_token_text(image, id);
    return (struct btk_bytes){image->normal_form_text + form->begin, form->bytes};
}

static bool equals(struct btk_bytes a, struct btk_bytes b)
{
    return a.length == b.length && (!a.length || memcmp(a.data, b.data, a.length) == 0);
}

uint32_t btk_image_find_token(const struct btk_image *image, struct btk_bytes text)
{
    const uint64_t hash = btk_lookup_hash(text);
    for (uint64_t at = hash;; at++) {
        const struct btk_lookup_slot slot = image->text_lookup.slots[at & image->text_lookup.mask];
        if (slot.id == BTK_NO_TOKEN) return BTK_NO_TOKEN;
        if (slot.hash == hash >> 32 && equals(text, btk_image_token_text(image, slot.id)))
            return slot.id;
    }
}

uint32_t btk_image_find_bytes(const struct btk_image *image, struct btk_bytes bytes)
{
    const uint64_t hash = btk_lookup_hash(bytes);
    for (uint64_t at = hash;; at++) {
        const struct btk_lookup_slot slot =
            image->bytes_lookup.slots[at & image->bytes_lookup.mask];
        if (slot.id == BTK_NO_TOKEN) return BTK_NO_TOKEN;
        if (slot.hash == hash >> 32 && equals(bytes, btk_image_model_text(image, slot.id)))
            return slot.id;
    }
}
