// SPDX-License-Identifier: Apache-2.0
// The terminal as a screen: the alternate one, keys at once, signals as events, everything given back
// in the end, also when a signal ends it or stops it for a while. Plain ANSI sequences, as every
// terminal of today knows them.
//
// Ownership: one at a time, of standard input and output. Threads: one; opened before others start,
// for the signals that it blocks.
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <termios.h>

#include "common/base.h"
#include "common/buffer.h"

struct btk_terminal {
    struct termios saved;
    sigset_t saved_mask;
    int signal_fd;
};

enum btk_terminal_event {
    BTK_TERMINAL_TIME,   // nothing happened in that time
    BTK_TERMINAL_KEY,    // *out_value: the byte
    BTK_TERMINAL_RESIZE, // or it comes back from a stop: everything is to be drawn again
    BTK_TERMINAL_END,    // *out_value: the signal; 0: the terminal is gone
};

bool btk_terminal_is_there(void); // standard input and output are one
BTK_MUST_USE int btk_terminal_open(struct btk_terminal *terminal); // -errno
void btk_terminal_close(struct btk_terminal *terminal);

// 80 and 24 when it does not say.
void btk_terminal_size(unsigned *out_columns, unsigned *out_rows);
enum btk_terminal_event btk_terminal_wait(struct btk_terminal *terminal, int timeout_ms,
                                          int *out_value);
// Lines that end with \n, each over what stood there, and nothing below them.
BTK_MUST_USE int btk_terminal_draw(const struct btk_buffer *lines); // -errno
