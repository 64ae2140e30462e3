/* Where things are measured: the target whose code this machine runs, the threads that run it, and what layers are
 * taken to be. */
#ifndef CVK_LAB_LAB_H
#define CVK_LAB_LAB_H

#include "base/diag.h"
#include "target/goal.h"

typedef struct lab {
    const cvk_target *target;
    const cvk_parallel_for *threads;
    /* NULL, or sends the threads to sleep, who otherwise spin for a while to be quick at what comes next. */
    void (*rest)(const cvk_parallel_for *threads);
    cvk_diagnostics *diagnostics;
    uint32_t plan_threads; /* that plans are chosen for; 0: not known */
    int64_t batch;         /* images of a layer for any batch; 0: one */
    const struct known_tensors
        *known; /* of the layer at hand, in the place of random ones (judge/random_data.h), or NULL */
} lab;

static inline goal lab_goal(const lab *l) { return (goal){.target = l->target, .threads = l->plan_threads}; }

/* The calling thread. */
extern const cvk_parallel_for lab_one_thread;

/* The same on the calling thread. */
static inline lab lab_alone(const lab *l) {
    lab alone = *l;
    alone.threads = &lab_one_thread;
    alone.rest = NULL;
    return alone;
}

static inline void lab_rest(const lab *l) {
    if (l->rest && l->threads->workers > 1) l->rest(l->threads);
}

#endif
