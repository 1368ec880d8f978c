// SPDX-License-Identifier: Apache-2.0
#include "tools/sibling.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int btk_sibling_path(const char *name, char *out_path, size_t capacity, struct btk_error *error)
{
    char self[4096];
    const ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length < 0)
        return btk_error_set(error, errno, BTK_NO_OFFSET, "/proc/self/exe: %s", strerror(errno));
    self[length] = 0;
    char *const slash = strrchr(self, '/');
    *slash = 0;
    if ((size_t)snprintf(out_path, capacity, "%s/%s", self, name) >= capacity)
        return btk_error_set(error, ENAMETOOLONG, BTK_NO_OFFSET, "%s: the path is too long", name);
    return 0;
}
