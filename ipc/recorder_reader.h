// SPDX-License-Identifier: Apache-2.0
// Reads a flight recorder, also of a cluster that runs, or one that was made by an enemy: the file is
// copied and checked, and only the copy is used. See ipc/recorder.h.
#pragma once

#include <stdint.h>

#include "common/base.h"
#include "common/error.h"
#include "ipc/recorder.h"

struct btk_recorded_shard {
    uint32_t worker_id;
    bool is_ended;
    uint64_t number; // of the place
    struct btk_recorder_stamps stamps;
};

struct btk_recording {
    struct btk_recorder_header header;
    struct btk_recorded_shard *shards; // by place, then by number
    size_t shard_count;
    size_t torn_count; // entries that were being written, or were written while we read
};

// -ENOENT and other errors of files; -EPROTO: it is none; -ENOMEM; with a message that names the file.
BTK_MUST_USE int btk_recording_read(const char *path, struct btk_recording *out_recording,
                                    struct btk_error *error);
void btk_recording_clear(struct btk_recording *recording);
