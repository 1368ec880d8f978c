// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/decoder/fused.h"

#include <string.h>

#include "common/utf8.h"
#include "tokenizer/decoder/token_step.h"
#include "tokenizer/space_mark.h"

enum { COPY_BYTES = 16, SMALL_BYTES = 512 };

static const struct btk_bytes replacement = {(const uint8_t *)"\xef\xbf\xbd", 3};

// --- Steps on one string

// Two rooms take turns; most strings fit into what the stack has.
static int run_steps(const struct btk_image *image, uint32_t begin, uint32_t end,
                     struct btk_bytes text, unsigned place, struct btk_room *out)
{
    uint8_t memory[2][SMALL_BYTES];
    struct btk_room rooms[2] = {btk_room_on(memory[0], SMALL_BYTES),
                                btk_room_on(memory[1], SMALL_BYTES)};
    int status = 0;
    if (begin == end) return btk_room_append(out, text);
    for (uint32_t i = begin; i < end && !status; i++) {
        struct btk_decoder_step step;
        struct btk_room *const room = i + 1 == end ? out : &rooms[i % 2];
        btk_decoder_step_init(&step, image, i);
        if (room != out) room->length = 0;
        status = btk_decoder_step_apply(&step, text, place, room);
        btk_decoder_step_clear(&step);
        text = btk_room_text(room);
    }
    btk_room_clear(&rooms[0]);
    btk_room_clear(&rooms[1]);
    return status;
}

int btk_fused_head(const struct btk_image *image, const struct btk_decoder_plan *plan,
                   struct btk_bytes text, unsigned place, struct btk_room *out)
{
    if (!plan->is_lossy) return run_steps(image, 0, plan->head_end, text, place, out);
    uint8_t memory[SMALL_BYTES];
    struct btk_room room = btk_room_on(memory, sizeof memory);
    int status = run_steps(image, 0, plan->head_end, text, place, &room);
    if (!status) status = btk_decoder_append_bytes(btk_room_text(&room), out);
    btk_room_clear(&room);
    return status;
}

int btk_fused_middle(const struct btk_image *image, const struct btk_decoder_plan *plan,
                     struct btk_bytes text, struct btk_room *out)
{
    return run_steps(image, plan->middle_begin, plan->middle_end, text, 0, out);
}

// --- Runs of bytes

// Bytes of a run that is over, of which each that is no part of a character becomes U+FFFD.
static int end_run_apart(struct btk_room *out, size_t begin)
{
    const size_t valid = begin + btk_utf8_valid_prefix(out->data + begin, out->length - begin);
    if (valid == out->length) return 0;
    uint8_t memory[SMALL_BYTES];
    struct btk_room rest = btk_room_on(memory, sizeof memory);
    int status = btk_room_append(&rest, (struct btk_bytes){out->data + valid, out->length - valid});
    out->length = valid;
    for (size_t at = 0; at < rest.length && !status;) {
        const uint8_t *const text = rest.data + at;
        const size_t length = btk_utf8_valid_prefix(text, rest.length - at);
        status = btk_room_append(out, length ? (struct btk_bytes){text, length} : replacement);
        at += length ? length : 1;
    }
    btk_room_clear(&rest);
    return status;
}

// The run [begin, end of the room) is over. It is text and stays, or U+FFFD for each of its bytes.
static int end_run(const struct btk_decoder *decoder, struct btk_room *out, size_t begin)
{
    if (decoder->plan.runs_are_apart) return end_run_apart(out, begin);
    const size_t length = out->length - begin;
    const bool is_text = btk_utf8_valid_prefix(out->data + begin, length) == length;
    const struct btk_decoder_plan *const plan = &decoder->plan;
    const bool has_middle = plan->middle_begin != plan->middle_end;
    if (is_text && !has_middle) return 0;
    uint8_t memory[SMALL_BYTES];
    struct btk_room one = btk_room_on(memory, sizeof memory);
    const struct btk_bytes run = {out->data + begin, length};
    int status = btk_fused_middle(decoder->image, plan, is_text ? run : replacement, &one);
    out->length = begin;
    for (size_t i = 0; i < (is_text ? 1 : length) && !status; i++)
        status = btk_room_append(out, btk_room_text(&one));
    btk_room_clear(&one);
    return status;
}

// --- SentencePiece

struct btk_bytes btk_fused_text(const struct btk_decoder *decoder, uint32_t id,
                                bool *in_out_has_begun)
{
    const struct btk_image *const image = decoder->image;
    const uint32_t flags = image->tokens[id].flags;
    struct btk_bytes text = btk_image_decoded_text(image, id);
    const bool has_begun = *in_out_has_begun;
    *in_out_has_begun = has_begun || text.length;
    if (has_begun || !decoder->plan.drops_space || (flags & (BTK_TOKEN_BYTE | BTK_TOKEN_SPECIAL)))
        return text;
    const struct btk_bytes piece = btk_image_shown_text(image, id);
    if (!text.length || text.data[0] != ' ' || !piece.length
        || !btk_begins_with_space_mark(piece.data, piece.length))
        return text;
    text = (struct btk_bytes){text.data + 1, text.length - 1};
    *in_out_has_begun = text.length || !decoder->plan.drops_spaces;
    return text;
}

// --- Copying

struct copier {
    const struct btk_image *image;
    struct btk_room *out;
    uint32_t wanted; // flags of a token that has text, of those in `looked_at`
    uint32_t looked_at;
    size_t whole_end; // texts that begin before this may be read 16 bytes at a time
};

static inline int copy_token(const struct copier *copier, uint32_t id)
{
    const struct btk_image *const image = copier->image;
    const size_t begin = image->decoded_ends[id], length = image->decoded_ends[id + 1] - begin;
    struct btk_room *const out = copier->out;
    if (length <= COPY_BYTES && begin < copier->whole_end
        && out->capacity - out->length >= COPY_BYTES) {
        memcpy(out->data + out->length, image->decoded_text + begin, COPY_BYTES);
        out->length += length;
        return 0;
    }
    return btk_room_append(out, (struct btk_bytes){image->decoded_text + begin, length});
}

static int copy_all(const struct copier *copier, const uint32_t *ids, size_t id_count)
{
    const uint32_t token_count = copier->image->config->token_count;
    const struct btk_token_info *const tokens = copier->image->tokens;
    for (size_t i = 0; i < id_count; i++) {
        const uint32_t id = ids[i];
        if (id >= token_count || (tokens[id].flags & copier->looked_at) != copier->wanted) continue;
        const int status = copy_token(copier, id);
        if (status < 0) return status;
    }
    return 0;
}

static int copy_runs(const struct btk_decoder *decoder, const struct copier *copier,
                     const uint32_t *ids, size_t id_count)
{
    const uint32_t token_count = copier->image->config->token_count;
    const struct btk_token_info *const tokens = copier->image->tokens;
    size_t run_begin = SIZE_MAX; // there is none
    int status = 0;
    for (size_t i = 0; i < id_count; i++) {
        const uint32_t id = ids[i];
        if (id >= token_count || (tokens[id].flags & copier->looked_at) != copier->wanted) continue;
        const bool is_byte = tokens[id].flags & BTK_TOKEN_BYTE;
        if (is_byte && run_begin == SIZE_MAX) {
            run_begin = copier->out->length;
        } else if (!is_byte && run_begin != SIZE_MAX) {
            status = end_run(decoder, copier->out, run_begin);
            run_begin = SIZE_MAX;
        }
        if (!status) status = copy_token(copier, id);
        if (status < 0) return status;
    }
    return run_begin == SIZE_MAX ? 0 : end_run(decoder, copier->out, run_begin);
}

// Bytes that are not UTF-8 become U+FFFD, one for each maximal part, as Rust's from_utf8_lossy()
// has it. The bytes are moved to the end of the room first, so that growing never overtakes
// reading.
static int replace_invalid(struct btk_room *room, size_t begin)
{
    const size_t valid = begin + btk_utf8_valid_prefix(room->data + begin, room->length - begin);
    if (valid == room->length) return 0;
    const size_t left = room->length - valid;
    const int status = btk_room_reserve(room, 2 * left);
    if (status < 0) return status;
    uint8_t *const in = room->data + room->capacity - left;
    memmove(in, room->data + valid, left);
    room->length = valid + btk_utf8_replace_invalid(room->data + valid, in, left);
    return 0;
}

// The tokens up to the first text; how many they were.
static int copy_beginning(const struct btk_decoder *decoder, const uint32_t *ids, size_t id_count,
                          struct btk_room *out, size_t *out_count)
{
    bool has_begun = false;
    size_t at = 0;
    int status = 0;
    for (; at < id_count && !has_begun && !status; at++) {
        if (!btk_decoder_takes(decoder, ids[at])) continue;
        if (decoder->image->tokens[ids[at]].flags & BTK_TOKEN_BYTE) break;
        status = btk_room_append(out, btk_fused_text(decoder, ids[at], &has_begun));
    }
    *out_count = at;
    return status;
}

int btk_fused_run(struct btk_decoder *decoder, const uint32_t *ids, size_t id_count,
                  struct btk_room *out)
{
    const struct btk_image *const image = decoder->image;
    const size_t begin = out->length, text_bytes = image->decoded_ends[image->config->token_count];
    const struct copier copier = {
        .image = image,
        .out = out,
        .wanted = BTK_TOKEN_EXISTS,
        .looked_at = BTK_TOKEN_EXISTS | (decoder->skips_special ? BTK_TOKEN_SPECIAL : 0u),
        .whole_end = text_bytes < COPY_BYTES ? 0 : text_bytes - COPY_BYTES + 1};
    size_t first = 0;
    int status = 0;
    if (decoder->plan.first_differs) {
        while (first < id_count && !btk_decoder_takes(decoder, ids[first])) first++;
        if (first < id_count)
            status =
                btk_fused_head(image, &decoder->plan, btk_image_shown_text(image, ids[first++]),
                               BTK_PLACE_FIRST, out);
    }
    if (decoder->plan.drops_space) status = copy_beginning(decoder, ids, id_count, out, &first);
    if (status < 0) return status;
    status = decoder->plan.has_runs ? copy_runs(decoder, &copier, ids + first, id_count - first)
                                    : copy_all(&copier, ids + first, id_count - first);
    return status < 0 || !decoder->plan.is_lossy ? status : replace_invalid(out, begin);
}
