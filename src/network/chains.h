/* Layers that feed one another through tensors too large to be near become chains, one kernel each, between whose
 * layers there are no tensors. */
#ifndef CVK_NETWORK_CHAINS_H
#define CVK_NETWORK_CHAINS_H

#include "network/fuse.h"

/* `near`: bytes that are written and still there when they are read. */
fused_graph network_chain(arena *a, const fused_graph *g, int64_t near);

#endif
