// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/image_check.h"

int btk_text_cuts_check(const struct btk_image *view, struct btk_error *error)
{
    const struct btk_image_config *const config = view->config;
    const bool are_inside = config->text_cuts == BTK_TEXT_CUTS_INSIDE_WORDS
                            || config->text_cuts == BTK_TEXT_CUTS_INSIDE_MARKED_WORDS;
    if (config->text_cuts >= BTK_TEXT_CUTS_COUNT || config->no_text_cuts >= BTK_NO_TEXT_CUTS_COUNT)
        return btk_image_refuse(error, "its texts are cut in no known way");
    if (are_inside
        && !(config->model == BTK_MODEL_BPE && (config->model_flags & BTK_MODEL_HAS_CUTS)))
        return btk_image_refuse(error, "its model does not say where words may be cut");
    return 0;
}
