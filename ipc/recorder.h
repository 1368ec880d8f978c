// SPDX-License-Identifier: Apache-2.0
// The flight recorder: the stamps of the last shards of each worker, in a file beside the control
// socket, P.recorder. It is mapped by the workers, so what they stored is there whatever ends them or
// the coordinator; a coordinator that drains removes it. The one before, of a coordinator that was
// killed, is kept as P.recorder.previous.
//
// A store to a page of a disk's file may wait for the disk, and a worker never waits. So where P is not
// on a file system in memory, P.recorder is a link to a file in /dev/shm.
//
//     | header, one page | worker 0: entries[1024] | worker 1: entries[1024] | ...   sparse
//
//     entry   | sequence | 15 words of struct btk_recorder_stamps |      128 bytes
//     sequence = number of the entry << 3 | BEING_MADE, STARTED, BEING_ENDED or ENDED
//
// A place in the cluster has one writer at a time, and its ring goes on with the next incarnation, so
// the last shards of a worker that died stay until 1024 others came. Nobody waits: a reader takes an
// entry when its sequence says that it is whole and two copies are equal.
//
// Memory order: R1 (words and sequence, release, in their order) -> A1 (a reader's copy): who sees a
// word of the next entry sees its sequence move as well. Readers use read(2), twice.
// Ownership: a recorder owns its mapping. Threads: one.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/error.h"

#define BTK_RECORDER_MAGIC   UINT64_C(0x3152444352544b42)
#define BTK_RECORDER_VERSION 1u

enum {
    BTK_RECORDER_HEADER_BYTES = 4096,
    BTK_RECORDER_PLACES = 256, // workers
    BTK_RECORDER_ENTRIES = 1024,
    BTK_RECORDER_WORDS = 15,
    BTK_RECORDER_PATH_MAX = 128,
};

enum btk_recorder_state {
    BTK_RECORDER_BEING_MADE = 1,
    BTK_RECORDER_STARTED = 2, // and not ended: what the worker had in hand
    BTK_RECORDER_BEING_ENDED = 3,
    BTK_RECORDER_ENDED = 4,
    BTK_RECORDER_STATE_MASK = 7,
    BTK_RECORDER_NUMBER_SHIFT = 3,
};

struct btk_recorder_header {
    uint64_t magic;
    uint32_t version;
    uint32_t place_count;
    uint32_t entry_count; // of each place
    uint32_t entry_bytes;
    uint32_t pid; // of the coordinator
    uint32_t reserved;
    uint64_t started_ns;       // CLOCK_MONOTONIC, and at the same moment
    uint64_t started_clock_ns; // CLOCK_REALTIME
    char endpoint[128];        // ends with NUL
};

// ns of CLOCK_MONOTONIC.
struct btk_recorder_stamps {
    uint64_t shard_id;
    uint64_t batch_id;
    uint32_t client_id;
    uint32_t shard_index;
    uint32_t epoch;
    uint32_t pid; // of the worker
    uint32_t op;  // enum btk_operation
    uint32_t status;
    uint32_t document_count;
    uint32_t document_errors;
    uint64_t bytes;
    uint64_t tokens;
    uint64_t submitted_ns;
    uint64_t dispatched_ns;
    uint64_t previous_finish_ns;
    uint64_t started_ns;
    uint64_t finished_ns; // 0: it has not
    uint64_t result_bytes;
    uint64_t reserved;
};

_Static_assert(sizeof(struct btk_recorder_stamps) == BTK_RECORDER_WORDS * 8, "words of an entry");

struct btk_recorder_entry; // of the file

struct btk_recorder {
    struct btk_recorder_entry *entries; // NULL: nothing is recorded
    uint64_t number;                    // of the newest entry; 0: there is none
};

struct btk_endpoint;

// "P.recorder".
void btk_recorder_path(const struct btk_endpoint *endpoint, char out_path[BTK_RECORDER_PATH_MAX]);

// The coordinator's: makes an empty one, mode 0600; one that is there becomes P.recorder.previous.
// -EEXIST: a file that is no recorder stands there; -ENOTSUP: there is no file system in memory;
// -errno; with a message.
BTK_MUST_USE int btk_recorder_create(const struct btk_endpoint *endpoint, struct btk_error *error);
// Removes P.recorder or P.recorder.previous, and what it is a link to.
void btk_recorder_remove(const char *path);

// A worker's: maps its ring. -ENOENT: this cluster has none; -EPROTO: no recorder of ours; -ENOSPC;
// -errno; with a message.
BTK_MUST_USE int btk_recorder_attach(const struct btk_endpoint *endpoint, uint32_t worker_id,
                                     struct btk_recorder *out_recorder, struct btk_error *error);
void btk_recorder_detach(struct btk_recorder *recorder); // one that is not attached is fine

// A shard begins, and ends. Without a ring they do nothing.
void btk_recorder_begin(struct btk_recorder *recorder, const struct btk_recorder_stamps *stamps);
void btk_recorder_end(struct btk_recorder *recorder, const struct btk_recorder_stamps *stamps);

// What is wrong with a header that was read, or NULL.
const char *btk_recorder_header_fault(const struct btk_recorder_header *header);

// Where the ring of a place begins in the file; of BTK_RECORDER_PLACES: how long the file is.
static inline uint64_t btk_recorder_place_offset(uint32_t place)
{
    return BTK_RECORDER_HEADER_BYTES
           + (uint64_t)place * BTK_RECORDER_ENTRIES * (BTK_RECORDER_WORDS + 1) * 8;
}
