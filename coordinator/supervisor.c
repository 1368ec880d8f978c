// SPDX-License-Identifier: Apache-2.0
#include "coordinator/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "coordinator/coordinator_internal.h"

enum {
    BACK_OFF_MS = 100,
    BACK_OFF_MAX_MS = 10000,
    NS_PER_MS = 1000000,
    FAILED_STARTS_FATAL = 5, // before the cluster was ready for the first time
    EXIT_NO_PROGRAM = 127,
};

int btk_supervisor_find_program(char *out_path, size_t capacity_bytes, struct btk_error *error)
{
    const char *configured = getenv("BUDTIKTOK_WORKER");
    char path[512] = "";
    if (configured != NULL && configured[0] != 0) {
        snprintf(path, sizeof path, "%s", configured);
    } else {
        const ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
        path[length > 0 ? length : 0] = 0;
        char *name = strrchr(path, '/');
        name = name == NULL ? path : name + 1;
        snprintf(name, sizeof path - (size_t)(name - path), "budtiktok-worker");
    }
    if (access(path, X_OK) != 0)
        return btk_error_set(error, errno, BTK_NO_OFFSET,
                             "the worker's program %s: %s (expected beside this program, or named "
                             "by BUDTIKTOK_WORKER)",
                             path, strerror(errno));
    if (strlen(path) >= capacity_bytes)
        return btk_error_set(error, ENAMETOOLONG, BTK_NO_OFFSET, "%s", path);
    strcpy(out_path, path);
    return 0;
}

// Where memory runs out, a worker is the one to go: its work is done again by another.
static void offer_to_oom_killer(void)
{
    static const char adjustment[] = "500";
    const int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd < 0) return;
    if (write(fd, adjustment, sizeof adjustment - 1) < 0) errno = 0;
    close(fd);
}

// In the child, between fork and exec: nothing but system calls.
static void become_worker(char *const *arguments, pid_t parent)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(EXIT_NO_PROGRAM);
    offer_to_oom_killer();
    close_range(STDERR_FILENO + 1, ~0u, 0);
    execv(arguments[0], arguments);
    _exit(EXIT_NO_PROGRAM);
}

static int spawn(struct btk_worker_entry *worker)
{
    struct btk_coordinator *coordinator = worker->coordinator;
    char cpu[16];
    snprintf(cpu, sizeof cpu, "%u", worker->cpu);
    char *const arguments[] = {coordinator->worker_program,
                               "--connect",
                               coordinator->endpoint.text,
                               "--cpu",
                               cpu,
                               "--parent-death",
                               NULL};
    const pid_t parent = getpid();
    const pid_t pid = fork();
    if (pid < 0) return -errno;
    if (pid == 0) become_worker(arguments, parent);
    int pidfd = -1;
    // Ours and not waited for, so the number cannot be another process.
    int rc = btk_pidfd_open(pid, &pidfd);
    worker->pidfd = pidfd;
    worker->pid = (uint32_t)pid;
    if (rc == 0) rc = btk_worker_table_watch_child(worker);
    if (rc == 0) return 0;
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    if (pidfd >= 0) close(pidfd);
    worker->pidfd = -1;
    return rc;
}

static void note_failure(struct btk_worker_entry *worker, uint64_t now_ns)
{
    struct btk_coordinator *coordinator = worker->coordinator;
    uint64_t wait_ms = BACK_OFF_MS;
    for (uint32_t i = 0; i < worker->failed_starts && wait_ms < BACK_OFF_MAX_MS; i++) wait_ms *= 2;
    if (wait_ms > BACK_OFF_MAX_MS) wait_ms = BACK_OFF_MAX_MS;
    worker->failed_starts++;
    worker->next_start_ns = now_ns + wait_ms * NS_PER_MS;
    if (coordinator->stage == BTK_COORDINATOR_STARTING
        && worker->failed_starts >= FAILED_STARTS_FATAL)
        btk_coordinator_fail(coordinator, ECHILD, "the workers do not start");
}

void btk_supervisor_fill(struct btk_coordinator *coordinator, uint64_t now_ns)
{
    if (coordinator->stage >= BTK_COORDINATOR_LEAVING) return;
    for (uint32_t i = 0; i < coordinator->workers.limit; i++) {
        struct btk_worker_entry *worker = coordinator->workers.entries + i;
        if (!worker->is_ours || worker->stage != BTK_WORKER_EMPTY || now_ns < worker->next_start_ns)
            continue;
        worker->is_child = true;
        worker->started_ns = now_ns;
        worker->stage = BTK_WORKER_SPAWNED;
        const int rc = spawn(worker);
        if (rc == 0) continue;
        btk_log(BTK_LOG_ERROR, BTK_COORDINATOR_TARGET, "spawn_failed", "worker=%u error=%s",
                worker->id, strerror(-rc));
        worker->stage = BTK_WORKER_EMPTY;
        note_failure(worker, now_ns);
    }
}

static int wait_for_signal(const struct btk_worker_entry *worker)
{
    siginfo_t info = {0};
    if (waitid(P_PIDFD, (id_t)worker->pidfd, &info, WEXITED) != 0) return 0;
    return info.si_code == CLD_KILLED || info.si_code == CLD_DUMPED ? info.si_status : 0;
}

int btk_supervisor_reap(struct btk_worker_entry *worker, uint64_t now_ns)
{
    int signal_number = 0;
    if (worker->is_child) signal_number = wait_for_signal(worker);
    btk_loop_remove_fd(worker->coordinator->loop, worker->pidfd);
    if (worker->pidfd >= 0) close(worker->pidfd);
    worker->pidfd = -1;
    if (!worker->is_child || worker->coordinator->stage >= BTK_COORDINATOR_LEAVING)
        return signal_number;
    worker->restarts_total++;
    if (worker->shards_finished > 0) {
        worker->failed_starts = 0;
        worker->next_start_ns = now_ns;
    } else {
        note_failure(worker, now_ns);
    }
    worker->shards_finished = 0;
    return signal_number;
}
