// SPDX-License-Identifier: Apache-2.0
// What encode asks of the memory, beside what the memory gives: how much of its tables it touches, and
// how much text and ids it moves.
//
// Pages are taken away from the process before, and given back, counted, when they are touched.
#pragma once

#include "bench/settings.h"

// Remembers the figures of memory_bench.c that this is laid beside.
void btk_memory_footprint_note(const struct btk_figure *figure);

// Of each family's tokenizer, or the named one, on English of our own or --input, pieces of 4 KiB.
BTK_MUST_USE int btk_memory_footprint(struct btk_bench_settings *settings, struct btk_error *error);
