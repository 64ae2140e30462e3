/* Words: the lists, and the search for the word that was meant. */
#include "spec/words.h"
#include "spec/spec.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define WORDS(name, kind, ...)                                                                                         \
    static const char *const name##_list[] = {__VA_ARGS__};                                                            \
    const word_list name = {kind, COUNT(name##_list), name##_list};

WORDS(boolean_words, "boolean", "false", "true")
WORDS(kernel_words, "kernel_size", "global")
WORDS(padding_words, "padding", "valid", "same", "same_lower", "full", "causal")
WORDS(padding_mode_words, "padding_mode", "zeros", "reflect", "symmetric", "replicate", "circular")
WORDS(pitch_words, "pitch", "input", "output", "addend") /* by spec_pitch */
WORDS(layout_words, "layout", "channels_first", "channels_last", "blocked")
WORDS(dtype_words, "dtype", "f32", "f64", "f16", "bf16", "s8", "u8", "s32")
WORDS(accuracy_words, "accuracy", "strict", "default", "fast")
WORDS(group_words, "groups", "depthwise")
WORDS(batch_words, "batch", "any")
WORDS(operation_words, "operation", "convolution", "transposed", "weights_gradient", "transposed_weights_gradient",
      "max_pool", "average_pool", "dense", "identity", "group_norm", "layer_norm", "softmax",
      "resize") /* by cvk_operation */
WORDS(direction_words, "direction", "forward", "backward_data", "backward_weights")
WORDS(nan_words, "nan", "propagate", "ignore")
WORDS(interpolation_words, "interpolation", "nearest", "linear")
WORDS(coordinate_words, "coordinates", "half_pixel", "asymmetric", "align_corners")
WORDS(nearest_words, "rounding", "round_prefer_floor", "round_prefer_ceil", "floor", "ceil")
WORDS(scale_words, "scale", "per_channel")
WORDS(rounding_words, "rounding", "nearest_even", "half_up", "double") /* by rounding_mode */
WORDS(multiplier_words, "multipliers", "per_channel", "per_tensor")

static const char *const kind_list[] = {
#define LAYER_KIND(NAME, word, weighs, windows) word,
#include "base/layer_kinds.def"
#undef LAYER_KIND
};
const word_list kind_words = {"kind", COUNT(kind_list), kind_list}; /* by layer_kind */

static const char *const algorithm_list[] = {
    "auto",
#define ALGORITHM_NAME(word) word,
#include "plan/algorithm_names.def"
#undef ALGORITHM_NAME
};
const word_list algorithm_words = {"algorithm", COUNT(algorithm_list), algorithm_list};

static const char *const post_list[] = {
#define POST_OP(name, word, parameters, operand, formula) word,
#include "base/post_ops.def"
#undef POST_OP
};
const word_list post_words = {"post_op", COUNT(post_list), post_list};

static const struct alias {
    const char *kind, *foreign, *ours;
} aliases[] = {
#define ALIAS(kind, foreign, ours) {kind, foreign, ours},
#include "spec/aliases.def"
#undef ALIAS
};

const char *spec_layout_name(cvk_layout layout) { return layout_words.word[layout]; }
const char *spec_post_name(post_kind kind) { return post_words.word[kind]; }

int word_find(const word_list *list, const char *word) {
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->word[i], word) == 0) return (int)i;
    return -1;
}

static const char *meant(const word_list *list, const char *word) {
    for (size_t i = 0; i < list->count; i++)
        if (strcasecmp(list->word[i], word) == 0) return list->word[i];
    for (size_t i = 0; i < COUNT(aliases); i++)
        if (strcmp(aliases[i].kind, list->kind) == 0 && strcasecmp(aliases[i].foreign, word) == 0 &&
            (aliases[i].ours[0] == '{' || word_find(list, aliases[i].ours) >= 0))
            return aliases[i].ours;
    return text_nearest(word, list->word, list->count);
}

hint_text word_hint(const word_list *list, const char *word) {
    hint_text h = {.text = ""};
    const char *nearest = meant(list, word);
    if (nearest) snprintf(h.text, sizeof h.text, "did you mean `%s`?", nearest);
    return h;
}

hint_text word_choices(const word_list *list) {
    hint_text h = {.text = ""};
    size_t used = 0;
    for (size_t i = 0; i < list->count && used < sizeof h.text; i++) {
        const char *joint = i == 0 ? "" : i + 1 == list->count ? " or " : ", ";
        used += (size_t)snprintf(h.text + used, sizeof h.text - used, "%s%s", joint, list->word[i]);
    }
    return h;
}
