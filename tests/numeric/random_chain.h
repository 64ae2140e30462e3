/* Random chains: layers of every kind that a chain takes, one behind the other, and small. */
#ifndef NUMERIC_RANDOM_CHAIN_H
#define NUMERIC_RANDOM_CHAIN_H

#include "draw.h"
#include "spec/spec.h"

/* `name` stays the caller's; the chain's layers are good until the next is drawn. */
cvk_spec random_chain(draws *d, const char *name);

#endif
