// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/pretokenizer/code_points.h"

uint32_t btk_code_point_script(uint32_t code_point)
{
    size_t low = 0, high = BTK_SCRIPT_RANGE_COUNT;
    while (high - low > 1) {
        const size_t middle = (low + high) / 2;
        if (btk_script_ranges[middle].first <= code_point)
            low = middle;
        else
            high = middle;
    }
    return btk_script_ranges[low].script;
}

bool btk_code_point_is_late_number(uint32_t code_point)
{
    for (size_t i = 0; i < BTK_LATE_NUMBER_COUNT; i++)
        if (code_point >= btk_late_numbers[i][0] && code_point <= btk_late_numbers[i][1])
            return true;
    return false;
}
