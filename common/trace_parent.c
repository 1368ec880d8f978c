// SPDX-License-Identifier: Apache-2.0
// W3C Trace Context, section 3.2.
#include "common/trace_parent.h"

#include <errno.h>
#include <string.h>

enum { TEXT_BYTES = 55, VERSION_INVALID = 0xff };

// Digits are lower case; no other is valid.
static int digit_of(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool try_read(const char *text, size_t count, uint8_t *out)
{
    for (size_t i = 0; i < count; i++) {
        const int high = digit_of(text[2 * i]);
        const int low = high < 0 ? -1 : digit_of(text[2 * i + 1]);
        if (low < 0) return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static bool is_zero(const uint8_t *bytes, size_t count)
{
    uint8_t all = 0;
    for (size_t i = 0; i < count; i++) all |= bytes[i];
    return all == 0;
}

bool btk_trace_parent_is_valid(const struct btk_trace_parent *parent)
{
    return parent->is_there == 1 && !is_zero(parent->trace_id, sizeof parent->trace_id)
           && !is_zero(parent->span_id, sizeof parent->span_id);
}

int btk_trace_parent_parse(const char *text, struct btk_trace_parent *out_parent)
{
    struct btk_trace_parent parent = {.is_there = 1};
    uint8_t version = 0;
    const size_t length = strlen(text);
    if (length < TEXT_BYTES || text[2] != '-' || text[35] != '-' || text[52] != '-') return -EINVAL;
    if (!try_read(text, 1, &version) || !try_read(text + 3, sizeof parent.trace_id, parent.trace_id)
        || !try_read(text + 36, sizeof parent.span_id, parent.span_id)
        || !try_read(text + 53, 1, &parent.flags))
        return -EINVAL;
    if (version == VERSION_INVALID || (version == 0 && length > TEXT_BYTES)) return -EINVAL;
    if (length > TEXT_BYTES && text[TEXT_BYTES] != '-') return -EINVAL;
    if (!btk_trace_parent_is_valid(&parent)) return -EINVAL;
    *out_parent = parent;
    return 0;
}
