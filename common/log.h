// SPDX-License-Identifier: Apache-2.0
// Log lines of programs: one event a line, on stderr, as key=value or as JSON.
//
//     time=2026-01-31T12:00:00.123Z level=warn target=coordinator event=worker_lost worker=3
//     {"time":"2026-01-31T12:00:00.123Z","level":"warn","target":"coordinator","event":"worker_lost","worker":3}
//
// BUDTIKTOK_LOG=[TARGET=]error|warn|info|debug|trace,... chooses; the last rule that fits a target
// wins; the default is info. Targets stand in log.c; `budtiktok` is all of them.
// BUDTIKTOK_LOG_FORMAT=text|json.
//
// Libraries never log: only mains, loops and handlers do; what comes once a batch or once a shard is
// of level trace. No line has text of documents, at any level. Each line is one write(2), so lines of
// several processes do not mix.
//
// A place in the code may say so many lines a second (of error, warn and info 10, of debug 100, of
// trace 1000); how many were held back is told with the next line after that second, and at the end.
//
// Threads: init once before there are any; the rest may be called by all.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/base.h"
#include "common/error.h"

enum btk_log_level {
    BTK_LOG_ERROR,
    BTK_LOG_WARN,
    BTK_LOG_INFO,
    BTK_LOG_DEBUG,
    BTK_LOG_TRACE,
};

// One place in the code that logs; btk_log() makes it. log.c's own.
struct btk_log_site {
    enum btk_log_level level;
    const char *target;
    const char *event;
    uint64_t second; // of CLOCK_MONOTONIC, that `count` is of
    uint32_t count;
    uint64_t suppressed_count; // not told yet
    struct btk_log_site *next; // of those that have some
};

// The highest level that any target shows.
extern enum btk_log_level btk_log_limit;

// Reads BUDTIKTOK_LOG and BUDTIKTOK_LOG_FORMAT, at the start of main. -EINVAL with a message: an
// unknown level, target or format; the defaults then hold.
BTK_MUST_USE int btk_log_init(struct btk_error *error);
// The same for these texts; NULL or empty: the default.
BTK_MUST_USE int btk_log_configure(const char *rules, const char *format, struct btk_error *error);

bool btk_log_enabled(enum btk_log_level level, const char *target);

// Tells what was held back and not told yet: at the end of main.
void btk_log_flush(void);

// btk_log(LEVEL, target, event, "key=%u why=%s", ...). `event` names what happened in snake_case. The
// format is key=VALUE with a blank between; a value is one conversion of d, i, u (with l, ll, z), x, s
// or g, or letters. Strings are quoted and escaped here, and cut when they are long.
#define btk_log(log_level, log_target, log_event, ...)                                             \
    do {                                                                                           \
        if ((log_level) > btk_log_limit) break;                                                    \
        static struct btk_log_site log_site = {.target = (log_target), .event = (log_event)};      \
        btk_log_write(&log_site, log_level, __VA_ARGS__);                                          \
    } while (0)

void btk_log_write(struct btk_log_site *site, enum btk_log_level level, const char *format, ...)
    BTK_PRINTF(3, 4);
