// SPDX-License-Identifier: Apache-2.0
// Sends many batches of changing sizes through a running cluster, one after the other; checks that
// equal documents get equal ids. Says "half" after the first half, waits for a line on standard
// input, and goes on: whoever started it may look at the cluster then.
//
//     batch_loop ENDPOINT BATCHES
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <budtiktok/client.h>

enum { DOCUMENTS_MAX = 64, DOCUMENT_BYTES_MAX = 4096, TIMEOUT_MS = 60000 };

static const char sentence[] = "The quick brown fox jumps over 1234 lazy dogs; she said: \"no\". ";

static char text[DOCUMENT_BYTES_MAX];

static int fail(const char *what, const struct btk_error_info *error)
{
    fprintf(stderr, "batch_loop: %s: %s\n", what, error->message);
    return 1;
}

// The last document is the first one again.
static int check(struct btk_batch *batch, size_t count)
{
    struct btk_document_view first, last;
    if (btk_batch_document(batch, 0, &first) < 0 || btk_batch_document(batch, count - 1, &last) < 0)
        return 1;
    if (first.status || last.status || !first.token_count) return 1;
    return first.token_count != last.token_count
           || memcmp(first.ids, last.ids, first.token_count * sizeof *first.ids) != 0;
}

static int run_batch(struct btk_client *client, uint32_t options_id, unsigned number)
{
    const char *documents[DOCUMENTS_MAX];
    size_t lengths[DOCUMENTS_MAX];
    struct btk_error_info error;
    struct btk_batch *batch = NULL;
    const size_t count = 2 + number % (DOCUMENTS_MAX - 1);
    for (size_t i = 0; i < count; i++) {
        documents[i] = text;
        lengths[i] = 1 + (number * 31 + i % (count - 1) * 977) % DOCUMENT_BYTES_MAX;
    }
    if (btk_client_submit_documents(client, documents, lengths, count, options_id, 0, &batch,
                                    &error)
        < 0)
        return fail("submit", &error);
    if (btk_client_wait(client, batch, TIMEOUT_MS, &error) < 0) return fail("wait", &error);
    const int status = check(batch, count);
    if (status) fprintf(stderr, "batch_loop: batch %u: equal documents differ\n", number);
    btk_client_release(client, &batch);
    return status;
}

static int run(struct btk_client *client, unsigned batch_count)
{
    const struct btk_client_request_options request = BTK_CLIENT_REQUEST_DEFAULTS;
    struct btk_error_info error;
    uint32_t options_id;
    if (btk_client_register(client, NULL, &request, &options_id, &error) < 0)
        return fail("register", &error);
    for (unsigned i = 0; i < batch_count; i++) {
        if (i == batch_count / 2) {
            printf("half\n");
            fflush(stdout);
            if (getchar() == EOF) return 1;
        }
        if (run_batch(client, options_id, i)) return 1;
    }
    printf("done\n");
    fflush(stdout);
    return getchar() == EOF;
}

int main(int argc, char **argv)
{
    if (argc != 3) return 2;
    for (size_t i = 0; i < sizeof text; i++) text[i] = sentence[i % (sizeof sentence - 1)];
    const struct btk_client_options options = {.endpoint = argv[1], .name = "batch_loop"};
    struct btk_client *client = NULL;
    struct btk_error_info error;
    if (btk_client_connect(&options, &client, &error) < 0) return fail("connect", &error);
    const int status = run(client, (unsigned)atoi(argv[2]));
    btk_client_close(&client);
    return status;
}
