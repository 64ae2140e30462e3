/* Where a tile and its taps are: in the output, the input and the packed weights. */
#include "algo/direct/tile.h"

bool direct_applicable(const problem *p, const cvk_target *target, const char **why) {
    (void)p, (void)target, (void)why;
    return true;
}

tile tile_make(const problem *asked, const cvk_target *target, const cvk_plan *plan, const family *f) {
    tile t = {.family = f,
              .target = target,
              .plan = plan,
              .whole = problem_merged(asked),
              .lanes = target_lanes(target, asked->sum)};
    t.p = plan->pack_rows ? pack_input_problem(&t.whole, plan, f) : t.whole;
    t.oc = channel_blocks_of(&t.whole, plan->tile_oc, t.lanes, f->channel_lanes, f->depthwise);
    return t;
}

int64_t tile_rows(const tile *t) { return t->plan->tile_oh == 1 ? 1 : t->rows->length; }

int64_t tile_row_tiles(const tile *t) { return ceil_div(t->p.axis[AXIS_H].out, t->plan->tile_oh); }

bool tile_clips_columns(const tile *t) { return t->plan->tile_ow == 1 && !t->plan->unroll_kw; }

position tile_output(const tile *t, affine row, affine column) {
    return (position){{t->od, affine_add(t->oh, row), affine_add(t->ow, column)}};
}

nest_range tap_columns(tile *t, const tap *k, affine first, int64_t count) {
    if (k->columns) return positions_of_segment(t->b, k->columns, first, count);
    return positions_of_tap(t->b, &t->p.axis[AXIS_W], t->columns, k->kw, first, count);
}

/* Scratch holds the slices the taps see, and rows from packed_row on. */
static position tap_position(const tile *t, const tap *k, affine row, affine column) {
    const problem_axis *axis = t->p.axis;
    position at = {{input_position(&axis[AXIS_D], t->od, k->kd),
                    input_position(&axis[AXIS_H], affine_add(t->oh, row), k->kh),
                    input_position(&axis[AXIS_W], affine_add(t->ow, column), k->kw)}};
    if (t->plan->pack_rows == 0) return at;
    at.at[AXIS_D] = k->kd;
    at.at[AXIS_H] = affine_sub(at.at[AXIS_H], t->packed_row);
    return at;
}

lane_map tap_input(const tile *t, const tap *k, affine row, affine column) {
    const channel_blocks *c = &t->oc;
    affine channel = c->depthwise ? affine_scale(c->block, c->size * t->x.v.group)
                                  : affine_add_scaled(k->ic, c->group, t->x.v.group);
    return (lane_map){.n = t->n, .channel = channel, .at = tap_position(t, k, row, column)};
}

affine tap_weights(const tile *t, const tap *k) {
    const problem_axis *axis = t->p.axis;
    affine at = affine_add_scaled(t->oc.block, t->oc.group, t->oc.blocks);
    at = affine_add_scaled(k->kd, at, axis[AXIS_D].taps);
    at = affine_add_scaled(k->kh, at, axis[AXIS_H].taps);
    if (t->plan->unroll_kw) {
        at = affine_add_scaled(k->ic, at, t->p.in_channels);
        at = affine_add_scaled(k->kw, at, axis[AXIS_W].taps);
    } else {
        at = affine_add_scaled(k->kw, at, axis[AXIS_W].taps);
        at = affine_add_scaled(k->ic, at, t->p.in_channels);
    }
    return affine_scale(at, t->plan->tile_oc);
}
