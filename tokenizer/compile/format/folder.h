// SPDX-License-Identifier: Apache-2.0
// A folder as a model hub has it: which file in it is the tokenizer, and what the files beside it add.
//
//     tokenizer.json             wins when it is there; else, in this order:
//     tekken.json
//     tokenizer.model, spiece.model, sentencepiece.bpe.model, source.spm
//     vocab.json + merges.txt
//     vocab.txt
//     tokenizer_config.json      how vocab.txt and vocab.json are meant; added_tokens_decoder
//     added_tokens.json          tokens that the tokenizer lacks, with their ids
//     special_tokens_map.json    tokens that are special
//
// Source: which names there are, and that tokens which are named beside a tokenizer are added to it
// when it lacks them: transformers, tokenization_utils_base.py and tokenization_utils_fast.py.
#pragma once

#include "common/base.h"
#include "common/error.h"
#include "common/json.h"
#include "tokenizer/compile/format/format.h"

struct btk_format_folder {
    char path[4096];          // of the tokenizer
    struct btk_json *config;  // tokenizer_config.json; NULL: not there
    struct btk_json *added;   // added_tokens.json
    struct btk_json *special; // special_tokens_map.json
};

// -ENOENT: nothing in the folder is a tokenizer (the message says what was looked for); errors of
// reading and parsing the files beside it.
BTK_MUST_USE int btk_format_folder_open(const char *path, struct btk_format_folder *out_folder,
                                        struct btk_error *error);
void btk_format_folder_close(struct btk_format_folder *folder); // NULL is fine

// What tokenizer_config.json says of a bare vocabulary; other members of *options stay.
void btk_format_folder_options(const struct btk_format_folder *folder,
                               struct btk_format_options *options);

// Writes all tokens that the files beside the tokenizer name, as added_tokens of a tokenizer.json, in
// the order in which they are to be added: by id, then the special ones without an id. -ENOMEM.
BTK_MUST_USE int btk_format_folder_write_added(const struct btk_format_folder *folder,
                                               struct btk_buffer *out_json);
