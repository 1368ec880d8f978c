// SPDX-License-Identifier: Apache-2.0
// The door: takes connections at P.fd, checks who it is, and hands those that say hello to the
// table of workers or of clients. Who says nothing for two seconds is put out.
//
// Threads: the loop's.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/base.h"
#include "common/error.h"
#include "coordinator/channel.h"

enum { BTK_FRONTEND_STRANGERS_MAX = 64 };

struct btk_coordinator;

struct btk_stranger {
    struct btk_coordinator *coordinator;
    struct btk_channel channel;
    struct btk_peer peer;
    uint64_t deadline_ns;
    bool is_used;
};

struct btk_frontend {
    int listen_fd; // -1: closed
    struct btk_stranger strangers[BTK_FRONTEND_STRANGERS_MAX];
};

BTK_MUST_USE int btk_frontend_open(struct btk_coordinator *coordinator, struct btk_error *error);
void btk_frontend_check_deadlines(struct btk_coordinator *coordinator, uint64_t now_ns);
void btk_frontend_close(struct btk_coordinator *coordinator);
