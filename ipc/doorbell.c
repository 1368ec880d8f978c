// SPDX-License-Identifier: Apache-2.0
#include "ipc/doorbell.h"

#include <errno.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

int btk_doorbell_create(int *out_fd)
{
    const int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (fd < 0) return -errno;
    *out_fd = fd;
    return 0;
}

void btk_doorbell_ring(int fd)
{
    // The only failure of a valid eventfd is a full counter: then it rings already.
    const uint64_t one = 1;
    if (write(fd, &one, sizeof one) < 0) return;
}

void btk_doorbell_clear(int fd)
{
    uint64_t count = 0;
    if (read(fd, &count, sizeof count) < 0) return;
}
