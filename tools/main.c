// SPDX-License-Identifier: Apache-2.0
// budtiktok: finds the command and runs it.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/profile.h"
#include "kernels/cpu_features.h"
#include "kernels/kernels.h"
#include "tools/commands.h"
#include "tools/exit_status.h"

typedef int btk_command_fn(const struct btk_options *options);

static btk_command_fn *const command_table[BTK_COMMAND_COUNT] = {
#define COMMAND(name, NAME, arguments, summary, text, examples)                                    \
    [BTK_COMMAND_##NAME] = btk_command_##name,
    BTK_COMMAND_LIST(COMMAND)
#undef COMMAND
};

// Says which kernels were found and chosen, before anything else can fail.
static int choose_kernels(struct btk_error *error)
{
    const struct btk_kernels *kernels;
    const int status = btk_kernels_select(getenv("BUDTIKTOK_SIMD"), &kernels, error);
    if (status < 0) return status;
    char features[BTK_CPU_FEATURES_TEXT_BYTES];
    btk_cpu_features_format(btk_cpu_features_detect(), features, sizeof features);
    btk_log(BTK_LOG_DEBUG, "kernels", "chosen", "simd=%s cpu=%s", kernels->name, features);
    return 0;
}

// What the build makes man pages and completion files with.
static int print_generated(int argc, char **argv)
{
    enum btk_command command;
    if (argc == 3 && strcmp(argv[1], "--man") == 0 && btk_options_try_command(argv[2], &command)) {
        btk_usage_print_man(command);
        return BTK_EXIT_DONE;
    }
    if (argc == 3 && strcmp(argv[1], "--completion") == 0 && btk_usage_print_completion(argv[2]))
        return BTK_EXIT_DONE;
    return BTK_EXIT_USAGE;
}

static int run_command(enum btk_command command, int argc, char **argv)
{
    struct btk_options options;
    struct btk_error error;
    if (btk_options_parse(command, argc, argv, &options, &error) < 0)
        return btk_exit_report(BTK_EXIT_USAGE, &error);
    if (options.wants_help) {
        btk_usage_print_command(command);
        return BTK_EXIT_DONE;
    }
    return command_table[command](&options);
}

static int run(int argc, char **argv)
{
    enum btk_command command;
    struct btk_error error;
    bool takes_profiles;
    if (btk_log_init(&error) < 0 || choose_kernels(&error) < 0
        || btk_profile_wanted(getenv("BUDTIKTOK_PROFILE"), &takes_profiles, &error) < 0)
        return btk_exit_report(BTK_EXIT_USAGE, &error);
    if (argc < 2) {
        btk_usage_print(stderr);
        return BTK_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        btk_usage_print(stdout);
        return BTK_EXIT_DONE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("budtiktok %s\n", BTK_VERSION);
        return BTK_EXIT_DONE;
    }
    if (btk_options_try_command(argv[1], &command)) return run_command(command, argc - 2, argv + 2);
    if (print_generated(argc, argv) == BTK_EXIT_DONE) return BTK_EXIT_DONE;
    fprintf(stderr, "budtiktok: \"%s\" is not a command; see budtiktok --help\n", argv[1]);
    return BTK_EXIT_USAGE;
}

// What was printed has to arrive: a full disk is an error.
int main(int argc, char **argv)
{
    const int status = run(argc, argv);
    btk_log_flush();
    if (fflush(stdout) == 0 && !ferror(stdout)) return status;
    fprintf(stderr, "budtiktok: standard output: %s\n",
            errno ? strerror(errno) : "cannot be written to");
    return BTK_EXIT_FILE;
}
