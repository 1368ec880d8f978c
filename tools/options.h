// SPDX-License-Identifier: Apache-2.0
// The command line, read after the lists of option_list.h.
//
// Ownership: values point into argv. Threads: none.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/base.h"
#include "common/error.h"
#include "tools/option_list.h"

enum btk_command {
#define COMMAND(name, NAME, arguments, summary, text, examples) BTK_COMMAND_##NAME,
    BTK_COMMAND_LIST(COMMAND)
#undef COMMAND
        BTK_COMMAND_COUNT
};

#define BTK_IN(NAME) (1u << BTK_COMMAND_##NAME)

enum btk_option {
#define OPTION(name, spelling, argument, help, commands) BTK_OPTION_##name,
    BTK_OPTION_LIST(OPTION)
#undef OPTION
        BTK_OPTION_COUNT
};

enum { BTK_OPTION_REPEATS_MAX = 64 };

// "[=WHAT]": an option that may have a value, but only with the sign before it.
static inline bool btk_option_may_stand_alone(const char *argument)
{
    return argument[0] == '[' && argument[1] == '=';
}

struct btk_options {
    enum btk_command command;
    const char *values[BTK_OPTION_COUNT]; // the last one given; "" for a flag; NULL: not given
    const char *tokenizers[BTK_OPTION_REPEATS_MAX];
    unsigned tokenizer_count;
    const char *specials[BTK_OPTION_REPEATS_MAX]; // NAME=ID
    unsigned special_count;
    char **files; // arguments that are no options
    unsigned file_count;
    bool wants_help;
};

// The statuses that a program ends with.
enum {
    BTK_EXIT_DONE = 0,
    BTK_EXIT_DIFFERENCES = 1,
    BTK_EXIT_USAGE = 2,
    BTK_EXIT_FILE = 3,
    BTK_EXIT_NO_CLUSTER = 4,
    BTK_EXIT_REFUSED = 5,
    BTK_EXIT_ADDRESS_TAKEN = 6,
};

bool btk_options_try_command(const char *name, enum btk_command *out_command);
const char *btk_options_command_name(enum btk_command command);

// Reads what follows the command; moves the files to the front of argv. -EINVAL with what is wrong.
BTK_MUST_USE int btk_options_parse(enum btk_command command, int argc, char **argv,
                                   struct btk_options *out_options, struct btk_error *error);

static inline bool btk_options_has(const struct btk_options *options, enum btk_option option)
{
    return options->values[option] != NULL;
}

// A whole number of at least `minimum`; `fallback` when the option was not given. -EINVAL.
BTK_MUST_USE int btk_options_number(const struct btk_options *options, enum btk_option option,
                                    uint64_t minimum, uint64_t fallback, uint64_t *out_number,
                                    struct btk_error *error);

// A set of names joined by commas, as a set of bits; names end with NULL. -EINVAL names them all.
BTK_MUST_USE int btk_options_set(const char *text, const char *const *names, const char *what,
                                 unsigned *out_set, struct btk_error *error);

// One of names; its index.
BTK_MUST_USE int btk_options_choice(const struct btk_options *options, enum btk_option option,
                                    const char *const *names, unsigned *out_index,
                                    struct btk_error *error);

// What --help prints, man pages, and completion for "bash", "zsh" or "fish" (false: no such shell).
void btk_usage_print(FILE *stream);
void btk_usage_print_command(enum btk_command command);
void btk_usage_print_man(enum btk_command command);
bool btk_usage_print_completion(const char *shell);
