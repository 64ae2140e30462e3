/* Pairwise covering: rows in which every two values of every two factors stand together somewhere. */
#ifndef NUMERIC_PAIRWISE_H
#define NUMERIC_PAIRWISE_H

#include "draw.h"

enum { PAIRWISE_MOST_FACTORS = 20 };

typedef struct pairwise {
    int factors;
    const int *levels; /* of each factor: its values are 0 .. levels - 1 */
    /* Whether the values go together. */
    bool (*allowed)(const int *row);
} pairwise;

/* Writes at most `most` rows, factor after factor, and gives their number. `missing`: pairs that no allowed row was
 * found for. */
int pairwise_cover(const pairwise *p, draws *d, int *rows, int most, int *missing);

#endif
