// SPDX-License-Identifier: Apache-2.0
// ids -> text. Source: decode() of the reference's tokenizer/mod.rs.
#include "tokenizer/decoder/decoder.h"

#include <errno.h>
#include <string.h>

#include "common/utf8.h"
#include "tokenizer/decoder/fused.h"
#include "tokenizer/decoder/step_kind.h"
#include "tokenizer/decoder/token_step.h"
#include "tokenizer/engine.h"

void btk_decoder_init(struct btk_decoder *decoder, const struct btk_image *image,
                      bool skips_special)
{
    *decoder = (struct btk_decoder){
        .image = image, .plan = btk_decoder_plan(image), .skips_special = skips_special};
}

void btk_decoder_clear(struct btk_decoder *decoder)
{
    btk_chain_free(&decoder->chain);
}

static int make_chain(struct btk_decoder *decoder)
{
    if (decoder->chain) return 0;
    return btk_chain_new(decoder->image, decoder->plan.is_fused ? decoder->plan.tail_begin : 0,
                         false, &decoder->chain);
}

static int run_chain(struct btk_decoder *decoder, const uint32_t *ids, size_t id_count,
                     struct btk_room *out)
{
    int status = make_chain(decoder);
    for (size_t i = 0; i < id_count && !status; i++)
        if (btk_decoder_takes(decoder, ids[i]))
            status =
                btk_chain_push(decoder->chain, btk_image_shown_text(decoder->image, ids[i]), out);
    if (!status) status = btk_chain_finish(decoder->chain, out);
    if (status < 0 && decoder->chain) btk_chain_reset(decoder->chain);
    return status;
}

// A Strip from the left needs no other memory.
static int strip_in_place(const struct btk_decoder *decoder, struct btk_room *out, size_t begin)
{
    struct btk_decoder_step strip;
    btk_decoder_step_init(&strip, decoder->image, decoder->plan.tail_begin);
    const size_t content = strip.first.length;
    size_t at = begin;
    for (uint32_t i = 0; i < strip.step->numbers[1] && out->length - at >= content
                         && memcmp(out->data + at, strip.first.data, content) == 0;
         i++)
        at += content;
    if (at == begin) return 0;
    memmove(out->data + begin, out->data + at, out->length - at);
    out->length -= at - begin;
    return 0;
}

// The text so far goes through the tail.
static int run_tail(struct btk_decoder *decoder, struct btk_room *out, size_t begin)
{
    struct btk_room copy = {0};
    int status = make_chain(decoder);
    if (!status)
        status = btk_room_append(&copy, (struct btk_bytes){out->data + begin, out->length - begin});
    if (!status) {
        out->length = begin;
        status = btk_chain_push(decoder->chain, btk_room_text(&copy), out);
    }
    if (!status) status = btk_chain_finish(decoder->chain, out);
    if (status < 0 && decoder->chain) btk_chain_reset(decoder->chain);
    btk_room_clear(&copy);
    return status;
}

// What stands before the tail may need more room than what it leaves.
static int run_tail_apart(struct btk_decoder *decoder, const uint32_t *ids, size_t id_count,
                          struct btk_room *out)
{
    struct btk_room text = {0};
    int status = btk_fused_run(decoder, ids, id_count, &text);
    if (!status) status = run_tail(decoder, &text, 0);
    if (!status) status = btk_room_append(out, btk_room_text(&text));
    btk_room_clear(&text);
    return status;
}

int btk_decoder_run(struct btk_decoder *decoder, const uint32_t *ids, size_t id_count,
                    struct btk_room *out)
{
    const struct btk_decoder_plan *const plan = &decoder->plan;
    const size_t begin = out->length;
    if (!plan->is_fused) return run_chain(decoder, ids, id_count, out);
    if (plan->tail_begin == decoder->image->decoder.count)
        return btk_fused_run(decoder, ids, id_count, out);
    if (!plan->tail_strips) return run_tail_apart(decoder, ids, id_count, out);
    const int status = btk_fused_run(decoder, ids, id_count, out);
    return status < 0 ? status : strip_in_place(decoder, out, begin);
}

int btk_decoder_error(int status, struct btk_error_info *out_error)
{
    struct btk_error error;
    switch (status) {
    case -ENOBUFS:
        btk_error_set(&error, ENOBUFS, BTK_NO_OFFSET, "the text needs more room than there is");
        break;
    case -E2BIG:
        btk_error_set(&error, E2BIG, BTK_NO_OFFSET,
                      "the decoder makes the text longer than %zu "
                      "bytes",
                      BTK_ROOM_BYTES_MAX);
        break;
    case -ERANGE:
        btk_error_set(&error, ERANGE, BTK_NO_OFFSET,
                      "the decoder's Strip takes more characters off a token than it has");
        break;
    case -ETIME:
        btk_error_set(&error, ETIME, BTK_NO_OFFSET,
                      "a pattern of the decoder takes too many steps on this text");
        break;
    case -EINVAL:
        btk_error_set(&error, EINVAL, BTK_NO_OFFSET, "a pattern of the decoder is none");
        break;
    default: btk_error_set(&error, ENOMEM, BTK_NO_OFFSET, "not enough memory to decode"); break;
    }
    return btk_error_export(&error, out_error);
}

// --- The interface

// Of what DECODED_TEXT has, and of the first token, which is made at run time.
static uint64_t fused_bound(const struct btk_image *image, const struct btk_decoder_plan *plan,
                            uint64_t id_count)
{
    uint64_t token_bytes = image->config->decoded_bytes_max;
    uint64_t bytes = 0;
    if (plan->first_differs && id_count) {
        bytes = btk_decoder_bound(image, 0, plan->head_end, image->config->shown_bytes_max, 1);
        id_count--;
    }
    // A byte of a run that is no character becomes three.
    if (plan->has_runs) token_bytes = btk_max_size(token_bytes, 3);
    if (id_count && token_bytes > (BTK_DECODER_UNBOUNDED - bytes) / id_count)
        return BTK_DECODER_UNBOUNDED;
    bytes += token_bytes * id_count;
    if (plan->is_lossy)
        return bytes < BTK_DECODER_UNBOUNDED / 3 ? 3 * bytes : BTK_DECODER_UNBOUNDED;
    return btk_decoder_bound(image, plan->middle_begin, plan->middle_end, bytes, id_count);
}

size_t btk_decode_bound(const struct btk_tokenizer *tokenizer, size_t id_count)
{
    const struct btk_image *const image = &tokenizer->image;
    const struct btk_decoder_plan plan = btk_decoder_plan(image);
    const uint64_t shown_max = image->config->shown_bytes_max;
    const uint64_t count = btk_min_size(id_count, BTK_DECODER_UNBOUNDED >> 32);
    uint64_t bytes = plan.is_fused ? fused_bound(image, &plan, count) : shown_max * count;
    bytes = btk_decoder_bound(image, plan.is_fused ? plan.tail_begin : 0, image->decoder.count,
                              bytes, plan.is_fused ? 1 : count);
    return (size_t)btk_min_size(bytes, SIZE_MAX / 2);
}

int btk_decode(const struct btk_tokenizer *tokenizer, const uint32_t *ids, size_t id_count,
               bool skip_special_tokens, char *out_text, size_t capacity_bytes, size_t *out_bytes,
               struct btk_error_info *out_error)
{
    struct btk_decoder decoder;
    struct btk_room out = btk_room_on(out_text, capacity_bytes);
    out.is_fixed = true;
    btk_decoder_init(&decoder, &tokenizer->image, skip_special_tokens);
    const int status = btk_decoder_run(&decoder, ids, id_count, &out);
    btk_decoder_clear(&decoder);
    if (status < 0) return btk_decoder_error(status, out_error);
    *out_bytes = out.length;
    return 0;
}
