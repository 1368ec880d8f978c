// SPDX-License-Identifier: Apache-2.0
// Candidates of merges, the lowest rank first, then the leftmost.
//
// A heap, while it fits into the cache. Millions of candidates are kept by rank instead: nearly all
// that come up while one rank is at work have a higher one, so a rank is put in order once, when its
// turn comes, and is walked from left to right.
//
//     heads[rank]  -> link -> link            candidates of ranks to come, the newest first
//     run          | 3 | 9 | 12 | ..          those of the present rank, by position
//     heap                                    those that came up for the present rank or a lower one
//
// The order is that of one heap for all. (Large queues: Brown 1988, calendar queues, with a day for
// each rank; the heap has four children a node: LaMarca, Ladner 1996.)
//
// Ownership: the queue owns its arrays. Threads: one.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base.h"

struct btk_bpe_link {
    uint32_t position;
    uint32_t next;
};

struct btk_bpe_queue {
    uint64_t *heap; // rank << 32 | position
    size_t heap_room;
    size_t heap_count;
    uint32_t *heads; // NULL: all are in the heap
    uint64_t *words; // which ranks have candidates, a bit for each
    size_t word_count;
    struct btk_bpe_link *links;
    uint32_t free_link; // links that may be used again
    uint32_t used_links;
    uint32_t *run;
    size_t run_at, run_count, run_room;
    uint64_t rank; // of the run
};

// Room for `capacity` candidates. `rank_count`: ranks are below; 0: all are to be in the heap. -ENOMEM.
BTK_MUST_USE int btk_bpe_queue_init(struct btk_bpe_queue *queue, size_t capacity,
                                    uint32_t rank_count);
void btk_bpe_queue_clear(struct btk_bpe_queue *queue);

// Forgets all candidates.
void btk_bpe_queue_reset(struct btk_bpe_queue *queue);

void btk_bpe_queue_push(struct btk_bpe_queue *queue, uint32_t rank, uint32_t position);

// False: there are none.
bool btk_bpe_queue_try_pop(struct btk_bpe_queue *queue, uint32_t *out_rank, uint32_t *out_position);
