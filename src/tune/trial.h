/* A trial, in two halves that run in different workers: a plan is compiled, proven and checked against the interpreter;
 * the object that comes of it is timed in turns with the best so far. */
#ifndef CVK_TUNE_TRIAL_H
#define CVK_TUNE_TRIAL_H

#include "judge/random_data.h"
#include "lab/lab.h"
#include "lab/turns.h"
#include "records/record.h"
#include "tune/worker.h"

enum { TRIAL_WORDS = 200 };

/* What both halves know beforehand. */
typedef struct trial_layer {
    const cvk_spec *spec;
    goal aim;
    const known_tensors *known; /* the layer's own weights, or NULL */
    /* What runs kernels of several threads, made in the worker that needs it; not called for one. */
    cvk_parallel_for (*start_threads)(uint32_t count);
} trial_layer;

/* ---- the first half ---- */

typedef struct compile_request {
    int plans, band[AXES];
    cvk_plan plan[]; /* their texts are those of tables, which a fork has where its parent has them */
} compile_request;

/* Followed by the object, whose symbol is "layer", where the outcome is OUTCOME_CORRECT. */
typedef struct compile_reply {
    record_outcome outcome;
    char why[TRIAL_WORDS];
    double compile_seconds, check_seconds;
} compile_reply;

/* False: out of memory. */
bool trial_request(message *to, const layer_plan *plan);
/* The plans of a request, which are its own. */
layer_plan trial_requested(const compile_request *request);

/* Of worker_work, whose context is a trial_layer. */
void *trial_compile_begin(void *layer);
void trial_compile(void *kept, const message *request, message *reply, volatile worker_state *state);

/* ---- the second half ---- */

/* Followed by both objects. */
typedef struct measure_request {
    size_t challenger_bytes, incumbent_bytes;
    double slow; /* times the incumbent: one that takes longer is not measured but OUTCOME_TIMEOUT */
    /* Where so many wins have less than this chance, all turns are taken once more, and the verdict is of these alone:
     * of what was picked out for having been fast, the first figures are too good. */
    double doubt;
    turns_wanted turns;
} measure_request;

typedef struct measure_reply {
    record_outcome outcome;
    char why[TRIAL_WORDS];
    turns_verdict verdict; /* of OUTCOME_TIMEOUT: of a single run */
    double measure_seconds;
} measure_reply;

void *trial_measure_begin(void *layer);
void trial_measure(void *kept, const message *request, message *reply, volatile worker_state *state);

#endif
