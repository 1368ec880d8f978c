// SPDX-License-Identifier: Apache-2.0
// No allocation after start: the allocator of this program counts, and the count must not move while
// texts are encoded and decoded, and while slots go through a ring.
//
// The functions below take the place of the C library's for all code of the process, ours and that of
// libraries; they hand over to the C library's own entries.
#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <budtiktok/tokenizer.h>

#include "bench/own_texts.h"
#include "ipc/ring.h"
#include "tokenizer/default/default_models.h"

enum { CALLS = 1000, TEXTS = 9, TEXT_BYTES = 16384, RING_SLOTS = 64 };

static const struct btk_encode_options options = BTK_ENCODE_DEFAULTS;

static _Atomic unsigned long allocation_count;

// Entries that the C library keeps for those who stand in for its allocator.
// NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *memory, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);
// NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)

static void count_one(void)
{
    atomic_fetch_add_explicit(&allocation_count, 1, memory_order_relaxed);
}

static unsigned long counted(void)
{
    return atomic_load_explicit(&allocation_count, memory_order_relaxed);
}

// The system's headers call the parameters by names that are its own.
// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name)
void *malloc(size_t bytes)
{
    count_one();
    return __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes)
{
    count_one();
    return __libc_calloc(count, bytes);
}

void *realloc(void *memory, size_t bytes)
{
    count_one();
    return __libc_realloc(memory, bytes);
}

void *memalign(size_t alignment, size_t bytes)
{
    count_one();
    return __libc_memalign(alignment, bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes)
{
    count_one();
    return __libc_memalign(alignment, bytes);
}

int posix_memalign(void **out_memory, size_t alignment, size_t bytes)
{
    count_one();
    void *const memory = __libc_memalign(alignment, bytes);
    if (!memory) return ENOMEM;
    *out_memory = memory;
    return 0;
}

// NOLINTEND(readability-inconsistent-declaration-parameter-name)

// One tokenizer with room for all that is asked of it.
struct engine {
    struct btk_tokenizer *tokenizer;
    struct btk_scratch *scratch;
    struct btk_encoding encoding;
    char *decoded;
    size_t decoded_bytes_max;
};

static int open_engine(struct engine *engine, const struct btk_default_model *model)
{
    struct btk_error_info error;
    if (btk_tokenizer_open_json(model->json, model->json_bytes, &engine->tokenizer, &error) < 0
        || btk_scratch_new(engine->tokenizer, &engine->scratch, &error) < 0)
    {
        printf("%s: %s\n", model->name, error.message);
        return -1;
    }
    const size_t room = btk_encode_bound(engine->tokenizer, TEXT_BYTES, &options);
    engine->encoding = (struct btk_encoding){
        .capacity = room,
        .ids = malloc(room * sizeof(uint32_t)),
        .offsets = malloc(room * 2 * sizeof(uint32_t)),
        .type_ids = malloc(room * sizeof(uint32_t)),
        .word_ids = malloc(room * sizeof(uint32_t)),
        .special_tokens_mask = malloc(room),
    };
    engine->decoded_bytes_max = btk_decode_bound(engine->tokenizer, room);
    engine->decoded = malloc(engine->decoded_bytes_max);
    return engine->encoding.ids && engine->encoding.offsets && engine->encoding.type_ids
                   && engine->encoding.word_ids && engine->encoding.special_tokens_mask
                   && engine->decoded
               ? 0
               : -1;
}

static void close_engine(struct engine *engine)
{
    free(engine->decoded);
    free(engine->encoding.ids);
    free(engine->encoding.offsets);
    free(engine->encoding.type_ids);
    free(engine->encoding.word_ids);
    free(engine->encoding.special_tokens_mask);
    btk_scratch_free(&engine->scratch);
    btk_tokenizer_close(&engine->tokenizer);
}

// The longest part of `text` that does not end inside of a character.
static size_t cut_length(struct btk_bytes text)
{
    if (text.length <= TEXT_BYTES) return text.length;
    size_t length = TEXT_BYTES;
    while ((text.data[length] & 0xc0) == 0x80) length--;
    return length;
}

static int encode_and_decode(struct engine *engine, struct btk_bytes text)
{
    struct btk_error_info error;
    size_t bytes = 0;
    if (btk_encode(engine->tokenizer, engine->scratch, (const char *)text.data, cut_length(text),
                   &options, &engine->encoding, &error)
            < 0
        || btk_decode(engine->tokenizer, engine->encoding.ids, engine->encoding.count, true,
                      engine->decoded, engine->decoded_bytes_max, &bytes, &error)
               < 0)
    {
        printf("%s\n", error.message);
        return -1;
    }
    return engine->encoding.count && bytes ? 0 : -1;
}

static int check_engine(const struct btk_default_model *model)
{
    struct engine engine = {0};
    struct btk_own_text text;
    int status = open_engine(&engine, model);
    // The first call makes room for a private copy of its text, which the scratch keeps.
    if (!status && btk_own_text_get(0, &text)) status = encode_and_decode(&engine, text.bytes);
    const unsigned long before = counted();
    for (size_t i = 0; !status && i < CALLS; i++) {
        if (!btk_own_text_get(i % TEXTS, &text)) status = -1;
        // A part that was not seen before: pieces that are in no cache yet.
        const size_t skip = text.bytes.length / CALLS * i;
        struct btk_bytes rest = {text.bytes.data + skip, text.bytes.length - skip};
        while (rest.length && (*rest.data & 0xc0) == 0x80) rest.data++, rest.length--;
        if (!status) status = encode_and_decode(&engine, rest);
    }
    const unsigned long after = counted();
    close_engine(&engine);
    printf("%s: %lu allocations in %d calls of encode and of decode\n", model->name, after - before,
           CALLS);
    return status || after != before ? -1 : 0;
}

static int check_ring(void)
{
    static uint8_t slots[RING_SLOTS * BTK_RING_SLOT_BYTES];
    static struct btk_ring_index head, tail;
    struct btk_ring producer, consumer;
    uint8_t slot[BTK_RING_SLOT_BYTES] = {0}, taken[4 * BTK_RING_SLOT_BYTES];
    uint64_t pushed = 0, popped = 0;
    btk_ring_init_producer(&producer, slots, RING_SLOTS, &tail, &head);
    btk_ring_init_consumer(&consumer, slots, RING_SLOTS, &tail, &head);
    const unsigned long before = counted();
    while (popped < CALLS * RING_SLOTS) {
        memcpy(slot, &pushed, sizeof pushed);
        if (btk_ring_try_push(&producer, slot) == 1) pushed++;
        if (pushed % 3) continue;
        const int count = btk_ring_try_pop(&consumer, taken, 4);
        if (count < 0) return -1;
        popped += (uint64_t)count;
    }
    const unsigned long after = counted();
    printf("ring: %lu allocations in %llu slots\n", after - before, (unsigned long long)popped);
    return after == before ? 0 : -1;
}

// A test that counts nothing would pass always.
static int check_counter(void)
{
    const unsigned long before = counted();
    void *volatile memory = malloc(1);
    free(memory);
    printf("counter: %lu for one allocation\n", counted() - before);
    return counted() - before == 1 ? 0 : -1;
}

int main(void)
{
    int status = check_counter();
    struct btk_default_model model;
    for (size_t i = 0; btk_default_model_get(i, &model); i++) status |= check_engine(&model);
    status |= check_ring();
    return status ? 1 : 0;
}
