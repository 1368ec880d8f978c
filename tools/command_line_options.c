// SPDX-License-Identifier: Apache-2.0
#include "tools/command_line_options.h"

#include <errno.h>
#include <string.h>

// One option that is a member of a request's "options", as JSON.
static int read_member(struct btk_request_options *options, const struct btk_options *command_line,
                       enum btk_option option, const char *spelling, struct btk_error *error)
{
    const char *const text = command_line->values[option];
    struct btk_json *json = NULL;
    if (!text) return 0;
    const struct btk_bytes bytes = {(const uint8_t *)text, strlen(text)};
    const struct btk_bytes name = {(const uint8_t *)spelling, strlen(spelling)};
    int status = btk_json_parse(bytes, &json, error);
    if (!status) status = btk_request_options_read_member(options, name, json, error);
    btk_json_free(json);
    if (!status) return 0;
    error->code = EINVAL;
    return btk_error_prefix(error, "--%s", spelling);
}

int btk_command_line_options_read(struct btk_request_options *options,
                                  const struct btk_options *command_line, struct btk_error *error)
{
    options->add_special_tokens = !btk_options_has(command_line, BTK_OPTION_no_special_tokens);
    if (btk_options_has(command_line, BTK_OPTION_as_configured))
        btk_request_options_use_configured(options);
    unsigned special_text = 0;
    int status = btk_options_choice(command_line, BTK_OPTION_special_text,
                                    btk_request_special_texts, &special_text, error);
    options->special_text = (uint8_t)special_text;
    if (!status)
        status = read_member(options, command_line, BTK_OPTION_truncation, "truncation", error);
    if (!status) status = read_member(options, command_line, BTK_OPTION_padding, "padding", error);
    return status;
}
