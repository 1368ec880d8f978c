// SPDX-License-Identifier: Apache-2.0
#include "common/unicode.h"

#include <assert.h>
#include <utf8proc.h>

#include "common/unicode_normal.h"
#include "common/uninstrumented.h"

// Runs of marks up to this length are sorted by insertion. Real text has one to four; only hostile
// text reaches the heap sort, which needs no memory either.
#define SHORT_RUN 24

size_t btk_unicode_to_lowercase(uint32_t code_point, uint32_t out[BTK_UNICODE_LOWERCASE_MAX])
{
    out[0] = code_point;
    if (code_point >= BTK_UNICODE_LIMIT) return 1;
    if (code_point == 0x130) {
        out[0] = 0x69;
        out[1] = 0x307;
        return 2;
    }
    const uint32_t page = btk_unicode_lowercase_pages[code_point >> BTK_UNICODE_PAGE_BITS];
    const uint32_t column = code_point & ((1u << BTK_UNICODE_PAGE_BITS) - 1);
    const uint32_t low = (code_point + btk_unicode_lowercase_values[page][column]) & 0xffff;
    out[0] = (code_point & ~0xffffu) | low;
    return 1;
}

// utf8proc knows a newer Unicode than the reference. Decompositions and combining classes of
// assigned code points never change, so the class bits, which come from the reference, are all
// that is needed to keep the newer ones out.
size_t btk_unicode_decompose(uint32_t code_point, uint32_t out[BTK_UNICODE_DECOMPOSED_MAX])
{
    if (btk_unicode_classes(code_point) & BTK_CLASS_DECOMPOSES) {
        utf8proc_int32_t parts[BTK_UNICODE_DECOMPOSED_MAX];
        int boundary = 0;
        const utf8proc_ssize_t count =
            utf8proc_decompose_char((utf8proc_int32_t)code_point, parts, BTK_UNICODE_DECOMPOSED_MAX,
                                    UTF8PROC_DECOMPOSE | UTF8PROC_STABLE, &boundary);
        if (count > 0 && count <= BTK_UNICODE_DECOMPOSED_MAX) {
            btk_library_wrote(parts, (size_t)count * sizeof *parts);
            for (utf8proc_ssize_t i = 0; i < count; i++) out[i] = (uint32_t)parts[i];
            return (size_t)count;
        }
    }
    out[0] = code_point;
    return 1;
}

size_t btk_unicode_decompose_compatible(uint32_t code_point,
                                        uint32_t out[BTK_UNICODE_COMPATIBLE_MAX])
{
    if (btk_unicode_normal_bits(code_point) & BTK_NORMAL_COMPATIBLE) {
        utf8proc_int32_t parts[BTK_UNICODE_COMPATIBLE_MAX];
        int boundary = 0;
        const utf8proc_ssize_t count = utf8proc_decompose_char(
            (utf8proc_int32_t)code_point, parts, BTK_UNICODE_COMPATIBLE_MAX,
            UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_STABLE, &boundary);
        if (count > 0 && count <= BTK_UNICODE_COMPATIBLE_MAX) {
            btk_library_wrote(parts, (size_t)count * sizeof *parts);
            for (utf8proc_ssize_t i = 0; i < count; i++) out[i] = (uint32_t)parts[i];
            return (size_t)count;
        }
    }
    out[0] = code_point;
    return 1;
}

enum { HANGUL_S = 0xac00, HANGUL_L = 0x1100, HANGUL_V = 0x1161, HANGUL_T = 0x11a7 };
enum { HANGUL_L_COUNT = 19, HANGUL_V_COUNT = 21, HANGUL_T_COUNT = 28 };

// Unicode, section 3.12. 0: not a pair of it.
static uint32_t compose_hangul(uint32_t first, uint32_t second)
{
    const uint32_t l = first - HANGUL_L, v = second - HANGUL_V;
    if (l < HANGUL_L_COUNT && v < HANGUL_V_COUNT)
        return HANGUL_S + (l * HANGUL_V_COUNT + v) * HANGUL_T_COUNT;
    const uint32_t s = first - HANGUL_S, t = second - HANGUL_T;
    if (s < HANGUL_L_COUNT * HANGUL_V_COUNT * HANGUL_T_COUNT && s % HANGUL_T_COUNT == 0 && t > 0
        && t < HANGUL_T_COUNT)
        return first + t;
    return 0;
}

// What has no decomposition in the reference's Unicode is not composed there either.
uint32_t btk_unicode_compose(uint32_t first, uint32_t second)
{
    const uint32_t syllable = compose_hangul(first, second);
    if (syllable) return syllable;
    if (!(btk_unicode_normal_bits(second) & BTK_NORMAL_NFC_CHECK)) return 0;
    utf8proc_int32_t pair[2] = {(utf8proc_int32_t)first, (utf8proc_int32_t)second};
    const utf8proc_ssize_t count =
        utf8proc_normalize_utf32(pair, 2, UTF8PROC_COMPOSE | UTF8PROC_STABLE);
    if (count != 1 || !(btk_unicode_classes((uint32_t)pair[0]) & BTK_CLASS_DECOMPOSES)) return 0;
    return (uint32_t)pair[0];
}

uint8_t btk_unicode_combining_class(uint32_t code_point)
{
    if (!(btk_unicode_classes(code_point) & BTK_CLASS_COMBINES)) return 0;
    return (uint8_t)utf8proc_get_property((utf8proc_int32_t)code_point)->combining_class;
}

static bool comes_before(const struct btk_unicode_char *a, const struct btk_unicode_char *b)
{
    if (a->combining_class != b->combining_class) return a->combining_class < b->combining_class;
    return a->position < b->position;
}

static void sort_by_insertion(struct btk_unicode_char *chars, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        const struct btk_unicode_char moving = chars[i];
        size_t at = i;
        for (; at > 0 && comes_before(&moving, &chars[at - 1]); at--) chars[at] = chars[at - 1];
        chars[at] = moving;
    }
}

static void sift_down(struct btk_unicode_char *heap, size_t at, size_t count)
{
    const struct btk_unicode_char sinking = heap[at];
    for (size_t child = 2 * at + 1; child < count; child = 2 * at + 1) {
        if (child + 1 < count && comes_before(&heap[child], &heap[child + 1])) child++;
        if (!comes_before(&sinking, &heap[child])) break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = sinking;
}

// Stable because no two positions are equal.
static void sort_by_heap(struct btk_unicode_char *chars, size_t count)
{
    for (size_t i = count / 2; i > 0; i--) sift_down(chars, i - 1, count);
    for (size_t last = count - 1; last > 0; last--) {
        const struct btk_unicode_char largest = chars[0];
        chars[0] = chars[last];
        chars[last] = largest;
        sift_down(chars, 0, last);
    }
}

void btk_unicode_order(struct btk_unicode_char *chars, size_t count)
{
    for (size_t begin = 0; begin < count; begin++) {
        if (chars[begin].combining_class == 0) continue;
        size_t end = begin + 1;
        while (end < count && chars[end].combining_class != 0) end++;
        if (end - begin <= SHORT_RUN) {
            sort_by_insertion(chars + begin, end - begin);
        } else {
            sort_by_heap(chars + begin, end - begin);
        }
        begin = end;
    }
}

// Two bytes become at most three characters (U+0390), three at most four (U+1F82).
size_t btk_unicode_nfd_bound(size_t utf8_bytes)
{
    return utf8_bytes + utf8_bytes / 2;
}

static size_t append_decomposed(uint32_t code_point, struct btk_unicode_char *out, size_t position)
{
    uint32_t parts[BTK_UNICODE_DECOMPOSED_MAX];
    const size_t part_count = btk_unicode_decompose(code_point, parts);
    for (size_t i = 0; i < part_count; i++) {
        out[i] = (struct btk_unicode_char){
            .code_point = parts[i],
            .position = (uint32_t)(position + i),
            .combining_class = btk_unicode_combining_class(parts[i]),
            .inserted = i > 0,
        };
    }
    return part_count;
}

size_t btk_unicode_nfd(const uint8_t *utf8, size_t length, struct btk_unicode_char *out)
{
    size_t count = 0;
    for (size_t at = 0; at < length;) {
        if (utf8[at] < 0x80) {
            out[count] = (struct btk_unicode_char){utf8[at++], (uint32_t)count, 0, false};
            count++;
            continue;
        }
        utf8proc_int32_t code_point = 0;
        const utf8proc_ssize_t bytes =
            utf8proc_iterate(utf8 + at, (utf8proc_ssize_t)(length - at), &code_point);
        assert(bytes > 0 && "the caller has validated the text");
        count += append_decomposed((uint32_t)code_point, out + count, count);
        at += (size_t)bytes;
    }
    btk_unicode_order(out, count);
    return count;
}
