// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/json.h"
#include "common/log.h"

// --- Rules

static int configure(const char *rules)
{
    struct btk_error error;
    return btk_log_configure(rules, NULL, &error);
}

Test(log, the_last_rule_that_fits_decides)
{
    cr_assert_eq(configure("warn,worker=debug"), 0);
    cr_expect(btk_log_enabled(BTK_LOG_DEBUG, "worker"));
    cr_expect_not(btk_log_enabled(BTK_LOG_TRACE, "worker"));
    cr_expect_not(btk_log_enabled(BTK_LOG_INFO, "coordinator"));
    cr_expect_eq(btk_log_limit, BTK_LOG_DEBUG);
    cr_assert_eq(configure("worker=debug,error"), 0);
    cr_expect_not(btk_log_enabled(BTK_LOG_WARN, "worker"));
    cr_expect_eq(btk_log_limit, BTK_LOG_ERROR);
    cr_assert_eq(configure(NULL), 0);
    cr_expect(btk_log_enabled(BTK_LOG_INFO, "worker"));
    cr_expect_not(btk_log_enabled(BTK_LOG_DEBUG, "worker"));
    cr_assert_eq(configure(""), 0);
    cr_expect(btk_log_enabled(BTK_LOG_INFO, "worker"));
}

Test(log, budtiktok_is_every_target)
{
    static const char *const names[] = {"coordinator", "http", "ipc", "kernels", "otlp", "worker"};
    cr_assert_eq(configure("budtiktok=trace"), 0);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        cr_expect(btk_log_enabled(BTK_LOG_TRACE, names[i]), "%s", names[i]);
    cr_assert_eq(configure("budtiktok=trace,http=warn"), 0);
    cr_expect_not(btk_log_enabled(BTK_LOG_INFO, "http"));
    cr_expect(btk_log_enabled(BTK_LOG_TRACE, "otlp"));
}

Test(log, rules_that_make_no_sense_are_refused_with_what_was_expected_and_the_default_holds)
{
    static const struct {
        const char *rules;
        const char *words;
    } cases[] = {
        {"loud", "\"loud\": expected [TARGET=]error|warn|info|debug|trace"},
        {"worker=loud", "\"worker=loud\": expected [TARGET=]error"},
        {"worker=", "\"worker=\""},
        {"INFO", "\"INFO\""},
        {"warn,wurker=info", "\"wurker\": expected one of the targets budtiktok coordinator"},
        {"=info", "one of the targets"},
        {"a_target_that_is_longer_than_any_of_ours_is=info", "one of the targets"},
        {"info,info,info,info,info,info,info,info,info,info,info,info,info,info,info,info,info",
         "at most 16 rules"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct btk_error error = {.message = ""};
        cr_expect_eq(btk_log_configure(cases[i].rules, NULL, &error), -EINVAL);
        cr_expect_not_null(strstr(error.message, cases[i].words), "%s", error.message);
        cr_expect(btk_log_enabled(BTK_LOG_INFO, "worker"));
        cr_expect_not(btk_log_enabled(BTK_LOG_DEBUG, "worker"));
    }
    struct btk_error error = {.message = ""};
    cr_expect_eq(btk_log_configure(NULL, "xml", &error), -EINVAL);
    cr_expect_str_eq(error.message, "BUDTIKTOK_LOG_FORMAT: \"xml\": expected text or json");
}

// --- Lines

static int captured[2];
static int kept;
static char lines[1 << 16];

static void begin_capture(void)
{
    cr_assert_eq(pipe(captured), 0);
    kept = dup(STDERR_FILENO);
    dup2(captured[1], STDERR_FILENO);
}

// What was written since, with a NUL.
static ssize_t end_capture(void)
{
    dup2(kept, STDERR_FILENO);
    close(captured[1]);
    ssize_t length = 0;
    ssize_t got;
    while ((got = read(captured[0], lines + length, sizeof lines - 1 - (size_t)length)) > 0)
        length += got;
    lines[length] = 0;
    close(captured[0]);
    close(kept);
    return length;
}

static unsigned count_of(const char *text)
{
    unsigned count = 0;
    for (const char *at = lines; (at = strstr(at, text)) != NULL; at++) count++;
    return count;
}

Test(log, strings_are_bare_where_they_are_words_and_quoted_and_escaped_where_not)
{
    cr_assert_eq(configure(NULL), 0);
    begin_capture();
    btk_log(BTK_LOG_WARN, "worker", "first", "a=%s b=%s c=%s d=%s e=%d f=%llu g=word", "ipc:///a-b",
            "two words", "", "\"\\\xff", -5, 1ull << 63);
    end_capture();
    cr_expect_not_null(strstr(lines,
                              " level=warn target=worker event=first a=ipc:///a-b b=\"two words\" "
                              "c=\"\" d=\"\\\"\\\\\\xff\" e=-5 f=9223372036854775808 g=word\n"),
                       "%s", lines);
}

Test(log, a_line_is_one_write_and_what_came_from_outside_forges_none)
{
    char long_text[3000];
    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = 0;
    cr_assert_eq(configure(NULL), 0);
    begin_capture();
    btk_log(BTK_LOG_WARN, "worker", "first", "name=%s",
            "a\nlevel=error forged\x1b[2J\" level=error");
    btk_log(BTK_LOG_WARN, "worker", "second", "name=%s more=%u", long_text, 7);
    btk_log(BTK_LOG_DEBUG, "worker", "third", "name=%s", "not shown");
    end_capture();
    cr_expect_not_null(strstr(lines, " name=\"a\\nlevel=error forged\\x1b[2J\\\" level=error\"\n"),
                       "%s", lines);
    cr_expect_not_null(strstr(lines, "xxx...\" more=7\n"));
    cr_expect_eq(count_of("\n"), 2);
    cr_expect_eq(count_of("third"), 0);
}

Test(log, what_does_not_fit_is_left_out_key_by_key)
{
    char text[500];
    struct btk_error error;
    memset(text, '"', sizeof text - 1);
    text[sizeof text - 1] = 0;
    cr_assert_eq(btk_log_configure(NULL, "json", &error), 0);
    begin_capture();
    btk_log(BTK_LOG_WARN, "worker", "large", "a=%s b=%s c=%u", text, text, 7);
    const ssize_t length = end_capture();
    struct btk_json *json = NULL;
    cr_assert_eq(
        btk_json_parse((struct btk_bytes){(uint8_t *)lines, (size_t)length}, &json, &error), 0,
        "%s", lines);
    cr_expect_eq(count_of("\"a\":"), 1);
    cr_expect_eq(count_of("\"b\":"), 0);
    cr_expect_leq(length, 1024);
    btk_json_free(json);
}

Test(log, json_is_json_whatever_the_values_are)
{
    struct btk_error error;
    struct btk_json *json = NULL;
    struct btk_bytes text;
    int64_t number;
    cr_assert_eq(btk_log_configure(NULL, "json", &error), 0);
    begin_capture();
    btk_log(BTK_LOG_ERROR, "worker", "odd", "why=%s count=%zu share=%g", "a\"b\\c\nd\x01\xff\xc3(é",
            (size_t)7, 0.5);
    const ssize_t length = end_capture();
    cr_expect_eq(strchr(lines, '\n'), lines + length - 1);
    cr_assert_eq(
        btk_json_parse((struct btk_bytes){(uint8_t *)lines, (size_t)length}, &json, &error), 0,
        "%s", lines);
    cr_assert(btk_json_try_string(btk_json_get(json, "why"), &text));
    cr_expect(btk_bytes_are(text, "a\"b\\c\nd\x01\xef\xbf\xbd\xef\xbf\xbd(é"), "%s", lines);
    cr_assert(btk_json_try_integer(btk_json_get(json, "count"), &number));
    cr_expect_eq(number, 7);
    cr_assert(btk_json_try_string(btk_json_get(json, "level"), &text));
    cr_expect(btk_bytes_are(text, "error"));
    btk_json_free(json);
}

// --- Rates

static void say(unsigned count)
{
    for (unsigned i = 0; i < count; i++) btk_log(BTK_LOG_WARN, "worker", "often", "at=%u", i);
}

Test(log, a_place_that_says_too_much_is_silent_for_a_while_and_the_number_is_told)
{
    cr_assert_eq(configure(NULL), 0);
    // Not over the edge of a second.
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (now.tv_nsec > 500000000) usleep(600000);
    begin_capture();
    say(50);
    btk_log(BTK_LOG_WARN, "worker", "other", "place=another");
    usleep(1100000);
    say(1);
    btk_log_flush();
    end_capture();
    cr_expect_eq(count_of("event=often"), 11, "%s", lines);
    cr_expect_eq(count_of("event=other"), 1);
    cr_expect_eq(count_of("level=warn target=worker event=suppressed of=often count=40\n"), 1, "%s",
                 lines);
    cr_expect_eq(count_of("event=suppressed"), 1);
}

Test(log, what_was_held_back_is_told_at_the_end)
{
    cr_assert_eq(configure(NULL), 0);
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (now.tv_nsec > 500000000) usleep(600000);
    begin_capture();
    say(15);
    btk_log_flush();
    btk_log_flush();
    end_capture();
    cr_expect_eq(count_of("event=suppressed of=often count=5\n"), 1, "%s", lines);
}
