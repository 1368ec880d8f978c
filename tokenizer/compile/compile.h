// SPDX-License-Identifier: Apache-2.0
// Tokenizer files -> image (tokenizer/image_format.h). The only reader of tokenizer formats.
//
//     tokenizer.json      the format of Hugging Face tokenizers 0.23.3 (serialization in its crate)
//     .tiktoken           tiktoken 0.14; its pattern comes from the name of the file, or is said
//     tekken.json         mistral-common
//     .model              sentencepiece 0.2.3
//     vocab.txt           the reference's BertWordPieceTokenizer
//     vocab.json          with merges.txt beside it: its ByteLevelBPETokenizer or CharBPETokenizer
//     a folder            as a model hub has it (format/folder.h)
//     an image            is taken as it is, when it is sound
//
// What a file is, is seen by what stands in it, never by its name. Truncation and padding that stand
// in a file are left out: they belong to requests.
//
// Threads: no state. A long-running process calls this in a child of its own.
#pragma once

#include "common/base.h"
#include "common/buffer.h"
#include "common/error.h"

#define BTK_TOKENIZER_FILE_BYTES_MAX ((uint64_t)1 << 30)

struct btk_compile_special {
    struct btk_bytes text;
    uint32_t id;
};

// What can be said beside a .tiktoken file; all zero: nothing.
struct btk_compile_options {
    struct btk_bytes pattern; // name of a known one, or a regular expression
    const struct btk_compile_special *specials;
    size_t special_count;
};

// Appends nothing to *out_image on failure; on success it is an image at the start of an empty
// buffer, but not aligned to BTK_IMAGE_ALIGNMENT. -EINVAL: not JSON or not a tokenizer; -EILSEQ:
// JSON that is not UTF-8; -ENOTSUP: a component that is not there yet; all say which, where it
// stands, and what is supported; -ENOMEM.
BTK_MUST_USE int btk_compile_json(struct btk_bytes json, struct btk_buffer *out_image,
                                  struct btk_error *error);

// The same from a file of any kind, or a folder. `options` may be NULL. Also -ENOENT, -EACCES, -EFBIG,
// -EPROTO (a damaged image).
BTK_MUST_USE int btk_compile_path(const char *path, const struct btk_compile_options *options,
                                  struct btk_buffer *out_image, struct btk_error *error);

// --- For the readers of formats

struct btk_json;
struct btk_format;

struct btk_compile_document {
    const struct btk_json *root;       // tokenizer.json, or the frame of a format
    const struct btk_format *format;   // what belongs into that frame; NULL: nothing
    const struct btk_json *more_added; // added_tokens from beside the file; NULL: none
};

BTK_MUST_USE int btk_compile_document(const struct btk_compile_document *document,
                                      struct btk_buffer *out_image, struct btk_error *error);
