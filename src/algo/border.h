/* Borders that are made of the input: what a position outside repeats. */
#ifndef CVK_ALGO_BORDER_H
#define CVK_ALGO_BORDER_H

#include "nest/build.h"
#include "base/terms.h"

/* What position i < 0 of an axis of n repeats, and what i >= n does. Of a border of one number: nothing that is looked
 * at. */
affine border_before(padding_mode mode, affine i, int64_t n);
affine border_after(padding_mode mode, affine i, int64_t n);

/* Whether a border is of one number. */
bool border_is_constant(padding_mode mode);

/* What position i, known by number, comes from; -1: from no input. */
int64_t border_source(padding_mode mode, int64_t i, int64_t n);

/* Where position i of an axis comes from: `source`, or nowhere, if low >= 0 and high >= 0. */
typedef struct border_case {
    affine low, high, source;
    bool nowhere;
} border_case;

enum { BORDER_CASES = 3 };

/* Those that are possible where the builder stands, of the positions there are and so many in front and behind. */
int border_cases_of(nest_builder *b, padding_mode mode, int64_t n, int64_t before, int64_t after, affine i,
                    border_case cases[BORDER_CASES]);
/* Opens the conditions of a case, and closes them. */
void border_open(nest_builder *b, affine low, affine high);
void border_close(nest_builder *b);

#endif
