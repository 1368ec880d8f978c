// SPDX-License-Identifier: Apache-2.0
#include "tests/kernels/sample_text.h"

#include <string.h>

#include "common/utf8.h"

const char *sample_kind_name(enum sample_kind kind)
{
    static const char *const names[] = {
        [SAMPLE_BYTES] = "bytes",     [SAMPLE_ASCII] = "ascii",   [SAMPLE_UTF8] = "utf8",
        [SAMPLE_MUTATED] = "mutated", [SAMPLE_SPARSE] = "sparse", [SAMPLE_ENGLISH] = "english",
        [SAMPLE_LATIN] = "latin",     [SAMPLE_CJK] = "cjk",
    };
    return names[kind];
}

uint64_t sample_random(uint64_t *seed)
{
    uint64_t number = *seed += 0x9e3779b97f4a7c15u;
    number = (number ^ number >> 30) * 0xbf58476d1ce4e5b9u;
    number = (number ^ number >> 27) * 0x94d049bb133111ebu;
    return number ^ number >> 31;
}

static uint32_t random_below(uint64_t *seed, uint32_t limit)
{
    return (uint32_t)(sample_random(seed) >> 32) % limit;
}

// As many code points of one, two, three and four bytes, the first and last of each length often.
static uint32_t any_code_point(uint64_t *seed)
{
    static const uint32_t limits[] = {0, 0x80, 0x800, 0x10000, 0x110000};
    const uint32_t more = random_below(seed, 4);
    const uint32_t low = limits[more], high = limits[more + 1] - 1;
    const uint32_t choice = random_below(seed, 8);
    if (choice == 0) return low;
    if (choice == 1) return high;
    const uint32_t code_point = low + random_below(seed, high - low);
    if (code_point >= 0xd800 && code_point < 0xe000)
        return choice == 2 ? 0xd7ff : choice == 3 ? 0xe000 : code_point - 0x1000;
    return code_point;
}

static uint32_t english_letter(uint64_t *seed)
{
    return random_below(seed, 6) == 0 ? ' ' : 'a' + random_below(seed, 26);
}

static uint32_t next_code_point(enum sample_kind kind, uint64_t *seed)
{
    switch (kind) {
    case SAMPLE_ASCII: return random_below(seed, 0x80);
    case SAMPLE_ENGLISH: return english_letter(seed);
    case SAMPLE_LATIN:
        return random_below(seed, 20) ? english_letter(seed) : 0xc0 + random_below(seed, 64);
    case SAMPLE_CJK: return 0x4e00 + random_below(seed, 0x5000);
    default: return any_code_point(seed);
    }
}

static void fill_code_points(enum sample_kind kind, uint64_t *seed, uint8_t *out, size_t length)
{
    size_t at = 0;
    while (at < length) {
        uint8_t bytes[4];
        size_t count = btk_utf8_encode(next_code_point(kind, seed), bytes);
        if (count > length - at) {
            bytes[0] = 'x';
            count = 1;
        }
        memcpy(out + at, bytes, count);
        at += count;
    }
}

static void mutate(uint64_t *seed, uint8_t *out, size_t length)
{
    if (length == 0) return;
    const uint32_t count = random_below(seed, 4);
    for (uint32_t i = 0; i < count; i++)
        out[random_below(seed, (uint32_t)length)] = (uint8_t)sample_random(seed);
}

void sample_fill(enum sample_kind kind, uint64_t seed, uint8_t *out, size_t length)
{
    switch (kind) {
    case SAMPLE_BYTES:
        for (size_t i = 0; i < length; i++) out[i] = (uint8_t)sample_random(&seed);
        break;
    case SAMPLE_MUTATED:
        fill_code_points(SAMPLE_UTF8, &seed, out, length);
        mutate(&seed, out, length);
        break;
    case SAMPLE_SPARSE:
        fill_code_points(SAMPLE_ASCII, &seed, out, length);
        for (size_t at = random_below(&seed, 256); at < length; at += random_below(&seed, 256) + 1)
            out[at] = (uint8_t)(0x80 | sample_random(&seed));
        break;
    default: fill_code_points(kind, &seed, out, length);
    }
}
