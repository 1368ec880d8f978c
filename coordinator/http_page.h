// SPDX-License-Identifier: Apache-2.0
// The page at `/`: latency breakdown, workers, throughput and a box to tokenize text in, read anew
// each second from /debug/latency. One document, made at build time of the three files in page/; it
// loads nothing.
#pragma once

extern const char btk_http_page[];
// Its Content-Security-Policy: what may run is named by its digest.
extern const char btk_http_page_policy[];
