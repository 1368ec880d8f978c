// SPDX-License-Identifier: Apache-2.0
// encode, decode and submit: input -> backend -> output, in order, with as many batches in flight
// as the backend takes.
#pragma once

#include "tools/backend.h"

typedef int btk_backend_open_fn(const struct btk_options *options,
                                const struct btk_backend_request *request,
                                struct btk_backend *out_backend, struct btk_error *error);

// Runs the job to its end. Returns an exit status; errors are printed.
int btk_job_run(const struct btk_options *options, btk_backend_open_fn *open_backend);
