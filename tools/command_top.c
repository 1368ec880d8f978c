// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <budtiktok/client.h>

#include "common/clock.h"
#include "common/json.h"
#include "tools/commands.h"
#include "tools/exit_status.h"
#include "tools/open_tokenizer.h"
#include "tools/terminal.h"
#include "tools/top_screen.h"

#define NS_PER_S 1e9

enum { STATUS_BYTES_MAX = 1 << 17, TIMEOUT_MS = 1000, PLAIN_COLUMNS = 120 };

struct top {
    const char *endpoint;
    struct btk_client *client; // NULL: to be connected again
    char *json;                // STATUS_BYTES_MAX
    struct btk_json *now;
    struct btk_json *before;
    uint64_t now_ns;
    uint64_t before_ns;
    double interval_s;
    uint64_t left; // looks; 0: without end, for it is counted down before it is compared
    unsigned window;
    struct btk_error error; // of the last look; code 0: none
};

// --- Looking

static int connect_top(struct top *top)
{
    struct btk_error_info info;
    const struct btk_client_options options = {.endpoint = top->endpoint,
                                               .slab_bytes = 1 << 20,
                                               .timeout_ms = TIMEOUT_MS,
                                               .name = "budtiktok top"};
    int status = btk_client_connect(&options, &top->client, &info);
    if (status < 0) btk_error_import(&top->error, &info);
    return status == -ENOENT ? -ECONNREFUSED : status;
}

static int read_status(struct top *top, struct btk_json **out_root)
{
    struct btk_error_info info;
    size_t bytes = 0;
    int status = top->client == NULL ? connect_top(top) : 0;
    if (status < 0) return status;
    status = btk_client_status(top->client, top->json, STATUS_BYTES_MAX, &bytes, &info);
    if (status == 0)
        return btk_json_parse((struct btk_bytes){(const uint8_t *)top->json, bytes}, out_root,
                              &top->error);
    btk_error_import(&top->error, &info);
    btk_client_close(&top->client);
    return status;
}

// A new look makes the last one the one before. Without an answer both stay.
static int look(struct top *top)
{
    struct btk_json *root = NULL;
    top->error = (struct btk_error){0};
    const int status = read_status(top, &root);
    if (status < 0) return status;
    btk_json_free(top->before);
    top->before = top->now;
    top->before_ns = top->now_ns;
    top->now = root;
    top->now_ns = btk_clock_now_ns();
    return 0;
}

static struct btk_top_view view_of(const struct top *top)
{
    return (struct btk_top_view){.now = top->now,
                                 .before = top->before,
                                 .seconds = (double)(top->now_ns - top->before_ns) / NS_PER_S,
                                 .window = top->window};
}

// --- Without a terminal: block after block

static int print_block(struct top *top)
{
    struct btk_buffer lines = {0};
    struct btk_top_view view = view_of(top);
    view.columns = PLAIN_COLUMNS;
    const int status = btk_top_screen_write(&view, &lines);
    if (status == 0) fwrite(lines.data, 1, lines.length, stdout);
    btk_buffer_clear(&lines);
    return status;
}

static int run_plain(struct top *top)
{
    const struct timespec pause = {.tv_sec = (time_t)top->interval_s,
                                   .tv_nsec = (long)(fmod(top->interval_s, 1) * NS_PER_S)};
    for (;;) {
        const int status = print_block(top);
        if (status < 0) return status;
        // A reader that has gone is an error that main says.
        if (--top->left == 0 || fflush(stdout) != 0) return 0;
        putchar('\n');
        nanosleep(&pause, NULL);
        const int looked = look(top);
        if (looked < 0) return looked;
    }
}

// --- On a terminal

static int draw(struct top *top)
{
    struct btk_buffer lines = {0};
    char notice[sizeof top->error.message + 32];
    struct btk_top_view view = view_of(top);
    btk_terminal_size(&view.columns, &view.rows);
    view.has_styles = true;
    snprintf(notice, sizeof notice, "NO ANSWER: %s", top->error.message);
    if (top->error.code != 0) view.notice = notice;
    int status = btk_top_screen_write(&view, &lines);
    if (status == 0) status = btk_terminal_draw(&lines);
    btk_buffer_clear(&lines);
    return status;
}

// Until it is time for the next look. 1: that it is; 0: the end; *out_signal ended it, if any did.
static int wait_for_next(struct top *top, struct btk_terminal *terminal, int *out_signal)
{
    const uint64_t next_ns = btk_clock_now_ns() + (uint64_t)(top->interval_s * NS_PER_S);
    for (;;) {
        const uint64_t now_ns = btk_clock_now_ns();
        if (now_ns >= next_ns) return 1;
        int value = 0;
        switch (btk_terminal_wait(terminal, (int)((next_ns - now_ns) / 1000000) + 1, &value)) {
        case BTK_TERMINAL_END: *out_signal = value; return 0;
        case BTK_TERMINAL_TIME: continue;
        case BTK_TERMINAL_RESIZE: break;
        case BTK_TERMINAL_KEY:
            if (value == 'q' || value == 'Q') return 0;
            if (value == ' ') return 1;
            if (value == 'w') top->window = (top->window + 1) % BTK_TOP_WINDOWS;
        }
        const int status = draw(top);
        if (status < 0) return status;
    }
}

static int fail_terminal(struct top *top, int status)
{
    return btk_error_set(&top->error, -status, BTK_NO_OFFSET, "the terminal: %s",
                         strerror(-status));
}

static int run_screen(struct top *top)
{
    struct btk_terminal terminal;
    int signal_number = 0;
    int status = btk_terminal_open(&terminal);
    if (status < 0) return fail_terminal(top, status);
    do {
        status = draw(top);
        if (status < 0 || --top->left == 0) break;
        status = wait_for_next(top, &terminal, &signal_number);
        // Who does not answer now may do so later; it is said meanwhile.
        if (status == 1) (void)!look(top);
    } while (status == 1);
    btk_terminal_close(&terminal);
    if (signal_number != 0) raise(signal_number);
    return status < 0 ? fail_terminal(top, status) : 0;
}

// --- The command

// Seconds, down to a tenth.
static int read_interval(const struct btk_options *options, double *out_seconds,
                         struct btk_error *error)
{
    const char *text = options->values[BTK_OPTION_interval];
    char *end = NULL;
    if (text == NULL) return 0;
    const double seconds = strtod(text, &end);
    if (end == text || *end != 0 || !(seconds >= 0.1 && seconds <= 3600))
        return btk_error_set(error, EINVAL, BTK_NO_OFFSET,
                             "--interval %s: expected seconds, 0.1 to 3600", text);
    *out_seconds = seconds;
    return 0;
}

static int run_top(struct top *top)
{
    top->json = malloc(STATUS_BYTES_MAX);
    if (top->json == NULL)
        return btk_error_set(&top->error, ENOMEM, BTK_NO_OFFSET, "not enough memory");
    const int status = look(top);
    if (status < 0) return status;
    return btk_terminal_is_there() ? run_screen(top) : run_plain(top);
}

int btk_command_top(const struct btk_options *options)
{
    struct top top = {.endpoint = options->values[BTK_OPTION_connect], .interval_s = 1};
    struct btk_error error;
    if (btk_options_number(options, BTK_OPTION_count, 1, 0, &top.left, &error) < 0
        || read_interval(options, &top.interval_s, &error) < 0)
        return btk_exit_report(BTK_EXIT_USAGE, &error);
    if (btk_options_has(options, BTK_OPTION_once)) top.left = 1;
    const int status = run_top(&top);
    btk_json_free(top.now);
    btk_json_free(top.before);
    free(top.json);
    btk_client_close(&top.client);
    return status < 0 ? btk_exit_report_backend(status, &top.error) : BTK_EXIT_DONE;
}
