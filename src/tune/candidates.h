/* The plans that a search may try, each with what the model thinks of it and what a search has found out. */
#ifndef CVK_TUNE_CANDIDATES_H
#define CVK_TUNE_CANDIDATES_H

#include "layer.h"

enum { CANDIDATE_FEATURES = 64 };

typedef struct candidate {
    layer_plan plan;  /* of each problem one */
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
    const cvk_spec *spec;
    goal aim;
    const problem *problem;
    const int *alike; /* of each problem the first that is like it, whose choice is its own */
    int problems;
    candidate *list;
    int count, capacity;
    bool closed; /* steps lead to what is listed and nowhere else */
} candidates;

/* What the algorithms propose, best first by the model, whose pick is the first; then every legal plan a step away from
 * the best few and from the best of each algorithm: a space small enough to be tried whole. Steps lead beyond it.
 * Stays 0 for a layer that no plan can do. Of several problems, one at a time has another plan than the pick, and a
 * step changes that of one; those that are alike share theirs. */
void candidates_open(arena *a, const cvk_spec *spec, goal aim, candidates *to);
/* None, to be added to; steps lead to what is there. */
void candidates_close(arena *a, const cvk_spec *spec, goal aim, candidates *to);
/* Adds legal plans that are not there; gives their index. */
int candidates_add(candidates *c, const layer_plan *plan);
/* Of the text of plans. */
uint64_t candidates_hash(const char *words);
/* -1: not there. */
int candidates_find(const candidates *c, uint64_t hash);
/* Sees that list[of].neighbour is there: what is legal and one step away. */
void candidates_step(candidates *c, int of);
/* Forgets what a search has found out. */
void candidates_forget(candidates *c);

#endif
