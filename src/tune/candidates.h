/* The plans that a search may try, each with what the model thinks of it and what a search has found out. */
#ifndef CVK_TUNE_CANDIDATES_H
#define CVK_TUNE_CANDIDATES_H

#include "algo/algo.h"
#include "spec/spec.h"

enum { CANDIDATE_FEATURES = 64 };

typedef struct candidate {
    cvk_plan plan;
    const char *text; /* as `schedule:` takes it */
    uint64_t hash;    /* of the text */
    double cycles, judged;
    double features[CANDIDATE_FEATURES]; /* logarithms of counts and the plan's numbers; without a use the rest are 0 */
    bool seen;                           /* it was proposed */
    double relative; /* measured time over the first one's; NAN: not known; INFINITY: it cannot be used */
    int *neighbour, neighbour_count; /* by `judged`; count -1: not asked for yet */
} candidate;

typedef struct candidates {
    arena *arena;
    problem problem;
    goal aim;
    candidate *list;
    int count, capacity;
    bool closed; /* steps lead to what is listed and nowhere else */
} candidates;

/* What the algorithms propose, best first by the model, whose pick is the first; then every legal plan a step away from
 * the best few and from the best of each algorithm: a space small enough to be tried whole. Steps lead beyond it.
 * Stays 0 for a layer that no plan can do. */
void candidates_open(arena *a, const cvk_spec *spec, goal aim, candidates *to);
/* None, to be added to; steps lead to what is there. */
void candidates_close(arena *a, const cvk_spec *spec, goal aim, candidates *to);
/* Adds a legal plan that is not there; gives its index. */
int candidates_add(candidates *c, const cvk_plan *plan);
/* Of a plan's text. */
uint64_t candidates_hash(const char *words);
/* -1: not there. */
int candidates_find(const candidates *c, uint64_t hash);
/* Sees that list[of].neighbour is there: the legal plans one step away. */
void candidates_step(candidates *c, int of);
/* Forgets what a search has found out. */
void candidates_forget(candidates *c);

#endif
