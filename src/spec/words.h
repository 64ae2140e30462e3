/* Words: what a spec may write for each thing that has names, and what other programs call the same things. */
#ifndef CVK_SPEC_WORDS_H
#define CVK_SPEC_WORDS_H

#include <convoke/runtime.h>
#include <stddef.h>

typedef struct word_list {
    const char *kind; /* the first column of spec/aliases.def */
    size_t count;
    const char *const *word; /* by the value of its enumeration */
} word_list;

/* What `padding:` may say instead of numbers; by padding_word. */
typedef enum padding_word {
    PADDING_NUMBERS = -1,
    PADDING_VALID,
    PADDING_SAME,
    PADDING_SAME_LOWER,
    PADDING_FULL,
    PADDING_CAUSAL
} padding_word;

/* dtype_words are in the order of cvk_dtype, which is that of cvk_type. */
extern const word_list boolean_words, kind_words, kernel_words, padding_words, padding_mode_words, layout_words,
    pitch_words, dtype_words, accuracy_words, algorithm_words, post_words, group_words, scale_words, batch_words,
    operation_words, direction_words, nan_words, interpolation_words, coordinate_words, nearest_words, rounding_words,
    multiplier_words;

/* A sentence for the reader, "" where there is nothing to say. */
typedef struct hint_text {
    char text[160];
} hint_text;

/* "did you mean …?", for a word that is not in the list. */
hint_text word_hint(const word_list *list, const char *word);
/* All words of the list: "a, b or c". */
hint_text word_choices(const word_list *list);
/* Where `word` stands in the list, or -1. */
int word_find(const word_list *list, const char *word);

#endif
