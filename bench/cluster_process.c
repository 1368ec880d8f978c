// SPDX-License-Identifier: Apache-2.0
#include "bench/cluster_process.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/json.h"
#include "tools/open_tokenizer.h"
#include "tools/sibling.h"

enum { STATUS_BYTES_MAX = 1 << 20, ARGUMENTS_MAX = 16 };

static void run_child(const struct btk_cluster_process *cluster,
                      const struct btk_cluster_process_options *options, const char *program,
                      int ready_fd)
{
    char workers[16];
    char shard[32];
    snprintf(workers, sizeof workers, "%u", options->worker_count);
    snprintf(shard, sizeof shard, "%llu", (unsigned long long)options->shard_bytes);
    const char *arguments[ARGUMENTS_MAX] = {
        program, "serve",     "--listen", cluster->endpoint, "--http",
        "off",   "--workers", workers,    "--shard-bytes",   shard};
    if (options->tokenizer) {
        arguments[10] = "--tokenizer";
        arguments[11] = options->tokenizer;
    }
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    setenv("BUDTIKTOK_LOG", "warn", 0);
    dup2(ready_fd, STDOUT_FILENO);
    execv(program, (char *const *)arguments);
    _exit(EXIT_FAILURE);
}

// The line that begins with "ready", or the end of a program that did not get there.
static bool wait_until_ready(int fd)
{
    char line[1024];
    size_t length = 0;
    while (length + 1 < sizeof line && read(fd, line + length, 1) == 1)
        if (line[length++] == '\n') break;
    return length > 5 && memcmp(line, "ready", 5) == 0;
}

int btk_cluster_process_start(const struct btk_cluster_process_options *options,
                              struct btk_cluster_process *out_cluster, struct btk_error *error)
{
    char program[4096];
    int words[2];
    struct btk_cluster_process cluster = {.folder = "/tmp/budtiktok-bench-XXXXXX"};
    const int status = btk_sibling_path("budtiktok", program, sizeof program, error);
    if (status < 0) return status;
    if (!mkdtemp(cluster.folder))
        return btk_error_set(error, errno, BTK_NO_OFFSET, "a folder in /tmp: %s", strerror(errno));
    snprintf(cluster.endpoint, sizeof cluster.endpoint, "ipc://%s/control", cluster.folder);
    if (pipe(words) < 0) {
        rmdir(cluster.folder);
        return btk_error_set(error, errno, BTK_NO_OFFSET, "pipe: %s", strerror(errno));
    }
    cluster.coordinator = fork();
    if (cluster.coordinator == 0) run_child(&cluster, options, program, words[1]);
    close(words[1]);
    const bool is_ready = cluster.coordinator > 0 && wait_until_ready(words[0]);
    close(words[0]);
    if (!is_ready) {
        btk_cluster_process_stop(&cluster);
        return btk_error_set(error, ECHILD, BTK_NO_OFFSET, "%s serve did not get ready", program);
    }
    *out_cluster = cluster;
    return 0;
}

void btk_cluster_process_stop(struct btk_cluster_process *cluster)
{
    static const char *const names[] = {"control", "control.fd", "control.lock"};
    if (cluster->coordinator > 0) {
        kill(cluster->coordinator, SIGTERM);
        waitpid(cluster->coordinator, NULL, 0);
    }
    for (size_t i = 0; i < BTK_ARRAY_COUNT(names) && cluster->folder[0]; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", cluster->folder, names[i]);
        unlink(path);
    }
    if (cluster->folder[0]) rmdir(cluster->folder);
    *cluster = (struct btk_cluster_process){0};
}

static void take_workers(struct btk_cluster_process *cluster, const struct btk_json *workers)
{
    cluster->worker_count = 0;
    const size_t count = btk_min_size(btk_json_count(workers), BTK_CLUSTER_PROCESS_WORKERS_MAX);
    for (size_t i = 0; i < count; i++) {
        int64_t pid;
        if (btk_json_try_integer(btk_json_get(btk_json_at(workers, i), "pid"), &pid))
            cluster->workers[cluster->worker_count++] = (pid_t)pid;
    }
}

int btk_cluster_process_find_workers(struct btk_cluster_process *cluster, struct btk_client *client,
                                     struct btk_error *error)
{
    struct btk_error_info info;
    struct btk_json *root = NULL;
    size_t length = 0;
    char *const text = malloc(STATUS_BYTES_MAX);
    if (!text) return btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "not enough memory");
    int status = btk_client_status(client, text, STATUS_BYTES_MAX, &length, &info);
    if (status < 0)
        btk_error_import(error, &info);
    else
        status = btk_json_parse((struct btk_bytes){(uint8_t *)text, length}, &root, error);
    if (!status) take_workers(cluster, btk_json_get(root, "workers"));
    btk_json_free(root);
    free(text);
    return status;
}

static uint64_t process_cpu_ns(pid_t pid)
{
    clockid_t clock;
    struct timespec time;
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0) return 0;
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

struct btk_cluster_cpu btk_cluster_process_cpu(const struct btk_cluster_process *cluster)
{
    struct btk_cluster_cpu cpu = {.client_ns = process_cpu_ns(getpid()),
                                  .coordinator_ns = process_cpu_ns(cluster->coordinator)};
    for (unsigned i = 0; i < cluster->worker_count; i++)
        cpu.workers_ns += process_cpu_ns(cluster->workers[i]);
    return cpu;
}
