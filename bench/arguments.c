// SPDX-License-Identifier: Apache-2.0
#include "bench/arguments.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct btk_argument *find_argument(const struct btk_argument_table *table,
                                                const char *name, size_t length)
{
    for (size_t i = 0; i < table->count; i++)
        if (strlen(table->arguments[i].spelling) == length
            && memcmp(table->arguments[i].spelling, name, length) == 0)
            return &table->arguments[i];
    return NULL;
}

static int usage_error(struct btk_error *error, const struct btk_argument_table *table,
                       const char *given, const char *what)
{
    return btk_error_set(error, EINVAL, BTK_NO_OFFSET, "%s: %s; see %s --help", given, what,
                         table->program);
}

// The option at argv[*at]; moves *at over its value.
static int take_argument(const struct btk_argument_table *table, int argc, char **argv, int *at,
                         struct btk_error *error)
{
    const char *const given = argv[*at];
    if (strncmp(given, "--", 2) != 0)
        return usage_error(error, table, given, "options begin with two dashes");
    const size_t length = strcspn(given + 2, "=");
    const char *value = given[2 + length] ? given + 2 + length + 1 : NULL;
    const struct btk_argument *const argument = find_argument(table, given + 2, length);
    if (!argument) return usage_error(error, table, given, "no such option");
    if (!argument->placeholder) {
        if (value) return usage_error(error, table, given, "takes no value");
        value = "";
    } else if (!value) {
        if (*at + 1 >= argc) return usage_error(error, table, given, "needs a value behind it");
        value = argv[++*at];
    }
    *argument->out_value = value;
    return 0;
}

int btk_arguments_parse(const struct btk_argument_table *table, int argc, char **argv,
                        bool *out_wants_help, struct btk_error *error)
{
    bool wants_help = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            wants_help = true;
            continue;
        }
        const int status = take_argument(table, argc, argv, &i, error);
        if (status < 0) return status;
    }
    *out_wants_help = wants_help;
    return 0;
}

static void print_lines(const char *text, const char *indent)
{
    for (const char *at = text; *at;) {
        const size_t length = strcspn(at, "\n");
        printf("%s%.*s\n", indent, (int)length, at);
        at += length + (at[length] == '\n');
    }
}

void btk_arguments_print_help(const struct btk_argument_table *table)
{
    printf("usage: %s [OPTIONS]\n\n", table->program);
    print_lines(table->summary, "");
    printf("\noptions:\n");
    for (size_t i = 0; i < table->count; i++) {
        const struct btk_argument *const argument = &table->arguments[i];
        printf("  --%s%s%s\n", argument->spelling, argument->placeholder ? " " : "",
               argument->placeholder ? argument->placeholder : "");
        print_lines(argument->help, "      ");
    }
    printf("  --help\n      this text\n\nexamples:\n");
    print_lines(table->examples, "  ");
}

// A dash is a hyphen to roff, and a dot at the beginning of a line a request.
static void print_roff(const char *text)
{
    bool begins = true;
    for (const char *at = text; *at; at++) {
        if (begins && *at == '.') printf("\\&");
        if (*at == '-' || *at == '\\') printf("\\");
        putchar(*at);
        begins = *at == '\n';
    }
}

static void print_man_option(const struct btk_argument *argument)
{
    printf(".TP\n.BI \"\\-\\-");
    print_roff(argument->spelling);
    printf(" \" \"%s\"\n", argument->placeholder ? argument->placeholder : "");
    print_roff(argument->help);
    printf("\n");
}

static void print_man(const struct btk_argument_table *table)
{
    printf(".TH %s 1\n.SH NAME\n%s\n.SH DESCRIPTION\n", table->program, table->program);
    print_roff(table->summary);
    printf("\n.SH OPTIONS\n");
    for (size_t i = 0; i < table->count; i++) print_man_option(&table->arguments[i]);
    printf(".TP\n.B \\-\\-help\nthis text\n.SH EXAMPLES\n.nf\n");
    print_roff(table->examples);
    printf("\n");
}

static void print_bash(const struct btk_argument_table *table)
{
    printf("complete -o default -W '");
    for (size_t i = 0; i < table->count; i++) printf("--%s ", table->arguments[i].spelling);
    printf("--help' %s\n", table->program);
}

static void print_zsh(const struct btk_argument_table *table)
{
    printf("#compdef %s\n_arguments '--help'", table->program);
    for (size_t i = 0; i < table->count; i++) {
        const struct btk_argument *const argument = &table->arguments[i];
        printf(" \\\n  '--%s%s'", argument->spelling, argument->placeholder ? ":value:_files" : "");
    }
    printf("\n");
}

static void print_fish(const struct btk_argument_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        printf("complete -c %s -l %s%s\n", table->program, table->arguments[i].spelling,
               table->arguments[i].placeholder ? " -r" : "");
    printf("complete -c %s -l help\n", table->program);
}

bool btk_arguments_try_document(const struct btk_argument_table *table, int argc, char **argv)
{
    static const struct {
        const char *shell;
        void (*print)(const struct btk_argument_table *table);
    } shells[] = {{"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}};
    if (argc == 2 && strcmp(argv[1], "--man") == 0) {
        print_man(table);
        return true;
    }
    if (argc != 3 || strcmp(argv[1], "--completion") != 0) return false;
    for (size_t i = 0; i < BTK_ARRAY_COUNT(shells); i++) {
        if (strcmp(argv[2], shells[i].shell) != 0) continue;
        shells[i].print(table);
        return true;
    }
    return false;
}

int btk_arguments_number(const char *spelling, const char *text, uint64_t minimum, uint64_t maximum,
                         uint64_t *number, struct btk_error *error)
{
    if (!text) return 0;
    char *end;
    errno = 0;
    const unsigned long long parsed = strtoull(text, &end, 10);
    if (errno || end == text || *end || text[0] < '0' || text[0] > '9' || parsed < minimum
        || parsed > maximum)
        return btk_error_set(error, EINVAL, BTK_NO_OFFSET,
                             "--%s: \"%s\" is not a whole number from %llu to %llu", spelling, text,
                             (unsigned long long)minimum, (unsigned long long)maximum);
    *number = parsed;
    return 0;
}

int btk_arguments_real(const char *spelling, const char *text, double maximum, double *number,
                       struct btk_error *error)
{
    if (!text) return 0;
    char *end;
    const double parsed = strtod(text, &end);
    if (end == text || *end || !isfinite(parsed) || parsed <= 0 || parsed > maximum)
        return btk_error_set(error, EINVAL, BTK_NO_OFFSET,
                             "--%s: \"%s\" is not a number above 0, at most %g", spelling, text,
                             maximum);
    *number = parsed;
    return 0;
}

static int name_error(const char *spelling, const char *text, size_t length,
                      const char *const *names, struct btk_error *error)
{
    char all[256] = "";
    size_t used = 0;
    for (size_t i = 0; names[i] && used < sizeof all; i++)
        used += (size_t)snprintf(all + used, sizeof all - used, "%s%s", i ? ", " : "", names[i]);
    return btk_error_set(error, EINVAL, BTK_NO_OFFSET, "--%s: \"%.*s\" is not one of %s", spelling,
                         (int)btk_min_size(length, 100), text, all);
}

static int find_name(const char *text, size_t length, const char *const *names)
{
    for (int i = 0; names[i]; i++)
        if (strlen(names[i]) == length && memcmp(names[i], text, length) == 0) return i;
    return -1;
}

int btk_arguments_choice(const char *spelling, const char *text, const char *const *names,
                         unsigned *index, struct btk_error *error)
{
    if (!text) return 0;
    const int found = find_name(text, strlen(text), names);
    if (found < 0) return name_error(spelling, text, strlen(text), names, error);
    *index = (unsigned)found;
    return 0;
}

int btk_arguments_set(const char *spelling, const char *text, const char *const *names,
                      unsigned *set, struct btk_error *error)
{
    if (!text) return 0;
    unsigned bits = 0;
    for (const char *at = text;;) {
        const size_t length = strcspn(at, ",");
        const int found = find_name(at, length, names);
        if (found < 0) return name_error(spelling, at, length, names, error);
        bits |= 1u << found;
        if (!at[length]) break;
        at += length + 1;
    }
    *set = bits;
    return 0;
}
