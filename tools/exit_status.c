// SPDX-License-Identifier: Apache-2.0
#include "tools/exit_status.h"

#include <errno.h>
#include <stdio.h>

#include "tools/options.h"

int btk_exit_report(int exit_status, const struct btk_error *error)
{
    fprintf(stderr, "budtiktok: %s\n", error->message);
    return exit_status;
}

int btk_exit_report_backend(int status, const struct btk_error *error)
{
    switch (status) {
    case -ECONNREFUSED:
    case -ECONNRESET:
    case -ETIMEDOUT:
    case -EHOSTUNREACH: return btk_exit_report(BTK_EXIT_NO_CLUSTER, error);
    case -EPERM:
    case -EBUSY: return btk_exit_report(BTK_EXIT_REFUSED, error);
    case -EADDRINUSE: return btk_exit_report(BTK_EXIT_ADDRESS_TAKEN, error);
    default: return btk_exit_report(BTK_EXIT_FILE, error);
    }
}
