// SPDX-License-Identifier: Apache-2.0
// A library for LD_PRELOAD that counts allocations by who made them: the program, libzmq, msgpack, ...
//
//     BTK_COUNT_FOLDER=DIR LD_PRELOAD=libcount_allocations.so PROGRAM
//
// Each process keeps DIR/PID, which anybody may read at any time: ROWS rows of 64 bytes, the name of a
// module (zero-filled) and, in the last 8 bytes, how often code of it called the allocator. The caller is
// found by the return address, so what a library's inline functions allocate is the program's.
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <link.h>

enum { ROWS = 64, NAME_BYTES = 56 };

struct row {
    char module[NAME_BYTES];
    _Atomic uint64_t count;
};

static struct row *rows; // NULL: nobody asked
static _Atomic(void *) modules[ROWS];

// Entries that the C library keeps for those who stand in for its allocator.
// NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *memory, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);
// NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)

__attribute__((constructor)) static void open_rows(void)
{
    char path[4096];
    const char *const folder = getenv("BTK_COUNT_FOLDER");
    if (!folder) return;
    snprintf(path, sizeof path, "%s/%ld", folder, (long)getpid());
    const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return;
    if (ftruncate(fd, ROWS * sizeof(struct row)) == 0) {
        void *const memory =
            mmap(NULL, ROWS * sizeof(struct row), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (memory != MAP_FAILED) rows = memory;
    }
    close(fd);
}

// The row of a module; its name is written by the thread that met it first.
static struct row *row_of(void *start, const char *path)
{
    for (size_t i = 0; i < ROWS; i++) {
        void *known = NULL;
        if (atomic_compare_exchange_strong_explicit(&modules[i], &known, start,
                                                    memory_order_relaxed, memory_order_relaxed))
        {
            const char *const slash = strrchr(path, '/');
            strncpy(rows[i].module, slash ? slash + 1 : path, NAME_BYTES - 1);
            return rows + i;
        }
        if (known == start) return rows + i;
    }
    return rows + ROWS - 1;
}

static void count_one(void *caller)
{
    struct dl_find_object found;
    if (!rows) return;
    const bool is_known = _dl_find_object(caller, &found) == 0;
    const char *path = is_known ? found.dlfo_link_map->l_name : "unknown";
    if (!*path) path = "program";
    struct row *const row = row_of(is_known ? found.dlfo_map_start : (void *)rows, path);
    atomic_fetch_add_explicit(&row->count, 1, memory_order_relaxed);
}

// The system's headers call the parameters by names that are its own.
// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name)
__attribute__((visibility("default"))) void *malloc(size_t bytes)
{
    count_one(__builtin_return_address(0));
    return __libc_malloc(bytes);
}

__attribute__((visibility("default"))) void *calloc(size_t count, size_t bytes)
{
    count_one(__builtin_return_address(0));
    return __libc_calloc(count, bytes);
}

__attribute__((visibility("default"))) void *realloc(void *memory, size_t bytes)
{
    count_one(__builtin_return_address(0));
    return __libc_realloc(memory, bytes);
}

__attribute__((visibility("default"))) void *aligned_alloc(size_t alignment, size_t bytes)
{
    count_one(__builtin_return_address(0));
    return __libc_memalign(alignment, bytes);
}

__attribute__((visibility("default"))) int posix_memalign(void **out_memory, size_t alignment,
                                                          size_t bytes)
{
    count_one(__builtin_return_address(0));
    void *const memory = __libc_memalign(alignment, bytes);
    if (!memory) return ENOMEM;
    *out_memory = memory;
    return 0;
}
// NOLINTEND(readability-inconsistent-declaration-parameter-name)
