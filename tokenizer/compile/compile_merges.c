// SPDX-License-Identifier: Apache-2.0
// model.merges of BPE, as pairs of ids.
#include <string.h>

#include "tokenizer/compile/compiler.h"

// What turns the entries of the array into merges.
struct reader {
    struct btk_compiler *compiler;
    struct btk_buffer joined;
    bool is_text; // "left right", or else ["left", "right"]
};

static int refuse_merge(struct btk_compiler *compiler, size_t index, const char *what)
{
    return btk_compiler_refuse(compiler, "model.merges", "entry %zu %s", index, what);
}

static bool try_split_merge(const struct reader *reader, const struct btk_json *merge,
                            struct btk_bytes *out_left, struct btk_bytes *out_right)
{
    struct btk_bytes text;
    if (!reader->is_text)
        return btk_json_count(merge) == 2 && btk_json_try_string(btk_json_at(merge, 0), out_left)
               && btk_json_try_string(btk_json_at(merge, 1), out_right);
    if (!btk_json_try_string(merge, &text)) return false;
    const uint8_t *const space = text.length ? memchr(text.data, ' ', text.length) : NULL;
    if (!space) return false;
    const size_t left_bytes = (size_t)(space - text.data);
    *out_left = (struct btk_bytes){text.data, left_bytes};
    *out_right = (struct btk_bytes){space + 1, text.length - left_bytes - 1};
    return !out_right->length || !memchr(out_right->data, ' ', out_right->length);
}

// A line of merges.txt that is no merge.
static bool is_version(const struct btk_json *merge)
{
    struct btk_bytes text;
    return btk_json_try_string(merge, &text) && text.length >= 8
           && memcmp(text.data, "#version", 8) == 0;
}

// The token that a merge gives: what is behind the prefix of the right part follows the left one.
static int find_joined(struct reader *reader, struct btk_bytes left, struct btk_bytes right,
                       uint32_t *out_id)
{
    struct btk_compiler *const compiler = reader->compiler;
    const size_t prefix_bytes = compiler->prefix.length;
    *out_id = BTK_NO_TOKEN;
    if (right.length < prefix_bytes) return 0;
    if (right.length == prefix_bytes) compiler->config.model_flags |= BTK_MODEL_KEEPS_STALE;
    reader->joined.length = 0;
    if (btk_buffer_append(&reader->joined, left.data, left.length) < 0
        || btk_buffer_append(&reader->joined, right.data + prefix_bytes,
                             right.length - prefix_bytes)
               < 0)
        return btk_compiler_no_memory(compiler);
    *out_id = btk_compiler_find_model_token(
        compiler, (struct btk_bytes){reader->joined.data, reader->joined.length});
    return 0;
}

static int read_merge(struct reader *reader, const struct btk_json *merge, size_t index)
{
    struct btk_compiler *const compiler = reader->compiler;
    struct btk_bytes left, right;
    if (reader->is_text && is_version(merge)) return 0;
    if (!try_split_merge(reader, merge, &left, &right))
        return refuse_merge(compiler, index,
                            reader->is_text ? "is to be two tokens with a space between"
                                            : "is to be an array of two tokens");
    const uint32_t left_id = btk_compiler_find_model_token(compiler, left);
    const uint32_t right_id = btk_compiler_find_model_token(compiler, right);
    if (left_id == BTK_NO_TOKEN || right_id == BTK_NO_TOKEN)
        return refuse_merge(compiler, index, "names a token that is not in the vocabulary");
    uint32_t id = BTK_NO_TOKEN;
    const int status = find_joined(reader, left, right, &id);
    if (status < 0) return status;
    if (id == BTK_NO_TOKEN)
        return refuse_merge(compiler, index, "gives a token that is not in the vocabulary");
    compiler->merges[compiler->merge_count] =
        (struct btk_merge_slot){(uint64_t)left_id << 32 | right_id, compiler->merge_count, id};
    compiler->merge_count++;
    return 0;
}

int btk_compile_read_merges(struct btk_compiler *compiler, const struct btk_json *merges)
{
    if (compiler->format && compiler->format->merges) {
        compiler->merges = compiler->format->merges;
        compiler->merge_count = (uint32_t)compiler->format->merge_count;
        return 0;
    }
    if (btk_json_type(merges) != BTK_JSON_ARRAY)
        return btk_compiler_refuse(compiler, "model.merges", "is to be an array, but is %s",
                                   merges ? btk_json_type_name(merges) : "missing");
    const size_t count = btk_json_count(merges);
    if (count > BTK_MERGE_LIMIT) return refuse_merge(compiler, count, "is one too many");
    compiler->merges = btk_arena_allocate(&compiler->arena, (count + 1) * sizeof *compiler->merges);
    if (!compiler->merges) return btk_compiler_no_memory(compiler);
    compiler->merge_count = 0;
    struct reader reader = {.compiler = compiler,
                            .is_text = btk_json_type(btk_json_at(merges, 0)) == BTK_JSON_STRING};
    btk_buffer_init(&reader.joined);
    int status = 0;
    for (size_t i = 0; i < count && !status; i++)
        status = read_merge(&reader, btk_json_at(merges, i), i);
    btk_buffer_clear(&reader.joined);
    return status;
}
