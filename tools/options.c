// SPDX-License-Identifier: Apache-2.0
#include "tools/options.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *spelling;
    const char *argument;
    unsigned commands;
} option_table[BTK_OPTION_COUNT] = {
#define OPTION(name, spelling, argument, help, commands)                                           \
    [BTK_OPTION_##name] = {spelling, argument, commands},
    BTK_OPTION_LIST(OPTION)
#undef OPTION
};

static const char *const command_names[BTK_COMMAND_COUNT] = {
#define COMMAND(name, NAME, arguments, summary, text, examples) [BTK_COMMAND_##NAME] = #name,
    BTK_COMMAND_LIST(COMMAND)
#undef COMMAND
};

bool btk_options_try_command(const char *name, enum btk_command *out_command)
{
    for (unsigned i = 0; i < BTK_COMMAND_COUNT; i++) {
        if (strcmp(name, command_names[i]) != 0) continue;
        *out_command = i;
        return true;
    }
    return false;
}

const char *btk_options_command_name(enum btk_command command)
{
    return command_names[command];
}

// Splits "--name=value". The option of that name that the command has, or BTK_OPTION_COUNT.
static unsigned find_option(enum btk_command command, const char *argument, const char **out_value)
{
    const char *const name = argument + 2;
    const size_t length = strcspn(name, "=");
    *out_value = name[length] ? name + length + 1 : NULL;
    for (unsigned i = 0; i < BTK_OPTION_COUNT; i++)
        if (strlen(option_table[i].spelling) == length
            && memcmp(option_table[i].spelling, name, length) == 0
            && (option_table[i].commands & (1u << command)))
            return i;
    return BTK_OPTION_COUNT;
}

static int usage_error(struct btk_error *error, enum btk_command command, const char *argument,
                       const char *what)
{
    return btk_error_set(error, EINVAL, BTK_NO_OFFSET, "%s: %s; see budtiktok %s --help", argument,
                         what, command_names[command]);
}

// NAME=ID
static int check_special(const char *value, struct btk_error *error)
{
    const char *const equals = strrchr(value, '=');
    const size_t digits = equals ? strspn(equals + 1, "0123456789") : 0;
    if (digits && digits < 9 && !equals[1 + digits] && equals != value && equals - value < 256)
        return 0;
    return btk_error_set(error, EINVAL, BTK_NO_OFFSET,
                         "--special %s: NAME=ID was expected, with a name of at most 255 bytes",
                         value);
}

// Options that may be given more than once.
static int add_repeated(struct btk_options *options, unsigned option, const char *value,
                        struct btk_error *error)
{
    const bool is_special = option == BTK_OPTION_special;
    if (!is_special && option != BTK_OPTION_tokenizer) return 0;
    unsigned *const count = is_special ? &options->special_count : &options->tokenizer_count;
    if (*count == BTK_OPTION_REPEATS_MAX)
        return btk_error_set(error, EINVAL, BTK_NO_OFFSET, "--%s: more than %d of them",
                             option_table[option].spelling, BTK_OPTION_REPEATS_MAX);
    (is_special ? options->specials : options->tokenizers)[(*count)++] = value;
    return is_special ? check_special(value, error) : 0;
}

// One option at argv[*at]; moves *at over its value.
static int parse_option(struct btk_options *options, int argc, char **argv, int *at,
                        struct btk_error *error)
{
    const char *value;
    const char *const argument = argv[*at];
    const unsigned option = find_option(options->command, argument, &value);
    if (option == BTK_OPTION_COUNT)
        return usage_error(error, options->command, argument, "no such option here");
    if (!option_table[option].argument) {
        if (value) return usage_error(error, options->command, argument, "takes no value");
        value = "";
    } else if (!value && btk_option_may_stand_alone(option_table[option].argument)) {
        value = ""; // "[=WHAT]": only with the sign may a value follow
    } else if (!value) {
        if (*at + 1 >= argc)
            return usage_error(error, options->command, argument, "needs a value behind it");
        value = argv[++*at];
    }
    options->values[option] = value;
    return add_repeated(options, option, value, error);
}

// As many files as the list says.
static int check_files(const struct btk_options *options, struct btk_error *error)
{
    static const char *const arguments[BTK_COMMAND_COUNT] = {
#define COMMAND(name, NAME, arguments, summary, text, examples) [BTK_COMMAND_##NAME] = arguments,
        BTK_COMMAND_LIST(COMMAND)
#undef COMMAND
    };
    const char *const takes = arguments[options->command];
    const unsigned most = strstr(takes, "...") ? UINT_MAX : *takes ? 1 : 0;
    if (options->file_count <= most || options->wants_help) return 0;
    return usage_error(error, options->command, options->files[most],
                       most ? "is one FILE too many" : "no FILE is taken here");
}

int btk_options_parse(enum btk_command command, int argc, char **argv,
                      struct btk_options *out_options, struct btk_error *error)
{
    *out_options = (struct btk_options){.command = command, .files = argv};
    bool is_past_options = false;
    for (int i = 0; i < argc; i++) {
        const bool is_option = !is_past_options && argv[i][0] == '-' && argv[i][1];
        if (!is_option) {
            argv[out_options->file_count++] = argv[i];
        } else if (strcmp(argv[i], "--") == 0) {
            is_past_options = true;
        } else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            out_options->wants_help = true;
        } else if (argv[i][1] != '-') {
            return usage_error(error, command, argv[i], "options begin with two dashes");
        } else {
            const int status = parse_option(out_options, argc, argv, &i, error);
            if (status < 0) return status;
        }
    }
    return check_files(out_options, error);
}

int btk_options_number(const struct btk_options *options, enum btk_option option, uint64_t minimum,
                       uint64_t fallback, uint64_t *out_number, struct btk_error *error)
{
    const char *const text = options->values[option];
    if (!text) {
        *out_number = fallback;
        return 0;
    }
    char *end;
    errno = 0;
    const unsigned long long number = strtoull(text, &end, 10);
    if (errno || end == text || *end || text[0] == '-' || number < minimum)
        return btk_error_set(error, EINVAL, BTK_NO_OFFSET,
                             "--%s: \"%s\" is not a whole number of at least %llu",
                             option_table[option].spelling, text, (unsigned long long)minimum);
    *out_number = number;
    return 0;
}

static void join_names(const char *const *names, char *out, size_t capacity)
{
    size_t length = 0;
    out[0] = 0;
    for (size_t i = 0; names[i] && length < capacity; i++)
        length +=
            (size_t)snprintf(out + length, capacity - length, "%s%s", i ? ", " : "", names[i]);
}

static int find_name(const char *text, size_t length, const char *const *names)
{
    for (int i = 0; names[i]; i++)
        if (strlen(names[i]) == length && memcmp(names[i], text, length) == 0) return i;
    return -1;
}

int btk_options_set(const char *text, const char *const *names, const char *what, unsigned *out_set,
                    struct btk_error *error)
{
    unsigned set = 0;
    for (const char *at = text;;) {
        const size_t length = strcspn(at, ",");
        const int index = find_name(at, length, names);
        if (index < 0) {
            char all[256];
            join_names(names, all, sizeof all);
            return btk_error_set(error, EINVAL, BTK_NO_OFFSET, "%s: \"%.*s\" is not one of %s",
                                 what, (int)btk_min_size(length, 100), at, all);
        }
        set |= 1u << index;
        if (!at[length]) break;
        at += length + 1;
    }
    *out_set = set;
    return 0;
}

int btk_options_choice(const struct btk_options *options, enum btk_option option,
                       const char *const *names, unsigned *out_index, struct btk_error *error)
{
    const char *const text = options->values[option];
    if (!text) {
        *out_index = 0;
        return 0;
    }
    const int index = find_name(text, strlen(text), names);
    if (index < 0) {
        char all[256];
        join_names(names, all, sizeof all);
        return btk_error_set(error, EINVAL, BTK_NO_OFFSET, "--%s: \"%s\" is not one of %s",
                             option_table[option].spelling, text, all);
    }
    *out_index = (unsigned)index;
    return 0;
}
