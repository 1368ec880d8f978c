// SPDX-License-Identifier: Apache-2.0
// Affinity, mapped files and the event loop: what asks the kernel.
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/affinity.h"
#include "common/mapped_file.h"
#include "common/process_loop.h"

// --- affinity

static struct btk_cpu_list list;

Test(affinity, lists_of_processors_are_read_in_their_order)
{
    static const int expected[] = {0, 1, 2, 3, 8, 5};
    struct btk_error error;
    cr_assert_eq(btk_affinity_parse("0-3,8,5", &list, &error), 0);
    cr_assert_eq(list.count, 6);
    for (size_t i = 0; i < 6; i++) cr_expect_eq(list.cpus[i], expected[i]);
    cr_expect_eq(btk_affinity_parse("7", &list, &error), 0);
    cr_expect_eq(list.count, 1);
}

Test(affinity, what_is_no_list_is_refused_and_the_result_untouched)
{
    static const char *const texts[] = {"",
                                        ",",
                                        "a",
                                        "1,",
                                        ",1",
                                        "1-",
                                        "-1",
                                        "3-1",
                                        "1--2",
                                        "0x1",
                                        "1;2",
                                        "1 2",
                                        "99999999999999999999"};
    list.count = 77;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct btk_error error = {.message = ""};
        cr_expect_lt(btk_affinity_parse(texts[i], &list, &error), 0, "\"%s\"", texts[i]);
        cr_expect_neq(error.message[0], 0, "\"%s\"", texts[i]);
    }
    struct btk_error error;
    cr_expect_eq(btk_affinity_parse("0-1024", &list, &error), -ERANGE);
    cr_expect_eq(list.count, 77);
}

Test(affinity, there_is_a_processor_and_it_can_be_pinned_to)
{
    size_t quota = 77;
    cr_assert_eq(btk_affinity_available(&list), 0);
    cr_assert_geq(list.count, 1);
    const size_t workers = btk_affinity_worker_count(&list, &quota);
    cr_expect_geq(workers, 1);
    cr_expect_leq(workers, list.count);
    cr_expect_eq(btk_affinity_worker_count(&list, NULL), workers);
    const int first = list.cpus[0];
    cr_assert_eq(btk_affinity_pin(first), 0);
    cr_assert_eq(btk_affinity_available(&list), 0);
    cr_expect_eq(list.count, 1);
    cr_expect_eq(list.cpus[0], first);
    cr_expect_eq(btk_affinity_pin(BTK_AFFINITY_MAX_CPUS - 1), -EINVAL);
    cr_expect_lt(btk_affinity_pin(-1), 0);
    cr_expect_lt(btk_affinity_pin(1 << 30), 0);
}

// --- mapped_file

static void write_file(char path[64], const char *content)
{
    strcpy(path, "/tmp/btk-mapped-XXXXXX");
    const int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, content, strlen(content)), (ssize_t)strlen(content));
    close(fd);
}

Test(mapped_file, is_what_the_file_holds_up_to_the_limit)
{
    struct btk_mapped_file file;
    struct btk_error error;
    char path[64];
    write_file(path, "content");
    cr_assert_eq(btk_mapped_file_map(path, 7, &file, &error), 0);
    cr_expect_eq(file.length, 7);
    cr_expect_eq(memcmp(file.data, "content", 7), 0);
    btk_mapped_file_unmap(&file);
    btk_mapped_file_unmap(&file);
    btk_mapped_file_unmap(NULL);
    cr_expect_eq(btk_mapped_file_map(path, 6, &file, &error), -EFBIG);
    cr_expect_not_null(strstr(error.message, "7"));
    cr_expect_not_null(strstr(error.message, "6"));
    unlink(path);
}

Test(mapped_file, an_empty_file_has_no_bytes)
{
    struct btk_mapped_file file;
    struct btk_error error;
    char path[64];
    write_file(path, "");
    cr_assert_eq(btk_mapped_file_map(path, 10, &file, &error), 0);
    cr_expect_eq(file.length, 0);
    btk_mapped_file_unmap(&file);
    unlink(path);
}

Test(mapped_file, what_is_no_regular_file_is_refused_without_waiting)
{
    struct btk_mapped_file file;
    struct btk_error error;
    char path[64];
    cr_expect_eq(btk_mapped_file_map("/nonexistent", 10, &file, &error), -ENOENT);
    cr_expect_not_null(strstr(error.message, "/nonexistent"));
    cr_expect_eq(btk_mapped_file_map("/tmp", 10, &file, &error), -EISDIR);
    cr_expect_eq(btk_mapped_file_map("/dev/zero", 10, &file, &error), -EINVAL);
    write_file(path, "");
    unlink(path);
    cr_assert_eq(mkfifo(path, 0600), 0);
    alarm(10);
    cr_expect_eq(btk_mapped_file_map(path, 10, &file, &error), -EINVAL);
    alarm(0);
    unlink(path);
}

// --- process_loop

struct counts {
    struct btk_loop *loop;
    int fds[2], more[2];
    unsigned events, timers, signals, turns;
    int signal_number;
};

static void count_event(void *context, int fd, uint32_t events)
{
    struct counts *const counts = context;
    char byte;
    cr_assert(events & EPOLLIN);
    cr_assert_eq(read(fd, &byte, 1), 1);
    counts->events++;
}

static void count_timer(void *context)
{
    struct counts *const counts = context;
    if (++counts->timers == 3) btk_loop_stop(counts->loop);
}

static void count_signal(void *context, int signal_number)
{
    struct counts *const counts = context;
    counts->signals++;
    counts->signal_number = signal_number;
}

static void count_turn(void *context)
{
    ((struct counts *)context)->turns++;
}

static void open_loop(struct counts *counts)
{
    memset(counts, 0, sizeof *counts);
    cr_assert_eq(btk_loop_new(&counts->loop), 0);
    cr_assert_eq(pipe(counts->fds), 0);
    cr_assert_eq(pipe(counts->more), 0);
}

Test(process_loop, calls_who_has_something_to_read_as_long_as_there_is_something)
{
    struct counts counts;
    open_loop(&counts);
    btk_loop_set_turn(counts.loop, count_turn, &counts);
    cr_assert_eq(btk_loop_add_fd(counts.loop, counts.fds[0], EPOLLIN, count_event, &counts), 0);
    cr_expect_eq(btk_loop_add_fd(counts.loop, counts.fds[0], EPOLLIN, count_event, &counts),
                 -EEXIST);
    cr_expect_eq(btk_loop_turn(counts.loop, 0), 0);
    cr_assert_eq(write(counts.fds[1], "ab", 2), 2);
    cr_expect_eq(btk_loop_turn(counts.loop, 1000), 1);
    cr_expect_eq(btk_loop_turn(counts.loop, 1000), 1);
    cr_expect_eq(btk_loop_turn(counts.loop, 0), 0);
    cr_expect_eq(counts.events, 2);
    cr_expect_eq(counts.turns, 4);
    btk_loop_remove_fd(counts.loop, counts.fds[0]);
    btk_loop_remove_fd(counts.loop, counts.fds[0]);
    btk_loop_remove_fd(counts.loop, 999);
    cr_assert_eq(write(counts.fds[1], "c", 1), 1);
    cr_expect_eq(btk_loop_turn(counts.loop, 0), 0);
    cr_expect_eq(counts.events, 2);
    btk_loop_free(&counts.loop);
    cr_expect_null(counts.loop);
    btk_loop_free(&counts.loop);
}

// Removes the other one of two that are both ready.
static void remove_other(void *context, int fd, uint32_t events)
{
    struct counts *const counts = context;
    (void)events;
    counts->events++;
    btk_loop_remove_fd(counts->loop, fd == counts->fds[0] ? counts->more[0] : counts->fds[0]);
}

Test(process_loop, a_removed_descriptor_is_not_called_for_an_event_that_was_reported_already)
{
    struct counts counts;
    open_loop(&counts);
    cr_assert_eq(btk_loop_add_fd(counts.loop, counts.fds[0], EPOLLIN, remove_other, &counts), 0);
    cr_assert_eq(btk_loop_add_fd(counts.loop, counts.more[0], EPOLLIN, remove_other, &counts), 0);
    cr_assert_eq(write(counts.fds[1], "a", 1), 1);
    cr_assert_eq(write(counts.more[1], "a", 1), 1);
    cr_expect_geq(btk_loop_turn(counts.loop, 1000), 1);
    cr_expect_eq(counts.events, 1);
    btk_loop_free(&counts.loop);
}

Test(process_loop, timers_come_until_they_are_removed_and_a_handler_ends_the_run)
{
    struct counts counts;
    int timer;
    open_loop(&counts);
    cr_assert_eq(btk_loop_add_timer(counts.loop, 1000000, count_timer, &counts, &timer), 0);
    cr_expect_eq(btk_loop_run(counts.loop), 0);
    cr_expect_eq(counts.timers, 3);
    btk_loop_remove_timer(counts.loop, timer);
    cr_expect_eq(btk_loop_turn(counts.loop, 20), 0);
    cr_expect_eq(counts.timers, 3);
    btk_loop_free(&counts.loop);
}

Test(process_loop, signals_come_to_the_handler)
{
    struct counts counts;
    open_loop(&counts);
    cr_assert_eq(btk_loop_add_signal(counts.loop, SIGUSR1, count_signal, &counts), 0);
    cr_assert_eq(btk_loop_add_signal(counts.loop, SIGUSR2, count_signal, &counts), 0);
    raise(SIGUSR2);
    cr_expect_geq(btk_loop_turn(counts.loop, 1000), 1);
    cr_expect_eq(counts.signals, 1);
    cr_expect_eq(counts.signal_number, SIGUSR2);
    btk_loop_free(&counts.loop);
}
