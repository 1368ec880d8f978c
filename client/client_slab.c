// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/client_internal.h"
#include "common/clock.h"

static void free_slab(struct btk_client *client, struct btk_text_slab *slab)
{
    struct btk_text_slab **link = &client->slabs;
    while (*link != slab) link = &(*link)->next;
    *link = slab->next;
    btk_shared_memory_clear(&slab->memory);
    free(slab);
}

static int attach_slab(struct btk_client *client, struct btk_error *error)
{
    const struct btk_control_slab *reply = &client->reply.slab;
    const struct btk_shared_memory_limits limits = {
        .bytes_min = 4096,
        .bytes_max = (size_t)1 << 40,
        .writable = true,
    };
    struct btk_text_slab *slab = calloc(1, sizeof *slab);
    if (slab == NULL) return btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "slab: out of memory");
    const int rc = btk_shared_memory_attach(&client->reply_fd, &limits, &slab->memory);
    if (rc != 0 || reply->slab_id > UINT16_MAX) {
        btk_shared_memory_clear(&slab->memory);
        free(slab);
        return btk_error_set(error, rc == 0 ? EPROTO : -rc, BTK_NO_OFFSET, "slab: %s",
                             strerror(rc == 0 ? EPROTO : -rc));
    }
    btk_shared_memory_close_fd(&slab->memory);
    slab->id = reply->slab_id;
    slab->memory.page_bytes = reply->page_bytes;
    btk_slab_init(&slab->room, slab->memory.bytes);
    slab->next = client->slabs;
    client->slabs = slab;
    const struct btk_control_message mapped = {
        .kind = BTK_CONTROL_SLAB_MAPPED,
        .slab_mapped = {.slab_id = slab->id},
    };
    return btk_connection_send(&client->connection, &mapped, NULL, 0);
}

// Room that nobody uses and that is too small is given back before more is asked for.
static void drop_idle_slabs(struct btk_client *client)
{
    struct btk_text_slab *slab = client->slabs;
    while (slab != NULL) {
        struct btk_text_slab *next = slab->next;
        if (slab->users == 0 && !slab->is_lost) {
            const struct btk_control_message drop = {
                .kind = BTK_CONTROL_SLAB_DROP,
                .slab_drop = {.slab_id = slab->id},
            };
            if (btk_connection_send(&client->connection, &drop, NULL, 0) == 0)
                free_slab(client, slab);
        }
        slab = next;
    }
}

int btk_client_slab_request(struct btk_client *client, uint64_t bytes, struct btk_error *error)
{
    const uint64_t limit = client->connection.welcome.slab_limit_bytes;
    if (bytes > limit)
        return btk_error_set(error, EMSGSIZE, BTK_NO_OFFSET,
                             "a batch of %llu bytes: the cluster gives slabs of at most %llu",
                             (unsigned long long)bytes, (unsigned long long)limit);
    drop_idle_slabs(client);
    uint64_t wanted = btk_max_size(bytes, client->slab_bytes);
    if (wanted > limit) wanted = limit;
    const struct btk_control_message request = {
        .kind = BTK_CONTROL_SLAB_REQUEST,
        .slab_request = {.bytes = wanted},
    };
    client->has_reply = false;
    int rc = btk_connection_send(&client->connection, &request, NULL, 0);
    if (rc == 0)
        rc = btk_client_session_await(client, btk_clock_now_ns() + client->timeout_ns, error);
    else
        btk_error_set(error, -rc, BTK_NO_OFFSET, "slab request: %s", strerror(-rc));
    if (rc != 0) return rc;
    if (client->reply.kind != BTK_CONTROL_SLAB)
        return btk_error_set(error, EPROTO, BTK_NO_OFFSET, "expected a slab, got %s",
                             btk_control_name(client->reply.kind));
    return attach_slab(client, error);
}

static int acquire_room(struct btk_client *client, uint64_t bytes, struct btk_text_slab **out_slab,
                        uint64_t *out_offset)
{
    int rc = -EMSGSIZE;
    for (struct btk_text_slab *slab = client->slabs; slab != NULL; slab = slab->next) {
        if (slab->is_lost) continue;
        const int tried = btk_slab_acquire(&slab->room, bytes, out_offset);
        if (tried == 0) {
            slab->users++;
            *out_slab = slab;
            return 0;
        }
        if (tried == -EAGAIN) rc = -EAGAIN;
    }
    return rc;
}

int btk_client_slab_acquire(struct btk_client *client, uint64_t bytes,
                            struct btk_text_slab **out_slab, uint64_t *out_offset,
                            struct btk_error *error)
{
    int rc = acquire_room(client, bytes, out_slab, out_offset);
    if (rc == -EAGAIN)
        return btk_error_set(error, EAGAIN, BTK_NO_OFFSET,
                             "no room in the slab until other batches are released");
    if (rc == 0) return 0;
    rc = btk_client_slab_request(client, btk_align_up(bytes, BTK_SLAB_ALIGNMENT), error);
    if (rc != 0) return rc;
    rc = acquire_room(client, bytes, out_slab, out_offset);
    return rc == 0 ? 0 : btk_error_set(error, -rc, BTK_NO_OFFSET, "the new slab is too small");
}

void btk_client_slab_release(struct btk_client *client, struct btk_text_slab *slab, uint64_t offset)
{
    btk_slab_release(&slab->room, offset);
    slab->users--;
    if (slab->users == 0 && slab->is_lost) free_slab(client, slab);
}

void btk_client_slab_lose_all(struct btk_client *client)
{
    struct btk_text_slab *slab = client->slabs;
    while (slab != NULL) {
        struct btk_text_slab *next = slab->next;
        slab->is_lost = true;
        if (slab->users == 0) free_slab(client, slab);
        slab = next;
    }
}

void btk_client_slab_clear(struct btk_client *client)
{
    while (client->slabs != NULL) free_slab(client, client->slabs);
}
