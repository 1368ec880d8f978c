// SPDX-License-Identifier: Apache-2.0
// Source: llama_vocab::impl::load() of llama.cpp, where it looks for tokens by their texts.
#include "tokenizer/compile/format/gguf_kinds.h"
#include "common/utf8.h"

// Tokens that llama.cpp takes for control tokens whatever the file says, by their texts.
static bool looks_like_control(struct btk_bytes text)
{
    static const char *const texts[] = {
        "<|eot_id|>",
        "<|im_end|>",
        "<|end|>",
        "<|return|>",
        "<|call|>",
        "<|flush|>",
        "<|calls|>",
        "<end_of_turn>",
        "<|endoftext|>",
        "</s>",
        "<|eom_id|>",
        "<EOT>",
        "_<EOT>",
        "[EOT]",
        "[EOS]",
        "<|end_of_text|>",
        "<end_of_utterance>",
        "<eos>",
        "<turn|>",
        "<|tool_response>",
        "<｜end▁of▁sentence｜>",
        "[e~[",
    };
    for (size_t i = 0; i < BTK_ARRAY_COUNT(texts); i++)
        if (btk_bytes_are(text, texts[i])) return true;
    return false;
}

// The first of these that stands in the vocabulary is one of the places that a code model fills in.
// llama.cpp goes through its table in an order of its own, so where several of a line are there, all are
// control tokens already or it is not said which one becomes one.
static const char *const fill_in_texts[][9] = {
    {"<|fim_prefix|>", "<fim-prefix>", "<fim_prefix>", "<｜fim▁begin｜>", "<PRE>", "▁<PRE>",
     "<|code_prefix|>", "<|prefix|>", NULL},
    {"<|fim_suffix|>", "<fim-suffix>", "<fim_suffix>", "<｜fim▁hole｜>", "<SUF>", "▁<SUF>",
     "<|code_suffix|>", "<|suffix|>", NULL},
    {"<|fim_middle|>", "<fim-middle>", "<fim_middle>", "<｜fim▁end｜>", "<MID>", "▁<MID>",
     "<|code_middle|>", "<|middle|>", NULL},
    {"<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]", NULL},
    {"<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>", "<reponame>", NULL},
    {"<|file_sep|>", NULL},
};

static bool is_fill_in(struct btk_bytes text, size_t line)
{
    for (const char *const *one = fill_in_texts[line]; *one; one++)
        if (btk_bytes_are(text, *one)) return true;
    return false;
}

static int mark_fill_in(struct btk_format *format, size_t line)
{
    struct btk_format_token *found = NULL;
    unsigned count = 0;
    for (uint32_t id = 0; id < format->token_count; id++) {
        struct btk_format_token *const token = &format->tokens[id];
        if (!is_fill_in(token->text, line)) continue;
        count++;
        if (token->kind != BTK_FORMAT_TOKEN_CONTROL) found = token;
    }
    if (!found) return 0;
    if (count > 1)
        return btk_format_refuse(
            format, BTK_NO_OFFSET,
            "GGUF, key \"tokenizer.ggml.tokens\": several tokens may be the same "
            "place to fill in, and are no control tokens");
    found->kind = BTK_FORMAT_TOKEN_CONTROL;
    return 0;
}

static bool is_always_shown(struct btk_bytes text)
{
    return btk_bytes_are(text, "<|channel|>") || btk_bytes_are(text, "<|message|>")
           || btk_bytes_are(text, "<|start|>") || btk_bytes_are(text, "<|constrain|>");
}

static struct btk_format_token *find_text(struct btk_format *format, const char *text)
{
    for (uint32_t id = 0; id < format->token_count; id++)
        if (btk_bytes_are(format->tokens[id].text, text)) return &format->tokens[id];
    return NULL;
}

// "<|end|>" among the tokens of gpt-oss ends a message, not the answer.
static void mark_ends(struct btk_format *format)
{
    struct btk_format_token *const end = find_text(format, "<|end|>");
    const bool has_call = find_text(format, "<|call|>") || find_text(format, "<|calls|>");
    const bool has_other = find_text(format, "<|return|>") || find_text(format, "<|flush|>");
    if (end && has_call && has_other) end->kind = BTK_FORMAT_TOKEN_USER_DEFINED;
    struct btk_format_token *const sentence = find_text(format, "</s>");
    if (sentence && find_text(format, "<|tool_response>")) sentence->kind = BTK_FORMAT_TOKEN_NORMAL;
}

int btk_gguf_mark_kinds(struct btk_format *format, const struct btk_gguf_value *fill_ins)
{
    for (size_t line = 0; line < BTK_ARRAY_COUNT(fill_in_texts); line++) {
        if (fill_ins[line].is_there) continue; // the file says which one it is
        const int status = mark_fill_in(format, line);
        if (status < 0) return status;
    }
    for (uint32_t id = 0; id < format->token_count; id++) {
        struct btk_format_token *const token = &format->tokens[id];
        if (looks_like_control(token->text)) token->kind = BTK_FORMAT_TOKEN_CONTROL;
        if (is_always_shown(token->text)) token->kind = BTK_FORMAT_TOKEN_USER_DEFINED;
    }
    mark_ends(format);
    return 0;
}

static int refuse_types(struct btk_format *format, const char *what)
{
    return btk_format_refuse(format, BTK_NO_OFFSET, "GGUF, key \"tokenizer.ggml.token_type\": %s",
                             what);
}

// Is the longest token found first wherever it stands, as llama.cpp looks for them, the same as the
// leftmost? Not where one begins in another and is longer. Runs of one character are no trouble.
static bool overlaps(struct btk_bytes left, struct btk_bytes right)
{
    if (right.length <= left.length) return false;
    for (size_t at = 1; at < left.length; at++)
        if (memcmp(left.data + at, right.data, left.length - at) == 0) return true;
    return false;
}

static bool is_run(struct btk_bytes text)
{
    const size_t length = btk_utf8_length(text.data[0]);
    return text.length % length == 0
           && memcmp(text.data, text.data + length, text.length - length) == 0;
}

int btk_gguf_check_overlaps(struct btk_format *format)
{
    enum { LOOKED_AT_MAX = 4096 };
    struct btk_bytes texts[LOOKED_AT_MAX];
    size_t count = 0;
    for (uint32_t id = 0; id < format->token_count; id++) {
        const struct btk_format_token *const token = &format->tokens[id];
        if (token->kind != BTK_FORMAT_TOKEN_USER_DEFINED || is_run(token->text)) continue;
        if (count == LOOKED_AT_MAX) return refuse_types(format, "has too many user-defined tokens");
        texts[count++] = token->text;
    }
    for (size_t i = 0; i < count; i++)
        for (size_t at = 0; at < count; at++)
            if (overlaps(texts[i], texts[at]))
                return refuse_types(format, "has user-defined tokens that overlap each other");
    return 0;
}
