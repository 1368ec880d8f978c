// SPDX-License-Identifier: Apache-2.0
// A whole cluster in processes of its own, in a folder of its own, for plain test programs.
#pragma once

#include <budtiktok/client.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>

#include "coordinator/coordinator.h"

enum { CLUSTER_SKIP = 77 };

// Says what failed and where, and ends the program.
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (condition) break;                                                                      \
        fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                            \
        cluster_kill_all();                                                                        \
        exit(1);                                                                                   \
    } while (0)

struct cluster {
    pid_t pid;
    char folder[64];
    char endpoint[96];
    char http[64];
};

// Starts it and waits until it is ready. Ends the program with CLUSTER_SKIP where there is no
// worker's program.
void cluster_start(struct cluster *cluster, const struct btk_coordinator_options *options);
// Ends it with this signal and starts another one at the same place.
void cluster_restart(struct cluster *cluster, const struct btk_coordinator_options *options,
                     int signal_number);
// The same with `budtiktok serve` and these arguments; NULL ends them.
void cluster_serve(struct cluster *cluster, const char *const *arguments);
// SIGTERM, and the status with which it ended.
int cluster_stop(struct cluster *cluster);
void cluster_kill_all(void);
void cluster_sleep_ms(long ms);

// With a slab of 256 MiB, or another one.
struct btk_client *cluster_connect(const struct cluster *cluster);
struct btk_client *cluster_connect_with(const struct cluster *cluster, uint64_t slab_bytes);
// A number of the status by its name, for a worker by its index (-1: of the cluster).
int64_t cluster_status(struct btk_client *client, int worker, const char *name);
