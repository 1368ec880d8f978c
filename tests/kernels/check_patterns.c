// SPDX-License-Identifier: Apache-2.0
// check_patterns GOLDENS: every set of kernels cuts the texts of tools/dev/record_patterns.py where the
// live engines did, and every pattern takes long hostile texts in one walk.
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/kernels/hostile_units.h"
#include "tests/kernels/patterns.h"

enum { LONGEST_LINE = 16384, LONGEST_TEXT = 4096, BATCH = 7, HOSTILE_BYTES = 1 << 20 };

static struct btk_pretok pretok;
static size_t failure_count;
static size_t check_count;

// Reads hexadecimal digits up to a space; returns the length.
static size_t read_hex(const char **line, uint8_t *out)
{
    size_t length = 0;
    for (unsigned byte; isxdigit((unsigned char)(*line)[0]); *line += 2) {
        if (length == LONGEST_TEXT || sscanf(*line, "%2x", &byte) != 1) return 0;
        out[length++] = (uint8_t)byte;
    }
    return length;
}

static void check_golden(const char *line, const struct btk_kernels *kernels)
{
    static uint8_t room[LONGEST_TEXT];
    char name[64];
    int used = 0;
    if (sscanf(line, "%63s %n", name, &used) != 1) return;
    const char *cursor = line + used;
    const size_t length = read_hex(&cursor, room);
    // Of its own size, so that a sanitizer sees what is read behind it.
    uint8_t *text = malloc(length + !length);
    if (!text) return;
    memcpy(text, room, length);
    btk_pretok_next_fn *const next = pattern_find(name);
    bool is_equal = next != NULL;
    if (next) btk_pretok_init(&pretok, kernels, (struct btk_bytes){text, length});
    struct btk_piece pieces[BATCH];
    for (size_t count; is_equal && (count = next(&pretok, pieces, BATCH)) != 0;) {
        for (size_t i = 0; i < count && is_equal; i++) {
            char *behind;
            is_equal = strtoul(cursor, &behind, 10) == pieces[i].begin && *behind == '-'
                       && strtoul(behind + 1, &behind, 10) == pieces[i].end;
            cursor = behind;
        }
    }
    check_count++;
    free(text);
    if (is_equal && *cursor == '\n') return;
    failure_count++;
    printf("FAIL %s %.*s: cut elsewhere behind %td of the line\n", kernels->name, 60, line,
           cursor - line);
}

static void check_goldens(FILE *file, const struct btk_kernels *kernels)
{
    static char line[LONGEST_LINE];
    rewind(file);
    while (fgets(line, sizeof line, file)) check_golden(line, kernels);
}

// Pieces lie in order and end with the text; whoever walks twice over what he has seen never ends.
static void check_hostile(const struct pattern *pattern, const struct btk_kernels *kernels,
                          struct btk_bytes text)
{
    struct btk_piece pieces[100];
    size_t end = 0;
    btk_pretok_init(&pretok, kernels, text);
    for (size_t count; (count = pattern->next(&pretok, pieces, BTK_ARRAY_COUNT(pieces))) != 0;) {
        for (size_t i = 0; i < count; i++) {
            if (pieces[i].begin < end || pieces[i].end <= pieces[i].begin) {
                failure_count++;
                printf("FAIL %s: pieces out of order\n", pattern->name);
                return;
            }
            end = pieces[i].end;
        }
    }
    check_count++;
    if (end <= text.length && pretok.position == text.length) return;
    failure_count++;
    printf("FAIL %s: ended at %zu of %zu\n", pattern->name, end, text.length);
}

static void check_all_hostile(const struct btk_kernels *kernels, uint8_t *room)
{
    for (size_t unit = 0; unit < BTK_ARRAY_COUNT(hostile_units); unit++) {
        const size_t length = hostile_fill(hostile_units[unit], room, HOSTILE_BYTES);
        for (size_t i = 0; i < BTK_ARRAY_COUNT(patterns); i++)
            check_hostile(&patterns[i], kernels, (struct btk_bytes){room, length});
    }
}

int main(int argc, char **argv)
{
    FILE *file = argc == 2 ? fopen(argv[1], "r") : NULL;
    uint8_t *room = malloc(HOSTILE_BYTES);
    if (!file || !room) {
        fprintf(stderr, "usage: check_patterns GOLDENS\n");
        return 2;
    }
    size_t set_count;
    const struct btk_kernels *const *sets = btk_kernels_all(&set_count);
    for (size_t i = 0; i < set_count; i++)
        if (btk_kernels_is_supported(sets[i])) check_goldens(file, sets[i]);
    if (check_count == 0) failure_count++;
    check_all_hostile(sets[0], room);
    printf("%s: %zu checks, %zu failures\n", failure_count ? "FAIL" : "PASS", check_count,
           failure_count);
    free(room);
    fclose(file);
    return failure_count ? 1 : 0;
}
