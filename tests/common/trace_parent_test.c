// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "common/trace_parent.h"

#define IDS "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331"

Test(trace_parent, ids_and_flags_are_read)
{
    static const uint8_t trace_id[16] = {0x0a, 0xf7, 0x65, 0x19, 0x16, 0xcd, 0x43, 0xdd,
                                         0x84, 0x48, 0xeb, 0x21, 0x1c, 0x80, 0x31, 0x9c};
    static const uint8_t span_id[8] = {0xb7, 0xad, 0x6b, 0x71, 0x69, 0x20, 0x33, 0x31};
    struct btk_trace_parent parent;
    cr_assert_eq(btk_trace_parent_parse("00-" IDS "-01", &parent), 0);
    cr_expect_eq(memcmp(parent.trace_id, trace_id, sizeof trace_id), 0);
    cr_expect_eq(memcmp(parent.span_id, span_id, sizeof span_id), 0);
    cr_expect_eq(parent.flags, BTK_TRACE_FLAG_SAMPLED);
    cr_expect(btk_trace_parent_is_valid(&parent));
    cr_assert_eq(btk_trace_parent_parse("00-" IDS "-fe", &parent), 0);
    cr_expect_eq(parent.flags & BTK_TRACE_FLAG_SAMPLED, 0);
}

Test(trace_parent, of_a_later_version_what_is_known_is_taken)
{
    struct btk_trace_parent parent;
    cr_expect_eq(btk_trace_parent_parse("01-" IDS "-01", &parent), 0);
    cr_expect_eq(btk_trace_parent_parse("cc-" IDS "-01-what-comes", &parent), 0);
    cr_expect_eq(btk_trace_parent_parse("cc-" IDS "-01.what-comes", &parent), -EINVAL);
    cr_expect_eq(btk_trace_parent_parse("cc-" IDS "-01x", &parent), -EINVAL);
}

Test(trace_parent, what_is_not_valid_is_not_there_and_the_result_is_untouched)
{
    static const char *const texts[] = {
        "",
        "00",
        "00-" IDS,
        "00-" IDS "-",
        "00-" IDS "-0",
        "00-" IDS "-0g",
        "00-" IDS "-01-",
        "00-" IDS "-01 ",
        " 00-" IDS "-01",
        "ff-" IDS "-01",
        "0x-" IDS "-01",
        "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331-01",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "00-0af7651916cd43dd8448eb211c80319-b7ad6b71692033310-01",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct btk_trace_parent parent = {.flags = 77};
        cr_expect_eq(btk_trace_parent_parse(texts[i], &parent), -EINVAL, "\"%s\"", texts[i]);
        cr_expect_eq(parent.flags, 77);
    }
}

Test(trace_parent, every_cut_and_every_changed_byte_is_refused_or_read)
{
    static const char good[] = "00-" IDS "-01";
    for (size_t length = 0; length < sizeof good - 1; length++) {
        char text[sizeof good] = "";
        struct btk_trace_parent parent;
        memcpy(text, good, length);
        cr_expect_eq(btk_trace_parent_parse(text, &parent), -EINVAL);
        memcpy(text, good, sizeof good);
        text[length] = '\x80';
        cr_expect_eq(btk_trace_parent_parse(text, &parent), -EINVAL);
    }
}

Test(trace_parent, one_that_came_through_memory_is_valid_only_with_both_ids)
{
    struct btk_trace_parent parent = {.is_there = 1};
    cr_expect_not(btk_trace_parent_is_valid(&parent));
    parent.trace_id[15] = 1;
    cr_expect_not(btk_trace_parent_is_valid(&parent));
    parent.span_id[0] = 1;
    cr_expect(btk_trace_parent_is_valid(&parent));
    parent.is_there = 0;
    cr_expect_not(btk_trace_parent_is_valid(&parent));
}
