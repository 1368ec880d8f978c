// SPDX-License-Identifier: Apache-2.0
// How long a document takes through the cluster and back, one at a time: percentiles in us, with
// the parts that the library tells of. Usage: round_trip [BYTES [COUNT]]
#include <string.h>

#include "common/clock.h"
#include "tests/coordinator/cluster.h"

static int compare(const void *left, const void *right)
{
    const uint64_t a = *(const uint64_t *)left;
    const uint64_t b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static void print_row(const char *name, uint64_t *values, size_t count)
{
    qsort(values, count, sizeof *values, compare);
    printf("%-14s p50 %7.1f  p90 %7.1f  p99 %7.1f  max %7.1f us\n", name,
           (double)values[count / 2] / 1000, (double)values[count * 9 / 10] / 1000,
           (double)values[count * 99 / 100] / 1000, (double)values[count - 1] / 1000);
}

int main(int argc, char **argv)
{
    const size_t bytes = argc > 1 ? strtoul(argv[1], NULL, 10) : 1024;
    const size_t count = argc > 2 ? strtoul(argv[2], NULL, 10) : 2000;
    struct cluster cluster;
    const struct btk_coordinator_options options = {0};
    cluster_start(&cluster, &options);
    struct btk_client *client = cluster_connect(&cluster);
    const struct btk_client_request_options request = BTK_CLIENT_REQUEST_DEFAULTS;
    uint32_t options_id = 0;
    CHECK(btk_client_register(client, NULL, &request, &options_id, NULL) == 0);
    char *text = malloc(bytes + 1);
    uint64_t *rows = malloc(5 * count * sizeof *rows);
    CHECK(text != NULL && rows != NULL && count > 0);
    for (size_t i = 0; i < bytes; i++) text[i] = "the quick brown fox jumps over "[i % 31];
    for (size_t i = 0; i < count; i++) {
        const char *documents[1] = {text};
        struct btk_batch *batch = NULL;
        struct btk_batch_timing timing;
        const uint64_t begin_ns = btk_clock_now_ns();
        CHECK(btk_client_submit_documents(client, documents, &bytes, 1, options_id, 0, &batch, NULL)
              == 0);
        CHECK(btk_client_wait(client, batch, 5000, NULL) == 0);
        rows[i] = btk_clock_now_ns() - begin_ns;
        CHECK(btk_batch_timing(batch, &timing) == 0);
        rows[count + i] = timing.queue_wait_ns;
        rows[2 * count + i] = timing.ipc_transfer_ns;
        rows[3 * count + i] = timing.tokenization_ns;
        rows[4 * count + i] = timing.return_ns;
        btk_client_release(client, &batch);
    }
    static const char *const names[5] = {"round trip", "queue_wait", "ipc_transfer", "tokenization",
                                         "return"};
    for (size_t i = 0; i < 5; i++) print_row(names[i], rows + i * count, count);
    btk_client_close(&client);
    free(rows);
    free(text);
    return cluster_stop(&cluster);
}
