// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <budtiktok/client.h>

#include "common/json.h"
#include "tools/commands.h"
#include "tools/exit_status.h"
#include "tools/open_tokenizer.h"

// The text of an array or an object is long; a table of its members is what people read.
static void print_value(const char *indent, struct btk_bytes name, const struct btk_json *value)
{
    struct btk_bytes text;
    int64_t integer;
    double number;
    bool flag;
    printf("%s%-28.*s ", indent, (int)name.length, (const char *)name.data);
    if (btk_json_try_string(value, &text))
        printf("%.*s\n", (int)text.length, (const char *)text.data);
    else if (btk_json_try_integer(value, &integer))
        printf("%" PRId64 "\n", integer);
    else if (btk_json_try_number(value, &number))
        printf("%.3f\n", number);
    else if (btk_json_try_bool(value, &flag))
        printf("%s\n", flag ? "yes" : "no");
    else
        printf("-\n");
}

static int compare_names(const void *a, const void *b)
{
    const struct btk_bytes *const left = a, *const right = b;
    const int order = memcmp(left->data, right->data, btk_min_size(left->length, right->length));
    return order ? order : (left->length > right->length) - (left->length < right->length);
}

static void print_object(const struct btk_json *object, const char *indent);

static void print_member(const struct btk_json *object, struct btk_bytes name, const char *indent)
{
    char key[128];
    if (name.length >= sizeof key) return;
    memcpy(key, name.data, name.length);
    key[name.length] = 0;
    const struct btk_json *const value = btk_json_get(object, key);
    const enum btk_json_type type = btk_json_type(value);
    if (type != BTK_JSON_ARRAY && type != BTK_JSON_OBJECT) {
        print_value(indent, name, value);
        return;
    }
    if (strlen(indent) > 4) return;
    char deeper[16];
    snprintf(deeper, sizeof deeper, "%s  ", indent);
    if (type == BTK_JSON_OBJECT) {
        printf("%s%s\n", indent, key);
        print_object(value, deeper);
        return;
    }
    for (size_t i = 0; i < btk_json_count(value); i++) {
        printf("%s%s %zu\n", indent, key, i);
        print_object(btk_json_at(value, i), deeper);
    }
}

static void print_object(const struct btk_json *object, const char *indent)
{
    struct btk_bytes names[64];
    size_t count = 0;
    void *cursor = NULL;
    const struct btk_json *value;
    while (count < BTK_ARRAY_COUNT(names) && btk_json_next(object, &cursor, &names[count], &value))
        count++;
    qsort(names, count, sizeof names[0], compare_names);
    for (size_t i = 0; i < count; i++) print_member(object, names[i], indent);
}

static int print_status(const struct btk_options *options, const char *json, size_t bytes,
                        struct btk_error *error)
{
    if (btk_options_has(options, BTK_OPTION_json)) {
        printf("%.*s\n", (int)bytes, json);
        return 0;
    }
    struct btk_json *root;
    const int status =
        btk_json_parse((struct btk_bytes){(const uint8_t *)json, bytes}, &root, error);
    if (status < 0) return status;
    print_object(root, "");
    btk_json_free(root);
    return 0;
}

static int ask(struct btk_client *client, const struct btk_options *options,
               struct btk_error *error)
{
    enum { STATUS_BYTES_MAX = 1 << 17 };
    struct btk_error_info info;
    size_t bytes = 0;
    char *const json = malloc(STATUS_BYTES_MAX);
    if (!json) return btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "not enough memory");
    int status = btk_client_status(client, json, STATUS_BYTES_MAX, &bytes, &info);
    if (status < 0)
        btk_error_import(error, &info);
    else
        status = print_status(options, json, bytes, error);
    free(json);
    return status;
}

int btk_command_status(const struct btk_options *options)
{
    struct btk_error error;
    struct btk_error_info info;
    struct btk_client *client = NULL;
    const struct btk_client_options client_options = {.endpoint =
                                                          options->values[BTK_OPTION_connect],
                                                      .slab_bytes = 1 << 20,
                                                      .name = "budtiktok status"};
    int status = btk_client_connect(&client_options, &client, &info);
    if (status < 0) {
        btk_error_import(&error, &info);
        return btk_exit_report_backend(status == -ENOENT ? -ECONNREFUSED : status, &error);
    }
    status = ask(client, options, &error);
    btk_client_close(&client);
    return status < 0 ? btk_exit_report_backend(status, &error) : BTK_EXIT_DONE;
}
