/* Runs of whole vectors, and the rest of one. */
#include "algo/clear.h"

#include "algo/access.h"

enum { RUN = 64 }; /* vectors of a task */

nest *clear_build(arena *a, const clearing *c, const cvk_target *target) {
    nest_builder made = nest_begin(a, c->name, ENTRY_TASKS, target->vector_bytes), *b = &made;
    const int lanes = target_lanes(target, c->type);
    const int to = nest_add_part(b, "zeros", c->role, c->type, c->begin, c->elements, type_bytes(c->type), true);
    const register_ref zero = reg(nest_add_register(b, "zero", c->type, lanes, 1), affine_constant(0));
    const int64_t vectors = ceil_div(c->elements, lanes);
    b->nest->tensors[to].shared = true;
    const affine run = build_task(b, "run", ceil_div(vectors, RUN));
    build_const(b, zero, 0);
    nest_range r = range_of(b, 0, RUN);
    range_clip_high(b, &r, affine_offset(affine_scale(run, -RUN), c->elements / lanes), 1);
    const affine vector = affine_add_scaled(build_for(b, VARIABLE_LOOP, "v", r), run, RUN);
    build_store(b, access_at(to, affine_scale(vector, lanes), 1), zero, NULL);
    build_end(b);
    if (c->elements % lanes) {
        const nest_range rest = range_of(b, 0, c->elements % lanes);
        build_if(b, affine_offset(run, 1 - ceil_div(vectors, RUN)), "the rest");
        build_store(b, access_at(to, affine_constant(c->elements / lanes * lanes), 1), zero, &rest);
        build_end(b);
    }
    build_end(b);
    return nest_finish(b);
}
