/* What all strategies have in common. */
#include "tune/search.h"

#include <math.h>
#include <string.h>

#define STRATEGY(name, about) extern const strategy_moves strategy_##name;
#include "tune/strategies.def"
#undef STRATEGY

static const strategy ROWS[] = {
#define STRATEGY(name, about) {#name, about, &strategy_##name},
#include "tune/strategies.def"
#undef STRATEGY
};
enum { ROW_COUNT = sizeof ROWS / sizeof *ROWS };

const strategy *strategy_row(int index) { return index >= 0 && index < ROW_COUNT ? &ROWS[index] : NULL; }

const strategy *strategy_find(const char *name) {
    for (int i = 0; i < ROW_COUNT; i++)
        if (strcmp(ROWS[i].name, name) == 0) return &ROWS[i];
    return NULL;
}

void search_begin(search *s, const strategy *how, candidates *c, surrogate_knowledge *knowledge, uint64_t seed) {
    *s = (search){
        .strategy = how, .candidates = c, .knowledge = knowledge, .random = seed, .best = -1, .bound = c->count};
    for (size_t i = 0; i < sizeof s->tabu / sizeof *s->tabu; i++) s->tabu[i] = -1;
}

static void append(search *s, int which) {
    if (s->trials == s->capacity) {
        s->capacity = s->capacity ? 2 * s->capacity : 256;
        int *grown = arena_array(s->candidates->arena, int, s->capacity);
        if (s->trials) memcpy(grown, s->trial, sizeof *grown * (size_t)s->trials);
        s->trial = grown;
    }
    s->trial[s->trials++] = which;
    s->candidates->list[which].seen = true;
}

int search_next(search *s) {
    if (!s->candidates->count) return -1;
    const int next = s->trials ? s->strategy->moves->next(s) : 0;
    if (next >= 0) append(s, next);
    return next;
}

void search_tell(search *s, double relative) {
    const int which = s->trial[s->told++];
    s->candidates->list[which].relative = relative;
    if (isfinite(relative) && (s->best < 0 || relative < s->candidates->list[s->best].relative)) s->best = which;
    if (s->strategy->moves->learn) s->strategy->moves->learn(s, which);
}

/* SplitMix64: Steele, Lea and Flood, 2014. */
int search_random(search *s, int below) {
    uint64_t z = s->random += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return (int)((z ^ (z >> 31)) % (uint64_t)below);
}

int search_first_unseen(const search *s, const int *index, int count) {
    for (int i = 0; i < count; i++)
        if (!s->candidates->list[index[i]].seen) return index[i];
    return -1;
}

int search_best_unseen(const search *s) {
    const candidates *c = s->candidates;
    int best = -1;
    for (int i = 0; i < c->count; i++)
        if (!c->list[i].seen && (best < 0 || c->list[i].judged < c->list[best].judged)) best = i;
    return best;
}
