// SPDX-License-Identifier: Apache-2.0
// An encoding as Text Embeddings Inference shows it: a list of tokens with their text and place.
//
//     [{"id":1, "text":"..", "special":false, "start":0, "stop":2}, ..]
//
// Threads: no state.
#pragma once

#include <budtiktok/encoding.h>

#include "common/json_writer.h"

// `encoding` has ids, offsets, tokens and the mask of special tokens; of an input that is more than
// one text also sequence and word ids. `has_bytes`: offsets count bytes. Text is cut out of the input
// where the offsets say; special tokens show their own text, and no place.
void btk_http_tokens_write(struct btk_json_writer *writer, const struct btk_encode_input *input,
                           bool has_bytes, const struct btk_encoding_view *encoding);

// A string; the text of a token may be a part of a character: what is not UTF-8 becomes U+FFFD.
void btk_http_text_write(struct btk_json_writer *writer, struct btk_bytes text);
