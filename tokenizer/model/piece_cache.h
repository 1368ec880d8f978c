// SPDX-License-Identifier: Apache-2.0
// Remembers what pieces became. Bounded: what is new takes the place of what is oldest in its set.
//
//     lines      2 pieces of at most 16 bytes and 3 ids (short_piece.h)       16384 lines, 1 MiB
//     sets       2 pieces of at most 30 bytes and 7 ids                        4096 sets, 512 KiB
//
//     entry of a set, one cache line | 31 bytes of text, zero-padded, and their count | 7 ids | layout |
//     layout                         | count of ids, 3 bits | 29 bits: does a token end at byte 1, 2, .. |
//
// The hashes are keyed with random numbers, so nobody can choose texts that meet in one set; and if
// they did, it would only be slow.
//
// Ownership: in the caller's memory, 64-byte aligned. Threads: one.
#pragma once

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/base.h"
#include "tokenizer/model/short_piece.h"

enum {
    BTK_PIECE_BYTES_MAX = 30, // a layout has no room for the ends of 31
    BTK_PIECE_IDS_MAX = 7,
    BTK_PIECE_CACHE_LINES = 32768,
    BTK_PIECE_CACHE_SETS = 4096
};

struct btk_piece_line {
    alignas(64) struct btk_short_piece pieces[2];
};

struct btk_piece_key {
    uint64_t words[4]; // the last byte is the length
};

struct btk_piece_entry {
    alignas(64) struct btk_piece_key key; // words[3] == 0: empty
    uint32_t ids[BTK_PIECE_IDS_MAX];
    uint32_t layout;
};

struct btk_piece_cache {
    struct btk_piece_line lines[BTK_PIECE_CACHE_LINES];
    struct btk_piece_entry sets[BTK_PIECE_CACHE_SETS][2];
    uint64_t seeds[4];
    uint64_t hits;
    uint64_t misses;
};

// 32 bytes of ones, then 32 of zeros.
extern const uint8_t btk_piece_masks[64];

// Empties the cache and draws new seeds. -errno when there is no randomness.
BTK_MUST_USE int btk_piece_cache_init(struct btk_piece_cache *cache);

// Forgets all pieces.
void btk_piece_cache_clear(struct btk_piece_cache *cache);

// --- Short pieces

// `seeds`: the cache's first two, which a loop may have in registers.
static inline struct btk_piece_line *btk_piece_cache_line(struct btk_piece_cache *cache,
                                                          const struct btk_short_key *key,
                                                          const uint64_t seeds[2])
{
    return &cache->lines[btk_short_key_hash(key, seeds) % BTK_PIECE_CACHE_LINES];
}

// What the key became; NULL: not known.
static inline const struct btk_short_piece *btk_piece_line_find(const struct btk_piece_line *line,
                                                                const struct btk_short_key *key)
{
    // No branch says which of the two it is: nobody could predict it.
    const struct btk_short_piece *const piece =
        &line->pieces[!btk_short_piece_is(line->pieces, key)];
    return btk_short_piece_is(piece, key) ? piece : NULL;
}

static inline void btk_piece_line_put(struct btk_piece_line *line,
                                      const struct btk_short_piece *piece)
{
    line->pieces[1] = line->pieces[0];
    line->pieces[0] = *piece;
}

// --- Longer ones

static inline uint64_t btk_piece_word(const uint8_t *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

// The key of a piece of 1 to BTK_PIECE_BYTES_MAX bytes. `is_padded`: 32 bytes may be read there.
static inline struct btk_piece_key btk_piece_key(const uint8_t *text, size_t length, bool is_padded)
{
    struct btk_piece_key key = {{0}};
    if (is_padded) {
        const uint8_t *const mask = btk_piece_masks + 32 - length;
        key.words[0] = btk_piece_word(text) & btk_piece_word(mask);
        key.words[1] = btk_piece_word(text + 8) & btk_piece_word(mask + 8);
        key.words[2] = btk_piece_word(text + 16) & btk_piece_word(mask + 16);
        key.words[3] = btk_piece_word(text + 24) & btk_piece_word(mask + 24);
    } else {
        memcpy(&key, text, length);
    }
    key.words[3] |= (uint64_t)length << 56;
    return key;
}

static inline struct btk_piece_entry *btk_piece_cache_set(struct btk_piece_cache *cache,
                                                          const struct btk_piece_key *key)
{
    const uint64_t low = btk_fold(key->words[0] ^ cache->seeds[0], key->words[1] ^ cache->seeds[1]);
    const uint64_t high =
        btk_fold(key->words[2] ^ cache->seeds[2], key->words[3] ^ cache->seeds[3]);
    return cache->sets[(low ^ high) % BTK_PIECE_CACHE_SETS];
}

static inline bool btk_piece_keys_equal(const struct btk_piece_key *a,
                                        const struct btk_piece_key *b)
{
    return !((a->words[0] ^ b->words[0]) | (a->words[1] ^ b->words[1]) | (a->words[2] ^ b->words[2])
             | (a->words[3] ^ b->words[3]));
}

// What the piece became; NULL: not known. `set` is that of the key.
static inline const struct btk_piece_entry *btk_piece_set_find(const struct btk_piece_entry *set,
                                                               const struct btk_piece_key *key)
{
    for (unsigned way = 0; way < 2; way++)
        if (btk_piece_keys_equal(&set[way].key, key)) return &set[way];
    return NULL;
}

static inline size_t btk_piece_entry_count(const struct btk_piece_entry *entry)
{
    return entry->layout & 7;
}

// The end of the token that begins at byte `begin` of a piece of `length` bytes.
static inline size_t btk_piece_entry_end(const struct btk_piece_entry *entry, size_t begin,
                                         size_t length)
{
    const uint32_t ends = entry->layout >> 3 >> begin; // the lowest bit: byte begin + 1
    return ends ? begin + 1 + (size_t)__builtin_ctz(ends) : length;
}

// Keeps tokens for a key that was not found, if they can be kept; the older one of the set goes.
// `places`: begin and end of each token.
void btk_piece_set_put(struct btk_piece_entry *set, const struct btk_piece_key *key,
                       const uint32_t *ids, const uint32_t *places, size_t count);
