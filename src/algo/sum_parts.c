/* Tasks are runs of vectors. */
#include "algo/sum_parts.h"

#include "algo/access.h"

enum { RUN = 64 }; /* vectors of a task */

typedef struct adding {
    nest_builder b;
    const part_sums *p;
    int parts, output, registers, lanes;
} adding;

static void add_vector(adding *s, affine at, const nest_range *valid) {
    nest_builder *b = &s->b;
    const register_ref sum = reg(s->registers, affine_constant(0)), one = reg(s->registers, affine_constant(1));
    build_load(b, sum, access_at(s->parts, at, 1), valid);
    affine part = build_for(b, VARIABLE_LOOP, "part", range_of(b, 1, s->p->count));
    build_load(b, one, access_at(s->parts, affine_add_scaled(at, part, s->p->elements), 1), valid);
    build_op(b, OP_ADD, sum, sum, one);
    build_end(b);
    if (s->p->accumulate) {
        build_load(b, one, access_at(s->output, at, 1), valid);
        build_op(b, OP_ADD, sum, sum, one);
    }
    build_store(b, access_at(s->output, at, 1), sum, valid);
}

static void add_all(adding *s) {
    nest_builder *b = &s->b;
    const int64_t whole = s->p->elements / s->lanes, rest = s->p->elements % s->lanes;
    const int64_t runs = ceil_div(whole, RUN);
    affine run = build_task(b, "run", runs + (rest > 0));
    nest_range r = range_of(b, 0, RUN);
    range_clip_high(b, &r, affine_offset(affine_scale(run, -RUN), whole), 1);
    affine vector = affine_add_scaled(build_for(b, VARIABLE_LOOP, "v", r), run, RUN);
    add_vector(s, affine_scale(vector, s->lanes), NULL);
    build_end(b);
    if (rest) {
        nest_range valid = range_of(b, 0, rest);
        build_if(b, affine_offset(run, -runs), "the rest");
        add_vector(s, affine_constant(whole * s->lanes), &valid);
        build_end(b);
    }
    build_end(b);
}

nest *sum_parts_build(arena *a, const part_sums *p, const cvk_target *target) {
    adding s = {.b = nest_begin(a, p->name, ENTRY_TASKS, target->vector_bytes), .p = p};
    s.lanes = target_lanes(target, p->sum);
    s.parts = nest_add_part(&s.b, "parts", ROLE_WORKSPACE, p->sum, p->begin, p->elements * p->count, SCRATCH_ALIGNMENT,
                            false);
    s.output = nest_add_sums(&s.b, "output", ROLE_OUTPUT, p->output, p->outputs, p->accumulate);
    s.registers = nest_add_register(&s.b, "sum", p->sum, s.lanes, 2);
    add_all(&s);
    return nest_finish(&s.b);
}
