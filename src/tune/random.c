/* Any plan of the space that the search began with, each of those left as likely as the others. */
#include "tune/search.h"

static int next(search *s) {
    int left = 0;
    for (int i = 0; i < s->bound; i++) left += !s->candidates->list[i].seen;
    int skip = left ? search_random(s, left) : 0;
    for (int i = 0; left && i < s->bound; i++)
        if (!s->candidates->list[i].seen && skip-- == 0) return i;
    return -1;
}

const strategy_moves strategy_random = {next, NULL};
