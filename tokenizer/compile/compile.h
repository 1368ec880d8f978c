// SPDX-License-Identifier: Apache-2.0
// tokenizer.json -> image (tokenizer/image_format.h). The only reader of tokenizer formats.
//
// The format is that of Hugging Face tokenizers 0.23.3 (serialization in its crate). What this
// version has: WordPiece and byte-level BPE; BertNormalizer; BertPreTokenizer, ByteLevel; added
// tokens; BertProcessing, RobertaProcessing, ByteLevel, TemplateProcessing; WordPiece and ByteLevel
// decoders. Truncation and padding that stand in a file are left out: they belong to requests.
//
// Threads: no state. A long-running process calls this in a child of its own.
#pragma once

#include "common/base.h"
#include "common/buffer.h"
#include "common/error.h"

#define BTK_TOKENIZER_FILE_BYTES_MAX ((uint64_t)1 << 30)

// Appends nothing to *out_image on failure; on success it is an image at the start of an empty
// buffer, but not aligned to BTK_IMAGE_ALIGNMENT. -EINVAL: not JSON or not a tokenizer; -ENOTSUP: a
// component that is not there yet; both say which, where it stands, and what is supported; -ENOMEM.
BTK_MUST_USE int btk_compile_json(struct btk_bytes json, struct btk_buffer *out_image,
                                  struct btk_error *error);

// The same from a file. Also -ENOENT, -EACCES, -EISDIR, -EFBIG.
BTK_MUST_USE int btk_compile_path(const char *path, struct btk_buffer *out_image,
                                  struct btk_error *error);
