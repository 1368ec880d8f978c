// SPDX-License-Identifier: Apache-2.0
#include "worker/options_table.h"

#include <errno.h>
#include <stdlib.h>

static uint32_t place_of(uint32_t options_id)
{
    return (options_id - 1) % BTK_OPTIONS_PLACES;
}

// Ids begin again some time.
static bool is_newer(uint32_t options_id, uint32_t than)
{
    return options_id != than && options_id - than < UINT32_MAX / 2;
}

int btk_options_table_define(struct btk_options_table *table,
                             const struct btk_control_define_options *definition,
                             struct btk_error *error)
{
    struct btk_defined_options **const place = table->places + place_of(definition->options_id);
    struct btk_batch_options options;
    const int rc = btk_batch_options_read(definition->options, &options, error);
    if (rc != 0) return rc;
    if (*place != NULL && !is_newer(definition->options_id, (*place)->options_id)) return 0;
    if (*place == NULL) *place = malloc(sizeof **place);
    if (*place == NULL) return btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "options: no memory");
    **place = (struct btk_defined_options){
        .options_id = definition->options_id,
        .tokenizer_id = definition->tokenizer_id,
        .options = options,
    };
    return 0;
}

const struct btk_defined_options *btk_options_table_find(const struct btk_options_table *table,
                                                         uint32_t options_id)
{
    const struct btk_defined_options *const options = table->places[place_of(options_id)];
    return options != NULL && options->options_id == options_id ? options : NULL;
}

static void forget(struct btk_options_table *table, uint32_t place)
{
    free(table->places[place]);
    table->places[place] = NULL;
}

void btk_options_table_forget(struct btk_options_table *table, uint32_t tokenizer_id)
{
    for (uint32_t i = 0; i < BTK_OPTIONS_PLACES; i++)
        if (table->places[i] != NULL && table->places[i]->tokenizer_id == tokenizer_id)
            forget(table, i);
}

void btk_options_table_clear(struct btk_options_table *table)
{
    for (uint32_t i = 0; i < BTK_OPTIONS_PLACES; i++) forget(table, i);
}
