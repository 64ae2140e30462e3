/* A network tried: step by step, all that lies between kept, each step judged by the interpreter on what it was given;
 * then at once, in the memory that was planned, which must put out the same bits. */
#ifndef CVK_JUDGE_NETWORK_H
#define CVK_JUDGE_NETWORK_H

#include "judge/random_data.h"
#include "judge/reference.h"
#include "network/steps.h"

typedef struct network_trial {
    const network_steps *n;
    const cvk_network_info *info; /* its table, with kernels that run */
    int64_t batch;
    layer_data *data;      /* each step's: of these, its weights, bias and scales */
    unsigned char **value; /* what lies in each storage */
} network_trial;

/* Random inputs and weights, these so small that sums do not grow from step to step. `batch` is of a network for any
 * batch. `t` is for network_trial_close in any case. */
cvk_status network_trial_open(const network_steps *n, const cvk_network_info *info, int64_t batch, uint64_t seed,
                              network_trial *t);
void network_trial_close(network_trial *t);

/* Runs step number `step`, after those before it, with buffers of its own, between guard pages, and judges it by the
 * bounds of its plan. `words`, if NULL before, gets what is wrong. */
cvk_status network_trial_step(network_trial *t, int step, const layer_plan *plan, guard_side side,
                              const cvk_parallel_for *threads, verdict *v, const char **words);

/* All buffers of a run by the table, between guard pages. */
typedef struct network_buffers {
    guarded *input, *output, weights, workspace;
    cvk_network_buffers buffers;
    cvk_const_buffer *in;
    cvk_buffer *out;
    uint32_t inputs, outputs;
} network_buffers;
cvk_status network_trial_bind(const network_trial *t, guard_side side, uint32_t workers, network_buffers *b);
void network_buffers_free(network_buffers *b);
/* After a run, and after all steps were run one by one: what is odd about it, or NULL. */
const char *network_trial_compare(const network_trial *t, const network_buffers *b);

#endif
