/* A register tile of channel vectors x pixels: how its sums begin and how they reach memory. A channels_first output
 * wants columns side by side, so there the tile is transposed in registers first. */
#include "algo/direct/tile.h"

static int64_t plan_vectors(const tile *t) { return t->plan->tile_oc / t->oc.lanes; }

static bool transposes(const tile *t) { return !view_has_channels_together(&t->out.y.v); }

void channel_tile_registers(tile *t, int64_t sums, int64_t weights) {
    int64_t least = plan_vectors(t);
    t->acc = nest_add_register(t->b, "acc", t->p.sum, t->lanes, (int)(sums * plan_vectors(t) * tile_pixels(t)));
    const int factors = t->dot ? t->reduced : 1;
    t->ws = nest_add_register(t->b, "w", t->dot ? t->dot->w : t->p.sum, factors * t->lanes,
                              (int)(weights > least ? weights : least));
    t->xs = nest_add_register(t->b, "x", t->dot ? t->dot->x : t->p.sum, factors * t->lanes, 2);
    t->first = t->dot ? nest_add_register(t->b, "first", t->p.sum, t->lanes, (int)least + 1) : t->ws;
    combine_registers(t);
    if (transposes(t)) t->square = nest_add_register(t->b, "square", t->p.sum, t->lanes, 2 * t->lanes);
}

register_ref channel_tile_sum(const tile *t, affine vector, const pixel *p) {
    return reg(t->acc, affine_add_scaled(tile_pixel_number(t, p), vector, tile_pixels(t)));
}

static affine open_vectors(tile *t) { return build_unrolled(t->b, "j", channel_blocks_vectors(&t->oc)); }

/* Opens unrolled loops over all pixels of the tile. */
static pixel open_pixels(tile *t) {
    pixel p = tile_open_rows(t, NULL);
    p.at[AXIS_W] = build_unrolled(t->b, "c", t->span[AXIS_W]->length);
    return p;
}

int channel_tile_sums(tile *t, register_ref *sum) {
    affine j = build_unrolled(t->b, "j", channel_blocks_vectors(&t->oc));
    pixel p = open_pixels(t);
    *sum = channel_tile_sum(t, j, &p);
    return AXES + 1;
}

static affine vector_channel(const tile *t, affine vector) {
    return channel_blocks_channel(&t->oc, &t->out.y.v, vector);
}

/* From a lane's channel to the next. */
static int64_t lane_step(const tile *t) { return channel_blocks_step(&t->oc, &t->out.y.v); }

void channel_tile_bias(tile *t, affine vector, register_ref to) {
    nest_range valid = channel_blocks_lanes(&t->oc, t->b, vector);
    lane_map m = {.channel = vector_channel(t, vector), .channel_step = lane_step(t), .valid = &valid};
    combine_begin(t, to, &m);
}

void channel_tile_begin(tile *t) {
    nest_builder *b = t->b;
    affine j = build_unrolled(b, "j", channel_blocks_vectors(&t->oc));
    channel_tile_bias(t, j, reg(t->first, j));
    dot_correct(t, reg(t->first, j), j);
    pixel p = open_pixels(t);
    combine_begin_sum(t, channel_tile_sum(t, j, &p), reg(t->first, j));
    for (int i = 0; i < AXES + 1; i++) build_end(b);
}

void channel_tile_reweigh(tile *t) {
    nest_builder *b = t->b;
    affine j = build_unrolled(b, "j", channel_blocks_vectors(&t->oc));
    nest_range valid = channel_blocks_lanes(&t->oc, t->b, j);
    lane_map m = {.channel = vector_channel(t, j), .channel_step = lane_step(t), .valid = &valid};
    epilogue_bias(&t->out, reg(t->ws, j), &m);
    pixel p = open_pixels(t);
    combine_reweigh(t, channel_tile_sum(t, j, &p), reg(t->ws, j));
    for (int i = 0; i < AXES + 1; i++) build_end(b);
}

void channel_tile_load(tile *t, const tap *k, affine vector, const pixel *p) {
    nest_range valid = channel_blocks_lanes(&t->oc, t->b, vector);
    lane_map m = tap_input(t, k, p);
    m.channel = affine_add_scaled(m.channel, vector, t->oc.lanes);
    m.channel_step = 1;
    m.valid = &valid;
    view_load(t->b, &t->x, &m, reg(t->xs, affine_constant(0)), reg(t->xs, affine_constant(1)));
    combine_loaded(t, reg(t->xs, affine_constant(0)));
}

static void divide_pixels(tile *t, const count_run run[AXES]) {
    static const char *const NAMES[AXES] = {"d", "r", "c"};
    nest_builder *b = t->b;
    const divisor taps = combine_divisor(t, run[0].taps * run[1].taps * run[2].taps);
    pixel p;
    affine j = build_unrolled(b, "j", channel_blocks_vectors(&t->oc));
    for (int a = 0; a < AXES; a++)
        p.at[a] = build_for(b, VARIABLE_UNROLLED, NAMES[a], range_of(b, run[a].low, run[a].high));
    build_op(b, taps.kind, channel_tile_sum(t, j, &p), channel_tile_sum(t, j, &p), taps.by);
    for (int i = 0; i < AXES + 1; i++) build_end(b);
}

void channel_tile_divide(tile *t, const count_run *slices, const count_run *rows) {
    const count_list columns = combine_counts(t, AXIS_W);
    for (int i = 0; i < columns.count; i++) divide_pixels(t, (const count_run[AXES]){*slices, *rows, columns.run[i]});
}

/* Of the tile's sums, or of its places. */
static register_ref stored(const tile *t, int array, affine vector, const pixel *p) {
    return reg(array, channel_tile_sum(t, vector, p).index);
}

static void store(const tile *t, int array, register_ref value, const lane_map *m, bool with_fill) {
    (array == t->acc ? epilogue_store : epilogue_store_places)(&t->out, value, m, with_fill);
}

/* A pool's a pixel after another, as they lie. */
static void store_pixels(tile *t, int array) {
    const bool weighs = problem_weighs(&t->p);
    affine j = weighs ? open_vectors(t) : affine_constant(0);
    pixel p = open_pixels(t);
    if (!weighs) j = open_vectors(t);
    nest_range valid = channel_blocks_lanes(&t->oc, t->b, j);
    lane_map m = {t->n, vector_channel(t, j), tile_output(t, &p), .channel_step = lane_step(t), .valid = &valid};
    store(t, array, stored(t, array, j, &p), &m, t->oc.valid < t->oc.covers);
    for (int i = 0; i < AXES + 1; i++) build_end(t->b);
}

/* Whether a tile has all of an axis, and its spans are as long as the tile, so that the next axis' pixels follow on. */
static bool has_all(const tile *t, int axis) {
    return t->span[axis]->length == t->p.axis[axis].out && t->span[axis]->length == t->size[axis];
}

/* Whether positions of an axis follow on those of the next one in the output: not where it has others between them. */
static bool follows_on(const tile *t, int axis) {
    const int64_t *step = t->out.y.v.axis;
    return step[axis] == t->p.axis[axis + 1].out * step[axis + 1];
}

/* Pixels of a tile that lie side by side in a channels_first output: those of a row, or, where rows are whole, of a
 * slice's rows, or of all slices. They are numbered through, as the sums are and as columns that run on into the next
 * row. What lies apart, slices and rows, comes in `apart`. */
static int64_t pixels_side_by_side(const tile *t, int64_t apart[AXIS_W]) {
    int64_t pixels = t->span[AXIS_W]->length;
    bool whole = has_all(t, AXIS_W);
    for (int a = AXIS_W - 1; a >= 0; a--) {
        whole = whole && follows_on(t, a);
        apart[a] = whole ? 1 : t->span[a]->length;
        if (whole) pixels *= t->span[a]->length;
        whole = whole && has_all(t, a);
    }
    return pixels;
}

/* Up to `lanes` pixels from column `first` of a row on, of which there are `count`, turned. */
static void load_square(tile *t, int array, affine j, pixel p, int64_t first, int64_t count) {
    nest_builder *b = t->b;
    affine c = build_unrolled(b, "c", count);
    p.at[AXIS_W] = affine_offset(c, first);
    build_op(b, OP_COPY, reg(t->square, c), stored(t, array, j, &p), reg(-1, c));
    build_end(b);
    square_turn(b, t->square, count);
}

static void store_square(tile *t, int array, affine j, pixel p, int64_t first, int64_t pixels) {
    nest_builder *b = t->b;
    int64_t left = pixels - first, count = left < t->lanes ? left : t->lanes;
    load_square(t, array, j, p, first, count);
    nest_range valid = range_of(b, 0, count);
    affine i = build_for(b, VARIABLE_UNROLLED, "i", channel_blocks_lanes(&t->oc, t->b, j));
    affine channel = affine_add_scaled(vector_channel(t, j), i, lane_step(t));
    p.at[AXIS_W] = affine_constant(first);
    lane_map m = {t->n, channel, tile_output(t, &p), .column_step = 1, .valid = &valid};
    store(t, array, reg(t->square, affine_offset(i, t->lanes)), &m, false);
    build_end(b);
}

static void store_squares(tile *t, int array) {
    nest_builder *b = t->b;
    affine j = open_vectors(t);
    int64_t apart[AXIS_W], pixels = pixels_side_by_side(t, apart);
    pixel p = {{build_unrolled(b, "d", apart[AXIS_D]), build_unrolled(b, "r", apart[AXIS_H])}};
    for (int64_t first = 0; first < pixels; first += t->lanes) store_square(t, array, j, p, first, pixels);
    for (int i = 0; i < AXIS_W + 1; i++) build_end(b);
}

static void store_all(tile *t, int array) { (transposes(t) ? store_squares : store_pixels)(t, array); }

void channel_tile_finish(tile *t) {
    store_all(t, t->acc);
    if (t->p.indices) store_all(t, t->places);
}
