// SPDX-License-Identifier: Apache-2.0
#include "coordinator/http_tokens.h"

#include "common/base.h"
#include "common/utf8.h"

// Steps beyond those over the texts that all offsets of an encoding may cost, and bytes that they may
// show. Whoever wrote offsets that need more gets texts that are too short.
#define STEPS_MAX (UINT64_C(1) << 26)

// A place in a text that is known both in characters and in bytes. Offsets hardly ever go back, so
// finding the next one from the last costs a few steps.
struct place {
    struct btk_bytes text; // valid UTF-8: it came out of a JSON string
    uint64_t character;
    size_t byte;
    bool has_bytes; // offsets count bytes
    uint64_t *steps_left;
};

static bool try_step(struct place *place, uint64_t count)
{
    const bool may_step = count <= *place->steps_left;
    *place->steps_left = may_step ? *place->steps_left - count : 0;
    return may_step;
}

static void move_to(struct place *place, uint64_t character)
{
    if (place->has_bytes) {
        const size_t byte = btk_min_size(character, place->text.length);
        const size_t way = byte > place->byte ? byte - place->byte : place->byte - byte;
        if (try_step(place, way)) place->byte = byte;
        return;
    }
    while (place->character < character && place->byte < place->text.length && try_step(place, 1)) {
        place->byte += btk_utf8_length(place->text.data[place->byte]);
        place->character++;
    }
    while (place->character > character && place->byte > 0 && try_step(place, 1)) {
        do place->byte--;
        while (place->byte > 0 && (place->text.data[place->byte] & 0xc0) == 0x80);
        place->character--;
    }
}

void btk_http_text_write(struct btk_json_writer *writer, struct btk_bytes text)
{
    if (btk_utf8_valid_prefix(text.data, text.length) == text.length)
        btk_json_text(writer, text);
    else
        btk_json_string(writer, "\xef\xbf\xbd");
}

static void write_place(struct btk_json_writer *writer, struct place *place, uint32_t begin,
                        uint32_t end)
{
    move_to(place, begin);
    const size_t from = place->byte;
    if (end > begin) move_to(place, end);
    btk_http_text_write(writer, (struct btk_bytes){place->text.data + from, place->byte - from});
}

static struct btk_bytes text_of(const struct btk_encode_text *text)
{
    return (struct btk_bytes){(const uint8_t *)text->data, text->bytes};
}

// The text that the offsets of a token speak of: one of the two, or a word of it.
static struct btk_bytes find_text(const struct btk_encode_input *input,
                                  const struct btk_encoding_view *encoding, size_t token)
{
    const bool is_pair = encoding->sequence_ids != NULL && encoding->sequence_ids[token] == 1;
    const struct btk_encode_text *text = is_pair ? &input->pair : &input->text;
    if (text->word_ends == NULL) return text_of(text);
    const uint32_t word = encoding->word_ids[token];
    if (word >= text->word_count) return (struct btk_bytes){NULL, 0};
    const uint64_t begin = word == 0 ? 0 : text->word_ends[word - 1];
    return (struct btk_bytes){(const uint8_t *)text->data + begin, text->word_ends[word] - begin};
}

static void write_special(struct btk_json_writer *writer, const struct btk_encoding_view *encoding,
                          size_t token)
{
    size_t bytes = 0;
    const char *text = btk_encoding_token(encoding, token, &bytes);
    btk_json_name(writer, "text");
    btk_http_text_write(writer, (struct btk_bytes){(const uint8_t *)text, bytes});
    btk_json_name(writer, "special");
    btk_json_bool(writer, true);
    btk_json_name(writer, "start");
    btk_json_null(writer);
    btk_json_name(writer, "stop");
    btk_json_null(writer);
}

static void write_ordinary(struct btk_json_writer *writer, struct place *place, uint32_t begin,
                           uint32_t end)
{
    btk_json_name(writer, "text");
    write_place(writer, place, begin, end);
    btk_json_name(writer, "special");
    btk_json_bool(writer, false);
    btk_json_name(writer, "start");
    btk_json_unsigned(writer, begin);
    btk_json_name(writer, "stop");
    btk_json_unsigned(writer, end);
}

void btk_http_tokens_write(struct btk_json_writer *writer, const struct btk_encode_input *input,
                           bool has_bytes, const struct btk_encoding_view *encoding)
{
    uint64_t steps_left = STEPS_MAX + 4 * (uint64_t)(input->text.bytes + input->pair.bytes);
    struct place place = {.has_bytes = has_bytes, .steps_left = &steps_left};
    btk_json_begin_array(writer);
    for (size_t i = 0; i < encoding->token_count; i++) {
        btk_json_begin_object(writer);
        btk_json_name(writer, "id");
        btk_json_unsigned(writer, encoding->ids[i]);
        if (encoding->special_tokens_mask[i] != 0) {
            write_special(writer, encoding, i);
        } else {
            const struct btk_bytes text = find_text(input, encoding, i);
            if (text.data != place.text.data || text.length != place.text.length)
                place =
                    (struct place){.text = text, .has_bytes = has_bytes, .steps_left = &steps_left};
            write_ordinary(writer, &place, encoding->offsets[2 * i], encoding->offsets[2 * i + 1]);
        }
        btk_json_end_object(writer);
    }
    btk_json_end_array(writer);
}
