/* Seeded bugs: small edits of a nest, each a mistake that a generator of kernels might make. An edit says how many
 * places it changed; 0 is a nest that has no such place. */
#ifndef NUMERIC_MUTATE_H
#define NUMERIC_MUTATE_H

#include "nest/nest.h"

/* What an edit is about: a tensor and variables of the nest by name, "" where it needs none. */
typedef struct mutation {
    const char *tensor, *variable, *other;
    int64_t number;
} mutation;

typedef int edit(nest *n, const mutation *m);

/* Loops over `variable` end one earlier, or begin one later. */
edit drop_last, drop_first;
/* In accesses to `tensor`: coefficients of `variable` become 0; are divided by `number`; change places with those of
 * `other`; offsets grow by `number`. */
edit forget_variable, divide_coefficient, swap_variables, shift_offset;
/* In accesses to `tensor`, the stride between lanes is divided by `number`. */
edit divide_stride;
/* Loads of `tensor` give 0. */
edit forget_tensor;
/* Lane ranges of loads of `tensor`, or of multiply-adds and maxima where it is "", end one earlier or begin one later.
 */
edit short_mask, late_mask;
/* Sums begin anew in the first tile of `variable` alone. */
edit keep_sums;
/* Products replace the sum instead of adding to it. */
edit forget_sum;
edit min_for_max, max_for_min, min_for_maximum, less_for_greater, div_for_mul, mul_for_div, copy_for_keep, sub_for_add;
/* Constants equal to `number` become one less. */
edit change_constant;
/* Maxima begin with 0. */
edit begin_with_zero;
/* `variable` is left out of numbers that are no addresses. */
edit drop_from_number;
/* Constants grow by a ten thousandth. */
edit nudge_constants;
/* Registers transposed are stored as they were before. */
edit forget_transpose;
/* Lanes stay where they are. */
edit forget_shuffle;
/* Coefficients are the next float above, or what rounding leaves of those that are no floats. */
edit next_float, forget_ratio;
/* Products where `variable` is 0 are added a second time. */
edit add_first_twice;
/* What is loaded from `tensor`, and added, is added a second time. */
edit add_loaded_twice;
/* Sums begin with twice the bias. */
edit double_bias;
/* Stores to `tensor` happen twice, or leave out the last lane of their range. */
edit store_twice, short_store;
/* Of numbers that become bytes: halves go up, not to even; halves go down, not up; rounded once, not twice. */
edit halves_up, halves_down, round_once;
/* Loads of `tensor` read `other` instead. */
edit read_other;

#endif
