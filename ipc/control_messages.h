// SPDX-License-Identifier: Apache-2.0
// THE list of control messages. Structures, encoder, decoder and tests follow from it.
//
//     MESSAGE(name, FIELDS)    one message; FIELDS(U32, U64, TEXT, BYTES) lists its fields in order
//     U32(field) U64(field)    unsigned integers
//     TEXT(field, maximum)     UTF-8 without NUL inside; `char field[maximum]`, ends with NUL
//     BYTES(field, maximum)    struct btk_bytes, borrowed from the frame that it was decoded from
//
// On the wire a message is a msgpack array: [number of the message, field, field, ...]. Numbers are
// places in this list, so new messages go to its end. Messages with descriptors travel over P.fd
// alone; "+fd" says which.
#pragma once

#include "ipc/batch_options.h"

#define BTK_CONTROL_TEXT_MAX  512
#define BTK_CONTROL_NAME_MAX  256
#define BTK_CONTROL_FRAME_MAX (64 * 1024)
#define BTK_CONTROL_VERSION   3u

// Worker -> coordinator over P.fd; +fd: worker page. incarnation: 16 random bytes, also the routing
// id of its DEALER. cpu: UINT32_MAX when the coordinator shall choose none.
#define BTK_FIELDS_HELLO_WORKER(U32, U64, TEXT, BYTES)                                             \
    U32(version) U32(pid) BYTES(incarnation, 16) U32(cpu)
#define BTK_FIELDS_WELCOME_WORKER(U32, U64, TEXT, BYTES)                                           \
    U32(worker_id) U32(epoch) U32(cpu) U32(lease_ms) U64(results_bytes)
// Worker -> coordinator over ZeroMQ, first.
#define BTK_FIELDS_REGISTER(U32, U64, TEXT, BYTES) U32(worker_id) U32(epoch) BYTES(incarnation, 16)
// Coordinator -> worker over P.fd; +fd: sealed image.
#define BTK_FIELDS_LOAD_IMAGE(U32, U64, TEXT, BYTES)                                               \
    U32(tokenizer_id) TEXT(tokenizer, BTK_CONTROL_NAME_MAX) U64(bytes)
// Worker -> coordinator over ZeroMQ. status: 0 or a positive errno value.
#define BTK_FIELDS_IMAGE_READY(U32, U64, TEXT, BYTES)                                              \
    U32(tokenizer_id) U32(status) TEXT(message, BTK_CONTROL_TEXT_MAX)
#define BTK_FIELDS_UNLOAD_IMAGE(U32, U64, TEXT, BYTES) U32(tokenizer_id)
// Coordinator -> worker over P.fd. attach_slab +fd: the slab, sealed by then.
#define BTK_FIELDS_ATTACH_CLIENT(U32, U64, TEXT, BYTES) U32(client_id) U64(results_bytes)
#define BTK_FIELDS_DETACH_CLIENT(U32, U64, TEXT, BYTES) U32(client_id)
#define BTK_FIELDS_ATTACH_SLAB(U32, U64, TEXT, BYTES)   U32(client_id) U32(slab_id) U64(bytes)
#define BTK_FIELDS_DETACH_SLAB(U32, U64, TEXT, BYTES)   U32(client_id) U32(slab_id)
// Worker -> coordinator over P.fd; +fd: results memory, sealed. shard_id is 0 for the one that
// serves all shards of the client. results_id is chosen by the worker: (epoch << 32) | counter,
// unique in the life of a cluster.
#define BTK_FIELDS_RESULTS(U32, U64, TEXT, BYTES)                                                  \
    U32(client_id) U64(results_id) U64(bytes) U64(page_bytes) U64(shard_id)
// Coordinator -> worker over P.fd: a memfd of one shard was released; the worker may unmap it.
#define BTK_FIELDS_RESULTS_DROP(U32, U64, TEXT, BYTES) U32(client_id) U64(results_id)
// Coordinator -> worker over ZeroMQ. Of an options_id only the first definition counts; one that is
// larger by a multiple of BTK_OPTIONS_PLACES, modulo 2^32, takes its place. options: struct btk_batch_options.
#define BTK_FIELDS_DEFINE_OPTIONS(U32, U64, TEXT, BYTES)                                           \
    U32(options_id) U32(tokenizer_id) BYTES(options, sizeof(struct btk_batch_options))
// assignments: n x struct btk_assignment.
#define BTK_FIELDS_ASSIGN(U32, U64, TEXT, BYTES) U32(epoch) BYTES(assignments, 60 * 1024)
// reports: n x struct btk_shard_report.
#define BTK_FIELDS_DONE(U32, U64, TEXT, BYTES) U32(epoch) BYTES(reports, 60 * 1024)
#define BTK_FIELDS_PING(U32, U64, TEXT, BYTES) U64(sequence)
#define BTK_FIELDS_PONG(U32, U64, TEXT, BYTES) U64(sequence)
// The coordinator asks a worker to finish what it has and to end; drained is its last word.
#define BTK_FIELDS_DRAIN(U32, U64, TEXT, BYTES)   U32(epoch)
#define BTK_FIELDS_DRAINED(U32, U64, TEXT, BYTES) U32(epoch)

// Client -> coordinator over P.fd; +fd: client page, sealed.
#define BTK_FIELDS_HELLO_CLIENT(U32, U64, TEXT, BYTES)                                             \
    U32(version) TEXT(name, BTK_CONTROL_NAME_MAX) U64(slab_bytes) U64(results_bytes)
// +fd: server page, doorbell to the coordinator, doorbell to the client.
#define BTK_FIELDS_WELCOME_CLIENT(U32, U64, TEXT, BYTES)                                           \
    U32(client_id)                                                                                 \
    U32(worker_count) U64(slab_limit_bytes) U64(results_bytes) U32(batch_limit) U32(document_limit)
#define BTK_FIELDS_SLAB_REQUEST(U32, U64, TEXT, BYTES) U64(bytes)
// +fd: the slab, still writable for the one mapping that the client makes now.
#define BTK_FIELDS_SLAB(U32, U64, TEXT, BYTES) U32(slab_id) U64(bytes) U64(page_bytes)
// The client has mapped it: it is sealed now and given to the workers. No submission before.
#define BTK_FIELDS_SLAB_MAPPED(U32, U64, TEXT, BYTES) U32(slab_id)
#define BTK_FIELDS_SLAB_DROP(U32, U64, TEXT, BYTES)   U32(slab_id)
// tokenizer: name, "" for the default one. options: struct btk_batch_options.
#define BTK_FIELDS_REGISTER_OPTIONS(U32, U64, TEXT, BYTES)                                         \
    U32(request)                                                                                   \
    TEXT(tokenizer, BTK_CONTROL_NAME_MAX) BYTES(options, sizeof(struct btk_batch_options))
#define BTK_FIELDS_OPTIONS_REGISTERED(U32, U64, TEXT, BYTES) U32(request) U32(options_id)
// Coordinator -> client over P.fd; +fd: results memory, read-only, before any completion names it.
#define BTK_FIELDS_CLIENT_RESULTS(U32, U64, TEXT, BYTES)                                           \
    U64(results_id) U32(worker_id) U32(epoch) U64(bytes)
#define BTK_FIELDS_RESULTS_GONE(U32, U64, TEXT, BYTES)   U64(results_id)
#define BTK_FIELDS_STATUS_REQUEST(U32, U64, TEXT, BYTES) U32(request)
#define BTK_FIELDS_STATUS(U32, U64, TEXT, BYTES)         U32(request) BYTES(json, 60 * 1024)
// code: positive errno value. request: that of register_options or status_request, else 0.
#define BTK_FIELDS_REFUSED(U32, U64, TEXT, BYTES)                                                  \
    U32(request) U32(code) TEXT(message, BTK_CONTROL_TEXT_MAX)
// Client -> coordinator over P.fd: it does not submit with this id any more.
#define BTK_FIELDS_RELEASE_OPTIONS(U32, U64, TEXT, BYTES) U32(options_id)
#define BTK_FIELDS_GOODBYE(U32, U64, TEXT, BYTES)         U32(reason)

#define BTK_CONTROL_MESSAGES(MESSAGE)                                                              \
    MESSAGE(hello_worker, HELLO_WORKER)                                                            \
    MESSAGE(welcome_worker, WELCOME_WORKER)                                                        \
    MESSAGE(register_worker, REGISTER)                                                             \
    MESSAGE(load_image, LOAD_IMAGE)                                                                \
    MESSAGE(image_ready, IMAGE_READY)                                                              \
    MESSAGE(unload_image, UNLOAD_IMAGE)                                                            \
    MESSAGE(attach_client, ATTACH_CLIENT)                                                          \
    MESSAGE(detach_client, DETACH_CLIENT)                                                          \
    MESSAGE(attach_slab, ATTACH_SLAB)                                                              \
    MESSAGE(detach_slab, DETACH_SLAB)                                                              \
    MESSAGE(results, RESULTS)                                                                      \
    MESSAGE(results_drop, RESULTS_DROP)                                                            \
    MESSAGE(define_options, DEFINE_OPTIONS)                                                        \
    MESSAGE(assign, ASSIGN)                                                                        \
    MESSAGE(done, DONE)                                                                            \
    MESSAGE(ping, PING)                                                                            \
    MESSAGE(pong, PONG)                                                                            \
    MESSAGE(drain, DRAIN)                                                                          \
    MESSAGE(drained, DRAINED)                                                                      \
    MESSAGE(hello_client, HELLO_CLIENT)                                                            \
    MESSAGE(welcome_client, WELCOME_CLIENT)                                                        \
    MESSAGE(slab_request, SLAB_REQUEST)                                                            \
    MESSAGE(slab, SLAB)                                                                            \
    MESSAGE(slab_mapped, SLAB_MAPPED)                                                              \
    MESSAGE(slab_drop, SLAB_DROP)                                                                  \
    MESSAGE(register_options, REGISTER_OPTIONS)                                                    \
    MESSAGE(options_registered, OPTIONS_REGISTERED)                                                \
    MESSAGE(client_results, CLIENT_RESULTS)                                                        \
    MESSAGE(results_gone, RESULTS_GONE)                                                            \
    MESSAGE(status_request, STATUS_REQUEST)                                                        \
    MESSAGE(status, STATUS)                                                                        \
    MESSAGE(refused, REFUSED)                                                                      \
    MESSAGE(goodbye, GOODBYE)                                                                      \
    MESSAGE(release_options, RELEASE_OPTIONS)
