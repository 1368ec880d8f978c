// SPDX-License-Identifier: Apache-2.0
// Text slabs: made here with all their pages, so that nobody who reads one can meet a hole; mapped
// by the client; sealed; given to the workers.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/client_internal.h"
#include "coordinator/coordinator_internal.h"

static struct btk_client_slab **find_link(struct btk_client_entry *client, uint32_t slab_id)
{
    struct btk_client_slab **link = &client->slabs;
    while (*link != NULL && (*link)->id != slab_id) link = &(*link)->next;
    return link;
}

static uint32_t next_slab_id(struct btk_client_entry *client)
{
    do client->last_slab_id = client->last_slab_id % UINT16_MAX + 1;
    while (*find_link(client, client->last_slab_id) != NULL);
    return client->last_slab_id;
}

// Takes the memory. NULL: out of memory.
static struct btk_client_slab *add_slab(struct btk_client_entry *client,
                                        struct btk_shared_memory *memory)
{
    struct btk_client_slab *slab = calloc(1, sizeof *slab);
    if (slab == NULL) return NULL;
    slab->memory = *memory;
    *memory = (struct btk_shared_memory)BTK_SHARED_MEMORY_INIT;
    slab->id = next_slab_id(client);
    slab->next = client->slabs;
    client->slabs = slab;
    client->slab_count++;
    client->slab_bytes += slab->memory.bytes;
    return slab;
}

static void free_slab(struct btk_client_entry *client, struct btk_client_slab **link)
{
    struct btk_client_slab *slab = *link;
    *link = slab->next;
    client->slab_count--;
    client->slab_bytes -= slab->memory.bytes;
    btk_slab_maker_release(&client->coordinator->slab_maker, &slab->memory);
    free(slab);
}

int btk_client_slabs_ask(struct btk_client_entry *client, uint64_t bytes, struct btk_error *error)
{
    const struct btk_coordinator_options *limits = &client->coordinator->options;
    if (bytes == 0 || bytes > limits->slab_limit_bytes)
        return btk_error_set(error, EMSGSIZE, BTK_NO_OFFSET,
                             "a slab of %llu bytes: expected 1 to %llu", (unsigned long long)bytes,
                             (unsigned long long)limits->slab_limit_bytes);
    const uint64_t has_bytes = client->slab_bytes + client->asked_bytes;
    if (client->slab_count + client->asked_count >= BTK_CLIENT_SLABS_MAX
        || bytes > limits->client_limit_bytes - btk_min_size(has_bytes, limits->client_limit_bytes))
        return btk_error_set(
            error, EDQUOT, BTK_NO_OFFSET, "this client has %llu bytes of slabs; the limit is %llu",
            (unsigned long long)has_bytes, (unsigned long long)limits->client_limit_bytes);
    const int rc = btk_slab_maker_ask(&client->coordinator->slab_maker, client->id, bytes);
    if (rc != 0) return btk_error_set(error, -rc, BTK_NO_OFFSET, "slab: %s", strerror(-rc));
    client->asked_count++;
    client->asked_bytes += bytes;
    return 0;
}

static void send_slab(struct btk_client_entry *client, const struct btk_client_slab *slab)
{
    const struct btk_control_message message = {
        .kind = BTK_CONTROL_SLAB,
        .slab = {.slab_id = slab->id,
                 .bytes = slab->memory.bytes,
                 .page_bytes = slab->memory.page_bytes},
    };
    btk_client_send(client, &message, &slab->memory.fd, 1);
}

void btk_client_slabs_made(void *context, uint32_t client_id, uint64_t asked_bytes, int rc,
                           struct btk_shared_memory *memory)
{
    struct btk_coordinator *coordinator = context;
    struct btk_client_entry *client = btk_client_table_find(&coordinator->clients, client_id);
    if (client == NULL || client->is_leaving) {
        btk_slab_maker_release(&coordinator->slab_maker, memory);
        return;
    }
    client->asked_count--;
    client->asked_bytes -= asked_bytes;
    const struct btk_client_slab *slab = rc == 0 ? add_slab(client, memory) : NULL;
    if (slab != NULL) {
        send_slab(client, slab);
        return;
    }
    char message[128];
    const int code = rc == 0 ? ENOMEM : -rc;
    snprintf(message, sizeof message, "a slab of %llu bytes cannot be made: %s",
             (unsigned long long)asked_bytes, strerror(code));
    btk_client_refuse(client, 0, code, message);
}

static int attach_to_workers(struct btk_client_entry *client, struct btk_client_slab *slab)
{
    const int rc = btk_shared_memory_seal(&slab->memory);
    if (rc != 0) return rc;
    slab->is_attached = true;
    btk_worker_table_attach_slab(client->coordinator, client->id, slab->id, &slab->memory);
    return 0;
}

int btk_client_slabs_add_internal(struct btk_client_entry *client, uint64_t bytes,
                                  void **out_address)
{
    struct btk_shared_memory memory = BTK_SHARED_MEMORY_INIT;
    int rc = btk_shared_memory_create("btk-slab", bytes, 0, &memory);
    if (rc != 0) return rc;
    struct btk_client_slab *slab = add_slab(client, &memory);
    if (slab == NULL) {
        btk_shared_memory_clear(&memory);
        return -ENOMEM;
    }
    rc = attach_to_workers(client, slab);
    if (rc == 0) *out_address = slab->memory.address;
    return rc;
}

void btk_client_slabs_mapped(struct btk_client_entry *client, uint32_t slab_id)
{
    struct btk_client_slab *slab = *find_link(client, slab_id);
    if (slab == NULL || slab->is_attached || slab->is_dropped) return;
    if (attach_to_workers(client, slab) != 0)
        btk_client_table_drop(client, "slab cannot be sealed");
}

struct btk_client_slab *btk_client_slabs_find(struct btk_client_entry *client, uint32_t slab_id)
{
    struct btk_client_slab *slab = *find_link(client, slab_id);
    return slab != NULL && slab->is_attached && !slab->is_dropped ? slab : NULL;
}

static void let_go(struct btk_client_entry *client, struct btk_client_slab **link)
{
    if ((*link)->pins > 0) return;
    if ((*link)->is_attached)
        btk_worker_table_detach_slab(client->coordinator, client->id, (*link)->id);
    free_slab(client, link);
}

void btk_client_slabs_drop(struct btk_client_entry *client, uint32_t slab_id)
{
    struct btk_client_slab **link = find_link(client, slab_id);
    if (*link == NULL) return;
    (*link)->is_dropped = true;
    let_go(client, link);
}

void btk_client_table_unpin(struct btk_client_entry *client, uint32_t slab_id)
{
    struct btk_client_slab **link = find_link(client, slab_id);
    if (*link == NULL || (*link)->pins == 0) return;
    (*link)->pins--;
    if ((*link)->is_dropped) let_go(client, link);
}

void btk_client_slabs_clear(struct btk_client_entry *client)
{
    while (client->slabs != NULL) free_slab(client, &client->slabs);
}
