// SPDX-License-Identifier: Apache-2.0
#include "worker/attached_clients.h"

#include <errno.h>
#include <stdlib.h>

#define SLAB_BYTES_MAX ((size_t)1 << 40)

static struct btk_attached_client **find_link(struct btk_attached_clients *table,
                                              uint32_t client_id)
{
    struct btk_attached_client **link = &table->first;
    while (*link != NULL && (*link)->client_id != client_id) link = &(*link)->next;
    return link;
}

struct btk_attached_client *btk_attached_clients_find(struct btk_attached_clients *table,
                                                      uint32_t client_id)
{
    struct btk_attached_client **link = find_link(table, client_id);
    struct btk_attached_client *client = *link;
    if (client == NULL) return NULL;
    // To the front: shards of one client come in a row.
    *link = client->next;
    client->next = table->first;
    table->first = client;
    return client;
}

static int make_results(struct btk_attached_client *client, uint64_t results_bytes)
{
    const int rc = btk_shared_memory_create("btk-results", results_bytes, 0, &client->results);
    return rc != 0 ? rc : btk_shared_memory_seal(&client->results);
}

static void free_client(struct btk_attached_client *client)
{
    while (client->slabs != NULL) btk_attached_client_detach_slab(client, client->slabs->slab_id);
    btk_shared_memory_clear(&client->results);
    free(client);
}

int btk_attached_clients_attach(struct btk_attached_clients *table, uint32_t client_id,
                                uint64_t results_id, uint64_t results_bytes,
                                struct btk_attached_client **out_client)
{
    if (*find_link(table, client_id) != NULL) return -EEXIST;
    if (table->count == BTK_ATTACHED_CLIENTS_MAX) return -ENOSPC;
    struct btk_attached_client *client = calloc(1, sizeof *client);
    if (client == NULL) return -ENOMEM;
    client->client_id = client_id;
    client->results_id = results_id;
    client->results = (struct btk_shared_memory)BTK_SHARED_MEMORY_INIT;
    const int rc = make_results(client, results_bytes);
    if (rc != 0) {
        free_client(client);
        return rc;
    }
    client->next = table->first;
    table->first = client;
    table->count++;
    *out_client = client;
    return 0;
}

void btk_attached_clients_detach(struct btk_attached_clients *table, uint32_t client_id)
{
    struct btk_attached_client **link = find_link(table, client_id);
    struct btk_attached_client *client = *link;
    if (client == NULL) return;
    *link = client->next;
    table->count--;
    free_client(client);
}

int btk_attached_client_attach_slab(struct btk_attached_client *client, uint32_t slab_id, int *fd,
                                    uint64_t bytes)
{
    const struct btk_shared_memory_limits limits = {
        .bytes_min = bytes,
        .bytes_max = SLAB_BYTES_MAX,
        .needs_sealed = true,
    };
    if (btk_attached_client_find_slab(client, slab_id) != NULL) return -EEXIST;
    if (client->slab_count == BTK_ATTACHED_SLABS_MAX) return -ENOSPC;
    struct btk_attached_slab *slab = calloc(1, sizeof *slab);
    if (slab == NULL) return -ENOMEM;
    const int rc = btk_shared_memory_attach(fd, &limits, &slab->memory);
    if (rc != 0) {
        free(slab);
        return rc;
    }
    btk_shared_memory_close_fd(&slab->memory);
    slab->slab_id = slab_id;
    slab->next = client->slabs;
    client->slabs = slab;
    client->slab_count++;
    return 0;
}

void btk_attached_client_detach_slab(struct btk_attached_client *client, uint32_t slab_id)
{
    struct btk_attached_slab **link = &client->slabs;
    while (*link != NULL && (*link)->slab_id != slab_id) link = &(*link)->next;
    struct btk_attached_slab *slab = *link;
    if (slab == NULL) return;
    *link = slab->next;
    client->slab_count--;
    btk_shared_memory_clear(&slab->memory);
    free(slab);
}

const struct btk_shared_memory *
btk_attached_client_find_slab(const struct btk_attached_client *client, uint32_t slab_id)
{
    for (const struct btk_attached_slab *slab = client->slabs; slab != NULL; slab = slab->next)
        if (slab->slab_id == slab_id) return &slab->memory;
    return NULL;
}

void btk_attached_clients_clear(struct btk_attached_clients *table)
{
    while (table->first != NULL) btk_attached_clients_detach(table, table->first->client_id);
}
