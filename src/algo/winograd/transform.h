/* Small constant matrices applied to vector registers, as networks of adds and fused multiply-adds. */
#ifndef CVK_ALGO_WINOGRAD_TRANSFORM_H
#define CVK_ALGO_WINOGRAD_TRANSFORM_H

#include "nest/build.h"
#include "problem/cook_toom.h"

typedef struct transform_registers {
    int parts;    /* register array for what two rows share; at least 2 */
    int constant; /* register array for a coefficient; at least 1 */
} transform_registers;

transform_registers transform_declare(nest_builder *b, cvk_type type);

/* to[i * to_step] = sum over k of matrix[i][k] * from[k * from_step], both from an index of an array on; the two may
 * not overlap. Rows that differ in the signs of some entries, as those of points p and -p do, share their sums. */
void transform_apply(nest_builder *b, const transform_registers *r, const ratio (*matrix)[COOK_TOOM_MOST], int rows,
                     int columns, register_ref from, int64_t from_step, register_ref to, int64_t to_step);

#endif
