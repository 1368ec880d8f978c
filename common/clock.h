// SPDX-License-Identifier: Apache-2.0
// The one clock of the system: CLOCK_MONOTONIC in ns, the same for all processes of a host.
#pragma once

#include <stdint.h>
#include <time.h>

static inline uint64_t btk_clock_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
