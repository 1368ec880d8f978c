// SPDX-License-Identifier: Apache-2.0
// What `budtiktok status` shows: the cluster, its workers and its clients as one JSON object of at
// most 60 KiB. Clients that would not fit are counted, not listed.
//
// Threads: the loop's.
#pragma once

#include "common/base.h"
#include "common/buffer.h"

struct btk_coordinator;

BTK_MUST_USE int btk_status_json_write(struct btk_coordinator *coordinator,
                                       struct btk_buffer *out_json); // -ENOMEM
