/* Samples of at least a millisecond, taken in turns. */
#include "cli/measure.h"

#include <stdlib.h>
#include <time.h>

enum { LEAST_SAMPLES = 9, MOST_SAMPLES = 101 };
static const double SAMPLE_SECONDS = 1e-3, ALL_SECONDS = 0.4, FASTEST_RUN = 1e-8;

double measure_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double measure_median(double *values, size_t n) {
    if (!n) return 0;
    qsort(values, n, sizeof *values, compare);
    return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

/* Seconds a run. */
static double sample(const measured *m, int runs) {
    double begin = measure_now();
    for (int i = 0; i < runs; i++) m->run(m->context);
    return (measure_now() - begin) / runs;
}

/* How many runs make a sample; warms caches up. */
static int runs_for(const measured *m) {
    sample(m, 1);
    double seconds = sample(m, 1);
    if (seconds < FASTEST_RUN) seconds = FASTEST_RUN;
    return seconds >= SAMPLE_SECONDS ? 1 : (int)(SAMPLE_SECONDS / seconds) + 1;
}

void measure(measured *things, size_t count) {
    double values[MEASURE_MOST][MOST_SAMPLES];
    int runs[MEASURE_MOST], samples = 0;
    for (size_t i = 0; i < count; i++) runs[i] = runs_for(&things[i]);
    double begin = measure_now();
    while (samples < LEAST_SAMPLES || (samples < MOST_SAMPLES && measure_now() - begin < ALL_SECONDS)) {
        for (size_t i = 0; i < count; i++) values[i][samples] = sample(&things[i], runs[i]);
        samples++;
    }
    for (size_t i = 0; i < count; i++) {
        things[i].seconds = measure_median(values[i], (size_t)samples);
        things[i].fastest = values[i][0]; /* the median sorts */
    }
}
