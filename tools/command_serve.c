// SPDX-License-Identifier: Apache-2.0
// Command line and configuration file to the options of a coordinator.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buffer.h"
#include "common/json.h"
#include "common/mapped_file.h"
#include "common/profile.h"
#include "coordinator/coordinator.h"
#include "tools/commands.h"
#include "tools/exit_status.h"
#include "tools/open_tokenizer.h"

enum { CONFIG_BYTES_MAX = 1 << 20, CONFIG_TEXT_MAX = 4096, TOKEN_MAX = 1024 };

// Options of the configuration file, in the words of the command line, and their texts.
struct serve_config {
    struct btk_options options;
    char texts[BTK_OPTION_COUNT][CONFIG_TEXT_MAX];
    char tokenizers[BTK_COORDINATOR_TOKENIZERS_MAX][CONFIG_TEXT_MAX];
    char names[BTK_COORDINATOR_TOKENIZERS_MAX][256];
    char http_token[TOKEN_MAX + 1]; // "": none
};

// What SIGHUP needs.
struct serve {
    const struct btk_options *given;
    struct serve_config start;    // what the coordinator runs with
    struct serve_config reloaded; // what was read last
};

static const char *const config_keys[BTK_OPTION_COUNT] = {
#define OPTION(name, spelling, argument, help, commands)                                           \
    [BTK_OPTION_##name] = ((commands)&BTK_IN(SERVE)) ? spelling : NULL,
    BTK_OPTION_LIST(OPTION)
#undef OPTION
};

static unsigned find_key(struct btk_bytes name)
{
    for (unsigned i = 0; i < BTK_OPTION_COUNT; i++)
        if (config_keys[i] && i != BTK_OPTION_config && strlen(config_keys[i]) == name.length
            && memcmp(config_keys[i], name.data, name.length) == 0)
            return i;
    return BTK_OPTION_COUNT;
}

static int copy_text(char *out, struct btk_bytes text, struct btk_error *error)
{
    if (text.length >= CONFIG_TEXT_MAX || memchr(text.data, 0, text.length))
        return btk_error_set(error, EINVAL, BTK_NO_OFFSET, "a value of more than %d bytes",
                             CONFIG_TEXT_MAX - 1);
    memcpy(out, text.data, text.length);
    out[text.length] = 0;
    return 0;
}

// Strings as on the command line; numbers too.
static int value_text(const struct btk_json *value, char *out, struct btk_error *error)
{
    struct btk_bytes text;
    int64_t number;
    if (btk_json_try_string(value, &text)) return copy_text(out, text, error);
    if (btk_json_try_integer(value, &number)) {
        snprintf(out, CONFIG_TEXT_MAX, "%lld", (long long)number);
        return 0;
    }
    return btk_error_set(error, EINVAL, BTK_NO_OFFSET, "a string or a number was expected, not %s",
                         btk_json_type_name(value));
}

static int take_tokenizers(struct serve_config *config, const struct btk_json *list,
                           struct btk_error *error)
{
    const bool is_list = btk_json_type(list) == BTK_JSON_ARRAY;
    const size_t count = is_list ? btk_json_count(list) : 1;
    if (count > BTK_COORDINATOR_TOKENIZERS_MAX)
        return btk_error_set(error, EINVAL, BTK_NO_OFFSET, "more than %d tokenizers",
                             BTK_COORDINATOR_TOKENIZERS_MAX);
    for (size_t i = 0; i < count; i++) {
        const int status =
            value_text(is_list ? btk_json_at(list, i) : list, config->tokenizers[i], error);
        if (status < 0) return status;
        config->options.tokenizers[i] = config->tokenizers[i];
    }
    config->options.tokenizer_count = (unsigned)count;
    return 0;
}

static int take_member(struct serve_config *config, const struct btk_options *given,
                       struct btk_bytes name, const struct btk_json *value, struct btk_error *error)
{
    const unsigned key = find_key(name);
    if (key == BTK_OPTION_COUNT)
        return btk_error_set(error, EINVAL, BTK_NO_OFFSET, "\"%.*s\" is not an option of serve",
                             (int)btk_min_size(name.length, 100), (const char *)name.data);
    if (given->values[key]) return 0; // the command line wins
    int status = 0;
    if (key == BTK_OPTION_tokenizer) {
        status = take_tokenizers(config, value, error);
    } else {
        status = value_text(value, config->texts[key], error);
        config->options.values[key] = config->texts[key];
    }
    return status < 0 ? btk_error_prefix(error, "\"%s\"", config_keys[key]) : 0;
}

static int read_config(struct serve_config *config, const struct btk_options *given,
                       struct btk_error *error)
{
    const char *const path = given->values[BTK_OPTION_config];
    config->options = *given;
    if (!path) return 0;
    struct btk_mapped_file file;
    struct btk_json *root = NULL;
    int status = btk_mapped_file_map(path, CONFIG_BYTES_MAX, &file, error);
    if (status < 0) return status;
    status = btk_json_parse((struct btk_bytes){file.data, file.length}, &root, error);
    if (!status && btk_json_type(root) != BTK_JSON_OBJECT)
        status = btk_error_set(error, EINVAL, BTK_NO_OFFSET, "an object of options was expected");
    void *cursor = NULL;
    struct btk_bytes name;
    const struct btk_json *value;
    while (!status && btk_json_next(root, &cursor, &name, &value))
        status = take_member(config, given, name, value, error);
    btk_json_free(root);
    btk_mapped_file_unmap(&file);
    return status < 0 ? btk_error_prefix(error, "%s", path) : 0;
}

// The one line of a file: visible characters, as a header of HTTP carries them.
static int take_token(struct serve_config *config, struct btk_bytes line, struct btk_error *error)
{
    while (line.length > 0 && strchr("\r\n", line.data[line.length - 1])) line.length--;
    if (line.length == 0 || line.length > TOKEN_MAX)
        return btk_error_set(error, EINVAL, BTK_NO_OFFSET, "a token of 1 to %d bytes was expected",
                             TOKEN_MAX);
    for (size_t i = 0; i < line.length; i++)
        if (line.data[i] <= ' ' || line.data[i] > '~')
            return btk_error_set(error, EINVAL, i,
                                 "one line of visible ASCII characters was expected");
    memcpy(config->http_token, line.data, line.length);
    return 0;
}

static int read_token(struct serve_config *config, struct btk_error *error)
{
    const char *const path = config->options.values[BTK_OPTION_http_token_file];
    struct btk_mapped_file file;
    if (!path) return 0;
    int status = btk_mapped_file_map(path, CONFIG_BYTES_MAX, &file, error);
    if (status < 0) return status;
    status = take_token(config, (struct btk_bytes){file.data, file.length}, error);
    btk_mapped_file_unmap(&file);
    return status < 0 ? btk_error_prefix(error, "%s", path) : 0;
}

// "NAME=PATH"; a bare path is named after its file, without ".json"; a bare name of an embedded
// model is that model.
static int name_tokenizer(struct serve_config *config, unsigned index,
                          struct btk_coordinator_tokenizer *out, struct btk_error *error)
{
    const char *const text = config->options.tokenizers[index];
    const char *const equals = strchr(text, '=');
    const char *const path = equals ? equals + 1 : text;
    const char *const slash = strrchr(path, '/');
    const char *const file = slash ? slash + 1 : path;
    const char *const begin = equals ? text : file;
    size_t length = equals ? (size_t)(equals - text) : strlen(file);
    const bool has_suffix = !equals && length > 5 && strcmp(file + length - 5, ".json") == 0;
    if (has_suffix) length -= 5;
    if (length == 0 || length >= sizeof config->names[0])
        return btk_error_set(error, EINVAL, BTK_NO_OFFSET,
                             "--tokenizer %s: a name of 1 to 255 bytes was expected", text);
    memcpy(config->names[index], begin, length);
    config->names[index][length] = 0;
    out->name = config->names[index];
    out->path = path;
    return 0;
}

static int parse_cpus(const struct serve_config *config, struct btk_coordinator_options *out,
                      struct btk_error *error)
{
    const char *const text = config->options.values[BTK_OPTION_cpus];
    return text ? btk_affinity_parse(text, &out->cpus, error) : 0;
}

static int parse_workers(const struct serve_config *config, struct btk_coordinator_options *out,
                         struct btk_error *error)
{
    const char *const text = config->options.values[BTK_OPTION_workers];
    uint64_t count = 0;
    if (!text || strcmp(text, "auto") == 0) return 0;
    const int status =
        btk_options_number(&config->options, BTK_OPTION_workers, 1, 0, &count, error);
    if (status < 0) return status;
    if (count > BTK_AFFINITY_MAX_CPUS)
        return btk_error_set(error, EINVAL, BTK_NO_OFFSET, "--workers: at most %d",
                             BTK_AFFINITY_MAX_CPUS);
    out->worker_count = (uint32_t)count;
    return 0;
}

// In the child that the coordinator starts for it.
static int compile(const struct btk_coordinator_tokenizer *tokenizer, int image_fd,
                   struct btk_error *error)
{
    struct btk_buffer image;
    btk_buffer_init(&image);
    int status =
        btk_compile_named(tokenizer->path ? tokenizer->path : tokenizer->name, NULL, &image, error);
    if (!status) status = btk_write_image(image_fd, &image, error);
    btk_buffer_clear(&image);
    return status;
}

static int fill_options(struct serve_config *config, struct btk_coordinator_options *out,
                        struct btk_error *error)
{
    const char *const http = config->options.values[BTK_OPTION_http];
    uint64_t lease_ms = 0;
    out->compile = compile;
    out->listen = config->options.values[BTK_OPTION_listen];
    out->http_token = config->http_token[0] ? config->http_token : NULL;
    out->http = !http ? "127.0.0.1:8080" : strcmp(http, "off") == 0 ? NULL : http;
    int status = parse_cpus(config, out, error);
    if (!status) status = parse_workers(config, out, error);
    if (!status)
        status = btk_options_number(&config->options, BTK_OPTION_shard_bytes, 1024, 0,
                                    &out->shard_bytes, error);
    if (!status)
        status = btk_options_number(&config->options, BTK_OPTION_lease_ms, 10, 0, &lease_ms, error);
    out->lease_ms = (uint32_t)btk_min_size(lease_ms, UINT32_MAX);
    out->tokenizer_count = config->options.tokenizer_count;
    for (unsigned i = 0; i < out->tokenizer_count && !status; i++)
        status = name_tokenizer(config, i, &out->tokenizers[i], error);
    return status;
}

// On SIGHUP, in the coordinator's loop.
static int reload(void *context, struct btk_coordinator_options *out_options,
                  struct btk_error *error)
{
    struct serve *const serve = context;
    memset(&serve->reloaded, 0, sizeof serve->reloaded);
    const int status = read_config(&serve->reloaded, serve->given, error);
    return status < 0 ? status : fill_options(&serve->reloaded, out_options, error);
}

static int run(struct serve *serve, struct btk_coordinator_options *coordinator)
{
    struct btk_error error;
    if (serve->given->file_count) {
        btk_error_set(&error, EINVAL, BTK_NO_OFFSET,
                      "serve takes no FILE; see budtiktok serve --help");
        return btk_exit_report(BTK_EXIT_USAGE, &error);
    }
    if (read_config(&serve->start, serve->given, &error) < 0
        || read_token(&serve->start, &error) < 0)
        return btk_exit_report(BTK_EXIT_FILE, &error);
    if (fill_options(&serve->start, coordinator, &error) < 0
        || btk_profile_wanted(getenv("BUDTIKTOK_PROFILE"), &coordinator->shows_profiles, &error)
               < 0)
        return btk_exit_report(BTK_EXIT_USAGE, &error);
    coordinator->reload = reload;
    coordinator->reload_context = serve;
    const int status = btk_coordinator_run(coordinator, &error);
    return status < 0 ? btk_exit_report_backend(status, &error) : BTK_EXIT_DONE;
}

int btk_command_serve(const struct btk_options *options)
{
    struct btk_error error;
    struct serve *const serve = calloc(1, sizeof *serve);
    struct btk_coordinator_options *const coordinator = calloc(1, sizeof *coordinator);
    int exit_status;
    if (serve && coordinator) {
        serve->given = options;
        exit_status = run(serve, coordinator);
    } else {
        btk_error_set(&error, ENOMEM, BTK_NO_OFFSET, "not enough memory");
        exit_status = btk_exit_report(BTK_EXIT_FILE, &error);
    }
    free(coordinator);
    free(serve);
    return exit_status;
}
