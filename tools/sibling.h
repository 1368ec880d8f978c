// SPDX-License-Identifier: Apache-2.0
// Programs that are installed beside this one.
#pragma once

#include <stddef.h>

#include "common/base.h"
#include "common/error.h"

// The path of `name` in the folder of the running program. -errno.
BTK_MUST_USE int btk_sibling_path(const char *name, char *out_path, size_t capacity,
                                  struct btk_error *error);
