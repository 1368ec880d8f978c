// SPDX-License-Identifier: Apache-2.0
// How documents are encoded, as the command line says it; a line of input may say more
// (common/request_options.h).
#pragma once

#include "common/base.h"
#include "common/error.h"
#include "common/request_options.h"
#include "tools/options.h"

// -EINVAL.
BTK_MUST_USE int btk_command_line_options_read(struct btk_request_options *options,
                                               const struct btk_options *command_line,
                                               struct btk_error *error);
