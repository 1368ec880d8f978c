// SPDX-License-Identifier: Apache-2.0
// The client library: hands batches of documents to a BudTikTok cluster on this host and reads the
// tokens where the workers wrote them, without a copy on the way.
//
//     your program            shared memory                       cluster
//     reserve  ------------>  [ text slab: documents, ends ]
//     write documents there
//     submit   ------------>  (64-byte descriptor in a ring) ---> coordinator -> workers
//     wait or poll  <-------  (64-byte completions)          <--- coordinator
//     read tokens  <--------  [ results: blocks of columns ] <--- written by the workers
//     release  ------------>  (room goes back)
//
// A complete program. It prints the ids of each of its arguments:
//
//     #include <budtiktok/client.h>
//     #include <stdio.h>
//     #include <string.h>
//
//     static int print_ids(struct btk_batch *batch, size_t index)
//     {
//         struct btk_document_view view;
//         if (btk_batch_document(batch, index, &view) != 0) return 1;
//         for (size_t i = 0; i < view.token_count; i++) printf("%s%u", i ? " " : "", view.ids[i]);
//         printf("\n");
//         return view.status != BTK_STATUS_OK;
//     }
//
//     int main(int argc, char **argv)
//     {
//         const char *documents[64];
//         size_t lengths[64];
//         size_t count = 0;
//         for (int i = 1; i < argc && count < 64; i++, count++) {
//             documents[count] = argv[i];
//             lengths[count] = strlen(argv[i]);
//         }
//         struct btk_error_info error;
//         struct btk_client *client = NULL;
//         struct btk_batch *batch = NULL;
//         struct btk_client_request_options request = BTK_CLIENT_REQUEST_DEFAULTS;
//         uint32_t options_id = 0;
//         int status = 1;
//         if (btk_client_connect(NULL, &client, &error) == 0
//             && btk_client_register(client, NULL, &request, &options_id, &error) == 0
//             && btk_client_submit_documents(client, documents, lengths, count, options_id, 0,
//                                            &batch, &error) == 0
//             && btk_client_wait(client, batch, 10000, &error) == 0) {
//             status = 0;
//             for (size_t i = 0; i < count; i++) status |= print_ids(batch, i);
//         } else {
//             fprintf(stderr, "%s\n", error.message);
//         }
//         btk_client_release(client, &batch);
//         btk_client_close(&client);
//         return status;
//     }
//
//     cc example.c $(pkg-config --cflags --libs budtiktok-client)
//
// States of a batch:
//
//     reserve -> RESERVED -> submit -> SUBMITTED -> DONE ------> release -> (gone)
//                    |                     |------> FAILED ----> release
//                    '------- release -----'  (in flight: cancels first)
//
// Ownership: the library owns every batch and all memory that it shows. Pointers from btk_batch_text
// and btk_batch_ends are for writing until submit; those from btk_batch_document live until the batch
// is released, also across a lost connection. All die with btk_client_close at the latest.
//
// Threads: nothing is locked inside. One client object is used by one thread at a time, with all
// its batches; open one client a thread. Different clients share nothing. The library starts no
// threads, installs no signal handlers and prints nothing.
//
// Fork: a child must not use a client that its parent opened; it may only exit or exec.
//
// Errors: functions return 0 or a negative errno value and, where they take one, fill *error (which
// may be NULL). Outputs are untouched on failure.
//     -EINVAL        an argument is wrong (error says which), or not the right state of the batch
//     -ENOENT        nothing listens at the endpoint: no cluster runs there
//     -EACCES        the cluster does not let this user in
//     -ENOTSUP       a kind of endpoint or an option that this version does not have
//     -EAGAIN        no room in the slab until other batches are released
//     -EMSGSIZE      larger than the cluster allows (error says the bound)
//     -ENOMEM        this process has no memory left for it
//     -ETIMEDOUT     not in time
//     -ECANCELED     the batch was canceled
//     -EBUSY         the cluster refused for overload: btk_batch_retry_after_ms says when to ask again
//     -EIO           the batch failed for another reason; error and btk_batch_status say which
//     -ECONNRESET    the cluster is gone and did not come back within timeout_ms
//     -EPROTO        what came from the cluster is not what it should be
//
// A lost connection: when the coordinator dies, the library connects again by itself inside of
// wait, process, submit, reserve and register, for up to timeout_ms; registers the options again
// under the ids that the caller knows; and submits again, under the same batch id, what had not
// been finished. Results that had been finished stay readable.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <budtiktok/encoding.h>
#include <budtiktok/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BTK_CLIENT_VERSION_MAJOR 0

struct btk_client; // one connection to one cluster
struct btk_batch;  // documents that are submitted together, then their results

// All zero means: defaults.
struct btk_client_options {
    const char *endpoint;   // "ipc:///path"; NULL: $BUDTIKTOK_CONNECT, else
                            // $XDG_RUNTIME_DIR/budtiktok/control, else /tmp/budtiktok-<uid>/control
    uint64_t slab_bytes;    // room for text to begin with; 0: 16 MiB
    uint64_t results_bytes; // room for results, for each worker; 0: what the cluster gives
    uint32_t timeout_ms;    // to connect, to connect again, and to register; 0: 5000
    const char *name;       // shown by `budtiktok status`; NULL: the program's name
};

// What to do with the documents of a batch. Registered once, then named by an id. Begin with
// BTK_CLIENT_REQUEST_DEFAULTS.
struct btk_client_request_options {
    uint32_t operation;       // enum btk_operation
    uint32_t fields;          // set of enum btk_field; ids are always there
    bool add_special_tokens;  // encode: what the post-processor adds
    bool skip_special_tokens; // decode
    uint8_t offsets_unit;     // enum btk_offsets_unit
    uint8_t invalid_utf8;     // enum btk_invalid_utf8
    uint8_t special_text;     // enum btk_special_text
    // Encode. The structs are looked at when their source is BTK_OPTION_IS_GIVEN; the padding token
    // is copied, at most BTK_PAD_TOKEN_BYTES_MAX bytes of it. A batch that is padded to its longest
    // document, and maybe one as configured, is encoded by one worker in one call, and one document
    // that is wrong fails all; BTK_GROUP_END (btk_batch_ends) makes smaller groups.
    uint8_t truncation_source; // enum btk_option_source
    uint8_t padding_source;    // enum btk_option_source
    struct btk_truncation truncation;
    struct btk_padding padding;
    bool is_grouped; // groups are encoded in one call whatever the padding is
};

#define BTK_CLIENT_REQUEST_DEFAULTS                                                                \
    {                                                                                              \
        .operation = BTK_OPERATION_ENCODE, .fields = BTK_FIELD_IDS, .add_special_tokens = true,    \
        .skip_special_tokens = false, .offsets_unit = BTK_OFFSETS_CHAR,                            \
        .invalid_utf8 = BTK_INVALID_UTF8_ERROR, .padding = BTK_PADDING_DEFAULTS                    \
    }

// One document's result. Columns that were not asked for are NULL. The memory is mapped read-only
// and was written by a worker: reading in the stated lengths is always safe, but ids are not
// checked against a vocabulary here.
struct btk_document_view {
    uint32_t status;       // enum btk_status
    uint64_t error_offset; // invalid UTF-8, special text: its byte offset
    const char *message;   // what is wrong, when the status does not say it all; UTF-8,
                           // not NUL-terminated; NULL: nothing more is known
    size_t message_bytes;
    size_t encoding_count;              // 1, and those that overflowed: btk_batch_encoding
    size_t token_count;                 // encode
    const uint32_t *ids;                // token_count
    const uint32_t *offsets;            // 2 a token: begin, end
    const uint32_t *type_ids;           // token_count
    const uint32_t *word_ids;           // token_count; UINT32_MAX: none
    const uint32_t *sequence_ids;       // token_count; UINT32_MAX: none
    const uint8_t *special_tokens_mask; // token_count; 1: added by the post-processor
    const uint8_t *attention_mask;      // token_count; 0: padding
    const uint32_t *token_ends;         // for btk_document_token
    const uint8_t *token_text;          // for btk_document_token
    uint32_t token_text_begin;          // for btk_document_token
    uint32_t token_text_end;            // for btk_document_token
    const uint8_t *text;                // decode: UTF-8, not NUL-terminated
    size_t text_bytes;                  // decode
};

// Where the time of a shard went, ns of CLOCK_MONOTONIC. The four parts add up to the time from
// submit until the caller had the result.
struct btk_batch_timing {
    uint64_t queue_wait_ns;   // submitted until a worker could have begun
    uint64_t ipc_transfer_ns; // on the way to the worker
    uint64_t tokenization_ns; // the worker's own work
    uint64_t return_ns;       // finished until wait, process or next_finished gave the batch back
    uint32_t worker_id;
    uint32_t shard_count; // of the batch
};

enum btk_batch_state {
    BTK_BATCH_RESERVED = 1,
    BTK_BATCH_SUBMITTED = 2,
    BTK_BATCH_DONE = 3,   // every document has its result or its own error
    BTK_BATCH_FAILED = 4, // no results at all: btk_batch_status says why
};

// --- Connection

// Connects and maps the first slab. `options` may be NULL. Errors: -ENOENT, -EACCES, -ENOTSUP
// (tcp:// endpoints come later; ipc://@ has no permissions and is refused), -ETIMEDOUT, -EPROTO.
BTK_API_MUST_USE BTK_API int btk_client_connect(const struct btk_client_options *options,
                                                struct btk_client **out_client,
                                                struct btk_error_info *error);

// Says goodbye and frees everything, with all batches. *client may be NULL; it is NULL afterwards.
BTK_API void btk_client_close(struct btk_client **client);

// Registers a tokenizer (NULL: the cluster's default one) with options, and gives the id to submit
// with. The same request twice gives the same id. Errors: -ENOENT (no such tokenizer), -EINVAL,
// -ETIMEDOUT, -ECONNRESET, -ENOSPC (more than 1024, or the cluster has no room for more).
BTK_API_MUST_USE BTK_API int btk_client_register(struct btk_client *client, const char *tokenizer,
                                                 const struct btk_client_request_options *options,
                                                 uint32_t *out_options_id,
                                                 struct btk_error_info *error);

// Forgets what was registered under the id, which may be given again: for programs whose options are
// different all the time. -EBUSY: a batch in flight uses it; -EINVAL: nothing is registered there.
BTK_API_MUST_USE BTK_API int btk_client_unregister(struct btk_client *client, uint32_t options_id);

// The cluster's own account of itself as JSON (what `budtiktok status` prints), with a NUL behind
// it. Errors: -ENOBUFS (*out_bytes then says how much room it takes, without the NUL), -ETIMEDOUT.
BTK_API_MUST_USE BTK_API int btk_client_status(struct btk_client *client, char *out_json,
                                               size_t capacity_bytes, size_t *out_bytes,
                                               struct btk_error_info *error);

// How many workers are ready for work now; 0 while the cluster is not there.
BTK_API uint32_t btk_client_worker_count(const struct btk_client *client);

// Page size that the slab really has: 2097152 or 4096.
BTK_API uint64_t btk_client_page_bytes(const struct btk_client *client);

// --- Writing and submitting

// Makes room for `document_count` documents of together at most `text_bytes` bytes. Asks the
// cluster for a larger slab when the batch could never fit in those there are. Errors: -EAGAIN,
// -EMSGSIZE, -ENOMEM, -ECONNRESET.
BTK_API_MUST_USE BTK_API int btk_client_reserve(struct btk_client *client, uint64_t text_bytes,
                                                uint32_t document_count,
                                                struct btk_batch **out_batch,
                                                struct btk_error_info *error);

// Where to write the documents, one after the other without anything between: UTF-8 for encode,
// uint32_t ids for decode (aligned for that). The caller may go on writing until submit.
BTK_API char *btk_batch_text(struct btk_batch *batch);

// Where to write the end of each document, in bytes from btk_batch_text: document i is
// [ends[i - 1], ends[i]), the first begins at 0. An end with BTK_GROUP_END (by |) is that of the last
// document of its group: padding to the longest is to that of a group, and only whole groups are
// spread over workers then. Without any mark, all documents are one group. Where options do not need
// groups, marks mean nothing.
BTK_API uint64_t *btk_batch_ends(struct btk_batch *batch);

// Fewer documents than reserved. -EINVAL: more, or submitted already.
BTK_API_MUST_USE BTK_API int btk_batch_set_document_count(struct btk_batch *batch,
                                                          uint32_t document_count);

// Makes room for documents that are pairs or words, or both, and copies them there: btk_batch_ends may
// still be marked, then submit. Such a batch is encoded, never decoded. Errors: those of
// btk_client_reserve.
BTK_API_MUST_USE BTK_API int btk_client_reserve_inputs(struct btk_client *client,
                                                       const struct btk_encode_input *inputs,
                                                       uint32_t document_count,
                                                       struct btk_batch **out_batch,
                                                       struct btk_error_info *error);

// Gives the batch to the cluster. `deadline_ns`: CLOCK_MONOTONIC, 0 for none; a shard that has not
// begun by then is not begun. The batch id that the cluster sees is chosen here and kept for good.
// Does not wait, except for a lost connection. Errors: -EINVAL (ends that go back or beyond the
// room, an id that was not registered), -EAGAIN (too much in flight: process, then try again),
// -ECONNRESET.
BTK_API_MUST_USE BTK_API int btk_client_submit(struct btk_client *client, struct btk_batch *batch,
                                               uint32_t options_id, uint64_t deadline_ns,
                                               struct btk_error_info *error);

// The trace that batches are part of which are submitted from now on, as a `traceparent` of W3C Trace
// Context says it: a cluster that exports traces continues it. NULL: none (the default). What is not
// valid is ignored, as that specification wants it, and there is none: -EINVAL.
BTK_API int btk_client_set_traceparent(struct btk_client *client, const char *traceparent);

// Reserve, one copy, submit. For decode, documents point to uint32_t ids and lengths are in bytes.
BTK_API_MUST_USE BTK_API int
btk_client_submit_documents(struct btk_client *client, const char *const *documents,
                            const size_t *lengths, size_t document_count, uint32_t options_id,
                            uint64_t deadline_ns, struct btk_batch **out_batch,
                            struct btk_error_info *error);

// --- Waiting

// Waits until the batch is done. timeout_ms < 0: without end. Returns 0 when it is DONE; single
// documents may still have a status of their own. Errors: -ETIMEDOUT (it goes on; wait again),
// -ECANCELED, -EBUSY, -EIO, -ENOENT (unknown options), -EMSGSIZE, -ECONNRESET.
BTK_API_MUST_USE BTK_API int btk_client_wait(struct btk_client *client, struct btk_batch *batch,
                                             int timeout_ms, struct btk_error_info *error);

// For an event loop of the caller's: readable when btk_client_process has something to do. The
// descriptor is the library's, stays the same for the life of the client, and is only polled.
BTK_API int btk_client_fd(const struct btk_client *client);

// Takes what has come, without waiting. Returns the number of batches that became DONE or FAILED
// and have not been asked for with btk_client_next_finished, or a negative errno value.
BTK_API_MUST_USE BTK_API int btk_client_process(struct btk_client *client,
                                                struct btk_error_info *error);

// The finished batches one by one, in the order in which they finished, each once; NULL: no more.
// A batch that btk_client_wait gave back does not come here too.
BTK_API struct btk_batch *btk_client_next_finished(struct btk_client *client);

// Asks the cluster to stop work on the batch. It becomes FAILED with BTK_STATUS_CANCELED soon, or
// DONE when it was too late. Errors: -EINVAL when it is not in flight.
BTK_API_MUST_USE BTK_API int btk_client_cancel(struct btk_client *client, struct btk_batch *batch);

// --- Reading

BTK_API enum btk_batch_state btk_batch_state(const struct btk_batch *batch);

// enum btk_status of the whole: why it FAILED; BTK_STATUS_OK otherwise.
BTK_API uint32_t btk_batch_status(const struct btk_batch *batch);

// When a refused batch may be tried again.
BTK_API uint32_t btk_batch_retry_after_ms(const struct btk_batch *batch);

BTK_API uint32_t btk_batch_document_count(const struct btk_batch *batch);

// Tokens of all documents together (encode).
BTK_API uint64_t btk_batch_token_count(const struct btk_batch *batch);

// The result of one document, in place. Going through them in order is the fast way. Errors:
// -EINVAL (not DONE, or no such document), -EPROTO (its block is not what it should be).
BTK_API_MUST_USE BTK_API int btk_batch_document(struct btk_batch *batch, size_t index,
                                                struct btk_document_view *out_view);

// One encoding of a document: 0 is the document's own, the others are what overflowed (with
// BTK_FIELD_OVERFLOWING). Errors: as before; -EINVAL also when there is no such encoding.
BTK_API_MUST_USE BTK_API int btk_batch_encoding(struct btk_batch *batch, size_t index,
                                                size_t encoding,
                                                struct btk_document_view *out_view);

// The text of one token, when BTK_FIELD_TOKENS was asked for; not NUL-terminated. NULL: no such
// token.
BTK_API const char *btk_document_token(const struct btk_document_view *view, size_t token_index,
                                       size_t *out_bytes);

// Timing of the shard that was finished last: its parts are what the caller waited for. Errors:
// -EINVAL when the batch is not DONE.
BTK_API_MUST_USE BTK_API int btk_batch_timing(const struct btk_batch *batch,
                                              struct btk_batch_timing *out_timing);

// Timing of one shard, 0 <= shard_index < shard_count.
BTK_API_MUST_USE BTK_API int btk_batch_shard_timing(const struct btk_batch *batch,
                                                    uint32_t shard_index,
                                                    struct btk_batch_timing *out_timing);

// A word of the caller's, for event loops. NULL at first.
BTK_API void btk_batch_set_user_data(struct btk_batch *batch, void *user_data);
BTK_API void *btk_batch_user_data(const struct btk_batch *batch);

// Gives back the room of text and results; cancels first when in flight (the room of the text is
// then used again only when the cluster has let go of it). *batch may be NULL; it is NULL
// afterwards.
BTK_API void btk_client_release(struct btk_client *client, struct btk_batch **batch);

#ifdef __cplusplus
}
#endif
