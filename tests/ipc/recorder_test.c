// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ipc/endpoint.h"
#include "ipc/recorder_reader.h"

static char folder[32];
static char path[BTK_RECORDER_PATH_MAX];
static struct btk_endpoint endpoint;
static struct btk_error error;

static void make_folder(void)
{
    char text[64];
    strcpy(folder, "/tmp/btk-recorder-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    snprintf(text, sizeof text, "ipc://%s/c", folder);
    cr_assert_eq(btk_endpoint_parse(text, &endpoint, &error), 0);
    btk_recorder_path(&endpoint, path);
}

static void remove_folder(void)
{
    char previous[BTK_RECORDER_PATH_MAX + 16];
    snprintf(previous, sizeof previous, "%s.previous", path);
    btk_recorder_remove(path);
    btk_recorder_remove(previous);
    cr_expect_eq(rmdir(folder), 0);
}

TestSuite(recorder, .init = make_folder, .fini = remove_folder);

static void record(struct btk_recorder *recorder, uint64_t shard_id, bool is_ended)
{
    struct btk_recorder_stamps stamps = {
        .shard_id = shard_id, .batch_id = 7, .started_ns = shard_id * 10};
    btk_recorder_begin(recorder, &stamps);
    stamps.finished_ns = stamps.started_ns + 5;
    if (is_ended) btk_recorder_end(recorder, &stamps);
}

Test(recorder, keeps_the_last_shards_of_each_worker_in_their_order)
{
    struct btk_recorder first = {0}, second = {0};
    struct btk_recording recording;
    cr_assert_eq(btk_recorder_create(&endpoint, &error), 0, "%s", error.message);
    cr_assert_eq(btk_recorder_attach(&endpoint, 0, &first, &error), 0, "%s", error.message);
    cr_assert_eq(btk_recorder_attach(&endpoint, 200, &second, &error), 0, "%s", error.message);
    for (uint64_t i = 1; i <= BTK_RECORDER_ENTRIES + 10; i++) record(&first, i, true);
    record(&second, 5000, true);
    record(&second, 5001, false);
    cr_assert_eq(btk_recording_read(path, &recording, &error), 0, "%s", error.message);
    cr_expect_eq(recording.shard_count, BTK_RECORDER_ENTRIES + 2);
    cr_expect_eq(recording.torn_count, 0);
    cr_expect_str_eq(recording.header.endpoint, endpoint.text);
    for (size_t i = 0; i < BTK_RECORDER_ENTRIES; i++) {
        cr_expect_eq(recording.shards[i].stamps.shard_id, i + 11);
        cr_expect_eq(recording.shards[i].stamps.finished_ns, (i + 11) * 10 + 5);
        cr_expect(recording.shards[i].is_ended);
        cr_expect_eq(recording.shards[i].worker_id, 0);
    }
    cr_expect_eq(recording.shards[BTK_RECORDER_ENTRIES].worker_id, 200);
    cr_expect_eq(recording.shards[BTK_RECORDER_ENTRIES + 1].stamps.shard_id, 5001);
    cr_expect_not(recording.shards[BTK_RECORDER_ENTRIES + 1].is_ended);
    btk_recording_clear(&recording);
    btk_recorder_detach(&first);
    btk_recorder_detach(&second);
    btk_recorder_detach(&second);
}

Test(recorder, the_next_incarnation_goes_on_behind_the_last)
{
    struct btk_recorder recorder = {0};
    struct btk_recording recording;
    cr_assert_eq(btk_recorder_create(&endpoint, &error), 0);
    for (uint64_t i = 1; i <= 3; i++) {
        cr_assert_eq(btk_recorder_attach(&endpoint, 4, &recorder, &error), 0);
        record(&recorder, i, i != 2);
        btk_recorder_detach(&recorder);
    }
    cr_assert_eq(btk_recording_read(path, &recording, &error), 0);
    cr_assert_eq(recording.shard_count, 3);
    for (uint64_t i = 1; i <= 3; i++) {
        cr_expect_eq(recording.shards[i - 1].stamps.shard_id, i);
        cr_expect_eq(recording.shards[i - 1].is_ended, i != 2);
    }
    btk_recording_clear(&recording);
}

Test(recorder, what_is_read_while_it_is_written_is_whole_or_counted_as_torn)
{
    cr_assert_eq(btk_recorder_create(&endpoint, &error), 0);
    const pid_t writer = fork();
    if (writer == 0) {
        struct btk_recorder recorder = {0};
        if (btk_recorder_attach(&endpoint, 0, &recorder, &error) != 0) _exit(1);
        for (uint64_t i = 1;; i++) {
            struct btk_recorder_stamps stamps;
            // All words of an entry are the same, and those of its end all others.
            uint64_t words[BTK_RECORDER_WORDS];
            for (int k = 0; k < BTK_RECORDER_WORDS; k++) words[k] = i * 2;
            memcpy(&stamps, words, sizeof stamps);
            btk_recorder_begin(&recorder, &stamps);
            for (int k = 0; k < BTK_RECORDER_WORDS; k++) words[k] = i * 2 + 1;
            memcpy(&stamps, words, sizeof stamps);
            btk_recorder_end(&recorder, &stamps);
        }
    }
    size_t whole = 0;
    bool is_full = false;
    alarm(30);
    for (int round = 0; round < 200 || !is_full; round++) {
        struct btk_recording recording;
        cr_assert_eq(btk_recording_read(path, &recording, &error), 0);
        for (size_t i = 0; i < recording.shard_count; i++) {
            const struct btk_recorded_shard *shard = recording.shards + i;
            uint64_t words[BTK_RECORDER_WORDS];
            memcpy(words, &shard->stamps, sizeof words);
            for (int k = 0; k < BTK_RECORDER_WORDS; k++)
                cr_assert_eq(words[k], shard->number * 2 + shard->is_ended);
            whole++;
        }
        is_full = recording.shard_count + recording.torn_count == BTK_RECORDER_ENTRIES;
        btk_recording_clear(&recording);
    }
    alarm(0);
    kill(writer, SIGKILL);
    waitpid(writer, NULL, 0);
    struct btk_recording recording;
    cr_assert_eq(btk_recording_read(path, &recording, &error), 0);
    // Of a writer that is dead at most one entry is torn.
    cr_expect_leq(recording.torn_count, 1);
    cr_expect_eq(recording.shard_count + recording.torn_count, BTK_RECORDER_ENTRIES);
    btk_recording_clear(&recording);
    cr_expect_gt(whole, 0);
}

Test(recorder, one_of_a_coordinator_that_was_killed_is_kept_beside_the_new_one)
{
    struct btk_recorder recorder = {0};
    struct btk_recording recording;
    char previous[BTK_RECORDER_PATH_MAX + 16];
    struct stat status;
    snprintf(previous, sizeof previous, "%s.previous", path);
    cr_assert_eq(btk_recorder_create(&endpoint, &error), 0);
    cr_assert_eq(btk_recorder_attach(&endpoint, 0, &recorder, &error), 0);
    record(&recorder, 1, true);
    cr_assert_eq(btk_recorder_create(&endpoint, &error), 0);
    // The writer of the old one writes where it did.
    record(&recorder, 2, true);
    cr_assert_eq(btk_recording_read(previous, &recording, &error), 0);
    cr_expect_eq(recording.shard_count, 2);
    btk_recording_clear(&recording);
    cr_assert_eq(btk_recording_read(path, &recording, &error), 0);
    cr_expect_eq(recording.shard_count, 0);
    btk_recording_clear(&recording);
    cr_assert_eq(stat(path, &status), 0);
    cr_expect_eq(status.st_mode & 0777, 0600);
    btk_recorder_detach(&recorder);
    btk_recorder_remove(path);
    cr_expect_eq(btk_recorder_attach(&endpoint, 0, &recorder, &error), -ENOENT);
    cr_expect_null(recorder.entries);
}

static void write_at(off_t offset, const void *data, size_t bytes)
{
    const int fd = open(path, O_RDWR | O_CREAT, 0600);
    cr_assert_geq(fd, 0);
    cr_assert_eq(pwrite(fd, data, bytes, offset), (ssize_t)bytes);
    close(fd);
}

static void expect_refused(const char *words)
{
    struct btk_recording recording;
    struct btk_recorder recorder = {0};
    error.message[0] = 0;
    cr_expect_eq(btk_recording_read(path, &recording, &error), -EPROTO);
    cr_expect_not_null(strstr(error.message, words), "%s", error.message);
    cr_expect_not_null(strstr(error.message, path), "%s", error.message);
    cr_expect_eq(btk_recorder_attach(&endpoint, 0, &recorder, &error), -EPROTO);
    cr_expect_null(recorder.entries);
}

Test(recorder, files_that_are_none_are_refused_by_readers_and_by_writers)
{
    static const uint8_t rubbish[4096] = "rubbish";
    write_at(0, rubbish, 10);
    expect_refused("too short");
    cr_expect_eq(btk_recorder_create(&endpoint, &error), -EEXIST);
    write_at(0, rubbish, sizeof rubbish);
    expect_refused("no flight recorder");
    cr_expect_eq(btk_recorder_create(&endpoint, &error), -EEXIST);
    btk_recorder_remove(path);
    static const struct {
        size_t offset;
        const char *words;
    } cases[] = {
        {offsetof(struct btk_recorder_header, version), "another version"},
        {offsetof(struct btk_recorder_header, place_count), "other sizes"},
        {offsetof(struct btk_recorder_header, entry_count), "other sizes"},
        {offsetof(struct btk_recorder_header, entry_bytes), "other sizes"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const uint32_t huge = UINT32_MAX;
        cr_assert_eq(btk_recorder_create(&endpoint, &error), 0);
        write_at((off_t)cases[i].offset, &huge, sizeof huge);
        expect_refused(cases[i].words);
    }
    cr_assert_eq(btk_recorder_create(&endpoint, &error), 0);
    char endless[128];
    memset(endless, 'x', sizeof endless);
    write_at(offsetof(struct btk_recorder_header, endpoint), endless, sizeof endless);
    expect_refused("does not end");
    cr_assert_eq(btk_recorder_create(&endpoint, &error), 0);
    cr_assert_eq(truncate(path, 1 << 20), 0);
    expect_refused("this file 1048576");
}

Test(recorder, is_in_memory_and_leaves_nothing_there)
{
    char target[64] = "";
    struct btk_recording recording;
    cr_assert_eq(btk_recorder_create(&endpoint, &error), 0);
    if (readlink(path, target, sizeof target - 1) < 0) return; // the folder itself is
    cr_expect_eq(strncmp(target, "/dev/shm/budtiktok-recorder-", 28), 0);
    // As after a start of the machine.
    cr_assert_eq(unlink(target), 0);
    cr_expect_eq(btk_recording_read(path, &recording, &error), -ENOENT);
    cr_assert_eq(btk_recorder_create(&endpoint, &error), 0, "%s", error.message);
    memset(target, 0, sizeof target);
    cr_assert_gt(readlink(path, target, sizeof target - 1), 0);
    btk_recorder_remove(path);
    cr_expect_neq(access(target, F_OK), 0);
    // A link of somebody else is not followed to remove what it leads to.
    cr_assert_eq(symlink(folder, path), 0);
    cr_expect_eq(btk_recorder_create(&endpoint, &error), -EEXIST);
    btk_recorder_remove(path);
    cr_expect_eq(access(folder, F_OK), 0);
}

Test(recorder, what_is_no_regular_file_is_refused_without_waiting)
{
    struct btk_recording recording;
    cr_assert_eq(mkfifo(path, 0600), 0);
    alarm(10);
    cr_expect_eq(btk_recording_read(path, &recording, &error), -EPROTO);
    cr_expect_eq(btk_recording_read(folder, &recording, &error), -EPROTO);
    cr_expect_eq(btk_recording_read("/nonexistent", &recording, &error), -ENOENT);
    cr_expect_eq(btk_recorder_create(&endpoint, &error), -EEXIST);
    alarm(0);
}

Test(recorder, entries_of_an_enemy_are_only_numbers)
{
    struct btk_recording recording;
    uint64_t words[BTK_RECORDER_WORDS + 1];
    cr_assert_eq(btk_recorder_create(&endpoint, &error), 0);
    memset(words, 0xff, sizeof words);
    write_at((off_t)btk_recorder_place_offset(0), words, sizeof words); // an unknown state
    words[0] = UINT64_MAX << BTK_RECORDER_NUMBER_SHIFT | BTK_RECORDER_ENDED;
    write_at((off_t)btk_recorder_place_offset(255), words, sizeof words);
    cr_assert_eq(btk_recording_read(path, &recording, &error), 0);
    cr_expect_eq(recording.shard_count, 1);
    cr_expect_eq(recording.torn_count, 1);
    cr_expect_eq(recording.shards[0].worker_id, 255);
    btk_recording_clear(&recording);
}
