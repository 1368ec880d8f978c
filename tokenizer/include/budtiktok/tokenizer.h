// SPDX-License-Identifier: Apache-2.0
// The engine library: text to token ids and back, exactly as Hugging Face tokenizers 0.23 does it,
// in the calling thread, without a cluster.
//
//     tokenizer.json -- open --> struct btk_tokenizer   immutable, shared by threads
//                                struct btk_scratch     one a thread, fixed size
//     text + options --encode--> columns in the caller's memory (struct btk_encoding)
//
// A complete program. It prints the ids of its second argument for the tokenizer in its first:
//
//     #include <budtiktok/tokenizer.h>
//     #include <stdio.h>
//     #include <stdlib.h>
//     #include <string.h>
//
//     int main(int argc, char **argv)
//     {
//         if (argc != 3) return 2;
//         struct btk_error_info error;
//         struct btk_tokenizer *tokenizer = NULL;
//         struct btk_scratch *scratch = NULL;
//         uint32_t *ids = NULL;
//         int status = 1;
//         if (btk_tokenizer_open(argv[1], &tokenizer, &error) != 0) goto fail;
//         if (btk_scratch_new(tokenizer, &scratch, &error) != 0) goto fail;
//         struct btk_encode_options options = BTK_ENCODE_DEFAULTS;
//         const size_t room = btk_encode_bound(tokenizer, strlen(argv[2]), &options);
//         ids = malloc(room * sizeof *ids);
//         struct btk_encoding encoding = {.capacity = room, .ids = ids};
//         if (!ids || btk_encode(tokenizer, scratch, argv[2], strlen(argv[2]), &options,
//                                &encoding, &error) != 0)
//             goto fail;
//         for (size_t i = 0; i < encoding.count; i++) printf("%s%u", i ? " " : "", ids[i]);
//         printf("\n");
//         status = 0;
//     fail:
//         if (status) fprintf(stderr, "%s\n", error.message);
//         free(ids);
//         btk_scratch_free(&scratch);
//         btk_tokenizer_close(&tokenizer);
//         return status;
//     }
//
//     cc example.c $(pkg-config --cflags --libs budtiktok)
//
// Ownership: objects are freed by the function named beside their maker; text, options and columns
// are borrowed for the call. Threads: a tokenizer may be used by any number of threads at once, a
// scratch by one at a time. Nothing is printed, no signal is touched, no locale is read. Encode and
// decode do not allocate, with one exception: a piece of text without any place to divide it that is
// longer than 64 KiB takes a spill, which is counted (btk_scratch_spill_count) and given back.
//
// Errors: 0 or a negative errno value; *error, which may be NULL, then says what, where and what was
// expected. Outputs are untouched on failure unless it is said otherwise.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <budtiktok/profile.h>
#include <budtiktok/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BTK_TOKENIZER_VERSION_MAJOR 0

struct btk_tokenizer; // an opened tokenizer: immutable
struct btk_scratch;   // what one thread needs to work with one tokenizer

// --- Opening

// Opens a tokenizer file (compiled on the spot), a folder as a model hub has it, or a compiled image,
// told apart by what stands in them: tokenizer.json, .tiktoken, tekken.json, SentencePiece's .model,
// GGUF, vocab.txt, vocab.json with merges.txt beside it. Errors: -ENOENT, -EACCES; -EFBIG (more than
// 1 GiB; of GGUF only the head is read); -EINVAL: not a tokenizer (error->offset, or the place in the
// file in the message); -EILSEQ: JSON that is not UTF-8; -ENOTSUP: a component that this version does
// not have (the message names it, its place, and what there is); -EPROTO: a damaged image, or one of
// another version; -ENOMEM.
BTK_API_MUST_USE BTK_API int btk_tokenizer_open(const char *path,
                                                struct btk_tokenizer **out_tokenizer,
                                                struct btk_error_info *error);

// What a .tiktoken file does not say. Files that are known by their names (cl100k_base, o200k_base,
// llama3, qwen, ...) need none of it; what is said wins.
struct btk_special_token {
    const char *text;
    uint32_t id;
};

struct btk_open_options {
    const char
        *pattern; // the name of such a file, or a regular expression in tiktoken's dialect; NULL
    const struct btk_special_token *specials;
    size_t special_count;
};

// The same with that; `options` may be NULL.
BTK_API_MUST_USE BTK_API int btk_tokenizer_open_with(const char *path,
                                                     const struct btk_open_options *options,
                                                     struct btk_tokenizer **out_tokenizer,
                                                     struct btk_error_info *error);

// The same for a tokenizer.json in memory, which may be freed afterwards.
BTK_API_MUST_USE BTK_API int btk_tokenizer_open_json(const void *json, size_t json_bytes,
                                                     struct btk_tokenizer **out_tokenizer,
                                                     struct btk_error_info *error);

// Works on an image in the caller's memory, 64-byte aligned, which must stay as it is until close:
// how a worker shares one image with its neighbours. `is_verified`: the whole image was checked
// before, by somebody who is trusted; only its head is looked at.
BTK_API_MUST_USE BTK_API int btk_tokenizer_attach(const void *image, size_t image_bytes,
                                                  bool is_verified,
                                                  struct btk_tokenizer **out_tokenizer,
                                                  struct btk_error_info *error);

// *tokenizer may be NULL; it is NULL afterwards. No scratch of it may be in use.
BTK_API void btk_tokenizer_close(struct btk_tokenizer **tokenizer);

struct btk_tokenizer_info {
    const char *model;         // "WordPiece", "BPE", "Unigram", "WordLevel"
    uint32_t vocabulary_count; // without added tokens that are not in the model
    uint32_t token_count;      // with them
    uint32_t added_token_count;
    uint32_t special_prefix_tokens; // what the post-processor puts before a text
    uint32_t special_suffix_tokens; // and behind it
    uint32_t token_bytes_max;       // longest token as `tokens` shows it
    uint64_t image_bytes;
};

BTK_API void btk_tokenizer_info(const struct btk_tokenizer *tokenizer,
                                struct btk_tokenizer_info *out_info);

// A scratch for this tokenizer, about 6 MiB of address space, of which most texts touch half. -ENOMEM; -EINVAL: BUDTIKTOK_SIMD names a set of kernels
// that there is not, -ENOTSUP: or one that this processor does not have.
BTK_API_MUST_USE BTK_API int btk_scratch_new(const struct btk_tokenizer *tokenizer,
                                             struct btk_scratch **out_scratch,
                                             struct btk_error_info *error);
BTK_API void btk_scratch_free(struct btk_scratch **scratch); // like close

// How many allocations encode had to make after all.
BTK_API uint64_t btk_scratch_spill_count(const struct btk_scratch *scratch);

// The kernels that it works with: "avx512", "avx2", "scalar".
BTK_API const char *btk_scratch_simd(const struct btk_scratch *scratch);

// Pieces found in the cache of pieces, and not found.
BTK_API void btk_scratch_cache_counts(const struct btk_scratch *scratch, uint64_t *out_hits,
                                      uint64_t *out_misses);

// Whether encode takes a profile (budtiktok/profile.h), which costs a call in 64 some readings of the
// clock and all others next to nothing. Turned on, it begins anew; off, which it is at first, it stays.
BTK_API void btk_scratch_set_profiling(struct btk_scratch *scratch, bool is_on);

// The profile since it was turned on.
BTK_API void btk_scratch_profile(const struct btk_scratch *scratch,
                                 struct btk_profile *out_profile);

// `report` is called by encode in its own thread, at least once for every 64 KiB of text or as much
// work: for programs that have to show that they live. NULL: nobody asks.
typedef void btk_progress_fn(void *context);
BTK_API void btk_scratch_set_progress(struct btk_scratch *scratch, btk_progress_fn *report,
                                      void *context);

// Forgets the cached pieces: for measurements from a cold start.
BTK_API void btk_scratch_clear_cache(struct btk_scratch *scratch);

// --- Encoding

// Begin with BTK_ENCODE_DEFAULTS.
struct btk_encode_options {
    bool add_special_tokens; // what the post-processor adds
    uint8_t offsets_unit;    // enum btk_offsets_unit
    uint8_t invalid_utf8;    // enum btk_invalid_utf8
    uint8_t special_text; // enum btk_special_text; PLAIN is the reference's encode_special_tokens
};

#define BTK_ENCODE_DEFAULTS                                                                        \
    {                                                                                              \
        .add_special_tokens = true, .offsets_unit = BTK_OFFSETS_CHAR,                              \
        .invalid_utf8 = BTK_INVALID_UTF8_ERROR                                                     \
    }

// Columns of the caller, each NULL (not wanted, costs nothing) or with room for `capacity` tokens
// (offsets and sources: two numbers a token).
struct btk_encoding {
    size_t capacity;   // tokens
    size_t count;      // out: tokens
    uint32_t *ids;     // never NULL
    uint32_t *offsets; // begin and end in the text, in the unit of the options
    uint32_t *type_ids;
    uint32_t *word_ids;           // UINT32_MAX: none
    uint8_t *special_tokens_mask; // 1: added by the post-processor
    uint32_t *sources;            // for btk_token_text_in; asking for it may allocate
};

// Room that is always enough for a text of `text_bytes` bytes.
BTK_API size_t btk_encode_bound(const struct btk_tokenizer *tokenizer, size_t text_bytes,
                                const struct btk_encode_options *options);

// Encodes one text of at most 2^31 bytes; NUL is a character. With BTK_INVALID_UTF8_REPLACE, offsets
// speak of the text with its replacements. Errors: -EILSEQ (error->offset: the first byte that is not
// UTF-8), -ENOBUFS (capacity: see btk_encode_bound), -E2BIG, -ENOMEM (spill), -ENODATA (something is
// unknown, and the vocabulary has no unknown token), -EPERM (special_text is ERROR, and there is some
// at error->offset, with the spaces that the token takes).
// encoding->count is 0 after a failure; the columns may have been written.
BTK_API_MUST_USE BTK_API int btk_encode(const struct btk_tokenizer *tokenizer,
                                        struct btk_scratch *scratch, const char *text,
                                        size_t text_bytes, const struct btk_encode_options *options,
                                        struct btk_encoding *encoding,
                                        struct btk_error_info *error);

// The same for text that nobody changes and that is known to be UTF-8, for callers that have checked
// it. Nothing is checked again: with anything else the behaviour is undefined.
BTK_API_MUST_USE BTK_API int
btk_encode_validated(const struct btk_tokenizer *tokenizer, struct btk_scratch *scratch,
                     const char *text, size_t text_bytes, const struct btk_encode_options *options,
                     struct btk_encoding *encoding, struct btk_error_info *error);

// --- Tokens

// The token of an id as it stands in the vocabulary, of a normalized added token what the normalizer
// made of it; not NUL-terminated; NULL: no such id.
BTK_API const char *btk_token_text(const struct btk_tokenizer *tokenizer, uint32_t id,
                                   size_t *out_bytes);

// The same for a token of an encoding: an added token that took spaces beside it shows them, and what
// is unknown to Unigram, or to a model of SentencePiece, shows itself. `source` points to its two numbers in `sources`;
// `scratch` is that of the call, and has not encoded anything since.
BTK_API const char *btk_token_text_in(const struct btk_tokenizer *tokenizer,
                                      const struct btk_scratch *scratch, uint32_t id,
                                      const uint32_t source[2], size_t *out_bytes);

// The id of a token as btk_token_text() shows it; false: there is none.
BTK_API bool btk_token_id(const struct btk_tokenizer *tokenizer, const char *token, size_t bytes,
                          uint32_t *out_id);

// --- Decoding

// Room that is always enough for the text of `id_count` ids.
BTK_API size_t btk_decode_bound(const struct btk_tokenizer *tokenizer, size_t id_count);

// The text of ids, valid UTF-8 without NUL at its end. Ids that are not in the vocabulary are left
// out, as the reference does; special tokens too when it is asked for. -ENOBUFS: see
// btk_decode_bound.
//
// Most decoders need no memory: ByteLevel, WordPiece, Metaspace, none, and sequences of ByteFallback,
// Fuse, Replace and Strip as models of the Llama family have them. Those whose tokens depend on their
// neighbours (BPEDecoder, CTC, Replace with a regular expression behind Fuse, odd sequences) allocate
// for the call. -ENOMEM; -E2BIG: they would make a text of more than 1 GiB; -ETIME: a regular expression takes too many
// steps; -ERANGE: Strip takes more characters off a token than it has, where the reference panics.
BTK_API_MUST_USE BTK_API int btk_decode(const struct btk_tokenizer *tokenizer, const uint32_t *ids,
                                        size_t id_count, bool skip_special_tokens, char *out_text,
                                        size_t capacity_bytes, size_t *out_bytes,
                                        struct btk_error_info *error);

// --- Decoding id by id

// A stream gives the text of ids that come one after the other, in parts that can be shown at once.
//
//     BTK_STREAM_EXACT     what the reference's DecodeStream gives, step by step. A step returns text
//                          when the text of the ids has grown and does not end in U+FFFD. It decodes
//                          the ids since the step before the last one alone, so parts may differ from
//                          the text of all ids where a decoder looks at the beginning (WordPiece,
//                          Metaspace, Strip: that is what the reference does); and where later bytes
//                          make characters that were given out into others, it gives up (-EBADMSG).
//     BTK_STREAM_LOSSLESS  never gives up, and takes the same time for each id. Bytes are held back
//                          until they are a character; bytes that can be part of none are given as
//                          they are, all of such a part at once. All parts and what finish gives,
//                          joined, are
//                            ByteLevel                  the bytes of all tokens. With U+FFFD for what is
//                                                       not UTF-8 that is what btk_decode() gives.
//                            ByteFallback               the same, of the bytes of its tokens, where
//                                                       btk_decode() gives U+FFFD for every byte of a
//                                                       run that has one bad byte. A character of such
//                                                       a run is a string of its own to the decoders
//                                                       behind it.
//                            all others                 what btk_decode() gives, BPEDecoder one token
//                                                       behind, because its last token is another;
//                                                       Strip takes what there is and never fails.
//                          Decoders behind Fuse or ByteLevel see the whole text, which a stream does
//                          not have: they are left out, save one Strip from the left behind Fuse, which
//                          concerns the beginning of the stream.
//
// Ownership: a stream borrows the tokenizer. Threads: one. Memory: exact, what the ids of the last two
// steps that gave text need; lossless, a token or a run of bytes that is not whole.
struct btk_decode_stream;

enum btk_stream_mode { BTK_STREAM_EXACT = 0, BTK_STREAM_LOSSLESS = 1 };

// -ENOMEM.
BTK_API_MUST_USE BTK_API int btk_decode_stream_new(const struct btk_tokenizer *tokenizer,
                                                   uint8_t mode, bool skip_special_tokens,
                                                   struct btk_decode_stream **out_stream,
                                                   struct btk_error_info *error);
BTK_API void btk_decode_stream_free(struct btk_decode_stream **stream); // like close

// Begins anew.
BTK_API void btk_decode_stream_reset(struct btk_decode_stream *stream);

// Begins anew behind ids that are not shown, those of a prompt: DecodeStream(ids) of the reference's
// Python. -ENOMEM and the errors of a step.
BTK_API_MUST_USE BTK_API int btk_decode_stream_prefill(struct btk_decode_stream *stream,
                                                       const uint32_t *ids, size_t id_count,
                                                       struct btk_error_info *error);

// The next ids; mostly one. Returns 1 and the text that is known now, which is valid until the next
// call with this stream, or 0: none yet. Exact: -EBADMSG: the text of earlier ids changes; a later step
// then does what the reference does, mostly the same. The errors of btk_decode(): reset the stream.
// -E2BIG also: a list of decoders that has to decode all ids again with each (those that allocate in
// btk_decode()) has had no text for thousands of ids.
BTK_API_MUST_USE BTK_API int btk_decode_stream_step(struct btk_decode_stream *stream,
                                                    const uint32_t *ids, size_t id_count,
                                                    const char **out_text, size_t *out_bytes,
                                                    struct btk_error_info *error);

// There are no more ids: returns 1 and what was held back, or 0: nothing was. Exact: always 0, as the
// reference never gives it. The stream then begins anew; the text is valid until the next call.
BTK_API_MUST_USE BTK_API int btk_decode_stream_finish(struct btk_decode_stream *stream,
                                                      const char **out_text, size_t *out_bytes,
                                                      struct btk_error_info *error);

#ifdef __cplusplus
}
#endif

// Pairs, words, batches, truncation, padding.
#include <budtiktok/encodings.h>
