// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/model/bpe.h"

#include <errno.h>
#include <stdlib.h>

#include "tokenizer/lookup_hash.h"

enum { LINE_MAX_BYTES = 64, TICK_EVERY = 1 << 16 };

#define NO_RANK UINT32_MAX

// Every page of a long piece's arrays is touched for the first time somewhere: that takes time too.
static inline void tick(const struct btk_bpe_scratch *scratch, size_t step)
{
    if (step % TICK_EVERY == 0 && step) btk_progress_tick(&scratch->progress);
}

int btk_bpe_scratch_init(struct btk_bpe_scratch *scratch, size_t capacity_bytes)
{
    const size_t count = capacity_bytes + 1;
    *scratch = (struct btk_bpe_scratch){.capacity_bytes = capacity_bytes};
    scratch->ids = malloc(count * sizeof *scratch->ids);
    scratch->lengths = malloc(count * sizeof *scratch->lengths);
    scratch->previous = malloc(count * sizeof *scratch->previous);
    scratch->next = malloc(count * sizeof *scratch->next);
    // Each of the n - 1 pairs, and two new ones for each of at most n - 1 merges.
    scratch->heap = malloc(3 * count * sizeof *scratch->heap);
    if (scratch->ids && scratch->lengths && scratch->previous && scratch->next && scratch->heap)
        return 0;
    btk_bpe_scratch_clear(scratch);
    return -ENOMEM;
}

void btk_bpe_scratch_clear(struct btk_bpe_scratch *scratch)
{
    if (!scratch) return;
    free(scratch->ids);
    free(scratch->lengths);
    free(scratch->previous);
    free(scratch->next);
    free(scratch->heap);
    *scratch = (struct btk_bpe_scratch){0};
}

static struct btk_merge_slot find_merge(const struct btk_image *image, uint32_t left,
                                        uint32_t right)
{
    const uint64_t key = (uint64_t)left << 32 | right;
    for (uint64_t at = btk_merge_hash(key);; at++) {
        const struct btk_merge_slot slot = image->merges[at & image->merge_mask];
        if (slot.key == key) return slot;
        if (slot.key == UINT64_MAX)
            return (struct btk_merge_slot){.rank = NO_RANK, .id = BTK_NO_TOKEN};
    }
}

// --- Short pieces: merges[i] is the merge of tokens i and i + 1

struct line {
    uint32_t count;
    uint32_t *ids;
    uint32_t *lengths;
    uint32_t ranks[LINE_MAX_BYTES];
    uint32_t merged[LINE_MAX_BYTES];
};

static void look_up(const struct btk_image *image, struct line *line, uint32_t at)
{
    if (at + 1 >= line->count) {
        line->ranks[at] = NO_RANK;
        return;
    }
    const struct btk_merge_slot merge = find_merge(image, line->ids[at], line->ids[at + 1]);
    line->ranks[at] = merge.rank;
    line->merged[at] = merge.id;
}

static uint32_t lowest_rank(const struct line *line)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < line->count; i++)
        if (line->ranks[i] < line->ranks[best]) best = i;
    return best;
}

static void merge_at(const struct btk_image *image, struct line *line, uint32_t at)
{
    line->ids[at] = line->merged[at];
    line->lengths[at] += line->lengths[at + 1];
    line->count--;
    for (uint32_t i = at + 1; i < line->count; i++) {
        line->ids[i] = line->ids[i + 1];
        line->lengths[i] = line->lengths[i + 1];
        line->ranks[i] = line->ranks[i + 1];
        line->merged[i] = line->merged[i + 1];
    }
    look_up(image, line, at);
    if (at > 0) look_up(image, line, at - 1);
}

static size_t merge_line(const struct btk_image *image, struct btk_bpe_scratch *scratch,
                         uint32_t count)
{
    struct line line = {.count = count, .ids = scratch->ids, .lengths = scratch->lengths};
    for (uint32_t i = 0; i < count; i++) look_up(image, &line, i);
    while (line.count > 1) {
        const uint32_t best = lowest_rank(&line);
        if (line.ranks[best] == NO_RANK) break;
        merge_at(image, &line, best);
    }
    return line.count;
}

// --- Long pieces: a token stands at the position of its first byte; lengths 0: merged away

static void sift_up(uint64_t *heap, size_t at)
{
    const uint64_t value = heap[at];
    while (at > 0 && heap[(at - 1) / 2] > value) {
        heap[at] = heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap[at] = value;
}

static uint64_t pop(struct btk_bpe_scratch *scratch)
{
    uint64_t *const heap = scratch->heap;
    const uint64_t top = heap[0];
    const size_t count = --scratch->heap_count;
    const uint64_t value = heap[count];
    size_t at = 0;
    for (size_t child = 1; child < count; child = 2 * at + 1) {
        if (child + 1 < count && heap[child + 1] < heap[child]) child++;
        if (heap[child] >= value) break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = value;
    return top;
}

static void push_pair(const struct btk_image *image, struct btk_bpe_scratch *scratch,
                      uint32_t position, uint32_t end)
{
    const uint32_t right = scratch->next[position];
    if (right >= end) return;
    const struct btk_merge_slot merge =
        find_merge(image, scratch->ids[position], scratch->ids[right]);
    if (merge.rank == NO_RANK) return;
    scratch->heap[scratch->heap_count] = (uint64_t)merge.rank << 32 | position;
    sift_up(scratch->heap, scratch->heap_count++);
}

static void merge_pair(const struct btk_image *image, struct btk_bpe_scratch *scratch,
                       uint32_t position, uint32_t end)
{
    const uint32_t right = scratch->next[position];
    const uint32_t after = scratch->next[right];
    scratch->lengths[position] += scratch->lengths[right];
    scratch->lengths[right] = 0;
    scratch->next[position] = after;
    if (after < end) scratch->previous[after] = position;
    push_pair(image, scratch, position, end);
    if (position > 0) push_pair(image, scratch, scratch->previous[position], end);
}

static size_t compact(struct btk_bpe_scratch *scratch, uint32_t end)
{
    size_t count = 0;
    for (uint32_t at = 0; at < end;) {
        const uint32_t length = scratch->lengths[at];
        tick(scratch, count);
        scratch->ids[count] = scratch->ids[at];
        scratch->lengths[count++] = length;
        at += length;
    }
    return count;
}

// An entry is stale when the pair at its position has grown since: then its rank is another one.
static size_t merge_heap(const struct btk_image *image, struct btk_bpe_scratch *scratch,
                         uint32_t end)
{
    scratch->heap_count = 0;
    for (uint32_t i = 0; i < end; i++) {
        tick(scratch, i);
        scratch->previous[i] = i - 1;
        scratch->next[i] = i + 1;
    }
    for (uint32_t i = 0; i < end; i++) {
        tick(scratch, i);
        push_pair(image, scratch, i, end);
    }
    for (size_t taken = 0; scratch->heap_count; taken++) {
        tick(scratch, taken);
        const uint64_t entry = pop(scratch);
        const uint32_t position = (uint32_t)entry;
        if (!scratch->lengths[position] || scratch->next[position] >= end) continue;
        const struct btk_merge_slot merge =
            find_merge(image, scratch->ids[position], scratch->ids[scratch->next[position]]);
        if (merge.rank != entry >> 32) continue;
        scratch->ids[position] = merge.id;
        merge_pair(image, scratch, position, end);
    }
    return compact(scratch, end);
}

size_t btk_bpe_merge(const struct btk_image *image, struct btk_bpe_scratch *scratch,
                     struct btk_bytes piece)
{
    for (size_t i = 0; i < piece.length; i++) {
        tick(scratch, i);
        scratch->ids[i] = image->byte_ids[piece.data[i]];
        scratch->lengths[i] = 1;
    }
    const uint32_t length = (uint32_t)piece.length;
    return length <= LINE_MAX_BYTES ? merge_line(image, scratch, length)
                                    : merge_heap(image, scratch, length);
}
