// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/model/bpe_queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NO_LINK UINT32_MAX

// Four children a node: half as many steps down as with two, and the four share a line of the
// cache, for which the first node stands HEAP_SHIFT entries behind the aligned memory.
enum { HEAP_ARITY = 4, HEAP_SHIFT = 3 };

static int init_ranks(struct btk_bpe_queue *queue, size_t capacity, uint32_t rank_count)
{
    queue->word_count = rank_count / 64 + 1u;
    queue->run_room = capacity;
    queue->heads = malloc((rank_count + 1u) * sizeof *queue->heads);
    queue->words = malloc(queue->word_count * sizeof *queue->words);
    queue->links = malloc(capacity * sizeof *queue->links);
    queue->run = malloc(capacity * sizeof *queue->run);
    return queue->heads && queue->words && queue->links && queue->run ? 0 : -ENOMEM;
}

int btk_bpe_queue_init(struct btk_bpe_queue *queue, size_t capacity, uint32_t rank_count)
{
    *queue = (struct btk_bpe_queue){.heap_room = HEAP_SHIFT + capacity};
    queue->heap =
        aligned_alloc(64, btk_align_up(queue->heap_room * sizeof *queue->heap, (size_t)64));
    if (queue->heap && (!rank_count || init_ranks(queue, capacity, rank_count) == 0)) return 0;
    btk_bpe_queue_clear(queue);
    return -ENOMEM;
}

void btk_bpe_queue_clear(struct btk_bpe_queue *queue)
{
    free(queue->heap);
    free(queue->heads);
    free(queue->words);
    free(queue->links);
    free(queue->run);
    *queue = (struct btk_bpe_queue){0};
}

void btk_bpe_queue_reset(struct btk_bpe_queue *queue)
{
    queue->heap_count = 0;
    if (!queue->heads) return;
    memset(queue->words, 0, queue->word_count * sizeof *queue->words);
    queue->free_link = NO_LINK;
    queue->used_links = 0;
    queue->run_at = queue->run_count = 0;
    queue->rank = 0;
}

// --- The heap

static void heap_push(struct btk_bpe_queue *queue, uint64_t entry)
{
    uint64_t *const heap = queue->heap + HEAP_SHIFT;
    size_t at = queue->heap_count++;
    while (at > 0 && heap[(at - 1) / HEAP_ARITY] > entry) {
        heap[at] = heap[(at - 1) / HEAP_ARITY];
        at = (at - 1) / HEAP_ARITY;
    }
    heap[at] = entry;
}

static size_t smallest_child(const uint64_t *heap, size_t first, size_t count)
{
    const size_t end = btk_min_size(first + HEAP_ARITY, count);
    size_t best = first;
    for (size_t child = first + 1; child < end; child++)
        if (heap[child] < heap[best]) best = child;
    return best;
}

static uint64_t heap_pop(struct btk_bpe_queue *queue)
{
    uint64_t *const heap = queue->heap + HEAP_SHIFT;
    const uint64_t top = heap[0];
    const size_t count = --queue->heap_count;
    const uint64_t value = heap[count];
    size_t at = 0;
    for (size_t first = 1; first < count; first = HEAP_ARITY * at + 1) {
        const size_t child = smallest_child(heap, first, count);
        if (heap[child] >= value) break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = value;
    return top;
}

// --- Ranks to come

static void add_link(struct btk_bpe_queue *queue, uint32_t rank, uint32_t position)
{
    uint32_t link = queue->free_link;
    if (link == NO_LINK)
        link = queue->used_links++;
    else
        queue->free_link = queue->links[link].next;
    uint64_t *const word = &queue->words[rank / 64];
    const uint64_t bit = UINT64_C(1) << rank % 64;
    queue->links[link] =
        (struct btk_bpe_link){position, *word & bit ? queue->heads[rank] : NO_LINK};
    queue->heads[rank] = link;
    *word |= bit;
}

static int compare_positions(const void *a, const void *b)
{
    const uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return left < right ? -1 : left > right;
}

// The newest stands first in a list, so it is filled from its end; most are in order then.
static void take_links(struct btk_bpe_queue *queue, uint32_t rank)
{
    size_t begin = queue->run_room;
    bool is_sorted = true;
    for (uint32_t link = queue->heads[rank]; link != NO_LINK;) {
        const struct btk_bpe_link taken = queue->links[link];
        if (begin < queue->run_room && taken.position > queue->run[begin]) is_sorted = false;
        queue->run[--begin] = taken.position;
        queue->links[link].next = queue->free_link;
        queue->free_link = link;
        link = taken.next;
    }
    queue->run_at = begin;
    queue->run_count = queue->run_room;
    queue->rank = rank;
    if (!is_sorted)
        qsort(queue->run + begin, queue->run_room - begin, sizeof *queue->run, compare_positions);
}

// The next rank that has candidates becomes the present one.
static bool try_advance(struct btk_bpe_queue *queue)
{
    for (size_t i = queue->rank / 64; i < queue->word_count; i++) {
        if (!queue->words[i]) continue;
        const uint32_t rank = (uint32_t)(64 * i) + (uint32_t)__builtin_ctzll(queue->words[i]);
        queue->words[i] &= queue->words[i] - 1;
        take_links(queue, rank);
        return true;
    }
    return false;
}

// --- Both

void btk_bpe_queue_push(struct btk_bpe_queue *queue, uint32_t rank, uint32_t position)
{
    const bool is_to_come = queue->heads && (rank > queue->rank || !queue->run_count);
    if (is_to_come)
        add_link(queue, rank, position);
    else
        heap_push(queue, (uint64_t)rank << 32 | position);
}

bool btk_bpe_queue_try_pop(struct btk_bpe_queue *queue, uint32_t *out_rank, uint32_t *out_position)
{
    if (queue->run_at == queue->run_count && !queue->heap_count
        && (!queue->heads || !try_advance(queue)))
        return false;
    uint64_t entry;
    if (queue->run_at < queue->run_count) {
        entry = queue->rank << 32 | queue->run[queue->run_at];
        if (queue->heap_count && queue->heap[HEAP_SHIFT] < entry)
            entry = heap_pop(queue);
        else
            queue->run_at++;
    } else {
        entry = heap_pop(queue);
    }
    *out_rank = (uint32_t)(entry >> 32);
    *out_position = (uint32_t)entry;
    return true;
}
