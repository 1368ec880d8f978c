// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/compile/format/folder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mapped_file.h"

#define BESIDE_BYTES_MAX ((uint64_t)64 << 20)

static const char *const tokenizer_names[] = {
    "tokenizer.json", "tekken.json",         "tokenizer.model",
    "spiece.model",   "sentencepiece.model", "sentencepiece.bpe.model",
    "source.spm",     "vocab.json",          "vocab.txt",
};

static int join(const char *folder, const char *name, char *out, size_t capacity,
                struct btk_error *error)
{
    const int length = snprintf(out, capacity, "%s/%s", folder, name);
    if (length >= 0 && (size_t)length < capacity) return 0;
    return btk_error_set(error, ENAMETOOLONG, BTK_NO_OFFSET, "%s: the name is too long", folder);
}

// A file that is not there is no failure.
static int read_beside(const char *folder, const char *name, struct btk_json **out_root,
                       struct btk_error *error)
{
    char path[sizeof((struct btk_format_folder *)0)->path];
    struct btk_mapped_file file;
    int status = join(folder, name, path, sizeof path, error);
    if (status < 0) return status;
    if (access(path, F_OK) != 0) return 0;
    status = btk_mapped_file_map(path, BESIDE_BYTES_MAX, &file, error);
    if (status < 0) return status;
    status = btk_json_parse((struct btk_bytes){file.data, file.length}, out_root, error);
    if (!status && btk_json_type(*out_root) != BTK_JSON_OBJECT)
        status = btk_error_set(error, EINVAL, BTK_NO_OFFSET, "is to be an object, but is %s",
                               btk_json_type_name(*out_root));
    btk_mapped_file_unmap(&file);
    return status < 0 ? btk_error_prefix(error, "%s", path) : 0;
}

static int choose(const char *path, struct btk_format_folder *folder, struct btk_error *error)
{
    for (size_t i = 0; i < BTK_ARRAY_COUNT(tokenizer_names); i++) {
        const int status = join(path, tokenizer_names[i], folder->path, sizeof folder->path, error);
        if (status < 0) return status;
        if (access(folder->path, F_OK) == 0) return 0;
    }
    return btk_error_set(error, ENOENT, BTK_NO_OFFSET,
                         "%s: no tokenizer in this folder; looked for tokenizer.json, tekken.json, "
                         "tokenizer.model, spiece.model, sentencepiece.model, "
                         "sentencepiece.bpe.model, source.spm, vocab.json (with merges.txt), "
                         "vocab.txt",
                         path);
}

int btk_format_folder_open(const char *path, struct btk_format_folder *out_folder,
                           struct btk_error *error)
{
    struct btk_format_folder folder = {.config = NULL};
    int status = choose(path, &folder, error);
    if (!status) status = read_beside(path, "tokenizer_config.json", &folder.config, error);
    if (!status) status = read_beside(path, "added_tokens.json", &folder.added, error);
    if (!status) status = read_beside(path, "special_tokens_map.json", &folder.special, error);
    if (status < 0)
        btk_format_folder_close(&folder);
    else
        *out_folder = folder;
    return status;
}

void btk_format_folder_close(struct btk_format_folder *folder)
{
    if (!folder) return;
    btk_json_free(folder->config);
    btk_json_free(folder->added);
    btk_json_free(folder->special);
    folder->config = folder->added = folder->special = NULL;
}

static bool is_set(const struct btk_json *config, const char *name, bool fallback)
{
    bool value = fallback;
    return btk_json_try_bool(btk_json_get(config, name), &value) ? value : fallback;
}

void btk_format_folder_options(const struct btk_format_folder *folder,
                               struct btk_format_options *options)
{
    const struct btk_json *const config = folder->config;
    bool strips;
    options->is_cased = !is_set(config, "do_lower_case", true);
    options->is_lowercased = is_set(config, "do_lower_case", false);
    options->keeps_chinese = !is_set(config, "tokenize_chinese_chars", true);
    options->adds_prefix_space = is_set(config, "add_prefix_space", false);
    if (btk_json_try_bool(btk_json_get(config, "strip_accents"), &strips))
        options->strip_accents = strips;
}

// --- Tokens that stand beside

struct added {
    struct btk_bytes text;
    bool single_word, lstrip, rstrip, normalized, special;
};

struct numbered {
    struct added token;
    int64_t id;
};

static int compare_numbered(const void *a, const void *b)
{
    const struct numbered *const left = a, *const right = b;
    return left->id < right->id ? -1 : left->id > right->id;
}

// A string, or an object with "content" and flags.
static bool try_token(const struct btk_json *value, bool is_special, struct added *out)
{
    *out = (struct added){.special = is_special, .normalized = !is_special};
    if (btk_json_try_string(value, &out->text)) return out->text.length != 0;
    if (!btk_json_try_string(btk_json_get(value, "content"), &out->text)) return false;
    out->single_word = is_set(value, "single_word", false);
    out->lstrip = is_set(value, "lstrip", false);
    out->rstrip = is_set(value, "rstrip", false);
    out->normalized = is_set(value, "normalized", !is_special);
    out->special = is_special || is_set(value, "special", false);
    return out->text.length != 0;
}

static bool try_id(struct btk_bytes name, int64_t *out_id)
{
    int64_t id = 0;
    if (!name.length || name.length > 9) return false;
    for (size_t i = 0; i < name.length; i++) {
        if (name.data[i] < '0' || name.data[i] > '9') return false;
        id = 10 * id + (name.data[i] - '0');
    }
    *out_id = id;
    return true;
}

static int collect_numbered(const struct btk_format_folder *folder, struct btk_buffer *out)
{
    struct numbered entry;
    void *cursor = NULL;
    struct btk_bytes name;
    const struct btk_json *value;
    const struct btk_json *const decoder = btk_json_get(folder->config, "added_tokens_decoder");
    while (btk_json_next(decoder, &cursor, &name, &value))
        if (try_id(name, &entry.id) && try_token(value, false, &entry.token)
            && btk_buffer_append(out, &entry, sizeof entry) < 0)
            return -ENOMEM;
    cursor = NULL;
    while (btk_json_next(folder->added, &cursor, &name, &value)) {
        entry.token = (struct added){.text = name, .normalized = true};
        if (name.length && btk_json_try_integer(value, &entry.id)
            && btk_buffer_append(out, &entry, sizeof entry) < 0)
            return -ENOMEM;
    }
    if (out->length) qsort(out->data, out->length / sizeof entry, sizeof entry, compare_numbered);
    return 0;
}

// In the order in which transformers has them.
static const char *const special_names[] = {"bos_token", "eos_token", "unk_token", "sep_token",
                                            "pad_token", "cls_token", "mask_token"};

static int append_special(const struct btk_json *value, struct btk_buffer *out)
{
    struct numbered entry = {.id = INT64_MAX};
    if (!try_token(value, true, &entry.token)) return 0;
    return btk_buffer_append(out, &entry, sizeof entry);
}

static int collect_special(const struct btk_format_folder *folder, struct btk_buffer *out)
{
    int status = 0;
    for (size_t i = 0; i < BTK_ARRAY_COUNT(special_names) && !status; i++) {
        const struct btk_json *value = btk_json_get(folder->special, special_names[i]);
        if (btk_json_is_null(value)) value = btk_json_get(folder->config, special_names[i]);
        status = append_special(value, out);
    }
    const struct btk_json *more = btk_json_get(folder->special, "additional_special_tokens");
    if (btk_json_is_null(more)) more = btk_json_get(folder->config, "additional_special_tokens");
    for (size_t i = 0; i < btk_json_count(more) && !status; i++)
        status = append_special(btk_json_at(more, i), out);
    return status;
}

static void write_flag(struct btk_json_writer *writer, const char *name, bool is_set)
{
    btk_json_name(writer, name);
    btk_json_bool(writer, is_set);
}

static void write_token(struct btk_json_writer *writer, const struct added *token)
{
    btk_json_begin_object(writer);
    btk_json_name(writer, "content");
    btk_json_text(writer, token->text);
    write_flag(writer, "single_word", token->single_word);
    write_flag(writer, "lstrip", token->lstrip);
    write_flag(writer, "rstrip", token->rstrip);
    write_flag(writer, "normalized", token->normalized);
    write_flag(writer, "special", token->special);
    btk_json_end_object(writer);
}

int btk_format_folder_write_added(const struct btk_format_folder *folder,
                                  struct btk_buffer *out_json)
{
    struct btk_json_writer writer;
    struct btk_buffer all;
    btk_buffer_init(&all);
    btk_json_writer_init(&writer, out_json);
    int status = collect_numbered(folder, &all);
    if (!status) status = collect_special(folder, &all);
    const struct numbered *const entries = (const void *)all.data;
    btk_json_begin_array(&writer);
    for (size_t i = 0; !status && i < all.length / sizeof *entries; i++)
        write_token(&writer, &entries[i].token);
    btk_json_end_array(&writer);
    btk_buffer_clear(&all);
    return status < 0 ? status : writer.status;
}
