/* A trial: one layer with data and its expected output, on which kernels are tried. */
#ifndef NUMERIC_TRIAL_H
#define NUMERIC_TRIAL_H

#include "judge/random_data.h"
#include "compile.h"
#include "judge/identity.h"

/* Beyond this share of zeros an output proves little. */
#define TRIAL_MOST_ZEROS 0.7

typedef struct trial {
    const cvk_spec *spec;
    layer_data data;
    long double *expected; /* of every output, as naive_run orders them */
    double *bound;
    int32_t *places;    /* of maxima with indices */
    layer_plan plan;    /* that the bounds are for, or another that rounds alike */
    double zeros;       /* their share */
    identity *identity; /* the layer over residues */
    void *output;       /* of the first run of the latest kernel */
    int32_t *indices;   /* the same of what it puts out beside maxima */
    char words[512];    /* what is wrong with it */
} trial;

/* Draws data of which not too much is zero after the post-ops, if it can. `infinities`: some of it is not finite. */
bool trial_open(trial *t, const cvk_spec *s, data_kind kind, bool infinities, uint64_t seed);
void trial_close(trial *t);

/* How much is asked of a kernel beyond right values between guards. */
typedef struct trial_extras {
    bool threads;   /* the same bits on three threads */
    bool evaluator; /* the same bits from nest_eval */
    bool any;       /* the same bits from a kernel for any batch */
    bool baked;     /* the same bits from one that has its weights, bias, scales and shifts in its code */
} trial_extras;

/* Compiles, runs and proves; false: see t->words. */
bool trial_kernel(trial *t, const cvk_target *target, const layer_plan *plan, trial_extras extras);

/* The layer for any batch; and whether a kernel of it gives the bits that trial_kernel had from the layer itself. */
cvk_spec trial_spec_any(const trial *t);
bool trial_any(trial *t, const cvk_kernel_info *info);

/* Whether the nests store every element of the output and of the packed weights once, and equal the formula exactly;
 * else t->words is why not. */
bool trial_stored(trial *t, const nest_program *run, const nest_phase *pack);
bool trial_identity(trial *t, const compile_unit *unit);

/* Changes the data, and expects what follows from them. */
bool trial_change(trial *t, void (*change)(const cvk_spec *s, layer_data *data));

/* Runs a unit's nests alone, by nest_eval. CVK_OK: `*worst` is the largest error / bound, INFINITY
 * where fill channels are not zero. */
cvk_status trial_nests(trial *t, const compile_unit *unit, double *worst);

/* The layer as a file that `convoke check` reads, with the plan pinned, for a message. */
const char *trial_yaml(arena *a, const cvk_spec *s, const layer_plan *plan);

#endif
