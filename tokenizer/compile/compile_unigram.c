// SPDX-License-Identifier: Apache-2.0
// The tables of Unigram: a trie, scores, fallback bytes.
#include <math.h>

#include "tokenizer/compile/compiler.h"

#define UNKNOWN_PENALTY 10.0 // below the lowest score

static int compile_scores(struct btk_compiler *compiler)
{
    double lowest = INFINITY;
    for (uint32_t id = 0; id < compiler->config.token_count; id++) {
        const bool is_scored = id < compiler->config.vocabulary_count;
        const double score = is_scored ? compiler->scores[id] : 0;
        if (is_scored && score < lowest) lowest = score;
        if (btk_buffer_append(&compiler->sections[BTK_SECTION_SCORES], &score, sizeof score) < 0)
            return btk_compiler_no_memory(compiler);
    }
    compiler->config.unknown_score =
        btk_compiler_is_sentencepiece(compiler)
            ? (double)((float)compiler->lowest_score - (float)UNKNOWN_PENALTY)
            : lowest - UNKNOWN_PENALTY;
    return 0;
}

int btk_compile_unigram(struct btk_compiler *compiler)
{
    int status = compile_scores(compiler);
    if (!status) status = btk_compile_trie(compiler);
    if (!status) status = btk_compile_piece_lookup(compiler);
    return status < 0 ? status : btk_compile_fallback(compiler);
}
