/* Strategies replayed on a database in which every plan of a layer's space was tried: no code runs, and a search gets
 * the times that were recorded. */
#ifndef CVK_TUNE_SIMULATE_H
#define CVK_TUNE_SIMULATE_H

#include "records/database.h"
#include "tune/search.h"

/* A layer as it was recorded: its candidates, the model's pick first, and what their times are over that of the first.
 */
typedef struct simulated_layer {
    const char *name;
    candidates candidates;
    double *relative; /* by candidate; INFINITY: it failed */
    double optimum;   /* the least of them */
} simulated_layer;

typedef struct simulation {
    simulated_layer *layers;
    size_t count;
    size_t ignored; /* trials of other CPUs' targets, or whose plans do not fit their layers any more */
} simulation;

enum { SIMULATION_FEWEST = 3 }; /* correct trials, without which a layer says nothing */

/* Of all keys in the list, a layer each, whatever machine it was. Everything lives in the arena. */
void simulation_open(arena *a, const record_list *list, simulation *to);

/* How far a strategy has come after each of so many trials: the optimum over the best so far, between 0 and 1.
 * `share[t * runs + r]` is that of trial t + 1 in run r; the runs of layer l are those from l * repeats on. Seeds count
 * from `seed`. What a strategy learns is kept from layer to layer of a repeat. */
void simulation_run(simulation *s, const strategy *how, int trials, int repeats, uint64_t seed, double *share);

/* Of n values, which get sorted, that below which `share` of them are. */
double simulation_quantile(double *values, size_t n, double share);

#endif
