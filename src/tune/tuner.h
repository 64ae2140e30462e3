/* The tuner: searches the plans of a layer, a record each, and holds the best against the model's pick. */
#ifndef CVK_TUNE_TUNER_H
#define CVK_TUNE_TUNER_H

#include "records/database.h"
#include "tune/search.h"
#include "tune/shard.h"
#include "tune/trial.h"

#include <signal.h>

/* How far the tuner has come with a layer. */
typedef struct tune_progress {
    const char *name;
    int trials, failed; /* told, of this run and of the database */
    int tried;          /* compiled and measured by this run */
    int budget;         /* INT_MAX: all */
    double relative;    /* of the best, over the model's pick */
    double seconds;     /* since the layer began */
} tune_progress;

typedef struct tune_setup {
    goal aim;
    const strategy *strategy;
    uint64_t seed;
    int budget;   /* trials a layer; INT_MAX: all there are */
    double until; /* by clock_seconds, the search of the layer ends; INFINITY */
    shard shard;
    const known_tensors *weights; /* the layer's own, or NULL */
    const record_list *known;     /* what was recorded before; the tuner does not try it again */
    database_writer *writer;
    surrogate_knowledge *knowledge;    /* kept from layer to layer */
    const volatile sig_atomic_t *stop; /* not 0: as soon as may be */
    cvk_parallel_for (*start_threads)(uint32_t count);
    void (*progress)(void *context, const tune_progress *p); /* or NULL */
    void *progress_context;
    cvk_diagnostics *diagnostics;
    /* What workers do: trial_compile, trial_measure, or a test's. */
    void (*compile)(void *kept, const message *request, message *reply, volatile worker_state *state);
    void (*measure)(void *kept, const message *request, message *reply, volatile worker_state *state);
} tune_setup;

/* Limits of a trial. */
typedef struct tune_limits {
    double compile_seconds, judge_seconds, run_seconds; /* of a stage, besides what the layer's size asks for */
    double slow;  /* times the best so far: one that takes longer is not measured further */
    size_t bytes; /* of a worker's memory, beyond the tuner's */
    turns_wanted turns;
    double
        doubt; /* the chance below which a trial that was faster than the best so far takes its place, measured twice */
} tune_limits;
extern const tune_limits tune_usual_limits;

typedef struct tune_result {
    int trials, failed, tried;
    bool stopped;
    record match; /* `plan` is "" where there was none */
    double seconds;
} tune_result;

/* One layer, in this process, which has to have a single thread. Texts of the result live in the arena. A layer that
 * fails in some of its plans is CVK_OK; CVK_ERROR_UNSUPPORTED where there is none, CVK_ERROR_IO where records cannot be
 * written. */
cvk_status tune_layer(const tune_setup *setup, const tune_limits *limits, arena *a, const cvk_spec *spec,
                      tune_result *result);

#endif
