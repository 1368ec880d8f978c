// SPDX-License-Identifier: Apache-2.0
// Traces of batches, the loop's side: which are kept, and what is known of those that are.
//
// A batch is kept or not when it comes, and the scheduler calls it by a number from then on; 0 is one that
// is not kept, so all others cost a comparison. A kept batch has a place until the scheduler has forgotten
// it: until its client has released it, which tells when the caller had it.
//
// Ownership: the tracer owns all of it. Threads: the loop's.
#pragma once

#include <stdint.h>

#include "common/base.h"
#include "common/error.h"
#include "common/trace_parent.h"
#include "coordinator/otlp_exporter.h"
#include "coordinator/scheduler.h"

struct btk_tracer;

// As the environment says (coordinator/otlp_config.h): *out_tracer stays NULL when there is no tracing.
// What cannot be had is logged, and no reason not to serve.
void btk_tracer_open(struct btk_tracer **out_tracer);
// Tells of what is there, sends it, and ends. NULL is fine.
void btk_tracer_close(struct btk_tracer **tracer);

// The number of a batch that is kept, or 0. `tokenizer` "": not known.
uint32_t btk_tracer_begin(struct btk_tracer *tracer, const struct btk_trace_parent *parent,
                          const struct btk_submission *submission, const char *tokenizer,
                          uint64_t now_ns);
// BTK_ACTION_TRACE_SHARD, of a worker that finished the shard before it then.
void btk_tracer_add_shard(struct btk_tracer *tracer, const struct btk_action *action, uint32_t pid,
                          uint64_t previous_finish_ns);
// When the caller had it, as the client says; 0: it does not.
void btk_tracer_note_returned(struct btk_tracer *tracer, uint32_t trace, uint64_t returned_ns,
                              uint64_t now_ns);
// BTK_ACTION_TRACE_END. The number is free.
void btk_tracer_end(struct btk_tracer *tracer, uint32_t trace, uint32_t status);

// Of NULL: zeros.
struct btk_otlp_counts btk_tracer_counts(struct btk_tracer *tracer);
