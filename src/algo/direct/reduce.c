/* The reduction of one register tile: over the taps that are present and the input channels. */
#include "algo/cost.h"
#include "algo/direct/tile.h"

/* A tap, or a kernel column of them. */
static void taps_at(tile *t, const tap *k) { (t->plan->unroll_kh ? t->family->column : t->family->body)(t, k); }

/* Taps of a kernel row for one input channel. */
static void kernel_row(tile *t, tap k) {
    k.columns = NULL;
    if (t->family->row) {
        t->family->row(t, &k);
        return;
    }
    k.k[AXIS_W] = build_unrolled(t->b, "kw", t->p.axis[AXIS_W].taps);
    taps_at(t, &k);
    build_end(t->b);
}

static void one_channel(tile *t, tap k) {
    if (t->plan->unroll_kw)
        kernel_row(t, k);
    else
        taps_at(t, &k);
}

/* Iterations 0 .. room - 1 over `size` steps each, from channel `first` of those reduced here on, as far as
 * channels, and whole iterations, go. */
static affine open_channels(tile *t, const char *name, int64_t room, int64_t size, affine first) {
    affine left = affine_offset(affine_scale(affine_add(t->loop[LOOP_IC].first, first), -1), tile_steps(t));
    nest_range r = range_of(t->b, 0, room);
    range_clip_high(t->b, &r, left, size);
    return build_for(t->b, VARIABLE_LOOP, name, r);
}

/* ---- prefetching: what the next tile of the row reads of the channels that this one is at ---- */

/* Asks for the line of a pixel, so many columns behind the tile's first. */
static void prefetch_pixel(tile *t, const tap *k, affine column) {
    pixel p = {{affine_constant(0), affine_constant(0), affine_offset(column, t->size[AXIS_W])}};
    lane_map m = tap_input(t, k, &p);
    build_prefetch(t->b, access_at(t->x.tensor, view_offset(t->b, &t->x.v, m.n, m.channel, &m.at), 1));
}

/* Lines of pixels' channels, or of a channel's columns. */
static void prefetch_lines(tile *t, const tap *k, int64_t columns_a_line) {
    int64_t lines = ceil_div(t->size[AXIS_W], columns_a_line);
    affine line = build_unrolled(t->b, "line", lines);
    prefetch_pixel(t, k, affine_scale(line, columns_a_line));
    build_end(t->b);
}

static int64_t elements_of_line(const tile *t) { return LINE_BYTES / type_bytes(t->x.v.type); }

/* Steps of the reduction. */
static int64_t steps_of_line(const tile *t) { return elements_of_line(t) / t->reduced; }

static void prefetch_columns(tile *t, const tap *k) {
    if (!t->plan->prefetch || view_has_channels_together(&t->x.v)) return;
    int64_t columns = elements_of_line(t) / t->p.axis[AXIS_W].step;
    prefetch_lines(t, k, columns > 1 ? columns : 1);
}

/* `unroll` steps an iteration, from the `first` of those reduced here on. */
static void channel_loop(tile *t, tap k, affine first, int64_t count, int64_t unroll) {
    affine i = open_channels(t, "ic", count / unroll, unroll, first);
    affine u = build_unrolled(t->b, "u", unroll);
    k.ic = affine_add(affine_add(affine_add_scaled(u, i, unroll), first), t->loop[LOOP_IC].first);
    prefetch_columns(t, &k);
    one_channel(t, k);
    build_end(t->b);
    build_end(t->b);
}

/* Channels a line at a time, with the next tile's pixels, where they are whole lines; gives how many channels. */
static int64_t channel_lines(tile *t, tap k, int64_t channels, int64_t unroll) {
    int64_t line = steps_of_line(t);
    bool even = line % unroll == 0 && tile_steps(t) % line == 0 && channels % line == 0;
    if (!t->plan->prefetch || !view_has_channels_together(&t->x.v) || !even) return 0;
    affine at = affine_scale(open_channels(t, "line", channels / line, line, affine_constant(0)), line);
    k.ic = affine_add(at, t->loop[LOOP_IC].first);
    prefetch_lines(t, &k, 1);
    channel_loop(t, k, at, line, unroll);
    build_end(t->b);
    return channels;
}

/* In the blocked layout a loop over blocks around one over a block's channels keeps addresses affine. */
static void blocked_channel_loop(tile *t, tap k, int64_t channels) {
    nest_builder *b = t->b;
    int64_t size = t->x.v.block / t->reduced;
    nest_range r = range_of(b, 0, ceil_div(channels, size));
    int64_t all =
        ceil_div(tile_steps(t), size) * size; /* whole, as what is before them is, so that the proof has no rest */
    range_clip_high(b, &r, affine_offset(affine_scale(t->loop[LOOP_IC].first, -1), all), size);
    affine block = affine_scale(build_for(b, VARIABLE_LOOP, "cb", r), size);
    affine within = open_channels(t, "ic", size, 1, block);
    k.ic = affine_add(affine_add(within, block), t->loop[LOOP_IC].first);
    one_channel(t, k);
    build_end(b);
    build_end(b);
}

/* Whole vectors of input channels, and the rest, whose lanes are known. */
static void reduce_vectors(tile *t, tap k) {
    int64_t whole = t->p.in_channels / t->reduced;
    if (whole) channel_loop(t, k, affine_constant(0), whole, 1);
    k.ic = affine_constant(whole);
    if (whole < tile_steps(t)) one_channel(t, k);
}

/* All steps over input channels, or those of a block, which unrolling divides. */
static void reduce_channels(tile *t, tap k) {
    int64_t channels = t->loop[LOOP_IC].room, unroll = t->plan->unroll_ic, whole = channels / unroll * unroll;
    if (t->family->reduces_lanes) {
        reduce_vectors(t, k);
        return;
    }
    if (t->x.v.block > t->reduced && channels > 1) {
        blocked_channel_loop(t, k, channels);
        return;
    }
    if (channel_lines(t, k, channels, unroll)) return;
    if (whole) channel_loop(t, k, affine_constant(0), whole, unroll);
    if (whole < channels) channel_loop(t, k, affine_constant(whole), channels - whole, 1);
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
        k.k[AXIS_W] = build_for(t->b, VARIABLE_LOOP, "kw", present_taps(t->b, axis, t->at[AXIS_W]));
        reduce_channels(t, k);
        build_end(t->b);
        return;
    }
    segment_list list = axis_segments(t->b->nest->arena, axis, t->span[AXIS_W]);
    for (int i = 0; i < list.count; i++) {
        const tap_segment *s = &list.segment[i];
        k.columns = s;
        k.k[AXIS_W] = build_for(t->b, VARIABLE_LOOP, "kw", range_of(t->b, s->first, s->last));
        reduce_channels(t, k);
        build_end(t->b);
    }
}

/* Slices, then rows. A tile of one: its taps are clipped where it is. Of several: each run of taps has its positions.
 */
static void reduce_axis(tile *t, tap k, int axis) {
    static const char *const NAMES[AXIS_W] = {"kd", "kh"};
    if (axis == AXIS_H && t->plan->unroll_kh) axis++;
    if (axis == AXIS_W) {
        reduce_columns(t, k);
        return;
    }
    const problem_axis *o = &t->p.axis[axis];
    if (!tile_has_spans(t, axis)) {
        k.inside[axis] = range_of(t->b, 0, 1);
        k.k[axis] = build_for(t->b, VARIABLE_LOOP, NAMES[axis], present_taps(t->b, o, t->at[axis]));
        reduce_axis(t, k, axis + 1);
        build_end(t->b);
        return;
    }
    segment_list list = axis_segments(t->b->nest->arena, o, t->span[axis]);
    for (int i = 0; i < list.count; i++) {
        const tap_segment *s = &list.segment[i];
        k.inside[axis] = range_of(t->b, s->low, s->high);
        k.k[axis] = build_for(t->b, VARIABLE_LOOP, NAMES[axis], range_of(t->b, s->first, s->last));
        reduce_axis(t, k, axis + 1);
        build_end(t->b);
    }
}

/* The fill of a blocked output's last block, where no channel vector covers it. */
static void store_fill(tile *t) {
    nest_builder *b = t->b;
    const channel_blocks *c = &t->oc;
    int64_t missing = view_fill(&t->out.y.v);
    if (!missing || c->covered > c->channels) return;
    build_if(b, affine_offset(c->group, 1 - c->groups), "last group");
    build_if(b, affine_offset(c->block, 1 - c->blocks), "last block");
    pixel p;
    static const char *const NAMES[AXES] = {"d", "r", "c"};
    for (int a = 0; a < AXES; a++) p.at[a] = build_loop(b, NAMES[a], t->span[a]->length);
    affine channel = affine_offset(build_loop(b, "f", missing), t->out.y.v.channels);
    nest_range one = range_of(b, 0, 1);
    lane_map m = {t->n, channel, tile_output(t, &p), .valid = &one};
    epilogue_store_zeros(&t->out, &m);
    for (int i = 0; i < AXES + 3; i++) build_end(b);
}

/* `yes` where condition >= 0, else `no`. */
static void either(tile *t, affine condition, void (*yes)(tile *), void (*no)(tile *)) {
    build_if(t->b, condition, NULL);
    yes(t);
    build_end(t->b);
    build_if(t->b, affine_offset(affine_scale(condition, -1), -1), NULL);
    no(t);
    build_end(t->b);
}

static void finish(tile *t) {
    combine_finish(t);
    t->family->finish(t);
    store_fill(t);
}

/* Of several blocks of input channels the first begins a sum, and the last finishes it. */
void reduce_tile(tile *t) {
    const tile_loop *ic = &t->loop[LOOP_IC];
    affine before = affine_scale(ic->first, -1), behind = affine_offset(ic->first, ic->room - ic->tiles);
    if (t->partial < 0)
        t->family->begin(t);
    else
        either(t, before, t->family->begin, partial_load);
    tap k = {.k = {affine_constant(0), affine_constant(0), affine_constant(0)}, .ic = affine_constant(0)};
    if (t->family->taps)
        t->family->taps(t);
    else
        reduce_axis(t, k, AXIS_D);
    if (t->partial < 0)
        finish(t);
    else
        either(t, behind, finish, partial_store);
}
