// SPDX-License-Identifier: Apache-2.0
// What the crashing worker dies of.
#pragma once

#define CRASHING_WORKER_TEXT "!this text is deadly!"
