/* Timing: several things in turns, medians of many samples. */
#ifndef CVK_CLI_MEASURE_H
#define CVK_CLI_MEASURE_H

#include <stddef.h>

enum { MEASURE_MOST = 4 };

/* Something to time, and what came of it. */
typedef struct measured {
    void (*run)(const void *context);
    const void *context;
    double seconds; /* of one run: the median */
    double fastest; /* of one run: the least, where what is asked for is what the machine can do */
} measured;

/* Seconds since some moment. */
double measure_now(void);
/* Times all in turns, so that what the machine does meanwhile happens to each of them. */
void measure(measured *things, size_t count);
/* The middle of n values, which get sorted. */
double measure_median(double *values, size_t n);

#endif
