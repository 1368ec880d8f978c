// SPDX-License-Identifier: Apache-2.0
// Errors on standard error, and the exit status that belongs to them.
#pragma once

#include "common/error.h"

// Prints "budtiktok: <message>" and returns the exit status that it was given.
int btk_exit_report(int exit_status, const struct btk_error *error);

// The same, with the exit status that a negative errno value of a file or of a cluster stands for.
int btk_exit_report_backend(int status, const struct btk_error *error);
