// SPDX-License-Identifier: Apache-2.0
// What the files of the client table share.
#pragma once

#include "coordinator/client_table.h"

// Puts the client on the list of what the end of the turn looks at.
void btk_client_touch(struct btk_client_entry *client);
// A client that does not take its messages is dropped.
void btk_client_send(struct btk_client_entry *client, const struct btk_control_message *message,
                     const int *fds, unsigned fd_count);
void btk_client_refuse(struct btk_client_entry *client, uint32_t request, int code,
                       const char *message);

// --- client_slabs

// The client wants one of this size; it gets it when it is made.
BTK_MUST_USE int btk_client_slabs_ask(struct btk_client_entry *client, uint64_t bytes,
                                      struct btk_error *error);
BTK_MUST_USE int btk_client_slabs_add_internal(struct btk_client_entry *client, uint64_t bytes,
                                               void **out_address);
// The client's mapping is made: sealed, and on to the workers.
void btk_client_slabs_mapped(struct btk_client_entry *client, uint32_t slab_id);
void btk_client_slabs_drop(struct btk_client_entry *client, uint32_t slab_id);
// NULL: none that could be submitted from.
struct btk_client_slab *btk_client_slabs_find(struct btk_client_entry *client, uint32_t slab_id);
void btk_client_slabs_clear(struct btk_client_entry *client);

// --- client_rings

void btk_client_on_bell(void *context, int fd, uint32_t events);
// Moves waiting completions into the ring, as far as they fit.
void btk_client_push_waiting(struct btk_client_entry *client);
void btk_client_waiting_clear(struct btk_client_entry *client);
