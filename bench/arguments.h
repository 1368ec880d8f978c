// SPDX-License-Identifier: Apache-2.0
// The command line of the measuring programs: options with two dashes, each at most once, and their
// help.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/base.h"
#include "common/error.h"

struct btk_argument {
    const char *name;    // without dashes; NULL ends the list
    const char *metavar; // NULL: a flag
    const char *help;
    const char *value; // out: NULL when not given, "" for a flag
};

// -EINVAL with what is wrong. *out_wants_help: --help was there.
BTK_MUST_USE int btk_arguments_parse(struct btk_argument *arguments, int argc, char **argv,
                                     bool *out_wants_help, struct btk_error *error);

const char *btk_arguments_value(const struct btk_argument *arguments, const char *name);

// A number of at least `minimum`; `fallback` when it was not given. -EINVAL.
BTK_MUST_USE int btk_arguments_number(const struct btk_argument *arguments, const char *name,
                                      double minimum, double fallback, double *out_number,
                                      struct btk_error *error);

void btk_arguments_print_help(const char *usage, const struct btk_argument *arguments);
