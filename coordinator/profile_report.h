// SPDX-License-Identifier: Apache-2.0
// The profiles of encode (budtiktok/profile.h) as the coordinator shows them: of each tokenizer by all
// workers, and of each worker with all tokenizers. Nothing where the workers take none.
//
// Threads: no state.
#pragma once

#include "common/base.h"
#include "common/buffer.h"
#include "common/json_writer.h"
#include "coordinator/cluster_snapshot.h"

// The member "profile" of /debug/latency:
//
//     "profile": {"tokenizers": [{"tokenizer": "gpt2", ..}], "workers": [{"worker": 0, ..}]}
//
// with the members of btk_profile_json_write_members().
void btk_profile_report_json(struct btk_json_writer *writer,
                             const struct btk_cluster_snapshot *snapshot);

// budtiktok_stage_seconds_total{tokenizer,stage} and its family. -ENOMEM.
BTK_MUST_USE int btk_profile_report_metrics(const struct btk_cluster_snapshot *snapshot,
                                            struct btk_buffer *out_text);
