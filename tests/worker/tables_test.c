// SPDX-License-Identifier: Apache-2.0
#include <budtiktok/types.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "worker/attached_clients.h"
#include "worker/image_table.h"
#include "worker/options_table.h"
#include "worker/private_memory.h"
#include "worker/shard_queue.h"

static struct btk_shared_memory make_memory(const char *content, bool is_sealed)
{
    struct btk_shared_memory memory = BTK_SHARED_MEMORY_INIT;
    cr_assert_eq(btk_shared_memory_create("test", 4096, BTK_SHARED_MEMORY_SMALL_PAGES, &memory), 0);
    strcpy(memory.address, content);
    if (is_sealed) cr_assert_eq(btk_shared_memory_seal(&memory), 0);
    return memory;
}

// --- Options

static int define(struct btk_options_table *table, uint32_t options_id, uint32_t tokenizer_id)
{
    const struct btk_batch_options options = {.op = BTK_OPERATION_ENCODE, .fields = BTK_FIELD_IDS};
    const struct btk_control_define_options definition = {options_id, tokenizer_id,
                                                          btk_batch_options_bytes(&options)};
    return btk_options_table_define(table, &definition, NULL);
}

Test(options_table, finds_what_was_defined_in_any_order)
{
    struct btk_options_table table = {0};
    for (uint32_t i = 0; i < 1000; i++) cr_assert_eq(define(&table, i * 7919 % 1000 + 1, i), 0);
    for (uint32_t i = 0; i < 1000; i++) {
        const struct btk_defined_options *found =
            btk_options_table_find(&table, i * 7919 % 1000 + 1);
        cr_assert_not_null(found);
        cr_assert_eq(found->tokenizer_id, i);
    }
    cr_assert_null(btk_options_table_find(&table, 1001));
    btk_options_table_clear(&table);
    cr_assert_null(btk_options_table_find(&table, 1));
}

Test(options_table, only_the_first_definition_counts)
{
    struct btk_options_table table = {0};
    cr_assert_eq(define(&table, 5, 1), 0);
    cr_assert_eq(define(&table, 5, 2), 0);
    cr_assert_eq(btk_options_table_find(&table, 5)->tokenizer_id, 1);
    btk_options_table_clear(&table);
}

Test(options_table, a_newer_id_takes_the_place_of_an_older_one_and_never_the_other_way)
{
    struct btk_options_table table = {0};
    cr_assert_eq(define(&table, 5 + BTK_OPTIONS_PLACES, 2), 0);
    cr_assert_eq(define(&table, 5, 1), 0);
    cr_assert_null(btk_options_table_find(&table, 5));
    cr_assert_eq(btk_options_table_find(&table, 5 + BTK_OPTIONS_PLACES)->tokenizer_id, 2);
    cr_assert_eq(define(&table, 5 + 2 * BTK_OPTIONS_PLACES, 3), 0);
    cr_assert_null(btk_options_table_find(&table, 5 + BTK_OPTIONS_PLACES));
    btk_options_table_forget(&table, 3);
    cr_assert_null(btk_options_table_find(&table, 5 + 2 * BTK_OPTIONS_PLACES));
    // The last of a place, and the first of it again.
    const uint32_t last = UINT32_MAX - BTK_OPTIONS_PLACES + 1 + 5;
    cr_assert_eq(define(&table, last, 4), 0);
    cr_assert_eq(define(&table, 5, 5), 0);
    cr_assert_null(btk_options_table_find(&table, last));
    cr_assert_eq(btk_options_table_find(&table, 5)->tokenizer_id, 5);
    btk_options_table_clear(&table);
}

Test(options_table, refuses_what_is_not_options)
{
    struct btk_options_table table = {0};
    const struct btk_batch_options options = {.op = 3};
    struct btk_control_define_options definition = {1, 1, btk_batch_options_bytes(&options)};
    struct btk_error error = {.message = ""};
    cr_assert_eq(btk_options_table_define(&table, &definition, &error), -EPROTO);
    cr_assert_neq(error.message[0], 0);
    cr_assert_null(btk_options_table_find(&table, 1));
}

// --- Clients

Test(attached_clients, attach_makes_sealed_memory_and_detach_forgets_it)
{
    struct btk_attached_clients table = {0};
    struct btk_attached_client *client = NULL;
    cr_assert_eq(btk_attached_clients_attach(&table, 3, 77, 8192, &client), 0);
    cr_assert_eq(btk_attached_clients_attach(&table, 3, 78, 8192, &client), -EEXIST);
    const struct btk_shared_memory_limits limits = {.bytes_max = 1 << 20, .needs_sealed = true};
    struct btk_shared_memory seen = BTK_SHARED_MEMORY_INIT;
    int fd = dup(client->results.fd);
    cr_assert_eq(btk_shared_memory_attach(&fd, &limits, &seen), 0);
    btk_shared_memory_clear(&seen);
    btk_attached_clients_detach(&table, 3);
    cr_assert_null(btk_attached_clients_find(&table, 3));
    btk_attached_clients_detach(&table, 3);
}

Test(attached_clients, slabs_must_be_sealed_and_as_large_as_was_said)
{
    struct btk_attached_clients table = {0};
    struct btk_attached_client *client = NULL;
    cr_assert_eq(btk_attached_clients_attach(&table, 3, 77, 4096, &client), 0);
    struct btk_shared_memory loose = make_memory("text", false);
    cr_assert_eq(btk_attached_client_attach_slab(client, 1, &loose.fd, 4096), -EPERM);
    struct btk_shared_memory sealed = make_memory("text", true);
    cr_assert_eq(btk_attached_client_attach_slab(client, 1, &sealed.fd, 8192), -EFBIG);
    cr_assert_geq(sealed.fd, 0);
    cr_assert_eq(btk_attached_client_attach_slab(client, 1, &sealed.fd, 4096), 0);
    cr_assert_eq(sealed.fd, -1);
    cr_assert_str_eq(btk_attached_client_find_slab(client, 1)->address, "text");
    cr_assert_eq(btk_attached_client_attach_slab(client, 1, &loose.fd, 4096), -EEXIST);
    btk_attached_client_detach_slab(client, 1);
    cr_assert_null(btk_attached_client_find_slab(client, 1));
    btk_attached_clients_clear(&table);
    btk_shared_memory_clear(&loose);
    btk_shared_memory_clear(&sealed);
}

Test(attached_clients, many_clients_are_found_each_with_its_own_results)
{
    struct btk_attached_clients table = {0};
    struct btk_attached_client *client = NULL;
    for (uint32_t i = 0; i < 50; i++)
        cr_assert_eq(btk_attached_clients_attach(&table, i, 100 + i, 4096, &client), 0);
    for (uint32_t i = 0; i < 50; i++)
        cr_assert_eq(btk_attached_clients_find(&table, i)->results_id, 100 + i);
    btk_attached_clients_clear(&table);
    cr_assert_eq(table.count, 0);
}

// --- Images

Test(image_table, loads_replaces_and_unloads)
{
    static struct btk_image_table table;
    struct btk_error error = {0};
    struct btk_shared_memory first = make_memory("double", true);
    struct btk_shared_memory second = make_memory("double", true);
    cr_assert_eq(btk_image_table_load(&table, 9, &first.fd, 100, &error), 0, "%s", error.message);
    cr_assert_eq(btk_image_table_load(&table, 9, &second.fd, 100, &error), 0);
    cr_assert_eq(table.count, 1);
    btk_image_table_unload(&table, 9);
    cr_assert_null(btk_image_table_find(&table, 9));
    btk_image_table_clear(&table);
    btk_shared_memory_clear(&first);
    btk_shared_memory_clear(&second);
}

Test(image_table, says_why_an_image_is_refused)
{
    static struct btk_image_table table;
    struct btk_error error = {0};
    struct btk_shared_memory memory = make_memory("something", true);
    cr_assert_eq(btk_image_table_load(&table, 9, &memory.fd, 5000, &error), -EFBIG);
    cr_assert_eq(btk_image_table_load(&table, 9, &memory.fd, 100, &error), -EPROTO);
    cr_assert_str_eq(error.message, "not an image");
    cr_assert_eq(table.count, 0);
    btk_shared_memory_clear(&memory);
}

// --- Room and queue

Test(private_memory, keeps_what_is_common_and_gives_back_what_is_not)
{
    struct btk_private_memory memory = {0};
    cr_assert_eq(btk_private_memory_reserve(&memory, 0), 0);
    cr_assert_not_null(memory.address);
    const void *address = memory.address;
    cr_assert_eq(btk_private_memory_reserve(&memory, BTK_PRIVATE_MEMORY_KEEP_BYTES), 0);
    btk_private_memory_trim(&memory);
    cr_assert_eq(memory.address, address);
    cr_assert_eq(btk_private_memory_reserve(&memory, (size_t)1 << 34), 0);
    ((uint8_t *)memory.address)[((size_t)1 << 34) - 1] = 1;
    btk_private_memory_trim(&memory);
    cr_assert_null(memory.address);
    cr_assert_eq(btk_private_memory_reserve(&memory, SIZE_MAX), -ENOMEM);
    btk_private_memory_clear(&memory);
}

Test(shard_queue, gives_back_in_order_and_refuses_when_full)
{
    static struct btk_shard_queue queue;
    struct btk_assignment assignment = {0};
    for (uint64_t round = 0; round < 3; round++) {
        for (uint64_t i = 0; i < BTK_SHARD_QUEUE_SLOTS; i++) {
            assignment.shard_id = i;
            cr_assert(btk_shard_queue_try_push(&queue, &assignment));
        }
        cr_assert(!btk_shard_queue_try_push(&queue, &assignment));
        for (uint64_t i = 0; i < BTK_SHARD_QUEUE_SLOTS; i++) {
            cr_assert(btk_shard_queue_try_pop(&queue, &assignment));
            cr_assert_eq(assignment.shard_id, i);
        }
        cr_assert(!btk_shard_queue_try_pop(&queue, &assignment));
    }
}
