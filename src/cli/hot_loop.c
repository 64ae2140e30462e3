/* A loop is what stands between a label and a later jump to it. Multiply-adds are known by their names, on every
 * architecture that LLVM prints. */
#include "cli/hot_loop.h"

#include <string.h>

typedef struct line {
    const char *words;
    size_t length;
} line;

typedef struct lines {
    line *of;
    int count;
} lines;

static lines split(arena *a, const char *bytes, size_t size) {
    lines all = {.count = 1};
    for (size_t i = 0; i < size; i++) all.count += bytes[i] == '\n';
    all.of = arena_array(a, line, all.count);
    for (int i = 0; i < all.count; i++) {
        const char *end = memchr(bytes, '\n', size);
        const size_t length = end ? (size_t)(end - bytes) : size;
        all.of[i] = (line){bytes, length};
        bytes += length + (end != NULL);
        size -= length + (end != NULL);
    }
    return all;
}

static bool has(const line *l, const char *word) {
    const size_t length = strlen(word);
    for (size_t i = 0; i + length <= l->length; i++)
        if (memcmp(l->words + i, word, length) == 0) return true;
    return false;
}

static bool is_multiply_add(const line *l) {
    static const char *const words[] = {"fmadd", "fmla",   "fmacc",  "fnmadd", "vfma", "dot",
                                        "vmla",  "dpbusd", "dpwssd", "dpbf16", "fma",  "fmlal"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (has(l, words[i])) return true;
    return false;
}

/* ".LBB0_7" of ".LBB0_7:  # comment"; 0: the line is no label. */
static size_t label_length(const line *l) {
    const char *colon = l->length && *l->words == '.' ? memchr(l->words, ':', l->length) : NULL;
    return colon ? (size_t)(colon - l->words) : 0;
}

/* Whether a line is an instruction whose last operand is the label. */
static bool jumps_to(const line *l, const line *label, size_t length) {
    if (!l->length || *l->words != '\t') return false;
    size_t end = l->length;
    while (end && strchr(" \t", l->words[end - 1])) end--;
    return end > length && memcmp(l->words + end - length, label->words, length) == 0 &&
           strchr("\t ,", l->words[end - length - 1]);
}

/* The last line of the loop that begins at a label, if there is one; -1. */
static int end_of_loop(const lines *all, int label) {
    const size_t length = label_length(&all->of[label]);
    for (int i = label + 1; length && i < all->count; i++)
        if (jumps_to(&all->of[i], &all->of[label], length)) return i;
    return -1;
}

static bool is_innermost(const lines *all, int first, int last) {
    for (int i = first + 1; i < last; i++) {
        const int end = end_of_loop(all, i);
        if (end >= 0 && end <= last) return false;
    }
    return true;
}

static int multiply_adds(const lines *all, int first, int last) {
    int count = 0;
    for (int i = first; i <= last; i++) count += is_multiply_add(&all->of[i]);
    return count;
}

const char *hot_loop(arena *a, const char *assembly, size_t size) {
    const lines all = split(a, assembly, size);
    int best = -1, most = 0, best_end = -1;
    for (int i = 0; i < all.count; i++) {
        const int end = end_of_loop(&all, i), count = end < 0 ? 0 : multiply_adds(&all, i, end);
        if (count <= most || !is_innermost(&all, i, end)) continue;
        most = count;
        best = i;
        best_end = end;
    }
    if (best < 0) return "There is no loop with multiply-adds: all of it is unrolled.";
    const line *first = &all.of[best], *last = &all.of[best_end];
    return arena_string(a, first->words, (size_t)(last->words + last->length - first->words));
}
