/* A layer from its formula, exactly, over the integers modulo a prime (judge/residue.h). It shares no code with what it
 * judges: neither with spec/'s shape arithmetic, nor with plans and nests. */
#ifndef CVK_JUDGE_FORMULA_H
#define CVK_JUDGE_FORMULA_H

#include "judge/residue.h"
#include "spec/spec.h"

/* Dense arrays in C order, the channels that are summed over innermost: input N D H W C; weights O D H W I/groups; bias
 * O; scale as spec_scales has it; addend one N O D H W after another, gate one N O after another, one for each post-op
 * that reads such; shift beside the first of scale. What the layer does not use may be NULL. */
typedef struct formula_tensors {
    const residue *input, *weights, *bias, *scale,
        *addend, /* of gradients of weights: weights are those of the output, N D H W C */
        *gate, *shift;
} formula_tensors;

typedef struct formula formula;

/* NULL: out of memory. The layer and the tensors stay the caller's. */
formula *formula_new(const cvk_spec *s, const formula_tensors *t);
void formula_free(formula *f);
/* Outputs: of gradients of weights, those in the order O D H W I/groups (transposed I D H W O/groups), then the bias'.
 */
int64_t formula_outputs(const cvk_spec *s);
/* Parts that they may be divided into, of as many outputs: all images' channels; of gradients each by itself. */
int64_t formula_channels(const cvk_spec *s);

/* The outputs of all images' channels first <= i < last, N O D H W, after all post-ops; `output` begins with the first
 * of them. Threads may share a formula. */
void formula_range(const formula *f, int64_t first, int64_t last, residue *output);

#endif
