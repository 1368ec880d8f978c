// SPDX-License-Identifier: Apache-2.0
// What the engine library and the client library say in the same words: errors, fields, units and
// statuses. Both public headers include it, so that a program may use both.
//
// Everything here is plain data; nothing allocates and nothing is global.
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BTK_API          __attribute__((visibility("default")))
#define BTK_API_MUST_USE __attribute__((warn_unused_result))

// Filled by a function that failed; untouched by one that did not. May be NULL wherever it is
// taken.
struct btk_error_info {
    int code;        // errno value, positive
    uint64_t offset; // byte in the input that the message speaks of; UINT64_MAX: it speaks of none
    char message[512]; // what, where, what was expected; ends with NUL, no newline
};

// What to compute for each token. A field that was not asked for costs nothing.
enum btk_field {
    BTK_FIELD_IDS = 1 << 0,
    BTK_FIELD_TYPE_IDS = 1 << 1,
    BTK_FIELD_TOKENS = 1 << 2,
    BTK_FIELD_OFFSETS = 1 << 3,
    BTK_FIELD_WORD_IDS = 1 << 4,
    BTK_FIELD_SEQUENCE_IDS = 1 << 5,
    BTK_FIELD_SPECIAL_TOKENS_MASK = 1 << 6,
    BTK_FIELD_ATTENTION_MASK = 1 << 7,
    BTK_FIELD_OVERFLOWING = 1 << 8,
};

#define BTK_FIELDS_ALL ((1u << 9) - 1)

enum btk_offsets_unit {
    BTK_OFFSETS_CHAR = 0, // Unicode code points, as the reference's Python shows them
    BTK_OFFSETS_BYTE = 1, // bytes of the UTF-8 text
};

enum btk_invalid_utf8 {
    BTK_INVALID_UTF8_ERROR = 0,   // the document is refused, with the byte offset
    BTK_INVALID_UTF8_REPLACE = 1, // each maximal invalid sequence becomes U+FFFD
};

// What the text of a special token means where it stands in a document.
enum btk_special_text {
    BTK_SPECIAL_TEXT_DEFAULT = 0, // what the kind of file means: tokenizer.json PARSE, others PLAIN
    BTK_SPECIAL_TEXT_PARSE = 1,   // the token
    BTK_SPECIAL_TEXT_PLAIN = 2,   // text like any other
    BTK_SPECIAL_TEXT_ERROR = 3,   // the document is refused, with the byte offset
};

enum btk_operation {
    BTK_OPERATION_ENCODE = 1, // text in, tokens out
    BTK_OPERATION_DECODE = 2, // ids in, text out
};

// In the table of a batch's ends: the document is the last of its group. A group is padded to its
// longest document; a batch without any such mark is one group.
#define BTK_GROUP_END (UINT64_C(1) << 63)

// The state of one document, of one shard or of one batch. 0 is the only good one. The numbers are
// part of the wire format: new ones are added at the end.
enum btk_status {
    BTK_STATUS_OK = 0,
    BTK_STATUS_INVALID_UTF8 = 1,      // detail: offset of the first invalid byte in the document
    BTK_STATUS_TOO_LARGE = 2,         // a result could outgrow a stated bound
    BTK_STATUS_CANCELED = 3,          // the client took it back
    BTK_STATUS_DEADLINE = 4,          // its deadline passed before it was done
    BTK_STATUS_OVERLOADED = 5,        // refused at once; try again after retry_after_ms
    BTK_STATUS_POISON = 6,            // workers died on it, again and again
    BTK_STATUS_UNKNOWN_TOKENIZER = 7, // no tokenizer of this name or id
    BTK_STATUS_MALFORMED = 8,         // the request itself is wrong
    BTK_STATUS_OUT_OF_MEMORY = 9,     // no room for the result
    BTK_STATUS_SHUTTING_DOWN = 10,    // the cluster drains
    BTK_STATUS_INTERNAL = 11,         // a bug of ours; the log says more
    BTK_STATUS_SPECIAL_TEXT = 12,     // a special token in the text; detail: its offset
    BTK_STATUS_COUNT
};

#ifdef __cplusplus
}
#endif
