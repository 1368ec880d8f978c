// SPDX-License-Identifier: Apache-2.0
#include "common/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log_line.h"

enum { RULES_MAX = 16, NS_PER_S = 1000000000 };

// What rules may name. "budtiktok": all of it.
static const char *const targets[] = {"budtiktok", "coordinator", "http",  "ipc",
                                      "kernels",   "otlp",        "worker"};

struct log_rule {
    char target[32]; // empty: every target
    enum btk_log_level level;
};

// Written once by btk_log_init() before there are threads; read-only afterwards.
static struct log_rule rules_in_force[RULES_MAX];
static size_t rule_count;
static bool is_json;
enum btk_log_level btk_log_limit = BTK_LOG_INFO;

// Of the sites: nobody waits for it longer than a line takes.
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct btk_log_site *silent_sites;

static const char *const level_names[] = {"error", "warn", "info", "debug", "trace"};
static const uint32_t lines_per_second[] = {10, 10, 10, 100, 1000};

// --- Rules

static int refuse(struct btk_error *error, const char *text, size_t length, const char *expected)
{
    return btk_error_set(error, EINVAL, BTK_NO_OFFSET, "BUDTIKTOK_LOG: \"%.*s\": expected %s",
                         (int)btk_min_size(length, 64), text, expected);
}

static int parse_level(const char *name, size_t length, enum btk_log_level *out_level)
{
    for (size_t i = 0; i < BTK_ARRAY_COUNT(level_names); i++) {
        if (strlen(level_names[i]) != length || memcmp(level_names[i], name, length) != 0) continue;
        *out_level = (enum btk_log_level)i;
        return 0;
    }
    return -EINVAL;
}

static bool is_target(const char *name)
{
    for (size_t i = 0; i < BTK_ARRAY_COUNT(targets); i++)
        if (strcmp(targets[i], name) == 0) return true;
    return false;
}

static int refuse_target(struct btk_error *error, const char *text, size_t length)
{
    char names[256] = "one of the targets";
    for (size_t i = 0; i < BTK_ARRAY_COUNT(targets); i++) {
        const size_t at = strlen(names);
        snprintf(names + at, sizeof names - at, " %s", targets[i]);
    }
    return refuse(error, text, length, names);
}

static int parse_rule(const char *text, size_t length, struct log_rule *out_rule,
                      struct btk_error *error)
{
    const char *const equals = memchr(text, '=', length);
    const size_t target_length = equals ? (size_t)(equals - text) : 0;
    const char *const level = equals ? equals + 1 : text;
    struct log_rule rule = {0};
    if (target_length >= sizeof rule.target) return refuse_target(error, text, target_length);
    memcpy(rule.target, text, target_length);
    if (equals && !is_target(rule.target)) return refuse_target(error, text, target_length);
    if (parse_level(level, length - (size_t)(level - text), &rule.level) != 0)
        return refuse(error, text, length, "[TARGET=]error|warn|info|debug|trace");
    *out_rule = rule;
    return 0;
}

static int parse_rules(const char *text, struct btk_error *error)
{
    while (text && *text) {
        const size_t length = strcspn(text, ",");
        if (rule_count == RULES_MAX) return refuse(error, text, length, "at most 16 rules");
        const int status = parse_rule(text, length, &rules_in_force[rule_count], error);
        if (status) return status;
        rule_count++;
        text += length + (text[length] == ',');
    }
    return 0;
}

static int parse_format(const char *format, struct btk_error *error)
{
    is_json = format && strcmp(format, "json") == 0;
    if (!format || !*format || is_json || strcmp(format, "text") == 0) return 0;
    return btk_error_set(error, EINVAL, BTK_NO_OFFSET,
                         "BUDTIKTOK_LOG_FORMAT: \"%.64s\": expected text or json", format);
}

static enum btk_log_level find_limit(void)
{
    enum btk_log_level limit = BTK_LOG_ERROR;
    for (size_t i = 0; i < BTK_ARRAY_COUNT(targets); i++)
        for (int level = BTK_LOG_TRACE; level > (int)limit; level--)
            if (btk_log_enabled((enum btk_log_level)level, targets[i]))
                limit = (enum btk_log_level)level;
    return limit;
}

int btk_log_configure(const char *rules, const char *format, struct btk_error *error)
{
    rule_count = 0;
    int status = parse_format(format, error);
    if (status == 0) status = parse_rules(rules, error);
    if (status != 0) rule_count = 0;
    btk_log_limit = find_limit();
    return status;
}

int btk_log_init(struct btk_error *error)
{
    return btk_log_configure(getenv("BUDTIKTOK_LOG"), getenv("BUDTIKTOK_LOG_FORMAT"), error);
}

static bool rule_fits(const struct log_rule *rule, const char *target)
{
    return !rule->target[0] || strcmp(rule->target, target) == 0
           || strcmp(rule->target, "budtiktok") == 0;
}

bool btk_log_enabled(enum btk_log_level level, const char *target)
{
    enum btk_log_level limit = BTK_LOG_INFO;
    for (size_t i = 0; i < rule_count; i++) {
        if (rule_fits(&rules_in_force[i], target)) limit = rules_in_force[i].level;
    }
    return level <= limit;
}

// --- Lines

static void begin_line(struct btk_log_line *line, const struct btk_log_site *site,
                       const char *event)
{
    struct timespec now;
    struct tm parts;
    char seconds[32];
    char time_text[48];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &parts);
    strftime(seconds, sizeof seconds, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(time_text, sizeof time_text, "%s.%03ldZ", seconds, now.tv_nsec / 1000000);
    btk_log_line_begin(line, is_json);
    btk_log_line_add_string(line, "time", time_text);
    btk_log_line_add_string(line, "level", level_names[site->level]);
    btk_log_line_add_string(line, "target", site->target);
    btk_log_line_add_string(line, "event", event);
}

static void write_line(struct btk_log_line *line)
{
    btk_log_line_end(line);
    if (write(STDERR_FILENO, line->text, line->length) < 0) return; // nowhere left to say so
}

// --- Rates

static void tell(struct btk_log_site *site)
{
    struct btk_log_line line;
    begin_line(&line, site, "suppressed");
    btk_log_line_add_string(&line, "of", site->event);
    btk_log_line_add_unsigned(&line, "count", site->suppressed_count);
    write_line(&line);
    site->suppressed_count = 0;
}

// Of the sites whose second is over; UINT64_MAX: of all.
static void tell_suppressed(uint64_t second)
{
    struct btk_log_site **link = &silent_sites;
    while (*link != NULL) {
        struct btk_log_site *site = *link;
        if (site->second >= second) {
            link = &site->next;
            continue;
        }
        *link = site->next;
        tell(site);
    }
}

static bool may_write(struct btk_log_site *site, uint64_t second)
{
    if (site->second != second) {
        site->second = second;
        site->count = 0;
    }
    if (site->count < lines_per_second[site->level]) {
        site->count++;
        return true;
    }
    if (site->suppressed_count++ == 0) {
        site->next = silent_sites;
        silent_sites = site;
    }
    return false;
}

void btk_log_flush(void)
{
    pthread_mutex_lock(&mutex);
    tell_suppressed(UINT64_MAX);
    pthread_mutex_unlock(&mutex);
}

void btk_log_write(struct btk_log_site *site, enum btk_log_level level, const char *format, ...)
{
    if (!btk_log_enabled(level, site->target)) return;
    const uint64_t second = btk_clock_now_ns() / NS_PER_S;
    struct btk_log_line line;
    va_list arguments;
    pthread_mutex_lock(&mutex);
    tell_suppressed(second);
    site->level = level;
    if (may_write(site, second)) {
        begin_line(&line, site, site->event);
        va_start(arguments, format);
        btk_log_line_add_format(&line, format, arguments);
        va_end(arguments);
        write_line(&line);
    }
    pthread_mutex_unlock(&mutex);
}
