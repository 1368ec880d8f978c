// SPDX-License-Identifier: Apache-2.0
// A stretch of text on its way through the stages, each byte of which knows its place in the source.
//
//     source       H e l l o   W o r l d        what the caller gave
//     span         h e l l o   w o r l d        what the normalizer or a pre-tokenizer made of it
//     begins       0 1 2 3 4 5 6 7 8 ...        source bytes [begins[i], ends[i]) became byte i
//
// All stages take and give spans. A stage that changes nothing passes on what it was given; one that
// writes does so into memory of its own, which stays until it is called again.
//
// Source: NormalizedString of the reference's tokenizer/normalizer.rs: its `alignments` are our maps,
// but ours count from the beginning of the whole text.
//
// Ownership: a span borrows everything. Threads: none of its own.
#pragma once

#include <stdint.h>

#include "common/base.h"

// Without maps byte i is byte base + i of the source.
struct btk_span {
    struct btk_bytes text; // valid UTF-8
    uint32_t base;
    const uint32_t *begins; // NULL: no maps
    const uint32_t *ends;
    const uint8_t *readable_end; // nothing at or behind it is read
};

static inline uint32_t btk_span_source_begin(const struct btk_span *span, size_t at)
{
    return span->begins ? span->begins[at] : span->base + (uint32_t)at;
}

static inline uint32_t btk_span_source_end(const struct btk_span *span, size_t last)
{
    return span->ends ? span->ends[last] : span->base + (uint32_t)last + 1;
}

// The bytes [begin, end) of a span as one of their own.
static inline struct btk_span btk_span_part(const struct btk_span *span, size_t begin, size_t end)
{
    struct btk_span part = *span;
    part.text = (struct btk_bytes){span->text.data + begin, end - begin};
    part.base += (uint32_t)begin;
    if (span->begins) {
        part.begins += begin;
        part.ends += begin;
    }
    return part;
}
