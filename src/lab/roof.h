/* What a layer could attain at most: the lesser of the FMA peak and what its bytes, each moved once, take. The bytes
 * that a level of memory holds come at its bandwidth, and what is left at that of the next: a layer that just does not
 * fit finds most of itself in the nearer level. */
#ifndef CVK_LAB_ROOF_H
#define CVK_LAB_ROOF_H

#include "lab/bandwidth.h"

typedef struct roof {
    double holds[LEVELS];     /* bytes, those of the levels before included */
    double bandwidth[LEVELS]; /* bytes a second; 0: not measured yet */
} roof;

/* `cold`: nothing is in the caches. */
roof roof_of(const lab *l, bool cold);
/* Measures the levels that so many bytes reach, once each. */
cvk_status roof_reach(roof *r, arena *a, const lab *l, double bytes);

/* Seconds that no layer of so many operations and bytes can do with less of; the levels it reaches have been measured.
 * `peak`: operations a second. */
double roof_seconds(const roof *r, double peak, double operations, double bytes);

#endif
