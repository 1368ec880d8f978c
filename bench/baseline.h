// SPDX-License-Identifier: Apache-2.0
// Figures that were kept under a name, to compare later ones with.
//
//     {"baseline":"before","date":"2026-11-25T22:00:00Z","machine":"...","commit":"...",...}
//     {"bench":"bpe",...,"runs":[...],...,"name":"bpe en.txt cold 414447"}
//     ...
//
// One file of JSON lines each, $BUDTIKTOK_CACHE_DIR/baselines/NAME.jsonl, or the same in
// $XDG_CACHE_HOME/budtiktok or ~/.cache/budtiktok. ops/bench-compare reads them too.
//
// Ownership: a baseline owns what it read. Threads: none.
#pragma once

#include <stddef.h>

#include "bench/interval.h"
#include "common/base.h"
#include "common/buffer.h"
#include "common/error.h"

enum { BTK_BASELINE_NAME_BYTES = 64, BTK_BASELINE_PATH_BYTES = 4096 };

struct btk_baseline;

// A name is letters, digits, '.', '_' and '-', and does not begin with a dot. -EINVAL.
BTK_MUST_USE int btk_baseline_check_name(const char *option, const char *name,
                                         struct btk_error *error);

// Makes the folder of baselines, so that what cannot be kept is known before it is measured. -errno.
BTK_MUST_USE int btk_baseline_make_folder(struct btk_error *error);

// `lines`: the figures. Makes the folder, and replaces a baseline of that name when all is written.
// -errno. out_path has BTK_BASELINE_PATH_BYTES.
BTK_MUST_USE int btk_baseline_save(const char *name, struct btk_bytes lines, char *out_path,
                                   struct btk_error *error);

// -ENOENT: there is none of that name, and the message says where it was looked for; -EINVAL: not a
// baseline.
BTK_MUST_USE int btk_baseline_load(const char *name, struct btk_baseline **out_baseline,
                                   struct btk_error *error);
void btk_baseline_free(struct btk_baseline *baseline); // NULL is fine

// Of which machine, when, of which commit: one line for people.
const char *btk_baseline_origin(const struct btk_baseline *baseline);
// Was it measured on a machine of another kind?
bool btk_baseline_is_foreign(const struct btk_baseline *baseline);

// The times of a figure; their count, 0: it has none of that name.
size_t btk_baseline_find(const struct btk_baseline *baseline, const char *figure_name,
                         const double **out_runs);
