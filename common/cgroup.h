// SPDX-License-Identifier: Apache-2.0
// What the control groups of this process allow, version 1 or 2: the tightest of its own and all
// above it. Inside a control group namespace, what can be seen from there.
//
// Ownership: none. Threads: any; files are read anew each time.
#pragma once

#include <stddef.h>
#include <stdint.h>

// Thousandths of a processor; 0: no quota.
size_t btk_cgroup_cpu_quota_millicpus(void);

// How much memory could be had without anybody being killed for it, here and on the machine;
// UINT64_MAX where nothing says so. Files that the kernel keeps in memory and can drop count.
uint64_t btk_cgroup_memory_available_bytes(void);

// How often the kernel has killed for want of memory so far, in our group where that is known, else
// on the machine.
uint64_t btk_cgroup_oom_kills(void);
