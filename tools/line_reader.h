// SPDX-License-Identifier: Apache-2.0
// Lines of a descriptor, with a bound on their length: what is beyond it is read and thrown away.
//
// Ownership: owns its buffer, borrows the descriptor. Threads: one.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buffer.h"

struct btk_line_reader {
    int fd;
    size_t line_bytes_max;
    struct btk_buffer buffer;
    size_t position; // in the buffer: where the next line begins
    bool is_at_end;
    uint64_t bytes_read;
};

void btk_line_reader_init(struct btk_line_reader *reader, int fd, size_t line_bytes_max);
void btk_line_reader_clear(struct btk_line_reader *reader);

// The next line without its \n or \r\n, valid until the next call; *out_is_too_long: only its
// beginning. 1; 0: there are no more; -errno.
BTK_MUST_USE int btk_line_reader_next(struct btk_line_reader *reader, struct btk_bytes *out_line,
                                      bool *out_is_too_long);

// Can the next line be had without waiting for more input?
bool btk_line_reader_has_line(const struct btk_line_reader *reader);
