// SPDX-License-Identifier: Apache-2.0
#include "common/mapped_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/uninstrumented.h"

static int check_kind(const char *path, const struct stat *facts, uint64_t max_bytes,
                      struct btk_error *error)
{
    if (S_ISDIR(facts->st_mode)) {
        return btk_error_set(error, EISDIR, BTK_NO_OFFSET, "%s is a folder, not a file", path);
    }
    if (!S_ISREG(facts->st_mode)) {
        return btk_error_set(error, EINVAL, BTK_NO_OFFSET, "%s is not a regular file", path);
    }
    if ((uint64_t)facts->st_size <= max_bytes) return 0;
    return btk_error_set(error, EFBIG, BTK_NO_OFFSET,
                         "%s has %" PRIu64 " bytes, the bound is %" PRIu64, path,
                         (uint64_t)facts->st_size, max_bytes);
}

static int map_descriptor(int descriptor, const char *path, uint64_t max_bytes, int flags,
                          struct btk_mapped_file *out_file, struct btk_error *error)
{
    struct stat facts;
    if (fstat(descriptor, &facts) != 0) {
        return btk_error_set(error, errno, BTK_NO_OFFSET, "%s: %s", path, strerror(errno));
    }
    btk_library_wrote(&facts, sizeof facts);
    const int status = check_kind(path, &facts, max_bytes, error);
    if (status) return status;
    *out_file = (struct btk_mapped_file){0};
    if (facts.st_size == 0) return 0;
    void *const data =
        mmap(NULL, (size_t)facts.st_size, PROT_READ, MAP_PRIVATE | flags, descriptor, 0);
    if (data == MAP_FAILED) {
        return btk_error_set(error, errno, BTK_NO_OFFSET, "%s: %s", path, strerror(errno));
    }
    *out_file = (struct btk_mapped_file){.data = data, .length = (size_t)facts.st_size};
    return 0;
}

static int map_path(const char *path, uint64_t max_bytes, int flags,
                    struct btk_mapped_file *out_file, struct btk_error *error)
{
    // O_NONBLOCK: a FIFO must be refused, not waited for.
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) {
        return btk_error_set(error, errno, BTK_NO_OFFSET, "%s: %s", path, strerror(errno));
    }
    const int status = map_descriptor(descriptor, path, max_bytes, flags, out_file, error);
    close(descriptor);
    return status;
}

int btk_mapped_file_map(const char *path, uint64_t max_bytes, struct btk_mapped_file *out_file,
                        struct btk_error *error)
{
    return map_path(path, max_bytes, MAP_POPULATE, out_file, error);
}

int btk_mapped_file_map_lazily(const char *path, struct btk_mapped_file *out_file,
                               struct btk_error *error)
{
    return map_path(path, SIZE_MAX, 0, out_file, error);
}

bool btk_mapped_file_begins_with(const char *path, const char *text)
{
    char head[16];
    const size_t length = strlen(text);
    if (length > sizeof head) return false;
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) return false;
    const bool is_so =
        read(descriptor, head, length) == (ssize_t)length && memcmp(head, text, length) == 0;
    close(descriptor);
    return is_so;
}

void btk_mapped_file_unmap(struct btk_mapped_file *file)
{
    if (!file || !file->data) return;
    munmap((void *)(uintptr_t)file->data, file->length);
    *file = (struct btk_mapped_file){0};
}
