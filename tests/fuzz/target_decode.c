// SPDX-License-Identifier: Apache-2.0
// Ids of one byte each, or two, through decode and both streams.
#include "tests/fuzz/target.h"

enum { IDS_MAX = 512 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_bytes bytes = {data, size};
    uint32_t ids[IDS_MAX];
    size_t count = 0;
    const struct btk_tokenizer *const tokenizer =
        fuzz_tokenizer(fuzz_below(&bytes, FUZZ_TOKENIZERS));
    const uint8_t flags = fuzz_byte(&bytes);
    while (bytes.left && count < IDS_MAX) {
        ids[count] = fuzz_byte(&bytes);
        if (flags & 2) ids[count] |= (uint32_t)fuzz_below(&bytes, 3) << 8;
        count++;
    }
    fuzz_decode(tokenizer, ids, count, flags & 1);
    return 0;
}
