// SPDX-License-Identifier: Apache-2.0
#include "common/hash.h"

#include <xxhash.h>

#include "common/uninstrumented.h"

uint64_t btk_hash_xxh64(const void *bytes, size_t length, uint64_t seed)
{
    btk_library_will_read(bytes, length);
    return XXH64(bytes, length, seed);
}

uint64_t btk_hash_xxh3(const void *bytes, size_t length, uint64_t seed)
{
    btk_library_will_read(bytes, length);
    return XXH3_64bits_withSeed(bytes, length, seed);
}

struct btk_hash_stream *btk_hash_stream_new(uint64_t seed)
{
    XXH64_state_t *const state = XXH64_createState();
    if (state) XXH64_reset(state, seed);
    return (struct btk_hash_stream *)state;
}

void btk_hash_stream_update(struct btk_hash_stream *stream, const void *bytes, size_t length)
{
    btk_library_will_read(bytes, length);
    XXH64_update((XXH64_state_t *)stream, bytes, length);
}

uint64_t btk_hash_stream_digest(const struct btk_hash_stream *stream)
{
    return XXH64_digest((const XXH64_state_t *)stream);
}

void btk_hash_stream_free(struct btk_hash_stream *stream)
{
    XXH64_freeState((XXH64_state_t *)stream);
}
