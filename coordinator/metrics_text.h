// SPDX-License-Identifier: Apache-2.0
// /metrics: the text format of Prometheus 0.0.4, from a snapshot.
//
// Threads: no state; the snapshot is being read.
#pragma once

#include "common/base.h"
#include "common/buffer.h"
#include "coordinator/cluster_snapshot.h"

BTK_MUST_USE int btk_metrics_text_write(const struct btk_cluster_snapshot *snapshot,
                                        struct btk_buffer *out_text); // -ENOMEM
