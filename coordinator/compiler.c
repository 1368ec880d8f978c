// SPDX-License-Identifier: Apache-2.0
#include "coordinator/compiler.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "coordinator/image_store.h"
#include "ipc/fd_channel.h"
#include "tokenizer/image.h"

enum {
    CHILD_CPU_SECONDS = 300,
    CHILD_SECONDS = 600, // a file on a disk that does not answer takes no time of the processor
    SOCKET_FD = 3,
    PATIENCE_MS = 10000,
};

// The sanitizers map terabytes that they do not use.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CHILD_MEMORY_BYTES RLIM_INFINITY
#else
#define CHILD_MEMORY_BYTES (UINT64_C(16) << 30)
#endif

// On the socket, as they are: both ends are this program.
struct request {
    bool has_path;
    char name[BTK_IMAGE_NAME_MAX];
    char path[4096];
};

// What a child does, and with what.
struct task {
    int (*run)(const struct task *task, struct btk_error *error);
    btk_coordinator_compile_fn *compile;
    const struct request *request;
    int socket_fd;
    int image_fd;
};

// --- Children of the compiler ---------------------------------------------------------------------

static void limit_child(pid_t parent)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    const struct rlimit cpu = {CHILD_CPU_SECONDS, CHILD_CPU_SECONDS};
    const struct rlimit memory = {CHILD_MEMORY_BYTES, CHILD_MEMORY_BYTES};
    // Where a limit cannot be set, the one that is there is tighter.
    if (setrlimit(RLIMIT_CPU, &cpu) != 0 || setrlimit(RLIMIT_AS, &memory) != 0) errno = 0;
    alarm(CHILD_SECONDS);
}

static void run_child(const struct task *task, int error_fd)
{
    struct btk_error error = {0};
    const int rc = task->run(task, &error);
    if (rc != 0) {
        if (error.code == 0) btk_error_set(&error, -rc, BTK_NO_OFFSET, "%s", strerror(-rc));
        if (write(error_fd, &error, sizeof error) != (ssize_t)sizeof error) _exit(2);
    }
    _exit(rc != 0);
}

// What the child says of its failure, or what its end says.
static int read_failure(int error_fd, int wait_status, struct btk_error *error)
{
    struct btk_error said;
    const ssize_t length = read(error_fd, &said, sizeof said);
    if (length == (ssize_t)sizeof said && said.code > 0 && said.code < 4096) {
        said.message[sizeof said.message - 1] = 0;
        *error = said;
        return -said.code;
    }
    if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0) return 0;
    if (!WIFSIGNALED(wait_status))
        return btk_error_set(error, EIO, BTK_NO_OFFSET, "its compiler failed without a word");
    const int number = WTERMSIG(wait_status);
    const bool is_late = number == SIGXCPU || number == SIGALRM;
    return btk_error_set(error, EINVAL, BTK_NO_OFFSET, "its compiler was ended by signal %d%s",
                         number, is_late ? " (too much time)" : "");
}

static int run_in_child(const struct task *task, struct btk_error *error)
{
    int words[2];
    // Non-blocking: who lives on in a child's place must not keep us reading.
    if (pipe2(words, O_CLOEXEC | O_NONBLOCK) != 0)
        return btk_error_set(error, errno, BTK_NO_OFFSET, "pipe: %s", strerror(errno));
    const pid_t parent = getpid();
    const pid_t pid = fork();
    if (pid == 0) {
        close(words[0]);
        close(task->socket_fd);
        limit_child(parent);
        run_child(task, words[1]);
    }
    close(words[1]);
    int rc = 0;
    int wait_status = 0;
    if (pid < 0)
        rc = btk_error_set(error, errno, BTK_NO_OFFSET, "fork: %s", strerror(errno));
    else if (waitpid(pid, &wait_status, 0) < 0)
        rc = btk_error_set(error, errno, BTK_NO_OFFSET, "wait: %s", strerror(errno));
    else
        rc = read_failure(words[0], wait_status, error);
    close(words[0]);
    return rc;
}

static int compile_image(const struct task *task, struct btk_error *error)
{
    const struct btk_coordinator_tokenizer tokenizer = {
        .name = task->request->name,
        .path = task->request->has_path ? task->request->path : NULL,
    };
    return task->compile(&tokenizer, task->image_fd, error);
}

static int verify_image(const struct task *task, struct btk_error *error)
{
    struct stat status;
    if (fstat(task->image_fd, &status) != 0 || status.st_size <= 0
        || (uint64_t)status.st_size > BTK_IMAGE_BYTES_MAX)
        return btk_error_set(error, EFBIG, BTK_NO_OFFSET, "its image has a wrong size");
    const size_t bytes = (size_t)status.st_size;
    const void *image = mmap(NULL, bytes, PROT_READ, MAP_SHARED, task->image_fd, 0);
    if (image == MAP_FAILED)
        return btk_error_set(error, errno, BTK_NO_OFFSET, "image: %s", strerror(errno));
    return btk_image_verify(image, bytes, error);
}

// --- The compiler ---------------------------------------------------------------------------------

static int seal(int fd, struct btk_error *error)
{
    const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
    if (fchmod(fd, 0400) == 0 && fcntl(fd, F_ADD_SEALS, seals) == 0) return 0;
    return btk_error_set(error, errno, BTK_NO_OFFSET, "seal: %s", strerror(errno));
}

// Sealed first and looked at then: nobody changes it between the two.
static int make_image(struct task *task, struct btk_error *error)
{
    task->image_fd = memfd_create("btk-image", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (task->image_fd < 0)
        return btk_error_set(error, errno, BTK_NO_OFFSET, "memfd: %s", strerror(errno));
    task->run = compile_image;
    int rc = run_in_child(task, error);
    if (rc == 0) rc = seal(task->image_fd, error);
    task->run = verify_image;
    if (rc == 0) rc = run_in_child(task, error);
    return rc;
}

static void answer(int fd, btk_coordinator_compile_fn *compile, const struct request *request)
{
    struct btk_error error = {0};
    struct task task = {.compile = compile, .request = request, .socket_fd = fd, .image_fd = -1};
    const int rc = make_image(&task, &error);
    if (rc == 0) error.code = 0;
    // When it cannot be said, the closed socket says it.
    if (btk_fd_channel_send_patiently(fd, &error, sizeof error, &task.image_fd, rc == 0,
                                      PATIENCE_MS)
        != 0)
        _exit(1);
    if (task.image_fd >= 0) close(task.image_fd);
}

// Ends with its parent, and with nothing that a terminal sends to all of its processes.
static void run_compiler(int fd, btk_coordinator_compile_fn *compile, pid_t parent)
{
    static struct request request;
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    prctl(PR_SET_NAME, "btk-compiler");
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(0);
    // What else was inherited would be held open for as long as the compiler lives.
    if (fd != SOCKET_FD && dup2(fd, SOCKET_FD) < 0) _exit(1);
    close_range(SOCKET_FD + 1, ~0u, 0);
    for (;;) {
        const ssize_t length = recv(SOCKET_FD, &request, sizeof request, 0);
        if (length != (ssize_t)sizeof request) _exit(0);
        answer(SOCKET_FD, compile, &request);
    }
}

int btk_compiler_start(struct btk_compiler *compiler, btk_coordinator_compile_fn *compile,
                       struct btk_error *error)
{
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0)
        return btk_error_set(error, errno, BTK_NO_OFFSET, "compiler: %s", strerror(errno));
    const pid_t parent = getpid();
    const pid_t pid = fork();
    if (pid == 0) {
        close(fds[0]);
        run_compiler(fds[1], compile, parent);
    }
    const int code = errno;
    close(fds[1]);
    if (pid < 0) {
        close(fds[0]);
        return btk_error_set(error, code, BTK_NO_OFFSET, "compiler: %s", strerror(code));
    }
    *compiler = (struct btk_compiler){.fd = fds[0], .pid = pid};
    return 0;
}

void btk_compiler_stop(struct btk_compiler *compiler)
{
    if (compiler->fd < 0) return;
    close(compiler->fd);
    kill(compiler->pid, SIGKILL);
    waitpid(compiler->pid, NULL, 0);
    compiler->fd = -1;
}

// --- The coordinator's side -----------------------------------------------------------------------

int btk_compiler_ask(struct btk_compiler *compiler,
                     const struct btk_coordinator_tokenizer *tokenizer, struct btk_error *error)
{
    struct request request = {.has_path = tokenizer->path != NULL};
    const char *path = request.has_path ? tokenizer->path : "";
    if (tokenizer->name[0] == 0 || strlen(tokenizer->name) >= sizeof request.name)
        return btk_error_set(error, EINVAL, BTK_NO_OFFSET, "its name: expected 1 to %zu bytes",
                             sizeof request.name - 1);
    if (strlen(path) >= sizeof request.path)
        return btk_error_set(error, ENAMETOOLONG, BTK_NO_OFFSET, "its path: %s",
                             strerror(ENAMETOOLONG));
    strcpy(request.name, tokenizer->name);
    strcpy(request.path, path);
    const int rc = btk_fd_channel_send(compiler->fd, &request, sizeof request, NULL, 0);
    if (rc != 0) return btk_error_set(error, -rc, BTK_NO_OFFSET, "compiler: %s", strerror(-rc));
    return 0;
}

int btk_compiler_take(struct btk_compiler *compiler, int *out_fd, struct btk_error *error)
{
    struct btk_error said = {0};
    int fds[BTK_FD_CHANNEL_FDS_MAX];
    unsigned fd_count = 0;
    size_t length = 0;
    const int rc =
        btk_fd_channel_receive(compiler->fd, &said, sizeof said, &length, fds, &fd_count);
    if (rc == -EAGAIN) return rc;
    if (rc != 0 || length != sizeof said)
        return btk_error_set(error, EPIPE, BTK_NO_OFFSET, "the compiler has ended");
    if (said.code == 0 && fd_count == 1) {
        *out_fd = fds[0];
        return 0;
    }
    btk_fd_channel_close_fds(fds, fd_count);
    if (error != NULL) *error = said;
    return said.code > 0 ? -said.code : btk_error_set(error, EPROTO, BTK_NO_OFFSET, "no image");
}

int btk_compiler_wait(struct btk_compiler *compiler, int *out_fd, struct btk_error *error)
{
    struct pollfd answered = {.fd = compiler->fd, .events = POLLIN};
    for (;;) {
        const int rc = btk_compiler_take(compiler, out_fd, error);
        if (rc != -EAGAIN) return rc;
        if (poll(&answered, 1, -1) < 0 && errno != EINTR)
            return btk_error_set(error, errno, BTK_NO_OFFSET, "poll: %s", strerror(errno));
    }
}
