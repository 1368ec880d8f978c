// SPDX-License-Identifier: Apache-2.0
// Memory between two pages that nobody may touch.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"

struct guarded_pages {
    uint8_t *begin; // on a page
    uint8_t *end;   // on a page
};

// At least `bytes` of them, zeros, for the life of the process. -ENOMEM.
BTK_MUST_USE int guarded_pages_map(size_t bytes, struct guarded_pages *out_pages);
