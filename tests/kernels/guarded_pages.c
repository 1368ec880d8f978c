// SPDX-License-Identifier: Apache-2.0
#include "tests/kernels/guarded_pages.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

int guarded_pages_map(size_t bytes, struct guarded_pages *out_pages)
{
    const size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    const size_t inner_bytes = btk_align_up(bytes, page_bytes);
    uint8_t *all =
        mmap(NULL, inner_bytes + 2 * page_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED) return -ENOMEM;
    uint8_t *begin = all + page_bytes;
    if (mprotect(begin, inner_bytes, PROT_READ | PROT_WRITE) != 0) {
        munmap(all, inner_bytes + 2 * page_bytes);
        return -ENOMEM;
    }
    *out_pages = (struct guarded_pages){begin, begin + inner_bytes};
    return 0;
}
