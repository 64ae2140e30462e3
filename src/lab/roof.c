/* Levels in turn, each with what the ones before cannot hold. */
#include "lab/roof.h"

#include <math.h>

roof roof_of(const lab *l, bool cold) {
    roof r = {.bandwidth = {0}};
    for (int i = 0; i < LEVELS; i++) r.holds[i] = cold ? 0 : (double)memory_level_holds(l, (memory_level)i);
    r.holds[LEVEL_MEMORY] = INFINITY;
    return r;
}

/* Of `bytes`, those that are in this level and none before. */
static double bytes_in(const roof *r, int level, double bytes) {
    const double before = level ? r->holds[level - 1] : 0;
    return fmax(0, fmin(bytes, r->holds[level]) - before);
}

cvk_status roof_reach(roof *r, arena *a, const lab *l, double bytes) {
    cvk_status status = CVK_OK;
    for (int i = 0; i < LEVELS && status == CVK_OK; i++)
        if (bytes_in(r, i, bytes) > 0 && !(r->bandwidth[i] > 0))
            status = bandwidth_measure(a, l, (memory_level)i, &r->bandwidth[i]);
    return status;
}

double roof_seconds(const roof *r, double peak, double operations, double bytes) {
    double moving = 0;
    for (int i = 0; i < LEVELS; i++) {
        const double part = bytes_in(r, i, bytes);
        if (part > 0) moving += part / r->bandwidth[i];
    }
    return fmax(operations / peak, moving);
}
