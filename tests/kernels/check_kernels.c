// SPDX-License-Identifier: Apache-2.0
// check_kernels [--seed N] [--rounds N]: every kernel of every set against the scalar one.
// check_kernels --bench: how fast they are.
//
// Texts and outputs end, or begin, at a page that faults, and what surrounds an output is compared
// afterwards. A failure prints the seed; the same seed gives the same texts.
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/utf8.h"
#include "tests/kernels/bench_kernels.h"
#include "tests/kernels/guarded_pages.h"
#include "tests/kernels/kernel_cases.h"
#include "tests/kernels/sample_text.h"

#define SHORT_LENGTHS 301 // 0 to 300
#define LONGEST_TEXT  (128u << 10)
#define CANARY_BYTES  64
#define CANARY        0xa5
#define MOST_FAILURES 20
#define RACE_BYTES    256
#define RACE_COPIES   300000

// What is being checked: global because the handler of a fault tells it.
static struct {
    const struct btk_kernels *set;
    const struct kernel_case *kernel;
    const char *text_name;
    uint64_t seed;
    size_t length;
    size_t alignment;
} now;

static struct guarded_pages text_pages, out_pages, expected_pages;
static size_t failure_count;
static size_t check_count;

static void tell(const char *what)
{
    dprintf(STDOUT_FILENO, "FAIL %s.%s: %s (text %s, length %zu, alignment %zu, seed %llu)\n",
            now.set->name, now.kernel->name, what, now.text_name, now.length, now.alignment,
            (unsigned long long)now.seed);
}

static void on_fault(int signal_number)
{
    tell(signal_number == SIGILL ? "illegal instruction" : "touched memory outside of its lengths");
    _exit(1);
}

static void fail(const char *what)
{
    tell(what);
    if (++failure_count >= MOST_FAILURES) exit(1);
}

static bool is_canary(const uint8_t *bytes)
{
    for (size_t i = 0; i < CANARY_BYTES; i++)
        if (bytes[i] != CANARY) return false;
    return true;
}

// One kernel on one text. The output ends at the faulting page.
static void check_kernel(const struct kernel_case *kernel, const uint8_t *text, size_t length)
{
    now.kernel = kernel;
    const size_t out_bytes = kernel_case_out_bytes(kernel, length);
    uint8_t *expected = expected_pages.end - out_bytes;
    uint8_t *out = out_pages.end - out_bytes;
    memset(out - CANARY_BYTES, CANARY, CANARY_BYTES + out_bytes);
    const struct kernel_outcome right = kernel->run(&btk_kernels_scalar, text, length, expected);
    const struct kernel_outcome found = kernel->run(now.set, text, length, out);
    check_count++;
    if (found.value != right.value)
        fail("returned another number");
    else if (memcmp(out, expected, right.out_bytes) != 0)
        fail("wrote other bytes");
    if (!is_canary(out - CANARY_BYTES)) fail("wrote before its output");
}

static void check_all_kernels(const uint8_t *text, size_t length)
{
    now.length = length;
    for (size_t i = 0; i < kernel_case_count; i++) check_kernel(&kernel_cases[i], text, length);
}

static void check_sample(enum sample_kind kind, uint8_t *text, size_t length)
{
    now.text_name = sample_kind_name(kind);
    now.alignment = (uintptr_t)text % 64;
    sample_fill(kind, now.seed, text, length);
    check_all_kernels(text, length);
}

static void check_every_short_length(void)
{
    for (enum sample_kind kind = 0; kind < SAMPLE_KIND_COUNT; kind++)
        for (size_t length = 0; length < SHORT_LENGTHS; length++)
            check_sample(kind, text_pages.end - length, length);
}

static void check_every_alignment(void)
{
    for (enum sample_kind kind = 0; kind < SAMPLE_KIND_COUNT; kind++)
        for (size_t alignment = 0; alignment < 64; alignment++)
            for (size_t length = 1; length < SHORT_LENGTHS; length += 37)
                check_sample(kind, text_pages.begin + alignment, length);
}

// Long enough for every counter inside a kernel to overflow if it can.
static void check_long_texts(void)
{
    static const size_t lengths[] = {4096, 8127, 8128, 8129, 16323, 65536, LONGEST_TEXT};
    for (enum sample_kind kind = 0; kind < SAMPLE_KIND_COUNT; kind++)
        for (size_t i = 0; i < BTK_ARRAY_COUNT(lengths); i++)
            check_sample(kind, text_pages.end - lengths[i], lengths[i]);
}

// All pairs of bytes with the interesting third and fourth ones, across the borders of vectors.
static void check_sequences_at(size_t position)
{
    static const uint8_t later_bytes[] = {'a', 0x80, 0xbf, 0xc2};
    const size_t length = 80;
    uint8_t *text = text_pages.end - length;
    memset(text, 'a', length);
    now.length = length;
    for (uint32_t number = 0; number < 0x10000u * 16; number++) {
        text[position] = (uint8_t)(number >> 12);
        text[position + 1] = (uint8_t)(number >> 4);
        text[position + 2] = later_bytes[number & 3];
        text[position + 3] = later_bytes[number >> 2 & 3];
        now.seed = number;
        check_kernel(&kernel_cases[0], text, length);
    }
}

static void check_every_sequence(void)
{
    static const size_t positions[] = {0, 15, 29, 30, 31, 61, 62, 63, 76};
    now.text_name = "sequence";
    for (size_t i = 0; i < BTK_ARRAY_COUNT(positions); i++) {
        now.alignment = positions[i];
        check_sequences_at(positions[i]);
    }
}

// Spoils one byte after the other, each for a moment, until the process or its parent is killed.
static void spoil_forever(volatile uint8_t *text, uint64_t seed)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (true) {
        volatile uint8_t *byte = &text[sample_random(&seed) % RACE_BYTES];
        const uint8_t kept = *byte;
        *byte = 0xff;
        *byte = kept;
    }
}

static void check_copies(const uint8_t *text)
{
    now.kernel = &kernel_cases[0];
    now.text_name = "changing";
    now.length = RACE_BYTES;
    now.alignment = 0;
    uint8_t *out = out_pages.end - RACE_BYTES;
    for (int i = 0; i < RACE_COPIES && failure_count == 0; i++) {
        const size_t valid = now.set->utf8_copy(out, text, RACE_BYTES);
        check_count++;
        if (btk_utf8_valid_prefix(out, valid) != valid) fail("copied what it did not check");
    }
}

// What was found valid is valid in the copy, whatever the text says by now. A process writes to it
// and not a thread: this race is meant, and no tool shall report it.
static void check_copy_of_changing_text(void)
{
    uint8_t *text =
        mmap(NULL, RACE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (text == MAP_FAILED) {
        fail("no memory for a shared text");
        return;
    }
    sample_fill(SAMPLE_LATIN, now.seed, text, RACE_BYTES);
    const pid_t writer = fork();
    if (writer == 0) spoil_forever(text, now.seed);
    if (writer < 0) {
        fail("no process to write to the text");
    } else {
        check_copies(text);
        kill(writer, SIGKILL);
        waitpid(writer, NULL, 0);
    }
    munmap(text, RACE_BYTES);
}

static void check_set(const struct btk_kernels *set, uint64_t seed, uint64_t rounds)
{
    now.set = set;
    for (uint64_t round = 0; round < rounds; round++) {
        now.seed = seed + round;
        check_every_short_length();
    }
    now.seed = seed;
    check_every_alignment();
    check_long_texts();
    check_every_sequence();
    now.seed = seed;
    check_copy_of_changing_text();
}

static void catch_faults(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGILL};
    struct sigaction action = {.sa_handler = on_fault};
    for (size_t i = 0; i < BTK_ARRAY_COUNT(signals); i++) sigaction(signals[i], &action, NULL);
}

static int check_all_sets(uint64_t seed, uint64_t rounds)
{
    if (guarded_pages_map(LONGEST_TEXT, &text_pages) != 0
        || guarded_pages_map(5 * LONGEST_TEXT, &out_pages) != 0
        || guarded_pages_map(5 * LONGEST_TEXT, &expected_pages) != 0)
    {
        fprintf(stderr, "check_kernels: no memory\n");
        return 1;
    }
    catch_faults();
    size_t count;
    const struct btk_kernels *const *sets = btk_kernels_all(&count);
    for (size_t i = 0; i < count; i++) {
        if (!btk_kernels_is_supported(sets[i])) {
            printf("SKIP %s: the processor does not have it\n", sets[i]->name);
            continue;
        }
        check_count = 0;
        check_set(sets[i], seed, rounds);
        printf("%s %s: %zu comparisons\n", failure_count ? "FAIL" : "PASS", sets[i]->name,
               check_count);
        fflush(stdout);
    }
    return failure_count ? 1 : 0;
}

int main(int argc, char **argv)
{
    uint64_t seed = 1, rounds = 8;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--bench") == 0) return bench_kernels();
        if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc) {
            seed = strtoull(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc) {
            rounds = strtoull(argv[++i], NULL, 10);
        } else {
            fprintf(stderr, "usage: check_kernels [--seed N] [--rounds N] | --bench\n");
            return 2;
        }
    }
    return check_all_sets(seed, rounds);
}
