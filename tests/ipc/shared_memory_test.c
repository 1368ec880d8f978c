// SPDX-License-Identifier: Apache-2.0
#include "ipc/shared_memory.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cgroup.h"

static struct btk_shared_memory create(size_t bytes)
{
    struct btk_shared_memory memory = BTK_SHARED_MEMORY_INIT;
    cr_assert_eq(btk_shared_memory_create("test", bytes, BTK_SHARED_MEMORY_SMALL_PAGES, &memory),
                 0);
    return memory;
}

static const struct btk_shared_memory_limits any = {.bytes_min = 1, .bytes_max = 1 << 24};

static int attach_copy(int fd, const struct btk_shared_memory_limits *limits,
                       struct btk_shared_memory *out_memory)
{
    int copy = dup(fd);
    const int status = btk_shared_memory_attach(&copy, limits, out_memory);
    cr_assert_eq(copy == -1, status == 0, "the descriptor is taken exactly when it succeeds");
    if (copy >= 0) close(copy);
    return status;
}

Test(shared_memory, is_rounded_up_to_pages_zeroed_and_cannot_change_its_size)
{
    struct btk_shared_memory memory = create(5000);
    cr_expect_eq(memory.bytes, 8192);
    cr_expect_eq(memory.page_bytes, 4096);
    for (size_t i = 0; i < memory.bytes; i++) cr_assert_eq(((const char *)memory.address)[i], 0);
    cr_expect_neq(ftruncate(memory.fd, 4096), 0);
    cr_expect_neq(ftruncate(memory.fd, 1 << 20), 0);
    btk_shared_memory_clear(&memory);
    cr_expect_null(memory.address);
    cr_expect_eq(memory.fd, -1);
    btk_shared_memory_clear(&memory);
    btk_shared_memory_clear(NULL);
}

Test(shared_memory, of_no_bytes_or_of_all_there_could_be_is_refused)
{
    struct btk_shared_memory memory = BTK_SHARED_MEMORY_INIT;
    cr_expect_eq(btk_shared_memory_create("test", 0, 0, &memory), -EINVAL);
    cr_expect_lt(btk_shared_memory_create("test", SIZE_MAX, 0, &memory), 0);
    cr_expect_lt(btk_shared_memory_create("test", (size_t)1 << 60, 0, &memory), 0);
    cr_expect_null(memory.address);
}

Test(shared_memory, once_sealed_nobody_maps_it_writable_but_its_writer_still_writes)
{
    struct btk_shared_memory memory = create(4096);
    struct btk_shared_memory other = BTK_SHARED_MEMORY_INIT;
    cr_assert_eq(btk_shared_memory_seal(&memory), 0);
    strcpy(memory.address, "from the writer");
    cr_expect_eq(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memory.fd, 0), MAP_FAILED);
    cr_expect_neq(fcntl(memory.fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
    cr_expect_neq(fchmod(memory.fd, 0600) == 0 && write(memory.fd, "x", 1) == 1, 1);
    struct btk_shared_memory_limits limits = any;
    limits.writable = true;
    cr_expect_lt(attach_copy(memory.fd, &limits, &other), 0);
    limits.writable = false;
    limits.needs_sealed = true;
    cr_assert_eq(attach_copy(memory.fd, &limits, &other), 0);
    cr_expect_str_eq(other.address, "from the writer");
    cr_expect_neq(mprotect(other.address, 4096, PROT_READ | PROT_WRITE), 0);
    btk_shared_memory_clear(&other);
    btk_shared_memory_clear(&memory);
}

Test(shared_memory, what_is_not_sealed_is_not_attached_by_who_insists)
{
    struct btk_shared_memory memory = create(4096);
    struct btk_shared_memory other = BTK_SHARED_MEMORY_INIT;
    struct btk_shared_memory_limits limits = any;
    limits.needs_sealed = true;
    cr_expect_eq(attach_copy(memory.fd, &limits, &other), -EPERM);
    limits.needs_sealed = false;
    cr_expect_eq(attach_copy(memory.fd, &limits, &other), 0);
    btk_shared_memory_clear(&other);
    btk_shared_memory_clear(&memory);
}

Test(shared_memory, descriptors_that_are_no_sealed_memory_are_refused)
{
    struct btk_shared_memory other = BTK_SHARED_MEMORY_INIT;
    const int plain = memfd_create("plain", MFD_ALLOW_SEALING);
    const int file = open("/proc/self/exe", O_RDONLY);
    int pipes[2];
    cr_assert_eq(ftruncate(plain, 4096), 0);
    cr_assert_eq(pipe(pipes), 0);
    cr_expect_eq(attach_copy(plain, &any, &other), -EPERM);
    cr_assert_eq(fcntl(plain, F_ADD_SEALS, F_SEAL_SHRINK), 0);
    cr_expect_eq(attach_copy(plain, &any, &other), -EPERM);
    cr_expect_eq(attach_copy(file, &any, &other), -EPERM);
    cr_expect_eq(attach_copy(pipes[0], &any, &other), -EPERM);
    cr_expect_null(other.address);
    close(plain);
    close(file);
    close(pipes[0]);
    close(pipes[1]);
}

Test(shared_memory, sizes_outside_of_the_limits_are_refused)
{
    struct btk_shared_memory memory = create(8192);
    struct btk_shared_memory other = BTK_SHARED_MEMORY_INIT;
    const struct btk_shared_memory_limits more = {.bytes_min = 8193, .bytes_max = 1 << 20};
    const struct btk_shared_memory_limits less = {.bytes_min = 1, .bytes_max = 8191};
    const struct btk_shared_memory_limits exact = {.bytes_min = 8192, .bytes_max = 8192};
    cr_expect_eq(attach_copy(memory.fd, &more, &other), -EFBIG);
    cr_expect_eq(attach_copy(memory.fd, &less, &other), -EFBIG);
    cr_expect_eq(attach_copy(memory.fd, &exact, &other), 0);
    btk_shared_memory_clear(&other);
    btk_shared_memory_close_fd(&memory);
    cr_expect_eq(memory.fd, -1);
    strcpy(memory.address, "still mapped");
    btk_shared_memory_clear(&memory);
}

Test(shared_memory, large_memory_says_which_pages_it_really_has)
{
    struct btk_shared_memory memory = BTK_SHARED_MEMORY_INIT;
    cr_assert_eq(btk_shared_memory_create("test", 3 << 20, 0, &memory), 0);
    cr_expect(memory.page_bytes == 4096 || memory.page_bytes == 2097152);
    cr_expect_eq(memory.bytes, 4 << 20);
    memset(memory.address, 1, memory.bytes);
    btk_shared_memory_clear(&memory);
}

// What is not there is an error, before the kernel kills somebody to have it.
Test(shared_memory, more_than_is_available_is_refused)
{
    struct btk_shared_memory memory = BTK_SHARED_MEMORY_INIT;
    const uint64_t available = btk_cgroup_memory_available_bytes();
    cr_assert_gt(available, 0);
    cr_assert_lt(available, UINT64_MAX);
    cr_expect_eq(btk_shared_memory_create("test", available + ((uint64_t)1 << 30), 0, &memory),
                 -ENOMEM);
    cr_expect_null(memory.address);
}

// Without it, no page of the mapping is a huge one, whatever the file has.
Test(shared_memory, large_memory_begins_where_a_huge_page_can)
{
    struct btk_shared_memory memory = BTK_SHARED_MEMORY_INIT;
    struct btk_shared_memory other = BTK_SHARED_MEMORY_INIT;
    for (size_t mib = 3; mib < 8; mib++) {
        cr_assert_eq(btk_shared_memory_create("test", mib << 20, 0, &memory), 0);
        cr_expect_eq((uintptr_t)memory.address % 2097152, 0);
        cr_assert_eq(attach_copy(memory.fd, &any, &other), 0);
        cr_expect_eq((uintptr_t)other.address % 2097152, 0);
        btk_shared_memory_clear(&other);
        btk_shared_memory_clear(&memory);
    }
}
