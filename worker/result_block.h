// SPDX-License-Identifier: Apache-2.0
// Lays out and writes one block of results (ipc/batch.h). How many tokens a shard has is known only
// after it was encoded, so columns stand apart while tokens come in, and are moved together then:
//
//     while open   | head | documents | ids ....... | offsets ............. | type ids ....... |
//     written      | head | documents | ids | offsets | type ids | token text |
//
// The ids come first, so a block of ids alone is never moved. The text of tokens, what is wrong with
// documents that failed and where encodings end wait in private buffers. `written` may be elsewhere: the block of a shard with a memfd of its own is put together
// in private memory and written once its size is known.
//
// A block that would outgrow its limit is full: nothing more is taken, and the shard is made again
// in a memfd of its own, of the size that it takes.
//
// Ownership: borrows base, destination and the buffers. Threads: one.
#pragma once

#include <budtiktok/tokenizer.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buffer.h"
#include "ipc/batch.h"
#include "ipc/worker_page.h"

// What has no place in the block while it is open.
struct btk_result_buffers {
    struct btk_buffer token_text; // cumulative for the block; the caller appends
    struct btk_buffer messages;   // of documents that failed
    struct btk_buffer encodings;  // uint64_t: where each ends, when documents may have several
};

struct btk_result_room {
    uint8_t *base; // 8-byte aligned
    uint64_t bytes;
    uint64_t limit_bytes;         // of the written block; may be more than `bytes`
    struct btk_worker_page *page; // whose progress long copies renew; NULL: nobody looks
};

struct btk_result_block {
    struct btk_result_header header; // identity and stamps are the caller's, the rest is ours
    struct btk_result_header open;   // where the columns stand while tokens come in
    struct btk_result_room room;
    struct btk_result_buffers *buffers;
    uint64_t capacity;     // tokens (encode) or bytes of text (decode)
    uint64_t added_tokens; // of the next document, by add_encoding
    uint32_t added_encodings;
    uint32_t documents_done;
    uint32_t document_errors;
    uint64_t wanted; // when full: tokens or bytes of text that it needs, as far as they are known
    bool is_full;    // a document did not fit: the block is worth nothing
};

// Room that is enough for a block of `header`'s op, fields and document_count with that many tokens
// (encode) or bytes of text (decode), without the text of tokens.
uint64_t btk_result_block_bound(const struct btk_result_header *header, uint64_t count);

// Begins a block. Of *header, op, fields and document_count are looked at. -ENOBUFS: not even the
// document table fits.
BTK_MUST_USE int btk_result_block_open(struct btk_result_block *block,
                                       const struct btk_result_header *header,
                                       const struct btk_result_room *room,
                                       struct btk_result_buffers *buffers);

// Where the tokens of the next document go; `capacity` is what is left. `sources` is NULL.
void btk_result_block_tail(const struct btk_result_block *block, struct btk_encoding *out_tail);

// Where the ends of the next document's tokens go; NULL when nobody asked for tokens.
uint32_t *btk_result_block_token_ends(const struct btk_result_block *block);

// Where the next document's text goes (decode).
uint8_t *btk_result_block_text(const struct btk_result_block *block, uint64_t *out_room_bytes);

// Ends a document that has `count` tokens at the tail, or bytes of text (decode), and with it the
// text of tokens that was appended. The block may be full after it.
void btk_result_block_end(struct btk_result_block *block, uint64_t count);

// One more encoding of the next document, from columns elsewhere; end(block, 0) ends the document.
// -E2BIG: the text of its tokens is too long; -ENOMEM. The block may be full after it.
BTK_MUST_USE int btk_result_block_add_encoding(struct btk_result_block *block,
                                               const struct btk_encoding_view *encoding);

// Ends a document that has no result. What was written at the tail is forgotten. `message`: what is
// wrong with it, when the status does not say it all; NULL otherwise. The block may be full after it.
void btk_result_block_fail(struct btk_result_block *block, uint32_t status, uint64_t detail,
                           const char *message);

// The size that write() will need.
uint64_t btk_result_block_bytes(const struct btk_result_block *block);

// Moves everything but the head together at `destination`, which may be the base. All documents
// have ended, and the block is not full.
void btk_result_block_write(struct btk_result_block *block, uint8_t *destination);

// Writes the head, with the stamps that header has by now, after write().
void btk_result_block_write_header(const struct btk_result_block *block, uint8_t *destination);
