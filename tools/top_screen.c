// SPDX-License-Identifier: Apache-2.0
#include "tools/top_screen.h"

#include <stdarg.h>
#include <stdio.h>

enum {
    LINE_BYTES = 512,
    NAME_BYTES = 64,
    NUMBER_BYTES = 24,
    METER_WIDTH_MIN = 4,
    METER_WIDTH_MAX = 40,
    ROWS_BELOW = 2
};

enum style { STYLE_PLAIN, STYLE_BOLD, STYLE_REVERSED };

struct screen {
    const struct btk_top_view *view;
    struct btk_buffer *lines;
    unsigned row;
    int status;
};

static const char *const parts[] = {"queue_wait", "ipc_transfer", "tokenization", "return"};
static const char letters[] = "qiTr";
static const char *const figures[] = {"mean", "p50", "p90", "p99", "p999", "max"};
static const char *const figure_names[] = {"mean", "p50", "p90", "p99", "p99.9", "max"};
static const char *const windows[BTK_TOP_WINDOWS] = {"latency_10s", "latency_60s", "latency"};
static const char *const window_names[BTK_TOP_WINDOWS] = {"last 10 s", "last 60 s", "since start"};

// --- Lines

static BTK_PRINTF(3, 4) void add_line(struct screen *screen, enum style style, const char *format,
                                      ...)
{
    static const char *const begins[] = {"", "\033[1m", "\033[7m"};
    char line[LINE_BYTES];
    va_list arguments;
    if (screen->status != 0) return;
    if (screen->view->rows != 0 && screen->row >= screen->view->rows) return;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    const int width = (int)btk_min_size(screen->view->columns, sizeof line - 1);
    screen->row++;
    if (style == STYLE_PLAIN || !screen->view->has_styles)
        screen->status = btk_buffer_printf(screen->lines, "%.*s\n", width, line);
    else
        screen->status = btk_buffer_printf(screen->lines, "%s%-*.*s\033[0m\n", begins[style],
                                           style == STYLE_REVERSED ? width : 0, width, line);
}

static double number_of(const struct btk_json *object, const char *name)
{
    double number = 0;
    return btk_json_try_number(btk_json_get(object, name), &number) ? number : 0;
}

static double figure_of(const struct btk_json *set, const char *part, const char *figure)
{
    char name[NAME_BYTES];
    snprintf(name, sizeof name, "%s_%s_us", part, figure);
    return number_of(set, name);
}

// At most seven characters.
static const char *format_short(double number, char text[NUMBER_BYTES])
{
    if (number < 1e4)
        snprintf(text, NUMBER_BYTES,
                 number < 100 && number != (double)(int)number ? "%.1f" : "%.0f", number);
    else if (number < 1e6)
        snprintf(text, NUMBER_BYTES, "%.1f k", number / 1e3);
    else if (number < 1e9)
        snprintf(text, NUMBER_BYTES, "%.2f M", number / 1e6);
    else
        snprintf(text, NUMBER_BYTES, "%.2f G", number / 1e9);
    return text;
}

static const char *format_duration(double seconds, char text[NUMBER_BYTES])
{
    const unsigned long whole = (unsigned long)seconds;
    if (whole >= 86400)
        snprintf(text, NUMBER_BYTES, "%lu d %lu h", whole / 86400, whole / 3600 % 24);
    else if (whole >= 3600)
        snprintf(text, NUMBER_BYTES, "%lu h %lu min", whole / 3600, whole / 60 % 60);
    else if (whole >= 60)
        snprintf(text, NUMBER_BYTES, "%lu min %lu s", whole / 60, whole % 60);
    else
        snprintf(text, NUMBER_BYTES, "%lu s", whole);
    return text;
}

// --- The cluster

static double rate_of(const struct btk_top_view *view, const struct btk_json *now,
                      const struct btk_json *before, const char *name)
{
    const double seconds =
        before == NULL ? number_of(view->now, "uptime_ms") / 1000 : view->seconds;
    const double more = number_of(now, name) - number_of(before, name);
    return more > 0 && seconds > 0 ? more / seconds : 0;
}

static void write_state(struct screen *screen)
{
    const struct btk_top_view *view = screen->view;
    bool is_draining = false;
    char uptime[NUMBER_BYTES];
    btk_json_try_bool(btk_json_get(view->now, "draining"), &is_draining);
    const char *state = view->notice;
    if (state == NULL) state = is_draining ? "draining" : "live";
    add_line(screen, STYLE_BOLD, "budtiktok top   up %s   %s",
             format_duration(number_of(view->now, "uptime_ms") / 1000, uptime), state);
}

static void write_rates(struct screen *screen)
{
    const struct btk_top_view *view = screen->view;
    char tokens[NUMBER_BYTES], documents[NUMBER_BYTES], requests[NUMBER_BYTES];
    add_line(screen, STYLE_PLAIN, "tokens/s %8s   MB/s %7.1f   documents/s %8s   requests/s %8s%s",
             format_short(rate_of(view, view->now, view->before, "tokens_total"), tokens),
             rate_of(view, view->now, view->before, "bytes_total") / 1e6,
             format_short(rate_of(view, view->now, view->before, "documents_total"), documents),
             format_short(rate_of(view, view->now, view->before, "requests_total"), requests),
             view->before == NULL ? "   (since start)" : "");
}

static void write_counts(struct screen *screen)
{
    const struct btk_json *now = screen->view->now;
    const size_t workers = btk_json_count(btk_json_get(now, "workers"));
    add_line(screen, STYLE_PLAIN,
             "waiting %.0f   in flight %.0f   running %.0f   workers %.0f of %zu   refused %.0f   "
             "failed %.0f   clients %.0f",
             number_of(now, "queue_depth"), number_of(now, "batches_in_flight"),
             number_of(now, "shards_running"), number_of(now, "workers_ready"), workers,
             number_of(now, "batches_refused_total"), number_of(now, "batches_failed_total"),
             number_of(now, "client_count"));
}

// --- Latency

// Nine columns, up to a hundred seconds.
static int print_us(char *text, size_t capacity, double us)
{
    return snprintf(text, capacity, " %8.*f", us < 1e5 ? 1 : 0, us);
}

static void write_part(struct screen *screen, const struct btk_json *set, size_t index)
{
    const char *part = parts[index];
    char line[LINE_BYTES], name[NAME_BYTES];
    int length = snprintf(line, sizeof line, "  %c %-14s", letters[index], part);
    for (size_t i = 0; i < BTK_ARRAY_COUNT(figures); i++)
        length +=
            print_us(line + length, sizeof line - (size_t)length, figure_of(set, part, figures[i]));
    snprintf(name, sizeof name, "%s_count", part);
    add_line(screen, STYLE_PLAIN, "%s %7.0f", line, number_of(set, name));
}

// Cells of a bar: each part ends where the sum up to it does, so that nothing is lost by rounding.
static void write_bar(struct screen *screen, const struct btk_json *set, size_t figure)
{
    char bar[LINE_BYTES];
    double sum = 0, reached = 0;
    const unsigned columns = screen->view->columns < 40 ? 40 : screen->view->columns;
    const size_t width = btk_min_size(columns - 28, 100);
    size_t length = 0;
    for (size_t i = 0; i < BTK_ARRAY_COUNT(parts); i++)
        sum += figure_of(set, parts[i], figures[figure]);
    for (size_t i = 0; i < BTK_ARRAY_COUNT(parts) && sum > 0; i++) {
        reached += figure_of(set, parts[i], figures[figure]);
        const size_t end = btk_min_size((size_t)(reached / sum * (double)width + 0.5), width);
        while (length < end) bar[length++] = letters[i];
    }
    bar[length] = 0;
    add_line(screen, STYLE_PLAIN, "  %-5s [%-*s] %11.1f us", figure_names[figure], (int)width, bar,
             sum);
}

static void write_latency(struct screen *screen)
{
    const struct btk_top_view *view = screen->view;
    const struct btk_json *set = btk_json_get(view->now, windows[view->window]);
    char head[LINE_BYTES];
    int length = snprintf(head, sizeof head, "%-18s", window_names[view->window]);
    for (size_t i = 0; i < BTK_ARRAY_COUNT(figures); i++)
        length += snprintf(head + length, sizeof head - (size_t)length, " %5s us", figure_names[i]);
    add_line(screen, STYLE_REVERSED, "%s   count", head);
    for (size_t i = 0; i < BTK_ARRAY_COUNT(parts); i++) write_part(screen, set, i);
    write_bar(screen, set, 0);
    write_bar(screen, set, 1);
    write_bar(screen, set, 3);
}

// --- Workers

static const struct btk_json *worker_before(const struct btk_top_view *view, size_t index)
{
    return btk_json_at(btk_json_get(view->before, "workers"), index);
}

// What is left of the line beside the figures.
static int meter_width(const struct btk_top_view *view)
{
    enum { FIGURES_WIDTH = 76 };
    const int left = (int)view->columns - FIGURES_WIDTH;
    if (left < METER_WIDTH_MIN) return METER_WIDTH_MIN;
    return left > METER_WIDTH_MAX ? METER_WIDTH_MAX : left;
}

static void write_worker(struct screen *screen, const struct btk_json *worker, size_t index)
{
    const struct btk_json *before = worker_before(screen->view, index);
    const double share = number_of(worker, "utilization");
    const double hits = number_of(worker, "cache_hits");
    const double looks = hits + number_of(worker, "cache_misses");
    const int width = meter_width(screen->view);
    const int full = (int)((share > 1 ? 1 : share) * width + 0.5);
    char tokens[NUMBER_BYTES];
    bool is_ready = false;
    btk_json_try_bool(btk_json_get(worker, "ready"), &is_ready);
    add_line(screen, STYLE_PLAIN,
             "%6.0f %-5s %3.0f %% [%-*.*s] %5.0f %8s %6.1f %8.1f %8.1f %5.0f %8.0f",
             number_of(worker, "worker"), is_ready ? "ready" : "down", 100 * share, width, full,
             "########################################", number_of(worker, "queue_depth"),
             format_short(rate_of(screen->view, worker, before, "tokens"), tokens),
             rate_of(screen->view, worker, before, "bytes") / 1e6,
             number_of(worker, "recent_p50_us"), number_of(worker, "recent_p99_us"),
             looks > 0 ? 100 * hits / looks : 0, number_of(worker, "restarts"));
}

// Above the line of keys.
static size_t rows_left(const struct screen *screen)
{
    if (screen->view->rows == 0) return SIZE_MAX;
    return screen->row + 1 < screen->view->rows ? screen->view->rows - screen->row - 1 : 0;
}

static void write_workers(struct screen *screen)
{
    const struct btk_json *workers = btk_json_get(screen->view->now, "workers");
    const size_t count = btk_json_count(workers);
    add_line(screen, STYLE_REVERSED,
             "worker state  util %*s queue tokens/s   MB/s   p50 us   p99 us"
             " hit %% restarts",
             meter_width(screen->view) + 2, "");
    for (size_t i = 0; i < count; i++) {
        if (rows_left(screen) < count - i && rows_left(screen) <= 1) {
            add_line(screen, STYLE_PLAIN, "       ... and %zu more", count - i);
            return;
        }
        write_worker(screen, btk_json_at(workers, i), i);
    }
}

int btk_top_screen_write(const struct btk_top_view *view, struct btk_buffer *out_lines)
{
    struct screen screen = {.view = view, .lines = out_lines};
    write_state(&screen);
    write_rates(&screen);
    write_counts(&screen);
    add_line(&screen, STYLE_PLAIN, "%s", "");
    write_latency(&screen);
    add_line(&screen, STYLE_PLAIN, "%s", "");
    write_workers(&screen);
    if (view->rows != 0) add_line(&screen, STYLE_PLAIN, "q quit   w window   space look again");
    return screen.status;
}
