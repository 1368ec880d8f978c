// SPDX-License-Identifier: Apache-2.0
// `budtiktok serve` with a configuration file, tokenizers that change, and SIGHUP.
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "common/json.h"
#include "tests/coordinator/batches.h"
#include "tests/coordinator/cluster.h"
#include "tokenizer/default/default_models.h"

enum { IDS_MAX = 64, SLAB_BYTES = 1 << 20 };

struct ids {
    size_t count;
    uint32_t list[IDS_MAX];
};

// A folder with tokenizers and a configuration, beside the one of the cluster.
struct place {
    char folder[64];
    char config[96];
};

static const char text[] = "The quick brown fox isn't lazy; 1234 times.";

// --- Files ----------------------------------------------------------------------------------------

static void write_file(const struct place *place, const char *name, const void *data, size_t length)
{
    char path[128];
    char next[136];
    snprintf(path, sizeof path, "%s/%s", place->folder, name);
    snprintf(next, sizeof next, "%s.next", path);
    FILE *file = fopen(next, "wb");
    CHECK(file != NULL && fwrite(data, 1, length, file) == length && fclose(file) == 0);
    CHECK(rename(next, path) == 0);
}

static void write_model(const struct place *place, const char *name, const char *model_name)
{
    struct btk_default_model model;
    CHECK(btk_default_model_find(model_name, &model));
    write_file(place, name, model.json, model.json_bytes);
}

// "a" and "b" lead to files of this folder; NULL: there is no "b".
static void write_config(const struct place *place, const char *a, const char *b)
{
    char json[512];
    const int length =
        b == NULL ? snprintf(json, sizeof json, "{\"tokenizer\": [\"a=%s/%s\"]}", place->folder, a)
                  : snprintf(json, sizeof json, "{\"tokenizer\": [\"a=%s/%s\", \"b=%s/%s\"]}",
                             place->folder, a, place->folder, b);
    write_file(place, "config.json", json, (size_t)length);
}

static void open_place(struct place *place)
{
    strcpy(place->folder, "/tmp/btk-test-XXXXXX");
    CHECK(mkdtemp(place->folder) != NULL);
    snprintf(place->config, sizeof place->config, "%s/config.json", place->folder);
    write_model(place, "one.json", "wordpiece");
    write_model(place, "two.json", "bpe");
    write_file(place, "broken.json", "{\"model\": 7}", 12);
}

static void close_place(const struct place *place)
{
    static const char *const names[] = {"one.json", "two.json", "broken.json", "a.json",
                                        "config.json"};
    char path[128];
    for (size_t i = 0; i < BTK_ARRAY_COUNT(names); i++) {
        snprintf(path, sizeof path, "%s/%s", place->folder, names[i]);
        unlink(path);
    }
    CHECK(rmdir(place->folder) == 0);
}

static void serve(const struct place *place, struct cluster *cluster)
{
    const char *const arguments[] = {"--config",  place->config, "--http", "127.0.0.1:0",
                                     "--workers", "2",           NULL};
    cluster_serve(cluster, arguments);
}

// --- What clients see -----------------------------------------------------------------------------

static int try_register(struct btk_client *client, const char *tokenizer, uint32_t *out_options_id)
{
    const struct btk_client_request_options request = BTK_CLIENT_REQUEST_DEFAULTS;
    return btk_client_register(client, tokenizer, &request, out_options_id, NULL);
}

static void encode(struct btk_client *client, uint32_t options_id, struct ids *out_ids)
{
    const char *documents[1] = {text};
    const size_t lengths[1] = {sizeof text - 1};
    struct btk_batch *batch = NULL;
    struct btk_document_view view;
    CHECK(btk_client_submit_documents(client, documents, lengths, 1, options_id, 0, &batch, NULL)
          == 0);
    CHECK(btk_client_wait(client, batch, BATCHES_WAIT_MS, NULL) == 0);
    CHECK(btk_batch_document(batch, 0, &view) == 0 && view.status == BTK_STATUS_OK);
    CHECK(view.token_count > 0 && view.token_count <= IDS_MAX);
    out_ids->count = view.token_count;
    memcpy(out_ids->list, view.ids, view.token_count * sizeof *view.ids);
    btk_client_release(client, &batch);
}

static bool is_equal(const struct ids *a, const struct ids *b)
{
    return a->count == b->count && memcmp(a->list, b->list, a->count * sizeof *a->list) == 0;
}

// What a client that comes now gets. False: there is no such tokenizer.
static bool try_encode_anew(const struct cluster *cluster, const char *tokenizer,
                            struct ids *out_ids)
{
    struct btk_client *client = cluster_connect_with(cluster, SLAB_BYTES);
    uint32_t options_id = 0;
    const int rc = try_register(client, tokenizer, &options_id);
    CHECK(rc == 0 || rc == -ENOENT);
    if (rc == 0) encode(client, options_id, out_ids);
    btk_client_close(&client);
    return rc == 0;
}

// The number of the image that a name leads to, or -1.
static int64_t image_of(struct btk_client *client, const char *tokenizer)
{
    static char json[64 * 1024];
    size_t length = 0;
    int64_t id = -1;
    struct btk_json *root = NULL;
    struct btk_bytes name;
    CHECK(btk_client_status(client, json, sizeof json, &length, NULL) == 0);
    CHECK(btk_json_parse((struct btk_bytes){(const uint8_t *)json, length}, &root, NULL) == 0);
    const struct btk_json *list = btk_json_get(root, "tokenizers");
    for (size_t i = 0; i < btk_json_count(list); i++) {
        const struct btk_json *entry = btk_json_at(list, i);
        CHECK(btk_json_try_string(btk_json_get(entry, "name"), &name));
        if (name.length == strlen(tokenizer) && memcmp(name.data, tokenizer, name.length) == 0)
            CHECK(btk_json_try_integer(btk_json_get(entry, "id"), &id));
    }
    btk_json_free(root);
    return id;
}

// SIGHUP, and until the name leads elsewhere.
static void reload_until_new(const struct cluster *cluster, struct btk_client *client,
                             const char *tokenizer)
{
    const int64_t before = image_of(client, tokenizer);
    CHECK(kill(cluster->pid, SIGHUP) == 0);
    for (int i = 0; i < 600 && image_of(client, tokenizer) == before; i++) cluster_sleep_ms(50);
    CHECK(image_of(client, tokenizer) != before);
}

// --- Tests ----------------------------------------------------------------------------------------

static void a_new_file_is_for_those_who_come_later(void)
{
    struct place place;
    struct cluster cluster;
    struct ids one, two, now;
    uint32_t options_id = 0;
    open_place(&place);
    write_model(&place, "a.json", "wordpiece");
    write_config(&place, "a.json", "two.json");
    serve(&place, &cluster);
    struct btk_client *client = cluster_connect_with(&cluster, SLAB_BYTES);
    CHECK(try_register(client, "a", &options_id) == 0);
    encode(client, options_id, &one);
    CHECK(try_encode_anew(&cluster, "b", &two) && !is_equal(&one, &two));
    const int64_t b = image_of(client, "b");

    write_model(&place, "a.json", "bpe");
    reload_until_new(&cluster, client, "a");
    // The bytes are those of "b": it is that image.
    CHECK(image_of(client, "b") == b && image_of(client, "a") == b);
    encode(client, options_id, &now);
    CHECK(is_equal(&now, &one));
    CHECK(try_encode_anew(&cluster, "a", &now) && is_equal(&now, &two));
    CHECK(try_encode_anew(&cluster, NULL, &now) && is_equal(&now, &two));

    btk_client_close(&client);
    CHECK(cluster_stop(&cluster) == 0);
    close_place(&place);
}

// While work is in flight and workers die.
static void new_images_come_to_workers_that_come_later(void)
{
    struct place place;
    struct cluster cluster;
    struct ids one, two, now;
    uint32_t options_id = 0;
    open_place(&place);
    write_config(&place, "one.json", NULL);
    serve(&place, &cluster);
    struct btk_client *client = cluster_connect_with(&cluster, SLAB_BYTES);
    CHECK(try_register(client, "a", &options_id) == 0);
    encode(client, options_id, &one);
    write_config(&place, "two.json", NULL);
    reload_until_new(&cluster, client, "a");
    CHECK(try_encode_anew(&cluster, "a", &two) && !is_equal(&one, &two));
    for (int i = 0; i < 2; i++) {
        kill((pid_t)cluster_status(client, i, "pid"), SIGKILL);
        encode(client, options_id, &now);
        CHECK(is_equal(&now, &one));
        CHECK(try_encode_anew(&cluster, "a", &now) && is_equal(&now, &two));
    }
    // Back again, and the old image was kept for us.
    const int64_t second = image_of(client, "a");
    write_config(&place, "one.json", NULL);
    reload_until_new(&cluster, client, "a");
    CHECK(image_of(client, "a") < second);
    btk_client_close(&client);
    // Nobody uses the second one any more: its bytes come under a new number.
    cluster_sleep_ms(300);
    client = cluster_connect_with(&cluster, SLAB_BYTES);
    write_config(&place, "two.json", NULL);
    reload_until_new(&cluster, client, "a");
    CHECK(image_of(client, "a") > second);
    CHECK(try_encode_anew(&cluster, "a", &now) && is_equal(&now, &two));
    btk_client_close(&client);
    CHECK(cluster_stop(&cluster) == 0);
    close_place(&place);
}

static void what_is_broken_keeps_the_old(void)
{
    struct place place;
    struct cluster cluster;
    struct ids one, two, now;
    open_place(&place);
    write_config(&place, "one.json", NULL);
    serve(&place, &cluster);
    struct btk_client *client = cluster_connect_with(&cluster, SLAB_BYTES);
    const int64_t a = image_of(client, "a");
    CHECK(try_encode_anew(&cluster, "a", &one));
    CHECK(!try_encode_anew(&cluster, "b", &two));
    // A broken file, and a new name beside it.
    write_config(&place, "broken.json", "two.json");
    reload_until_new(&cluster, client, "b");
    CHECK(image_of(client, "a") == a);
    CHECK(try_encode_anew(&cluster, "a", &now) && is_equal(&now, &one));
    CHECK(try_encode_anew(&cluster, "b", &two) && !is_equal(&one, &two));
    // A broken configuration.
    write_file(&place, "config.json", "{", 1);
    CHECK(kill(cluster.pid, SIGHUP) == 0);
    cluster_sleep_ms(500);
    CHECK(try_encode_anew(&cluster, "b", &now) && is_equal(&now, &two));
    // A name that is gone.
    write_config(&place, "one.json", NULL);
    reload_until_new(&cluster, client, "b");
    CHECK(image_of(client, "b") == -1 && image_of(client, "a") == a);
    CHECK(!try_encode_anew(&cluster, "b", &now));
    btk_client_close(&client);
    CHECK(cluster_stop(&cluster) == 0);
    close_place(&place);
}

static void many_reloads_leave_nothing_behind(void)
{
    static const char *const files[2] = {"one.json", "two.json"};
    struct place place;
    struct cluster cluster;
    struct ids wanted[2], now;
    open_place(&place);
    write_config(&place, files[0], files[1]);
    serve(&place, &cluster);
    struct btk_client *client = cluster_connect_with(&cluster, SLAB_BYTES);
    CHECK(try_encode_anew(&cluster, "a", wanted) && try_encode_anew(&cluster, "b", wanted + 1));
    for (int i = 1; i <= 8; i++) {
        write_config(&place, files[i % 2], NULL);
        for (int storm = 0; storm < 3; storm++) kill(cluster.pid, SIGHUP);
        reload_until_new(&cluster, client, "a");
        CHECK(try_encode_anew(&cluster, "a", &now) && is_equal(&now, wanted + i % 2));
    }
    btk_client_close(&client);
    CHECK(cluster_stop(&cluster) == 0);
    close_place(&place);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } cases[] = {
        {"a_new_file_is_for_those_who_come_later", a_new_file_is_for_those_who_come_later},
        {"new_images_come_to_workers_that_come_later", new_images_come_to_workers_that_come_later},
        {"what_is_broken_keeps_the_old", what_is_broken_keeps_the_old},
        {"many_reloads_leave_nothing_behind", many_reloads_leave_nothing_behind},
    };
    for (size_t i = 0; i < BTK_ARRAY_COUNT(cases); i++) {
        if (argc > 1 && strcmp(argv[1], cases[i].name) != 0) continue;
        cases[i].run();
        printf("ok %s\n", cases[i].name);
        fflush(stdout);
    }
    return 0;
}
