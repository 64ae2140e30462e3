/* Types of elements: rows of base/types.def, and the one rounding they share. */
#ifndef CVK_BASE_TYPES_H
#define CVK_BASE_TYPES_H

#include <stdbool.h>
#include <stdint.h>

typedef enum type_kind { KIND_FLOAT, KIND_SIGNED, KIND_UNSIGNED } type_kind;

typedef enum cvk_type {
#define CVK_TYPE(name, word, bits, kind, numpy, onnx, llvm, unit_roundoff) TYPE_##name,
#include "base/types.def"
#undef CVK_TYPE
    TYPES
} cvk_type;

typedef struct type_row {
    const char *name;
    int bits;
    type_kind kind;
    const char *numpy, *onnx, *llvm;
    double unit_roundoff;
} type_row;
extern const type_row type_rows[TYPES];

/* "?" where there is no such type. */
const char *type_name(cvk_type type);
int type_bytes(cvk_type type);
bool type_is_float(cvk_type type);
/* Floats that are computed with, f32 and f64; halves are stored and converted, no more. */
bool type_is_computed_float(cvk_type type);

/* What products of its numbers are summed in: f64 of f64, f32 of the other floats, s32 of integers. */
cvk_type type_of_sums(cvk_type type);

/* Whether every number of the other type is one of this type. */
bool type_holds(cvk_type type, cvk_type other);
/* The least and the greatest number of an integer type; of a float the largest finite ones. */
double type_least(cvk_type type);
double type_greatest(cvk_type type);

/* The distance between neighbouring numbers of a float type about a finite value. */
double type_ulp(cvk_type type, double value);

/* The nearest number of the type, ties to even: what `convert` of nest/ops.def gives. Floats overflow to infinity and
 * keep NaN and the sign of zero; integers saturate, and NaN becomes 0. */
double type_round(cvk_type type, double value);

/* One element in memory, of any alignment: its value, which a double holds exactly; and storing a value, rounded. */
double type_read(cvk_type type, const void *from);
void type_write(cvk_type type, void *to, double value);
/* The same of a value that a double need not hold: rounded once. */
void type_write_long(cvk_type type, void *to, long double value);
/* The element's bits. */
uint64_t type_bits(cvk_type type, double value);

#endif
