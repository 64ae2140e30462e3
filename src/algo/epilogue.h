/* What becomes of finished sums: bias is what they begin with, then sums of integers are scaled, then come the post-ops
 * in the order of the layer, then the store. */
#ifndef CVK_ALGO_EPILOGUE_H
#define CVK_ALGO_EPILOGUE_H

#include "algo/access.h"
#include "problem/problem.h"

typedef struct epilogue {
    nest_builder *b;
    const problem *p;
    tensor_view y;
    tensor_view places;                 /* of maxima, s32; no tensor: not asked for */
    int bias, scale, shift;             /* tensors; -1: none */
    tensor_view mean, inverse;          /* of what is normalised; no elements: nothing is */
    tensor_view operand[MOST_POST_OPS]; /* of each post-op that reads a tensor or a gate */
    int temporaries;                    /* register array, of what post-ops are computed in */
    int scaled;                         /* the same, of sums that become floats first */
} epilogue;

/* Declares the output and what bias and post-ops read. `p` stays the caller's. */
epilogue epilogue_declare(nest_builder *b, const problem *p);
void epilogue_registers(epilogue *e);

/* The bias of the channels in `m`, or zeros: what sums begin with. */
void epilogue_bias(const epilogue *e, register_ref to, const lane_map *m);
/* Scaling, post-ops and store of a vector of sums, which is lost. `with_fill`: lanes that do not exist are stored as
 * zeros. */
void epilogue_store(const epilogue *e, register_ref value, const lane_map *m, bool with_fill);
/* Where maxima stand. */
void epilogue_store_places(const epilogue *e, register_ref value, const lane_map *m, bool with_fill);
/* Zeros, wherever something is stored. */
void epilogue_store_zeros(const epilogue *e, const lane_map *m);

#endif
