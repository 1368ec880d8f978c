// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/decoder/running_text.h"

#include <string.h>

#include "common/utf8.h"
#include "tokenizer/decoder/fused.h"
#include "tokenizer/decoder/token_step.h"

// Strip is looked at with each view.
enum { STRIPPED_MAX = 16 };

static const struct btk_bytes replacement = {(const uint8_t *)"\xef\xbf\xbd", 3};

bool btk_running_text_fits(const struct btk_decoder *decoder)
{
    const struct btk_decoder_plan *const plan = &decoder->plan;
    const struct btk_step_list *const list = &decoder->image->decoder;
    if (!plan->is_fused || plan->middle_begin != plan->middle_end) return false;
    if (plan->tail_begin == list->count) return true;
    return plan->tail_strips && list->steps[plan->tail_begin].numbers[1] <= STRIPPED_MAX;
}

void btk_running_text_init(struct btk_running_text *text, struct btk_decoder *decoder)
{
    *text = (struct btk_running_text){.decoder = decoder};
}

void btk_running_text_reset(struct btk_running_text *text)
{
    text->settled.length = text->open.length = text->open_checked = 0;
    text->open_is_broken = text->has_begun = false;
}

void btk_running_text_clear(struct btk_running_text *text)
{
    btk_room_clear(&text->settled);
    btk_room_clear(&text->open);
}

// --- One more token

// ByteLevel: all but the beginning of a character is known. SentencePiece: the same, and each byte that
// is no text is one U+FFFD (`is_apart`), not all that could have been a character.
static int settle_bytes(struct btk_running_text *text, bool is_apart)
{
    struct btk_room *const open = &text->open;
    size_t at = 0, length;
    bool is_text;
    int status = 0;
    while (at < open->length && !status) {
        const struct btk_bytes rest = {open->data + at, open->length - at};
        length = btk_decoder_known_part(rest, &is_text);
        if (!length) break;
        const size_t count = is_text || !is_apart ? 1 : length;
        for (size_t i = 0; i < count && !status; i++)
            status = btk_room_append(&text->settled,
                                     is_text ? (struct btk_bytes){rest.data, length} : replacement);
        at += length;
    }
    open->length -= at;
    if (open->length) memmove(open->data, open->data + at, open->length);
    return status;
}

// ByteFallback: a run is known at its end.
static void check_run(struct btk_running_text *text)
{
    while (text->open_checked < text->open.length && !text->open_is_broken) {
        bool is_text;
        const struct btk_bytes rest = {text->open.data + text->open_checked,
                                       text->open.length - text->open_checked};
        const size_t length = btk_decoder_known_part(rest, &is_text);
        if (!length) break;
        if (is_text)
            text->open_checked += length;
        else
            text->open_is_broken = true;
    }
}

static bool run_is_text(const struct btk_running_text *text)
{
    return text->open_checked == text->open.length;
}

static int end_run(struct btk_running_text *text)
{
    int status = 0;
    if (run_is_text(text))
        status = btk_room_append(&text->settled, btk_room_text(&text->open));
    else
        for (size_t i = 0; i < text->open.length && !status; i++)
            status = btk_room_append(&text->settled, replacement);
    text->open.length = text->open_checked = 0;
    text->open_is_broken = false;
    return status;
}

static int push_run(struct btk_running_text *text, uint32_t id)
{
    const struct btk_image *const image = text->decoder->image;
    const struct btk_bytes token = btk_fused_text(text->decoder, id, &text->has_begun);
    int status;
    if (image->tokens[id].flags & BTK_TOKEN_BYTE) {
        status = btk_room_append(&text->open, token);
        if (text->decoder->plan.runs_are_apart)
            return status < 0 ? status : settle_bytes(text, true);
        check_run(text);
        return status;
    }
    status = end_run(text);
    return status < 0 ? status : btk_room_append(&text->settled, token);
}

int btk_running_text_push(struct btk_running_text *text, uint32_t id)
{
    const struct btk_decoder *const decoder = text->decoder;
    const struct btk_decoder_plan *const plan = &decoder->plan;
    const bool is_first = plan->first_differs && !text->has_begun;
    struct btk_room *const room = plan->is_lossy ? &text->open : &text->settled;
    if (plan->has_runs) return push_run(text, id);
    text->has_begun = true;
    const int status =
        is_first ? btk_fused_head(decoder->image, plan, btk_image_shown_text(decoder->image, id),
                                  BTK_PLACE_FIRST, room)
                 : btk_room_append(room, btk_image_decoded_text(decoder->image, id));
    return status < 0 || !plan->is_lossy ? status : settle_bytes(text, false);
}

// --- The text so far

static bool begins_with(struct btk_bytes text, struct btk_bytes prefix)
{
    return text.length >= prefix.length && memcmp(text.data, prefix.data, prefix.length) == 0;
}

// `in_out_count` is how many may still be taken off.
static void strip(struct btk_bytes *text, struct btk_bytes content, uint32_t *in_out_count)
{
    while (*in_out_count && begins_with(*text, content)) {
        text->data += content.length;
        text->length -= content.length;
        --*in_out_count;
    }
    if (text->length) *in_out_count = 0;
}

static void strip_view(const struct btk_decoder *decoder, struct btk_running_view *view)
{
    struct btk_decoder_step step;
    btk_decoder_step_init(&step, decoder->image, decoder->plan.tail_begin);
    uint32_t count = step.step->numbers[1];
    strip(&view->settled, step.first, &count);
    strip(&view->open, step.first, &count);
    if (step.first.length != replacement.length || !begins_with(step.first, replacement)) return;
    while (count && view->replacement_count) {
        view->replacement_count--;
        count--;
    }
}

static bool ends_with_replacement(struct btk_bytes text)
{
    return text.length >= replacement.length
           && memcmp(text.data + text.length - replacement.length, replacement.data,
                     replacement.length)
                  == 0;
}

struct btk_running_view btk_running_text_view(const struct btk_running_text *text)
{
    struct btk_running_view view = {.settled = btk_room_text(&text->settled)};
    if (text->decoder->plan.is_lossy)
        view.replacement_count = text->open.length ? 1 : 0;
    else if (run_is_text(text))
        view.open = btk_room_text(&text->open);
    else
        view.replacement_count = text->open.length;
    if (text->decoder->plan.tail_strips) strip_view(text->decoder, &view);
    view.length =
        view.settled.length + view.open.length + replacement.length * view.replacement_count;
    view.ends_in_replacement =
        view.replacement_count
        || ends_with_replacement(view.open.length ? view.open : view.settled);
    return view;
}

static struct btk_bytes behind(struct btk_bytes text, size_t *in_out_skip_bytes)
{
    const size_t skip = btk_min_size(text.length, *in_out_skip_bytes);
    *in_out_skip_bytes -= skip;
    return (struct btk_bytes){text.data + skip, text.length - skip};
}

int btk_running_view_append(const struct btk_running_view *view, size_t skip_bytes,
                            struct btk_room *out)
{
    int status = btk_room_append(out, behind(view->settled, &skip_bytes));
    if (!status) status = btk_room_append(out, behind(view->open, &skip_bytes));
    for (size_t i = 0; i < view->replacement_count && !status; i++)
        status = btk_room_append(out, behind(replacement, &skip_bytes));
    return status;
}

bool btk_running_view_begins_with(const struct btk_running_view *view, struct btk_bytes prefix)
{
    const struct btk_bytes parts[] = {view->settled, view->open};
    for (size_t i = 0; i < BTK_ARRAY_COUNT(parts) && prefix.length; i++) {
        const size_t length = btk_min_size(parts[i].length, prefix.length);
        if (length && memcmp(parts[i].data, prefix.data, length) != 0) return false;
        prefix.data += length;
        prefix.length -= length;
    }
    for (; prefix.length; prefix.data += replacement.length, prefix.length -= replacement.length)
        if (!begins_with(prefix, replacement)) return false;
    return true;
}
