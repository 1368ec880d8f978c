// SPDX-License-Identifier: Apache-2.0
// The subcommands: each takes its options and returns an exit status.
#pragma once

#include "tools/options.h"

#define COMMAND(name, NAME, arguments, summary, text, examples)                                    \
    int btk_command_##name(const struct btk_options *options);
BTK_COMMAND_LIST(COMMAND)
#undef COMMAND
