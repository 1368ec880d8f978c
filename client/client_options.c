// SPDX-License-Identifier: Apache-2.0
// What callers register: checked here, told to the coordinator once for each combination, and told
// again to the next one when it is another.
#include <errno.h>
#include <string.h>

#include "client/client_internal.h"
#include "common/clock.h"

static int check_source(const char *name, uint8_t source, struct btk_error_info *error)
{
    if (source <= BTK_OPTION_IS_CONFIGURED) return 0;
    return btk_client_fail(error, EINVAL, "%s_source %u: expected an enum btk_option_source", name,
                           source);
}

static int check_truncation(const struct btk_client_request_options *request,
                            struct btk_error_info *error)
{
    const struct btk_truncation *truncation = &request->truncation;
    if (request->truncation_source != BTK_OPTION_IS_GIVEN)
        return check_source("truncation", request->truncation_source, error);
    if (truncation->strategy > BTK_TRUNCATE_ONLY_SECOND
        || truncation->direction > BTK_DIRECTION_LEFT)
        return btk_client_fail(error, EINVAL, "truncation: unknown strategy %u or direction %u",
                               truncation->strategy, truncation->direction);
    return 0;
}

static int check_padding(const struct btk_client_request_options *request,
                         struct btk_error_info *error)
{
    const struct btk_padding *padding = &request->padding;
    if (request->padding_source != BTK_OPTION_IS_GIVEN)
        return check_source("padding", request->padding_source, error);
    if (padding->direction > BTK_DIRECTION_LEFT)
        return btk_client_fail(error, EINVAL, "padding: unknown direction %u", padding->direction);
    if (padding->token_bytes > BTK_PAD_TOKEN_BYTES_MAX
        || (padding->token == NULL && padding->token_bytes > 0))
        return btk_client_fail(error, EINVAL,
                               "padding: a token of %zu bytes: expected at most %d and a pointer",
                               padding->token_bytes, BTK_PAD_TOKEN_BYTES_MAX);
    return 0;
}

static uint32_t flags_of(const struct btk_client_request_options *request)
{
    uint32_t flags = 0;
    if (request->add_special_tokens) flags |= BTK_OPTIONS_ADD_SPECIAL_TOKENS;
    if (request->skip_special_tokens) flags |= BTK_OPTIONS_SKIP_SPECIAL_TOKENS;
    if (request->offsets_unit == BTK_OFFSETS_BYTE) flags |= BTK_OPTIONS_OFFSETS_BYTE;
    if (request->invalid_utf8 == BTK_INVALID_UTF8_REPLACE) flags |= BTK_OPTIONS_UTF8_REPLACE;
    if (request->is_grouped) flags |= BTK_OPTIONS_GROUPED;
    return flags;
}

// The request as it is sent.
static int write_options(const struct btk_client_request_options *request,
                         struct btk_batch_options *out_options, struct btk_error_info *error)
{
    struct btk_batch_options options = {
        .op = request->operation, .fields = request->fields, .flags = flags_of(request)};
    struct btk_error why;
    int rc = 0;
    if (request->operation == BTK_OPERATION_ENCODE) {
        rc = check_truncation(request, error);
        if (rc == 0) rc = check_padding(request, error);
        if (rc != 0) return rc;
        btk_batch_options_set_special_text(&options, request->special_text);
        btk_batch_options_set_truncation(&options, request->truncation_source,
                                         &request->truncation);
        btk_batch_options_set_padding(&options, request->padding_source, &request->padding);
    }
    rc = btk_batch_options_read(btk_batch_options_bytes(&options), out_options, &why);
    return rc == 0 ? 0 : btk_client_fail(error, EINVAL, "%s", why.message);
}

static int define(struct btk_client *client, struct btk_client_options_entry *entry,
                  struct btk_error_info *error)
{
    struct btk_error why = {0};
    const uint64_t deadline_ns = btk_clock_now_ns() + client->timeout_ns;
    int rc = btk_client_session_define(client, entry, deadline_ns, &why);
    if (rc == -ECONNRESET) {
        rc = btk_client_session_recover(client, &why);
        if (rc == 0) rc = btk_client_session_define(client, entry, deadline_ns, &why);
    }
    return rc == 0 ? 0 : btk_client_export_error(error, &why);
}

// The entry of the same request, or one that is free; options_count: there is none yet.
static uint32_t choose_entry(const struct btk_client *client, const char *tokenizer,
                             const struct btk_batch_options *options)
{
    uint32_t free_entry = client->options_count;
    for (uint32_t i = 0; i < client->options_count; i++) {
        const struct btk_client_options_entry *entry = client->options + i;
        if (!entry->is_registered)
            free_entry = i;
        else if (strcmp(entry->tokenizer, tokenizer) == 0
                 && btk_batch_options_equal(&entry->options, options))
            return i;
    }
    return free_entry;
}

int btk_client_register(struct btk_client *client, const char *tokenizer,
                        const struct btk_client_request_options *options, uint32_t *out_options_id,
                        struct btk_error_info *error)
{
    struct btk_client_options_entry wanted = {0};
    if (tokenizer == NULL) tokenizer = "";
    if (strlen(tokenizer) >= BTK_CONTROL_NAME_MAX)
        return btk_client_fail(error, EINVAL, "tokenizer: its name is too long");
    int rc = write_options(options, &wanted.options, error);
    if (rc != 0) return rc;
    const uint32_t place = choose_entry(client, tokenizer, &wanted.options);
    if (place == BTK_CLIENT_OPTIONS_MAX)
        return btk_client_fail(error, ENOSPC, "more than %d registered requests",
                               BTK_CLIENT_OPTIONS_MAX);
    struct btk_client_options_entry *entry = client->options + place;
    if (!entry->is_registered) {
        strcpy(wanted.tokenizer, tokenizer);
        rc = define(client, &wanted, error);
        if (rc != 0) return rc;
        wanted.is_registered = true;
        *entry = wanted;
        if (place == client->options_count) client->options_count++;
    }
    *out_options_id = place + 1;
    return 0;
}

// Names of the same tokenizer have the same id at the coordinator, which holds it once.
static bool is_shared(const struct btk_client *client, const struct btk_client_options_entry *entry)
{
    for (uint32_t i = 0; i < client->options_count; i++) {
        const struct btk_client_options_entry *other = client->options + i;
        if (other != entry && other->is_registered && other->server_id == entry->server_id)
            return true;
    }
    return false;
}

static bool is_in_flight(const struct btk_client *client, uint32_t options_id)
{
    for (uint32_t i = 0; i < BTK_CLIENT_FLIGHT_SLOTS; i++)
        if (client->flight[i] != NULL && client->flight[i]->options_id == options_id) return true;
    return false;
}

int btk_client_unregister(struct btk_client *client, uint32_t options_id)
{
    if (!btk_client_options_are_registered(client, options_id)) return -EINVAL;
    if (is_in_flight(client, options_id)) return -EBUSY;
    struct btk_client_options_entry *entry = client->options + options_id - 1;
    const struct btk_control_message message = {
        .kind = BTK_CONTROL_RELEASE_OPTIONS,
        .release_options = {.options_id = entry->server_id},
    };
    // A coordinator that does not hear it has forgotten the client anyhow.
    if (client->is_connected && !is_shared(client, entry)
        && btk_connection_send(&client->connection, &message, NULL, 0) != 0)
        errno = 0;
    *entry = (struct btk_client_options_entry){0};
    return 0;
}

bool btk_client_options_are_registered(const struct btk_client *client, uint32_t options_id)
{
    return options_id > 0 && options_id <= client->options_count
           && client->options[options_id - 1].is_registered;
}
