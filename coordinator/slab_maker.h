// SPDX-License-Identifier: Apache-2.0
// Makes slabs, and frees them, off the loop: all pages of a large one take a second and more, in
// which the loop serves others.
//
//     loop --ask--> queue --> thread: memfd, all pages, read-only here --eventfd--> loop: on_made
//     loop --release--> queue --> thread: unmap, close
//
// There are two threads. One takes everything, the other what is small, so that a small slab never
// waits for a large one.
//
// Ownership: what is asked for is the maker's until on_made. Threads: the functions are the loop's.
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base.h"
#include "common/process_loop.h"
#include "ipc/shared_memory.h"

enum { BTK_SLAB_MAKER_THREADS = 2 };

struct btk_slab_job;

// rc 0: takes *memory, mapped read-only. Else -errno.
typedef void btk_slab_made_fn(void *context, uint32_t client_id, uint64_t asked_bytes, int rc,
                              struct btk_shared_memory *memory);

struct btk_slab_queue {
    struct btk_slab_job *first, *last;
};

struct btk_slab_maker {
    struct btk_loop *loop; // NULL: not open
    btk_slab_made_fn *on_made;
    void *context;
    int bell;
    uint32_t thread_count;
    pthread_t threads[BTK_SLAB_MAKER_THREADS];
    pthread_mutex_t mutex; // of what follows
    pthread_cond_t is_asked;
    bool is_closing;
    struct btk_slab_queue asked;
    struct btk_slab_queue made;
};

// The loop has blocked its signals. -errno.
BTK_MUST_USE int btk_slab_maker_open(struct btk_slab_maker *maker, struct btk_loop *loop,
                                     btk_slab_made_fn *on_made, void *context);
// Waits for what is in work; the rest is dropped. One that is not open is fine.
void btk_slab_maker_close(struct btk_slab_maker *maker);

// on_made follows, in no order. -ENOMEM.
BTK_MUST_USE int btk_slab_maker_ask(struct btk_slab_maker *maker, uint32_t client_id,
                                    uint64_t bytes);
// Takes the memory. Frees it here when the maker is closed.
void btk_slab_maker_release(struct btk_slab_maker *maker, struct btk_shared_memory *memory);
