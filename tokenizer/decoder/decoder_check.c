// SPDX-License-Identifier: Apache-2.0
// Are the steps of decoders in an image sound? Part of the library that a coordinator links,
// without the engine.
#include "common/utf8.h"
#include "tokenizer/decoder/plan.h"
#include "tokenizer/decoder/step_kind.h"
#include "tokenizer/image_check.h"

static bool is_one_char(struct btk_bytes text)
{
    return text.length && btk_utf8_length(text.data[0]) == text.length;
}

static const char *fault_of(const struct btk_step *step, struct btk_bytes data)
{
    if (!step->kind || step->kind >= BTK_DECODE_KIND_END) return "has no such step";
    if (step->numbers[0] > data.length) return "has a string longer than its data";
    // What is put into a text is text, and what is found is no part of a character.
    if (btk_utf8_valid_prefix(data.data, data.length) != data.length
        || btk_utf8_valid_prefix(data.data, step->numbers[0]) != step->numbers[0])
        return "is not UTF-8";
    const bool is_char = step->kind == BTK_DECODE_STRIP || step->kind == BTK_DECODE_METASPACE;
    if (is_char && !is_one_char((struct btk_bytes){data.data, step->numbers[0]}))
        return "has no character";
    return NULL;
}

// Are the texts [begin, end) together UTF-8?
static bool is_text(const struct btk_image *view, uint32_t begin, uint32_t end)
{
    const uint32_t at = view->decoded_ends[begin];
    return btk_image_is_utf8(
        (struct btk_bytes){view->decoded_text + at, view->decoded_ends[end] - at});
}

// Bytes are no text by themselves: what stands between them is looked at as a whole, and that no token
// begins within a character.
static bool are_texts(const struct btk_image *view, const struct btk_decoder_plan *plan)
{
    const uint32_t token_count = view->config->token_count;
    const uint32_t bytes = view->decoded_ends[token_count];
    uint32_t begin = 0;
    for (uint32_t id = 0; id < token_count; id++) {
        const uint32_t at = view->decoded_ends[id];
        if (plan->has_runs && (view->tokens[id].flags & BTK_TOKEN_BYTE)) {
            if (!is_text(view, begin, id)) return false;
            begin = id + 1;
        } else if (at < view->decoded_ends[id + 1] && at < bytes
                   && (view->decoded_text[at] & 0xc0) == 0x80) {
            return false;
        }
    }
    return is_text(view, begin, token_count);
}

int btk_decoder_check_texts(const struct btk_image *view, struct btk_error *error)
{
    const struct btk_decoder_plan plan = btk_decoder_plan(view);
    if (!plan.is_fused) return 0;
    for (uint32_t id = 0; id < view->config->token_count; id++) {
        const size_t length = view->decoded_ends[id + 1] - view->decoded_ends[id];
        const bool is_byte = plan.has_runs && (view->tokens[id].flags & BTK_TOKEN_BYTE);
        if (length > view->config->decoded_bytes_max || (is_byte && length != 1))
            return btk_image_refuse_section(error, BTK_SECTION_DECODED_TEXT,
                                            "has a text of another length");
    }
    // The texts of tokens were looked at already.
    const bool is_shared =
        view->decoded_text == view->token_text && view->decoded_ends == view->token_ends;
    if (plan.is_lossy || is_shared || are_texts(view, &plan)) return 0;
    return btk_image_refuse_section(error, BTK_SECTION_DECODED_TEXT, "is not UTF-8");
}

int btk_decoder_check(const struct btk_image *view, struct btk_error *error)
{
    for (uint32_t i = 0; i < view->decoder.count; i++) {
        const struct btk_step *const step = &view->decoder.steps[i];
        const char *fault = fault_of(step, btk_image_step_data(view, step));
        if (step->kind == BTK_DECODE_SENTENCEPIECE && view->decoder.count != 1)
            fault = "has other steps beside that of SentencePiece";
        if (fault) return btk_image_refuse_section(error, BTK_SECTION_DECODER_STEPS, fault);
    }
    return 0;
}
