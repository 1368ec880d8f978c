// SPDX-License-Identifier: Apache-2.0
#include "common/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAX_RULES 16

struct log_rule {
    char target[32]; // empty: every target
    enum btk_log_level level;
};

// Written once by btk_log_init() before there are threads; read-only afterwards.
static struct log_rule rules_in_force[MAX_RULES];
static size_t rule_count;

static const char *const level_names[] = {"error", "warn", "info", "debug", "trace"};

static int parse_level(const char *name, size_t length, enum btk_log_level *out_level)
{
    for (size_t i = 0; i < BTK_ARRAY_COUNT(level_names); i++) {
        if (strlen(level_names[i]) != length || memcmp(level_names[i], name, length) != 0) continue;
        *out_level = (enum btk_log_level)i;
        return 0;
    }
    return -EINVAL;
}

static int parse_rule(const char *text, size_t length, struct log_rule *out_rule)
{
    const char *const equals = memchr(text, '=', length);
    const size_t target_length = equals ? (size_t)(equals - text) : 0;
    const char *const level = equals ? equals + 1 : text;
    if (target_length >= sizeof out_rule->target) return -EINVAL;
    struct log_rule rule = {0};
    memcpy(rule.target, text, target_length);
    const int status = parse_level(level, length - (size_t)(level - text), &rule.level);
    if (status == 0) *out_rule = rule;
    return status;
}

int btk_log_init(const char *rules)
{
    rule_count = 0;
    while (rules && *rules) {
        const size_t length = strcspn(rules, ",");
        if (rule_count == MAX_RULES) return -EINVAL;
        const int status = parse_rule(rules, length, &rules_in_force[rule_count]);
        if (status) return status;
        rule_count++;
        rules += length + (rules[length] == ',');
    }
    return 0;
}

// "budtiktok" in a rule means all of it.
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

static size_t format_head(char *line, size_t capacity, enum btk_log_level level, const char *target,
                          const char *event)
{
    struct timespec now;
    struct tm parts;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &parts);
    const size_t length = strftime(line, capacity, "time=%Y-%m-%dT%H:%M:%S", &parts);
    const int rest =
        snprintf(line + length, capacity - length, ".%03ldZ level=%s target=%s event=%s ",
                 now.tv_nsec / 1000000, level_names[level], target, event);
    return length + (size_t)(rest < 0 ? 0 : rest);
}

void btk_log(enum btk_log_level level, const char *target, const char *event, const char *format,
             ...)
{
    if (!btk_log_enabled(level, target)) return;
    char line[1024];
    size_t length = format_head(line, sizeof line, level, target, event);
    if (length > sizeof line - 2) length = sizeof line - 2;
    va_list arguments;
    va_start(arguments, format);
    const int rest = vsnprintf(line + length, sizeof line - length, format, arguments);
    va_end(arguments);
    length = btk_min_size(length + (size_t)(rest < 0 ? 0 : rest), sizeof line - 2);
    // What came from outside must not forge a line of its own.
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)line[i] < 0x20) line[i] = ' ';
    }
    line[length++] = '\n';
    if (write(STDERR_FILENO, line, length) < 0) return; // nowhere left to say so
}
