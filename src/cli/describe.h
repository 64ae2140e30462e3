/* What the compiler decided about a layer, gathered and put into words. */
#ifndef CVK_CLI_DESCRIBE_H
#define CVK_CLI_DESCRIBE_H

#include "cli/session.h"
#include "lab/trial.h"

typedef struct description {
    goal aim;            /* what plans are ranked for */
    const char *origin;  /* of the plan, in words; NULL: nobody asked */
    compile_unit unit;   /* the chosen plan, its nests and buffers */
    ranked_layer *plans; /* best first; the chosen one is the first */
    int plan_count;
    bool stored;      /* once is each of its outputs, and proven to be; false: there are too many to say */
    plan_time *times; /* of the first `measured_count` plans; NULL: not measured */
    int measured_count;
    double peak; /* measured among them: operations a second */
} description;

/* `limit`: how many plans to rank, 0: all. */
cvk_status describe_layer(arena *a, const cvk_spec *spec, goal aim, int limit, cvk_diagnostics *d, description *to);
/* Times the plans, as many as can be timed in turns, on one thread. */
cvk_status describe_measure(const session *s, arena *a, description *x);
void describe_print(const description *x, text *out);

/* Seconds of plan i at the measured peak; NAN where nothing is measured. */
double describe_predicted_seconds(const description *x, int i);
double describe_measured_seconds(const description *x, int i);

/* Figures of one plan or nest. */
double describe_share(const ranked_layer *plan); /* predicted, of the FMA peak */
double describe_loads_per_fma(const nest_counts *counts);
double describe_traffic(const description *x); /* bytes loaded and stored by instructions */

#endif
