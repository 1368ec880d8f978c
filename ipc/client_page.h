// SPDX-License-Identifier: Apache-2.0
// The two pages between one client and the coordinator. Each is a sealed memfd with one writer: the
// client page is made and written by the client, the server page by the coordinator.
//
//     client page   | submission tail | completion head | return histogram | submissions[1024]  |
//     server page   | completion tail | submission head | worker count     | completions[4096]  |
//
// The sizes are fixed, so that there is nothing in a header to be lied about but magic and version.
// The coordinator never lets more completions wait than fit: it keeps the rest until there is room.
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "common/histogram.h"
#include "ipc/batch.h"
#include "ipc/ring.h"

enum { BTK_SUBMISSION_SLOTS = 1024, BTK_COMPLETION_SLOTS = 4096 };

#define BTK_CLIENT_PAGE_MAGIC UINT64_C(0x31504c434b544255)
#define BTK_SERVER_PAGE_MAGIC UINT64_C(0x315056534b544255)
#define BTK_PAGE_VERSION      2u

struct btk_client_page {
    uint64_t magic;
    uint32_t version;
    uint32_t pid;
    struct btk_ring_index submission_tail;
    struct btk_ring_index completion_head;
    alignas(BTK_RING_PADDING) struct btk_histogram returned; // "return" of the four parts
    alignas(BTK_RING_PADDING) struct btk_submission submissions[BTK_SUBMISSION_SLOTS];
};

struct btk_server_page {
    uint64_t magic;
    uint32_t version;
    _Atomic uint32_t worker_count;
    struct btk_ring_index completion_tail;
    struct btk_ring_index submission_head;
    alignas(BTK_RING_PADDING) struct btk_completion completions[BTK_COMPLETION_SLOTS];
};

// How many workers are ready. A figure to look at, which orders nothing: relaxed.
static inline void btk_server_page_set_workers(struct btk_server_page *page, uint32_t count)
{
    atomic_store_explicit(&page->worker_count, count, memory_order_relaxed);
}

static inline uint32_t btk_server_page_workers(const struct btk_server_page *page)
{
    return atomic_load_explicit(&page->worker_count, memory_order_relaxed);
}
