// SPDX-License-Identifier: Apache-2.0
// SIGHUP: the tokenizers are read again while the cluster works.
//
//     IDLE -> COMPILING, one after the other -> SPREADING: new images on all workers -> names, IDLE
//
// An image with the same bytes keeps its id. A name leads to a new image once all workers that are
// ready have it; what clients registered before keeps the image that it named, and an image that
// neither a name nor a client uses is dropped. A tokenizer that cannot be had is said in the log,
// and its name keeps what it led to; when it is new and the default one, nothing changes.
//
// Ownership: the struct owns the compiler. Threads: the loop's.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/base.h"
#include "coordinator/compiler.h"
#include "coordinator/image_store.h"

enum btk_reload_stage { BTK_RELOAD_IDLE = 0, BTK_RELOAD_COMPILING, BTK_RELOAD_SPREADING };

struct btk_reload {
    enum btk_reload_stage stage;
    bool is_wanted; // asked for while it could not begin
    struct btk_compiler compiler;
    uint32_t wanted_count;
    struct btk_coordinator_tokenizer wanted[BTK_COORDINATOR_TOKENIZERS_MAX];
    uint32_t next; // of them, in the compiler
    uint32_t failed_count;
    uint32_t new_count;
    uint32_t death_count;            // of workers that were taking them
    struct btk_image_names names;    // when all workers have the images
    bool is_pending[BTK_IMAGES_MAX]; // new ones, on their way to the workers
};

struct btk_coordinator;

// When the images of the start were taken: answers come by the loop from now on. -errno.
BTK_MUST_USE int btk_reload_open(struct btk_coordinator *coordinator);
// SIGHUP came. One that comes during a reload is followed when that has ended.
void btk_reload_request(struct btk_coordinator *coordinator);
// The timer's, and after each answer of a worker: goes on as far as it can.
void btk_reload_continue(struct btk_coordinator *coordinator);
// A worker that was ready has ended. More than a few of them end the reload: an image may be what
// they die of.
void btk_reload_note_death(struct btk_coordinator *coordinator);
// A worker cannot use the image. False: it is not one of a reload.
bool btk_reload_take_refusal(struct btk_coordinator *coordinator, uint32_t slot, const char *why);
