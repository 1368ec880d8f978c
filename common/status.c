// SPDX-License-Identifier: Apache-2.0
#include "common/status.h"

#include <errno.h>

#include "common/base.h"

uint32_t btk_status_of_engine(int rc)
{
    switch (-rc) {
    case 0: return BTK_STATUS_OK;
    case EILSEQ: return BTK_STATUS_INVALID_UTF8;
    case EPERM: return BTK_STATUS_SPECIAL_TEXT;
    case E2BIG:
    case ENOBUFS: return BTK_STATUS_TOO_LARGE;
    case ENOMEM: return BTK_STATUS_OUT_OF_MEMORY;
    default: return BTK_STATUS_MALFORMED;
    }
}

bool btk_status_has_offset(uint32_t status)
{
    return status == BTK_STATUS_INVALID_UTF8 || status == BTK_STATUS_SPECIAL_TEXT;
}

const char *btk_status_name(uint32_t status)
{
    static const char *const names[] = {
        [BTK_STATUS_OK] = "ok",
        [BTK_STATUS_INVALID_UTF8] = "invalid_utf8",
        [BTK_STATUS_SPECIAL_TEXT] = "special_text",
        [BTK_STATUS_TOO_LARGE] = "too_large",
        [BTK_STATUS_CANCELED] = "canceled",
        [BTK_STATUS_DEADLINE] = "deadline",
        [BTK_STATUS_OVERLOADED] = "overloaded",
        [BTK_STATUS_POISON] = "poison",
        [BTK_STATUS_UNKNOWN_TOKENIZER] = "unknown_tokenizer",
        [BTK_STATUS_MALFORMED] = "malformed",
        [BTK_STATUS_OUT_OF_MEMORY] = "out_of_memory",
        [BTK_STATUS_SHUTTING_DOWN] = "shutting_down",
        [BTK_STATUS_INTERNAL] = "internal",
    };
    return status < BTK_ARRAY_COUNT(names) ? names[status] : "internal";
}
