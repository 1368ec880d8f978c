// SPDX-License-Identifier: Apache-2.0
#include "ipc/endpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int use_default(char *out_text, size_t capacity)
{
    const char *configured = getenv("BUDTIKTOK_CONNECT");
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    int length;
    if (configured != NULL && configured[0] != 0)
        length = snprintf(out_text, capacity, "%s", configured);
    else if (runtime != NULL && runtime[0] == '/')
        length = snprintf(out_text, capacity, "ipc://%s/budtiktok/control", runtime);
    else
        length = snprintf(out_text, capacity, "ipc:///tmp/budtiktok-%u/control", geteuid());
    return length < 0 || (size_t)length >= capacity ? -ENAMETOOLONG : 0;
}

int btk_endpoint_parse(const char *text, struct btk_endpoint *out_endpoint, struct btk_error *error)
{
    struct btk_endpoint endpoint = {0};
    int rc = 0;
    if (text == NULL)
        rc = use_default(endpoint.text, sizeof endpoint.text);
    else if (strlen(text) >= sizeof endpoint.text)
        rc = -ENAMETOOLONG;
    else
        strcpy(endpoint.text, text);
    if (rc == 0 && strncmp(endpoint.text, "tcp://", 6) == 0)
        return btk_error_set(error, ENOTSUP, BTK_NO_OFFSET,
                             "endpoint %s: tcp is not supported yet; expected ipc:///path",
                             endpoint.text);
    if (rc == 0 && strncmp(endpoint.text, "ipc://@", 7) == 0)
        return btk_error_set(error, ENOTSUP, BTK_NO_OFFSET,
                             "endpoint %s: an abstract address (@) has no permissions and is "
                             "refused; expected ipc:///path",
                             endpoint.text);
    if (rc == 0 && strncmp(endpoint.text, "ipc:///", 7) != 0)
        return btk_error_set(error, EINVAL, BTK_NO_OFFSET,
                             "endpoint %s: expected ipc:// and an absolute path", endpoint.text);
    const char *path = endpoint.text + 6;
    if (rc != 0 || strlen(path) + sizeof ".lock" > sizeof endpoint.path)
        return btk_error_set(error, ENAMETOOLONG, BTK_NO_OFFSET,
                             "endpoint %s: a socket's path holds at most %zu bytes",
                             text == NULL ? "(default)" : text,
                             sizeof endpoint.path - sizeof ".lock");
    snprintf(endpoint.path, sizeof endpoint.path, "%.102s", path);
    snprintf(endpoint.fd_path, sizeof endpoint.fd_path, "%.102s.fd", path);
    snprintf(endpoint.lock_path, sizeof endpoint.lock_path, "%.102s.lock", path);
    *out_endpoint = endpoint;
    return 0;
}

// Creates the missing folders of a path, all of them 0700.
static int make_folders(char *folder)
{
    for (char *slash = strchr(folder + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        const int rc = mkdir(folder, 0700);
        *slash = '/';
        if (rc != 0 && errno != EEXIST) return -errno;
    }
    return mkdir(folder, 0700) != 0 && errno != EEXIST ? -errno : 0;
}

int btk_endpoint_check_folder(const struct btk_endpoint *endpoint, int create,
                              struct btk_error *error)
{
    char folder[BTK_ENDPOINT_PATH_MAX];
    strcpy(folder, endpoint->path);
    char *slash = strrchr(folder, '/');
    if (slash == folder) slash++;
    *slash = 0;
    int rc = create ? make_folders(folder) : 0;
    struct stat status = {0};
    if (rc == 0 && stat(folder, &status) != 0) rc = -errno;
    if (rc != 0)
        return btk_error_set(error, -rc, BTK_NO_OFFSET, "folder %s: %s", folder, strerror(-rc));
    if (!S_ISDIR(status.st_mode) || status.st_uid != geteuid() || (status.st_mode & 022) != 0)
        return btk_error_set(error, EACCES, BTK_NO_OFFSET,
                             "folder %s: must be a folder of this user that nobody else can write "
                             "to (mode 0700)",
                             folder);
    return 0;
}

// Sockets that a killed coordinator left are replaced; other files are somebody's.
static int check_replaceable(const char *path, struct btk_error *error)
{
    struct stat status;
    if (lstat(path, &status) != 0 || S_ISSOCK(status.st_mode)) return 0;
    return btk_error_set(error, EEXIST, BTK_NO_OFFSET,
                         "%s is there, and is no socket: it is not replaced", path);
}

int btk_endpoint_lock(const struct btk_endpoint *endpoint, int *out_lock_fd,
                      struct btk_error *error)
{
    const int fd = open(endpoint->lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return btk_error_set(error, errno, BTK_NO_OFFSET, "%s: %s", endpoint->lock_path,
                             strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        const int code = errno == EWOULDBLOCK ? EADDRINUSE : errno;
        close(fd);
        return btk_error_set(error, code, BTK_NO_OFFSET,
                             "%s: another coordinator serves here (it holds %s)", endpoint->text,
                             endpoint->lock_path);
    }
    int rc = check_replaceable(endpoint->path, error);
    if (rc == 0) rc = check_replaceable(endpoint->fd_path, error);
    if (rc != 0) {
        close(fd);
        return rc;
    }
    *out_lock_fd = fd;
    return 0;
}
