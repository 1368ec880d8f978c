// SPDX-License-Identifier: Apache-2.0
// What a file is, by what stands in it.
#pragma once

#include "common/base.h"

enum btk_file_kind {
    BTK_FILE_UNKNOWN = 0,
    BTK_FILE_JSON,          // tokenizer.json, tekken.json, vocab.json
    BTK_FILE_TIKTOKEN,      // lines of base64 and ranks
    BTK_FILE_SENTENCEPIECE, // a ModelProto
    BTK_FILE_GGUF,
    BTK_FILE_TEXT, // lines: vocab.txt
};

// Looks at the beginning alone; the reader of the format says what is wrong further on. Threads: any.
enum btk_file_kind btk_sniff_file(struct btk_bytes file);
