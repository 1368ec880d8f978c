// SPDX-License-Identifier: Apache-2.0
#include "ipc/endpoint.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int parse(const char *text, struct btk_endpoint *out_endpoint)
{
    struct btk_error error = {.message = ""};
    const int status = btk_endpoint_parse(text, out_endpoint, &error);
    cr_expect_eq(status == 0, error.message[0] == 0);
    return status;
}

Test(endpoint, stands_for_three_files)
{
    struct btk_endpoint endpoint;
    cr_assert_eq(parse("ipc:///run/x/control", &endpoint), 0);
    cr_expect_str_eq(endpoint.text, "ipc:///run/x/control");
    cr_expect_str_eq(endpoint.path, "/run/x/control");
    cr_expect_str_eq(endpoint.fd_path, "/run/x/control.fd");
    cr_expect_str_eq(endpoint.lock_path, "/run/x/control.lock");
}

Test(endpoint, what_it_cannot_be_is_refused_and_the_result_untouched)
{
    struct btk_endpoint endpoint = {.text = "kept"};
    cr_expect_eq(parse("tcp://127.0.0.1:1", &endpoint), -ENOTSUP);
    cr_expect_eq(parse("ipc://@abstract", &endpoint), -ENOTSUP);
    cr_expect_eq(parse("ipc://relative", &endpoint), -EINVAL);
    cr_expect_eq(parse("/run/x", &endpoint), -EINVAL);
    cr_expect_eq(parse("", &endpoint), -EINVAL);
    cr_expect_eq(parse("http://x", &endpoint), -EINVAL);
    cr_expect_str_eq(endpoint.text, "kept");
}

Test(endpoint, is_as_long_as_the_path_of_its_longest_file_may_be)
{
    for (size_t length = 90; length < 300; length++) {
        char text[320] = "ipc://";
        memset(text + 6, 'a', length);
        text[6] = '/';
        text[6 + length] = 0;
        struct btk_endpoint endpoint;
        const int status = parse(text, &endpoint);
        cr_assert_eq(status, length <= 102 ? 0 : -ENAMETOOLONG, "%zu: %d", length, status);
        if (status == 0) {
            cr_assert_eq(strlen(endpoint.path), length);
            cr_assert_str_eq(endpoint.lock_path + length, ".lock");
        }
    }
}

Test(endpoint, the_default_comes_from_the_environment_in_its_order)
{
    struct btk_endpoint endpoint;
    setenv("BUDTIKTOK_CONNECT", "ipc:///a/b", 1);
    setenv("XDG_RUNTIME_DIR", "/run/user/1", 1);
    cr_expect_eq(parse(NULL, &endpoint), 0);
    cr_expect_str_eq(endpoint.path, "/a/b");
    unsetenv("BUDTIKTOK_CONNECT");
    cr_expect_eq(parse(NULL, &endpoint), 0);
    cr_expect_str_eq(endpoint.path, "/run/user/1/budtiktok/control");
    unsetenv("XDG_RUNTIME_DIR");
    cr_expect_eq(parse(NULL, &endpoint), 0);
    char expected[64];
    snprintf(expected, sizeof expected, "/tmp/budtiktok-%u/control", geteuid());
    cr_expect_str_eq(endpoint.path, expected);
}

static void make_folder(char folder[64], const char *more, struct btk_endpoint *out_endpoint)
{
    char text[128];
    strcpy(folder, "/tmp/btk-endpoint-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    snprintf(text, sizeof text, "ipc://%s%s", folder, more);
    cr_assert_eq(parse(text, out_endpoint), 0);
}

Test(endpoint, its_folder_is_made_for_us_alone)
{
    struct btk_endpoint endpoint;
    struct btk_error error;
    struct stat status;
    char folder[64], inner[80];
    make_folder(folder, "/x/y/control", &endpoint);
    cr_expect_eq(btk_endpoint_check_folder(&endpoint, 0, &error), -ENOENT);
    cr_expect_eq(btk_endpoint_check_folder(&endpoint, 1, &error), 0);
    snprintf(inner, sizeof inner, "%s/x/y", folder);
    cr_assert_eq(stat(inner, &status), 0);
    cr_expect_eq(status.st_mode & 0777, 0700);
    cr_expect_eq(btk_endpoint_check_folder(&endpoint, 1, &error), 0);
    rmdir(inner);
    snprintf(inner, sizeof inner, "%s/x", folder);
    rmdir(inner);
    rmdir(folder);
}

Test(endpoint, a_folder_that_others_can_write_to_is_refused)
{
    struct btk_endpoint endpoint;
    struct btk_error error;
    char folder[64];
    make_folder(folder, "/control", &endpoint);
    cr_expect_eq(btk_endpoint_check_folder(&endpoint, 0, &error), 0);
    cr_assert_eq(chmod(folder, 0770), 0);
    cr_expect_eq(btk_endpoint_check_folder(&endpoint, 0, &error), -EACCES);
    cr_expect_not_null(strstr(error.message, folder));
    cr_assert_eq(chmod(folder, 0702), 0);
    cr_expect_eq(btk_endpoint_check_folder(&endpoint, 1, &error), -EACCES);
    rmdir(folder);
}

Test(endpoint, only_one_has_the_lock_until_it_closes_it)
{
    struct btk_endpoint endpoint;
    struct btk_error error;
    char folder[64];
    int first = -1, second = -1;
    make_folder(folder, "/control", &endpoint);
    cr_assert_eq(btk_endpoint_lock(&endpoint, &first, &error), 0);
    cr_expect_eq(btk_endpoint_lock(&endpoint, &second, &error), -EADDRINUSE);
    cr_expect_not_null(strstr(error.message, "another coordinator"));
    cr_expect_eq(second, -1);
    close(first);
    cr_expect_eq(btk_endpoint_lock(&endpoint, &second, &error), 0);
    close(second);
    unlink(endpoint.lock_path);
    cr_assert_eq(symlink("/tmp/elsewhere", endpoint.lock_path), 0);
    cr_expect_lt(btk_endpoint_lock(&endpoint, &second, &error), 0);
    unlink(endpoint.lock_path);
    rmdir(folder);
}
