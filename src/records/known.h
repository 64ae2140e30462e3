/* The plans that a database knows to be best: what `--tuned` and cvk_options.tuned use. */
#ifndef CVK_RECORDS_KNOWN_H
#define CVK_RECORDS_KNOWN_H

#include "records/database.h"

typedef struct known_plans {
    const char *folder;
    record_list list;
} known_plans;

/* CVK_ERROR_IO: the folder cannot be read. */
cvk_status known_open(arena *a, const char *folder, cvk_diagnostics *d, known_plans *to);

/* Where a layer's plan comes from. */
typedef struct known_origin {
    const char *words; /* "the model's, which stayed in a match of db"; never NULL */
    bool missing;      /* nothing is known that holds here, which a caller who asked for it should be told */
} known_origin;

/* The layer with the plan as its schedule that its latest match has crowned on this kind of machine, with this version
 * of convoke and of LLVM, for as many threads (for one, also that for any number); or the layer itself, where there is
 * none, where the pick of the model stayed, or where it has a schedule of its own. Arena-owned. */
const cvk_spec *known_layer(const known_plans *known, arena *a, const cvk_spec *spec, goal aim, known_origin *origin);

#endif
