/* What `tune` goes through: layers, and of networks the layers of their kernels, the one that takes most time first. */
#ifndef CVK_CLI_TUNE_ITEMS_H
#define CVK_CLI_TUNE_ITEMS_H

#include "cli/session.h"
#include "network/steps.h"

typedef struct tune_item {
    const cvk_spec *spec;
    network_parts parts; /* what it is in the file, to find its weights by */
    double share;        /* of its network's time; NAN: it stands alone */
    double weight;       /* of the time that there is for all: 1, or as much more or less as its share is */
} tune_item;

typedef struct tune_items {
    tune_item *item;
    size_t count;
} tune_items;

/* In the order of the session's files. Networks are compiled and timed by the model's plans on the calling thread. */
cli_exit tune_items_of(session *s, arena *a, tune_items *to);

#endif
