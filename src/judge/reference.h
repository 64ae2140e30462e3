/* The expected output of a layer, computed by the interpreter on all threads, and a kernel's output judged by it. */
#ifndef CVK_JUDGE_REFERENCE_H
#define CVK_JUDGE_REFERENCE_H

#include "judge/bound.h"
#include "judge/tensors.h"
#include "plan/plan.h"

typedef struct reference {
    const cvk_spec *spec;
    long double *output;
    double *bound;   /* one each of every output, in logical order */
    int32_t *places; /* of maxima with indices; else NULL */
    double zeros;    /* their share */
} reference;

/* With the bounds of what `plan` computes. False: out of memory. */
bool reference_run(const cvk_spec *s, const layer_plan *plan, const naive_tensors *data,
                   const cvk_parallel_for *threads, reference *r);
void reference_free(reference *r);
/* False: out of memory. */
bool reference_judge(const reference *r, const tensors *t, const cvk_parallel_for *threads, verdict *v);

#endif
