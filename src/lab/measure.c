/* Samples of at least a millisecond, taken in turns. */
#include "lab/measure.h"
#include "base/clock.h"

#include <stdlib.h>

enum { FEWEST_SAMPLES = 5, LEAST_SAMPLES = 9, MOST_SAMPLES = 101 };
static const double SAMPLE_SECONDS = 1e-3, FASTEST_RUN = 1e-8;
static const double SURELY = 4; /* times a sample's seconds, and a cold run is longer than one of them when warm */
static const double ALL_SECONDS = 0.4, LONG_SECONDS = 4; /* of all samples together */

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double measure_median(double *values, size_t n) {
    if (!n) return 0;
    qsort(values, n, sizeof *values, compare);
    return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

/* How samples are taken. */
typedef struct conditions {
    void (*evict)(const void *context); /* NULL: caches are warm */
    const void *context;
} conditions;

static void prepare(const measured *m, const conditions *c) {
    if (c->evict && !m->always_warm)
        c->evict(c->context);
    else
        m->run(m->context);
}

/* Seconds a run. */
static double sample(const measured *m, int runs) {
    double begin = clock_seconds();
    for (int i = 0; i < runs; i++) m->run(m->context);
    double seconds = (clock_seconds() - begin) / runs;
    if (m->rest) m->rest(m->context);
    return seconds;
}

/* The run before warms caches up again and wakes threads, after another thing's turn. */
static double prepared_sample(const measured *m, int runs, const conditions *c) {
    prepare(m, c);
    return sample(m, runs);
}

/* How many runs make a sample. One will do where the first takes some times as long, cold as it is. */
static int runs_for(const measured *m, const conditions *c) {
    if (c->evict && !m->always_warm) return 1;
    double seconds = sample(m, 1);
    if (seconds > SURELY * SAMPLE_SECONDS) return 1;
    seconds = prepared_sample(m, 1, c);
    if (seconds < FASTEST_RUN) seconds = FASTEST_RUN;
    return seconds >= SAMPLE_SECONDS ? 1 : (int)(SAMPLE_SECONDS / seconds) + 1;
}

static const conditions WARM = {NULL, NULL};
int measure_runs(const measured *m) { return runs_for(m, &WARM); }

double measure_sample(const measured *m, int runs, bool again) {
    return again && !m->rest ? sample(m, runs) : prepared_sample(m, runs, &WARM);
}

/* Few will do where each takes long, and is steady for that. */
static bool enough(int samples, double seconds) {
    if (seconds >= LONG_SECONDS) return samples >= FEWEST_SAMPLES;
    return samples == MOST_SAMPLES || (samples >= LEAST_SAMPLES && seconds >= ALL_SECONDS);
}

void measure(measured *things, size_t count, void (*evict)(const void *context), const void *context) {
    double values[MEASURE_MOST][MOST_SAMPLES];
    const conditions c = {evict, context};
    int runs[MEASURE_MOST], samples = 0;
    for (size_t i = 0; i < count; i++) runs[i] = runs_for(&things[i], &c);
    double begin = clock_seconds();
    while (!enough(samples, clock_seconds() - begin)) {
        for (size_t i = 0; i < count; i++) values[i][samples] = prepared_sample(&things[i], runs[i], &c);
        samples++;
    }
    for (size_t i = 0; i < count; i++) {
        things[i].seconds = measure_median(values[i], (size_t)samples);
        things[i].fastest = values[i][0]; /* the median sorts */
    }
}
