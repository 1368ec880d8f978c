// SPDX-License-Identifier: Apache-2.0
// Where a cluster is: "ipc://P" stands for three files, P (ZeroMQ control socket), P.fd (hello and
// descriptors) and P.lock (held by the coordinator that owns the other two).
#pragma once

#include "common/base.h"
#include "common/error.h"

// As long as a socket's path may be, with the longest suffix.
enum { BTK_ENDPOINT_PATH_MAX = 108, BTK_ENDPOINT_TEXT_MAX = 128 };

struct btk_endpoint {
    char text[BTK_ENDPOINT_TEXT_MAX]; // "ipc://P"
    char path[BTK_ENDPOINT_PATH_MAX]; // P
    char fd_path[BTK_ENDPOINT_PATH_MAX];
    char lock_path[BTK_ENDPOINT_PATH_MAX];
};

// NULL: $BUDTIKTOK_CONNECT, else $XDG_RUNTIME_DIR/budtiktok/control, else
// /tmp/budtiktok-<uid>/control. -ENOTSUP: tcp:// and abstract addresses; -EINVAL: anything else
// that is not ipc:///absolute/path; -ENAMETOOLONG.
BTK_MUST_USE int btk_endpoint_parse(const char *text, struct btk_endpoint *out_endpoint,
                                    struct btk_error *error);

// The folder of the endpoint exists, is ours, and nobody else may write there. `create`: makes it
// (0700) where it is missing. -EACCES, -ENOENT, ...
BTK_MUST_USE int btk_endpoint_check_folder(const struct btk_endpoint *endpoint, int create,
                                           struct btk_error *error);

// Takes the lock. -EADDRINUSE: another coordinator has it; -EEXIST: other files are where the sockets
// go. The descriptor holds it until closed.
BTK_MUST_USE int btk_endpoint_lock(const struct btk_endpoint *endpoint, int *out_lock_fd,
                                   struct btk_error *error);
