// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/buffer.h"
#include "tools/commands.h"
#include "tools/exit_status.h"
#include "tools/open_tokenizer.h"

// Written beside its place and moved there, so that nobody ever sees half of an image.
static int write_image(const char *path, const struct btk_buffer *image, struct btk_error *error)
{
    char temporary[4096];
    if ((size_t)snprintf(temporary, sizeof temporary, "%s.%d", path, (int)getpid())
        >= sizeof temporary)
        return btk_error_set(error, ENAMETOOLONG, BTK_NO_OFFSET, "%s: the name is too long", path);
    FILE *const file = fopen(temporary, "wbe");
    bool is_good = file && fwrite(image->data, 1, image->length, file) == image->length;
    if (file) is_good = fclose(file) == 0 && is_good;
    if (is_good && rename(temporary, path) == 0) return 0;
    const int status = btk_error_set(error, errno, BTK_NO_OFFSET, "%s: %s", path, strerror(errno));
    unlink(temporary);
    return status;
}

int btk_command_compile(const struct btk_options *options)
{
    struct btk_error error;
    const char *const output = options->values[BTK_OPTION_output];
    if (options->file_count != 1 || !output) {
        btk_error_set(&error, EINVAL, BTK_NO_OFFSET,
                      "compile takes one FILE and --output FILE; see budtiktok compile --help");
        return btk_exit_report(BTK_EXIT_USAGE, &error);
    }
    struct btk_said said;
    btk_said_read(options, &said);
    struct btk_buffer image;
    btk_buffer_init(&image);
    int status = btk_compile_named(options->files[0], &said, &image, &error);
    if (!status)
        status = strcmp(output, "-") == 0 ? btk_write_image(STDOUT_FILENO, &image, &error)
                                          : write_image(output, &image, &error);
    btk_buffer_clear(&image);
    return status < 0 ? btk_exit_report(BTK_EXIT_FILE, &error) : BTK_EXIT_DONE;
}
