// SPDX-License-Identifier: Apache-2.0
// Every message of the list there and back; frames that were cut, changed or made up.
#include "ipc/control.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint8_t frame[BTK_CONTROL_FRAME_MAX];
static uint8_t blob[60 * 1024];

// Fills each field with another value; `size` says how large: 0 smallest, 1 something, 2 largest.
#define U32(field) fields->field = size == 2 ? UINT32_MAX : size * (seed++ * 2654435761u);
#define U64(field) fields->field = size == 2 ? UINT64_MAX : size * (seed++ * UINT64_C(1) << 33);
#define TEXT(field, maximum)                                                                       \
    memset(fields->field, 'a' + (char)(seed++ % 26), maximum);                                     \
    fields->field[size == 2 ? maximum - 1 : size * 7] = 0;
#define BYTES(field, maximum)                                                                      \
    fields->field = (struct btk_bytes){blob, size == 2 ? maximum : size * 5};
#define MESSAGE(name, NAME)                                                                        \
    static uint32_t fill_##name(struct btk_control_##name *fields, uint32_t size, uint32_t seed)   \
    {                                                                                              \
        BTK_FIELDS_##NAME(U32, U64, TEXT, BYTES) return seed;                                      \
    }
BTK_CONTROL_MESSAGES(MESSAGE)
#undef MESSAGE
#undef U32
#undef U64
#undef TEXT
#undef BYTES

#define U32(field)           cr_assert_eq(a->field, b->field);
#define U64(field)           cr_assert_eq(a->field, b->field);
#define TEXT(field, maximum) cr_assert_str_eq(a->field, b->field);
#define BYTES(field, maximum)                                                                      \
    cr_assert_eq(a->field.length, b->field.length);                                                \
    cr_assert(a->field.length == 0 || !memcmp(a->field.data, b->field.data, a->field.length));
#define MESSAGE(name, NAME)                                                                        \
    static void compare_##name(const struct btk_control_##name *a,                                 \
                               const struct btk_control_##name *b)                                 \
    {                                                                                              \
        BTK_FIELDS_##NAME(U32, U64, TEXT, BYTES)                                                   \
    }
BTK_CONTROL_MESSAGES(MESSAGE)
#undef MESSAGE
#undef U32
#undef U64
#undef TEXT
#undef BYTES

static void fill(struct btk_control_message *message, enum btk_control_kind kind, uint32_t size)
{
    memset(message, 0, sizeof *message);
    message->kind = kind;
    switch (kind) {
#define MESSAGE(name, NAME)                                                                        \
    case BTK_CONTROL_##NAME: (void)fill_##name(&message->name, size, 3); break;
        BTK_CONTROL_MESSAGES(MESSAGE)
#undef MESSAGE
    case BTK_CONTROL_NONE:
    case BTK_CONTROL_KIND_COUNT: break;
    }
}

static void compare(const struct btk_control_message *a, const struct btk_control_message *b)
{
    cr_assert_eq(a->kind, b->kind);
    switch (a->kind) {
#define MESSAGE(name, NAME)                                                                        \
    case BTK_CONTROL_##NAME: compare_##name(&a->name, &b->name); break;
        BTK_CONTROL_MESSAGES(MESSAGE)
#undef MESSAGE
    case BTK_CONTROL_NONE:
    case BTK_CONTROL_KIND_COUNT: break;
    }
}

static size_t encode(enum btk_control_kind kind, uint32_t size)
{
    struct btk_control_message message;
    size_t length = 0;
    fill(&message, kind, size);
    cr_assert_eq(btk_control_encode(&message, frame, sizeof frame, &length), 0, "%s",
                 btk_control_name(kind));
    return length;
}

// Decodes from memory of exactly that length, so that a sanitizer sees a read beyond it.
static int decode_exactly(const uint8_t *bytes, size_t length, struct btk_error *error)
{
    uint8_t *const copy = malloc(length + !length);
    struct btk_control_message message = {.kind = BTK_CONTROL_KIND_COUNT};
    memcpy(copy, bytes, length);
    const int status = btk_control_decode((struct btk_bytes){copy, length}, &message, error);
    cr_assert(status == 0 || message.kind == BTK_CONTROL_KIND_COUNT);
    free(copy);
    return status;
}

Test(control, every_message_comes_back_as_it_was)
{
    for (size_t i = 0; i < sizeof blob; i++) blob[i] = (uint8_t)(i * 7);
    for (int kind = BTK_CONTROL_NONE + 1; kind < BTK_CONTROL_KIND_COUNT; kind++)
        for (uint32_t size = 0; size < 3; size++) {
            static struct btk_control_message sent, received;
            struct btk_error error;
            const size_t length = encode((enum btk_control_kind)kind, size);
            fill(&sent, (enum btk_control_kind)kind, size);
            cr_assert_eq(btk_control_decode((struct btk_bytes){frame, length}, &received, &error),
                         0, "%s: %s", btk_control_name((enum btk_control_kind)kind), error.message);
            compare(&sent, &received);
        }
}

Test(control, every_message_has_a_name_of_its_own)
{
    for (int kind = BTK_CONTROL_NONE + 1; kind < BTK_CONTROL_KIND_COUNT; kind++) {
        const char *const name = btk_control_name((enum btk_control_kind)kind);
        cr_expect_str_neq(name, "unknown");
        for (int other = BTK_CONTROL_NONE + 1; other < kind; other++)
            cr_expect_str_neq(name, btk_control_name((enum btk_control_kind)other));
    }
    cr_expect_str_eq(btk_control_name(BTK_CONTROL_NONE), "unknown");
    cr_expect_str_eq(btk_control_name(BTK_CONTROL_KIND_COUNT), "unknown");
}

Test(control, a_frame_that_was_cut_anywhere_or_goes_on_is_refused)
{
    for (int kind = BTK_CONTROL_NONE + 1; kind < BTK_CONTROL_KIND_COUNT; kind++) {
        const size_t length = encode((enum btk_control_kind)kind, 1);
        struct btk_error error;
        for (size_t cut = 0; cut < length; cut++)
            cr_assert_eq(decode_exactly(frame, cut, &error), -EPROTO);
        frame[length] = 0;
        cr_assert_eq(decode_exactly(frame, length + 1, &error), -EPROTO);
        cr_assert_not_null(strstr(error.message, btk_control_name((enum btk_control_kind)kind)));
    }
}

Test(control, no_changed_byte_makes_a_frame_dangerous)
{
    for (int kind = BTK_CONTROL_NONE + 1; kind < BTK_CONTROL_KIND_COUNT; kind++) {
        const size_t length = encode((enum btk_control_kind)kind, 1);
        for (size_t at = 0; at < length; at++) {
            const uint8_t kept = frame[at];
            for (unsigned value = 0; value < 256; value++) {
                struct btk_error error;
                frame[at] = (uint8_t)value;
                const int status = decode_exactly(frame, length, &error);
                cr_assert(status == 0 || status == -EPROTO);
            }
            frame[at] = kept;
        }
    }
}

struct made_up {
    const char *bytes;
    size_t length;
};
#define FRAME(text)                                                                                \
    {                                                                                              \
        text, sizeof text - 1                                                                      \
    }

Test(control, frames_of_other_types_lengths_and_kinds_are_refused)
{
    static const struct made_up frames[] = {
        FRAME(""),
        FRAME("\xc0"),                             // nil
        FRAME("\x80"),                             // a map
        FRAME("\x90"),                             // an empty array
        FRAME("\x91\x00"),                         // no kind
        FRAME("\x91\xcc\xff"),                     // a kind that there is not
        FRAME("\x91\xff"),                         // a negative one
        FRAME("\xdd\xff\xff\xff\xff\x10"),         // an array of 4 G items
        FRAME("\xdc\xff\xff\x10"),                 // 65535 items
        FRAME("\x92\x10\xa1\x37"),                 // ping with a text
        FRAME("\x92\x10\x91\x07"),                 // nested
        FRAME("\x92\x10\xcb\0\0\0\0\0\0\0\0"),     // a float
        FRAME("\x93\x10\x07\x07"),                 // one field too many
        FRAME("\x91\x10"),                         // one too few
        FRAME("\x92\x10\xcf\1\2\3\4\5\6\7"),       // a number cut short
        FRAME("\x93\x20\x01\xc6\xff\xff\xff\xff"), // bytes that claim 4 GiB
    };
    for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) {
        struct btk_error error = {.message = ""};
        cr_expect_eq(decode_exactly((const uint8_t *)frames[i].bytes, frames[i].length, &error),
                     -EPROTO, "frame %zu", i);
        cr_expect_neq(error.message[0], 0);
    }
}

Test(control, a_text_with_nul_inside_is_refused)
{
    struct btk_control_message message = {.kind = BTK_CONTROL_LOAD_IMAGE,
                                          .load_image = {.tokenizer = "abc"}};
    size_t length = 0;
    cr_assert_eq(btk_control_encode(&message, frame, sizeof frame, &length), 0);
    uint8_t *const text = memmem(frame, length, "abc", 3);
    cr_assert_not_null(text);
    text[1] = 0;
    struct btk_error error;
    cr_expect_eq(decode_exactly(frame, length, &error), -EPROTO);
    cr_expect_not_null(strstr(error.message, "tokenizer"));
}

Test(control, what_does_not_fit_is_not_encoded)
{
    struct btk_control_message message;
    for (int kind = BTK_CONTROL_NONE + 1; kind < BTK_CONTROL_KIND_COUNT; kind++) {
        const size_t length = encode((enum btk_control_kind)kind, 1);
        fill(&message, (enum btk_control_kind)kind, 1);
        size_t unused = 77;
        for (size_t capacity = 0; capacity < length; capacity++)
            cr_assert_eq(btk_control_encode(&message, frame, capacity, &unused), -EMSGSIZE);
        cr_assert_eq(unused, 77);
    }
    message = (struct btk_control_message){.kind = BTK_CONTROL_STATUS,
                                           .status = {.json = {blob, sizeof blob + 1}}};
    size_t length = 0;
    cr_expect_eq(btk_control_encode(&message, frame, sizeof frame, &length), -EMSGSIZE);
    message.kind = BTK_CONTROL_NONE;
    cr_expect_eq(btk_control_encode(&message, frame, sizeof frame, &length), -EINVAL);
    message.kind = BTK_CONTROL_KIND_COUNT;
    cr_expect_eq(btk_control_encode(&message, frame, sizeof frame, &length), -EINVAL);
}
