/* A search: which plan is tried next, given what came of those before. It is a function of its seed and of the results
 * it was told, in their order: the same results, the same search, on a clock or from a database. */
#ifndef CVK_TUNE_SEARCH_H
#define CVK_TUNE_SEARCH_H

#include "tune/candidates.h"

/* A search goes on without the results of the last few trials, which are being compiled or measured meanwhile. */
enum { SEARCH_LAG = 4 };

/* What was learned of how the model errs: sums of a regression, kept from layer to layer. */
typedef struct surrogate_knowledge {
    double products[CANDIDATE_FEATURES][CANDIDATE_FEATURES], sums[CANDIDATE_FEATURES];
    double weights[CANDIDATE_FEATURES];
    int lessons;
} surrogate_knowledge;

typedef struct search search;

/* How a strategy moves. */
typedef struct strategy_moves {
    /* The index of a candidate that was not seen; -1: there is none left. */
    int (*next)(search *s);
    /* Told of a candidate's result; NULL: it does not care. */
    void (*learn)(search *s, int which);
} strategy_moves;

/* A row of tune/strategies.def. */
typedef struct strategy {
    const char *name, *about;
    const strategy_moves *moves;
} strategy;

struct search {
    const strategy *strategy;
    candidates *candidates;
    surrogate_knowledge *knowledge;
    uint64_t random;
    int *trial, trials, capacity; /* candidates in the order in which they were proposed */
    int told;                     /* results of the first so many are known */
    int best;                     /* of the candidates whose result is known; -1: none */
    /* of strategies that walk */
    int here, steps, idle, bound;
    int tabu[8];
};

/* NULL past the end. */
const strategy *strategy_row(int index);
const strategy *strategy_find(const char *name);
void search_begin(search *s, const strategy *how, candidates *c, surrogate_knowledge *knowledge, uint64_t seed);
/* The next candidate to try, the model's pick first. -1: there is none left. Not to be called while more than
 * SEARCH_LAG results are missing. */
int search_next(search *s);
/* The result of the first trial that was not told yet: time over that of the pick; NAN: not known; INFINITY: it cannot
 * be used. */
void search_tell(search *s, double relative);

/* ---- for strategies ---- */

/* The next of a sequence that looks random: 0 <= r < below. */
int search_random(search *s, int below);
/* Of these candidates, the first that was not seen; -1. */
int search_first_unseen(const search *s, const int *index, int count);
/* Of all, the one unseen that the model judges best; -1. */
int search_best_unseen(const search *s);

#endif
