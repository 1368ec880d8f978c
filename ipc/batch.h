// SPDX-License-Identifier: Apache-2.0
// The fixed-size structures that travel in rings, in the document table of control messages and at
// the head of a block of results, with the checks that every reader makes on its own copy.
//
//     client  --- struct btk_submission -->  coordinator  --- struct btk_assignment --->  worker
//     client  <-- struct btk_completion ---  coordinator  <-- struct btk_shard_report --  worker
//     client  <------------- struct btk_result_header + columns (shared memory) --------  worker
//
// Trust: a structure that comes from shared memory is copied once, the copy is checked, and only
// the copy is used. Units: offsets and sizes in bytes, stamps in ns of CLOCK_MONOTONIC. All
// integers are of the host's order: these structures never leave the host.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <budtiktok/types.h>

#include "common/base.h"
#include "common/trace_parent.h"

enum btk_submission_kind {
    BTK_SUBMISSION_SUBMIT = 1,
    BTK_SUBMISSION_RELEASE = 2, // the whole batch: its text, and all extents of its results
    BTK_SUBMISSION_CANCEL = 3,
    BTK_SUBMISSION_TRACE = 4, // struct btk_submission_trace, of the SUBMIT that follows
};

enum btk_batch_flag {
    BTK_BATCH_HAS_SHAPES = 1 << 0, // every document has a head (ipc/document.h)
    BTK_BATCH_FLAGS_KNOWN = (1 << 1) - 1,
};

// Client -> coordinator.
struct btk_submission {
    uint8_t kind;
    uint8_t op; // enum btk_operation
    uint16_t slab_id;
    uint32_t options_id;
    uint64_t batch_id;
    uint64_t submitted_ns; // of a RELEASE: when the caller had the result; 0: not known
    // In the slab: uint64_t ends[document_count], relative to text_offset, with BTK_GROUP_END.
    uint64_t table_offset;
    uint64_t text_offset;
    uint64_t text_bytes;
    uint32_t document_count;
    uint32_t flags;       // set of enum btk_batch_flag
    uint64_t deadline_ns; // 0: none
};

// Client -> coordinator, in a slot of its own before that of its batch.
struct btk_submission_trace {
    uint8_t kind; // BTK_SUBMISSION_TRACE
    uint8_t reserved[7];
    uint64_t batch_id;
    struct btk_trace_parent parent;
    uint8_t rest[16];
};

enum btk_completion_kind {
    BTK_COMPLETION_SHARD = 1, // one block is there
    BTK_COMPLETION_BATCH = 2, // all shards of the batch were reported
    BTK_COMPLETION_FAILED =
        3, // refused, canceled or given up: nothing more comes, extents are free
};

// Coordinator -> client.
struct btk_completion {
    uint8_t kind;
    uint8_t status; // enum btk_status
    uint16_t worker_id;
    uint32_t shard_index;
    uint64_t batch_id;
    uint64_t results_id; // 0: the shard failed and has no block; every document has `status`
    uint64_t offset;
    uint64_t bytes;
    uint32_t first_document;
    uint32_t document_count;
    uint32_t shard_count;    // of the batch, when kind is BATCH
    uint32_t retry_after_ms; // when refused for overload
    uint64_t detail;         // of the status: byte offset, bound
};

enum btk_assignment_flag {
    BTK_ASSIGNMENT_OWN_MEMFD = 1 << 0,  // the block goes into a memfd made for this shard alone
    BTK_ASSIGNMENT_HAS_SHAPES = 1 << 1, // every document has a head (ipc/document.h)
};

// Coordinator -> worker.
struct btk_assignment {
    uint64_t shard_id; // never used again
    uint64_t batch_id;
    uint32_t client_id;
    uint32_t options_id;
    uint32_t slab_id;
    uint32_t shard_index;
    uint32_t first_document;
    uint32_t document_count;
    uint32_t flags;
    uint32_t epoch;
    uint32_t op;
    uint32_t trace; // the coordinator's own; 0: the batch is not traced
    uint64_t table_offset;
    uint64_t text_offset;
    uint64_t shard_begin; // relative to text_offset
    uint64_t shard_bytes;
    uint64_t result_offset;
    uint64_t result_limit_bytes;
    uint64_t submitted_ns;
    uint64_t dispatched_ns;
    uint64_t deadline_ns; // 0: none; a shard that has not begun by then is not begun
};

// Worker -> coordinator.
struct btk_shard_report {
    uint64_t shard_id;
    uint32_t epoch;
    uint32_t status;          // enum btk_status of the shard
    uint32_t document_errors; // documents with a status of their own
    uint32_t reserved;
    uint64_t results_id; // where the block is; 0: nowhere
    uint64_t result_bytes;
    uint64_t token_count;
    uint64_t started_ns;
    uint64_t finished_ns;
};

#define BTK_RESULT_MAGIC   UINT64_C(0x31524b5442545542)
#define BTK_RESULT_VERSION 2u

// The head of a block of results. Column offsets are relative to the block; 0: no such column.
struct btk_result_header {
    uint64_t magic;
    uint32_t version;
    uint32_t op;
    uint64_t batch_id;
    uint32_t shard_index;
    uint32_t epoch;
    uint32_t document_count;
    uint32_t fields; // set of enum btk_field that are there
    uint64_t token_count;
    uint64_t block_bytes;
    uint64_t submitted_ns;
    uint64_t dispatched_ns;
    uint64_t previous_finish_ns;
    uint64_t started_ns;
    uint64_t finished_ns;
    uint64_t documents_offset;    // struct btk_result_document[document_count]
    uint64_t ids_offset;          // uint32_t[token_count]
    uint64_t offsets_offset;      // uint32_t[2 * token_count]
    uint64_t type_ids_offset;     // uint32_t[token_count]
    uint64_t word_ids_offset;     // uint32_t[token_count]
    uint64_t special_mask_offset; // uint8_t[token_count]
    uint64_t token_ends_offset;   // uint32_t[token_count], cumulative in token_text
    uint64_t token_text_offset;
    uint64_t text_offset; // decode: text; encode: what is wrong with documents that failed
    uint64_t token_text_bytes;
    uint64_t text_bytes;
    uint32_t first_document;
    uint32_t worker_id;
    uint64_t encoding_count;        // of all documents; 0: each has one
    uint64_t encodings_offset;      // uint64_t[encoding_count]: ends in tokens, cumulative
    uint64_t sequence_ids_offset;   // uint32_t[token_count]
    uint64_t attention_mask_offset; // uint8_t[token_count]
    uint64_t reserved[4];
};

struct btk_result_document {
    uint64_t token_end;    // cumulative in the block
    uint64_t text_end;     // cumulative in the block
    uint32_t status;       // enum btk_status
    uint32_t encoding_end; // cumulative in the block, where documents may have several
    uint64_t detail;       // of the status: byte offset
};

_Static_assert(sizeof(struct btk_submission) == 64, "one slot of a ring");
_Static_assert(sizeof(struct btk_submission_trace) == 64, "one slot of a ring");
_Static_assert(sizeof(struct btk_completion) == 64, "one slot of a ring");
_Static_assert(sizeof(struct btk_assignment) == 128, "part of the wire format");
_Static_assert(sizeof(struct btk_shard_report) == 64, "part of the wire format");
_Static_assert(sizeof(struct btk_result_header) == 256, "part of the wire format");
_Static_assert(sizeof(struct btk_result_document) == 32, "part of the wire format");

enum {
    BTK_BATCH_DOCUMENTS_MAX = 1 << 24,
    BTK_TABLE_ALIGNMENT = 8,
    BTK_TEXT_ALIGNMENT = 8,
    BTK_RESULT_ALIGNMENT = 64,
};

// Where a document ends, by its entry in the table of ends.
static inline uint64_t btk_document_end(uint64_t entry)
{
    return entry & ~BTK_GROUP_END;
}

// True when [offset, offset + bytes) lies inside [0, limit), without overflow.
static inline bool btk_range_is_inside(uint64_t offset, uint64_t bytes, uint64_t limit)
{
    return offset <= limit && bytes <= limit - offset;
}

// Checks a copy of a submission against the slab that it names. 0, or -EPROTO with a message.
struct btk_error;
BTK_MUST_USE int btk_submission_check(const struct btk_submission *submission, uint64_t slab_bytes,
                                      struct btk_error *error);

// Checks a copy of an assignment against the slab and the results memory that it names
// (results_bytes is not looked at for a shard with a memfd of its own).
BTK_MUST_USE int btk_assignment_check(const struct btk_assignment *assignment, uint64_t slab_bytes,
                                      uint64_t results_bytes, struct btk_error *error);

// Checks a copy of the header of a block of `block_bytes` bytes: magic, version, that every column of
// its fields is there, and that all lie inside the block.
BTK_MUST_USE int btk_result_header_check(const struct btk_result_header *header,
                                         uint64_t block_bytes, struct btk_error *error);

// Whether a block with this header answers a request for that: of the same kind, and with the columns
// of all fields and ids, which are always there.
bool btk_result_header_answers(const struct btk_result_header *header, uint32_t op,
                               uint32_t fields);
