// SPDX-License-Identifier: Apache-2.0
// Log lines of programs: one event a line, key=value, on stderr.
//
//     time=2026-01-31T12:00:00.123Z level=warn target=coordinator event=worker_lost worker=3
//
// BUDTIKTOK_LOG=[TARGET=]error|warn|info|debug|trace,... chooses; the last rule that fits a target
// wins; the default is info. Libraries never log: only mains, loops and handlers do, and never once
// a request. Each line is one write(2), so lines of several processes do not mix.
#pragma once

#include <stdbool.h>

#include "common/base.h"

enum btk_log_level {
    BTK_LOG_ERROR,
    BTK_LOG_WARN,
    BTK_LOG_INFO,
    BTK_LOG_DEBUG,
    BTK_LOG_TRACE,
};

// Reads the rules once, at the start of main. `rules` is usually getenv("BUDTIKTOK_LOG"); NULL or
// empty: the default. -EINVAL when a level is unknown; the rules before it then hold.
BTK_MUST_USE int btk_log_init(const char *rules);

bool btk_log_enabled(enum btk_log_level level, const char *target);

// `event` names what happened in snake_case; `format` gives the key=value pairs.
void btk_log(enum btk_log_level level, const char *target, const char *event, const char *format,
             ...) BTK_PRINTF(4, 5);
