// SPDX-License-Identifier: Apache-2.0
#include "ipc/slab.h"

#include <criterion/criterion.h>
#include <errno.h>

static struct btk_slab slab;

static uint64_t acquire(uint64_t bytes)
{
    uint64_t offset = UINT64_MAX;
    cr_assert_eq(btk_slab_acquire(&slab, bytes, &offset), 0);
    return offset;
}

static void expect_sound(void)
{
    uint64_t end = 0;
    for (uint32_t i = 0; i < slab.range_count; i++) {
        cr_assert_eq(slab.ranges[i].offset % BTK_SLAB_ALIGNMENT, 0);
        cr_assert_geq(slab.ranges[i].offset, end);
        end = slab.ranges[i].offset + slab.ranges[i].bytes;
    }
    cr_assert_leq(end, slab.bytes);
}

Test(slab, gives_out_the_first_room_that_is_large_enough)
{
    btk_slab_init(&slab, 1024);
    cr_expect_eq(acquire(64), 0);
    cr_expect_eq(acquire(1), 64);
    cr_expect_eq(acquire(0), 128);
    cr_expect_eq(acquire(100), 192);
    btk_slab_release(&slab, 64);
    cr_expect_eq(acquire(65), 320);
    cr_expect_eq(acquire(64), 64);
    expect_sound();
}

Test(slab, all_of_it_can_be_given_out_and_no_byte_more)
{
    uint64_t offset = 77;
    btk_slab_init(&slab, 4096);
    cr_expect_eq(acquire(4096), 0);
    cr_expect_eq(btk_slab_acquire(&slab, 1, &offset), -EAGAIN);
    cr_expect_eq(btk_slab_acquire(&slab, 4097, &offset), -EMSGSIZE);
    cr_expect_eq(btk_slab_acquire(&slab, UINT64_MAX, &offset), -EMSGSIZE);
    cr_expect_eq(offset, 77);
    btk_slab_release(&slab, 0);
    cr_expect_eq(acquire(4096), 0);
}

Test(slab, what_is_trimmed_off_is_given_out_again_and_something_stays)
{
    btk_slab_init(&slab, 1024);
    cr_assert_eq(acquire(1024), 0);
    btk_slab_trim(&slab, 0, 100);
    cr_expect_eq(acquire(896), 128);
    btk_slab_trim(&slab, 0, 0);
    cr_expect_eq(acquire(64), 64);
    btk_slab_trim(&slab, 64, 1024); // never grows
    btk_slab_trim(&slab, 999, 1);   // unknown
    btk_slab_release(&slab, 999);
    cr_expect_eq(slab.range_count, 3);
    expect_sound();
}

Test(slab, no_more_ranges_than_there_is_room_for)
{
    uint64_t offset;
    btk_slab_init(&slab, UINT64_C(1) << 40);
    for (uint64_t i = 0; i < BTK_SLAB_RANGES_MAX; i++) cr_assert_eq(acquire(64), 64 * i);
    cr_expect_eq(btk_slab_acquire(&slab, 64, &offset), -EAGAIN);
    btk_slab_release(&slab, 64 * 1000);
    cr_expect_eq(acquire(64), 64 * 1000);
}

Test(slab, ranges_never_overlap_whatever_the_order)
{
    uint64_t state = 1;
    uint64_t held[64];
    size_t count = 0;
    btk_slab_init(&slab, 1 << 16);
    for (int step = 0; step < 20000; step++) {
        state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
        const uint64_t number = state >> 33;
        uint64_t offset;
        if (count < 64 && number % 2 == 0) {
            const int status = btk_slab_acquire(&slab, number / 2 % 4000, &offset);
            cr_assert(status == 0 || status == -EAGAIN);
            if (status == 0) held[count++] = offset;
        } else if (count) {
            const size_t which = number / 2 % count;
            if (number % 3)
                btk_slab_trim(&slab, held[which], number / 8 % 2000);
            else {
                btk_slab_release(&slab, held[which]);
                held[which] = held[--count];
            }
        }
        cr_assert_eq(slab.range_count, count);
        expect_sound();
    }
}
