// SPDX-License-Identifier: Apache-2.0
// From a path to an image: what it is, who reads it, what stands beside it.
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/json.h"
#include "common/mapped_file.h"
#include "common/uninstrumented.h"
#include "tokenizer/compile/compile.h"
#include "tokenizer/compile/format/folder.h"
#include "tokenizer/compile/format/format.h"
#include "tokenizer/compile/format/sniff.h"
#include "tokenizer/image.h"

// One tokenizer on its way.
struct job {
    const char *path;
    struct btk_bytes file;
    struct btk_format_options options;
    const struct btk_json *more_added;
    struct btk_arena arena;
    struct btk_format format;
    struct btk_buffer *out_image;
    struct btk_error *error;
};

static int refuse(const struct job *job, const char *what)
{
    return btk_error_set(job->error, EINVAL, BTK_NO_OFFSET, "%s", what);
}

static int compile_root(struct job *job, const struct btk_json *root, bool has_format)
{
    const struct btk_compile_document document = {
        .root = root, .format = has_format ? &job->format : NULL, .more_added = job->more_added};
    return btk_compile_document(&document, job->out_image, job->error);
}

// What a reader understood stands in the frame, and beside it.
static int compile_format(struct job *job)
{
    struct btk_json *frame = NULL;
    const struct btk_bytes text = {job->format.frame.data, job->format.frame.length};
    int status = btk_json_parse(text, &frame, job->error);
    if (status < 0) return status;
    status = compile_root(job, frame, job->format.token_count > 0);
    btk_json_free(frame);
    return status;
}

// --- JSON: three formats

static bool is_vocabulary(const struct btk_json *root)
{
    void *cursor = NULL;
    struct btk_bytes name;
    const struct btk_json *value;
    return btk_json_next(root, &cursor, &name, &value) && btk_json_type(value) == BTK_JSON_INTEGER;
}

// merges.txt stands in the same folder.
static int read_vocabulary(struct job *job)
{
    char path[4096];
    const char *const slash = strrchr(job->path, '/');
    const int folder_bytes = slash ? (int)(slash + 1 - job->path) : 0;
    const int length = snprintf(path, sizeof path, "%.*smerges.txt", folder_bytes, job->path);
    if (length < 0 || (size_t)length >= sizeof path) return refuse(job, "the name is too long");
    struct btk_mapped_file merges;
    int status = btk_mapped_file_map(path, BTK_TOKENIZER_FILE_BYTES_MAX, &merges, job->error);
    if (status < 0)
        return btk_error_prefix(job->error, "a vocabulary, which needs merges.txt beside it");
    status = btk_format_read_vocabulary_json(
        &job->format, job->file, (struct btk_bytes){merges.data, merges.length}, &job->options);
    btk_mapped_file_unmap(&merges);
    return status < 0 ? status : compile_format(job);
}

static int compile_any_json(struct job *job)
{
    struct btk_json *root = NULL;
    int status = btk_json_parse(job->file, &root, job->error);
    if (status < 0) return status;
    if (btk_format_is_tekken(root)) {
        status = btk_format_read_tekken(&job->format, root);
        if (!status) status = compile_format(job);
    } else if (is_vocabulary(root)) {
        status = read_vocabulary(job);
    } else {
        status = compile_root(job, root, false);
    }
    btk_json_free(root);
    return status;
}

// --- The others

static int compile_image_file(struct job *job)
{
    const int status = btk_image_verify(job->file.data, job->file.length, job->error);
    if (status < 0) return status;
    if (btk_buffer_append(job->out_image, job->file.data, job->file.length) < 0)
        return btk_error_set(job->error, ENOMEM, BTK_NO_OFFSET, "not enough memory");
    return 0;
}

static int compile_by_kind(struct job *job)
{
    int status;
    if (!job->file.length) return refuse(job, "not a tokenizer: there is nothing in it");
    switch (btk_sniff_file(job->file)) {
    case BTK_FILE_JSON: return compile_any_json(job);
    case BTK_FILE_TIKTOKEN:
        status = btk_format_read_tiktoken(&job->format, job->file, &job->options);
        break;
    case BTK_FILE_SENTENCEPIECE:
        status = btk_format_read_sentencepiece(&job->format, job->file);
        break;
    case BTK_FILE_TEXT:
        status = btk_format_read_vocabulary_text(&job->format, job->file, &job->options);
        break;
    case BTK_FILE_GGUF: status = btk_format_read_gguf(&job->format, job->file); break;
    default:
        return refuse(job, "not a tokenizer: neither JSON, nor .tiktoken, nor a SentencePiece "
                           "model, nor a vocabulary, nor an image");
    }
    return status < 0 ? status : compile_format(job);
}

static int compile_bytes(struct job *job)
{
    uint64_t magic = 0;
    if (job->file.length >= sizeof magic) memcpy(&magic, job->file.data, sizeof magic);
    if (magic == BTK_IMAGE_MAGIC) return compile_image_file(job);
    btk_arena_init(&job->arena);
    job->format = (struct btk_format){.arena = &job->arena, .error = job->error};
    const int status = compile_by_kind(job);
    btk_format_clear(&job->format);
    btk_arena_clear(&job->arena);
    return status;
}

// Of a/b.tiktoken: b.
static struct btk_bytes bare_name(const char *path)
{
    const char *const slash = strrchr(path, '/');
    const char *const name = slash ? slash + 1 : path;
    const char *const dot = strrchr(name, '.');
    const size_t length = dot && dot != name ? (size_t)(dot - name) : strlen(name);
    return (struct btk_bytes){(const uint8_t *)name, length};
}

// Of a model only the head is read, and it may be far larger than a tokenizer.
static int map_file(const struct job *job, struct btk_mapped_file *out_file)
{
    if (btk_mapped_file_begins_with(job->path, "GGUF"))
        return btk_mapped_file_map_lazily(job->path, out_file, job->error);
    return btk_mapped_file_map(job->path, BTK_TOKENIZER_FILE_BYTES_MAX, out_file, job->error);
}

static int compile_file(struct job *job)
{
    struct btk_mapped_file file;
    int status = map_file(job, &file);
    if (status < 0) return status; // it says the path
    job->file = (struct btk_bytes){file.data, file.length};
    job->options.name = bare_name(job->path);
    status = compile_bytes(job);
    btk_mapped_file_unmap(&file);
    return status < 0 ? btk_error_prefix(job->error, "%s", job->path) : 0;
}

// --- Folders

static int compile_in_folder(struct job *job, const struct btk_format_folder *folder)
{
    struct btk_buffer text;
    struct btk_json *added = NULL;
    btk_buffer_init(&text);
    int status = btk_format_folder_write_added(folder, &text);
    if (status < 0)
        status = btk_error_set(job->error, ENOMEM, BTK_NO_OFFSET, "not enough memory");
    else
        status = btk_json_parse((struct btk_bytes){text.data, text.length}, &added, job->error);
    if (!status) {
        job->path = folder->path;
        job->more_added = added;
        btk_format_folder_options(folder, &job->options);
        status = compile_file(job);
    }
    btk_json_free(added);
    btk_buffer_clear(&text);
    return status;
}

static int compile_folder(struct job *job)
{
    struct btk_format_folder folder;
    int status = btk_format_folder_open(job->path, &folder, job->error);
    if (status < 0) return status;
    status = compile_in_folder(job, &folder);
    btk_format_folder_close(&folder);
    return status;
}

int btk_compile_path(const char *path, const struct btk_compile_options *options,
                     struct btk_buffer *out_image, struct btk_error *error)
{
    struct stat about;
    struct job job = {
        .path = path, .options = {.strip_accents = -1}, .out_image = out_image, .error = error};
    if (options) {
        job.options.pattern = options->pattern;
        job.options.specials = options->specials;
        job.options.special_count = options->special_count;
    }
    const bool is_there = stat(path, &about) == 0;
    btk_library_wrote(&about, sizeof about);
    return is_there && S_ISDIR(about.st_mode) ? compile_folder(&job) : compile_file(&job);
}
