// SPDX-License-Identifier: Apache-2.0
// Text slabs: made here with all their pages, so that nobody who reads one can meet a hole; mapped
// by the client; sealed; given to the workers.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

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

static int make_slab(struct btk_client_entry *client, uint64_t bytes,
                     struct btk_client_slab **out_slab)
{
    struct btk_client_slab *slab = calloc(1, sizeof *slab);
    if (slab == NULL) return -ENOMEM;
    const int rc = btk_shared_memory_create("btk-slab", bytes, 0, &slab->memory);
    if (rc != 0) {
        free(slab);
        return rc;
    }
    slab->id = next_slab_id(client);
    slab->next = client->slabs;
    client->slabs = slab;
    client->slab_count++;
    client->slab_bytes += slab->memory.bytes;
    *out_slab = slab;
    return 0;
}

static void free_slab(struct btk_client_entry *client, struct btk_client_slab **link)
{
    struct btk_client_slab *slab = *link;
    *link = slab->next;
    client->slab_count--;
    client->slab_bytes -= slab->memory.bytes;
    btk_shared_memory_clear(&slab->memory);
    free(slab);
}

int btk_client_slabs_give(struct btk_client_entry *client, uint64_t bytes, struct btk_error *error)
{
    const struct btk_coordinator_options *limits = &client->coordinator->options;
    if (bytes == 0 || bytes > limits->slab_limit_bytes)
        return btk_error_set(error, EMSGSIZE, BTK_NO_OFFSET,
                             "a slab of %llu bytes: expected 1 to %llu", (unsigned long long)bytes,
                             (unsigned long long)limits->slab_limit_bytes);
    if (client->slab_count >= BTK_CLIENT_SLABS_MAX
        || bytes > limits->client_limit_bytes
                       - btk_min_size(client->slab_bytes, limits->client_limit_bytes))
        return btk_error_set(
            error, EDQUOT, BTK_NO_OFFSET, "this client has %llu bytes of slabs; the limit is %llu",
            (unsigned long long)client->slab_bytes, (unsigned long long)limits->client_limit_bytes);
    struct btk_client_slab *slab = NULL;
    const int rc = make_slab(client, bytes, &slab);
    if (rc != 0) return btk_error_set(error, -rc, BTK_NO_OFFSET, "slab: %s", strerror(-rc));
    // The client alone writes there.
    if (mprotect(slab->memory.address, slab->memory.bytes, PROT_READ) != 0)
        return btk_error_set(error, errno, BTK_NO_OFFSET, "slab: %s", strerror(errno));
    const struct btk_control_message message = {
        .kind = BTK_CONTROL_SLAB,
        .slab = {.slab_id = slab->id,
                 .bytes = slab->memory.bytes,
                 .page_bytes = slab->memory.page_bytes},
    };
    btk_client_send(client, &message, &slab->memory.fd, 1);
    return 0;
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
    struct btk_client_slab *slab = NULL;
    int rc = make_slab(client, bytes, &slab);
    if (rc == 0) rc = attach_to_workers(client, slab);
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
