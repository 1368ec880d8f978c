// SPDX-License-Identifier: Apache-2.0
// normalizer: the kind that is made for BERT, or a list of steps.
#include "tokenizer/compile/compiler.h"

int btk_compile_normalizer(struct btk_compiler *compiler)
{
    const struct btk_json *const normalizer = btk_json_get(compiler->root, "normalizer");
    if (btk_json_is_null(normalizer)) return 0;
    struct btk_bytes type;
    int status = btk_compiler_type(compiler, normalizer, "normalizer", &type);
    if (status < 0) return status;
    if (!btk_bytes_are(type, "BertNormalizer"))
        return btk_compiler_unsupported(compiler, "normalizer.type", type, "BertNormalizer, null");
    bool clean_text = true, chinese = true, lowercase = true;
    status = btk_compiler_bool(compiler, normalizer, "normalizer", "clean_text", &clean_text);
    if (!status)
        status =
            btk_compiler_bool(compiler, normalizer, "normalizer", "handle_chinese_chars", &chinese);
    if (!status)
        status = btk_compiler_bool(compiler, normalizer, "normalizer", "lowercase", &lowercase);
    bool strip_accents = lowercase; // what null means
    if (!status)
        status =
            btk_compiler_bool(compiler, normalizer, "normalizer", "strip_accents", &strip_accents);
    compiler->config.normalizer = BTK_NORMALIZER_BERT;
    compiler->config.bert_flags =
        (clean_text ? BTK_BERT_CLEAN_TEXT : 0u) | (chinese ? BTK_BERT_CHINESE : 0u)
        | (strip_accents ? BTK_BERT_STRIP_ACCENTS : 0u) | (lowercase ? BTK_BERT_LOWERCASE : 0u);
    return status;
}
