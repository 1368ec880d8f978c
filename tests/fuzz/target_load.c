// SPDX-License-Identifier: Apache-2.0
// A file of any kind: whatever loads can encode and decode.
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/fuzz/target.h"

static const char text[] = "A b ab\u00e9 \u4e2d\xff<unk> abab  'S 1234\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    struct btk_tokenizer *tokenizer = NULL;
    struct btk_error_info error = {.message = ""};
    const int file = memfd_create("fuzz", 0);
    CHECK(file >= 0 && write(file, data, size) == (ssize_t)size, "a file in memory");
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    const int status = btk_tokenizer_open(path, &tokenizer, &error);
    CHECK((status == 0) == (tokenizer != NULL), "a tokenizer or an error");
    CHECK(status == 0 || error.message[0], "an error says why");
    if (tokenizer) fuzz_use(tokenizer, text, sizeof text - 1);
    btk_tokenizer_close(&tokenizer);
    close(file);
    return 0;
}
