/* The boxes of a chain's output for each of which a task computes all layers: what is in one of each layer, and which
 * are worth ranking. */
#ifndef CVK_CHAIN_BOXES_H
#define CVK_CHAIN_BOXES_H

#include "problem/band.h"
#include "spec/spec.h"

typedef struct chain {
    const cvk_spec *spec;
    int links;
    problem link[MOST_LINKS]; /* whole */
    cvk_layout between;
} chain;

typedef struct bands {
    band_list axis[AXES];
    int classes; /* of boxes */
} bands;

/* A class of boxes. */
typedef struct box {
    const band_class *axis[AXES];
} box;

chain chain_of(const cvk_spec *spec);
const problem *chain_last(const chain *c);
/* Boxes of so many outputs along each axis. */
bands bands_in(arena *a, const chain *c, const int band[AXES]);
box box_of(const bands *b, int index);
int64_t boxes_in(const box *b); /* of the class */
int main_class(const bands *b); /* that most boxes are of */
/* What a layer hands to the next in a box, and the problem that a layer is there. */
view view_between(const chain *c, const box *b, int link, int64_t groups);
problem link_in_box(const chain *c, const box *b, int i);
int64_t bytes_between(const chain *c, const bands *b); /* in the largest box, of all layers */

enum { CHAIN_BANDS = 4 };
typedef struct band_choice {
    int band[AXES];
    double work;
} band_choice;

/* For each of some shares of a cache of so many bytes that what is between layers may take, the bands of the least
 * effort; no work: there are none. */
void choose_bands(const chain *c, int64_t cache, band_choice best[CHAIN_BANDS]);

#endif
