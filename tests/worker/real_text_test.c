// SPDX-License-Identifier: Apache-2.0
// Real text through the real engine: what stands in a block is what the engine says when it is asked
// directly, column by column. Whether the engine is right is said by the goldens.
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mapped_file.h"
#include "ipc/document.h"
#include "tokenizer/compile/compile.h"
#include "tokenizer/default/default_models.h"
#include "worker/shard_runner.h"

enum {
    SLAB_BYTES = 2 << 20,
    RESULTS_BYTES = 8 << 20,
    TEXT_OFFSET = 65536,
    DOCUMENT_BYTES = 1000,
    SHARD_DOCUMENTS = 64,
    DOCUMENTS_MAX = TEXT_OFFSET / 8,
    SCRIBBLED_ROUNDS = 80,
};

static const char *const texts[] = {"code", "en", "ja", "ko", "ru", "zh"};

static struct btk_shard_runner runner;
static struct btk_worker_page page;
static struct btk_shared_memory slab = BTK_SHARED_MEMORY_INIT;
static struct btk_attached_client *client;
static struct btk_encoding expected;

static void take_fd(struct btk_shared_memory *memory, int *out_fd)
{
    cr_assert_eq(btk_shared_memory_seal(memory), 0);
    *out_fd = memory->fd;
    memory->fd = -1;
}

static void load_model(uint32_t tokenizer_id, const char *name)
{
    struct btk_default_model model;
    struct btk_buffer image = {0};
    struct btk_error error = {0};
    struct btk_shared_memory memory = BTK_SHARED_MEMORY_INIT;
    int fd = -1;
    cr_assert(btk_default_model_find(name, &model));
    cr_assert_eq(btk_compile_json((struct btk_bytes){model.json, model.json_bytes}, &image, &error),
                 0, "%s", error.message);
    cr_assert_eq(btk_shared_memory_create("image", image.length, 0, &memory), 0);
    memcpy(memory.address, image.data, image.length);
    take_fd(&memory, &fd);
    cr_assert_eq(btk_image_table_load(&runner.images, tokenizer_id, &fd, image.length, &error), 0,
                 "%s", error.message);
    btk_shared_memory_clear(&memory);
    btk_buffer_clear(&image);
}

static void set_up(void)
{
    int fd = -1;
    runner = (struct btk_shard_runner){.page = &page, .worker_id = 1, .epoch = 1};
    load_model(1, "wordpiece");
    load_model(2, "bpe");
    cr_assert_eq(btk_shared_memory_create("slab", SLAB_BYTES, 0, &slab), 0);
    cr_assert_eq(btk_attached_clients_attach(&runner.clients, 1, 1, RESULTS_BYTES, &client), 0);
    take_fd(&slab, &fd);
    cr_assert_eq(btk_attached_client_attach_slab(client, 1, &fd, SLAB_BYTES), 0);
    const size_t room = SLAB_BYTES;
    expected = (struct btk_encoding){
        .capacity = room,
        .ids = malloc(room * 4),
        .offsets = malloc(room * 8),
        .type_ids = malloc(room * 4),
        .word_ids = malloc(room * 4),
        .special_tokens_mask = malloc(room),
        .sources = malloc(room * 8),
    };
}

static void tear_down(void)
{
    btk_shard_runner_clear(&runner);
    btk_shared_memory_clear(&slab);
    free(expected.ids);
    free(expected.offsets);
    free(expected.type_ids);
    free(expected.word_ids);
    free(expected.special_tokens_mask);
    free(expected.sources);
}

TestSuite(real_text, .init = set_up, .fini = tear_down);

static uint64_t *ends(void)
{
    return slab.address;
}

static const char *document_at(uint32_t index, size_t *out_bytes)
{
    const uint64_t begin = index == 0 ? 0 : ends()[index - 1];
    *out_bytes = ends()[index] - begin;
    return (const char *)slab.address + TEXT_OFFSET + begin;
}

// A text of bench/texts into the slab, cut into documents between its characters.
static uint32_t read_documents(const char *name)
{
    char path[512];
    struct btk_mapped_file file;
    struct btk_error error = {0};
    uint32_t count = 0;
    snprintf(path, sizeof path, BTK_TEST_TEXTS "/%s.txt", name);
    cr_assert_eq(btk_mapped_file_map(path, SLAB_BYTES - TEXT_OFFSET, &file, &error), 0, "%s",
                 error.message);
    memcpy((uint8_t *)slab.address + TEXT_OFFSET, file.data, file.length);
    for (size_t end = 0; end < file.length; count++) {
        end = btk_min_size(end + DOCUMENT_BYTES, file.length);
        while (end < file.length && (file.data[end] & 0xc0) == 0x80) end++;
        cr_assert_lt(count, DOCUMENTS_MAX);
        ends()[count] = end;
    }
    btk_mapped_file_unmap(&file);
    return count;
}

static void define_as(uint32_t options_id, uint32_t tokenizer_id,
                      const struct btk_batch_options *options)
{
    const struct btk_control_define_options definition = {options_id, tokenizer_id,
                                                          btk_batch_options_bytes(options)};
    cr_assert_eq(btk_options_table_define(&runner.options, &definition, NULL), 0);
}

static void define(uint32_t options_id, uint32_t tokenizer_id, uint32_t op, uint32_t fields)
{
    const struct btk_batch_options options = {
        .op = op, .fields = fields, .flags = BTK_OPTIONS_ADD_SPECIAL_TOKENS};
    define_as(options_id, tokenizer_id, &options);
}

static struct btk_assignment make_assignment(uint32_t options_id, uint32_t op, uint32_t first,
                                             uint32_t count)
{
    const uint64_t begin = first == 0 ? 0 : ends()[first - 1];
    return (struct btk_assignment){
        .shard_id = 1,
        .client_id = 1,
        .options_id = options_id,
        .slab_id = 1,
        .first_document = first,
        .document_count = count,
        .epoch = 1,
        .op = op,
        .text_offset = TEXT_OFFSET,
        .shard_begin = begin,
        .shard_bytes = ends()[first + count - 1] - begin,
        .result_limit_bytes = RESULTS_BYTES,
    };
}

static struct btk_shard_report run_assignment(const struct btk_assignment *assignment)
{
    struct btk_shard_report report;
    struct btk_result_header header;
    struct btk_error error = {0};
    btk_shard_runner_run(&runner, assignment, &report);
    if (report.status != BTK_STATUS_OK) return report;
    memcpy(&header, client->results.address, sizeof header);
    cr_assert_eq(btk_result_header_check(&header, report.result_bytes, &error), 0);
    return report;
}

static const uint8_t *run(uint32_t options_id, uint32_t op, uint32_t first, uint32_t count)
{
    const struct btk_assignment assignment = make_assignment(options_id, op, first, count);
    const struct btk_shard_report report = run_assignment(&assignment);
    cr_assert_eq(report.status, BTK_STATUS_OK);
    cr_assert_eq(report.document_errors, 0);
    return client->results.address;
}

static void check_tokens(const uint8_t *block, const struct btk_result_header *header,
                         uint64_t begin)
{
    const struct btk_loaded_image *image = btk_image_table_find(
        &runner.images, btk_options_table_find(&runner.options, 2)->tokenizer_id);
    const uint32_t *token_ends = (const void *)(block + header->token_ends_offset);
    for (size_t i = 0; i < expected.count; i++) {
        size_t bytes = 0;
        const char *token = btk_token_text_in(image->tokenizer, image->scratch, expected.ids[i],
                                              expected.sources + 2 * i, &bytes);
        const uint32_t at = begin + i == 0 ? 0 : token_ends[begin + i - 1];
        cr_assert_eq(token_ends[begin + i] - at, bytes);
        cr_assert_eq(memcmp(block + header->token_text_offset + at, token, bytes), 0);
    }
}

static void check_document(const uint8_t *block, uint32_t index, uint32_t in_shard)
{
    const struct btk_encode_options options = BTK_ENCODE_DEFAULTS;
    struct btk_result_header header;
    struct btk_error_info error;
    size_t bytes = 0;
    const char *text = document_at(index, &bytes);
    const struct btk_result_document *table = (const void *)(block + sizeof header);
    const uint64_t begin = in_shard == 0 ? 0 : table[in_shard - 1].token_end;
    memcpy(&header, block, sizeof header);
    const struct btk_loaded_image *image = btk_image_table_find(
        &runner.images, btk_options_table_find(&runner.options, 2)->tokenizer_id);
    cr_assert_eq(
        btk_encode(image->tokenizer, image->scratch, text, bytes, &options, &expected, &error), 0);
    const size_t count = expected.count;
    cr_assert_eq(table[in_shard].token_end - begin, count);
    cr_assert_eq(memcmp(block + header.ids_offset + 4 * begin, expected.ids, 4 * count), 0);
    if (header.offsets_offset == 0) return;
    cr_assert_eq(memcmp(block + header.offsets_offset + 8 * begin, expected.offsets, 8 * count), 0);
    cr_assert_eq(memcmp(block + header.type_ids_offset + 4 * begin, expected.type_ids, 4 * count),
                 0);
    cr_assert_eq(memcmp(block + header.word_ids_offset + 4 * begin, expected.word_ids, 4 * count),
                 0);
    cr_assert_eq(
        memcmp(block + header.special_mask_offset + begin, expected.special_tokens_mask, count), 0);
    check_tokens(block, &header, begin);
}

static void check_encode(uint32_t document_count, uint32_t options_id)
{
    for (uint32_t first = 0; first < document_count; first += SHARD_DOCUMENTS) {
        const uint32_t count = (uint32_t)btk_min_size(SHARD_DOCUMENTS, document_count - first);
        const uint8_t *block = run(options_id, BTK_OPERATION_ENCODE, first, count);
        for (uint32_t i = 0; i < count; i++) check_document(block, first + i, i);
    }
}

// The ids of the first documents take the place of their text; what comes back is what the engine
// decodes them to.
static void check_decode(void)
{
    const struct btk_loaded_image *image = btk_image_table_find(
        &runner.images, btk_options_table_find(&runner.options, 3)->tokenizer_id);
    const uint8_t *block = run(1, BTK_OPERATION_ENCODE, 0, 1);
    struct btk_result_header header;
    static char decoded[1 << 20];
    size_t bytes = 0;
    memcpy(&header, block, sizeof header);
    const size_t count = header.token_count;
    memcpy((uint8_t *)slab.address + TEXT_OFFSET, block + header.ids_offset, 4 * count);
    ends()[0] = 4 * count;
    cr_assert_eq(btk_decode(image->tokenizer,
                            (const uint32_t *)(const void *)(block + header.ids_offset), count,
                            false, decoded, sizeof decoded, &bytes, NULL),
                 0);
    block = run(3, BTK_OPERATION_DECODE, 0, 1);
    memcpy(&header, block, sizeof header);
    cr_assert_eq(header.text_bytes, bytes);
    cr_assert_eq(memcmp(block + header.text_offset, decoded, bytes), 0);
}

static void check_model(uint32_t tokenizer_id)
{
    define(1, tokenizer_id, BTK_OPERATION_ENCODE, BTK_FIELD_IDS);
    define(2, tokenizer_id, BTK_OPERATION_ENCODE,
           BTK_FIELDS_ALL & ~(uint32_t)BTK_FIELD_OVERFLOWING);
    define(3, tokenizer_id, BTK_OPERATION_DECODE, 0);
    for (size_t i = 0; i < BTK_ARRAY_COUNT(texts); i++) {
        const uint32_t count = read_documents(texts[i]);
        check_encode(count, 1);
        check_encode(count, 2);
        check_decode();
    }
}

Test(real_text, blocks_of_wordpiece_hold_what_the_engine_says)
{
    check_model(1);
}

Test(real_text, blocks_of_bpe_hold_what_the_engine_says)
{
    check_model(2);
}

// --- What unusual shards need

// One document of `bytes` bytes, in words of three letters.
static void write_words(uint64_t bytes)
{
    uint8_t *text = (uint8_t *)slab.address + TEXT_OFFSET;
    for (uint64_t i = 0; i < bytes; i++) text[i] = i % 4 == 3 ? ' ' : 'a';
    ends()[0] = bytes;
}

Test(real_text, what_a_long_document_needed_is_given_back_however_little_came_of_it)
{
    struct btk_batch_options options = {.op = BTK_OPERATION_ENCODE, .fields = BTK_FIELDS_ALL};
    btk_batch_options_set_truncation(&options, BTK_OPTION_IS_GIVEN,
                                     &(struct btk_truncation){.max_length = 10});
    options.fields &= ~(uint32_t)BTK_FIELD_OVERFLOWING;
    define_as(1, 2, &options);
    write_words(1000);
    (void)run(1, BTK_OPERATION_ENCODE, 0, 1);
    cr_assert_not_null(runner.workspace.encodings, "what a common shard needs stays");
    write_words(SLAB_BYTES - TEXT_OFFSET);
    (void)run(1, BTK_OPERATION_ENCODE, 0, 1);
    cr_assert_null(runner.workspace.encodings);
}

// --- A client that does not keep still

static atomic_bool is_over;

// Bytes of text everywhere, and now and then an end, without any order.
static void *scribble(void *context)
{
    uint8_t *text = (uint8_t *)slab.address + TEXT_OFFSET;
    const uint64_t text_bytes = btk_document_end(ends()[SHARD_DOCUMENTS - 1]);
    uint64_t state = 88172645463325252u;
    (void)context;
    while (!atomic_load_explicit(&is_over, memory_order_relaxed)) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        ((volatile uint8_t *)text)[state % text_bytes] = (uint8_t)(state >> 32);
        if (state % 65536 == 0)
            ((volatile uint64_t *)ends())[state >> 16 & (SHARD_DOCUMENTS - 1)] =
                state >> 24 & 0x1ffff;
    }
    return NULL;
}

// An order is put back, so that some shards get beyond the check of their ends, and some documents
// beyond that of their heads.
static void tidy(const struct btk_assignment *assignment)
{
    uint8_t *text = (uint8_t *)slab.address + TEXT_OFFSET;
    for (uint64_t k = 0; k < SHARD_DOCUMENTS; k++) {
        const uint64_t begin = assignment->shard_bytes * k / SHARD_DOCUMENTS;
        const uint64_t end = assignment->shard_bytes * (k + 1) / SHARD_DOCUMENTS;
        const uint64_t bytes = end - begin - sizeof(struct btk_document_head) - sizeof(uint64_t);
        const struct btk_document_head head = {.text_bytes = bytes / 3,
                                               .pair_bytes = bytes - bytes / 3,
                                               .word_count = 1,
                                               .flags =
                                                   BTK_DOCUMENT_IS_SPLIT | BTK_DOCUMENT_HAS_PAIR};
        ends()[k] = k % 4 == 3 ? end | BTK_GROUP_END : end;
        if ((assignment->flags & BTK_ASSIGNMENT_HAS_SHAPES) == 0) continue;
        memcpy(text + begin, &head, sizeof head);
        memcpy(text + begin + sizeof head, &head.text_bytes, sizeof head.text_bytes);
    }
}

static void work_under_scribbles(uint32_t tokenizer_id, uint32_t fields, uint32_t flags,
                                 uint32_t assignment_flags)
{
    static uint32_t options_id = 10;
    const struct btk_batch_options options = {
        .op = BTK_OPERATION_ENCODE, .fields = fields, .flags = flags};
    pthread_t thread;
    const uint32_t count = read_documents("ru");
    cr_assert_gt(count, SHARD_DOCUMENTS);
    struct btk_assignment assignment =
        make_assignment(++options_id, BTK_OPERATION_ENCODE, 0, SHARD_DOCUMENTS);
    assignment.flags = assignment_flags;
    define_as(options_id, tokenizer_id, &options);
    atomic_store_explicit(&is_over, false, memory_order_relaxed);
    cr_assert_eq(pthread_create(&thread, NULL, scribble, NULL), 0);
    for (int i = 0; i < SCRIBBLED_ROUNDS; i++) {
        tidy(&assignment);
        const struct btk_shard_report report = run_assignment(&assignment);
        cr_assert(report.status == BTK_STATUS_OK || report.status == BTK_STATUS_MALFORMED);
    }
    atomic_store_explicit(&is_over, true, memory_order_relaxed);
    cr_assert_eq(pthread_join(thread, NULL), 0);
}

Test(real_text, a_client_that_scribbles_over_its_slab_spoils_only_its_own_results)
{
    const uint32_t plain = BTK_FIELD_IDS | BTK_FIELD_TYPE_IDS | BTK_FIELD_TOKENS | BTK_FIELD_OFFSETS
                           | BTK_FIELD_WORD_IDS | BTK_FIELD_SPECIAL_TOKENS_MASK;
    work_under_scribbles(1, plain, BTK_OPTIONS_ADD_SPECIAL_TOKENS, 0);
    work_under_scribbles(1, plain, BTK_OPTIONS_UTF8_REPLACE, 0);
    work_under_scribbles(2, plain, BTK_OPTIONS_OFFSETS_BYTE, 0);
    work_under_scribbles(2, plain, BTK_OPTIONS_OFFSETS_BYTE | BTK_OPTIONS_UTF8_REPLACE, 0);
}

Test(real_text, nor_does_one_whose_documents_have_heads_and_groups)
{
    work_under_scribbles(1, BTK_FIELDS_ALL, BTK_OPTIONS_UTF8_REPLACE, BTK_ASSIGNMENT_HAS_SHAPES);
    work_under_scribbles(2, BTK_FIELDS_ALL, BTK_OPTIONS_GROUPED, BTK_ASSIGNMENT_HAS_SHAPES);
    work_under_scribbles(2, BTK_FIELDS_ALL, BTK_OPTIONS_UTF8_REPLACE | BTK_OPTIONS_GROUPED, 0);
}
