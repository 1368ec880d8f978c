// SPDX-License-Identifier: Apache-2.0
// What `verify` compares, as JSON text on both sides, and the first differences side by side.
//
//     ids of "Hello"
//         expected [9906,11]
//         found    [9906]
//
// Ownership: owns its buffers. Threads: one.
#pragma once

#include <stdint.h>

#include "common/buffer.h"
#include "common/json.h"
#include "common/json_writer.h"

struct btk_verify_report {
    struct btk_buffer expected;
    struct btk_buffer found;
    struct btk_buffer differences; // as they are printed
    uint64_t compared;
    uint64_t equal;
};

void btk_verify_report_init(struct btk_verify_report *report);
void btk_verify_report_clear(struct btk_verify_report *report);

// Where the value that was found is written to; one is written before each compare.
struct btk_json_writer btk_verify_report_writer(struct btk_verify_report *report);

// Compares it with what the reference says; `what` is the member's name, `text` what was encoded.
// -ENOMEM.
BTK_MUST_USE int btk_verify_report_compare(struct btk_verify_report *report, const char *what,
                                           struct btk_bytes text, const struct btk_json *expected);

// The same with what is expected as JSON text.
BTK_MUST_USE int btk_verify_report_compare_text(struct btk_verify_report *report, const char *what,
                                                struct btk_bytes text, const char *expected);

// A value as JSON text, as it is compared.
void btk_verify_report_write(struct btk_json_writer *writer, const struct btk_json *value);

// "N of M equal", then the first differences.
void btk_verify_report_print(const struct btk_verify_report *report);
