/* A network compiled by the plans that are chosen for it, loaded, its memory planned. */
#ifndef CVK_LAB_NETWORK_H
#define CVK_LAB_NETWORK_H

#include "compile.h"
#include "jit/load.h"
#include "lab/lab.h"
#include "network/plan.h"

typedef struct ready_network {
    const network_steps *steps;
    network_kernels kernels;
    compile_unit *unit; /* of each kernel */
    jit_image *image;
    network_memory memory;
    cvk_network_info info;
    double compile_seconds; /* of all kernels, one after another */
} ready_network;

/* Its steps, by network_of, and the layers of the kernels that these need, which may be exchanged for the same with
 * plans of their own before any of the following. */
void ready_network_begin(arena *a, const cvk_network *file, int64_t near, ready_network *r);
/* Kernels planned and described, but no code made: their descriptions have no `run`, and `image` is NULL. */
cvk_status ready_network_plan(goal aim, cvk_diagnostics *d, arena *a, ready_network *r);
/* The same, and loaded. All but the images lives in the arena; `r` is for ready_network_close in any case. */
cvk_status ready_network_open(const lab *l, arena *a, ready_network *r);
void ready_network_close(ready_network *r);

/* Seconds of each step, the median of some runs, each where the one before left the caches. */
cvk_status ready_network_time(const ready_network *r, const cvk_network_buffers *buffers,
                              const cvk_parallel_for *threads, int runs, arena *a, double *seconds);

/* The unit of a step. */
const compile_unit *ready_network_unit(const ready_network *r, int step);

#endif
