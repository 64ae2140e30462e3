/* A nest made ready to be executed many times over: unrolled loops are expanded, registers and lane ranges are numbers,
 * and every affine expression is a constant and a sum that loops keep up to date as they step. What executing an
 * operation means is the caller's: the evaluator computes with it, the certificate of stores marks what it touches. */
#ifndef CVK_NEST_FLAT_H
#define CVK_NEST_FLAT_H

#include "nest/nest.h"

typedef struct flat flat;

/* An operation of an expanded nest. Registers are numbered through all arrays; -1: none, or outside its array. */
typedef struct flat_op {
    const nest_op *op;
    int to, a, b, c;
    int to_lanes, a_lanes, b_lanes, c_lanes; /* of those registers, 0 where there is none */
    uint64_t active;                         /* lanes of `to`, or of a store's `a`, in the range */
    struct {
        int sum;
        int64_t constant;
    } at; /* offset of lane 0 */
    /* What `prepare` sets: `at` is the element of lane 0, and false stops. */
    bool (*run)(void *context, const struct flat_op *op, int64_t at);
    const void *how; /* whatever `run` wants */
} flat_op;

/* Sets `run`, or leaves it NULL: the operation is left out, and so are loops and conditions that hold nothing else.
 * False: the operation is malformed. */
typedef bool flat_prepare(void *context, flat_op *op);

/* Arena-owned. NULL: an operation is malformed, or register indices or lane ranges depend on loops not unrolled. */
const flat *flat_make(arena *a, const nest *n, flat_prepare *prepare, void *context);

/* One execution; several may share a flat nest. */
typedef struct flat_state flat_state;
flat_state *flat_begin(arena *a, const flat *f, void *context);
/* Runs one task. False: an operation said stop. */
bool flat_task(flat_state *s, int64_t task);

#endif
