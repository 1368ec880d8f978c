// SPDX-License-Identifier: Apache-2.0
// The command lines of the benchmark programs: a table of options gives parser and --help.
//
// Ownership: values point into argv. Threads: none.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/error.h"

struct btk_argument {
    const char *spelling;    // without the dashes
    const char *placeholder; // NULL: a flag
    const char *help;
    const char **out_value; // set to the value, or to "" for a flag; left alone when not given
};

struct btk_argument_table {
    const char *program;
    const char *summary;
    const char *examples; // one a line
    const struct btk_argument *arguments;
    size_t count;
};

// Reads "--name value", "--name=value" and "--name". *out_wants_help: --help was among them.
// -EINVAL with what is wrong; nothing but options is taken.
BTK_MUST_USE int btk_arguments_parse(const struct btk_argument_table *table, int argc, char **argv,
                                     bool *out_wants_help, struct btk_error *error);

void btk_arguments_print_help(const struct btk_argument_table *table);

// "--man", or "--completion" and a shell (bash, zsh, fish), alone on the command line: printed from
// the same table, for those who package the program. False: it is something else.
bool btk_arguments_try_document(const struct btk_argument_table *table, int argc, char **argv);

// A whole number in [minimum, maximum]; *number is left alone when `text` is NULL. -EINVAL.
BTK_MUST_USE int btk_arguments_number(const char *spelling, const char *text, uint64_t minimum,
                                      uint64_t maximum, uint64_t *number, struct btk_error *error);

// A number above zero, at most `maximum`. -EINVAL.
BTK_MUST_USE int btk_arguments_real(const char *spelling, const char *text, double maximum,
                                    double *number, struct btk_error *error);

// The index of `text` in names, which end with NULL; *index is left alone when it is NULL. -EINVAL.
BTK_MUST_USE int btk_arguments_choice(const char *spelling, const char *text,
                                      const char *const *names, unsigned *index,
                                      struct btk_error *error);

// The same for several names with commas between them, as a set of bits.
BTK_MUST_USE int btk_arguments_set(const char *spelling, const char *text, const char *const *names,
                                   unsigned *set, struct btk_error *error);
