// SPDX-License-Identifier: Apache-2.0
// A span: added tokens of the normalized text, and pieces between them.
#include <errno.h>
#include <string.h>

#include "common/utf8.h"

#include "tokenizer/engine.h"

static btk_pretok_next_fn *const patterns[] = {
#define PATTERN(name, NAME, source) btk_pretok_##name##_next,
    BTK_PATTERN_LIST(PATTERN)
#undef PATTERN
};

static int encode_pieces(struct btk_encoder *encoder, const struct btk_span *span)
{
    struct btk_scratch *const scratch = encoder->scratch;
    const struct btk_image_config *const config = encoder->image->config;
    btk_pretok_next_fn *const next = config->pretokenizer == BTK_PRETOKENIZER_BERT
                                         ? btk_pretok_bert_next
                                         : patterns[config->pattern];
    btk_profiler_enter(&scratch->profiler, BTK_STAGE_PRETOKENIZATION);
    btk_pretok_init(&scratch->pretok, scratch->kernels, span->text);
    size_t count;
    while ((count = next(&scratch->pretok, scratch->pieces, BTK_PIECE_BATCH)) != 0) {
        btk_progress_tick(&scratch->progress);
        btk_profiler_enter(&scratch->profiler, BTK_STAGE_MODEL);
        const int status = btk_encode_pieces(encoder, span, scratch->pieces, count, true);
        if (status < 0) return status;
        btk_profiler_enter(&scratch->profiler, BTK_STAGE_PRETOKENIZATION);
    }
    return 0;
}

enum { PIECES_A_TICK = 4096 };

static int encode_window(struct btk_encoder *encoder, const struct btk_span *span)
{
    struct btk_scratch *const scratch = encoder->scratch;
    const bool wants_maps = encoder->encoding->offsets || encoder->encoding->sources;
    struct btk_span out;
    const struct btk_piece *pieces;
    size_t count;
    btk_profiler_enter(&scratch->profiler, BTK_STAGE_PRETOKENIZATION);
    int status =
        btk_pretokenizer_run(scratch->pretokenizer, span, wants_maps, &out, &pieces, &count);
    btk_profiler_enter(&scratch->profiler, BTK_STAGE_MODEL);
    for (size_t i = 0; !status && i < count; i += PIECES_A_TICK) {
        btk_progress_tick(&scratch->progress);
        status = btk_encode_pieces(encoder, &out, pieces + i,
                                   btk_min_size(count - i, PIECES_A_TICK), true);
    }
    return status;
}

static int encode_steps(struct btk_encoder *encoder, const struct btk_span *span)
{
    struct btk_pretokenizer *const pretokenizer = encoder->scratch->pretokenizer;
    const size_t length = span->text.length;
    int status = 0;
    for (size_t begin = 0; !status && begin < length;) {
        const struct btk_bytes left = {span->text.data + begin, length - begin};
        const size_t end = begin + btk_pretokenizer_window(pretokenizer, left);
        const struct btk_span window = btk_span_part(span, begin, end);
        status = encode_window(encoder, &window);
        begin = end;
    }
    btk_pretokenizer_release(pretokenizer);
    return status;
}

// --- add_prefix_space: the first piece is not in the text as it stands

// The first piece of " " + text: one byte more than it takes from the text.
static size_t prefixed_piece_bytes(struct btk_scratch *scratch, const struct btk_span *span,
                                   uint32_t flags)
{
    if (!(flags & BTK_PIPELINE_USE_REGEX)) return span->text.length;
    struct btk_piece piece;
    struct btk_pretok *const pretok = &scratch->pretok;
    btk_pretok_init(pretok, scratch->kernels, span->text);
    return btk_pretok_gpt2_first_after_space(pretok, &piece) ? piece.end : 0;
}

// Space and text share the place of the first character, as the reference's prepend() has it.
static void fill_prefixed(struct btk_normal_buffer *buffer, const struct btk_span *span,
                          size_t bytes)
{
    const size_t first_bytes = btk_utf8_length(span->text.data[0]);
    const uint32_t first_begin = btk_span_source_begin(span, 0);
    const uint32_t first_end =
        btk_span_source_end(span, btk_min_size(first_bytes, span->text.length) - 1);
    buffer->text[0] = ' ';
    memcpy(buffer->text + 1, span->text.data, bytes);
    for (size_t i = 0; i <= bytes; i++) {
        const bool is_first = i <= first_bytes;
        buffer->begins[i] = is_first ? first_begin : btk_span_source_begin(span, i - 1);
        buffer->ends[i] = is_first ? first_end : btk_span_source_end(span, i - 1);
    }
}

static int encode_prefixed_piece(struct btk_encoder *encoder, const struct btk_span *span,
                                 struct btk_normal_buffer *buffer, size_t bytes)
{
    struct btk_profiler *const profiler = &encoder->scratch->profiler;
    btk_profiler_enter(profiler, BTK_STAGE_PRETOKENIZATION);
    fill_prefixed(buffer, span, bytes);
    const struct btk_span piece_span = {.text = {buffer->text, bytes + 1},
                                        .begins = buffer->begins,
                                        .ends = buffer->ends,
                                        .readable_end = buffer->text + bytes + 1};
    const struct btk_piece piece = {0, (uint32_t)bytes + 1};
    btk_profiler_enter(profiler, BTK_STAGE_MODEL);
    return btk_encode_pieces(encoder, &piece_span, &piece, 1, true);
}

static int encode_first_piece(struct btk_encoder *encoder, const struct btk_span *span,
                              size_t bytes)
{
    struct btk_scratch *const scratch = encoder->scratch;
    if (bytes <= scratch->prefixed.source_bytes_max)
        return encode_prefixed_piece(encoder, span, &scratch->prefixed, bytes);
    struct btk_normal_buffer buffer;
    if (btk_normal_buffer_init(&buffer, bytes, true) < 0) return -ENOMEM;
    scratch->spill_count++;
    const int status = encode_prefixed_piece(encoder, span, &buffer, bytes);
    btk_normal_buffer_clear(&buffer);
    return status;
}

static int encode_byte_level(struct btk_encoder *encoder, const struct btk_span *span)
{
    const uint32_t flags = encoder->image->config->flags;
    if (!(flags & BTK_PIPELINE_ADD_PREFIX_SPACE) || span->text.data[0] == ' ') {
        if (flags & BTK_PIPELINE_USE_REGEX) return encode_pieces(encoder, span);
        const struct btk_piece piece = {0, (uint32_t)span->text.length};
        btk_profiler_enter(&encoder->scratch->profiler, BTK_STAGE_MODEL);
        return btk_encode_pieces(encoder, span, &piece, 1, true);
    }
    const size_t bytes = prefixed_piece_bytes(encoder->scratch, span, flags);
    const int status = encode_first_piece(encoder, span, bytes);
    if (status < 0 || bytes == span->text.length) return status;
    const struct btk_span rest = btk_span_part(span, bytes, span->text.length);
    return encode_pieces(encoder, &rest);
}

static int encode_gap(struct btk_encoder *encoder, const struct btk_span *span)
{
    if (!span->text.length) return 0;
    switch (encoder->image->config->pretokenizer) {
    case BTK_PRETOKENIZER_BERT: return encode_pieces(encoder, span);
    case BTK_PRETOKENIZER_BYTE_LEVEL: return encode_byte_level(encoder, span);
    default: return encode_steps(encoder, span);
    }
}

// Tokens that take the same run of spaces show parts of one another: that is kept once.
static int show_added(struct btk_encoder *encoder, size_t at, struct btk_bytes text)
{
    const struct btk_bytes last = encoder->shown;
    if (last.length && text.data >= last.data && text.data + text.length <= last.data + last.length)
    {
        uint32_t *const source = encoder->encoding->sources + 2 * at;
        source[0] = encoder->shown_at + (uint32_t)(text.data - last.data);
        source[1] = source[0] + (uint32_t)text.length;
        return 0;
    }
    encoder->shown = text;
    encoder->shown_at = (uint32_t)encoder->scratch->shown.length;
    return btk_encode_show(encoder, at, text);
}

enum btk_special_text btk_encode_special_text(const struct btk_encoder *encoder)
{
    const uint8_t wanted = encoder->options->special_text;
    if (wanted != BTK_SPECIAL_TEXT_DEFAULT) return wanted;
    return encoder->image->config->flags & BTK_PIPELINE_PLAIN_SPECIAL ? BTK_SPECIAL_TEXT_PLAIN
                                                                      : BTK_SPECIAL_TEXT_PARSE;
}

// -EPERM. The byte offset, whatever the unit is: the caller looks for it in what it has given.
static int refuse_special(struct btk_encoder *encoder, const struct btk_span *span,
                          const struct btk_added_match *match)
{
    encoder->scratch->special_found = (struct btk_special_found){
        .id = match->id, .offset = btk_span_source_begin(span, match->begin)};
    return -EPERM;
}

int btk_encode_added(struct btk_encoder *encoder, const struct btk_span *span,
                     const struct btk_added_match *match)
{
    struct btk_encoding *const encoding = encoder->encoding;
    // The match before took all of it as its spaces: the reference drops what is empty.
    if (match->begin >= match->end) return 0;
    if (match->is_special && btk_encode_special_text(encoder) == BTK_SPECIAL_TEXT_ERROR)
        return refuse_special(encoder, span, match);
    const int status = btk_encode_reserve(encoder, 1);
    if (status < 0) return status;
    const size_t at = encoding->count++;
    encoding->ids[at] = match->id;
    const uint32_t begin = btk_span_source_begin(span, match->begin);
    const uint32_t end = btk_span_source_end(span, match->end - 1);
    if (encoding->offsets) {
        encoding->offsets[2 * at] = begin;
        encoding->offsets[2 * at + 1] = end;
    }
    if (encoding->word_ids) encoding->word_ids[at] = encoder->word_id;
    if (encoder->spaces) encoder->spaces[2 * at] = BTK_SPACES_OF_SOURCE;
    encoder->word_id++;
    if (encoding->sources) {
        encoding->sources[2 * at] = encoding->sources[2 * at + 1] = 0;
        if (match->has_spaces)
            return show_added(
                encoder, at,
                (struct btk_bytes){span->text.data + match->begin, match->end - match->begin});
    }
    return 0;
}

int btk_encode_span(struct btk_encoder *encoder, const struct btk_span *span)
{
    struct btk_added_finder finder;
    struct btk_added_match match;
    size_t begin = 0;
    btk_encode_forget_shown(encoder);
    btk_profiler_enter(&encoder->scratch->profiler, BTK_STAGE_ADDED_TOKENS);
    btk_added_finder_init(&finder, &encoder->image->normal_trie, &encoder->tokenizer->normal_filter,
                          span->text);
    finder.skips_special = btk_encode_special_text(encoder) == BTK_SPECIAL_TEXT_PLAIN;
    while (btk_added_finder_next(&finder, &match)) {
        int status = 0;
        if (match.begin > begin) {
            const struct btk_span gap = btk_span_part(span, begin, match.begin);
            status = encode_gap(encoder, &gap);
            btk_profiler_enter(&encoder->scratch->profiler, BTK_STAGE_ADDED_TOKENS);
        }
        if (!status) status = btk_encode_added(encoder, span, &match);
        if (status < 0) return status;
        begin = match.end;
    }
    const struct btk_span rest = btk_span_part(span, begin, span->text.length);
    return encode_gap(encoder, &rest);
}
