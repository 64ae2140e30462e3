/* The stages in their order: what the command, the tests and the public functions call.
 *
 *     spec -> plan -> nests -> object -> kernel
 */
#ifndef CVK_COMPILE_H
#define CVK_COMPILE_H

#include "layer.h"
#include "emit/emit.h"
#include "spec/spec.h"

/* A layer with its plan chosen and its nests built and proven; arena-owned. */
typedef struct compile_unit {
    const cvk_spec *spec;
    const cvk_target *target;
    layer_plan plan;
    double predicted; /* time over the time at FMA peak */
    nest_program run;
    nest_extent extent;               /* what `run` is proven to reach */
    nest_phase pack;                  /* of weights, also where they are constants already */
    nest_counts counts;               /* of run */
    const void *constant[ROLE_COUNT]; /* tensors that are part of the code, by role; see bake.h */
    cvk_kernel_info info;             /* complete but for run and pack */
} compile_unit;

/* Seconds a stage; each call adds. */
typedef struct compile_times {
    double plan; /* proposing, ranking, building and proving nests */
    emit_times emit;
    double load;
} compile_times;

/* The layer's plans, best first, at most `limit` (0: all); or those its schedule pins. */
cvk_status compile_rank(arena *a, const cvk_spec *spec, goal aim, int limit, cvk_diagnostics *d, ranked_layer **plans,
                        int *count);
/* Chooses (or takes `plan`, if not NULL), builds, proves and describes. `times` may be NULL. */
cvk_status compile_plan(arena *a, const cvk_spec *spec, goal aim, const layer_plan *plan, cvk_diagnostics *d,
                        compile_unit *unit, compile_times *times);
/* All units in one object (or assembly, or IR): units[t * layers + l] is layer l for target t, best target first, and
 * its symbol is symbols[l]. */
cvk_status compile_emit(const compile_unit *units, const char *const *symbols, size_t layers, size_t targets,
                        emit_kind kind, cvk_diagnostics *d, cvk_object *object, compile_times *times);
/* One layer, from spec to object; its symbol is the layer's name. */
cvk_status compile_layer(const cvk_spec *spec, goal aim, const layer_plan *plan, cvk_diagnostics *d, cvk_object *object,
                         compile_times *times);
/* The file of the library that objects were made by; "" before one was. */
const char *compile_maker(void);
/* The whole way, into this process, past all caches. CVK_ERROR_CPU where the target does not run here. */
cvk_status compile_kernel(const cvk_spec *spec, goal aim, const layer_plan *plan, cvk_diagnostics *d,
                          cvk_kernel **kernel, compile_times *times);

#endif
