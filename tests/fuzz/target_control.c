// SPDX-License-Identifier: Apache-2.0
// A frame from a peer: refused with a reason, or a message that is the same when it is written again.
#include <string.h>

#include "ipc/control.h"
#include "tests/fuzz/target.h"

enum { FRAME_BYTES = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t frame[FRAME_BYTES], again[FRAME_BYTES];
    struct btk_control_message message, second;
    struct btk_error error = {.message = ""};
    size_t length, second_length;
    if (btk_control_decode((struct btk_bytes){data, size}, &message, &error) < 0) {
        CHECK(error.message[0], "an error says why");
        return 0;
    }
    CHECK(btk_control_encode(&message, frame, sizeof frame, &length) == 0, "it can be written");
    CHECK(btk_control_decode((struct btk_bytes){frame, length}, &second, &error) == 0,
          "and read again");
    CHECK(btk_control_encode(&second, again, sizeof again, &second_length) == 0, "and written");
    CHECK(length == second_length && memcmp(frame, again, length) == 0, "to the same");
    return 0;
}
