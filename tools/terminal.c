// SPDX-License-Identifier: Apache-2.0
#include "tools/terminal.h"

#include <errno.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define ENTER "\033[?1049h\033[?25l" // the alternate screen, no cursor
#define LEAVE "\033[?25h\033[?1049l"

static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH};

bool btk_terminal_is_there(void)
{
    return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

static int write_all(const void *bytes, size_t length)
{
    const char *at = bytes;
    while (length > 0) {
        const ssize_t written = write(STDOUT_FILENO, at, length);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return -errno;
        at += written;
        length -= (size_t)written;
    }
    return 0;
}

static int enter(const struct btk_terminal *terminal)
{
    struct termios keys = terminal->saved;
    // Keys at once and unseen; the signals of the keyboard stay.
    keys.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    keys.c_cc[VMIN] = 1;
    keys.c_cc[VTIME] = 0;
    if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &keys) != 0) return -errno;
    return write_all(ENTER, sizeof ENTER - 1);
}

static void leave(const struct btk_terminal *terminal)
{
    // Nothing can be done about a terminal that is gone.
    (void)!write_all(LEAVE, sizeof LEAVE - 1);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &terminal->saved);
}

int btk_terminal_open(struct btk_terminal *terminal)
{
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < BTK_ARRAY_COUNT(signals); i++) sigaddset(&set, signals[i]);
    if (tcgetattr(STDIN_FILENO, &terminal->saved) != 0) return -errno;
    terminal->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (terminal->signal_fd < 0) return -errno;
    sigprocmask(SIG_BLOCK, &set, &terminal->saved_mask);
    const int rc = enter(terminal);
    if (rc != 0) btk_terminal_close(terminal);
    return rc;
}

void btk_terminal_close(struct btk_terminal *terminal)
{
    leave(terminal);
    close(terminal->signal_fd);
    sigprocmask(SIG_SETMASK, &terminal->saved_mask, NULL);
}

void btk_terminal_size(unsigned *out_columns, unsigned *out_rows)
{
    struct winsize size = {0};
    const bool is_said = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0;
    *out_columns = is_said && size.ws_col > 0 ? size.ws_col : 80;
    *out_rows = is_said && size.ws_row > 0 ? size.ws_row : 24;
}

// The shell gets its terminal as it was, and we get it again when we go on.
static void stop(const struct btk_terminal *terminal)
{
    leave(terminal);
    kill(getpid(), SIGSTOP);
    (void)!enter(terminal);
}

static enum btk_terminal_event take_signal(struct btk_terminal *terminal, int *out_value)
{
    struct signalfd_siginfo info;
    if (read(terminal->signal_fd, &info, sizeof info) != sizeof info) return BTK_TERMINAL_TIME;
    *out_value = (int)info.ssi_signo;
    if (*out_value == SIGTSTP) stop(terminal);
    return *out_value == SIGTSTP || *out_value == SIGWINCH ? BTK_TERMINAL_RESIZE : BTK_TERMINAL_END;
}

enum btk_terminal_event btk_terminal_wait(struct btk_terminal *terminal, int timeout_ms,
                                          int *out_value)
{
    struct pollfd polled[] = {{.fd = terminal->signal_fd, .events = POLLIN},
                              {.fd = STDIN_FILENO, .events = POLLIN}};
    unsigned char key = 0;
    *out_value = 0;
    if (poll(polled, BTK_ARRAY_COUNT(polled), timeout_ms) <= 0) return BTK_TERMINAL_TIME;
    if (polled[0].revents != 0) return take_signal(terminal, out_value);
    const ssize_t count = read(STDIN_FILENO, &key, 1);
    *out_value = key;
    return count == 1 ? BTK_TERMINAL_KEY : BTK_TERMINAL_END;
}

int btk_terminal_draw(const struct btk_buffer *lines)
{
    static const char home[] = "\033[H", rest[] = "\033[J", end[] = "\033[K\n";
    struct btk_buffer text = {0};
    const uint8_t *at = lines->data;
    size_t left = lines->length;
    int rc = btk_buffer_append(&text, home, sizeof home - 1);
    while (rc == 0 && left > 0) {
        const uint8_t *newline = memchr(at, '\n', left);
        const size_t length = newline == NULL ? left : (size_t)(newline - at);
        rc = btk_buffer_append(&text, at, length);
        left -= length + (newline != NULL);
        at += length + (newline != NULL);
        // A newline in the last row would move everything up.
        if (rc == 0) rc = btk_buffer_append(&text, end, left > 0 ? sizeof end - 1 : 3);
    }
    if (rc == 0) rc = btk_buffer_append(&text, rest, sizeof rest - 1);
    if (rc == 0) rc = write_all(text.data, text.length);
    btk_buffer_clear(&text);
    return rc;
}
