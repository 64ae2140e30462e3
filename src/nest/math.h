/* The math post-ops as straight-line programs over nest operations, one for each function and float that is computed
 * with: one definition that the evaluator runs and lowering turns into a function of the object, so both give the same
 * bits where the target fuses multiply-adds. */
#ifndef CVK_NEST_MATH_H
#define CVK_NEST_MATH_H

#include "nest/nest.h"

/* One step: value number i of a program is the result of step i; step 0 is the argument. */
typedef struct math_step {
    op_kind kind; /* CONST FMA ADD SUB MUL DIV MIN MAX SELECT_NEGATIVE ABS COPYSIGN EXP2I, all lane by lane */
    int a, b, c;  /* earlier steps */
    double value; /* CONST: a number of the program's type */
} math_step;
typedef struct math_program {
    cvk_type type; /* of every step */
    int count;     /* the last step is the result */
    const math_step *step;
} math_program;

/* Whether the functions have programs whose steps are all of `type`. */
bool nest_math_exists(cvk_type type);
/* A program, built in the arena; only where it exists. */
math_program nest_math(arena *a, math_kind kind, cvk_type type);
const char *nest_math_name(math_kind kind);

#endif
