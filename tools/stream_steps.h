// SPDX-License-Identifier: Apache-2.0
// decode --stream: what each id of a document gives, as a JSON object.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <budtiktok/tokenizer.h>

#include "common/base.h"
#include "common/json_writer.h"

// How a job decodes: all at once, or as a stream.
enum btk_stream_choice {
    BTK_STREAM_CHOICE_NONE,
    BTK_STREAM_CHOICE_EXACT,
    BTK_STREAM_CHOICE_LOSSLESS
};

// {"steps": ["..", null, ..]}, null where there was no text yet. Lossless: what was held back to the
// end is one more step, and bytes that are no text are U+FFFD, as JSON has to be. Exact: "error" beside
// the steps so far where the reference gives up; *out_is_error says so. -ENOMEM.
BTK_MUST_USE int btk_stream_steps_write(struct btk_decode_stream *stream, const uint32_t *ids,
                                        size_t id_count, struct btk_json_writer *writer,
                                        bool *out_is_error);
