// SPDX-License-Identifier: Apache-2.0
// The border to libraries that MemorySanitizer does not see into (utf8proc, xxHash, Oniguruma; of
// libc stat and fstat, which became functions after clang 14 had learnt what libc has): what
// they wrote is initialized, and what they are given has to be. Their return values need nothing.
// In other builds these are nothing.
//
// Ownership: borrows. Threads: no state.
#pragma once

#include <stddef.h>

#include "common/base.h"

#if defined(__has_feature)
#if __has_feature(memory_sanitizer)
#define BTK_HAS_MSAN 1
#endif
#endif

#ifdef BTK_HAS_MSAN
#include <sanitizer/msan_interface.h>
// For a function of ours that such a library calls: how its arguments came about is not known.
#define BTK_CALLED_BY_LIBRARY __attribute__((no_sanitize("memory")))
#else
#define BTK_CALLED_BY_LIBRARY
#endif

static inline void btk_library_wrote(const void *address BTK_UNUSED, size_t bytes BTK_UNUSED)
{
#ifdef BTK_HAS_MSAN
    __msan_unpoison(address, bytes);
#endif
}

static inline void btk_library_will_read(const void *address BTK_UNUSED, size_t bytes BTK_UNUSED)
{
#ifdef BTK_HAS_MSAN
    __msan_check_mem_is_initialized(address, bytes);
#endif
}
