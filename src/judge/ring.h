/* Arithmetic by type: what the evaluator does lane by lane, one table a type. */
#ifndef CVK_JUDGE_RING_H
#define CVK_JUDGE_RING_H

#include "nest/nest.h"
#include "judge/hot.h"

#include <string.h>

/* Lanes are computed eight at a time: registers have room for them, and what is past their lanes nobody looks at. */
enum { RING_GROUP = 8 };

/* to = an operation's formula of its sources; `to` may be one of them. `amount`: of shifts, and what
 * conversions add. */
typedef void lane_function(void *to, const void *const *from, int lanes, int amount);

/* A lane_function; in `formula`, a b c are a lane of the sources. Sources an operation does not have are the first. */
#define RING_LANES(name, type, formula)                                                                                \
    HOT static void name(void *to, const void *const *from, int lanes, int amount) {                                   \
        const type *x0 = from[0], *x1 = from[1], *x2 = from[2];                                                        \
        (void)amount;                                                                                                  \
        for (int l = 0; l < lanes; l += RING_GROUP) {                                                                  \
            type eight[RING_GROUP];                                                                                    \
            for (int i = 0; i < RING_GROUP; i++) {                                                                     \
                type a = x0[l + i], b = x1[l + i], c = x2[l + i];                                                      \
                (void)a, (void)b, (void)c;                                                                             \
                eight[i] = (type)(formula);                                                                            \
            }                                                                                                          \
            memcpy((type *)to + l, eight, sizeof eight);                                                               \
        }                                                                                                              \
    }

typedef struct ring {
    int bytes;                                       /* of an element, in registers and in memory */
    void (*constant)(const nest_op *op, void *lane); /* what a const gives */
    lane_function *lanewise[OP_KINDS];               /* NULL: not an operation of this kind, or not of this type */
    lane_function *call[MATH_KINDS];                 /* NULL: the function's program is run, of lanewise operations */
    bool typed;                                      /* false: one ring for all types */
} ring;

/* Numbers as every target has them. `fused`: fma rounds once, else after each step. */
const ring *ring_of_type(cvk_type type, bool fused);
/* Any type: exact, modulo a prime (judge/residue.h). */
extern const ring ring_residue;
/* to[l] = c[l] + sum of a[n l + i] b[n l + i] over i < n. */
void ring_residue_dot(void *to, const void *a, const void *b, const void *c, int lanes, int n);

#endif
