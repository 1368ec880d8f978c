// SPDX-License-Identifier: Apache-2.0
#include "ipc/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "ipc/endpoint.h"

struct btk_recorder_entry {
    _Atomic uint64_t sequence;
    _Atomic uint64_t words[BTK_RECORDER_WORDS];
};

#define MEMORY_FILE "/dev/shm/budtiktok-recorder-"

enum { PLACE_BYTES = BTK_RECORDER_ENTRIES * sizeof(struct btk_recorder_entry) };

void btk_recorder_path(const struct btk_endpoint *endpoint, char out_path[BTK_RECORDER_PATH_MAX])
{
    snprintf(out_path, BTK_RECORDER_PATH_MAX, "%s.recorder", endpoint->path);
}

static int fail(struct btk_error *error, const char *path, int code)
{
    return btk_error_set(error, code, BTK_NO_OFFSET, "%s: %s", path, strerror(code));
}

const char *btk_recorder_header_fault(const struct btk_recorder_header *header)
{
    if (header->magic != BTK_RECORDER_MAGIC) return "no flight recorder: it begins otherwise";
    if (header->version != BTK_RECORDER_VERSION) return "a flight recorder of another version";
    if (header->place_count != BTK_RECORDER_PLACES || header->entry_count != BTK_RECORDER_ENTRIES
        || header->entry_bytes != sizeof(struct btk_recorder_entry))
        return "a flight recorder of other sizes than its version has";
    if (memchr(header->endpoint, 0, sizeof header->endpoint) == NULL)
        return "a flight recorder whose endpoint does not end";
    return NULL;
}

// --- The coordinator's

static int read_header(int fd, struct btk_recorder_header *out_header)
{
    const ssize_t got = pread(fd, out_header, sizeof *out_header, 0);
    if (got < 0) return -errno;
    return got == (ssize_t)sizeof *out_header ? 0 : -EPROTO;
}

static bool is_link_of_ours(const char *target)
{
    return strncmp(target, MEMORY_FILE, sizeof MEMORY_FILE - 1) == 0;
}

void btk_recorder_remove(const char *path)
{
    char target[BTK_RECORDER_PATH_MAX] = "";
    const ssize_t length = readlink(path, target, sizeof target - 1);
    if (length > 0 && is_link_of_ours(target)) unlink(target);
    unlink(path);
}

// A link to what was in memory before the machine was started again.
static bool is_dead_link(const char *path)
{
    char target[BTK_RECORDER_PATH_MAX] = "";
    return readlink(path, target, sizeof target - 1) > 0 && is_link_of_ours(target)
           && access(target, F_OK) != 0;
}

// Of a coordinator that was killed. What is not a recorder is somebody's, and stays.
static int keep_previous(const char *path)
{
    char previous[BTK_RECORDER_PATH_MAX + 16];
    struct btk_recorder_header header;
    if (is_dead_link(path)) unlink(path);
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return errno == ENOENT ? 0 : -EEXIST;
    const int rc = read_header(fd, &header);
    close(fd);
    if (rc != 0 || header.magic != BTK_RECORDER_MAGIC) return -EEXIST;
    snprintf(previous, sizeof previous, "%s.previous", path);
    btk_recorder_remove(previous);
    return rename(path, previous) == 0 ? 0 : -errno;
}

static void fill_header(const struct btk_endpoint *endpoint, struct btk_recorder_header *header)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    *header = (struct btk_recorder_header){
        .magic = BTK_RECORDER_MAGIC,
        .version = BTK_RECORDER_VERSION,
        .place_count = BTK_RECORDER_PLACES,
        .entry_count = BTK_RECORDER_ENTRIES,
        .entry_bytes = sizeof(struct btk_recorder_entry),
        .pid = (uint32_t)getpid(),
        .started_ns = btk_clock_now_ns(),
        .started_clock_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec,
    };
    snprintf(header->endpoint, sizeof header->endpoint, "%s", endpoint->text);
}

static int write_file(int fd, const struct btk_endpoint *endpoint)
{
    struct btk_recorder_header header;
    fill_header(endpoint, &header);
    if (ftruncate(fd, (off_t)btk_recorder_place_offset(BTK_RECORDER_PLACES)) != 0) return -errno;
    const ssize_t written = pwrite(fd, &header, sizeof header, 0);
    if (written < 0) return -errno;
    return written == (ssize_t)sizeof header ? 0 : -ENOSPC;
}

static bool is_in_memory(const char *path)
{
    char folder[BTK_RECORDER_PATH_MAX];
    struct statfs status;
    snprintf(folder, sizeof folder, "%s", path);
    strrchr(folder, '/')[1] = 0; // an endpoint's path is absolute
    return statfs(folder, &status) == 0
           && (status.f_type == TMPFS_MAGIC || status.f_type == RAMFS_MAGIC);
}

static int make_file(const char *path, int *out_fd)
{
    *out_fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    return *out_fd < 0 ? -errno : 0;
}

static int make_link(const char *path, int *out_fd)
{
    char target[] = MEMORY_FILE "XXXXXX";
    if (!is_in_memory(target)) return -ENOTSUP;
    const int fd = mkostemp(target, O_CLOEXEC);
    if (fd < 0) return -errno;
    if (symlink(target, path) != 0) {
        const int code = errno;
        unlink(target);
        close(fd);
        return -code;
    }
    *out_fd = fd;
    return 0;
}

int btk_recorder_create(const struct btk_endpoint *endpoint, struct btk_error *error)
{
    char path[BTK_RECORDER_PATH_MAX];
    int fd = -1;
    btk_recorder_path(endpoint, path);
    int rc = keep_previous(path);
    if (rc == 0) rc = is_in_memory(path) ? make_file(path, &fd) : make_link(path, &fd);
    if (rc != 0) return fail(error, path, -rc);
    rc = write_file(fd, endpoint);
    close(fd);
    if (rc == 0) return 0;
    btk_recorder_remove(path);
    return fail(error, path, -rc);
}

// --- A worker's

static int check_file(int fd)
{
    struct btk_recorder_header header;
    struct stat status;
    if (fstat(fd, &status) != 0) return -errno;
    if (!S_ISREG(status.st_mode) || status.st_uid != geteuid()
        || (uint64_t)status.st_size != btk_recorder_place_offset(BTK_RECORDER_PLACES))
        return -EPROTO;
    const int rc = read_header(fd, &header);
    if (rc != 0) return rc;
    return btk_recorder_header_fault(&header) == NULL ? 0 : -EPROTO;
}

static uint64_t newest_number(const struct btk_recorder_entry *entries)
{
    uint64_t newest = 0;
    for (int i = 0; i < BTK_RECORDER_ENTRIES; i++) {
        const uint64_t sequence = atomic_load_explicit(&entries[i].sequence, memory_order_relaxed);
        newest = btk_max_size(newest, sequence >> BTK_RECORDER_NUMBER_SHIFT);
    }
    return newest;
}

// The room is there before it is written to: a full disk is an error here, and no SIGBUS later.
static int map_place(int fd, uint32_t worker_id, struct btk_recorder *out_recorder)
{
    const off_t offset = (off_t)btk_recorder_place_offset(worker_id);
    const int rc = posix_fallocate(fd, offset, PLACE_BYTES);
    if (rc != 0) return -rc;
    void *address =
        mmap(NULL, PLACE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, offset);
    if (address == MAP_FAILED) return -errno;
    out_recorder->entries = address;
    out_recorder->number = newest_number(address);
    return 0;
}

int btk_recorder_attach(const struct btk_endpoint *endpoint, uint32_t worker_id,
                        struct btk_recorder *out_recorder, struct btk_error *error)
{
    char path[BTK_RECORDER_PATH_MAX];
    btk_recorder_path(endpoint, path);
    if (worker_id >= BTK_RECORDER_PLACES) return fail(error, path, ERANGE);
    const int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return fail(error, path, errno);
    int rc = check_file(fd);
    if (rc == 0) rc = map_place(fd, worker_id, out_recorder);
    close(fd);
    return rc == 0 ? 0 : fail(error, path, -rc);
}

void btk_recorder_detach(struct btk_recorder *recorder)
{
    if (recorder->entries != NULL) munmap(recorder->entries, PLACE_BYTES);
    *recorder = (struct btk_recorder){0};
}

// --- Entries

static void store(struct btk_recorder *recorder, const struct btk_recorder_stamps *stamps,
                  enum btk_recorder_state before, enum btk_recorder_state after)
{
    struct btk_recorder_entry *entry = recorder->entries + recorder->number % BTK_RECORDER_ENTRIES;
    const uint64_t number = recorder->number << BTK_RECORDER_NUMBER_SHIFT;
    uint64_t words[BTK_RECORDER_WORDS];
    memcpy(words, stamps, sizeof words);
    atomic_store_explicit(&entry->sequence, number | before, memory_order_relaxed);
    // R1: none of these is seen before the sequence that came before it.
    for (int i = 0; i < BTK_RECORDER_WORDS; i++)
        atomic_store_explicit(entry->words + i, words[i], memory_order_release);
    atomic_store_explicit(&entry->sequence, number | after, memory_order_release);
}

void btk_recorder_begin(struct btk_recorder *recorder, const struct btk_recorder_stamps *stamps)
{
    if (recorder->entries == NULL) return;
    recorder->number++;
    store(recorder, stamps, BTK_RECORDER_BEING_MADE, BTK_RECORDER_STARTED);
}

void btk_recorder_end(struct btk_recorder *recorder, const struct btk_recorder_stamps *stamps)
{
    if (recorder->entries == NULL) return;
    store(recorder, stamps, BTK_RECORDER_BEING_ENDED, BTK_RECORDER_ENDED);
}
