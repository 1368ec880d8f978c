// SPDX-License-Identifier: Apache-2.0
#include "ipc/recorder_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct entry {
    uint64_t sequence;
    struct btk_recorder_stamps stamps;
};

// A1: the same bytes twice, one read after the other, were not written between them.
struct copies {
    struct entry first[BTK_RECORDER_ENTRIES];
    struct entry second[BTK_RECORDER_ENTRIES];
};

static int read_all(int fd, void *out, size_t bytes, uint64_t offset)
{
    size_t at = 0;
    while (at < bytes) {
        const ssize_t got = pread(fd, (uint8_t *)out + at, bytes - at, (off_t)(offset + at));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return -errno;
        if (got == 0) return -EPROTO; // shorter than it was
        at += (size_t)got;
    }
    return 0;
}

static bool is_written(uint64_t sequence)
{
    const uint64_t state = sequence & BTK_RECORDER_STATE_MASK;
    return state == BTK_RECORDER_STARTED || state == BTK_RECORDER_ENDED;
}

static int add(struct btk_recording *recording, uint32_t place, const struct entry *entry)
{
    // The room doubles: it is full at each power of two.
    const size_t count = recording->shard_count;
    if ((count & (count - 1)) == 0) {
        const size_t room = count == 0 ? 1 : count * 2;
        void *shards = realloc(recording->shards, room * sizeof *recording->shards);
        if (shards == NULL) return -ENOMEM;
        recording->shards = shards;
    }
    recording->shards[recording->shard_count++] = (struct btk_recorded_shard){
        .worker_id = place,
        .is_ended = (entry->sequence & BTK_RECORDER_STATE_MASK) == BTK_RECORDER_ENDED,
        .number = entry->sequence >> BTK_RECORDER_NUMBER_SHIFT,
        .stamps = entry->stamps,
    };
    return 0;
}

static int compare(const void *left, const void *right)
{
    const struct btk_recorded_shard *a = left, *b = right;
    return (a->number > b->number) - (a->number < b->number);
}

static int read_place(int fd, uint32_t place, struct copies *copies,
                      struct btk_recording *recording)
{
    const uint64_t offset = btk_recorder_place_offset(place);
    const size_t before = recording->shard_count;
    int rc = read_all(fd, copies->first, sizeof copies->first, offset);
    if (rc == 0) rc = read_all(fd, copies->second, sizeof copies->second, offset);
    for (int i = 0; i < BTK_RECORDER_ENTRIES && rc == 0; i++) {
        const struct entry *entry = copies->second + i;
        if (entry->sequence == 0) continue;
        if (is_written(entry->sequence) && memcmp(copies->first + i, entry, sizeof *entry) == 0)
            rc = add(recording, place, entry);
        else
            recording->torn_count++;
    }
    if (recording->shard_count > before)
        qsort(recording->shards + before, recording->shard_count - before,
              sizeof *recording->shards, compare);
    return rc;
}

static int read_places(int fd, struct btk_recording *recording)
{
    struct copies *copies = malloc(sizeof *copies);
    int rc = copies == NULL ? -ENOMEM : 0;
    for (uint32_t place = 0; place < BTK_RECORDER_PLACES && rc == 0; place++) {
        // A place that nobody had is a hole in the file.
        const off_t begin = (off_t)btk_recorder_place_offset(place);
        const off_t data = lseek(fd, begin, SEEK_DATA);
        if (data < 0 && errno == ENXIO) break;
        if (data < (off_t)btk_recorder_place_offset(place + 1))
            rc = read_place(fd, place, copies, recording);
    }
    free(copies);
    return rc;
}

static int refuse(struct btk_error *error, const char *path, const char *what)
{
    return btk_error_set(error, EPROTO, BTK_NO_OFFSET, "%s: %s", path, what);
}

static int check_file(int fd, const char *path, struct btk_recording *recording,
                      struct btk_error *error)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return btk_error_set(error, errno, BTK_NO_OFFSET, "%s: %s", path, strerror(errno));
    if (!S_ISREG(status.st_mode)) return refuse(error, path, "no flight recorder: no regular file");
    if (read_all(fd, &recording->header, sizeof recording->header, 0) != 0)
        return refuse(error, path, "no flight recorder: too short");
    const char *fault = btk_recorder_header_fault(&recording->header);
    if (fault != NULL) return refuse(error, path, fault);
    const uint64_t bytes = btk_recorder_place_offset(BTK_RECORDER_PLACES);
    if ((uint64_t)status.st_size == bytes) return 0;
    return btk_error_set(error, EPROTO, BTK_NO_OFFSET,
                         "%s: a flight recorder has %llu bytes, this file %llu", path,
                         (unsigned long long)bytes, (unsigned long long)status.st_size);
}

int btk_recording_read(const char *path, struct btk_recording *out_recording,
                       struct btk_error *error)
{
    struct btk_recording recording = {0};
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return btk_error_set(error, errno, BTK_NO_OFFSET, "%s: %s", path, strerror(errno));
    int rc = check_file(fd, path, &recording, error);
    if (rc == 0) {
        rc = read_places(fd, &recording);
        if (rc != 0) btk_error_set(error, -rc, BTK_NO_OFFSET, "%s: %s", path, strerror(-rc));
    }
    close(fd);
    if (rc != 0)
        btk_recording_clear(&recording);
    else
        *out_recording = recording;
    return rc;
}

void btk_recording_clear(struct btk_recording *recording)
{
    free(recording->shards);
    *recording = (struct btk_recording){0};
}
