/* Local search, best first: a plan in whose neighbourhood all was tried is left for the best of the others that were
 * measured. */
#include "tune/search.h"

#include <math.h>

/* Of those that are known and still have neighbours to try, the fastest: the next of its neighbours. */
static int next(search *s) {
    candidates *c = s->candidates;
    double least = -1;
    for (int tries = 0; tries <= s->told; tries++) {
        int centre = -1;
        for (int i = 0; i < s->told; i++) {
            const double relative = c->list[s->trial[i]].relative;
            if (isfinite(relative) && relative > least && (centre < 0 || relative < c->list[centre].relative))
                centre = s->trial[i];
        }
        if (centre < 0) break;
        candidates_step(c, centre);
        const int found = search_first_unseen(s, c->list[centre].neighbour, c->list[centre].neighbour_count);
        if (found >= 0) return found;
        least = c->list[centre].relative;
    }
    return search_best_unseen(s);
}

const strategy_moves strategy_local = {next, NULL};
