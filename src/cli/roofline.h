/* The roofline plot: what layers reach, under what the machine's FMA units and memories allow. */
#ifndef CVK_CLI_ROOFLINE_H
#define CVK_CLI_ROOFLINE_H

#include "base/text.h"
#include "lab/roof.h"

/* Ours with direct sums, and with what was chosen, where that sums otherwise; and the peers'. */
typedef enum roofline_series { SERIES_STRICT, SERIES_CHOSEN, SERIES_DIRECT, SERIES_WINOGRAD, SERIES } roofline_series;

/* One layer by one system. Dots of a layer have the same intensity and follow one another, ours first. */
typedef struct roofline_dot {
    double intensity; /* operations, without those of padding, a byte of the tensors */
    double rate;      /* the same operations a second; NAN: this system has no such layer */
    roofline_series series;
} roofline_dot;

typedef struct roofline {
    double peak;      /* operations a second, of the fastest type */
    const roof *roof; /* all levels measured */
    roofline_dot *dots;
    size_t count;
    const char *peer, *target, *types;
    unsigned threads;
} roofline;

void roofline_draw(const roofline *r, text *svg);

#endif
