// SPDX-License-Identifier: Apache-2.0
#include "tests/coordinator/cluster.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/json.h"
#include "common/log.h"
#include "ipc/recorder.h"
#include "tokenizer/compile/compile.h"
#include "tokenizer/default/default_models.h"

enum { CLUSTERS_MAX = 64, STATUS_BYTES = 64 * 1024, ARGUMENTS_MAX = 32 };

static pid_t started[CLUSTERS_MAX];
static int started_count;

static int compile(const struct btk_coordinator_tokenizer *tokenizer, int image_fd,
                   struct btk_error *error)
{
    struct btk_default_model model;
    struct btk_buffer image;
    btk_buffer_init(&image);
    if (!btk_default_model_find(tokenizer->name, &model))
        return btk_error_set(error, ENOENT, BTK_NO_OFFSET, "no such default model");
    const int rc =
        btk_compile_json((struct btk_bytes){model.json, model.json_bytes}, &image, error);
    if (rc == 0 && write(image_fd, image.data, image.length) != (ssize_t)image.length)
        return btk_error_set(error, EIO, BTK_NO_OFFSET, "write");
    btk_buffer_clear(&image);
    return rc;
}

static void run_child(const struct cluster *cluster, const struct btk_coordinator_options *options,
                      int out_fd)
{
    struct btk_error error = {0};
    struct btk_coordinator_options own = *options;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(out_fd, STDOUT_FILENO);
    own.listen = cluster->endpoint;
    own.compile = compile;
    if (btk_log_init(&error) != 0) exit(1);
    const int rc = btk_coordinator_run(&own, &error);
    if (rc != 0) fprintf(stderr, "coordinator: %s\n", error.message);
    exit(rc == 0 ? 0 : rc == -EADDRINUSE ? 6 : 1);
}

static void read_ready(struct cluster *cluster, int fd)
{
    char line[512] = "";
    size_t length = 0;
    while (length + 1 < sizeof line && read(fd, line + length, 1) == 1)
        if (line[length++] == '\n') break;
    CHECK(strncmp(line, "ready listen=", 13) == 0);
    const char *http = strstr(line, " http=");
    CHECK(http != NULL && sscanf(http, " http=%63s", cluster->http) == 1);
}

static void begin(struct cluster *cluster)
{
    const char *worker = getenv("BUDTIKTOK_WORKER");
    if (worker == NULL || access(worker, X_OK) != 0) exit(CLUSTER_SKIP);
    strcpy(cluster->folder, "/tmp/btk-test-XXXXXX");
    CHECK(mkdtemp(cluster->folder) != NULL);
    snprintf(cluster->endpoint, sizeof cluster->endpoint, "ipc://%s/c", cluster->folder);
}

static void await_ready(struct cluster *cluster, int words[2])
{
    if (started_count < CLUSTERS_MAX) started[started_count++] = cluster->pid;
    close(words[1]);
    read_ready(cluster, words[0]);
    close(words[0]);
}

static void launch(struct cluster *cluster, const struct btk_coordinator_options *options)
{
    int words[2];
    CHECK(pipe(words) == 0);
    cluster->pid = fork();
    CHECK(cluster->pid >= 0);
    if (cluster->pid == 0) run_child(cluster, options, words[1]);
    await_ready(cluster, words);
}

void cluster_start(struct cluster *cluster, const struct btk_coordinator_options *options)
{
    begin(cluster);
    launch(cluster, options);
}

void cluster_restart(struct cluster *cluster, const struct btk_coordinator_options *options,
                     int signal_number)
{
    kill(cluster->pid, signal_number);
    CHECK(waitpid(cluster->pid, NULL, 0) == cluster->pid);
    launch(cluster, options);
}

void cluster_serve(struct cluster *cluster, const char *const *arguments)
{
    const char *all[ARGUMENTS_MAX] = {getenv("BUDTIKTOK_PROGRAM"), "serve", "--listen"};
    int words[2];
    size_t count = 3;
    begin(cluster);
    all[count++] = cluster->endpoint;
    while (count + 1 < BTK_ARRAY_COUNT(all) && *arguments != NULL) all[count++] = *arguments++;
    CHECK(all[0] != NULL && pipe(words) == 0);
    cluster->pid = fork();
    CHECK(cluster->pid >= 0);
    if (cluster->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(words[1], STDOUT_FILENO);
        execv(all[0], (char *const *)all);
        _exit(127);
    }
    await_ready(cluster, words);
}

int cluster_stop(struct cluster *cluster)
{
    int status = 0;
    char path[128];
    kill(cluster->pid, SIGTERM);
    if (waitpid(cluster->pid, &status, 0) != cluster->pid) return -1;
    static const char *const names[] = {"c", "c.fd", "c.lock"};
    snprintf(path, sizeof path, "%s/c.recorder.previous", cluster->folder);
    btk_recorder_remove(path);
    for (size_t i = 0; i < BTK_ARRAY_COUNT(names); i++) {
        snprintf(path, sizeof path, "%s/%s", cluster->folder, names[i]);
        unlink(path);
    }
    rmdir(cluster->folder);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void cluster_sleep_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

void cluster_kill_all(void)
{
    for (int i = 0; i < started_count; i++) kill(started[i], SIGKILL);
}

struct btk_client *cluster_connect(const struct cluster *cluster)
{
    return cluster_connect_with(cluster, 256 << 20);
}

struct btk_client *cluster_connect_with(const struct cluster *cluster, uint64_t slab_bytes)
{
    struct btk_client *client = NULL;
    struct btk_error_info error = {0};
    const struct btk_client_options options = {.endpoint = cluster->endpoint,
                                               .slab_bytes = slab_bytes};
    if (btk_client_connect(&options, &client, &error) != 0)
        fprintf(stderr, "connect: %s\n", error.message);
    CHECK(client != NULL);
    return client;
}

int64_t cluster_status(struct btk_client *client, int worker, const char *name)
{
    static char text[STATUS_BYTES];
    size_t length = 0;
    int64_t number = -1;
    struct btk_json *root = NULL;
    CHECK(btk_client_status(client, text, sizeof text, &length, NULL) == 0);
    CHECK(btk_json_parse((struct btk_bytes){(const uint8_t *)text, length}, &root, NULL) == 0);
    const struct btk_json *of = root;
    if (worker >= 0) of = btk_json_at(btk_json_get(root, "workers"), (size_t)worker);
    CHECK(btk_json_try_integer(btk_json_get(of, name), &number));
    btk_json_free(root);
    return number;
}
