/* Timing: several things in turns, medians of many samples. */
#ifndef CVK_LAB_MEASURE_H
#define CVK_LAB_MEASURE_H

#include <stdbool.h>
#include <stddef.h>

enum { MEASURE_MOST = 64 };

/* Something to time, and what came of it. */
typedef struct measured {
    void (*run)(const void *context);
    void (*rest)(const void *context); /* or NULL: sends its threads to sleep, which else spin while others are timed */
    const void *context;
    bool always_warm; /* never evicted */
    double seconds;   /* of one run: the median */
    double fastest;   /* of one run: the least, where what is asked for is what the machine can do */
} measured;

/* Times all in turns, so that what the machine does meanwhile happens to each of them. Before each sample comes a run
 * that is not timed or, if not NULL, `evict`, which empties the caches; a sample is then a single run. */
void measure(measured *things, size_t count, void (*evict)(const void *context), const void *context);
/* How many runs make a sample of a millisecond, warm. */
int measure_runs(const measured *m);
/* A sample of so many runs: seconds a run, after one that is not timed, unless it was the last to run and is warm. */
double measure_sample(const measured *m, int runs, bool again);
/* The middle of n values, which get sorted. */
double measure_median(double *values, size_t n);

#endif
