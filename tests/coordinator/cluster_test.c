// SPDX-License-Identifier: Apache-2.0
// Whole clusters in processes of their own, and what may happen to them. Plain, because what is
// killed here would take a test framework with it.
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/coordinator/batches.h"
#include "tests/coordinator/cluster.h"

enum { BATCHES = 200 };

static const struct btk_coordinator_options two_workers = {.worker_count = 2};

static void batches_come_back_whole(void)
{
    struct cluster cluster;
    struct btk_batch *batches[8];
    cluster_start(&cluster, &two_workers);
    struct btk_client *client = cluster_connect(&cluster);
    const uint32_t options_id = batches_register(client);
    for (int round = 0; round < BATCHES / 8; round++) {
        for (int i = 0; i < 8; i++)
            batches[i] = batches_submit(client, options_id, 1 + (size_t)i * 7);
        for (int i = 0; i < 8; i++) batches_finish(client, batches + i);
    }
    btk_client_close(&client);
    CHECK(cluster_stop(&cluster) == 0);
}

static void nothing_is_lost_when_workers_are_killed(void)
{
    struct cluster cluster;
    struct btk_batch *batches[16];
    cluster_start(&cluster, &two_workers);
    struct btk_client *client = cluster_connect(&cluster);
    const uint32_t options_id = batches_register(client);
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 16; i++) batches[i] = batches_submit(client, options_id, 100);
        const int64_t pid = cluster_status(client, round % 2, "pid");
        if (pid > 0) kill((pid_t)pid, SIGKILL);
        for (int i = 0; i < 16; i++) batches_finish(client, batches + i);
    }
    CHECK(cluster_status(client, 0, "restarts") > 0);
    btk_client_close(&client);
    CHECK(cluster_stop(&cluster) == 0);
}

static void a_worker_that_stands_still_is_replaced(void)
{
    struct cluster cluster;
    struct btk_batch *batches[16];
    cluster_start(&cluster, &two_workers);
    struct btk_client *client = cluster_connect(&cluster);
    const uint32_t options_id = batches_register(client);
    struct btk_batch *first = batches_submit(client, options_id, 10);
    batches_finish(client, &first);
    kill((pid_t)cluster_status(client, 0, "pid"), SIGSTOP);
    for (int i = 0; i < 16; i++) batches[i] = batches_submit(client, options_id, 100);
    for (int i = 0; i < 16; i++) batches_finish(client, batches + i);
    CHECK(cluster_status(client, 0, "restarts") == 1);
    btk_client_close(&client);
    CHECK(cluster_stop(&cluster) == 0);
}

static void a_second_coordinator_is_told_that_the_place_is_taken(void)
{
    struct cluster cluster;
    struct btk_error error;
    char elsewhere[128];
    struct btk_coordinator_options options = two_workers;
    options.http = "127.0.0.1:0";
    cluster_start(&cluster, &options);
    options.listen = cluster.endpoint;
    CHECK(btk_coordinator_run(&options, &error) == -EADDRINUSE);
    snprintf(elsewhere, sizeof elsewhere, "%s2", cluster.endpoint);
    options.listen = elsewhere;
    options.http = cluster.http;
    CHECK(btk_coordinator_run(&options, &error) == -EADDRINUSE);
    snprintf(elsewhere, sizeof elsewhere, "%s/c2.lock", cluster.folder);
    unlink(elsewhere);
    CHECK(cluster_stop(&cluster) == 0);
}

static void a_drain_finishes_what_was_submitted(void)
{
    struct cluster cluster;
    struct btk_batch *batches[16];
    cluster_start(&cluster, &two_workers);
    struct btk_client *client = cluster_connect(&cluster);
    const uint32_t options_id = batches_register(client);
    for (int i = 0; i < 16; i++) batches[i] = batches_submit(client, options_id, 1000);
    // Whatever came of the ring by now was taken; the rest is refused, and both are answers.
    struct btk_batch *last = batches_submit(client, options_id, 1);
    CHECK(btk_client_wait(client, last, BATCHES_WAIT_MS, NULL) == 0);
    CHECK(kill(cluster.pid, SIGTERM) == 0);
    for (int i = 0; i < 16; i++) batches_finish(client, batches + i);
    CHECK(cluster_stop(&cluster) == 0);
    btk_client_close(&client);
}

static void a_client_that_is_killed_leaves_nothing_behind(void)
{
    struct cluster cluster;
    cluster_start(&cluster, &two_workers);
    struct btk_client *client = cluster_connect(&cluster);
    const pid_t pid = fork();
    if (pid == 0) {
        struct btk_client *other = cluster_connect(&cluster);
        const uint32_t options_id = batches_register(other);
        for (int i = 0; i < 32; i++) batches_submit(other, options_id, 500);
        kill(getpid(), SIGKILL);
    }
    CHECK(waitpid(pid, NULL, 0) == pid);
    for (int i = 0; i < 100 && cluster_status(client, -1, "client_count") != 1; i++)
        cluster_sleep_ms(50);
    CHECK(cluster_status(client, -1, "client_count") == 1);
    CHECK(cluster_status(client, -1, "batches_in_flight") == 0);
    struct btk_batch *batch = batches_submit(client, batches_register(client), 10);
    batches_finish(client, &batch);
    btk_client_close(&client);
    CHECK(cluster_stop(&cluster) == 0);
}

static void results_beyond_their_memory_come_in_memory_of_their_own(void)
{
    struct cluster cluster;
    struct btk_batch *batches[64];
    struct btk_coordinator_options options = two_workers;
    options.results_bytes = 1 << 20;
    cluster_start(&cluster, &options);
    struct btk_client *client = cluster_connect(&cluster);
    const uint32_t options_id = batches_register(client);
    for (int i = 0; i < 64; i++) {
        batches[i] = batches_submit(client, options_id, 100);
        CHECK(btk_client_wait(client, batches[i], BATCHES_WAIT_MS, NULL) == 0);
    }
    for (int i = 0; i < 64; i++) batches_finish(client, batches + i);
    btk_client_close(&client);
    CHECK(cluster_stop(&cluster) == 0);
}

// --- Documents that are more than one text

static struct btk_document_view encoding_of(struct btk_batch *batch, size_t document, size_t index)
{
    struct btk_document_view view;
    CHECK(btk_batch_encoding(batch, document, index, &view) == 0);
    CHECK(view.status == BTK_STATUS_OK);
    return view;
}

static struct btk_batch *submit_inputs(struct btk_client *client, uint32_t options_id,
                                       const struct btk_encode_input *inputs, uint32_t count,
                                       uint32_t last_of_group)
{
    struct btk_error_info error;
    struct btk_batch *batch = NULL;
    CHECK(btk_client_reserve_inputs(client, inputs, count, &batch, &error) == 0);
    btk_batch_ends(batch)[last_of_group] |= BTK_GROUP_END;
    CHECK(btk_client_submit(client, batch, options_id, 0, &error) == 0);
    CHECK(btk_client_wait(client, batch, BATCHES_WAIT_MS, &error) == 0);
    return batch;
}

static void pairs_words_truncation_and_padding_come_back(void)
{
    static const uint64_t word_ends[] = {3, 8};
    const struct btk_encode_input inputs[] = {
        {.text = {"one two three four five six seven", 33, NULL, 0}},
        {.text = {"onetwo", 3, NULL, 0}, .has_pair = true, .pair = {"onetwo33", 8, word_ends, 2}},
        {.text = {"one", 3, NULL, 0}},
    };
    struct btk_client_request_options request = BTK_CLIENT_REQUEST_DEFAULTS;
    struct btk_error_info error;
    struct cluster cluster;
    uint32_t options_id = 0;
    cluster_start(&cluster, &two_workers);
    struct btk_client *client = cluster_connect(&cluster);
    request.fields = BTK_FIELDS_ALL;
    request.truncation_source = BTK_OPTION_IS_GIVEN;
    request.truncation = (struct btk_truncation){.max_length = 5};
    request.padding_source = BTK_OPTION_IS_GIVEN;
    CHECK(btk_client_register(client, NULL, &request, &options_id, &error) == 0);
    struct btk_batch *batch = submit_inputs(client, options_id, inputs, 3, 1);

    struct btk_document_view view = encoding_of(batch, 0, 0);
    CHECK(view.token_count == 5 && view.encoding_count == 3);
    view = encoding_of(batch, 0, 2);
    CHECK(view.token_count == 5 && view.attention_mask[2] == 1 && view.attention_mask[4] == 0);
    CHECK(btk_batch_encoding(batch, 0, 3, &view) == -EINVAL);
    view = encoding_of(batch, 1, 0);
    CHECK(view.token_count == 5 && view.sequence_ids[1] == 0 && view.sequence_ids[3] == 1);
    CHECK(view.type_ids[3] == 1 && view.word_ids[3] == 0);
    view = encoding_of(batch, 2, 0);
    CHECK(view.token_count == 3); // a group of its own: nothing to pad
    btk_client_release(client, &batch);

    batch = submit_inputs(client, options_id, inputs, 3, 2);
    view = encoding_of(batch, 2, 0);
    size_t bytes = 0;
    CHECK(view.token_count == 5 && view.attention_mask[3] == 0);
    const char *const token = btk_document_token(&view, 4, &bytes);
    CHECK(bytes == 5 && memcmp(token, "[PAD]", 5) == 0);
    btk_client_release(client, &batch);
    btk_client_close(&client);
    CHECK(cluster_stop(&cluster) == 0);
}

static void what_is_wrong_with_options_and_documents_is_said(void)
{
    const struct btk_encode_input input = {.text = {"one two three", 13, NULL, 0}};
    struct btk_client_request_options request = BTK_CLIENT_REQUEST_DEFAULTS;
    struct btk_error_info error;
    struct btk_document_view view;
    struct cluster cluster;
    uint32_t options_id = 0;
    cluster_start(&cluster, &two_workers);
    struct btk_client *client = cluster_connect(&cluster);
    request.padding_source = 3;
    CHECK(btk_client_register(client, NULL, &request, &options_id, &error) == -EINVAL);
    request.padding_source = BTK_OPTION_IS_GIVEN;
    request.padding.token_bytes = BTK_PAD_TOKEN_BYTES_MAX + 1;
    CHECK(btk_client_register(client, NULL, &request, &options_id, &error) == -EINVAL);
    request.padding_source = BTK_OPTION_IS_OFF;
    request.truncation_source = BTK_OPTION_IS_GIVEN;
    request.truncation =
        (struct btk_truncation){.max_length = 3, .strategy = BTK_TRUNCATE_ONLY_SECOND};
    CHECK(btk_client_register(client, NULL, &request, &options_id, &error) == 0);
    struct btk_batch *batch = submit_inputs(client, options_id, &input, 1, 0);
    CHECK(btk_batch_document(batch, 0, &view) == 0);
    CHECK(view.status == BTK_STATUS_MALFORMED && view.message_bytes > 10);
    CHECK(memcmp(view.message, "truncation", 10) == 0);
    btk_client_release(client, &batch);
    CHECK(btk_client_unregister(client, options_id) == 0);
    CHECK(btk_client_unregister(client, options_id) == -EINVAL);
    CHECK(btk_client_reserve_inputs(client, &input, 1, &batch, &error) == 0);
    CHECK(btk_client_submit(client, batch, options_id, 0, &error) == -EINVAL);
    btk_client_release(client, &batch);
    btk_client_close(&client);
    CHECK(cluster_stop(&cluster) == 0);
}

// So many different requests that what nobody holds is given up for them.
static void fill_options(const struct cluster *cluster)
{
    enum { CLIENTS = 4, REQUESTS = 1024 };
    struct btk_client *clients[CLIENTS];
    struct btk_client_request_options request = BTK_CLIENT_REQUEST_DEFAULTS;
    uint32_t options_id;
    int rc = 0;
    request.truncation_source = BTK_OPTION_IS_GIVEN;
    for (size_t i = 0; i < CLIENTS; i++) {
        clients[i] = cluster_connect_with(cluster, 1 << 20);
        for (uint32_t j = 0; j < REQUESTS && rc == 0; j++) {
            request.truncation.max_length = 100 + i * REQUESTS + j;
            rc = btk_client_register(clients[i], NULL, &request, &options_id, NULL);
        }
    }
    CHECK(rc == 0 || rc == -ENOSPC);
    for (size_t i = 0; i < CLIENTS; i++) btk_client_close(&clients[i]);
}

static void two_names_of_a_tokenizer_are_let_go_one_by_one(void)
{
    const struct btk_encode_input input = {.text = {"one two", 7, NULL, 0}};
    const struct btk_client_request_options request = BTK_CLIENT_REQUEST_DEFAULTS;
    struct btk_document_view view;
    struct cluster cluster;
    uint32_t ids[2] = {0, 0};
    cluster_start(&cluster, &two_workers);
    struct btk_client *client = cluster_connect(&cluster);
    CHECK(btk_client_register(client, NULL, &request, &ids[0], NULL) == 0);
    CHECK(btk_client_register(client, "wordpiece", &request, &ids[1], NULL) == 0);
    CHECK(ids[0] != ids[1] && btk_client_unregister(client, ids[0]) == 0);
    fill_options(&cluster);
    struct btk_batch *batch = submit_inputs(client, ids[1], &input, 1, 0);
    CHECK(btk_batch_document(batch, 0, &view) == 0 && view.status == BTK_STATUS_OK);
    btk_client_release(client, &batch);
    CHECK(btk_client_unregister(client, ids[1]) == 0);
    btk_client_close(&client);
    CHECK(cluster_stop(&cluster) == 0);
}

static void await_workers(const struct btk_client *client, uint32_t count)
{
    for (int i = 0; i < 200 && btk_client_worker_count(client) != count; i++) cluster_sleep_ms(50);
    CHECK(btk_client_worker_count(client) == count);
}

static void clients_see_how_many_workers_there_are(void)
{
    struct cluster cluster;
    cluster_start(&cluster, &two_workers);
    struct btk_client *client = cluster_connect_with(&cluster, 1 << 20);
    CHECK(btk_client_worker_count(client) == 2);
    // It died before its first shard, so its place is empty for a while.
    kill((pid_t)cluster_status(client, 0, "pid"), SIGKILL);
    await_workers(client, 1);
    await_workers(client, 2);
    btk_client_close(&client);
    CHECK(cluster_stop(&cluster) == 0);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } cases[] = {
        {"batches_come_back_whole", batches_come_back_whole},
        {"nothing_is_lost_when_workers_are_killed", nothing_is_lost_when_workers_are_killed},
        {"a_worker_that_stands_still_is_replaced", a_worker_that_stands_still_is_replaced},
        {"a_second_coordinator_is_told_that_the_place_is_taken",
         a_second_coordinator_is_told_that_the_place_is_taken},
        {"a_drain_finishes_what_was_submitted", a_drain_finishes_what_was_submitted},
        {"a_client_that_is_killed_leaves_nothing_behind",
         a_client_that_is_killed_leaves_nothing_behind},
        {"results_beyond_their_memory_come_in_memory_of_their_own",
         results_beyond_their_memory_come_in_memory_of_their_own},
        {"pairs_words_truncation_and_padding_come_back",
         pairs_words_truncation_and_padding_come_back},
        {"what_is_wrong_with_options_and_documents_is_said",
         what_is_wrong_with_options_and_documents_is_said},
        {"two_names_of_a_tokenizer_are_let_go_one_by_one",
         two_names_of_a_tokenizer_are_let_go_one_by_one},
        {"clients_see_how_many_workers_there_are", clients_see_how_many_workers_there_are},
    };
    for (size_t i = 0; i < BTK_ARRAY_COUNT(cases); i++) {
        if (argc > 1 && strcmp(argv[1], cases[i].name) != 0) continue;
        cases[i].run();
        printf("ok %s\n", cases[i].name);
        fflush(stdout);
    }
    return 0;
}
