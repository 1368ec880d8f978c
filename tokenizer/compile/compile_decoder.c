// SPDX-License-Identifier: Apache-2.0
// decoder.
#include "tokenizer/compile/compiler.h"

int btk_compile_decoder(struct btk_compiler *compiler)
{
    const struct btk_json *const decoder = btk_json_get(compiler->root, "decoder");
    if (btk_json_is_null(decoder)) return 0;
    struct btk_bytes type;
    const int status = btk_compiler_type(compiler, decoder, "decoder", &type);
    if (status < 0) return status;
    if (btk_bytes_are(type, "ByteLevel")) {
        compiler->config.decoder = BTK_DECODER_BYTE_LEVEL;
        return 0;
    }
    if (!btk_bytes_are(type, "WordPiece"))
        return btk_compiler_unsupported(compiler, "decoder.type", type,
                                        "ByteLevel, WordPiece, null");
    compiler->config.decoder = BTK_DECODER_WORDPIECE;
    struct btk_bytes prefix = {(const uint8_t *)"##", 2};
    const int prefix_status = btk_compiler_text(compiler, decoder, "decoder", "prefix", &prefix);
    if (prefix_status < 0) return prefix_status;
    // The tokens that continue are marked once, when they are compiled.
    if (compiler->config.model == BTK_MODEL_WORDPIECE && !btk_bytes_equal(prefix, compiler->prefix))
        return btk_compiler_unsupported(compiler, "decoder.prefix", prefix, "that of the model");
    compiler->prefix = prefix;
    compiler->config.prefix_bytes = (uint32_t)prefix.length;
    return btk_compiler_flag(compiler, decoder, "decoder", "cleanup", BTK_PIPELINE_CLEANUP);
}
