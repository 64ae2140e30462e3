/* The reduction of one register tile: over the taps that are present and the input channels. */
#include "algo/direct/tile.h"

/* Taps of a kernel row for one input channel. */
static void kernel_row(tile *t, tap k) {
    k.columns = NULL;
    k.kw = build_unrolled(t->b, "kw", t->p.axis[AXIS_W].taps);
    t->family->body(t, &k);
    build_end(t->b);
}

static void one_channel(tile *t, tap k) {
    if (t->plan->unroll_kw)
        kernel_row(t, k);
    else
        t->family->body(t, &k);
}

/* Input channels from `first` on, `unroll` an iteration. */
static void channel_loop(tile *t, tap k, int64_t first, int64_t count, int64_t unroll) {
    affine i = build_loop(t->b, "ic", count / unroll);
    affine u = build_unrolled(t->b, "u", unroll);
    k.ic = affine_offset(affine_add_scaled(u, i, unroll), first);
    one_channel(t, k);
    build_end(t->b);
    build_end(t->b);
}

/* In the blocked layout a loop over blocks around one over a block's channels keeps addresses affine. */
static void blocked_channel_loop(tile *t, tap k, int64_t channels) {
    nest_builder *b = t->b;
    affine block = build_loop(b, "cb", ceil_div(channels, t->x.v.block));
    nest_range inside = range_of(b, 0, t->x.v.block);
    range_clip_high(b, &inside, affine_offset(affine_scale(block, -t->x.v.block), channels), 1);
    affine within = build_for(b, VARIABLE_LOOP, "ic", inside);
    k.ic = affine_add_scaled(within, block, t->x.v.block);
    one_channel(t, k);
    build_end(b);
    build_end(b);
}

static void reduce_channels(tile *t, tap k) {
    int64_t channels = t->p.in_channels, unroll = t->plan->unroll_ic, whole = channels / unroll * unroll;
    if (t->x.v.block > 1 && channels > 1) {
        blocked_channel_loop(t, k, channels);
        return;
    }
    if (whole) channel_loop(t, k, 0, whole, unroll);
    if (whole < channels) channel_loop(t, k, whole, channels - whole, 1);
}

static void reduce_columns(tile *t, tap k) {
    const problem_axis *axis = &t->p.axis[AXIS_W];
    if (t->plan->unroll_kw) {
        reduce_channels(t, k);
        return;
    }
    if (tile_clips_columns(t)) {
        tap_segment all = {0, axis->taps, 0, 1};
        k.columns = &all;
        k.kw = build_for(t->b, VARIABLE_LOOP, "kw", present_taps(t->b, axis, t->ow));
        reduce_channels(t, k);
        build_end(t->b);
        return;
    }
    segment_list list = axis_segments(t->b->nest->arena, axis, t->columns);
    for (int i = 0; i < list.count; i++) {
        k.columns = &list.segment[i];
        k.kw = build_for(t->b, VARIABLE_LOOP, "kw", range_of(t->b, list.segment[i].first, list.segment[i].last));
        reduce_channels(t, k);
        build_end(t->b);
    }
}

/* One row of a tile: its taps are clipped where it is. Several: each run of taps has its rows. */
static void reduce_rows(tile *t, tap k) {
    const problem_axis *axis = &t->p.axis[AXIS_H];
    if (t->plan->tile_oh == 1) {
        k.rows = range_of(t->b, 0, 1);
        k.kh = build_for(t->b, VARIABLE_LOOP, "kh", present_taps(t->b, axis, t->oh));
        reduce_columns(t, k);
        build_end(t->b);
        return;
    }
    segment_list list = axis_segments(t->b->nest->arena, axis, t->rows);
    for (int i = 0; i < list.count; i++) {
        k.rows = range_of(t->b, list.segment[i].low, list.segment[i].high);
        k.kh = build_for(t->b, VARIABLE_LOOP, "kh", range_of(t->b, list.segment[i].first, list.segment[i].last));
        reduce_columns(t, k);
        build_end(t->b);
    }
}

/* The fill of a blocked output's last block, where no channel vector covers it. */
static void store_fill(tile *t) {
    nest_builder *b = t->b;
    const channel_blocks *c = &t->oc;
    int64_t missing = view_fill(&t->out.y.v);
    if (!missing || c->covered > c->channels) return;
    register_ref zeros = epilogue_zeros(&t->out);
    build_if(b, affine_offset(c->group, 1 - c->groups), "last group");
    build_if(b, affine_offset(c->block, 1 - c->blocks), "last block");
    affine row = build_loop(b, "r", tile_rows(t));
    affine column = build_loop(b, "c", t->columns->length);
    affine channel = affine_offset(build_loop(b, "f", missing), t->out.y.v.channels);
    nest_range one = range_of(b, 0, 1);
    lane_map m = {t->n, channel, tile_output(t, row, column), 0, 0, &one};
    view_store(b, &t->out.y, &m, zeros);
    for (int i = 0; i < 5; i++) build_end(b);
}

void reduce_tile(tile *t) {
    tap k = {.kd = affine_constant(0), .kh = affine_constant(0), .kw = affine_constant(0), .ic = affine_constant(0)};
    t->family->begin(t);
    k.kd = build_for(t->b, VARIABLE_LOOP, "kd", present_taps(t->b, &t->p.axis[AXIS_D], t->od));
    reduce_rows(t, k);
    build_end(t->b);
    t->family->finish(t);
    store_fill(t);
}
