/* Random networks: layers of every kind that a network takes, and tensors side by side, by every sort of edge. */
#ifndef NUMERIC_RANDOM_NETWORK_H
#define NUMERIC_RANDOM_NETWORK_H

#include "base/text.h"
#include "draw.h"

/* The text of a file, of the arena. */
const char *random_network(draws *d, arena *a);

#endif
