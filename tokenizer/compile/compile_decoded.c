// SPDX-License-Identifier: Apache-2.0
// What the decoder makes of each token (tokenizer/decoder/plan.h).
#include <errno.h>

#include "common/utf8.h"
#include "tokenizer/compile/compiler.h"
#include "tokenizer/decoder/fused.h"
#include "tokenizer/decoder/token_step.h"
#include "tokenizer/space_mark.h"

// Steps that make tokens, or texts, longer than this many times are no decoder of a real model.
enum { GROWTH_MAX = 1 << 16, TOKENS_GROWTH_MAX = 64, TOKENS_BYTES_MIN = 16 << 20 };

struct decoded {
    struct btk_compiler *compiler;
    struct btk_image image; // of the sections that the decoder needs
    struct btk_decoder_plan plan;
    struct btk_room room;
    struct btk_room head;
    size_t bytes_max; // of all texts together
};

static void view_sections(struct decoded *decoded)
{
    struct btk_buffer *const sections = decoded->compiler->sections;
    decoded->image = (struct btk_image){
        .config = &decoded->compiler->config,
        .tokens = (const void *)sections[BTK_SECTION_TOKENS].data,
        .token_ends = (const void *)sections[BTK_SECTION_TOKEN_ENDS].data,
        .token_text = sections[BTK_SECTION_TOKEN_TEXT].data,
        .normal_forms = (const void *)sections[BTK_SECTION_NORMAL_FORMS].data,
        .normal_form_count =
            (uint32_t)(sections[BTK_SECTION_NORMAL_FORMS].length / sizeof(struct btk_normal_form)),
        .normal_form_text = sections[BTK_SECTION_NORMAL_FORM_TEXT].data,
        .decoder = {(const void *)sections[BTK_SECTION_DECODER_STEPS].data,
                    (uint32_t)(sections[BTK_SECTION_DECODER_STEPS].length
                               / sizeof(struct btk_step))},
        .step_data = sections[BTK_SECTION_STEP_DATA].data,
    };
}

static int refuse(const struct decoded *decoded, int status)
{
    if (status == -ENOMEM) return btk_compiler_no_memory(decoded->compiler);
    return btk_compiler_refuse(decoded->compiler, "decoder",
                               status == -ETIME ? "a pattern takes too many steps on a token"
                                                : "makes texts too many times longer");
}

static int append_unmarked(struct btk_bytes piece, struct btk_room *out)
{
    int status = 0;
    for (size_t at = 0, length; at < piece.length && !status; at += length) {
        length = btk_utf8_length(piece.data[at]);
        const struct btk_bytes one = {piece.data + at, length};
        status = btk_room_append(out, btk_bytes_equal(one, btk_space_mark)
                                          ? (struct btk_bytes){(const uint8_t *)" ", 1}
                                          : one);
    }
    return status;
}

// Source: Decode() of sentencepiece_processor.cc.
static int decode_piece(struct decoded *decoded, uint32_t id)
{
    const struct btk_format *const format = decoded->compiler->format;
    struct btk_token_info *const tokens =
        (void *)decoded->compiler->sections[BTK_SECTION_TOKENS].data;
    const struct btk_bytes piece = btk_image_shown_text(&decoded->image, id);
    uint8_t byte = 0;
    decoded->room.length = 0;
    switch (id < format->token_count ? format->tokens[id].kind : (uint32_t)BTK_FORMAT_TOKEN_NORMAL)
    {
    case BTK_FORMAT_TOKEN_CONTROL: return 0;
    case BTK_FORMAT_TOKEN_UNKNOWN:
        return btk_room_append(&decoded->room, format->sentencepiece.unknown_surface);
    case BTK_FORMAT_TOKEN_BYTE:
        btk_decoder_try_byte(piece, &byte);
        tokens[id].flags |= BTK_TOKEN_BYTE;
        return btk_room_append(&decoded->room, (struct btk_bytes){&byte, 1});
    default: return append_unmarked(piece, &decoded->room);
    }
}

// The head of the plan, then the middle; a token of a byte is marked.
static int decode_token(struct decoded *decoded, uint32_t id)
{
    struct btk_token_info *const tokens =
        (void *)decoded->compiler->sections[BTK_SECTION_TOKENS].data;
    uint8_t byte;
    if (decoded->plan.runs_are_apart) return decode_piece(decoded, id);
    decoded->room.length = decoded->head.length = 0;
    int status = btk_fused_head(&decoded->image, &decoded->plan,
                                btk_image_shown_text(&decoded->image, id), 0, &decoded->head);
    if (status < 0) return status;
    const struct btk_bytes head = btk_room_text(&decoded->head);
    if (decoded->plan.has_runs && btk_decoder_try_byte(head, &byte)) {
        tokens[id].flags |= BTK_TOKEN_BYTE;
        return btk_room_append(&decoded->room, (struct btk_bytes){&byte, 1});
    }
    return btk_fused_middle(&decoded->image, &decoded->plan, head, &decoded->room);
}

static int append_token(struct decoded *decoded, uint32_t id)
{
    struct btk_compiler *const compiler = decoded->compiler;
    struct btk_buffer *const text = &compiler->sections[BTK_SECTION_DECODED_TEXT];
    int status = decode_token(decoded, id);
    if (!status) status = btk_buffer_append(text, decoded->room.data, decoded->room.length);
    if (!status && text->length > decoded->bytes_max) status = -E2BIG;
    if (status < 0) return status;
    if (decoded->room.length > compiler->config.decoded_bytes_max)
        compiler->config.decoded_bytes_max = (uint32_t)decoded->room.length;
    const uint32_t end = (uint32_t)text->length;
    return btk_buffer_append(&compiler->sections[BTK_SECTION_DECODED_ENDS], &end, sizeof end);
}

static int append_all(struct decoded *decoded)
{
    static const uint32_t begin = 0;
    struct btk_compiler *const compiler = decoded->compiler;
    int status =
        btk_buffer_append(&compiler->sections[BTK_SECTION_DECODED_ENDS], &begin, sizeof begin);
    for (uint32_t id = 0; id < compiler->config.token_count && !status; id++)
        status = append_token(decoded, id);
    return status;
}

int btk_compile_decoded(struct btk_compiler *compiler)
{
    struct decoded decoded = {.compiler = compiler};
    view_sections(&decoded);
    decoded.plan = btk_decoder_plan(&decoded.image);
    const size_t shown_bytes = compiler->sections[BTK_SECTION_TOKEN_TEXT].length
                               + compiler->sections[BTK_SECTION_NORMAL_FORM_TEXT].length;
    decoded.bytes_max = btk_min_size(TOKENS_GROWTH_MAX * shown_bytes + TOKENS_BYTES_MIN, INT32_MAX);
    int status = 0;
    if (btk_decoder_bound(&decoded.image, 0, decoded.image.decoder.count, 1, 1) > GROWTH_MAX)
        status = -E2BIG;
    else if (decoded.plan.is_fused)
        status = append_all(&decoded);
    btk_room_clear(&decoded.room);
    btk_room_clear(&decoded.head);
    return status < 0 ? refuse(&decoded, status) : 0;
}
