// SPDX-License-Identifier: Apache-2.0
// Which processors are really ours, and pinning to one of them.
//
// A container often shows all processors of its host: what we may use is the affinity mask, cut by
// the cgroup's CPU quota. Workers beyond that only take time from each other.
#pragma once

#include <sched.h>
#include <stddef.h>

#include "common/base.h"
#include "common/error.h"

#define BTK_AFFINITY_MAX_CPUS 1024

struct btk_cpu_list {
    size_t count;
    int cpus[BTK_AFFINITY_MAX_CPUS]; // ascending when they came from the kernel
};

// The processors of this process' affinity mask. -errno.
BTK_MUST_USE int btk_affinity_available(struct btk_cpu_list *out_list);

// How many workers are worth having: the processors available, cut by the cgroup quota (v2 cpu.max,
// v1 cpu.cfs_quota_us; rounded up); at least 1. *out_quota_millicpus, if not NULL: the quota, 0 for
// none.
size_t btk_affinity_worker_count(const struct btk_cpu_list *available, size_t *out_quota_millicpus);

// Parses "0-3,8". -EINVAL with what was expected; -ERANGE beyond BTK_AFFINITY_MAX_CPUS.
BTK_MUST_USE int btk_affinity_parse(const char *text, struct btk_cpu_list *out_list,
                                    struct btk_error *error);

// Pins the calling thread to one processor. -EINVAL when it is not ours.
BTK_MUST_USE int btk_affinity_pin(int cpu);
