// SPDX-License-Identifier: Apache-2.0
// Clusters with deadly documents, workers of their own will, more work than they take, and many
// clients.
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/affinity.h"
#include "tests/coordinator/batches.h"
#include "tests/coordinator/cluster.h"
#include "tests/coordinator/crashing_worker.h"

enum { SLAB_BYTES = 16 << 20, CLIENTS = 8, TEXTS = 400, LARGE_SLAB_BYTES = 1 << 30, SPINNING = 4 };

// --- Documents that kill --------------------------------------------------------------------------

static void start_with_crashing_worker(struct cluster *cluster,
                                       const struct btk_coordinator_options *options)
{
    char worker[512];
    const char *crashing = getenv("BUDTIKTOK_CRASHING_WORKER");
    CHECK(crashing != NULL && getenv("BUDTIKTOK_WORKER") != NULL);
    snprintf(worker, sizeof worker, "%s", getenv("BUDTIKTOK_WORKER"));
    setenv("BUDTIKTOK_WORKER", crashing, 1);
    cluster_start(cluster, options);
    setenv("BUDTIKTOK_WORKER", worker, 1);
}

// Every document of 512 bytes, so that two are a shard of 1 KiB; `deadly` ones have the mark.
static struct btk_batch *submit_texts(struct btk_client *client, uint32_t options_id,
                                      const bool *deadly)
{
    static char harmless[512];
    static char other[512];
    const char *documents[TEXTS];
    size_t lengths[TEXTS];
    struct btk_batch *batch = NULL;
    memset(harmless, 'a', sizeof harmless);
    memset(other, 'a', sizeof other);
    memcpy(other + 200, CRASHING_WORKER_TEXT, strlen(CRASHING_WORKER_TEXT));
    for (size_t i = 0; i < TEXTS; i++) {
        documents[i] = deadly[i] ? other : harmless;
        lengths[i] = sizeof harmless;
    }
    CHECK(
        btk_client_submit_documents(client, documents, lengths, TEXTS, options_id, 0, &batch, NULL)
        == 0);
    return batch;
}

// The deadly ones and no more than their neighbours have failed. How many others did.
static size_t check_texts(struct btk_batch *batch, const bool *deadly)
{
    struct btk_document_view view;
    size_t neighbours = 0;
    for (size_t i = 0; i < TEXTS; i++) {
        CHECK(btk_batch_document(batch, i, &view) == 0);
        CHECK(!deadly[i] || view.status == BTK_STATUS_POISON);
        if (deadly[i] || view.status == BTK_STATUS_OK) continue;
        CHECK(view.status == BTK_STATUS_POISON);
        CHECK((i > 0 && deadly[i - 1]) || (i + 1 < TEXTS && deadly[i + 1]));
        neighbours++;
    }
    return neighbours;
}

static void a_deadly_document_fails_alone(void)
{
    struct cluster cluster;
    struct btk_error_info error = {0};
    bool deadly[TEXTS] = {0};
    const struct btk_coordinator_options options = {.worker_count = 2, .shard_bytes = 1024};
    start_with_crashing_worker(&cluster, &options);
    struct btk_client *client = cluster_connect_with(&cluster, SLAB_BYTES);
    const uint32_t options_id = batches_register(client);
    deadly[7] = true;
    deadly[301] = true;
    for (int round = 0; round < 2; round++) {
        struct btk_batch *batch = submit_texts(client, options_id, deadly);
        CHECK(btk_client_wait(client, batch, BATCHES_WAIT_MS, &error) == 0);
        CHECK(check_texts(batch, deadly) <= 2);
        btk_client_release(client, &batch);
    }
    // Three deaths for each of them, and none for anybody else.
    CHECK(cluster_status(client, -1, "shards_poisoned_total") == 4);
    CHECK(cluster_status(client, 0, "restarts") + cluster_status(client, 1, "restarts") == 12);
    struct btk_batch *batch = batches_submit(client, options_id, 10);
    batches_finish(client, &batch);
    btk_client_close(&client);
    CHECK(cluster_stop(&cluster) == 0);
}

// --- Workers that come by themselves --------------------------------------------------------------

static pid_t start_worker(const struct cluster *cluster)
{
    const pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid > 0) return pid;
    const char *program = getenv("BUDTIKTOK_WORKER");
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execl(program, program, "--connect", cluster->endpoint, "--cpu", "0", (char *)NULL);
    _exit(127);
}

static void await_workers(const struct cluster *cluster, uint32_t count)
{
    struct btk_client *client = cluster_connect_with(cluster, SLAB_BYTES);
    for (int i = 0; i < 400 && btk_client_worker_count(client) != count; i++) cluster_sleep_ms(50);
    CHECK(btk_client_worker_count(client) == count);
    btk_client_close(&client);
}

static void a_worker_started_by_hand_comes_back_to_another_coordinator(void)
{
    struct cluster cluster;
    const struct btk_coordinator_options options = {.worker_count = 1};
    static const int signals[] = {SIGKILL, SIGTERM};
    int status = 0;
    cluster_start(&cluster, &options);
    const pid_t pid = start_worker(&cluster);
    await_workers(&cluster, 2);
    struct btk_client *client = cluster_connect_with(&cluster, SLAB_BYTES);
    const uint32_t options_id = batches_register(client);
    struct btk_batch *batch = batches_submit(client, options_id, 10);
    batches_finish(client, &batch);
    for (size_t i = 0; i < BTK_ARRAY_COUNT(signals); i++) {
        batch = batches_submit(client, options_id, 100);
        cluster_restart(&cluster, &options, signals[i]);
        CHECK(btk_client_wait(client, batch, BATCHES_WAIT_MS, NULL) == 0 || signals[i] == SIGTERM);
        btk_client_release(client, &batch);
        await_workers(&cluster, 2);
        batch = batches_submit(client, options_id, 100);
        batches_finish(client, &batch);
    }
    // It leaves when it is told to, and the cluster goes on.
    CHECK(kill(pid, SIGTERM) == 0 && waitpid(pid, &status, 0) == pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    await_workers(&cluster, 1);
    batch = batches_submit(client, options_id, 10);
    batches_finish(client, &batch);
    btk_client_close(&client);
    CHECK(cluster_stop(&cluster) == 0);
}

// --- Too much -------------------------------------------------------------------------------------

// Results that are not released count: a client that keeps all of them is refused, until it
// releases some.
static void what_is_too_much_is_refused_and_said_to_be(void)
{
    struct cluster cluster;
    struct btk_batch *batches[18];
    size_t count = 0;
    int rc = 0;
    const struct btk_coordinator_options options = {.worker_count = 1,
                                                    .client_limit_bytes = 4 << 20};
    struct btk_client_request_options request = BTK_CLIENT_REQUEST_DEFAULTS;
    uint32_t options_id = 0;
    request.fields |= BTK_FIELD_OFFSETS | BTK_FIELD_TYPE_IDS | BTK_FIELD_WORD_IDS;
    cluster_start(&cluster, &options);
    struct btk_client *client = cluster_connect_with(&cluster, 2 << 20);
    CHECK(btk_client_register(client, "bpe", &request, &options_id, NULL) == 0);
    while (rc == 0 && count < BTK_ARRAY_COUNT(batches)) {
        batches[count] = batches_submit(client, options_id, 4);
        rc = btk_client_wait(client, batches[count], BATCHES_WAIT_MS, NULL);
        if (rc == 0) batches_check(batches[count]);
        count++;
    }
    CHECK(rc == -EBUSY && count > 4);
    CHECK(btk_batch_status(batches[count - 1]) == BTK_STATUS_OVERLOADED);
    CHECK(btk_batch_retry_after_ms(batches[count - 1]) > 0);
    CHECK(cluster_status(client, -1, "batches_refused_total") == 1);
    for (size_t i = 0; i < count; i++) btk_client_release(client, batches + i);
    struct btk_batch *batch = batches_submit(client, options_id, 4);
    batches_finish(client, &batch);
    btk_client_close(&client);
    CHECK(cluster_stop(&cluster) == 0);
}

// --- A machine with too much to do ---------------------------------------------------------------

static pid_t spin_on(int cpu)
{
    const pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid > 0) return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (btk_affinity_pin(cpu) != 0) _exit(1);
    for (volatile unsigned i = 0;; i++) continue;
}

// A worker that gets next to nothing of its processor is slow, not stalled.
static void a_worker_that_waits_for_a_processor_keeps_its_lease(void)
{
    struct cluster cluster;
    pid_t spinning[SPINNING];
    const struct btk_coordinator_options options = {.worker_count = 1, .lease_ms = 100};
    cluster_start(&cluster, &options);
    struct btk_client *client = cluster_connect_with(&cluster, SLAB_BYTES);
    const uint32_t options_id = batches_register(client);
    const int64_t pid = cluster_status(client, 0, "pid");
    const int cpu = (int)cluster_status(client, 0, "cpu");
    for (int i = 0; i < SPINNING; i++) spinning[i] = spin_on(cpu);
    CHECK(setpriority(PRIO_PROCESS, (id_t)pid, 15) == 0);
    struct btk_batch *batch = batches_submit(client, options_id, 60);
    batches_finish(client, &batch);
    CHECK(cluster_status(client, 0, "pid") == pid);
    for (int i = 0; i < SPINNING; i++) {
        kill(spinning[i], SIGKILL);
        CHECK(waitpid(spinning[i], NULL, 0) == spinning[i]);
    }
    btk_client_close(&client);
    CHECK(cluster_stop(&cluster) == 0);
}

// --- Slabs in the making --------------------------------------------------------------------------

static void await_status(struct btk_client *client, const char *name, int64_t value)
{
    for (int i = 0; i < 400 && cluster_status(client, -1, name) != value; i++) cluster_sleep_ms(50);
    CHECK(cluster_status(client, -1, name) == value);
}

static void who_goes_while_a_slab_is_made_leaves_nothing_behind(void)
{
    struct cluster cluster;
    const struct btk_coordinator_options options = {.worker_count = 1};
    cluster_start(&cluster, &options);
    struct btk_client *client = cluster_connect_with(&cluster, SLAB_BYTES);
    const uint32_t options_id = batches_register(client);
    for (int round = 0; round < 4; round++) {
        const pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0) {
            cluster_connect_with(&cluster, LARGE_SLAB_BYTES);
            _exit(0);
        }
        // While it is made others come, work and go.
        await_status(client, "client_count", 2);
        struct btk_client *other = cluster_connect_with(&cluster, SLAB_BYTES);
        struct btk_batch *batch = batches_submit(client, options_id, 10);
        batches_finish(client, &batch);
        btk_client_close(&other);
        kill(pid, SIGKILL);
        CHECK(waitpid(pid, NULL, 0) == pid);
        await_status(client, "client_count", 1);
    }
    btk_client_close(&client);
    CHECK(cluster_stop(&cluster) == 0);
}

// --- Many -----------------------------------------------------------------------------------------

static void run_client(const struct cluster *cluster, int number)
{
    struct btk_batch *batches[4];
    struct btk_client *client = cluster_connect_with(cluster, SLAB_BYTES);
    const uint32_t options_id = batches_register(client);
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 4; i++)
            batches[i] =
                batches_submit(client, options_id, (size_t)(1 + (number + round + i) % 64));
        for (int i = 0; i < 4; i++) batches_finish(client, batches + i);
    }
    btk_client_close(&client);
    _exit(0);
}

static void eight_clients_at_once_get_what_is_theirs(void)
{
    struct cluster cluster;
    pid_t pids[CLIENTS];
    const struct btk_coordinator_options options = {.worker_count = 2};
    cluster_start(&cluster, &options);
    for (int i = 0; i < CLIENTS; i++) {
        pids[i] = fork();
        CHECK(pids[i] >= 0);
        if (pids[i] == 0) run_client(&cluster, i);
    }
    struct btk_client *client = cluster_connect_with(&cluster, SLAB_BYTES);
    const int64_t pid = cluster_status(client, 0, "pid");
    if (pid > 0) kill((pid_t)pid, SIGKILL);
    for (int i = 0; i < CLIENTS; i++) {
        int status = 0;
        CHECK(waitpid(pids[i], &status, 0) == pids[i]);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    CHECK(cluster_status(client, -1, "batches_in_flight") == 0);
    btk_client_close(&client);
    CHECK(cluster_stop(&cluster) == 0);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } cases[] = {
        {"a_deadly_document_fails_alone", a_deadly_document_fails_alone},
        {"a_worker_started_by_hand_comes_back_to_another_coordinator",
         a_worker_started_by_hand_comes_back_to_another_coordinator},
        {"what_is_too_much_is_refused_and_said_to_be", what_is_too_much_is_refused_and_said_to_be},
        {"a_worker_that_waits_for_a_processor_keeps_its_lease",
         a_worker_that_waits_for_a_processor_keeps_its_lease},
        {"who_goes_while_a_slab_is_made_leaves_nothing_behind",
         who_goes_while_a_slab_is_made_leaves_nothing_behind},
        {"eight_clients_at_once_get_what_is_theirs", eight_clients_at_once_get_what_is_theirs},
    };
    for (size_t i = 0; i < BTK_ARRAY_COUNT(cases); i++) {
        if (argc > 1 && strcmp(argv[1], cases[i].name) != 0) continue;
        cases[i].run();
        printf("ok %s\n", cases[i].name);
        fflush(stdout);
    }
    return 0;
}
