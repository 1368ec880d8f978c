// SPDX-License-Identifier: Apache-2.0
// The page at `/`: latency breakdown, workers and throughput, read anew each second from
// /debug/latency and /metrics. Nothing is loaded from elsewhere.
#pragma once

extern const char btk_http_page[];
