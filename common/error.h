// SPDX-License-Identifier: Apache-2.0
// What a loader, a parser or a start-up step says when it fails: a code, a place and a sentence.
//
// A sentence says what (file, field), where, what was expected and what was found.
#pragma once

#include <stdint.h>

#include "common/base.h"

#define BTK_NO_OFFSET UINT64_MAX

struct btk_error {
    int code;        // errno value, positive
    uint64_t offset; // byte in the input, or BTK_NO_OFFSET
    char message[512];
};

// Fills *error (which may be NULL) and returns -code, so that a caller can `return` it.
int btk_error_set(struct btk_error *error, int code, uint64_t offset, const char *format, ...)
    BTK_PRINTF(4, 5);

// Puts "<prefix>: " before the message, for callers that know more (the file's name). Returns
// -error->code, or 0 for NULL.
int btk_error_prefix(struct btk_error *error, const char *format, ...) BTK_PRINTF(2, 3);
