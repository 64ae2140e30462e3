/* A chain of problems, each of which takes what the one before gives, in boxes of the last one's output: which outputs
 * of each problem a box needs, halo and all, clipped where the tensor ends. Boxes that need the same are one class,
 * whose problems stand as far apart, from one to the next, as affine addresses can say. */
#ifndef CVK_PROBLEM_BAND_H
#define CVK_PROBLEM_BAND_H

#include "problem/problem.h"

/* One axis of one problem in the first band of a class: its positions count from the band's first. */
typedef struct band_axis {
    problem_axis axis;
    int64_t out, in; /* where the band's first output, and the first input that it reads, stand in the whole */
    int64_t out_step, in_step; /* and how much farther those of the next band do */
} band_axis;

/* Bands of an axis, one after another, that are alike. */
typedef struct band_class {
    int64_t count;
    band_axis link[MOST_LINKS];
} band_class;
typedef struct band_list {
    band_class *band;
    int count;
} band_list;

/* The axis of `links` problems in bands of so many of the last one's outputs. */
band_list bands_of(arena *a, const problem *link, int links, int axis, int64_t size);
/* Outputs of a problem along the axis, over all bands: those that several need are computed for each. */
int64_t bands_outputs(const band_list *bands, int link);
/* The most that a band has of them. */
int64_t bands_most(const band_list *bands, int link);

/* A problem in a box, of one image. The views are the whole's: where the box stands in them is for who builds it. */
problem problem_in_box(const problem *p, const band_axis *const axis[AXES]);

#endif
