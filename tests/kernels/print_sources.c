// SPDX-License-Identifier: Apache-2.0
// print_sources: the list of regular expressions, a line each: pattern, dialect, text.
#include <stdio.h>

#include "kernels/pretok/pattern_sources.h"

int main(void)
{
#define SOURCE(pattern, dialect, text) printf("%s\t%s\t%s\n", #pattern, #dialect, text);
    BTK_SOURCE_LIST(SOURCE)
#undef SOURCE
    return 0;
}
