// SPDX-License-Identifier: Apache-2.0
// Values in arrays of the arena: the children of a container stand together. Names and strings are
// in a copy of the text, where escapes are replaced on the spot: what they stand for is shorter.
#include "common/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/buffer.h"
#include "common/hash.h"
#include "common/json_number.h"
#include "common/utf8.h"

enum {
    DEPTH_MAX = 127, // of the reference's reader
};

struct btk_json {
    union {
        const uint8_t *text;
        const struct btk_json *children; // of an object: names and values in turn
        int64_t integer;
        double real;
        bool flag;
    } is;
    uint32_t count; // bytes of a string; members
    uint32_t type;  // enum btk_json_type
};

struct document {
    struct btk_json root; // first: it is what the caller holds
    uint8_t *text;
    struct btk_arena arena;
};

struct container {
    size_t first; // its first child on the stack
    bool is_object;
};

struct parser {
    struct document *document;
    uint8_t *at;
    const uint8_t *end;
    struct btk_buffer stack; // of values whose container is not read to its end
    struct container containers[DEPTH_MAX];
    unsigned depth;
    const char *wrong; // NULL: nothing; no_memory
};

static const char no_memory[] = "not enough memory";
static const char too_early[] = "it ends too early";
static const char half_a_pair[] = "half of a surrogate pair";
static const char not_utf8[] = "not UTF-8";

static bool fail(struct parser *parser, const char *wrong)
{
    parser->wrong = parser->at >= parser->end && wrong != no_memory ? too_early : wrong;
    return false;
}

static bool push(struct parser *parser, struct btk_json value)
{
    if (btk_buffer_append(&parser->stack, &value, sizeof value) < 0) return fail(parser, no_memory);
    return true;
}

static void skip_space(struct parser *parser)
{
    while (*parser->at == ' ' || *parser->at == '\n' || *parser->at == '\t' || *parser->at == '\r')
        parser->at++;
}

// --- Strings

static int hex_digit(uint8_t byte)
{
    if (byte >= '0' && byte <= '9') return byte - '0';
    const uint8_t lower = byte | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// Four digits; the text ends with a NUL, so none is read behind it.
static bool try_hex(const uint8_t *text, uint32_t *out_value)
{
    *out_value = 0;
    for (unsigned i = 0; i < 4; i++) {
        const int digit = hex_digit(text[i]);
        if (digit < 0) return false;
        *out_value = *out_value << 4 | (uint32_t)digit;
    }
    return true;
}

// \uXXXX, or two of them for one character; parser->at is at the first digit.
static bool try_code_point(struct parser *parser, uint32_t *out_value)
{
    uint32_t low;
    if (!try_hex(parser->at, out_value)) return fail(parser, "\\u is to have four digits");
    if (*out_value < 0xd800 || *out_value > 0xdfff) {
        parser->at += 4;
        return true;
    }
    if (*out_value > 0xdbff || parser->at[4] != '\\' || parser->at[5] != 'u'
        || !try_hex(parser->at + 6, &low) || low < 0xdc00 || low > 0xdfff)
        return fail(parser, half_a_pair);
    *out_value = 0x10000 + ((*out_value & 0x3ff) << 10 | (low & 0x3ff));
    parser->at += 10;
    return true;
}

// parser->at is at the backslash; *out grows by what it stands for.
static bool read_escape(struct parser *parser, uint8_t **out)
{
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    const uint8_t letter = parser->at[1];
    if (letter == 'u') {
        uint32_t code_point;
        uint8_t encoded[4];
        parser->at += 2;
        if (!try_code_point(parser, &code_point)) return false;
        const size_t length = btk_utf8_encode(code_point, encoded);
        memcpy(*out, encoded, length);
        *out += length;
        return true;
    }
    const char *const found = letter ? strchr(letters, letter) : NULL;
    if (!found) return fail(parser, "an escape that there is not");
    *(*out)++ = (uint8_t)meanings[found - letters];
    parser->at += 2;
    return true;
}

// Has one of eight bytes to be looked at: a quote, a backslash, a control character, no ASCII?
static bool is_special(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), highs = ones << 7;
    const uint64_t quote = word ^ ones * '"', backslash = word ^ ones * '\\';
    return ((word - ones * 0x20) | (quote - ones) | (backslash - ones) | word) & highs;
}

static void skip_plain(struct parser *parser)
{
    uint64_t word;
    while (parser->end - parser->at >= 8) {
        memcpy(&word, parser->at, sizeof word);
        if (is_special(word)) break;
        parser->at += 8;
    }
    while (*parser->at >= 0x20 && *parser->at < 0x80 && *parser->at != '"' && *parser->at != '\\')
        parser->at++;
}

// The text from parser->at on to the next byte that ends a stretch without escapes.
static bool skip_stretch(struct parser *parser)
{
    for (;;) {
        skip_plain(parser);
        if (*parser->at < 0x80) return true;
        size_t skip;
        const size_t length = btk_utf8_check(parser->at, (size_t)(parser->end - parser->at), &skip);
        if (!length) return fail(parser, not_utf8);
        parser->at += length;
    }
}

// parser->at is at the opening quote.
static bool read_string(struct parser *parser)
{
    if (*parser->at != '"') return fail(parser, "a name in quotes is missing");
    uint8_t *const begin = ++parser->at;
    uint8_t *out = begin;
    for (;;) {
        const uint8_t *const stretch = parser->at;
        if (!skip_stretch(parser)) return false;
        const size_t length = (size_t)(parser->at - stretch);
        if (out != stretch) memmove(out, stretch, length);
        out += length;
        if (*parser->at == '"') break;
        if (*parser->at != '\\') return fail(parser, "a control character in a string");
        if (!read_escape(parser, &out)) return false;
    }
    parser->at++;
    const struct btk_json value = {
        .is.text = begin, .count = (uint32_t)(out - begin), .type = BTK_JSON_STRING};
    return push(parser, value);
}

// --- Objects: of two members with one name the last one counts

static bool names_are_equal(const struct btk_json *a, const struct btk_json *b)
{
    return a->count == b->count && memcmp(a->is.text, b->is.text, a->count) == 0;
}

// The slot of a name: empty (0), or 1 + the number of the member that has it.
static uint32_t *find_name(uint32_t *slots, uint64_t mask, const struct btk_json *pairs,
                           const struct btk_json *name)
{
    for (uint64_t at = btk_hash_xxh3(name->is.text, name->count, 0);; at++) {
        uint32_t *const slot = &slots[at & mask];
        if (!*slot || names_are_equal(&pairs[2 * (*slot - 1)], name)) return slot;
    }
}

// Returns the count of members with different names, which it moves to the front; 0: no memory.
static size_t keep_last(struct btk_json *pairs, size_t count)
{
    uint64_t slot_count = 16;
    while (slot_count < 2 * count) slot_count *= 2;
    uint32_t *const slots = calloc(slot_count, sizeof *slots);
    if (!slots) return 0;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t *const slot = find_name(slots, slot_count - 1, pairs, &pairs[2 * i]);
        if (!*slot) *slot = (uint32_t)++kept;
        memmove(&pairs[2 * (*slot - 1)], &pairs[2 * i], 2 * sizeof *pairs);
    }
    free(slots);
    return kept;
}

// --- Containers

static bool open_container(struct parser *parser, bool is_object)
{
    if (parser->depth == DEPTH_MAX) return fail(parser, "too deep");
    parser->containers[parser->depth++] = (struct container){
        .first = parser->stack.length / sizeof(struct btk_json), .is_object = is_object};
    parser->at++;
    return true;
}

// The children move from the stack to a place of their own.
static bool close_container(struct parser *parser)
{
    const struct container container = parser->containers[--parser->depth];
    struct btk_json *const values = (struct btk_json *)(void *)parser->stack.data;
    struct btk_json *const children = values ? values + container.first : NULL;
    size_t count = parser->stack.length / sizeof *values - container.first;
    if (container.is_object && count) {
        count = 2 * keep_last(children, count / 2);
        if (!count) return fail(parser, no_memory);
    }
    struct btk_json value = {.type = container.is_object ? BTK_JSON_OBJECT : BTK_JSON_ARRAY,
                             .count = (uint32_t)(container.is_object ? count / 2 : count)};
    if (count) {
        struct btk_json *const kept =
            btk_arena_allocate(&parser->document->arena, count * sizeof *kept);
        if (!kept) return fail(parser, no_memory);
        memcpy(kept, children, count * sizeof *kept);
        value.is.children = kept;
    }
    parser->stack.length = container.first * sizeof *values;
    parser->at++;
    return push(parser, value);
}

// --- Values

static bool read_number(struct parser *parser)
{
    struct btk_json_number number;
    const uint8_t *at = parser->at;
    const char *const wrong = btk_json_number_read(&at, &number);
    parser->at += at - parser->at;
    if (wrong) return fail(parser, wrong);
    struct btk_json value = {.is.real = number.real, .type = BTK_JSON_REAL};
    if (number.kind == BTK_JSON_NUMBER_INTEGER)
        value = (struct btk_json){.is.integer = number.integer, .type = BTK_JSON_INTEGER};
    return push(parser, value);
}

static bool read_word(struct parser *parser)
{
    static const struct {
        const char *word;
        struct btk_json value;
    } words[] = {
        {"true", {.is.flag = true, .type = BTK_JSON_BOOL}},
        {"false", {.is.flag = false, .type = BTK_JSON_BOOL}},
        {"null", {.type = BTK_JSON_NULL}},
    };
    for (size_t i = 0; i < BTK_ARRAY_COUNT(words); i++) {
        const size_t length = strlen(words[i].word);
        if (strncmp((const char *)parser->at, words[i].word, length) != 0) continue;
        parser->at += length;
        return push(parser, words[i].value);
    }
    return fail(parser, "a value is missing");
}

static bool read_name(struct parser *parser)
{
    skip_space(parser);
    if (!read_string(parser)) return false;
    skip_space(parser);
    if (*parser->at != ':') return fail(parser, "':' is missing");
    parser->at++;
    return true;
}

// A value without children, or the beginning of one that has some; *out_is_open: its first child is
// next.
static bool begin_value(struct parser *parser, bool *out_is_open)
{
    *out_is_open = false;
    skip_space(parser);
    const uint8_t byte = *parser->at;
    if (byte == '"') return read_string(parser);
    if (byte == '-' || (byte >= '0' && byte <= '9')) return read_number(parser);
    if (byte != '{' && byte != '[') return read_word(parser);
    if (!open_container(parser, byte == '{')) return false;
    skip_space(parser);
    if (*parser->at == (byte == '{' ? '}' : ']')) return close_container(parser);
    *out_is_open = true;
    return byte == '[' || read_name(parser);
}

// After a value: closes what ends here. *out_goes_on: another value is next.
static bool end_values(struct parser *parser, bool *out_goes_on)
{
    *out_goes_on = false;
    while (parser->depth) {
        const bool is_object = parser->containers[parser->depth - 1].is_object;
        skip_space(parser);
        if (*parser->at == ',') {
            parser->at++;
            *out_goes_on = true;
            return !is_object || read_name(parser);
        }
        if (*parser->at != (is_object ? '}' : ']'))
            return fail(parser, is_object ? "',' or '}' is missing" : "',' or ']' is missing");
        if (!close_container(parser)) return false;
    }
    return true;
}

static bool read_document(struct parser *parser)
{
    bool goes_on = true, is_open;
    while (goes_on) {
        if (!begin_value(parser, &is_open)) return false;
        if (!is_open && !end_values(parser, &goes_on)) return false;
    }
    skip_space(parser);
    return parser->at == parser->end || fail(parser, "more than one value");
}

// --- Documents

static int explain(const struct parser *parser, struct btk_error *error)
{
    if (parser->wrong == no_memory)
        return btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "not enough memory to read JSON");
    const size_t offset = (size_t)(parser->at - parser->document->text);
    size_t line = 1;
    for (size_t i = 0; i < offset; i++) line += parser->document->text[i] == '\n';
    const bool is_encoding = parser->wrong == half_a_pair || parser->wrong == not_utf8;
    return btk_error_set(error, is_encoding ? EILSEQ : EINVAL, offset,
                         "not valid JSON at byte %zu (line %zu): %s", offset, line, parser->wrong);
}

// A copy with NULs behind it, so that looking one or a few bytes ahead needs no check.
static struct document *new_document(struct btk_bytes text)
{
    struct document *const document = calloc(1, sizeof *document);
    if (!document) return NULL;
    document->text = malloc(text.length + 16);
    if (!document->text) {
        free(document);
        return NULL;
    }
    memcpy(document->text, text.data, text.length);
    memset(document->text + text.length, 0, 16);
    btk_arena_init(&document->arena);
    return document;
}

int btk_json_parse(struct btk_bytes text, struct btk_json **out_root, struct btk_error *error)
{
    if (!text.length)
        return btk_error_set(error, EINVAL, 0, "not valid JSON: there is nothing in it");
    if (text.length > UINT32_MAX / 2)
        return btk_error_set(error, EINVAL, 0, "JSON of more than 2 GiB");
    struct parser parser = {.document = new_document(text)};
    if (!parser.document)
        return btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "not enough memory to read JSON");
    parser.at = parser.document->text;
    parser.end = parser.at + text.length;
    btk_buffer_init(&parser.stack);
    int status = 0;
    if (read_document(&parser))
        memcpy(&parser.document->root, parser.stack.data, sizeof parser.document->root);
    else
        status = explain(&parser, error);
    btk_buffer_clear(&parser.stack);
    if (status < 0)
        btk_json_free(&parser.document->root);
    else
        *out_root = &parser.document->root;
    return status;
}

void btk_json_free(struct btk_json *root)
{
    if (!root) return;
    struct document *const document = (struct document *)(void *)root;
    btk_arena_clear(&document->arena);
    free(document->text);
    free(document);
}

// --- Looking

enum btk_json_type btk_json_type(const struct btk_json *value)
{
    return value ? value->type : BTK_JSON_NULL;
}

const char *btk_json_type_name(const struct btk_json *value)
{
    static const char *const names[] = {"null",     "a boolean", "an integer", "a number",
                                        "a string", "an array",  "an object"};
    return value ? names[value->type] : "nothing";
}

bool btk_json_is_null(const struct btk_json *value)
{
    return btk_json_type(value) == BTK_JSON_NULL;
}

const struct btk_json *btk_json_get(const struct btk_json *object, const char *name)
{
    if (btk_json_type(object) != BTK_JSON_OBJECT) return NULL;
    const struct btk_json *const pairs = object->is.children;
    const struct btk_json wanted = {.is.text = (const uint8_t *)name,
                                    .count = (uint32_t)strlen(name)};
    for (uint32_t i = 0; i < object->count; i++)
        if (names_are_equal(&pairs[2 * i], &wanted)) return &pairs[2 * i + 1];
    return NULL;
}

size_t btk_json_count(const struct btk_json *array_or_object)
{
    const enum btk_json_type type = btk_json_type(array_or_object);
    return type == BTK_JSON_ARRAY || type == BTK_JSON_OBJECT ? array_or_object->count : 0;
}

const struct btk_json *btk_json_at(const struct btk_json *array, size_t index)
{
    if (btk_json_type(array) != BTK_JSON_ARRAY || index >= array->count) return NULL;
    return &array->is.children[index];
}

bool btk_json_try_string(const struct btk_json *value, struct btk_bytes *out_text)
{
    if (btk_json_type(value) != BTK_JSON_STRING) return false;
    *out_text = (struct btk_bytes){value->is.text, value->count};
    return true;
}

bool btk_json_try_integer(const struct btk_json *value, int64_t *out_number)
{
    if (btk_json_type(value) != BTK_JSON_INTEGER) return false;
    *out_number = value->is.integer;
    return true;
}

bool btk_json_try_number(const struct btk_json *value, double *out_number)
{
    const enum btk_json_type type = btk_json_type(value);
    if (type == BTK_JSON_INTEGER) *out_number = (double)value->is.integer;
    if (type == BTK_JSON_REAL) *out_number = value->is.real;
    return type == BTK_JSON_INTEGER || type == BTK_JSON_REAL;
}

bool btk_json_try_bool(const struct btk_json *value, bool *out_flag)
{
    if (btk_json_type(value) != BTK_JSON_BOOL) return false;
    *out_flag = value->is.flag;
    return true;
}

bool btk_json_next(const struct btk_json *object, void **cursor, struct btk_bytes *out_name,
                   const struct btk_json **out_value)
{
    if (btk_json_type(object) != BTK_JSON_OBJECT || !object->count) return false;
    const struct btk_json *const end = object->is.children + 2 * (size_t)object->count;
    const struct btk_json *const next =
        *cursor ? (const struct btk_json *)*cursor + 2 : object->is.children;
    if (next == end) return false;
    *cursor = (void *)(uintptr_t)next;
    *out_name = (struct btk_bytes){next->is.text, next->count};
    *out_value = next + 1;
    return true;
}
