// SPDX-License-Identifier: Apache-2.0
// pre_tokenizer: one of those that have code of their own, or a list of steps.
#include "tokenizer/compile/compiler.h"

static int compile_byte_level(struct btk_compiler *compiler, const struct btk_json *object)
{
    compiler->config.pretokenizer = BTK_PRETOKENIZER_BYTE_LEVEL;
    compiler->config.flags |= BTK_PIPELINE_MODEL_READS_BYTES;
    const int status = btk_compiler_flag(compiler, object, "pre_tokenizer", "add_prefix_space",
                                         BTK_PIPELINE_ADD_PREFIX_SPACE);
    return status < 0 ? status
                      : btk_compiler_flag(compiler, object, "pre_tokenizer", "use_regex",
                                          BTK_PIPELINE_USE_REGEX);
}

// WordPiece wants words and byte-level BPE wants bytes: the other two pairs have no meaning.
int btk_compile_pretokenizer(struct btk_compiler *compiler)
{
    const struct btk_json *const object = btk_json_get(compiler->root, "pre_tokenizer");
    const bool is_bpe = compiler->config.model == BTK_MODEL_BPE;
    const char *const supported =
        is_bpe ? "ByteLevel (for a BPE model)" : "BertPreTokenizer (for a WordPiece model)";
    if (btk_json_is_null(object))
        return btk_compiler_unsupported(compiler, "pre_tokenizer",
                                        (struct btk_bytes){(const uint8_t *)"null", 4}, supported);
    struct btk_bytes type;
    const int status = btk_compiler_type(compiler, object, "pre_tokenizer", &type);
    if (status < 0) return status;
    if (is_bpe && btk_bytes_are(type, "ByteLevel")) return compile_byte_level(compiler, object);
    if (!is_bpe && btk_bytes_are(type, "BertPreTokenizer")) {
        compiler->config.pretokenizer = BTK_PRETOKENIZER_BERT;
        return 0;
    }
    return btk_compiler_unsupported(compiler, "pre_tokenizer.type", type, supported);
}
