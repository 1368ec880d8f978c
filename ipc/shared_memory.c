// SPDX-License-Identifier: Apache-2.0
#include "ipc/shared_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cgroup.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25 // Linux 6.1
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 // Linux 5.14
#endif

enum { SMALL_PAGE_BYTES = 4096, HUGE_PAGE_BYTES = 2 << 20, STEP_BYTES = 8 << 20 };

// Where a mapping of this size could begin at the beginning of a huge page: a huge page of the file
// is one of the mapping only then. NULL: anywhere. Only a wish, as others may map something there.
static void *find_place(size_t bytes)
{
    if (bytes < HUGE_PAGE_BYTES) return NULL;
    const size_t room = bytes + HUGE_PAGE_BYTES;
    void *const address = mmap(NULL, room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (address == MAP_FAILED) return NULL;
    munmap(address, room);
    return (uint8_t *)address + (-(uintptr_t)address & (HUGE_PAGE_BYTES - 1));
}

static int map_fd(int fd, size_t bytes, int protection, void **out_address)
{
    void *const address = mmap(find_place(bytes), bytes, protection, MAP_SHARED, fd, 0);
    if (address == MAP_FAILED) return -errno;
    *out_address = address;
    return 0;
}

// A memfd of this size with all its pages, mapped read-write.
static int make_memory(const char *name, size_t bytes, unsigned memfd_flags,
                       struct btk_shared_memory *out_memory)
{
    const int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | memfd_flags);
    if (fd < 0) return -errno;
    void *address = NULL;
    int rc = ftruncate(fd, (off_t)bytes) != 0 ? -errno : 0;
    if (rc == 0) rc = map_fd(fd, bytes, PROT_READ | PROT_WRITE, &address);
    if (rc == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) != 0) rc = -errno;
    if (rc != 0) {
        if (address != NULL) munmap(address, bytes);
        close(fd);
        return rc;
    }
    *out_memory = (struct btk_shared_memory){address, bytes, SMALL_PAGE_BYTES, fd};
    return 0;
}

static int populate(uint8_t *address, size_t bytes)
{
    if (madvise(address, bytes, MADV_POPULATE_WRITE) == 0) return 0;
    return errno == EFAULT || errno == ENOMEM ? -ENOMEM : -errno;
}

// Transparent huge pages where there can be some: one small page of each is enough for the kernel to
// make it, and nothing has to be copied then. What cannot be done for one part may be for the next;
// what came of it is looked at afterwards.
static int collapse(uint8_t *address, size_t bytes)
{
    for (size_t at = 0; at < bytes; at += HUGE_PAGE_BYTES) {
        const int rc = populate(address + at, SMALL_PAGE_BYTES);
        if (rc != 0) return rc;
    }
    (void)madvise(address, bytes, MADV_COLLAPSE);
    return 0;
}

// In steps: each call holds the lock of the address space, for which other threads may wait.
static int prefault(const struct btk_shared_memory *memory, bool wants_huge)
{
    for (size_t at = 0; at < memory->bytes; at += STEP_BYTES) {
        uint8_t *const address = (uint8_t *)memory->address + at;
        const size_t bytes = btk_min_size(STEP_BYTES, memory->bytes - at);
        int rc = wants_huge ? collapse(address, bytes) : 0;
        if (rc == 0) rc = populate(address, bytes);
        if (rc != 0) return rc;
    }
    return 0;
}

static int create_from_pool(const char *name, size_t bytes, struct btk_shared_memory *out_memory)
{
    struct btk_shared_memory memory;
    int rc = make_memory(name, btk_align_up(bytes, HUGE_PAGE_BYTES), MFD_HUGETLB | MFD_HUGE_2MB,
                         &memory);
    if (rc != 0) return rc;
    rc = prefault(&memory, false);
    if (rc != 0) {
        btk_shared_memory_clear(&memory);
        return rc;
    }
    memory.page_bytes = HUGE_PAGE_BYTES;
    *out_memory = memory;
    return 0;
}

// Whether all of the mapping is in transparent huge pages, as the kernel counts them.
static bool is_mapped_huge(const struct btk_shared_memory *memory)
{
    FILE *smaps = fopen("/proc/self/smaps", "re");
    if (smaps == NULL) return false;
    char line[512];
    char wanted[32];
    snprintf(wanted, sizeof wanted, "%lx-", (unsigned long)(uintptr_t)memory->address);
    bool is_ours = false;
    unsigned long huge_kib = 0;
    while (fgets(line, sizeof line, smaps) != NULL) {
        if (strncmp(line, wanted, strlen(wanted)) == 0) is_ours = true;
        if (is_ours && sscanf(line, "ShmemPmdMapped: %lu", &huge_kib) == 1) break;
    }
    fclose(smaps);
    return (size_t)huge_kib << 10 >= memory->bytes;
}

int btk_shared_memory_create(const char *name, size_t bytes, unsigned flags,
                             struct btk_shared_memory *out_memory)
{
    if (bytes == 0 || bytes > SIZE_MAX / 2) return -EINVAL;
    const bool is_small = (flags & BTK_SHARED_MEMORY_SMALL_PAGES) != 0 || bytes < HUGE_PAGE_BYTES;
    if (!is_small && create_from_pool(name, bytes, out_memory) == 0) return 0;
    const size_t page_bytes = is_small ? SMALL_PAGE_BYTES : HUGE_PAGE_BYTES;
    struct btk_shared_memory memory;
    if (!is_small && bytes > btk_cgroup_memory_available_bytes()) return -ENOMEM;
    int rc = make_memory(name, btk_align_up(bytes, page_bytes), 0, &memory);
    if (rc != 0) return rc;
    if (!is_small) (void)madvise(memory.address, memory.bytes, MADV_HUGEPAGE);
    rc = prefault(&memory, !is_small);
    if (rc != 0) {
        btk_shared_memory_clear(&memory);
        return rc;
    }
    if (!is_small && is_mapped_huge(&memory)) memory.page_bytes = HUGE_PAGE_BYTES;
    *out_memory = memory;
    return 0;
}

int btk_shared_memory_seal(const struct btk_shared_memory *memory)
{
    if (fchmod(memory->fd, 0400) != 0) return -errno;
    const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL;
    return fcntl(memory->fd, F_ADD_SEALS, seals) != 0 ? -errno : 0;
}

static bool has_seals(int fd, bool needs_sealed)
{
    const int seals = fcntl(fd, F_GET_SEALS);
    int wanted = F_SEAL_SHRINK | F_SEAL_GROW;
    if (needs_sealed) wanted |= F_SEAL_SEAL;
    if (seals < 0 || (seals & wanted) != wanted) return false;
    return !needs_sealed || (seals & (F_SEAL_FUTURE_WRITE | F_SEAL_WRITE)) != 0;
}

int btk_shared_memory_attach(int *fd, const struct btk_shared_memory_limits *limits,
                             struct btk_shared_memory *out_memory)
{
    struct stat status;
    if (fstat(*fd, &status) != 0) return -errno;
    if (!has_seals(*fd, limits->needs_sealed)) return -EPERM;
    if (status.st_size <= 0 || (size_t)status.st_size < limits->bytes_min
        || (size_t)status.st_size > limits->bytes_max)
        return -EFBIG;
    const size_t bytes = (size_t)status.st_size;
    void *address = NULL;
    const int protection = limits->writable ? PROT_READ | PROT_WRITE : PROT_READ;
    const int rc = map_fd(*fd, bytes, protection, &address);
    if (rc != 0) return rc;
    // st_blksize of hugetlbfs is its page; of tmpfs with huge pages too, on what it has got.
    const size_t page_bytes =
        status.st_blksize >= HUGE_PAGE_BYTES ? HUGE_PAGE_BYTES : SMALL_PAGE_BYTES;
    *out_memory = (struct btk_shared_memory){address, bytes, page_bytes, *fd};
    if (limits->writable) (void)madvise(address, bytes, MADV_POPULATE_WRITE);
    *fd = -1;
    return 0;
}

void btk_shared_memory_close_fd(struct btk_shared_memory *memory)
{
    if (memory->fd >= 0) close(memory->fd);
    memory->fd = -1;
}

void btk_shared_memory_clear(struct btk_shared_memory *memory)
{
    if (memory == NULL) return;
    if (memory->address != NULL) munmap(memory->address, memory->bytes);
    if (memory->fd >= 0) close(memory->fd);
    *memory = (struct btk_shared_memory)BTK_SHARED_MEMORY_INIT;
}
