// SPDX-License-Identifier: Apache-2.0
// An image whose checksum is right and all else is whatever it is: what verify lets through is safe.
#include <string.h>

#include "common/base.h"
#include "common/hash.h"
#include "tests/fuzz/target.h"
#include "tokenizer/image_format.h"

static const char text[] = "A b ab\u00e9 \u4e2d<unk> abab  'S 1234\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct btk_tokenizer *tokenizer = NULL;
    struct btk_error_info error = {.message = ""};
    if (size < sizeof(struct btk_image_header)) return 0;
    uint8_t *const image =
        aligned_alloc(BTK_IMAGE_ALIGNMENT, btk_align_up(size, BTK_IMAGE_ALIGNMENT));
    CHECK(image, "memory");
    memcpy(image, data, size);
    struct btk_image_header *const header = (void *)image;
    header->magic = BTK_IMAGE_MAGIC;
    header->version = BTK_IMAGE_VERSION;
    header->section_count = BTK_SECTION_COUNT;
    header->bytes = size;
    header->checksum = btk_hash_xxh3(image + sizeof *header, size - sizeof *header, 0);
    const int status = btk_tokenizer_attach(image, size, false, &tokenizer, &error);
    CHECK(status == 0 || error.message[0], "an error says why");
    if (tokenizer) fuzz_use(tokenizer, text, sizeof text - 1);
    btk_tokenizer_close(&tokenizer);
    free(image);
    return 0;
}
