/* Greedy: each row is made around a pair that is still missing, the best of a few random ones. */
#include "pairwise.h"

#include <stdlib.h>
#include <string.h>

enum { CANDIDATES = 12, ATTEMPTS = 2000 };

/* Which pairs have been seen: a table of levels x levels for each two factors. */
typedef struct cover {
    const pairwise *plan;
    int first[PAIRWISE_MOST_FACTORS][PAIRWISE_MOST_FACTORS]; /* of the tables, in `seen` */
    unsigned char *seen;
} cover;

static unsigned char *cell(const cover *c, int f, int g, int x, int y) {
    return &c->seen[c->first[f][g] + x * c->plan->levels[g] + y];
}

static bool cover_open(cover *c, const pairwise *p) {
    int cells = 0;
    c->plan = p;
    for (int f = 0; f < p->factors; f++)
        for (int g = f + 1; g < p->factors; g++) {
            c->first[f][g] = cells;
            cells += p->levels[f] * p->levels[g];
        }
    c->seen = calloc((size_t)cells + 1, 1);
    return c->seen;
}

static int count_new(const cover *c, const int *row) {
    int count = 0;
    for (int f = 0; f < c->plan->factors; f++)
        for (int g = f + 1; g < c->plan->factors; g++) count += !*cell(c, f, g, row[f], row[g]);
    return count;
}

static void mark(const cover *c, const int *row) {
    for (int f = 0; f < c->plan->factors; f++)
        for (int g = f + 1; g < c->plan->factors; g++) *cell(c, f, g, row[f], row[g]) = 1;
}

/* A random allowed row in which factor f is x and g is y. */
static bool draw_row(const pairwise *p, draws *d, int f, int x, int g, int y, int *row) {
    for (int i = 0; i < ATTEMPTS; i++) {
        for (int k = 0; k < p->factors; k++) row[k] = (int)draw_from(d, 0, p->levels[k] - 1);
        row[f] = x;
        row[g] = y;
        if (p->allowed(row)) return true;
    }
    return false;
}

static bool best_row(const cover *c, draws *d, int f, int x, int g, int y, int *best) {
    int row[PAIRWISE_MOST_FACTORS], most = 0;
    for (int i = 0; i < CANDIDATES; i++) {
        if (!draw_row(c->plan, d, f, x, g, y, row)) break;
        int news = count_new(c, row);
        if (news <= most) continue;
        most = news;
        memcpy(best, row, sizeof *row * (size_t)c->plan->factors);
    }
    return most > 0;
}

int pairwise_cover(const pairwise *p, draws *d, int *rows, int most, int *missing) {
    cover c;
    int count = 0;
    *missing = 0;
    if (!cover_open(&c, p)) return 0;
    for (int f = 0; f < p->factors; f++)
        for (int g = f + 1; g < p->factors; g++)
            for (int x = 0; x < p->levels[f]; x++)
                for (int y = 0; y < p->levels[g]; y++) {
                    if (*cell(&c, f, g, x, y)) continue;
                    int *row = rows + count * p->factors;
                    if (count < most && best_row(&c, d, f, x, g, y, row)) {
                        mark(&c, row);
                        count++;
                    } else {
                        ++*missing;
                    }
                }
    free(c.seen);
    return count;
}
