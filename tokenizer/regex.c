// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/regex.h"

#include <assert.h>
#include <errno.h>
#include <oniguruma.h>
#include <pthread.h>
#include <stdlib.h>

#include "common/uninstrumented.h"
#include "common/utf8.h"

// Steps that a search may take uncounted: at most one search begins at each byte, so they are
// linear in the text by themselves. The library does not say how many steps a search took, only
// that it took more than a limit; a search that does is done again with STEPS_GROWTH times as
// many, and these are counted.
#define STEPS_FREE      512u
#define STEPS_GROWTH    4u
#define STEPS_MATCH_MAX 10000000u // the reference's, for one attempt at one place
#define STEPS_TEXT      (10u * STEPS_MATCH_MAX)
#define STEPS_BYTE      128u
#define STACK_SLOTS_MAX (24u << 20)

struct btk_regex {
    regex_t *program;
    OnigMatchParam *limits;
    OnigRegion *region;
    uint64_t loop_steps_left; // of the search that runs: see count_step()
};

static pthread_once_t library_once = PTHREAD_ONCE_INIT;

static void start_library(void)
{
    OnigEncoding encodings[] = {ONIG_ENCODING_UTF8};
    onig_initialize(encodings, 1);
}

// The rewritten pattern calls this in each round of a loop that may be in vain.
BTK_CALLED_BY_LIBRARY
static int count_step(OnigCalloutArgs *arguments, void *user)
{
    struct btk_regex *const regex = user;
    (void)arguments;
    if (regex->loop_steps_left == 0) return ONIGERR_RETRY_LIMIT_IN_SEARCH_OVER;
    regex->loop_steps_left--;
    return ONIG_CALLOUT_SUCCESS;
}

static int refuse(int status, OnigErrorInfo *info, struct btk_error *error)
{
    OnigUChar text[ONIG_MAX_ERROR_MESSAGE_LEN + 1];
    if (status == ONIGERR_MEMORY)
        return btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "no memory for a regular expression");
    const int length = onig_error_code_to_str(text, status, info);
    btk_library_wrote(text, (size_t)length);
    return btk_error_set(error, EINVAL, BTK_NO_OFFSET, "regular expression: %.*s", length,
                         (const char *)text);
}

int btk_regex_new(struct btk_bytes pattern, struct btk_regex **out, struct btk_error *error)
{
    OnigErrorInfo info = {0};
    pthread_once(&library_once, start_library);
    struct btk_regex *regex = calloc(1, sizeof *regex);
    if (!regex) return refuse(ONIGERR_MEMORY, NULL, error);
    regex->limits = onig_new_match_param();
    regex->region = onig_region_new();
    int status = regex->limits && regex->region ? ONIG_NORMAL : ONIGERR_MEMORY;
    if (status == ONIG_NORMAL) {
        static const OnigUChar nothing[1] = "";
        btk_library_will_read(pattern.data, pattern.length);
        const OnigUChar *const begin = pattern.length ? pattern.data : nothing;
        status = onig_new(&regex->program, begin, begin + pattern.length, ONIG_OPTION_NONE,
                          ONIG_ENCODING_UTF8, ONIG_SYNTAX_ONIGURUMA, &info);
    }
    if (status != ONIG_NORMAL) {
        btk_regex_free(&regex);
        return refuse(status, &info, error);
    }
    onig_initialize_match_param(regex->limits);
    onig_set_match_stack_limit_size_of_match_param(regex->limits, STACK_SLOTS_MAX);
    onig_set_retry_limit_in_match_of_match_param(regex->limits, STEPS_MATCH_MAX);
    onig_set_progress_callout_of_match_param(regex->limits, count_step);
    onig_set_callout_user_data_of_match_param(regex->limits, regex);
    *out = regex;
    return 0;
}

void btk_regex_free(struct btk_regex **regex)
{
    if (!regex || !*regex) return;
    onig_free((*regex)->program);
    if ((*regex)->region) onig_region_free((*regex)->region, 1);
    onig_free_match_param((*regex)->limits);
    free(*regex);
    *regex = NULL;
}

static uint64_t steps_for(size_t bytes)
{
    return STEPS_TEXT + STEPS_BYTE * (uint64_t)bytes;
}

// Which places it found stands in memory that the library took and wrote.
static void note_region(const OnigRegion *region)
{
    btk_library_wrote(region, sizeof *region);
    btk_library_wrote(region->beg, sizeof *region->beg);
    btk_library_wrote(region->end, sizeof *region->end);
}

// One search with `steps` at most; the library's answer.
static int search(struct btk_regex *regex, struct btk_bytes text, size_t from, uint64_t steps)
{
    const OnigUChar *const end = text.data + text.length;
    regex->loop_steps_left = steps;
    onig_set_retry_limit_in_search_of_match_param(regex->limits, (unsigned long)steps);
    const int status = onig_search_with_param(regex->program, text.data, end, text.data + from, end,
                                              regex->region, ONIG_OPTION_NONE, regex->limits);
    if (status >= 0) note_region(regex->region);
    return status;
}

// Searches with ever more steps, as long as *steps_left has them.
static int find(struct btk_regex *regex, struct btk_bytes text, size_t from, uint64_t *steps_left,
                size_t *out_begin, size_t *out_end)
{
    static const uint8_t nothing[1];
    if (!text.length) text.data = nothing;
    uint64_t steps = STEPS_FREE;
    int status = search(regex, text, from, steps);
    while (status == ONIGERR_RETRY_LIMIT_IN_SEARCH_OVER) {
        steps *= STEPS_GROWTH;
        if (steps > *steps_left) return -ETIME;
        *steps_left -= steps;
        status = search(regex, text, from, steps);
    }
    if (status == ONIG_MISMATCH) return 0;
    if (status == ONIGERR_RETRY_LIMIT_IN_MATCH_OVER) return -ETIME;
    // A stack that grew to its limit is memory that is refused.
    if (status < 0) return -ENOMEM;
    *out_begin = (size_t)regex->region->beg[0];
    *out_end = (size_t)regex->region->end[0];
    return 1;
}

int btk_regex_find(struct btk_regex *regex, struct btk_bytes text, size_t from, size_t *out_begin,
                   size_t *out_end)
{
    assert(from <= text.length);
    uint64_t steps_left = steps_for(text.length - from);
    return find(regex, text, from, &steps_left, out_begin, out_end);
}

void btk_regex_walk_init(struct btk_regex_walk *walk, struct btk_regex *regex,
                         struct btk_bytes text)
{
    *walk = (struct btk_regex_walk){
        .regex = regex,
        .text = text,
        .last_match_end = SIZE_MAX,
        .steps_left = steps_for(text.length),
    };
}

// The next match that counts: an empty one where the last match ended does not.
static int next_match(struct btk_regex_walk *walk)
{
    while (walk->from <= walk->text.length) {
        size_t begin, end;
        const int status =
            find(walk->regex, walk->text, walk->from, &walk->steps_left, &begin, &end);
        if (status <= 0) return status;
        if (begin == end && end == walk->last_match_end) {
            walk->from +=
                walk->from < walk->text.length ? btk_utf8_length(walk->text.data[walk->from]) : 1;
            continue;
        }
        walk->from = walk->last_match_end = end;
        walk->match_begin = begin;
        walk->match_end = end;
        return 1;
    }
    return 0;
}

static int give(struct btk_regex_walk *walk, size_t end, bool is_match, struct btk_regex_piece *out)
{
    *out = (struct btk_regex_piece){walk->covered, end, is_match};
    walk->covered = end;
    return 1;
}

int btk_regex_walk_next(struct btk_regex_walk *walk, struct btk_regex_piece *out)
{
    if (walk->match_waits) {
        walk->match_waits = false;
        return give(walk, walk->match_end, true, out);
    }
    if (walk->is_over) return 0;
    if (!walk->text.length) {
        walk->is_over = true;
        return give(walk, 0, false, out);
    }
    const int status = next_match(walk);
    if (status <= 0) {
        walk->is_over = true;
        if (status < 0 || walk->covered == walk->text.length) return status;
        return give(walk, walk->text.length, false, out);
    }
    if (walk->match_begin == walk->covered) return give(walk, walk->match_end, true, out);
    walk->match_waits = true;
    return give(walk, walk->match_begin, false, out);
}
