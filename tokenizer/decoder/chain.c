// SPDX-License-Identifier: Apache-2.0
// Source: the decode_chain() functions of the reference's decoders/*.rs.
#include "tokenizer/decoder/chain.h"

#include <stdlib.h>

#include "common/utf8.h"
#include "tokenizer/decoder/plan.h"
#include "tokenizer/decoder/step_kind.h"
#include "tokenizer/decoder/token_step.h"

struct chain_step {
    struct btk_decoder_step step;
    struct btk_room out;  // what it made last
    struct btk_room held; // a run of bytes, a text, the string before
    bool has_begun;       // it has had a string
    bool holds;
};

struct btk_chain {
    uint32_t count;
    bool is_stream;
    bool strips;             // stream: the step behind Fuse takes characters off the beginning
    uint32_t stripped_count; // and has taken so many
    struct btk_room *room;   // of this call
    struct btk_room gate;    // stream: what has come out and may be part of a character
    struct chain_step steps[];
};

// A string on its way. Bytes that are no text, which only a stream lets through, no step changes.
struct entry {
    struct btk_bytes text;
    bool is_raw;
};

static const uint8_t replacement[] = {0xef, 0xbf, 0xbd};

int btk_chain_new(const struct btk_image *image, uint32_t first_step, bool is_stream,
                  struct btk_chain **out_chain)
{
    const uint32_t count = image->decoder.count - first_step;
    struct btk_chain *const chain = calloc(1, sizeof *chain + count * sizeof(struct chain_step));
    if (!chain) return -ENOMEM;
    chain->count = count;
    chain->is_stream = is_stream;
    chain->strips = btk_decoder_plan(image).tail_strips;
    for (uint32_t i = 0; i < count; i++)
        btk_decoder_step_init(&chain->steps[i].step, image, first_step + i);
    *out_chain = chain;
    return 0;
}

void btk_chain_free(struct btk_chain **chain)
{
    if (!chain || !*chain) return;
    for (uint32_t i = 0; i < (*chain)->count; i++) {
        struct chain_step *const step = &(*chain)->steps[i];
        btk_decoder_step_clear(&step->step);
        btk_room_clear(&step->out);
        btk_room_clear(&step->held);
    }
    btk_room_clear(&(*chain)->gate);
    free(*chain);
    *chain = NULL;
}

void btk_chain_reset(struct btk_chain *chain)
{
    chain->stripped_count = 0;
    chain->gate.length = 0;
    for (uint32_t i = 0; i < chain->count; i++) {
        chain->steps[i].held.length = 0;
        chain->steps[i].has_begun = chain->steps[i].holds = false;
    }
}

static int push(struct btk_chain *chain, uint32_t at, struct entry entry);

// --- ByteFallback

static int push_invalid(struct btk_chain *chain, uint32_t at, size_t count)
{
    const struct entry entry = {.text = {replacement, sizeof replacement}};
    for (size_t i = 0; i < count; i++) {
        const int status = push(chain, at, entry);
        if (status < 0) return status;
    }
    return 0;
}

// A run that is not all of characters is a string of U+FFFD for each of its bytes.
static int end_run(struct btk_chain *chain, uint32_t at)
{
    struct btk_room *const run = &chain->steps[at].held;
    const size_t length = run->length;
    if (!length) return 0;
    const bool is_text = btk_utf8_valid_prefix(run->data, length) == length;
    run->length = 0;
    if (!is_text && !chain->is_stream) return push_invalid(chain, at + 1, length);
    return push(chain, at + 1, (struct entry){{run->data, length}, !is_text});
}

static int pass_run(struct btk_chain *chain, uint32_t at)
{
    struct btk_room *const run = &chain->steps[at].held;
    bool is_text;
    size_t length;
    int status = 0;
    while (run->length && !status
           && (length = btk_decoder_known_part(btk_room_text(run), &is_text)) > 0)
    {
        uint8_t part[4];
        memcpy(part, run->data, length);
        run->length -= length;
        memmove(run->data, run->data + length, run->length);
        status = push(chain, at + 1, (struct entry){{part, length}, !is_text});
    }
    return status;
}

static int push_fallback(struct btk_chain *chain, uint32_t at, struct entry entry)
{
    uint8_t byte;
    if (entry.is_raw || !btk_decoder_try_byte(entry.text, &byte)) {
        const int status = end_run(chain, at);
        return status < 0 ? status : push(chain, at + 1, entry);
    }
    const int status = btk_room_append(&chain->steps[at].held, (struct btk_bytes){&byte, 1});
    return status < 0 || !chain->is_stream ? status : pass_run(chain, at);
}

// --- ByteLevel

// In a stream the bytes go out as they are.
static int push_byte_level(struct btk_chain *chain, uint32_t at, struct entry entry)
{
    struct btk_room *const room = chain->is_stream ? chain->room : &chain->steps[at].held;
    return entry.is_raw ? btk_room_append(room, entry.text)
                        : btk_decoder_append_bytes(entry.text, room);
}

static int end_byte_level(struct btk_chain *chain, uint32_t at)
{
    struct chain_step *const step = &chain->steps[at];
    if (chain->is_stream) return 0;
    step->out.length = 0;
    const int status = btk_room_reserve(&step->out, 3 * step->held.length);
    if (status < 0) return status;
    step->out.length = btk_utf8_replace_invalid(step->out.data, step->held.data, step->held.length);
    return push(chain, at + 1, (struct entry){.text = btk_room_text(&step->out)});
}

// --- Fuse

// In a stream what is behind Fuse would need the whole text; only a Strip from the left does not.
static int pass_fused(struct btk_chain *chain, uint32_t at, struct btk_bytes text)
{
    if (chain->strips && at + 1 < chain->count) {
        const struct btk_decoder_step *const strip = &chain->steps[at + 1].step;
        const uint32_t most = strip->step->numbers[1];
        const struct btk_bytes content = strip->first;
        while (chain->stripped_count < most && text.length >= content.length
               && memcmp(text.data, content.data, content.length) == 0)
        {
            text.data += content.length;
            text.length -= content.length;
            chain->stripped_count++;
        }
        if (text.length) chain->stripped_count = most;
    }
    return btk_room_append(chain->room, text);
}

// --- Steps that make one string of one

// A stream goes on where decoding would fail: a Strip of more than there is leaves nothing, and
// what a pattern cannot be tried on, or would make too long, stays as it is.
static int apply(const struct btk_chain *chain, struct chain_step *step, struct btk_bytes text,
                 unsigned place)
{
    step->out.length = 0;
    const int status = btk_decoder_step_apply(&step->step, text, place, &step->out);
    if (status >= 0 || status == -ENOMEM || !chain->is_stream) return status;
    step->out.length = 0;
    return status == -ERANGE ? 0 : btk_room_append(&step->out, text);
}

// --- CTC

// Of the same strings one after the other only the first counts.
static int push_ctc(struct btk_chain *chain, uint32_t at, struct entry entry)
{
    struct chain_step *const step = &chain->steps[at];
    const bool is_same =
        step->holds && entry.text.length == step->held.length
        && (!entry.text.length || memcmp(entry.text.data, step->held.data, entry.text.length) == 0);
    if (entry.is_raw) return push(chain, at + 1, entry);
    if (is_same) return 0;
    step->held.length = 0;
    step->holds = true;
    int status = btk_room_append(&step->held, entry.text);
    if (!status) status = apply(chain, step, entry.text, 0);
    if (status < 0 || !step->out.length) return status;
    return push(chain, at + 1, (struct entry){.text = btk_room_text(&step->out)});
}

// --- BPEDecoder

// The last string is another than the others, so one waits until the next is there.
static int push_suffix(struct btk_chain *chain, uint32_t at, struct entry entry)
{
    struct chain_step *const step = &chain->steps[at];
    int status = 0;
    if (step->holds) {
        status = apply(chain, step, btk_room_text(&step->held), 0);
        if (!status)
            status = push(chain, at + 1, (struct entry){.text = btk_room_text(&step->out)});
    }
    step->holds = !entry.is_raw;
    step->held.length = 0;
    if (status < 0) return status;
    return entry.is_raw ? push(chain, at + 1, entry) : btk_room_append(&step->held, entry.text);
}

static int end_suffix(struct btk_chain *chain, uint32_t at)
{
    struct chain_step *const step = &chain->steps[at];
    if (!step->holds) return 0;
    const int status = apply(chain, step, btk_room_text(&step->held), BTK_PLACE_LAST);
    if (status < 0) return status;
    return push(chain, at + 1, (struct entry){.text = btk_room_text(&step->out)});
}

// --- All

static int push(struct btk_chain *chain, uint32_t at, struct entry entry)
{
    for (; at < chain->count; at++) {
        struct chain_step *const step = &chain->steps[at];
        const unsigned place = step->has_begun ? 0 : BTK_PLACE_FIRST;
        step->has_begun = true;
        switch (step->step.step->kind) {
        case BTK_DECODE_BYTE_FALLBACK: return push_fallback(chain, at, entry);
        case BTK_DECODE_BYTE_LEVEL: return push_byte_level(chain, at, entry);
        case BTK_DECODE_CTC: return push_ctc(chain, at, entry);
        case BTK_DECODE_SUFFIX: return push_suffix(chain, at, entry);
        case BTK_DECODE_FUSE:
            return chain->is_stream ? pass_fused(chain, at, entry.text)
                                    : btk_room_append(&step->held, entry.text);
        default: break;
        }
        if (entry.is_raw) continue;
        const int status = apply(chain, step, entry.text, place);
        if (status < 0) return status;
        entry.text = btk_room_text(&step->out);
    }
    return btk_room_append(chain->room, entry.text);
}

// In a stream: what is known of the bytes that came out, which may be parts of a character each.
static int pass_gate(struct btk_chain *chain, struct btk_room *out, bool is_end)
{
    struct btk_room *const gate = &chain->gate;
    size_t known = is_end ? gate->length : 0;
    while (known < gate->length) {
        bool is_text;
        const struct btk_bytes rest = {gate->data + known, gate->length - known};
        const size_t length = btk_decoder_known_part(rest, &is_text);
        if (!length) break;
        known += length;
    }
    const int status = btk_room_append(out, (struct btk_bytes){gate->data, known});
    gate->length -= known;
    if (gate->length) memmove(gate->data, gate->data + known, gate->length);
    return status;
}

int btk_chain_push(struct btk_chain *chain, struct btk_bytes text, struct btk_room *out)
{
    chain->room = chain->is_stream ? &chain->gate : out;
    const int status = push(chain, 0, (struct entry){.text = text});
    return status < 0 || !chain->is_stream ? status : pass_gate(chain, out, false);
}

static int end_step(struct btk_chain *chain, uint32_t at)
{
    struct chain_step *const step = &chain->steps[at];
    switch (step->step.step->kind) {
    case BTK_DECODE_BYTE_FALLBACK: return end_run(chain, at);
    case BTK_DECODE_BYTE_LEVEL: return end_byte_level(chain, at);
    case BTK_DECODE_SUFFIX: return end_suffix(chain, at);
    case BTK_DECODE_FUSE:
        if (chain->is_stream) return 0;
        return push(chain, at + 1, (struct entry){.text = btk_room_text(&step->held)});
    default: return 0;
    }
}

int btk_chain_finish(struct btk_chain *chain, struct btk_room *out)
{
    int status = 0;
    chain->room = chain->is_stream ? &chain->gate : out;
    for (uint32_t at = 0; at < chain->count && !status; at++) status = end_step(chain, at);
    if (!status && chain->is_stream) status = pass_gate(chain, out, true);
    btk_chain_reset(chain);
    return status;
}
