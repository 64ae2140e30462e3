/* Where things are measured: the target whose code this machine runs, and the threads that run it. */
#ifndef CVK_LAB_LAB_H
#define CVK_LAB_LAB_H

#include "base/diag.h"
#include "target/target.h"

typedef struct lab {
    const cvk_target *target;
    const cvk_parallel_for *threads;
    /* NULL, or sends the threads to sleep, who otherwise spin for a while to be quick at what comes next. */
    void (*rest)(const cvk_parallel_for *threads);
    cvk_diagnostics *diagnostics;
} lab;

/* The calling thread. */
extern const cvk_parallel_for lab_one_thread;

static inline void lab_rest(const lab *l) {
    if (l->rest && l->threads->workers > 1) l->rest(l->threads);
}

#endif
