// SPDX-License-Identifier: Apache-2.0
#include "common/affinity.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int btk_affinity_available(struct btk_cpu_list *out_list)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0) return -errno;
    struct btk_cpu_list list = {0};
    for (int cpu = 0; cpu < CPU_SETSIZE && list.count < BTK_AFFINITY_MAX_CPUS; cpu++) {
        if (CPU_ISSET((size_t)cpu, &set)) list.cpus[list.count++] = cpu;
    }
    *out_list = list;
    return list.count ? 0 : -EINVAL;
}

static bool read_line(const char *path, char *out_line, int capacity)
{
    FILE *const file = fopen(path, "re");
    if (!file) return false;
    const bool read = fgets(out_line, capacity, file) != NULL;
    fclose(file);
    return read;
}

static size_t to_millicpus(long long quota_us, long long period_us)
{
    return quota_us > 0 && period_us > 0 ? (size_t)(quota_us * 1000 / period_us) : 0;
}

// The path of our group below the mount point, from the line "<n>:<controllers>:<path>" whose
// controllers are the wanted ones ("" for v2).
static bool find_group(const char *controllers, char *out_path, size_t capacity)
{
    FILE *const file = fopen("/proc/self/cgroup", "re");
    char line[1024];
    bool found = false;
    while (file && !found && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        char *const list = strchr(line, ':');
        char *const path = list ? strchr(list + 1, ':') : NULL;
        if (!path) continue;
        *path = '\0';
        if (*controllers ? !strstr(list + 1, controllers) : list[1] != '\0') continue;
        found = (size_t)snprintf(out_path, capacity, "%s", path + 1) < capacity;
    }
    if (file) fclose(file);
    return found;
}

static size_t quota_v2(const char *folder)
{
    char path[2048];
    char line[64];
    long long quota_us = 0;
    long long period_us = 0;
    snprintf(path, sizeof path, "/sys/fs/cgroup%s/cpu.max", folder);
    if (!read_line(path, line, sizeof line)) return 0;
    if (sscanf(line, "%lld %lld", &quota_us, &period_us) != 2) return 0; // "max ..."
    return to_millicpus(quota_us, period_us);
}

static size_t quota_v1(const char *folder)
{
    char path[2048];
    char quota[64];
    char period[64];
    snprintf(path, sizeof path, "/sys/fs/cgroup/cpu%s/cpu.cfs_quota_us", folder);
    if (!read_line(path, quota, sizeof quota)) return 0;
    snprintf(path, sizeof path, "/sys/fs/cgroup/cpu%s/cpu.cfs_period_us", folder);
    if (!read_line(path, period, sizeof period)) return 0;
    return to_millicpus(atoll(quota), atoll(period));
}

// The tightest of the group and all above it. Inside a cgroup namespace the path is "/".
static size_t tightest_quota(const char *controllers, size_t (*quota_of)(const char *))
{
    char path[1024];
    size_t tightest = 0;
    if (!find_group(controllers, path, sizeof path)) return 0;
    for (;;) {
        const size_t quota = quota_of(strcmp(path, "/") == 0 ? "" : path);
        if (quota && (!tightest || quota < tightest)) tightest = quota;
        char *const slash = strrchr(path, '/');
        if (!slash || !path[0]) return tightest;
        *slash = '\0';
    }
}

size_t btk_affinity_worker_count(const struct btk_cpu_list *available, size_t *out_quota_millicpus)
{
    size_t quota = tightest_quota("", quota_v2);
    if (!quota) quota = tightest_quota("cpu", quota_v1);
    if (out_quota_millicpus) *out_quota_millicpus = quota;
    const size_t wanted =
        quota ? btk_min_size(available->count, (quota + 999) / 1000) : available->count;
    return btk_max_size(wanted, 1);
}

static int parse_range(const char **text, long *out_first, long *out_last)
{
    char *end = NULL;
    if (!isdigit((unsigned char)**text)) return -EINVAL;
    *out_first = *out_last = strtol(*text, &end, 10);
    if (*end == '-') {
        if (!isdigit((unsigned char)end[1])) return -EINVAL;
        *out_last = strtol(end + 1, &end, 10);
    }
    *text = end;
    if (*out_last < *out_first) return -EINVAL;
    return *out_last < BTK_AFFINITY_MAX_CPUS ? 0 : -ERANGE;
}

int btk_affinity_parse(const char *text, struct btk_cpu_list *out_list, struct btk_error *error)
{
    struct btk_cpu_list list = {0};
    for (const char *at = text;; at++) {
        long first = 0;
        long last = 0;
        const int status = parse_range(&at, &first, &last);
        if (status || (*at && *at != ',')) {
            return btk_error_set(error, status ? -status : EINVAL, (uint64_t)(at - text),
                                 "'%s' is not a list of processors such as 0-3,8 (0 to %d)", text,
                                 BTK_AFFINITY_MAX_CPUS - 1);
        }
        for (long cpu = first; cpu <= last; cpu++) {
            if (list.count == BTK_AFFINITY_MAX_CPUS) {
                return btk_error_set(error, ERANGE, BTK_NO_OFFSET, "'%s' names more than %d", text,
                                     BTK_AFFINITY_MAX_CPUS);
            }
            list.cpus[list.count++] = (int)cpu;
        }
        if (!*at) break;
    }
    *out_list = list;
    return 0;
}

int btk_affinity_pin(int cpu)
{
    if (cpu < 0 || cpu >= CPU_SETSIZE) return -EINVAL;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    return sched_setaffinity(0, sizeof set, &set) == 0 ? 0 : -errno;
}
