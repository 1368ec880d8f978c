// SPDX-License-Identifier: Apache-2.0
// Hashes of bytes. XXH64 is the format of the golden digests; XXH3 is for tables and checksums.
//
// Neither resists an attacker who knows the seed: tables that hold user text take a random seed.
#pragma once

#include <stddef.h>
#include <stdint.h>

uint64_t btk_hash_xxh64(const void *bytes, size_t length, uint64_t seed);
uint64_t btk_hash_xxh3(const void *bytes, size_t length, uint64_t seed);

// XXH64 over bytes that come in parts.
struct btk_hash_stream;
struct btk_hash_stream *btk_hash_stream_new(uint64_t seed); // NULL: no memory
void btk_hash_stream_update(struct btk_hash_stream *stream, const void *bytes, size_t length);
uint64_t btk_hash_stream_digest(const struct btk_hash_stream *stream);
void btk_hash_stream_free(struct btk_hash_stream *stream); // NULL is fine
