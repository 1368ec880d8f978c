// SPDX-License-Identifier: Apache-2.0
#include "bench/arguments.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct btk_argument *find(struct btk_argument *arguments, const char *name, size_t length)
{
    for (struct btk_argument *argument = arguments; argument->name; argument++)
        if (strlen(argument->name) == length && memcmp(argument->name, name, length) == 0)
            return argument;
    return NULL;
}

int btk_arguments_parse(struct btk_argument *arguments, int argc, char **argv, bool *out_wants_help,
                        struct btk_error *error)
{
    *out_wants_help = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            *out_wants_help = true;
            return 0;
        }
        const bool has_dashes = strncmp(argv[i], "--", 2) == 0;
        const char *const name = has_dashes ? argv[i] + 2 : argv[i];
        const size_t length = strcspn(name, "=");
        struct btk_argument *const argument = has_dashes ? find(arguments, name, length) : NULL;
        if (!argument)
            return btk_error_set(error, EINVAL, BTK_NO_OFFSET, "%s: no such option; see --help",
                                 argv[i]);
        if (!argument->metavar)
            argument->value = "";
        else if (name[length])
            argument->value = name + length + 1;
        else if (i + 1 < argc)
            argument->value = argv[++i];
        else
            return btk_error_set(error, EINVAL, BTK_NO_OFFSET, "--%s needs a value behind it",
                                 argument->name);
    }
    return 0;
}

const char *btk_arguments_value(const struct btk_argument *arguments, const char *name)
{
    for (const struct btk_argument *argument = arguments; argument->name; argument++)
        if (strcmp(argument->name, name) == 0) return argument->value;
    return NULL;
}

int btk_arguments_number(const struct btk_argument *arguments, const char *name, double minimum,
                         double fallback, double *out_number, struct btk_error *error)
{
    const char *const text = btk_arguments_value(arguments, name);
    *out_number = fallback;
    if (!text) return 0;
    char *end;
    const double number = strtod(text, &end);
    if (end == text || *end || !(number >= minimum))
        return btk_error_set(error, EINVAL, BTK_NO_OFFSET,
                             "--%s: \"%s\" is not a number of at least %g", name, text, minimum);
    *out_number = number;
    return 0;
}

void btk_arguments_print_help(const char *usage, const struct btk_argument *arguments)
{
    printf("usage: %s\n\noptions:\n", usage);
    for (const struct btk_argument *argument = arguments; argument->name; argument++)
        printf("  --%s%s%s\n      %s\n", argument->name, argument->metavar ? " " : "",
               argument->metavar ? argument->metavar : "", argument->help);
    printf("  --help\n      this text\n");
}
