// SPDX-License-Identifier: Apache-2.0
#include "tools/commands.h"
#include "tools/job.h"

int btk_command_encode(const struct btk_options *options)
{
    return btk_job_run(options, btk_engine_backend_open);
}

int btk_command_decode(const struct btk_options *options)
{
    return btk_job_run(options, btk_engine_backend_open);
}
