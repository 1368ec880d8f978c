// SPDX-License-Identifier: Apache-2.0
// Whole clusters in processes of their own, and what may happen to them. Plain, because what is
// killed here would take a test framework with it.
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/coordinator/cluster.h"

// Everything takes ten times as long under ThreadSanitizer.
#ifdef __SANITIZE_THREAD__
enum { WAIT_MS = 300000 };
#else
enum { WAIT_MS = 30000 };
#endif
enum { DOCUMENTS = 500, BATCHES = 200 };

static const struct btk_coordinator_options two_workers = {.worker_count = 2};
static const char text[] = "The quick brown fox jumps over the lazy dog; 1234 times, says Zoe. ";

static void sleep_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

static uint32_t register_ids(struct btk_client *client)
{
    const struct btk_client_request_options request = BTK_CLIENT_REQUEST_DEFAULTS;
    uint32_t options_id = 0;
    CHECK(btk_client_register(client, "bpe", &request, &options_id, NULL) == 0);
    return options_id;
}

// Documents of different lengths, the same ones every 50.
static struct btk_batch *submit(struct btk_client *client, uint32_t options_id, size_t repeat)
{
    static char pool[1 << 16];
    const char *documents[DOCUMENTS];
    size_t lengths[DOCUMENTS];
    for (size_t i = 0; i < sizeof pool; i++) pool[i] = text[i % (sizeof text - 1)];
    for (size_t i = 0; i < DOCUMENTS; i++) {
        documents[i] = pool;
        lengths[i] = (i % 50 + 1) * repeat;
    }
    struct btk_batch *batch = NULL;
    struct btk_error_info error = {0};
    const int rc = btk_client_submit_documents(client, documents, lengths, DOCUMENTS, options_id, 0,
                                               &batch, &error);
    if (rc != 0) fprintf(stderr, "submit: %s\n", error.message);
    CHECK(rc == 0);
    return batch;
}

// All documents have their tokens, and equal documents have equal ones.
static void check_batch(struct btk_batch *batch)
{
    struct btk_document_view first;
    struct btk_document_view again;
    CHECK(btk_batch_document_count(batch) == DOCUMENTS);
    for (size_t i = 0; i + 50 < DOCUMENTS; i++) {
        CHECK(btk_batch_document(batch, i, &first) == 0);
        CHECK(btk_batch_document(batch, i + 50, &again) == 0);
        CHECK(first.status == BTK_STATUS_OK && again.status == BTK_STATUS_OK);
        CHECK(first.token_count > 0 && first.token_count == again.token_count);
        CHECK(memcmp(first.ids, again.ids, first.token_count * sizeof *first.ids) == 0);
    }
}

static void finish(struct btk_client *client, struct btk_batch **batch)
{
    struct btk_error_info error = {0};
    const int rc = btk_client_wait(client, *batch, WAIT_MS, &error);
    if (rc != 0) fprintf(stderr, "wait: %s\n", error.message);
    CHECK(rc == 0);
    check_batch(*batch);
    btk_client_release(client, batch);
}

static void batches_come_back_whole(void)
{
    struct cluster cluster;
    struct btk_batch *batches[8];
    cluster_start(&cluster, &two_workers);
    struct btk_client *client = cluster_connect(&cluster);
    const uint32_t options_id = register_ids(client);
    for (int round = 0; round < BATCHES / 8; round++) {
        for (int i = 0; i < 8; i++) batches[i] = submit(client, options_id, 1 + (size_t)i * 7);
        for (int i = 0; i < 8; i++) finish(client, batches + i);
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
    const uint32_t options_id = register_ids(client);
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 16; i++) batches[i] = submit(client, options_id, 100);
        const int64_t pid = cluster_status(client, round % 2, "pid");
        if (pid > 0) kill((pid_t)pid, SIGKILL);
        for (int i = 0; i < 16; i++) finish(client, batches + i);
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
    const uint32_t options_id = register_ids(client);
    struct btk_batch *first = submit(client, options_id, 10);
    finish(client, &first);
    kill((pid_t)cluster_status(client, 0, "pid"), SIGSTOP);
    for (int i = 0; i < 16; i++) batches[i] = submit(client, options_id, 100);
    for (int i = 0; i < 16; i++) finish(client, batches + i);
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
    const uint32_t options_id = register_ids(client);
    for (int i = 0; i < 16; i++) batches[i] = submit(client, options_id, 1000);
    // Whatever came of the ring by now was taken; the rest is refused, and both are answers.
    struct btk_batch *last = submit(client, options_id, 1);
    CHECK(btk_client_wait(client, last, WAIT_MS, NULL) == 0);
    CHECK(kill(cluster.pid, SIGTERM) == 0);
    for (int i = 0; i < 16; i++) finish(client, batches + i);
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
        const uint32_t options_id = register_ids(other);
        for (int i = 0; i < 32; i++) submit(other, options_id, 500);
        kill(getpid(), SIGKILL);
    }
    CHECK(waitpid(pid, NULL, 0) == pid);
    for (int i = 0; i < 100 && cluster_status(client, -1, "client_count") != 1; i++) sleep_ms(50);
    CHECK(cluster_status(client, -1, "client_count") == 1);
    CHECK(cluster_status(client, -1, "batches_in_flight") == 0);
    struct btk_batch *batch = submit(client, register_ids(client), 10);
    finish(client, &batch);
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
    const uint32_t options_id = register_ids(client);
    for (int i = 0; i < 64; i++) {
        batches[i] = submit(client, options_id, 100);
        CHECK(btk_client_wait(client, batches[i], WAIT_MS, NULL) == 0);
    }
    for (int i = 0; i < 64; i++) finish(client, batches + i);
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
    };
    for (size_t i = 0; i < BTK_ARRAY_COUNT(cases); i++) {
        if (argc > 1 && strcmp(argv[1], cases[i].name) != 0) continue;
        cases[i].run();
        printf("ok %s\n", cases[i].name);
        fflush(stdout);
    }
    return 0;
}
