// SPDX-License-Identifier: Apache-2.0
// What the readers of the four lists of components share.
#include "tokenizer/compile/compiler.h"

int btk_compiler_flag(struct btk_compiler *compiler, const struct btk_json *object,
                      const char *place, const char *name, uint32_t flag)
{
    bool value = true;
    const int status = btk_compiler_bool(compiler, object, place, name, &value);
    if (!status && value) compiler->config.flags |= flag;
    return status;
}

int btk_compiler_add_step(struct btk_compiler *compiler, enum btk_section section,
                          struct btk_step step, struct btk_bytes data)
{
    static const uint8_t zeros[8];
    struct btk_buffer *const blob = &compiler->sections[BTK_SECTION_STEP_DATA];
    const size_t padding = btk_align_up(blob->length, 8) - blob->length;
    if (blob->length + padding + data.length > INT32_MAX)
        return btk_compiler_refuse(compiler, "the file", "its components have more than 2 GiB");
    if (btk_buffer_append(blob, zeros, padding) < 0) return btk_compiler_no_memory(compiler);
    step.data_begin = (uint32_t)blob->length;
    step.data_bytes = (uint32_t)data.length;
    if (btk_buffer_append(blob, data.data, data.length) < 0
        || btk_buffer_append(&compiler->sections[section], &step, sizeof step) < 0)
        return btk_compiler_no_memory(compiler);
    if (compiler->sections[section].length > BTK_STEP_LIMIT * sizeof step)
        return btk_compiler_refuse(compiler, "the file", "has a list of more than %u components",
                                   BTK_STEP_LIMIT);
    return 0;
}
