// SPDX-License-Identifier: Apache-2.0
#include "common/process_loop.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define EVENTS_A_TURN 64

enum source_kind { SOURCE_NONE, SOURCE_FD, SOURCE_TIMER, SOURCE_SIGNAL };

struct source {
    enum source_kind kind;
    uint32_t generation; // of this descriptor number: stale events carry an older one
    void *context;
    union {
        btk_loop_fd_fn *on_fd;
        btk_loop_timer_fn *on_timer;
        btk_loop_signal_fn *on_signal;
    } handler;
};

struct btk_loop {
    int epoll_fd;
    int signal_fd;
    sigset_t signals;
    bool stopped;
    struct source *sources; // by descriptor number
    int source_capacity;
    btk_loop_turn_fn *on_turn;
    void *turn_context;
};

int btk_loop_new(struct btk_loop **out_loop)
{
    struct btk_loop *const loop = calloc(1, sizeof *loop);
    if (!loop) return -ENOMEM;
    loop->signal_fd = -1;
    sigemptyset(&loop->signals);
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll_fd < 0) {
        const int status = -errno;
        free(loop);
        return status;
    }
    *out_loop = loop;
    return 0;
}

void btk_loop_free(struct btk_loop **loop)
{
    if (!loop || !*loop) return;
    struct btk_loop *const self = *loop;
    for (int fd = 0; fd < self->source_capacity; fd++) {
        if (self->sources[fd].kind == SOURCE_TIMER) close(fd);
    }
    if (self->signal_fd >= 0) close(self->signal_fd);
    close(self->epoll_fd);
    free(self->sources);
    free(self);
    *loop = NULL;
}

static int make_room(struct btk_loop *loop, int fd)
{
    if (fd < loop->source_capacity) return 0;
    const int capacity = (fd + 64) & ~63;
    struct source *const sources = realloc(loop->sources, (size_t)capacity * sizeof *sources);
    if (!sources) return -ENOMEM;
    memset(sources + loop->source_capacity, 0,
           (size_t)(capacity - loop->source_capacity) * sizeof *sources);
    loop->sources = sources;
    loop->source_capacity = capacity;
    return 0;
}

static int control(struct btk_loop *loop, int operation, int fd, uint32_t events)
{
    const uint64_t tag = (uint64_t)loop->sources[fd].generation << 32 | (uint32_t)fd;
    struct epoll_event event = {.events = events, .data.u64 = tag};
    return epoll_ctl(loop->epoll_fd, operation, fd, &event) == 0 ? 0 : -errno;
}

static int add_source(struct btk_loop *loop, int fd, uint32_t events, struct source source)
{
    if (fd < 0) return -EBADF;
    int status = make_room(loop, fd);
    if (status) return status;
    if (loop->sources[fd].kind != SOURCE_NONE) return -EEXIST;
    source.generation = loop->sources[fd].generation + 1;
    loop->sources[fd] = source;
    status = control(loop, EPOLL_CTL_ADD, fd, events);
    if (status) loop->sources[fd].kind = SOURCE_NONE;
    return status;
}

int btk_loop_add_fd(struct btk_loop *loop, int fd, uint32_t events, btk_loop_fd_fn *handler,
                    void *context)
{
    return add_source(
        loop, fd, events,
        (struct source){.kind = SOURCE_FD, .context = context, .handler.on_fd = handler});
}

static bool is_known(const struct btk_loop *loop, int fd)
{
    return fd >= 0 && fd < loop->source_capacity && loop->sources[fd].kind != SOURCE_NONE;
}

int btk_loop_modify_fd(struct btk_loop *loop, int fd, uint32_t events)
{
    return is_known(loop, fd) ? control(loop, EPOLL_CTL_MOD, fd, events) : -ENOENT;
}

void btk_loop_remove_fd(struct btk_loop *loop, int fd)
{
    if (!is_known(loop, fd)) return;
    loop->sources[fd].kind = SOURCE_NONE;
    epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

int btk_loop_add_timer(struct btk_loop *loop, uint64_t interval_ns, btk_loop_timer_fn *handler,
                       void *context, int *out_timer_fd)
{
    const int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (fd < 0) return -errno;
    const struct timespec interval = {.tv_sec = (time_t)(interval_ns / 1000000000u),
                                      .tv_nsec = (long)(interval_ns % 1000000000u)};
    const struct itimerspec schedule = {.it_interval = interval, .it_value = interval};
    int status = timerfd_settime(fd, 0, &schedule, NULL) == 0 ? 0 : -errno;
    if (status == 0) {
        status = add_source(
            loop, fd, EPOLLIN,
            (struct source){.kind = SOURCE_TIMER, .context = context, .handler.on_timer = handler});
    }
    if (status) {
        close(fd);
        return status;
    }
    if (out_timer_fd) *out_timer_fd = fd;
    return 0;
}

void btk_loop_remove_timer(struct btk_loop *loop, int timer_fd)
{
    if (!is_known(loop, timer_fd) || loop->sources[timer_fd].kind != SOURCE_TIMER) return;
    btk_loop_remove_fd(loop, timer_fd);
    close(timer_fd);
}

int btk_loop_add_signal(struct btk_loop *loop, int signal_number, btk_loop_signal_fn *handler,
                        void *context)
{
    sigaddset(&loop->signals, signal_number);
    const int masked = pthread_sigmask(SIG_BLOCK, &loop->signals, NULL);
    if (masked) return -masked;
    const int fd = signalfd(loop->signal_fd, &loop->signals, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0) return -errno;
    if (loop->signal_fd >= 0) return 0;
    loop->signal_fd = fd;
    return add_source(
        loop, fd, EPOLLIN,
        (struct source){.kind = SOURCE_SIGNAL, .context = context, .handler.on_signal = handler});
}

void btk_loop_set_turn(struct btk_loop *loop, btk_loop_turn_fn *handler, void *context)
{
    loop->on_turn = handler;
    loop->turn_context = context;
}

static void handle_signals(const struct source *source, int fd)
{
    struct signalfd_siginfo info;
    while (read(fd, &info, sizeof info) == (ssize_t)sizeof info) {
        source->handler.on_signal(source->context, (int)info.ssi_signo);
    }
}

static void handle_timer(const struct source *source, int fd)
{
    uint64_t turns = 0;
    if (read(fd, &turns, sizeof turns) != (ssize_t)sizeof turns) return;
    source->handler.on_timer(source->context);
}

static void handle_event(struct btk_loop *loop, const struct epoll_event *event)
{
    const int fd = (int)(uint32_t)event->data.u64;
    if (!is_known(loop, fd)) return;
    // A copy: the handler may add descriptors, which may move the table.
    const struct source source = loop->sources[fd];
    if (source.generation != (uint32_t)(event->data.u64 >> 32)) return;
    switch (source.kind) {
    case SOURCE_FD: source.handler.on_fd(source.context, fd, event->events); break;
    case SOURCE_TIMER: handle_timer(&source, fd); break;
    case SOURCE_SIGNAL: handle_signals(&source, fd); break;
    case SOURCE_NONE: break;
    }
}

int btk_loop_turn(struct btk_loop *loop, int timeout_ms)
{
    struct epoll_event events[EVENTS_A_TURN];
    const int count = epoll_wait(loop->epoll_fd, events, EVENTS_A_TURN, timeout_ms);
    if (count < 0 && errno != EINTR) return -errno;
    for (int i = 0; i < count; i++) handle_event(loop, &events[i]);
    if (loop->on_turn) loop->on_turn(loop->turn_context);
    return count < 0 ? 0 : count;
}

int btk_loop_run(struct btk_loop *loop)
{
    loop->stopped = false;
    while (!loop->stopped) {
        const int count = btk_loop_turn(loop, -1);
        if (count < 0) return count;
    }
    return 0;
}

void btk_loop_stop(struct btk_loop *loop)
{
    loop->stopped = true;
}
