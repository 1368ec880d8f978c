// SPDX-License-Identifier: Apache-2.0
#include "common/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int btk_error_set(struct btk_error *error, int code, uint64_t offset, const char *format, ...)
{
    if (!error) return -code;
    error->code = code;
    error->offset = offset;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    return -code;
}

int btk_error_prefix(struct btk_error *error, const char *format, ...)
{
    if (!error) return 0;
    char joined[sizeof error->message];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(joined, sizeof joined, format, arguments);
    va_end(arguments);
    const size_t length = strlen(joined);
    const size_t room = sizeof joined - length - 1;
    const size_t kept = strnlen(error->message, sizeof error->message - 1);
    if (room > 2) {
        memcpy(joined + length, ": ", 2);
        memcpy(joined + length + 2, error->message, btk_min_size(kept, room - 2));
        joined[length + 2 + btk_min_size(kept, room - 2)] = '\0';
    }
    memcpy(error->message, joined, sizeof joined);
    return -error->code;
}
