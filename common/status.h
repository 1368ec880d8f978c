// SPDX-License-Identifier: Apache-2.0
// The status of a document (enum btk_status): from what the engine returned, and into words.
//
// Threads: no state.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <budtiktok/types.h>

// What the engine's -errno means for the document that it was given.
uint32_t btk_status_of_engine(int rc);

// Does the status say where in the document?
bool btk_status_has_offset(uint32_t status);

// As in error objects: "invalid_utf8", ...
const char *btk_status_name(uint32_t status);
