// SPDX-License-Identifier: Apache-2.0
// The coordinator: what the parts behind the loop share.
//
// Ownership: everything here belongs to btk_coordinator_run(). Threads: the loop's, except http.
#pragma once

#include "coordinator/client_table.h"
#include "coordinator/cluster_snapshot.h"
#include "coordinator/coordinator.h"
#include "coordinator/frontend.h"
#include "coordinator/http.h"
#include "coordinator/image_store.h"
#include "coordinator/latency.h"
#include "coordinator/options_table.h"
#include "coordinator/reload.h"
#include "coordinator/scheduler.h"
#include "coordinator/slab_maker.h"
#include "coordinator/supervisor.h"
#include "coordinator/tracer.h"
#include "coordinator/worker_table.h"
#include "ipc/endpoint.h"
#include "ipc/socket.h"

#define BTK_COORDINATOR_TARGET "coordinator"

enum btk_coordinator_stage {
    BTK_COORDINATOR_STARTING = 0,
    BTK_COORDINATOR_RUNNING,  // "ready" was printed
    BTK_COORDINATOR_DRAINING, // finishing what is there
    BTK_COORDINATOR_SETTLING, // clients take what was finished
    BTK_COORDINATOR_LEAVING,  // workers were told to end
};

struct btk_coordinator {
    struct btk_coordinator_options options; // without zeros
    enum btk_coordinator_stage stage;
    struct btk_endpoint endpoint;
    char worker_program[512];
    char http_address[64]; // "127.0.0.1:8080", "off"
    int lock_fd;
    bool has_recorder;
    struct btk_loop *loop;
    struct btk_socket *router;
    struct btk_scheduler *scheduler;
    struct btk_frontend frontend;
    struct btk_client_table clients;
    struct btk_slab_maker slab_maker;
    struct btk_worker_table workers;
    struct btk_options_table requests;
    struct btk_image_store images;
    struct btk_reload reload;
    struct btk_latency latency;
    struct btk_snapshot_board board;
    struct btk_http *http;     // NULL: off
    struct btk_tracer *tracer; // NULL: off
    uint32_t places;           // workers that we start
    uint64_t started_ns;
    uint64_t last_tick_ns;
    uint64_t leave_ns; // when waiting for the end ends
    int status;        // what run returns
    struct btk_error error;
};

// All images are on all workers for the first time, or a worker came: `ready` is printed once.
void btk_coordinator_note_ready(struct btk_coordinator *coordinator);
// The embedded ones where none are named.
void btk_coordinator_default_tokenizers(struct btk_coordinator_options *options);
// The loop ends with this error.
void btk_coordinator_fail(struct btk_coordinator *coordinator, int code, const char *message);
