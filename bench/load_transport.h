// SPDX-License-Identifier: Apache-2.0
// How a load driver reaches what it loads: shared memory by the client library, or HTTP.
//
// Ownership: close frees the transport. Threads: one.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/error.h"

enum btk_load_outcome {
    BTK_LOAD_DONE,
    BTK_LOAD_REFUSED, // for overload
    BTK_LOAD_FAILED,
};

struct btk_load_reply {
    uint32_t tag;
    enum btk_load_outcome outcome;
    uint64_t begin_ns; // the caller's clock: before the request was given away
    uint64_t end_ns;   // and after its result was read
    uint64_t tokens;   // 0 where nobody counts them
    bool has_parts;    // what the library tells of a request that was one shard
    uint64_t queue_wait_ns, ipc_transfer_ns, tokenization_ns, return_ns;
};

struct btk_load_transport {
    void *self;
    bool has_parts;
    // Sends a document. `tag` is below the number in flight that the transport was opened with.
    // -EAGAIN: not now, a reply has to come first. Other errors end the run.
    int (*send)(void *self, struct btk_bytes document, uint32_t tag, struct btk_error *error);
    // Waits until there are replies, at most until `until_ns`. Their number, or -errno.
    int (*wait)(void *self, uint64_t until_ns, struct btk_load_reply *out_replies, size_t capacity,
                struct btk_error *error);
    void (*close)(void *self);
};

struct btk_load_target {
    const char *connect;   // endpoint; NULL: the default one
    const char *url;       // http://ADDR:PORT; NULL: not by HTTP
    const char *tokenizer; // NULL: the default one
    uint32_t in_flight;    // at most
    uint64_t document_bytes_max;
};

BTK_MUST_USE int btk_load_cluster_open(const struct btk_load_target *target,
                                       struct btk_load_transport *out_transport,
                                       struct btk_error *error);
BTK_MUST_USE int btk_load_http_open(const struct btk_load_target *target,
                                    struct btk_load_transport *out_transport,
                                    struct btk_error *error);

// Sleeps until the descriptors of a transport have something, at most until `until_ns`.
struct pollfd;
BTK_MUST_USE int btk_load_poll(struct pollfd *descriptors, size_t count, uint64_t until_ns);
