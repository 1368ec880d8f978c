// SPDX-License-Identifier: Apache-2.0
#include "ipc/document.h"

#include <errno.h>
#include <string.h>

#define SATURATED (UINT64_MAX / 2)

static uint64_t text_bytes(const struct btk_encode_text *text)
{
    const uint64_t words = text->word_ends != NULL ? text->word_count : 0;
    if (text->bytes > SATURATED / 4 || words > SATURATED / 4 / sizeof(uint64_t))
        return SATURATED / 4;
    return text->bytes + words * sizeof(uint64_t);
}

uint64_t btk_document_bytes(const struct btk_encode_input *input)
{
    return sizeof(struct btk_document_head) + text_bytes(&input->text)
           + (input->has_pair ? text_bytes(&input->pair) : 0);
}

static uint8_t *put(uint8_t *at, const void *from, size_t bytes)
{
    if (bytes > 0) memcpy(at, from, bytes);
    return at + bytes;
}

void btk_document_write(const struct btk_encode_input *input, uint8_t *destination)
{
    const struct btk_encode_text *text = &input->text;
    const struct btk_encode_text no_text = {0};
    const struct btk_encode_text *pair = input->has_pair ? &input->pair : &no_text;
    struct btk_document_head head = {.text_bytes = text->bytes, .pair_bytes = pair->bytes};
    if (text->word_ends != NULL) {
        head.flags |= BTK_DOCUMENT_IS_SPLIT;
        head.word_count = (uint32_t)text->word_count;
    }
    if (input->has_pair) head.flags |= BTK_DOCUMENT_HAS_PAIR;
    if (pair->word_ends != NULL) {
        head.flags |= BTK_DOCUMENT_PAIR_IS_SPLIT;
        head.pair_word_count = (uint32_t)pair->word_count;
    }
    uint8_t *at = put(destination, &head, sizeof head);
    at = put(at, text->word_ends, head.word_count * sizeof(uint64_t));
    at = put(at, pair->word_ends, head.pair_word_count * sizeof(uint64_t));
    at = put(at, text->data, text->bytes);
    put(at, pair->data, pair->bytes);
}

static int refuse(struct btk_error *error, const char *what)
{
    return btk_error_set(error, EPROTO, BTK_NO_OFFSET, "the head of the document: %s", what);
}

static int check_head(const struct btk_document_head *head, uint64_t bytes, struct btk_error *error)
{
    const uint64_t words = (uint64_t)head->word_count + head->pair_word_count;
    const bool has_pair = (head->flags & BTK_DOCUMENT_HAS_PAIR) != 0;
    if ((head->flags & ~(uint32_t)BTK_DOCUMENT_KNOWN) != 0) return refuse(error, "unknown flags");
    if ((!has_pair && (head->pair_bytes > 0 || (head->flags & BTK_DOCUMENT_PAIR_IS_SPLIT) != 0))
        || ((head->flags & BTK_DOCUMENT_IS_SPLIT) == 0 && head->word_count > 0)
        || ((head->flags & BTK_DOCUMENT_PAIR_IS_SPLIT) == 0 && head->pair_word_count > 0))
        return refuse(error, "lengths of what is not there");
    if (head->text_bytes > bytes || head->pair_bytes > bytes
        || bytes != sizeof *head + words * sizeof(uint64_t) + head->text_bytes + head->pair_bytes)
        return refuse(error, "its parts are not as long as the document");
    return 0;
}

// Whether the ends are in order is for the engine to say. NULL would mean that the text is not split.
static void set_words(struct btk_encode_text *text, const uint64_t *ends, uint32_t word_count)
{
    static const uint64_t no_words[1];
    text->word_ends = word_count > 0 ? ends : no_words;
    text->word_count = word_count;
}

int btk_document_read(struct btk_bytes document, struct btk_encode_input *out_input,
                      struct btk_error *error)
{
    struct btk_document_head head;
    if (document.length < sizeof head) return refuse(error, "shorter than a head");
    memcpy(&head, document.data, sizeof head);
    const int rc = check_head(&head, document.length, error);
    if (rc != 0) return rc;
    const uint64_t *ends = (const void *)(document.data + sizeof head);
    const uint64_t *pair_ends = ends + head.word_count;
    const char *texts = (const char *)(pair_ends + head.pair_word_count);
    struct btk_encode_input input = {
        .text = {.data = texts, .bytes = head.text_bytes},
        .has_pair = (head.flags & BTK_DOCUMENT_HAS_PAIR) != 0,
        .pair = {.data = texts + head.text_bytes, .bytes = head.pair_bytes},
    };
    if ((head.flags & BTK_DOCUMENT_IS_SPLIT) != 0) set_words(&input.text, ends, head.word_count);
    if ((head.flags & BTK_DOCUMENT_PAIR_IS_SPLIT) != 0)
        set_words(&input.pair, pair_ends, head.pair_word_count);
    *out_input = input;
    return 0;
}
