// SPDX-License-Identifier: Apache-2.0
// A frame from a peer: refused with a reason, or a message that is the same when it is written again.
// The same bytes as options of a batch, and as a document with a head.
#include <string.h>

#include "ipc/control.h"
#include "ipc/document.h"
#include "tests/fuzz/target.h"

enum { FRAME_BYTES = 1 << 16 };

static void read_options(struct btk_bytes bytes)
{
    struct btk_batch_options options;
    struct btk_error error = {.message = ""};
    if (btk_batch_options_read(bytes, &options, &error) < 0) {
        CHECK(error.message[0], "an error says why");
        return;
    }
    CHECK(btk_bytes_equal(btk_batch_options_bytes(&options), bytes), "they are written as read");
}

static void read_document(struct btk_bytes bytes)
{
    static _Alignas(BTK_DOCUMENT_ALIGNMENT) uint8_t copy[FRAME_BYTES];
    static uint8_t again[FRAME_BYTES];
    struct btk_encode_input input;
    struct btk_error error = {.message = ""};
    if (bytes.length > sizeof copy) return;
    if (bytes.length) memcpy(copy, bytes.data, bytes.length);
    if (btk_document_read((struct btk_bytes){copy, bytes.length}, &input, &error) < 0) {
        CHECK(error.message[0], "an error says why");
        return;
    }
    CHECK(btk_document_bytes(&input) == bytes.length, "it takes as much room");
    btk_document_write(&input, again);
    // But for the word that nothing reads.
    memcpy(again + offsetof(struct btk_document_head, reserved),
           copy + offsetof(struct btk_document_head, reserved), sizeof(uint32_t));
    CHECK(memcmp(again, copy, bytes.length) == 0, "it is written as read");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t frame[FRAME_BYTES], again[FRAME_BYTES];
    struct btk_control_message message, second;
    struct btk_error error = {.message = ""};
    size_t length, second_length;
    read_options((struct btk_bytes){data, size});
    read_document((struct btk_bytes){data, size});
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
