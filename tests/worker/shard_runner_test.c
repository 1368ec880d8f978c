// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "ipc/document.h"
#include "worker/shard_runner.h"

enum {
    CLIENT = 3,
    SLAB = 4,
    TOKENIZER = 5,
    EPOCH = 2,
    SLAB_BYTES = 1 << 20,
    RESULTS_BYTES = 1 << 18,
    TEXT_OFFSET = 4096,
};

static struct btk_shard_runner runner;
static struct btk_worker_page page;
static struct btk_shared_memory slab = BTK_SHARED_MEMORY_INIT;
static struct btk_shared_memory own = BTK_SHARED_MEMORY_INIT; // what came by send_results
static struct btk_control_results own_results;
static struct btk_attached_client *client;

static int take_results(void *context, const struct btk_control_results *results, int fd)
{
    const struct btk_shared_memory_limits limits = {.bytes_max = 1 << 30, .needs_sealed = true};
    int copy = dup(fd);
    (void)context;
    own_results = *results;
    return btk_shared_memory_attach(&copy, &limits, &own);
}

static void define(uint32_t options_id, uint32_t op, uint32_t fields, uint32_t flags)
{
    const struct btk_batch_options options = {.op = op, .fields = fields, .flags = flags};
    const struct btk_control_define_options definition = {options_id, TOKENIZER,
                                                          btk_batch_options_bytes(&options)};
    cr_assert_eq(btk_options_table_define(&runner.options, &definition, NULL), 0);
}

static void define_padded(uint32_t options_id, struct btk_padding padding)
{
    struct btk_batch_options options = {.op = BTK_OPERATION_ENCODE, .fields = BTK_FIELD_IDS};
    btk_batch_options_set_padding(&options, BTK_OPTION_IS_GIVEN, &padding);
    const struct btk_control_define_options definition = {options_id, TOKENIZER,
                                                          btk_batch_options_bytes(&options)};
    cr_assert_eq(btk_options_table_define(&runner.options, &definition, NULL), 0);
}

static void load_image(void)
{
    struct btk_shared_memory image = BTK_SHARED_MEMORY_INIT;
    struct btk_error error = {0};
    cr_assert_eq(btk_shared_memory_create("image", 4096, 0, &image), 0);
    strcpy(image.address, "double");
    cr_assert_eq(btk_shared_memory_seal(&image), 0);
    cr_assert_eq(btk_image_table_load(&runner.images, TOKENIZER, &image.fd, 4096, &error), 0);
    btk_shared_memory_clear(&image);
}

static void set_up(void)
{
    runner.page = &page;
    runner.worker_id = 1;
    runner.epoch = EPOCH;
    runner.send_results = take_results;
    load_image();
    cr_assert_eq(btk_shared_memory_create("slab", SLAB_BYTES, 0, &slab), 0);
    cr_assert_eq(btk_shared_memory_seal(&slab), 0);
    cr_assert_eq(btk_attached_clients_attach(&runner.clients, CLIENT,
                                             btk_shard_runner_next_results_id(&runner),
                                             RESULTS_BYTES, &client),
                 0);
    int fd = dup(slab.fd);
    cr_assert_eq(btk_attached_client_attach_slab(client, SLAB, &fd, SLAB_BYTES), 0);
    define(1, BTK_OPERATION_ENCODE, BTK_FIELD_IDS, 0);
    define(2, BTK_OPERATION_ENCODE,
           BTK_FIELD_TYPE_IDS | BTK_FIELD_TOKENS | BTK_FIELD_OFFSETS | BTK_FIELD_WORD_IDS
               | BTK_FIELD_SPECIAL_TOKENS_MASK,
           BTK_OPTIONS_ADD_SPECIAL_TOKENS);
    define(3, BTK_OPERATION_DECODE, 0, 0);
    define(4, BTK_OPERATION_ENCODE, BTK_FIELD_TOKENS, BTK_OPTIONS_UTF8_REPLACE);
    define_padded(5, (struct btk_padding){.id = 7});
    define_padded(6, (struct btk_padding){.id = 7, .has_length = true, .length = 3000});
}

static void tear_down(void)
{
    btk_shard_runner_clear(&runner);
    btk_shared_memory_clear(&slab);
    btk_shared_memory_clear(&own);
}

TestSuite(shard_runner, .init = set_up, .fini = tear_down);

static uint64_t *ends(void)
{
    return slab.address;
}

static uint8_t *text(void)
{
    return (uint8_t *)slab.address + TEXT_OFFSET;
}

// Documents, each ended by NUL in `documents`, into the slab; a shard of all of them.
static struct btk_assignment assign(uint32_t options_id, const char *const *documents,
                                    uint32_t count)
{
    uint64_t end = 0;
    for (uint32_t i = 0; i < count; i++) {
        memcpy(text() + end, documents[i], strlen(documents[i]));
        end += strlen(documents[i]);
        ends()[i] = end;
    }
    return (struct btk_assignment){
        .shard_id = 42,
        .batch_id = 43,
        .client_id = CLIENT,
        .options_id = options_id,
        .slab_id = SLAB,
        .shard_index = 6,
        .document_count = count,
        .epoch = EPOCH,
        .op = options_id == 3 ? BTK_OPERATION_DECODE : BTK_OPERATION_ENCODE,
        .text_offset = TEXT_OFFSET,
        .shard_bytes = end,
        .result_offset = 128,
        .result_limit_bytes = 8192,
        .submitted_ns = 10,
        .dispatched_ns = 20,
    };
}

static struct btk_shard_report run(const struct btk_assignment *assignment)
{
    struct btk_shard_report report;
    btk_shard_runner_run(&runner, assignment, &report);
    cr_assert_eq(report.shard_id, assignment->shard_id);
    cr_assert_eq(report.epoch, EPOCH);
    cr_assert_leq(report.started_ns, report.finished_ns);
    cr_assert_eq(page.started_shard_id, 0);
    return report;
}

static void expect_refused(const struct btk_assignment *assignment, uint32_t status)
{
    const struct btk_shard_report report = run(assignment);
    cr_assert_eq(report.status, status, "status %u, expected %u", report.status, status);
    cr_assert_eq(report.results_id, 0);
    cr_assert_eq(report.result_bytes, 0);
}

// The block of a good report, its header checked as a client does.
static const uint8_t *open_result(const struct btk_shard_report *report,
                                  struct btk_result_header *out_header)
{
    struct btk_error error = {0};
    cr_assert_eq(report->status, BTK_STATUS_OK, "status %u", report->status);
    const uint8_t *block = own.address;
    if (report->results_id == client->results_id)
        block = (const uint8_t *)client->results.address + 128;
    else
        cr_assert_eq(report->results_id, own_results.results_id);
    memcpy(out_header, block, sizeof *out_header);
    cr_assert_eq(btk_result_header_check(out_header, report->result_bytes, &error), 0, "%s",
                 error.message);
    cr_assert_eq(out_header->batch_id, 43);
    cr_assert_eq(out_header->shard_index, 6);
    cr_assert_eq(out_header->finished_ns, report->finished_ns);
    return block;
}

static struct btk_result_document document(const uint8_t *block,
                                           const struct btk_result_header *header, uint32_t index)
{
    struct btk_result_document found;
    memcpy(&found, block + header->documents_offset + index * sizeof found, sizeof found);
    return found;
}

// --- What works

Test(shard_runner, encodes_documents_one_after_the_other)
{
    const char *const documents[] = {"ab", "", "xyz"};
    const struct btk_assignment assignment = assign(1, documents, 3);
    const struct btk_shard_report report = run(&assignment);
    struct btk_result_header header;
    const uint8_t *block = open_result(&report, &header);
    const uint32_t expected[] = {'a', 'b', 'x', 'y', 'z'};
    cr_assert_eq(header.token_count, 5);
    cr_assert_eq(memcmp(block + header.ids_offset, expected, sizeof expected), 0);
    cr_assert_eq(document(block, &header, 0).token_end, 2);
    cr_assert_eq(document(block, &header, 1).token_end, 2);
    cr_assert_eq(document(block, &header, 2).token_end, 5);
    cr_assert_eq(page.documents, 3);
    cr_assert_eq(page.tokens, 5);
    cr_assert_eq(page.bytes, 5);
    cr_assert_eq(page.cache_hits, 3);
}

Test(shard_runner, a_document_that_is_not_utf8_has_its_own_status_and_the_others_go_on)
{
    const char *const documents[] = {"ab", "x\xff", "cd"};
    const struct btk_assignment assignment = assign(1, documents, 3);
    const struct btk_shard_report report = run(&assignment);
    struct btk_result_header header;
    const uint8_t *block = open_result(&report, &header);
    cr_assert_eq(report.document_errors, 1);
    cr_assert_eq(document(block, &header, 1).status, BTK_STATUS_INVALID_UTF8);
    cr_assert_eq(document(block, &header, 1).detail, 1);
    cr_assert_eq(document(block, &header, 2).token_end, 4);
}

Test(shard_runner, writes_all_columns_and_the_text_of_tokens)
{
    const char *const documents[] = {"ab", "c"};
    const struct btk_assignment assignment = assign(2, documents, 2);
    const struct btk_shard_report report = run(&assignment);
    struct btk_result_header header;
    const uint8_t *block = open_result(&report, &header);
    const uint32_t token_ends[] = {5, 6, 7, 12, 17, 18, 23};
    const uint32_t offsets[] = {0, 0, 0, 1, 1, 2, 0, 0, 0, 0, 0, 1, 0, 0};
    const uint8_t mask[] = {1, 0, 0, 1, 1, 0, 1};
    cr_assert_eq(header.token_count, 7);
    cr_assert_eq(memcmp(block + header.token_ends_offset, token_ends, sizeof token_ends), 0);
    cr_assert_eq(memcmp(block + header.token_text_offset, "[XXX]ab[XXX][XXX]c[XXX]", 23), 0);
    cr_assert_eq(memcmp(block + header.offsets_offset, offsets, sizeof offsets), 0);
    cr_assert_eq(memcmp(block + header.special_mask_offset, mask, sizeof mask), 0);
}

Test(shard_runner, tokens_speak_of_the_text_with_its_replacements)
{
    const char *const documents[] = {"a\xff\xe2\x82z"};
    const struct btk_assignment assignment = assign(4, documents, 1);
    const struct btk_shard_report report = run(&assignment);
    struct btk_result_header header;
    const uint8_t *block = open_result(&report, &header);
    const char expected[] = "a\xef\xbf\xbd\xef\xbf\xbdz";
    cr_assert_eq(header.token_text_bytes, strlen(expected));
    cr_assert_eq(memcmp(block + header.token_text_offset, expected, strlen(expected)), 0);
}

Test(shard_runner, decodes_ids_and_says_which_document_is_no_row_of_them)
{
    struct btk_assignment assignment = assign(3, (const char *const[]){""}, 1);
    const uint32_t ids[] = {'h', 'i', 1000};
    memcpy(text(), ids, sizeof ids);
    ends()[0] = sizeof ids;
    ends()[1] = sizeof ids + 3;
    ends()[2] = sizeof ids + 3;
    assignment.document_count = 3;
    assignment.shard_bytes = sizeof ids + 3;
    const struct btk_shard_report report = run(&assignment);
    struct btk_result_header header;
    const uint8_t *block = open_result(&report, &header);
    cr_assert_eq(header.text_bytes, 7);
    cr_assert_eq(memcmp(block + header.text_offset, "hi[XXX]", 7), 0);
    cr_assert_eq(document(block, &header, 1).status, BTK_STATUS_MALFORMED);
    cr_assert_eq(document(block, &header, 2).text_end, 7);
}

Test(shard_runner, a_block_that_just_fits_goes_by_private_columns)
{
    // The engine's bound is two tokens more than what comes out.
    const char *const documents[] = {"abcdefgh"};
    struct btk_assignment assignment = assign(1, documents, 1);
    assignment.result_limit_bytes = 256 + 32 + 8 * 4;
    const struct btk_shard_report report = run(&assignment);
    struct btk_result_header header;
    const uint8_t *block = open_result(&report, &header);
    cr_assert_eq(header.token_count, 8);
    cr_assert_eq(block[header.ids_offset + 7 * 4], 'h');
    assignment.result_limit_bytes -= 8;
    expect_refused(&assignment, BTK_STATUS_TOO_LARGE);
}

Test(shard_runner, a_shard_with_a_memfd_of_its_own_gets_one_of_its_size)
{
    struct btk_assignment assignment = assign(2, (const char *const[]){""}, 1);
    assignment.flags = BTK_ASSIGNMENT_OWN_MEMFD;
    assignment.shard_bytes = ends()[0] = 300 * 1024;
    memset(text(), 'q', assignment.shard_bytes);
    const struct btk_shard_report report = run(&assignment);
    struct btk_result_header header;
    const uint8_t *block = open_result(&report, &header);
    cr_assert_eq(own_results.shard_id, 42);
    cr_assert_eq(own_results.results_id >> 32, EPOCH);
    cr_assert_neq(own_results.results_id, client->results_id);
    cr_assert_lt(own.bytes - report.result_bytes, 2 << 20);
    cr_assert_eq(header.token_count, 300 * 1024 + 2);
    cr_assert_eq(block[header.token_text_offset + header.token_text_bytes - 6], 'q');
    cr_assert_null(runner.workspace.block.address, "given back");
}

Test(shard_runner, documents_are_padded_to_the_longest_of_their_group)
{
    const char *const documents[] = {"a", "bcd", "e", "fg"};
    const struct btk_assignment assignment = assign(5, documents, 4);
    ends()[1] |= BTK_GROUP_END;
    const struct btk_shard_report report = run(&assignment);
    struct btk_result_header header;
    const uint8_t *block = open_result(&report, &header);
    const uint32_t expected[] = {'a', 7, 7, 'b', 'c', 'd', 'e', 7, 'f', 'g'};
    cr_assert_eq(header.token_count, 10);
    cr_assert_eq(memcmp(block + header.ids_offset, expected, sizeof expected), 0);
    cr_assert_eq(document(block, &header, 2).token_end, 8);
}

Test(shard_runner, a_group_with_a_document_that_is_not_utf8_fails_as_one)
{
    const char *const documents[] = {"a", "b\xff", "c"};
    const struct btk_assignment assignment = assign(5, documents, 3);
    ends()[1] |= BTK_GROUP_END;
    const struct btk_shard_report report = run(&assignment);
    struct btk_result_header header;
    const uint8_t *block = open_result(&report, &header);
    cr_assert_eq(report.document_errors, 2);
    cr_assert_eq(document(block, &header, 0).status, BTK_STATUS_INVALID_UTF8);
    cr_assert_eq(document(block, &header, 2).status, BTK_STATUS_OK);
    cr_assert_eq(header.token_count, 1);
}

Test(shard_runner, pairs_and_words_are_read_from_their_heads)
{
    const uint64_t word_ends[] = {1, 3};
    const struct btk_encode_input inputs[] = {
        {.text = {"abc", 3, word_ends, 2}, .has_pair = true, .pair = {"de", 2, NULL, 0}},
        {.text = {"f", 1, NULL, 0}},
    };
    struct btk_assignment assignment = assign(1, (const char *const[]){""}, 1);
    uint64_t end = 0;
    for (int i = 0; i < 2; i++) {
        btk_document_write(&inputs[i], text() + end);
        end += btk_document_bytes(&inputs[i]);
        ends()[i] = end;
    }
    // What is no head is an error of that document alone.
    memset(text() + end, 0xff, 40);
    ends()[2] = end + 40;
    assignment.document_count = 3;
    assignment.shard_bytes = end + 40;
    assignment.flags = BTK_ASSIGNMENT_HAS_SHAPES;
    const struct btk_shard_report report = run(&assignment);
    struct btk_result_header header;
    const uint8_t *block = open_result(&report, &header);
    const uint32_t expected[] = {'a', 'b', 'c', 'd', 'e', 'f'};
    cr_assert_eq(header.token_count, 6);
    cr_assert_eq(memcmp(block + header.ids_offset, expected, sizeof expected), 0);
    cr_assert_eq(document(block, &header, 2).status, BTK_STATUS_MALFORMED);
    cr_assert_eq(memcmp(block + header.text_offset, "the head of the document", 24), 0);
}

Test(shard_runner, room_for_a_padded_shard_is_found_when_its_size_is_known)
{
    const char *const documents[] = {"a"};
    struct btk_assignment assignment = assign(6, documents, 1);
    expect_refused(&assignment, BTK_STATUS_TOO_LARGE);
    assignment.flags = BTK_ASSIGNMENT_OWN_MEMFD;
    const struct btk_shard_report report = run(&assignment);
    struct btk_result_header header;
    (void)open_result(&report, &header);
    cr_assert_eq(header.token_count, 3000);
    // The engine was called for the one that was refused, to learn the size, and with room for it.
    cr_assert_eq(btk_worker_page_get(&page.cache_hits), 3);
}

Test(shard_runner, stamps_and_histograms_follow_the_four_parts)
{
    const char *const documents[] = {"ab"};
    struct btk_assignment assignment = assign(1, documents, 1);
    assignment.submitted_ns = btk_clock_now_ns() - 5000;
    assignment.dispatched_ns = assignment.submitted_ns + 2000;
    const struct btk_shard_report first = run(&assignment);
    struct btk_result_header header;
    (void)open_result(&first, &header);
    cr_assert_eq(header.previous_finish_ns, 0);
    cr_assert_eq(header.submitted_ns, assignment.submitted_ns);
    const struct btk_shard_report second = run(&assignment);
    (void)open_result(&second, &header);
    cr_assert_eq(header.previous_finish_ns, first.finished_ns);
    struct btk_histogram_snapshot waits;
    btk_histogram_read(&page.queue_wait, &waits);
    cr_assert_eq(waits.count, 2);
    cr_assert_eq(waits.sum_ns, 2000 + 2000 + first.finished_ns - assignment.dispatched_ns);
    cr_assert_eq(page.busy_ns,
                 (first.finished_ns - first.started_ns) + (second.finished_ns - second.started_ns));
}

// --- What is refused

Test(shard_runner, assignments_that_name_what_is_not_there_are_malformed)
{
    const char *const documents[] = {"ab"};
    const struct btk_assignment good = assign(1, documents, 1);
    struct btk_assignment bad = good;
    bad.client_id = 99;
    expect_refused(&bad, BTK_STATUS_MALFORMED);
    bad = good;
    bad.slab_id = 99;
    expect_refused(&bad, BTK_STATUS_MALFORMED);
    bad = good;
    bad.options_id = 99;
    expect_refused(&bad, BTK_STATUS_MALFORMED);
    bad = good;
    bad.op = BTK_OPERATION_DECODE;
    expect_refused(&bad, BTK_STATUS_MALFORMED);
    btk_image_table_unload(&runner.images, TOKENIZER);
    expect_refused(&good, BTK_STATUS_UNKNOWN_TOKENIZER);
}

Test(shard_runner, assignments_that_lead_out_of_their_memory_are_malformed)
{
    const char *const documents[] = {"ab"};
    const struct btk_assignment good = assign(1, documents, 1);
    const struct {
        size_t field;
        uint64_t value;
    } lies[] = {
        {offsetof(struct btk_assignment, table_offset), SLAB_BYTES},
        {offsetof(struct btk_assignment, table_offset), 4},
        {offsetof(struct btk_assignment, text_offset), UINT64_MAX - 7},
        {offsetof(struct btk_assignment, text_offset), 2},
        {offsetof(struct btk_assignment, shard_begin), SLAB_BYTES},
        {offsetof(struct btk_assignment, shard_begin), UINT64_MAX},
        {offsetof(struct btk_assignment, shard_bytes), SLAB_BYTES},
        {offsetof(struct btk_assignment, result_offset), RESULTS_BYTES},
        {offsetof(struct btk_assignment, result_offset), 8},
        {offsetof(struct btk_assignment, result_limit_bytes), UINT64_MAX},
    };
    for (size_t i = 0; i < BTK_ARRAY_COUNT(lies); i++) {
        struct btk_assignment bad = good;
        memcpy((uint8_t *)&bad + lies[i].field, &lies[i].value, sizeof lies[i].value);
        expect_refused(&bad, BTK_STATUS_MALFORMED);
    }
    struct btk_assignment bad = good;
    bad.document_count = UINT32_MAX;
    expect_refused(&bad, BTK_STATUS_MALFORMED);
}

Test(shard_runner, ends_that_go_back_or_leave_the_shard_are_malformed)
{
    const char *const documents[] = {"ab", "cd", "ef"};
    struct btk_assignment assignment = assign(1, documents, 3);
    ends()[1] = 1;
    expect_refused(&assignment, BTK_STATUS_MALFORMED);
    ends()[1] = UINT64_MAX;
    expect_refused(&assignment, BTK_STATUS_MALFORMED);
    ends()[1] = 4;
    ends()[2] = 7;
    expect_refused(&assignment, BTK_STATUS_MALFORMED);
    assignment.first_document = 1;
    assignment.document_count = 1;
    assignment.shard_begin = 5;
    assignment.shard_bytes = 1;
    expect_refused(&assignment, BTK_STATUS_MALFORMED);
}

Test(shard_runner, a_shard_in_the_middle_reads_its_own_ends)
{
    const char *const documents[] = {"ab", "cd", "ef"};
    struct btk_assignment assignment = assign(1, documents, 3);
    assignment.first_document = 1;
    assignment.document_count = 1;
    assignment.shard_begin = 2;
    assignment.shard_bytes = 2;
    const struct btk_shard_report report = run(&assignment);
    struct btk_result_header header;
    const uint8_t *block = open_result(&report, &header);
    cr_assert_eq(header.first_document, 1);
    cr_assert_eq(header.token_count, 2);
    cr_assert_eq(block[header.ids_offset], 'c');
}

Test(shard_runner, a_shard_is_not_begun_after_its_deadline)
{
    const char *const documents[] = {"ab"};
    struct btk_assignment assignment = assign(1, documents, 1);
    assignment.deadline_ns = btk_clock_now_ns() - 1;
    expect_refused(&assignment, BTK_STATUS_DEADLINE);
    assignment.deadline_ns = btk_clock_now_ns() + 60 * UINT64_C(1000000000);
    cr_assert_eq(run(&assignment).status, BTK_STATUS_OK);
}

Test(shard_runner, an_extent_without_room_for_the_documents_is_too_small)
{
    const char *const documents[] = {"ab"};
    struct btk_assignment assignment = assign(1, documents, 1);
    assignment.result_limit_bytes = 256;
    expect_refused(&assignment, BTK_STATUS_TOO_LARGE);
    assignment.result_limit_bytes = 0;
    expect_refused(&assignment, BTK_STATUS_TOO_LARGE);
}
