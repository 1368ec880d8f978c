// SPDX-License-Identifier: Apache-2.0
// What must always hold: otherwise the program says what did not, and dies.
#pragma once

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition, what)                                                                     \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s: %s (%s:%d)\n", program_invocation_short_name, what, __FILE__,     \
                    __LINE__);                                                                     \
            abort();                                                                               \
        }                                                                                          \
    } while (0)
