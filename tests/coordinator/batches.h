// SPDX-License-Identifier: Apache-2.0
// Batches whose results can be told to be right without knowing them.
#pragma once

#include <budtiktok/client.h>
#include <stddef.h>
#include <stdint.h>

// Everything takes ten times as long under ThreadSanitizer.
#ifdef __SANITIZE_THREAD__
enum { BATCHES_WAIT_MS = 300000 };
#else
enum { BATCHES_WAIT_MS = 30000 };
#endif
enum { BATCHES_DOCUMENTS = 500 };

// Ids of "bpe".
uint32_t batches_register(struct btk_client *client);
// Documents of `repeat` to 50 * `repeat` bytes, the same ones every 50.
struct btk_batch *batches_submit(struct btk_client *client, uint32_t options_id, size_t repeat);
// All documents have their tokens, and equal documents have equal ones.
void batches_check(struct btk_batch *batch);
// Waits, checks and releases.
void batches_finish(struct btk_client *client, struct btk_batch **batch);
