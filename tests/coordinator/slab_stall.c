// SPDX-License-Identifier: Apache-2.0
// What a client feels when another one comes with a large slab, and when that one goes: round trips
// of one small document in us, before, meanwhile and after. Usage: slab_stall [MIB]
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "tests/coordinator/cluster.h"

enum { TRIPS_MAX = 1 << 20 };

static uint64_t trips[TRIPS_MAX];

static int compare(const void *left, const void *right)
{
    const uint64_t a = *(const uint64_t *)left;
    const uint64_t b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static uint64_t take_trip(struct btk_client *client, uint32_t options_id)
{
    const char *documents[1] = {"the quick brown fox"};
    const size_t lengths[1] = {19};
    struct btk_batch *batch = NULL;
    const uint64_t begin_ns = btk_clock_now_ns();
    CHECK(btk_client_submit_documents(client, documents, lengths, 1, options_id, 0, &batch, NULL)
          == 0);
    CHECK(btk_client_wait(client, batch, 60000, NULL) == 0);
    btk_client_release(client, &batch);
    return btk_clock_now_ns() - begin_ns;
}

static void print_row(const char *name, size_t count)
{
    qsort(trips, count, sizeof *trips, compare);
    printf("%-10s %7zu trips  p50 %9.1f  p99 %9.1f  max %9.1f us\n", name, count,
           (double)trips[count / 2] / 1000, (double)trips[count * 99 / 100] / 1000,
           (double)trips[count - 1] / 1000);
    fflush(stdout);
}

// Until `pid` has ended (0: for a second), at least one.
static void measure(const char *name, struct btk_client *client, uint32_t options_id, pid_t pid)
{
    const uint64_t end_ns = btk_clock_now_ns() + 1000000000;
    size_t count = 0;
    bool is_over = false;
    while (!is_over && count < TRIPS_MAX) {
        trips[count++] = take_trip(client, options_id);
        is_over = pid > 0 ? waitpid(pid, NULL, WNOHANG) == pid : btk_clock_now_ns() > end_ns;
    }
    print_row(name, count);
}

static void come_and_go(const struct cluster *cluster, uint64_t slab_bytes)
{
    struct btk_client *client = NULL;
    const struct btk_client_options options = {
        .endpoint = cluster->endpoint, .slab_bytes = slab_bytes, .timeout_ms = 60000};
    _exit(btk_client_connect(&options, &client, NULL) != 0);
}

int main(int argc, char **argv)
{
    const uint64_t mib = argc > 1 ? strtoull(argv[1], NULL, 10) : 4096;
    struct cluster cluster;
    const struct btk_coordinator_options options = {.worker_count = 1};
    const struct btk_client_request_options request = BTK_CLIENT_REQUEST_DEFAULTS;
    uint32_t options_id = 0;
    cluster_start(&cluster, &options);
    struct btk_client *client = cluster_connect_with(&cluster, 1 << 20);
    CHECK(btk_client_register(client, NULL, &request, &options_id, NULL) == 0);
    measure("before", client, options_id, 0);
    const pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) come_and_go(&cluster, mib << 20);
    measure("meanwhile", client, options_id, pid);
    measure("after", client, options_id, 0);
    btk_client_close(&client);
    return cluster_stop(&cluster);
}
