/* The naive interpreter: a layer from its formula, in numbers finer than its own. It shares no code with what it
 * judges: neither with spec/'s shape arithmetic, nor with plans, nests and kernels. */
#ifndef CVK_JUDGE_NAIVE_H
#define CVK_JUDGE_NAIVE_H

#include "spec/spec.h"

/* Dense arrays in C order, each of its type (spec/spec.h): input N C D H W; weights O I/groups D H W, transposed I
 * O/groups D H W, of pools none; bias O; scale as spec_scales has it; addend one N O D H W after another, one for each
 * post-op that reads a tensor; gate one N O after another; shift beside the first of scale. What the layer does not use
 * may be NULL. */
typedef struct naive_tensors {
    const void *input, *weights /* of gradients of weights: gradients of the output, N O D H W */, *bias, *scale,
        *addend;
    const double *rounding; /* permitted |error| of each output's sum, N O D H W; NULL, and NaN of a single output: that
                               of direct summation; of a chain, those of its first layer */
    const void *before; /* where the layer accumulates, what the output holds: N O D H W; gradients of weights as they
                           come out */
    const void *shift;  /* of multipliers that are integers */
    const void *gate;
    const long double *finer; /* of a later layer of a chain: its input, N C D H W, in place of `input`, */
    const double *doubt;      /* and how far what a kernel has there may be from that; NULL: nothing is asked */
} naive_tensors;

/* Of a chain, whose tensors are those of its layers one after another, all but its last layer: that layer, and what it
 * takes; of any other layer, itself. `bounds`: doubts are asked for. `threads` may be NULL. */
typedef struct naive_last {
    cvk_spec spec;
    naive_tensors tensors;
    void *memory;
} naive_last;
bool naive_begin(const cvk_spec *s, const naive_tensors *t, bool bounds, const cvk_parallel_for *threads,
                 naive_last *last);
void naive_end(naive_last *last);

/* Output channels of all images: n * out_channels + oc is the index of one. Of gradients of weights, each by itself:
 * the weights' in their order, then the bias'. */
int64_t naive_channels(const cvk_spec *s);
/* Outputs of one of them: D H W. */
int64_t naive_channel_size(const cvk_spec *s);

/* The outputs of channels first <= i < last, after all post-ops, to `output`, whose element 0 is the first of them.
 * `bound`, which may be NULL, gets how far a kernel may be from each (judge/bound.h). Threads may share a layer.
 */
void naive_range(const cvk_spec *s, const naive_tensors *t, int64_t first, int64_t last, long double *output,
                 double *bound);

/* Of pools with indices: where the maxima of these channels stand, each in the map of its channel. */
void naive_places(const cvk_spec *s, const naive_tensors *t, int64_t first, int64_t last, int32_t *places);

/* All of them; of a chain, too. False: out of memory. */
bool naive_run(const cvk_spec *s, const naive_tensors *t, long double *output, double *bound);

#endif
