// SPDX-License-Identifier: Apache-2.0
// print_sources: the lists of pattern_sources.h as JSON, a line each: pattern, dialect and expression,
// or pattern, "SEQUENCE" and its steps.
#include "kernels/pretok/pattern_sources.h"

#include <stdio.h>

static void print_string(const char *text)
{
    putchar('"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            printf("\\%c", *text);
        else if ((unsigned char)*text < ' ')
            printf("\\u%04x", (unsigned)*text);
        else
            putchar(*text);
    }
    putchar('"');
}

static void print_source(const char *pattern, const char *dialect, const char *text)
{
    printf("[\"%s\",\"%s\",", pattern, dialect);
    print_string(text);
    printf("]\n");
}

static void print_step(const char *kind, const char *text)
{
    printf(",[\"%s\",", kind);
    print_string(text);
    printf("]");
}

int main(void)
{
#define SOURCE(pattern, dialect, text) print_source(#pattern, #dialect, text);
    BTK_SOURCE_LIST(SOURCE)
#undef SOURCE
#define STEP(kind, text) print_step(#kind, text);
#define SEQUENCE(pattern, steps)                                                                   \
    printf("[\"%s\",\"SEQUENCE\"", #pattern);                                                      \
    steps printf("]\n");
    BTK_SEQUENCE_LIST(SEQUENCE, STEP)
#undef SEQUENCE
#undef STEP
    return 0;
}
