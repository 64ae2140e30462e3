/* A campaign: many numbered layers, each tried with many plans on several targets, in forked workers. */
#ifndef NUMERIC_CAMPAIGN_H
#define NUMERIC_CAMPAIGN_H

#include "draw.h"
#include "trial.h"

#include <stdatomic.h>

typedef struct campaign {
    const char *test; /* its Criterion name */
    uint64_t seed;
    int cases;
    /* Layer number `number`, small, and how many plans to try on the host's target and on another one. */
    cvk_spec (*layer)(draws *d, int number, const void *layers);
    const void *layers;
    int plans, other_plans;
    int walks;              /* plans on each target that nobody proposes */
    int percent_every_plan; /* of the layers are tried with every plan of the host's target */
} campaign;

/* What was done. */
typedef struct campaign_tally {
    atomic_long layers, kernels, proposed, walked, evaluated, every_plan, vacuous;
} campaign_tally;

/* How many layers failed; each has been described on stderr with the command that repeats it. */
int campaign_run(const campaign *c, campaign_tally *tally);

#endif
