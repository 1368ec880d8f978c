// SPDX-License-Identifier: Apache-2.0
#include "common/affinity.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cgroup.h"

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

size_t btk_affinity_worker_count(const struct btk_cpu_list *available, size_t *out_quota_millicpus)
{
    const size_t quota = btk_cgroup_cpu_quota_millicpus();
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
