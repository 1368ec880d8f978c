// SPDX-License-Identifier: Apache-2.0
#include "bench/baseline.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "bench/commit.h"
#include "common/json.h"
#include "common/json_writer.h"
#include "common/mapped_file.h"

enum { FILE_BYTES_MAX = 64 << 20, MACHINE_BYTES = 128 };

struct kept {
    char *name;
    double *runs;
    size_t run_count;
};

struct btk_baseline {
    struct kept *figures;
    size_t count;
    char machine[MACHINE_BYTES];
    char origin[512];
};

int btk_baseline_check_name(const char *option, const char *name, struct btk_error *error)
{
    bool is_good = name[0] && name[0] != '.' && strlen(name) < BTK_BASELINE_NAME_BYTES;
    for (const char *at = name; *at; at++)
        is_good &= isalnum((unsigned char)*at) || strchr("._-", *at);
    return is_good ? 0
                   : btk_error_set(error, EINVAL, BTK_NO_OFFSET,
                                   "--%s: \"%.100s\" is not a name of letters, digits, '.', '_' "
                                   "and '-', at most %d bytes, that begins with no dot",
                                   option, name, BTK_BASELINE_NAME_BYTES - 1);
}

static int folder_path(char *out_path, struct btk_error *error)
{
    const char *const ours = getenv("BUDTIKTOK_CACHE_DIR");
    const char *const cache = getenv("XDG_CACHE_HOME");
    const char *const home = getenv("HOME");
    int length;
    if (ours && *ours)
        length = snprintf(out_path, BTK_BASELINE_PATH_BYTES, "%s/baselines", ours);
    else if (cache && *cache)
        length = snprintf(out_path, BTK_BASELINE_PATH_BYTES, "%s/budtiktok/baselines", cache);
    else if (home && *home)
        length = snprintf(out_path, BTK_BASELINE_PATH_BYTES, "%s/.cache/budtiktok/baselines", home);
    else
        return btk_error_set(error, ENOENT, BTK_NO_OFFSET,
                             "no place for baselines: neither BUDTIKTOK_CACHE_DIR nor HOME is set");
    return length + BTK_BASELINE_NAME_BYTES + 32 < BTK_BASELINE_PATH_BYTES
               ? 0
               : btk_error_set(error, ENAMETOOLONG, BTK_NO_OFFSET,
                               "the path of the cache folder is too long");
}

static int make_folders(char *path, struct btk_error *error)
{
    for (char *at = path + 1;; at++) {
        if (*at != '/' && *at) continue;
        const char kept = *at;
        *at = 0;
        const int status = mkdir(path, 0777) < 0 && errno != EEXIST ? errno : 0;
        if (status)
            return btk_error_set(error, status, BTK_NO_OFFSET, "%s: %s", path, strerror(status));
        *at = kept;
        if (!kept) return 0;
    }
}

int btk_baseline_make_folder(struct btk_error *error)
{
    char folder[BTK_BASELINE_PATH_BYTES];
    int status = folder_path(folder, error);
    if (!status) status = make_folders(folder, error);
    if (!status && access(folder, W_OK) < 0)
        status = btk_error_set(error, errno, BTK_NO_OFFSET, "%s: %s", folder, strerror(errno));
    return status;
}

// "model name" of /proc/cpuinfo; "unknown" elsewhere.
static void read_machine(char out_machine[MACHINE_BYTES])
{
    char line[512];
    FILE *const file = fopen("/proc/cpuinfo", "re");
    snprintf(out_machine, MACHINE_BYTES, "unknown");
    while (file && fgets(line, sizeof line, file)) {
        const char *const colon = strncmp(line, "model name", 10) == 0 ? strchr(line, ':') : NULL;
        if (!colon) continue;
        const char *const text = colon + 1 + strspn(colon + 1, " ");
        snprintf(out_machine, MACHINE_BYTES, "%.*s", (int)strcspn(text, "\n"), text);
        break;
    }
    if (file) fclose(file);
}

static void write_member(struct btk_json_writer *writer, const char *name, const char *text)
{
    btk_json_name(writer, name);
    btk_json_string(writer, text);
}

static int write_head(const char *name, struct btk_buffer *out)
{
    struct btk_json_writer writer;
    char machine[MACHINE_BYTES];
    char date[32];
    struct tm parts;
    const time_t now = time(NULL);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &parts));
    read_machine(machine);
    btk_json_writer_init(&writer, out);
    btk_json_begin_object(&writer);
    write_member(&writer, "baseline", name);
    write_member(&writer, "date", date);
    write_member(&writer, "machine", machine);
    btk_json_name(&writer, "processors");
    btk_json_signed(&writer, sysconf(_SC_NPROCESSORS_ONLN));
    write_member(&writer, "compiler", __VERSION__);
    write_member(&writer, "commit", BTK_BENCH_COMMIT);
    btk_json_end_object(&writer);
    return writer.status ? writer.status : btk_buffer_append(out, "\n", 1);
}

static int write_file(const char *path, const struct btk_buffer *head, struct btk_bytes lines,
                      struct btk_error *error)
{
    FILE *const file = fopen(path, "we");
    if (!file) return btk_error_set(error, errno, BTK_NO_OFFSET, "%s: %s", path, strerror(errno));
    bool is_good = fwrite(head->data, 1, head->length, file) == head->length
                   && fwrite(lines.data, 1, lines.length, file) == lines.length;
    is_good &= fclose(file) == 0;
    return is_good ? 0
                   : btk_error_set(error, errno ? errno : EIO, BTK_NO_OFFSET, "%s: %s", path,
                                   strerror(errno ? errno : EIO));
}

int btk_baseline_save(const char *name, struct btk_bytes lines, char *out_path,
                      struct btk_error *error)
{
    char folder[BTK_BASELINE_PATH_BYTES];
    char path[BTK_BASELINE_PATH_BYTES + 128];
    char fresh[BTK_BASELINE_PATH_BYTES + 160];
    struct btk_buffer head;
    int status = folder_path(folder, error);
    if (!status) status = make_folders(folder, error);
    if (status < 0) return status;
    snprintf(path, sizeof path, "%s/%s.jsonl", folder, name);
    snprintf(fresh, sizeof fresh, "%s.%ld", path, (long)getpid());
    btk_buffer_init(&head);
    status = write_head(name, &head);
    if (status < 0)
        btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "not enough memory");
    else
        status = write_file(fresh, &head, lines, error);
    btk_buffer_clear(&head);
    if (!status && rename(fresh, path) < 0)
        status = btk_error_set(error, errno, BTK_NO_OFFSET, "%s: %s", path, strerror(errno));
    if (status < 0)
        unlink(fresh);
    else
        snprintf(out_path, BTK_BASELINE_PATH_BYTES, "%.*s", BTK_BASELINE_PATH_BYTES - 1, path);
    return status;
}

// --- Reading

void btk_baseline_free(struct btk_baseline *baseline)
{
    if (!baseline) return;
    for (size_t i = 0; i < baseline->count; i++) {
        free(baseline->figures[i].name);
        free(baseline->figures[i].runs);
    }
    free(baseline->figures);
    free(baseline);
}

static void copy_text(const struct btk_json *object, const char *name, char *out, size_t capacity)
{
    struct btk_bytes text = {(const uint8_t *)"unknown", 7};
    (void)btk_json_try_string(btk_json_get(object, name), &text);
    snprintf(out, capacity, "%.*s", (int)btk_min_size(text.length, capacity - 1),
             (const char *)text.data);
}

static int read_head(struct btk_baseline *baseline, const struct btk_json *head,
                     struct btk_error *error)
{
    char name[BTK_BASELINE_NAME_BYTES];
    char date[64];
    char commit[64];
    if (!btk_json_get(head, "baseline"))
        return btk_error_set(error, EINVAL, BTK_NO_OFFSET,
                             "not a baseline: the first line has no member \"baseline\"");
    copy_text(head, "baseline", name, sizeof name);
    copy_text(head, "date", date, sizeof date);
    copy_text(head, "commit", commit, sizeof commit);
    copy_text(head, "machine", baseline->machine, sizeof baseline->machine);
    snprintf(baseline->origin, sizeof baseline->origin, "%s: %s, commit %s, %s", name, date, commit,
             baseline->machine);
    return 0;
}

static int read_runs(const struct btk_json *line, struct kept *kept)
{
    const struct btk_json *const runs = btk_json_get(line, "runs");
    const size_t count = btk_json_count(runs);
    kept->runs = malloc((count + 1) * sizeof *kept->runs);
    if (!kept->runs) return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        if (!btk_json_try_number(btk_json_at(runs, i), &kept->runs[i]) || !(kept->runs[i] > 0))
            return -EINVAL;
    kept->run_count = count;
    return count ? 0 : -EINVAL;
}

static int read_figure(struct btk_baseline *baseline, const struct btk_json *line,
                       struct btk_error *error)
{
    struct btk_bytes name;
    struct kept *const figures =
        realloc(baseline->figures, (baseline->count + 1) * sizeof *figures);
    if (!figures) return btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "not enough memory");
    baseline->figures = figures;
    struct kept *const kept = &figures[baseline->count];
    *kept = (struct kept){0};
    if (!btk_json_try_string(btk_json_get(line, "name"), &name))
        return btk_error_set(error, EINVAL, BTK_NO_OFFSET, "a figure without a name");
    kept->name = strndup((const char *)name.data, name.length);
    baseline->count++;
    if (!kept->name || read_runs(line, kept) < 0)
        return btk_error_set(error, EINVAL, BTK_NO_OFFSET,
                             "%.*s: \"runs\" is not a list of times in seconds", (int)name.length,
                             (const char *)name.data);
    return 0;
}

static int read_lines(struct btk_baseline *baseline, struct btk_bytes text, struct btk_error *error)
{
    bool is_head = true;
    for (size_t begin = 0; begin < text.length;) {
        const uint8_t *const newline = memchr(text.data + begin, '\n', text.length - begin);
        const size_t end = newline ? (size_t)(newline - text.data) : text.length;
        struct btk_json *line = NULL;
        int status =
            btk_json_parse((struct btk_bytes){text.data + begin, end - begin}, &line, error);
        if (!status)
            status =
                is_head ? read_head(baseline, line, error) : read_figure(baseline, line, error);
        btk_json_free(line);
        if (status < 0) return status;
        is_head = false;
        begin = end + 1;
    }
    return is_head ? btk_error_set(error, EINVAL, BTK_NO_OFFSET, "empty: not a baseline") : 0;
}

int btk_baseline_load(const char *name, struct btk_baseline **out_baseline, struct btk_error *error)
{
    char folder[BTK_BASELINE_PATH_BYTES];
    char path[BTK_BASELINE_PATH_BYTES + 128];
    struct btk_mapped_file file;
    int status = folder_path(folder, error);
    if (status < 0) return status;
    snprintf(path, sizeof path, "%s/%s.jsonl", folder, name);
    status = btk_mapped_file_map(path, FILE_BYTES_MAX, &file, error);
    if (status < 0) return status;
    struct btk_baseline *const baseline = calloc(1, sizeof *baseline);
    status = baseline ? read_lines(baseline, (struct btk_bytes){file.data, file.length}, error)
                      : btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "not enough memory");
    btk_mapped_file_unmap(&file);
    if (status < 0) {
        btk_baseline_free(baseline);
        return btk_error_prefix(error, "%s", path);
    }
    *out_baseline = baseline;
    return 0;
}

const char *btk_baseline_origin(const struct btk_baseline *baseline)
{
    return baseline->origin;
}

bool btk_baseline_is_foreign(const struct btk_baseline *baseline)
{
    char machine[MACHINE_BYTES];
    read_machine(machine);
    return strcmp(machine, baseline->machine) != 0;
}

size_t btk_baseline_find(const struct btk_baseline *baseline, const char *figure_name,
                         const double **out_runs)
{
    for (size_t i = 0; i < baseline->count; i++) {
        if (strcmp(baseline->figures[i].name, figure_name) != 0) continue;
        *out_runs = baseline->figures[i].runs;
        return baseline->figures[i].run_count;
    }
    return 0;
}
