/* A layer from its formula, exactly, over the integers modulo a prime (judge/residue.h). It shares no code with what it
 * judges: neither with spec/'s shape arithmetic, nor with plans and nests. */
#ifndef CVK_JUDGE_FORMULA_H
#define CVK_JUDGE_FORMULA_H

#include "judge/residue.h"
#include "spec/spec.h"

/* Dense arrays in C order, the channels that are summed over innermost: input N D H W C; weights O D H W I/groups; bias
 * O; scale one O after another, one for each `scale`; addend one N O D H W after another, one for each `add`. What the
 * layer does not use may be NULL. */
typedef struct formula_tensors {
    const residue *input, *weights, *bias, *scale, *addend;
} formula_tensors;

typedef struct formula formula;

/* NULL: out of memory. The layer and the tensors stay the caller's. */
formula *formula_new(const cvk_spec *s, const formula_tensors *t);
void formula_free(formula *f);
/* The outputs of all images' channels first <= i < last, N O D H W, after all post-ops; `output` begins with the first
 * of them. Threads may share a formula. */
void formula_range(const formula *f, int64_t first, int64_t last, residue *output);

#endif
