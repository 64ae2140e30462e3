/* Ways to convolve. Each is one file with a row in algo/algorithms.def. */
#ifndef CVK_ALGO_ALGO_H
#define CVK_ALGO_ALGO_H

#include "nest/program.h"
#include "plan/plan.h"
#include "problem/problem.h"
#include "target/goal.h"

/* What a plan becomes: the kernel and the packing of its weights, NULL where it has none. */
typedef struct algo_nests {
    nest_program run;
    nest *pack;
} algo_nests;

/* How many tasks there are, and how many parts of the output's positions they keep to, one after the other. */
typedef struct plan_tasks {
    int64_t count, places;
} plan_tasks;

typedef struct plan_list {
    cvk_plan *plan;
    int count, capacity;
} plan_list;

typedef struct algorithm {
    const char *name; /* of the algorithm, as `algorithm:` names it; several rows may share one, with other lanes */
    plan_lanes lanes;
    /* Whether it can do the problem; if not, `why` gets a reason for `explain`. */
    bool (*applicable)(const problem *p, const cvk_target *target, const char **why);
    /* Appends the plans worth ranking. Never empty where applicable. */
    void (*propose)(const struct algorithm *row, const problem *p, goal aim, arena *a, plan_list *list);
    /* NULL if the plan's numbers fit; else what is wrong with them. */
    const char *(*refuse)(const struct algorithm *row, const problem *p, const cvk_target *target,
                          const cvk_plan *plan);
    algo_nests (*build)(const struct algorithm *row, arena *a, const problem *p, const cvk_target *target,
                        const cvk_plan *plan);
    /* What the nests will take, in cycles of one core. */
    double (*cycles)(const problem *p, const cvk_target *target, const cvk_plan *plan, const algo_nests *nests,
                     const nest_counts *counts);
    /* The tasks that the nests would have, where they are known without them and `cycles` needs but their counts: plans
     * that differ in their order alone are then judged by those of one of them. NULL: they are not. */
    plan_tasks (*tasks)(const struct algorithm *row, const problem *p, const cvk_target *target, const cvk_plan *plan);
    /* No more than `cycles` of the nests, found without them, so that none are built for plans that cannot be the best.
     * NULL: nothing is known. */
    double (*least)(const problem *p, const cvk_target *target, const cvk_plan *plan);
    const struct family *family; /* of those that share the walk of algo/direct/tile.h: what differs; else NULL */
    bool asked_for;              /* `auto` leaves it out: it is known to win nowhere */
} algorithm;

/* NULL past the end. */
const algorithm *algo_row(int index);
/* The row a plan was made for, or NULL. */
const algorithm *algo_of(const cvk_plan *plan);
void plan_list_add(arena *a, plan_list *list, cvk_plan plan);

/* A plan with its nests and what the cost model thinks of them. */
typedef struct ranked_plan {
    cvk_plan plan;
    double seconds_per_peak; /* predicted time over the time at FMA peak, on one core: 1 is perfect */
    double cycles;           /* predicted, of one core */
    double judged;           /* cycles that rank it: what its goal's threads take, or one core with a worth of many */
    algo_nests nests;
    nest_counts counts; /* of nests.run */
} ranked_plan;

/* Builds a plan that fits, counts it and judges it. */
ranked_plan algo_build(arena *a, const problem *p, goal aim, const cvk_plan *plan);
/* What is wrong with a plan for a problem, or NULL. */
const char *algo_refuse(const problem *p, const cvk_target *target, const cvk_plan *plan);
/* The plans of all applicable algorithms of that name (`auto`: of any that has not to be asked for), best first, at
 * most `limit` (0: all), without their nests. Where there is none, count is 0 and `why` says why not. */
void algo_rank(arena *a, const problem *p, goal aim, const char *algorithm, int limit, ranked_plan **plans, int *count,
               const char **why);

#endif
