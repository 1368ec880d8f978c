// SPDX-License-Identifier: Apache-2.0
// Decoding id by id. Source of the exact mode: step_decode_stream() of the reference's
// tokenizer/mod.rs, which keeps the ids since the text before the last one
//
//     ids      | those of the prefix | new ones |
//     text     | the prefix          | what a step returns, once it does not end in U+FFFD |
//
// and decodes them all again with each step. Here the text of the ids is kept while it grows
// (running_text.h). Lists of decoders for which that cannot be done are run again, within a limit.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tokenizer/decoder/fused.h"
#include "tokenizer/decoder/running_text.h"
#include "tokenizer/engine.h"

// How often an id may be decoded again, on the average of a stream.
enum { AGAIN_MAX = 4096, AGAIN_FREE = 1 << 20 };

struct btk_decode_stream {
    const struct btk_tokenizer *tokenizer;
    uint8_t mode; // enum btk_stream_mode
    bool is_running;
    bool is_broken; // exact: the text has changed where nothing changes it back
    struct btk_decoder decoder;
    struct btk_running_text running;
    struct btk_chain *chain; // lossless; SentencePiece: without steps
    bool has_begun;          // lossless: there was a text
    struct btk_room text;    // not running: of all ids below
    uint32_t *ids;           // those that have text
    size_t id_count, id_capacity;
    struct btk_room prefix;
    size_t prefix_id_count;
    uint64_t given_count, again_count;
    struct btk_room out;
};

static int no_memory(struct btk_error_info *out_error)
{
    return btk_decoder_error(-ENOMEM, out_error);
}

// --- The text of all ids

static struct btk_running_view view_text(const struct btk_decode_stream *stream)
{
    if (stream->is_running) return btk_running_text_view(&stream->running);
    // Text of the same shape, all of it settled.
    static const char replacement[] = "\xef\xbf\xbd";
    const struct btk_bytes text = btk_room_text(&stream->text);
    return (struct btk_running_view){
        .settled = text,
        .length = text.length,
        .ends_in_replacement =
            text.length >= 3 && memcmp(text.data + text.length - 3, replacement, 3) == 0};
}

static int decode_again(struct btk_decode_stream *stream)
{
    stream->again_count += stream->id_count;
    if (stream->again_count / AGAIN_MAX > stream->given_count + AGAIN_FREE / AGAIN_MAX)
        return -E2BIG;
    stream->text.length = 0;
    return btk_decoder_run(&stream->decoder, stream->ids, stream->id_count, &stream->text);
}

static int extend(struct btk_decode_stream *stream, const uint32_t *ids, size_t count)
{
    if (count > SIZE_MAX / 8 - stream->id_count) return -ENOMEM;
    if (stream->id_count + count > stream->id_capacity) {
        const size_t capacity = 2 * (stream->id_count + count) + 64;
        uint32_t *const grown = realloc(stream->ids, capacity * sizeof *grown);
        if (!grown) return -ENOMEM;
        stream->ids = grown;
        stream->id_capacity = capacity;
    }
    stream->given_count += count;
    for (size_t i = 0; i < count; i++) {
        if (!btk_decoder_takes(&stream->decoder, ids[i])) continue;
        stream->ids[stream->id_count++] = ids[i];
        const int status = stream->is_running ? btk_running_text_push(&stream->running, ids[i]) : 0;
        if (status < 0) return status;
    }
    return stream->is_running ? 0 : decode_again(stream);
}

// The ids of the prefix go.
static int drop_prefix(struct btk_decode_stream *stream)
{
    stream->id_count -= stream->prefix_id_count;
    memmove(stream->ids, stream->ids + stream->prefix_id_count,
            stream->id_count * sizeof *stream->ids);
    if (!stream->is_running) return decode_again(stream);
    int status = 0;
    btk_running_text_reset(&stream->running);
    for (size_t i = 0; i < stream->id_count && !status; i++)
        status = btk_running_text_push(&stream->running, stream->ids[i]);
    return status;
}

// The text is the prefix from now on.
static int keep_prefix(struct btk_decode_stream *stream)
{
    const struct btk_running_view view = view_text(stream);
    stream->prefix.length = 0;
    stream->prefix_id_count = stream->id_count;
    return btk_running_view_append(&view, 0, &stream->prefix);
}

// --- Exact

static int changed_text(struct btk_decode_stream *stream, const struct btk_running_view *view,
                        uint32_t id, struct btk_error_info *out_error)
{
    struct btk_error error;
    const struct btk_bytes settled = {view->settled.data,
                                      btk_min_size(view->settled.length, stream->prefix.length)};
    stream->is_broken = stream->is_running && settled.length
                        && memcmp(settled.data, stream->prefix.data, settled.length) != 0;
    btk_error_set(&error, EBADMSG, BTK_NO_OFFSET,
                  "the id %u changes text that was given out already, \"%.*s\"", id,
                  (int)btk_min_size(stream->prefix.length, 100), (const char *)stream->prefix.data);
    return btk_error_export(&error, out_error);
}

// What is new of the text, and then it is the prefix.
static int give_out(struct btk_decode_stream *stream, const struct btk_running_view *view)
{
    int status = btk_running_view_append(view, stream->prefix.length, &stream->out);
    if (!status) status = drop_prefix(stream);
    if (!status) status = keep_prefix(stream);
    return status < 0 ? status : 1;
}

static int step_exactly(struct btk_decode_stream *stream, const uint32_t *ids, size_t count,
                        struct btk_error_info *out_error)
{
    int status = 0;
    if (!stream->prefix.length && stream->id_count && !view_text(stream).ends_in_replacement)
        status = keep_prefix(stream);
    if (!status) status = extend(stream, ids, count);
    if (status < 0) return btk_decoder_error(status, out_error);
    const struct btk_running_view view = view_text(stream);
    if (view.length <= stream->prefix.length || view.ends_in_replacement) return 0;
    if (stream->is_broken || !btk_running_view_begins_with(&view, btk_room_text(&stream->prefix)))
        return changed_text(stream, &view, count ? ids[count - 1] : 0, out_error);
    status = give_out(stream, &view);
    return status < 0 ? btk_decoder_error(status, out_error) : status;
}

// --- Lossless

static int step_lossless(struct btk_decode_stream *stream, const uint32_t *ids, size_t count,
                         struct btk_error_info *out_error)
{
    const struct btk_decoder *const decoder = &stream->decoder;
    int status = 0;
    for (size_t i = 0; i < count && !status; i++) {
        if (!btk_decoder_takes(decoder, ids[i])) continue;
        const struct btk_bytes text = decoder->plan.runs_are_apart
                                          ? btk_fused_text(decoder, ids[i], &stream->has_begun)
                                          : btk_image_shown_text(decoder->image, ids[i]);
        status = btk_chain_push(stream->chain, text, &stream->out);
    }
    return status < 0 ? btk_decoder_error(status, out_error) : stream->out.length != 0;
}

// --- The interface

BTK_API int btk_decode_stream_new(const struct btk_tokenizer *tokenizer, uint8_t mode,
                                  bool skip_special_tokens, struct btk_decode_stream **out_stream,
                                  struct btk_error_info *out_error)
{
    struct btk_decode_stream *stream = calloc(1, sizeof *stream);
    if (!stream) return no_memory(out_error);
    stream->tokenizer = tokenizer;
    stream->mode = mode;
    btk_decoder_init(&stream->decoder, &tokenizer->image, skip_special_tokens);
    btk_running_text_init(&stream->running, &stream->decoder);
    stream->is_running = btk_running_text_fits(&stream->decoder);
    const uint32_t first_step =
        stream->decoder.plan.runs_are_apart ? tokenizer->image.decoder.count : 0;
    if (mode == BTK_STREAM_LOSSLESS
        && btk_chain_new(&tokenizer->image, first_step, true, &stream->chain) < 0)
    {
        btk_decode_stream_free(&stream);
        return no_memory(out_error);
    }
    *out_stream = stream;
    return 0;
}

BTK_API void btk_decode_stream_free(struct btk_decode_stream **stream)
{
    struct btk_decode_stream *const old = *stream;
    if (!old) return;
    btk_decoder_clear(&old->decoder);
    btk_running_text_clear(&old->running);
    btk_chain_free(&old->chain);
    btk_room_clear(&old->text);
    btk_room_clear(&old->prefix);
    btk_room_clear(&old->out);
    free(old->ids);
    free(old);
    *stream = NULL;
}

BTK_API void btk_decode_stream_reset(struct btk_decode_stream *stream)
{
    btk_running_text_reset(&stream->running);
    if (stream->chain) btk_chain_reset(stream->chain);
    stream->text.length = stream->prefix.length = stream->out.length = 0;
    stream->id_count = stream->prefix_id_count = 0;
    stream->given_count = stream->again_count = 0;
    stream->is_broken = stream->has_begun = false;
}

BTK_API int btk_decode_stream_prefill(struct btk_decode_stream *stream, const uint32_t *ids,
                                      size_t id_count, struct btk_error_info *out_error)
{
    btk_decode_stream_reset(stream);
    const int status = stream->mode == BTK_STREAM_LOSSLESS
                           ? step_lossless(stream, ids, id_count, out_error)
                           : extend(stream, ids, id_count);
    stream->out.length = 0;
    if (stream->mode == BTK_STREAM_LOSSLESS) return status < 0 ? status : 0;
    return status < 0 ? btk_decoder_error(status, out_error) : 0;
}

BTK_API int btk_decode_stream_step(struct btk_decode_stream *stream, const uint32_t *ids,
                                   size_t id_count, const char **out_text, size_t *out_bytes,
                                   struct btk_error_info *out_error)
{
    stream->out.length = 0;
    const int status = stream->mode == BTK_STREAM_LOSSLESS
                           ? step_lossless(stream, ids, id_count, out_error)
                           : step_exactly(stream, ids, id_count, out_error);
    if (status > 0) {
        *out_text = (const char *)stream->out.data;
        *out_bytes = stream->out.length;
    }
    return status;
}

BTK_API int btk_decode_stream_finish(struct btk_decode_stream *stream, const char **out_text,
                                     size_t *out_bytes, struct btk_error_info *out_error)
{
    struct btk_room out = stream->out;
    out.length = 0;
    stream->out = (struct btk_room){0};
    const int status = stream->chain ? btk_chain_finish(stream->chain, &out) : 0;
    btk_decode_stream_reset(stream);
    stream->out = out;
    if (status < 0) return btk_decoder_error(status, out_error);
    if (!out.length) return 0;
    *out_text = (const char *)out.data;
    *out_bytes = out.length;
    return 1;
}
