// SPDX-License-Identifier: Apache-2.0
// budtiktok-worker: one worker process. `budtiktok serve` starts its own; `budtiktok worker` is for
// those started by hand.
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "common/affinity.h"
#include "common/log.h"
#include "common/profile.h"
#include "worker/worker.h"

enum { EXIT_WRONG_USE = 2, EXIT_NO_CLUSTER = 4, EXIT_REFUSED = 5 };

enum { OPTION_CONNECT = 256, OPTION_CPU, OPTION_PARENT_DEATH, OPTION_VERSION };

static const struct option long_options[] = {
    {"connect", required_argument, NULL, OPTION_CONNECT},
    {"cpu", required_argument, NULL, OPTION_CPU},
    {"parent-death", no_argument, NULL, OPTION_PARENT_DEATH},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, OPTION_VERSION},
    {0},
};

static void print_help(FILE *out)
{
    fputs("Usage: budtiktok-worker [options]\n"
          "\n"
          "Joins a BudTikTok cluster and works for it.\n"
          "\n"
          "  --connect ENDPOINT  the cluster, ipc:///path (default: $BUDTIKTOK_CONNECT, else the\n"
          "                      endpoint of this user)\n"
          "  --cpu N             run on this processor alone\n"
          "  --parent-death      end with the process that started this one and with the\n"
          "                      cluster; without it, wait for the cluster to come back\n"
          "  --help, --version\n"
          "\n"
          "Example:\n"
          "  budtiktok-worker --connect ipc:///run/user/1000/budtiktok/control --cpu 3\n",
          out);
}

static int parse_cpu(const char *text, int *out_cpu)
{
    char *end = NULL;
    errno = 0;
    const long cpu = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != 0 || cpu < 0 || cpu >= BTK_AFFINITY_MAX_CPUS)
        return -EINVAL;
    *out_cpu = (int)cpu;
    return 0;
}

// -1: go on; else the exit status.
static int parse_options(int argc, char **argv, struct btk_worker_options *options)
{
    int option;
    while ((option = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
        switch (option) {
        case OPTION_CONNECT: options->endpoint = optarg; break;
        case OPTION_CPU:
            if (parse_cpu(optarg, &options->cpu) == 0) break;
            fprintf(stderr, "budtiktok-worker: --cpu %s: expected a number from 0 to %d\n", optarg,
                    BTK_AFFINITY_MAX_CPUS - 1);
            return EXIT_WRONG_USE;
        case OPTION_PARENT_DEATH: options->reconnect = false; break;
        case OPTION_VERSION: printf("budtiktok-worker %s\n", BTK_VERSION); return EXIT_SUCCESS;
        case 'h': print_help(stdout); return EXIT_SUCCESS;
        default: print_help(stderr); return EXIT_WRONG_USE;
        }
    }
    if (optind == argc) return -1;
    fprintf(stderr, "budtiktok-worker: unexpected argument '%s'\n", argv[optind]);
    return EXIT_WRONG_USE;
}

static int exit_status(int rc)
{
    switch (-rc) {
    case 0: return EXIT_SUCCESS;
    case ENOENT:
    case ETIMEDOUT: return EXIT_NO_CLUSTER;
    case EACCES: return EXIT_REFUSED;
    case EINVAL:
    case ENOTSUP:
    case ENAMETOOLONG: return EXIT_WRONG_USE;
    default: return EXIT_FAILURE;
    }
}

int main(int argc, char **argv)
{
    struct btk_worker_options options = {.cpu = -1, .reconnect = true};
    const int status = parse_options(argc, argv, &options);
    if (status >= 0) return status;
    struct btk_error error = {0};
    if (btk_log_init(&error) != 0
        || btk_profile_wanted(getenv("BUDTIKTOK_PROFILE"), &options.takes_profiles, &error) != 0)
    {
        fprintf(stderr, "budtiktok-worker: %s\n", error.message);
        return EXIT_WRONG_USE;
    }
    if (!options.reconnect) prctl(PR_SET_PDEATHSIG, SIGKILL);
    // A log that nobody reads any more is no reason to die.
    signal(SIGPIPE, SIG_IGN);
    const int rc = btk_worker_run(&options, &error);
    btk_log_flush();
    if (rc != 0) fprintf(stderr, "budtiktok-worker: %s\n", error.message);
    return exit_status(rc);
}
