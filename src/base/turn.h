/* Cosines of parts of a whole turn, from square roots alone: the same bits on every machine. */
#ifndef CVK_BASE_TURN_H
#define CVK_BASE_TURN_H

#include <stdint.h>

/* A turn is halved so often at most: parts are of 2^TURN_MOST_HALVINGS at the finest. */
enum { TURN_MOST_HALVINGS = 40 };

/* cos(2 pi part / 2^halvings), the nearest double. */
double turn_cosine(int64_t part, int halvings);

#endif
