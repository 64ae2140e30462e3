/* Iterated local search with a tabu list: from where it is, it tries the most promising steps, and goes on from the
 * best of them, be it worse; not back to the places it came from last; and, having found nothing better for a while,
 * from some steps away of the best there is. */
#include "tune/search.h"

#include <math.h>

enum { STEPS = 8, PATIENCE = 3, JUMPS = 2, MEMORY = sizeof((search *)0)->tabu / sizeof *((search *)0)->tabu };

static bool is_tabu(const search *s, int which) {
    for (int i = 0; i < MEMORY; i++)
        if (s->tabu[i] == which) return true;
    return false;
}

static void go(search *s, int to) {
    for (int i = MEMORY - 1; i > 0; i--) s->tabu[i] = s->tabu[i - 1];
    s->tabu[0] = s->here;
    s->here = to;
    s->steps = 0;
    candidates_step(s->candidates, to);
}

/* The fastest neighbour that is known and not forbidden, or -1. */
static int best_step(const search *s) {
    const candidate *here = &s->candidates->list[s->here];
    int best = -1;
    for (int i = 0; i < here->neighbour_count; i++) {
        const int at = here->neighbour[i];
        const double relative = s->candidates->list[at].relative;
        if (!isfinite(relative) || is_tabu(s, at)) continue;
        if (best < 0 || relative < s->candidates->list[best].relative) best = at;
    }
    return best;
}

/* Some steps from the best, wherever they lead. */
static void jump(search *s) {
    int at = s->best >= 0 ? s->best : 0;
    for (int i = 0; i < JUMPS; i++) {
        candidates_step(s->candidates, at);
        const candidate *c = &s->candidates->list[at];
        if (c->neighbour_count) at = c->neighbour[search_random(s, c->neighbour_count)];
    }
    s->idle = 0;
    go(s, at);
}

static void move(search *s) {
    const int best = s->best, step = best_step(s);
    s->idle = best >= 0 && step == best ? 0 : s->idle + 1;
    if (step < 0 || s->idle > PATIENCE)
        jump(s);
    else
        go(s, step);
}

static int next(search *s) {
    candidates_step(s->candidates, s->here);
    if (s->steps >= STEPS) move(s);
    for (int tries = 0; tries < 2; tries++) {
        const candidate *here = &s->candidates->list[s->here];
        const int found = here->seen ? search_first_unseen(s, here->neighbour, here->neighbour_count) : s->here;
        s->steps++;
        if (found >= 0) return found;
        jump(s);
    }
    return search_best_unseen(s);
}

const strategy_moves strategy_tabu = {next, NULL};
