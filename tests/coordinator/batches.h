// SPDX-License-Identifier: Apache-2.0
// Batches whose results can be told to be right without knowing them.
#pragma once

#include <budtiktok/client.h>
#include <stddef.h>
#include <stdint.h>

enum { BATCHES_DOCUMENTS = 500, BATCHES_WAIT_MS = 30000 };

// Ids of "bpe".
uint32_t batches_register(struct btk_client *client);
// Documents of `repeat` to 50 * `repeat` bytes, the same ones every 50.
struct btk_batch *batches_submit(struct btk_client *client, uint32_t options_id, size_t repeat);
// All documents have their tokens, and equal documents have equal ones.
void batches_check(struct btk_batch *batch);
// Waits, checks and releases.
void batches_finish(struct btk_client *client, struct btk_batch **batch);
