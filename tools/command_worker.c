// SPDX-License-Identifier: Apache-2.0
// The worker is a program of its own, beside this one: it links neither HTTP nor the client.
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/commands.h"
#include "tools/exit_status.h"
#include "tools/sibling.h"

int btk_command_worker(const struct btk_options *options)
{
    struct btk_error error;
    char path[4096];
    static char connect_option[] = "--connect";
    static char cpu_option[] = "--cpu";
    char *arguments[6];
    unsigned count = 0;
    if (btk_sibling_path("budtiktok-worker", path, sizeof path, &error) < 0)
        return btk_exit_report(BTK_EXIT_FILE, &error);
    arguments[count++] = path;
    if (btk_options_has(options, BTK_OPTION_connect)) {
        arguments[count++] = connect_option;
        arguments[count++] = (char *)(uintptr_t)options->values[BTK_OPTION_connect];
    }
    if (btk_options_has(options, BTK_OPTION_cpu)) {
        arguments[count++] = cpu_option;
        arguments[count++] = (char *)(uintptr_t)options->values[BTK_OPTION_cpu];
    }
    arguments[count] = NULL;
    execv(path, arguments);
    btk_error_set(&error, errno, BTK_NO_OFFSET, "%s: %s", path, strerror(errno));
    return btk_exit_report(BTK_EXIT_FILE, &error);
}
