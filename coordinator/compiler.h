// SPDX-License-Identifier: Apache-2.0
// The process that compiles tokenizers for the coordinator, at start-up and at every reload.
//
//     coordinator --name, path--> compiler --fork--> child with limits: compile into a memfd
//                                          seal
//                                          --fork--> child with limits: verify the whole image
//     coordinator <--0 and sealed memfd, or what is wrong-- compiler
//
// It is forked before any thread is there and does nothing but fork and wait, so a coordinator with
// threads needs no fork that runs more than exec. No long-running process parses a tokenizer's
// file: a child does, which may take its memory and time and die.
//
// Ownership: the struct owns its socket and its process. Threads: one.
#pragma once

#include <sys/types.h>

#include "common/base.h"
#include "common/error.h"
#include "coordinator/coordinator.h"

struct btk_compiler {
    int fd; // -1: none; readable when there is an answer
    pid_t pid;
};

// Before the first thread. -errno with a message.
BTK_MUST_USE int btk_compiler_start(struct btk_compiler *compiler,
                                    btk_coordinator_compile_fn *compile, struct btk_error *error);
void btk_compiler_stop(struct btk_compiler *compiler);

// Asks for one image; the next one is asked for when this one was answered. -ENAMETOOLONG, -EINVAL:
// an empty name; -EPIPE: the process has ended.
BTK_MUST_USE int btk_compiler_ask(struct btk_compiler *compiler,
                                  const struct btk_coordinator_tokenizer *tokenizer,
                                  struct btk_error *error);
// Takes the answer: 0 with the descriptor of a sealed and verified image, which is the caller's.
// -EAGAIN: none yet; other errors with a message.
BTK_MUST_USE int btk_compiler_take(struct btk_compiler *compiler, int *out_fd,
                                   struct btk_error *error);
// The same, and waits for it.
BTK_MUST_USE int btk_compiler_wait(struct btk_compiler *compiler, int *out_fd,
                                   struct btk_error *error);
