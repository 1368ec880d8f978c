// SPDX-License-Identifier: Apache-2.0
#include "common/cgroup.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"

enum { PATH_MAX_BYTES = 2048, FOLDER_MAX_BYTES = 1024 };

#define MOUNT "/sys/fs/cgroup"

// --- Files

static bool read_line(const char *folder, const char *name, char *out_line, int capacity)
{
    char path[PATH_MAX_BYTES];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *const file = fopen(path, "re");
    if (!file) return false;
    const bool read = fgets(out_line, capacity, file) != NULL;
    fclose(file);
    return read;
}

// A number alone in its file; "max" is none.
static bool try_read_number(const char *folder, const char *name, uint64_t *out_number)
{
    char line[64];
    return read_line(folder, name, line, sizeof line) && sscanf(line, "%" SCNu64, out_number) == 1;
}

// The number behind this word, in a file with a word and a number on each line.
static bool try_read_entry(const char *folder, const char *name, const char *word,
                           uint64_t *out_number)
{
    char path[PATH_MAX_BYTES];
    char line[256];
    bool is_found = false;
    const size_t length = strlen(word);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *const file = fopen(path, "re");
    while (file && !is_found && fgets(line, sizeof line, file))
        is_found =
            strncmp(line, word, length) == 0 && sscanf(line + length, " %" SCNu64, out_number) == 1;
    if (file) fclose(file);
    return is_found;
}

// --- Groups

// Whether a controller stands in a list such as "cpu,cpuacct".
static bool has_controller(const char *list, const char *controller)
{
    const size_t length = strlen(controller);
    for (const char *at = list; (at = strstr(at, controller)) != NULL; at += length)
        if ((at == list || at[-1] == ',') && (at[length] == ',' || at[length] == '\0')) return true;
    return false;
}

// The folder of our group, from the line "<n>:<controllers>:<path>" of this controller, or that of
// version 2 (NULL), which has none.
static bool find_folder(const char *controller, char *out_folder, size_t capacity)
{
    FILE *const file = fopen("/proc/self/cgroup", "re");
    char line[FOLDER_MAX_BYTES];
    bool is_found = false;
    while (file && !is_found && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        char *const list = strchr(line, ':');
        char *const path = list ? strchr(list + 1, ':') : NULL;
        if (!path) continue;
        *path = '\0';
        if (controller ? !has_controller(list + 1, controller) : list[1] != '\0') continue;
        is_found = (size_t)snprintf(out_folder, capacity, MOUNT "%s%s%s", controller ? "/" : "",
                                    controller ? controller : "",
                                    strcmp(path + 1, "/") == 0 ? "" : path + 1)
                   < capacity;
    }
    if (file) fclose(file);
    return is_found;
}

typedef uint64_t limit_fn(const char *folder); // UINT64_MAX: none

static uint64_t tightest(const char *controller, limit_fn *limit_of)
{
    char folder[FOLDER_MAX_BYTES];
    uint64_t least = UINT64_MAX;
    if (!find_folder(controller, folder, sizeof folder)) return least;
    const size_t root = strlen(MOUNT) + (controller ? 1 + strlen(controller) : 0);
    for (;;) {
        const uint64_t limit = limit_of(folder);
        if (limit < least) least = limit;
        char *const slash = strrchr(folder, '/');
        if (!slash || slash < folder + root) return least;
        *slash = '\0';
    }
}

// --- Processors

static uint64_t to_millicpus(long long quota_us, long long period_us)
{
    return quota_us > 0 && period_us > 0 ? (uint64_t)(quota_us * 1000 / period_us) : UINT64_MAX;
}

static uint64_t quota_v2(const char *folder)
{
    char line[64];
    long long quota_us = 0;
    long long period_us = 0;
    if (!read_line(folder, "cpu.max", line, sizeof line)) return UINT64_MAX;
    if (sscanf(line, "%lld %lld", &quota_us, &period_us) != 2) return UINT64_MAX; // "max ..."
    return to_millicpus(quota_us, period_us);
}

static uint64_t quota_v1(const char *folder)
{
    char quota[64];
    char period[64];
    if (!read_line(folder, "cpu.cfs_quota_us", quota, sizeof quota)
        || !read_line(folder, "cpu.cfs_period_us", period, sizeof period))
        return UINT64_MAX;
    return to_millicpus(atoll(quota), atoll(period));
}

size_t btk_cgroup_cpu_quota_millicpus(void)
{
    uint64_t quota = tightest(NULL, quota_v2);
    if (quota == UINT64_MAX) quota = tightest("cpu", quota_v1);
    return quota == UINT64_MAX ? 0 : (size_t)quota;
}

// --- Memory

static uint64_t left_of(uint64_t limit_bytes, uint64_t used_bytes, uint64_t droppable_bytes)
{
    used_bytes -= btk_min_size(used_bytes, droppable_bytes);
    return limit_bytes - btk_min_size(limit_bytes, used_bytes);
}

static uint64_t memory_v2(const char *folder)
{
    uint64_t limit = 0;
    uint64_t used = 0;
    uint64_t droppable = 0;
    if (!try_read_number(folder, "memory.max", &limit)
        || !try_read_number(folder, "memory.current", &used))
        return UINT64_MAX;
    if (!try_read_entry(folder, "memory.stat", "inactive_file ", &droppable)) droppable = 0;
    return left_of(limit, used, droppable);
}

static uint64_t memory_v1(const char *folder)
{
    uint64_t limit = 0;
    uint64_t used = 0;
    uint64_t droppable = 0;
    if (!try_read_number(folder, "memory.limit_in_bytes", &limit)
        || !try_read_number(folder, "memory.usage_in_bytes", &used))
        return UINT64_MAX;
    if (!try_read_entry(folder, "memory.stat", "total_inactive_file ", &droppable)) droppable = 0;
    return left_of(limit, used, droppable);
}

uint64_t btk_cgroup_memory_available_bytes(void)
{
    uint64_t machine_kib = 0;
    uint64_t least = tightest(NULL, memory_v2);
    least = btk_min_size(least, tightest("memory", memory_v1));
    if (try_read_entry("/proc", "meminfo", "MemAvailable:", &machine_kib))
        least = btk_min_size(least, machine_kib << 10);
    return least;
}

uint64_t btk_cgroup_oom_kills(void)
{
    char folder[FOLDER_MAX_BYTES];
    uint64_t kills = 0;
    if (find_folder("memory", folder, sizeof folder)
        && try_read_entry(folder, "memory.oom_control", "oom_kill ", &kills))
        return kills;
    if (find_folder(NULL, folder, sizeof folder)
        && try_read_entry(folder, "memory.events", "oom_kill ", &kills))
        return kills;
    return try_read_entry("/proc", "vmstat", "oom_kill ", &kills) ? kills : 0;
}
