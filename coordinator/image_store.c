// SPDX-License-Identifier: Apache-2.0
#include "coordinator/image_store.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tokenizer/image.h"

enum { COMPILE_CPU_SECONDS = 300 };

// The sanitizers map terabytes that they do not use.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define COMPILE_MEMORY_BYTES RLIM_INFINITY
#else
#define COMPILE_MEMORY_BYTES (UINT64_C(16) << 30)
#endif
#define IMAGE_BYTES_MAX (UINT64_C(4) << 30)

// --- The child

static void limit_child(pid_t parent)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    const struct rlimit cpu = {COMPILE_CPU_SECONDS, COMPILE_CPU_SECONDS};
    const struct rlimit memory = {COMPILE_MEMORY_BYTES, COMPILE_MEMORY_BYTES};
    // Where a limit cannot be set, the one that is there is tighter.
    if (setrlimit(RLIMIT_CPU, &cpu) != 0 || setrlimit(RLIMIT_AS, &memory) != 0) errno = 0;
}

static void run_child(btk_coordinator_compile_fn *compile,
                      const struct btk_coordinator_tokenizer *tokenizer, int image_fd, int error_fd)
{
    struct btk_error error = {0};
    const int rc = compile(tokenizer, image_fd, &error);
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
        if (error != NULL) *error = said;
        return -said.code;
    }
    if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0) return 0;
    if (WIFSIGNALED(wait_status))
        return btk_error_set(error, EINVAL, BTK_NO_OFFSET, "its compiler was ended by signal %d%s",
                             WTERMSIG(wait_status),
                             WTERMSIG(wait_status) == SIGXCPU ? " (too much time)" : "");
    return btk_error_set(error, EIO, BTK_NO_OFFSET, "its compiler failed without a word");
}

static int compile_in_child(btk_coordinator_compile_fn *compile,
                            const struct btk_coordinator_tokenizer *tokenizer, int image_fd,
                            struct btk_error *error)
{
    int words[2];
    if (pipe2(words, O_CLOEXEC) != 0)
        return btk_error_set(error, errno, BTK_NO_OFFSET, "pipe: %s", strerror(errno));
    const pid_t parent = getpid();
    const pid_t pid = fork();
    if (pid == 0) {
        close(words[0]);
        limit_child(parent);
        run_child(compile, tokenizer, image_fd, words[1]);
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

// --- The image

// Sealed first and looked at then: nobody changes it between the two.
static int seal_and_map(int fd, struct btk_shared_memory *out_memory, struct btk_error *error)
{
    const struct btk_shared_memory_limits limits = {
        .bytes_min = 1,
        .bytes_max = IMAGE_BYTES_MAX,
        .needs_sealed = true,
    };
    const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
    if (fchmod(fd, 0400) != 0 || fcntl(fd, F_ADD_SEALS, seals) != 0)
        return btk_error_set(error, errno, BTK_NO_OFFSET, "seal: %s", strerror(errno));
    const int rc = btk_shared_memory_attach(&fd, &limits, out_memory);
    if (rc != 0) return btk_error_set(error, -rc, BTK_NO_OFFSET, "image: %s", strerror(-rc));
    return 0;
}

static int load_one(btk_coordinator_compile_fn *compile,
                    const struct btk_coordinator_tokenizer *tokenizer,
                    struct btk_image_entry *out_image, struct btk_error *error)
{
    if (strlen(tokenizer->name) >= sizeof out_image->name || tokenizer->name[0] == 0)
        return btk_error_set(error, EINVAL, BTK_NO_OFFSET, "its name: expected 1 to %zu bytes",
                             sizeof out_image->name - 1);
    const int fd = memfd_create("btk-image", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) return btk_error_set(error, errno, BTK_NO_OFFSET, "memfd: %s", strerror(errno));
    struct btk_shared_memory memory = BTK_SHARED_MEMORY_INIT;
    int rc = compile_in_child(compile, tokenizer, fd, error);
    if (rc == 0) rc = seal_and_map(fd, &memory, error);
    if (rc != 0) {
        close(fd);
        return rc;
    }
    rc = btk_image_verify(memory.address, memory.bytes, error);
    if (rc != 0) {
        btk_shared_memory_clear(&memory);
        return rc;
    }
    out_image->memory = memory;
    strcpy(out_image->name, tokenizer->name);
    return 0;
}

int btk_image_store_load(struct btk_image_store *store,
                         const struct btk_coordinator_options *options, struct btk_error *error)
{
    uint32_t found = 0;
    for (uint32_t i = 0; i < options->tokenizer_count; i++) {
        const struct btk_coordinator_tokenizer *tokenizer = options->tokenizers + i;
        int rc = 0;
        if (btk_image_store_find(store, tokenizer->name, &found) == 0 && store->count > 0)
            rc = btk_error_set(error, EEXIST, BTK_NO_OFFSET, "two tokenizers have this name");
        if (rc == 0) rc = load_one(options->compile, tokenizer, store->entries + i, error);
        if (rc != 0) {
            btk_error_prefix(error, "tokenizer %s%s%s", tokenizer->name,
                             tokenizer->path == NULL ? "" : "=",
                             tokenizer->path == NULL ? "" : tokenizer->path);
            return rc;
        }
        store->count++;
    }
    return 0;
}

void btk_image_store_clear(struct btk_image_store *store)
{
    for (uint32_t i = 0; i < store->count; i++) btk_shared_memory_clear(&store->entries[i].memory);
    store->count = 0;
}

int btk_image_store_find(const struct btk_image_store *store, const char *name,
                         uint32_t *out_tokenizer_id)
{
    for (uint32_t i = 0; i < store->count; i++) {
        if (name[0] != 0 && strcmp(name, store->entries[i].name) != 0) continue;
        *out_tokenizer_id = i;
        return 0;
    }
    return -ENOENT;
}
