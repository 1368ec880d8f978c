// SPDX-License-Identifier: Apache-2.0
// An eventfd that says "look at the ring". Rung after the ring was written, cleared before it is
// read, so no wake-up is lost: what comes after the clear rings again.
#pragma once

#include "common/base.h"

// Non-blocking, close-on-exec. The caller owns it.
BTK_MUST_USE int btk_doorbell_create(int *out_fd);

void btk_doorbell_ring(int fd);
void btk_doorbell_clear(int fd);
