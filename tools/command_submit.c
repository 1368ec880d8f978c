// SPDX-License-Identifier: Apache-2.0
#include "tools/commands.h"
#include "tools/job.h"

int btk_command_submit(const struct btk_options *options)
{
    return btk_job_run(options, btk_cluster_backend_open);
}
