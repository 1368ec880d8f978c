// SPDX-License-Identifier: Apache-2.0
// A cluster for tests in other languages: says where it is, and ends when its input ends.
// Usage: cluster_server [BATCH_LIMIT]
#include <unistd.h>

#include "tests/coordinator/cluster.h"

int main(int argc, char **argv)
{
    struct cluster cluster;
    const struct btk_coordinator_options options = {
        .http = "127.0.0.1:0",
        .worker_count = 2,
        .batch_limit = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0,
    };
    char byte;
    cluster_start(&cluster, &options);
    printf("http=%s pid=%d endpoint=%s\n", cluster.http, (int)cluster.pid, cluster.endpoint);
    fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) == 1) {
    }
    return cluster_stop(&cluster);
}
