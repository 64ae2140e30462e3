/* The cost model: what a plan's nest will take, in cycles of one core. */
#ifndef CVK_ALGO_COST_H
#define CVK_ALGO_COST_H

#include "algo/algo.h"

/* The model's constants, rows of algo/cost.def: COST_CALL_CYCLES, … What differs between machines is none of them, but
 * a target's figures. */
#define COST(name, value, about) static const double COST_##name = value;
#include "algo/cost.def"
#undef COST

enum { LINE_BYTES = 64 }; /* of a cache */

/* Bytes that one core may count on in the third level. */
double cost_l3_bytes(const cvk_target *target);
/* Instructions alone: ports, loads and, with that many independent sums, latency. `lanes`: of the type summed in.
 * `apart`: multiply-adds and other arithmetic come one after the other, so that neither fills ports that the other
 * leaves free. */
double cost_issue(const cvk_target *target, const nest_counts *counts, int lanes, double sums, bool apart);
/* Likewise, where what is stored waits for nothing: it goes out beside what is computed next. */
double cost_issue_beside_stores(const cvk_target *target, const nest_counts *counts, int lanes, double sums);
/* Loads of two lines take as long as two: of those that begin anywhere all but few, where a vector is a line. Elements
 * are of so many bytes. */
double cost_crossings(const cvk_target *target, const nest_counts *counts, int lanes, int element);
/* Bytes from the second- and third-level cache, from memory, and from where a tensor of that size is, beyond the second
 * level. */
double cost_l2(const cvk_target *target, double bytes);
double cost_l3(const cvk_target *target, double bytes);
double cost_memory(const cvk_target *target, double bytes);
double cost_far(const cvk_target *target, double bytes, double size);
/* Cycles the problem's multiply-adds take at FMA peak, or that of sums of several products of integers. */
double cost_peak_cycles(const problem *p, const cvk_target *target);

/* Bytes of a step of a network: of what tasks read all channels of, of what they read or write their own channels of,
 * and of weights, which serve all positions; and how many parts of the positions tasks keep to. */
typedef struct cost_shares {
    double all_channels, own_channels, weights;
    double places;
} cost_shares;
cost_shares cost_shares_of(const problem *p, int64_t places);

/* A phase: its share of a plan's cycles, and its tasks, which are taken to be of one size. */
typedef struct cost_phase {
    double share;
    int64_t tasks;
    double carried, parts; /* bytes that the phase before left to it, and how many parts of them tasks keep to */
    cost_shares shares;    /* of what the step before left to the first phase, and this one leaves to the next */
} cost_phase;

/* What so many workers take for `cycles` of one core as they are split among them: of each phase what the worker with
 * the most tasks takes, the calls of the kernel, the waiting for one another, and what a worker fetches of what others
 * left to it, and of what others fetch too. Whatever the goal's threads. */
double cost_on_workers(double cycles, const cost_phase *phase, int phases, uint32_t workers, goal aim);
/* Whether stores of a kernel that moves so many bytes had better bypass the caches, which do not hold them until they
 * are read. */
bool cost_streams(const cvk_target *t, double bytes);

/* What ranks a plan: the same for a goal's threads; where those are not known, `cycles` and a little of what many
 * workers would lose. */
double cost_judged(double cycles, const cost_phase *phase, int phases, goal aim);

#endif
