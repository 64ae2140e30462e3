/* The input transform, an axis a pass. The first pass reads the tensor and settles every border: rows outside become
 * zeros, columns outside are absent from the tiles at the edges, whose code is their own. */
#include "algo/winograd/winograd.h"

int64_t winograd_positions(const winograd *w, int axis) {
    return (w->block[axis] - 1) * w->f[axis].m + w->f[axis].alpha;
}

/* In a stage, of a channel counted from the nest's first. */
static nest_access stage_access(const winograd_stage *s, const affine *point, const affine *at, affine channel) {
    affine offset = affine_constant(0);
    for (int a = 0; a < AXES; a++) offset = affine_add_scaled(point[a], offset, s->points[a]);
    for (int a = 0; a < AXES; a++) offset = affine_add_scaled(at[a], offset, s->size[a]);
    return access_at(s->tensor, affine_add(affine_add(affine_scale(offset, s->width), s->base), channel), 1);
}

/* Where a pass is: points of the axes done, places along all axes, and the channel vector, from the nest's first. */
typedef struct place_in_pass {
    affine point[AXES], at[AXES], channel;
    nest_range valid;
} place_in_pass;

static affine first_position(const winograd *w, int axis) {
    return affine_offset(affine_scale(w->at[axis], w->block[axis] * w->f[axis].m), w->p->axis[axis].origin);
}

/* Places along `axis` as positions of the input tensor, tile by tile for the axis of the first pass. */
static position tensor_position(const winograd *w, const place_in_pass *p, int axis, int64_t point) {
    position at;
    for (int a = 0; a < AXES; a++) {
        affine step = a == axis ? affine_offset(affine_scale(p->at[a], w->f[a].m), point) : p->at[a];
        at.at[a] = affine_add(first_position(w, a), step);
    }
    return at;
}

/* ---- where columns lie side by side, a row of a vector of channels is turned in scratch first ---- */

bool winograd_has_rows(const winograd *w) {
    return w->lanes > 1 && w->pass_axis[0] == AXIS_W && !view_has_channels_together(&w->p->x);
}

int64_t winograd_row_elements(const winograd *w) {
    return winograd_has_rows(w) ? winograd_positions(w, AXIS_W) * w->lanes : 0;
}

static nest_access row_at(const winograd *w, affine column) {
    return access_at(w->scratch, affine_offset(affine_scale(column, w->lanes), w->row), 1);
}

/* `count` columns, from `first` of the row's on, of so many channels. */
static void turn_square(winograd *w, const place_in_pass *p, int64_t channels, affine first, int64_t count) {
    nest_builder *b = w->b;
    nest_range valid = range_of(b, 0, count);
    affine i = build_unrolled(b, "i", channels);
    position at = tensor_position(w, p, AXIS_W, 0);
    at.at[AXIS_W] = affine_add(first_position(w, AXIS_W), first);
    lane_map m = {w->n, affine_add(affine_add(w->channel, p->channel), i), at, .column_step = 1, .valid = &valid};
    view_load(b, &w->x, &m, reg(w->square, i), reg(w->to, affine_constant(0)));
    build_end(b);
    square_turn(b, w->square, channels);
    affine c = build_unrolled(b, "c", count);
    build_store(b, row_at(w, affine_add(first, c)), reg(w->square, affine_offset(c, w->lanes)), NULL);
    build_end(b);
}

static void turn_squares(winograd *w, const place_in_pass *p, int64_t channels, int64_t first, int64_t last) {
    int64_t whole = (last - first) / w->lanes, rest = (last - first) % w->lanes;
    if (whole > 0) {
        affine square = build_loop(w->b, "square", whole);
        turn_square(w, p, channels, affine_offset(affine_scale(square, w->lanes), first), w->lanes);
        build_end(w->b);
    }
    if (rest > 0) turn_square(w, p, channels, affine_constant(first + whole * w->lanes), rest);
}

static void zero_columns(winograd *w, int64_t first, int64_t last) {
    if (last <= first) return;
    affine c = affine_offset(build_loop(w->b, "c", last - first), first);
    build_const(w->b, reg(w->square, affine_constant(0)), 0);
    build_store(w->b, row_at(w, c), reg(w->square, affine_constant(0)), NULL);
    build_end(w->b);
}

/* Blocks that see the same columns share their code; columns outside are zeros. */
static void turn_row(winograd *w, const place_in_pass *p, int64_t channels) {
    nest_builder *b = w->b;
    const problem_axis *o = &w->p->axis[AXIS_W];
    const int64_t columns = winograd_positions(w, AXIS_W);
    const problem_axis blocks = axis_windows(o, w->blocks[AXIS_W], w->block[AXIS_W] * w->f[AXIS_W].m, columns);
    affine number = w->at[AXIS_W];
    span_list spans = axis_spans(b->nest->arena, &blocks, 1);
    for (int i = 0; i < spans.count; i++) {
        const axis_span *s = &spans.span[i];
        segment_list present = axis_segments(b->nest->arena, &blocks, s);
        int64_t low = present.count ? present.segment[0].first : 0, high = present.count ? present.segment[0].last : 0;
        build_if(b, affine_offset(number, -s->first), NULL);
        build_if(b, affine_offset(affine_scale(number, -1), s->first + s->count - 1), NULL);
        zero_columns(w, 0, low);
        turn_squares(w, p, channels, low, high);
        zero_columns(w, high, columns);
        build_end(b);
        build_end(b);
    }
}

/* ---- points ---- */

static void load_point(winograd *w, const place_in_pass *p, int pass, int64_t point) {
    int axis = w->pass_axis[pass];
    register_ref to = reg(w->in, affine_constant(point));
    if (pass == 0 && winograd_has_rows(w)) {
        build_load(w->b, to, row_at(w, affine_offset(affine_scale(p->at[axis], w->f[axis].m), point)), NULL);
        return;
    }
    if (pass == 0) {
        lane_map m = {w->n, affine_add(w->channel, p->channel), tensor_position(w, p, axis, point), .channel_step = 1,
                      .valid = &p->valid};
        view_load(w->b, &w->x, &m, to, reg(w->to, affine_constant(0)));
        return;
    }
    affine at[AXES];
    for (int a = 0; a < AXES; a++) at[a] = p->at[a];
    at[axis] = affine_offset(affine_scale(at[axis], w->f[axis].m), point);
    build_load(w->b, to, stage_access(&w->stage[pass], p->point, at, p->channel), NULL);
}

static void store_points(winograd *w, const place_in_pass *p, int pass) {
    int axis = w->pass_axis[pass];
    affine i = build_unrolled(w->b, "i", w->f[axis].alpha), point[AXES];
    for (int a = 0; a < AXES; a++) point[a] = a == axis ? i : p->point[a];
    build_store(w->b, stage_access(&w->stage[pass + 1], point, p->at, p->channel), reg(w->to, i), NULL);
    build_end(w->b);
}

/* One channel vector of one tile; taps low <= k < high are present. */
static void transform_tile(winograd *w, const place_in_pass *p, int pass, int64_t low, int64_t high) {
    const cook_toom *f = &w->f[w->pass_axis[pass]];
    for (int64_t k = 0; k < f->alpha; k++) {
        if (k >= low && k < high)
            load_point(w, p, pass, k);
        else
            build_const(w->b, reg(w->in, affine_constant(k)), 0);
    }
    affine zero = affine_constant(0);
    transform_apply(w->b, &w->parts, f->b, f->alpha, f->alpha, reg(w->in, zero), 1, reg(w->to, zero), 1);
    store_points(w, p, pass);
}

static void zero_tile(winograd *w, const place_in_pass *p, int pass) {
    affine i = build_unrolled(w->b, "i", w->f[w->pass_axis[pass]].alpha);
    build_const(w->b, reg(w->to, i), 0);
    build_end(w->b);
    store_points(w, p, pass);
}

typedef void per_vector(winograd *w, const place_in_pass *p, int pass, int64_t low, int64_t high);

static void zero_vector(winograd *w, const place_in_pass *p, int pass, int64_t low, int64_t high) {
    (void)low, (void)high;
    zero_tile(w, p, pass);
}

/* The nest's input channels, a vector at a time. */
static void channel_vectors(winograd *w, place_in_pass p, int pass, int64_t low, int64_t high, per_vector *each) {
    nest_builder *b = w->b;
    int64_t channels = w->channels, lanes = w->lanes, whole = channels / lanes;
    p.valid = range_of(b, 0, lanes);
    if (whole > 0) {
        p.channel = affine_scale(build_loop(b, "v", whole), lanes);
        each(w, &p, pass, low, high);
        build_end(b);
    }
    if (channels % lanes == 0) return;
    p.channel = affine_constant(whole * lanes);
    p.valid = range_of(b, 0, channels % lanes);
    each(w, &p, pass, low, high);
}

/* The tile at p, by the span of tiles it belongs to: those of one span have the same taps present. Beyond the last tile
 * a block is filled with zeros, for its products are made all the same. */
static void first_pass_tile(winograd *w, const place_in_pass *p) {
    nest_builder *b = w->b;
    int axis = w->pass_axis[0];
    const problem_axis *o = &w->p->axis[axis];
    const problem_axis taps = axis_windows(o, w->tiles[axis], w->f[axis].m, w->f[axis].alpha);
    affine number = affine_add_scaled(p->at[axis], w->at[axis], w->block[axis]);
    affine beyond = affine_offset(number, -w->tiles[axis]);
    span_list spans = axis_spans(b->nest->arena, &taps, 1);
    for (int i = 0; i < spans.count; i++) {
        const axis_span *s = &spans.span[i];
        segment_list present = axis_segments(b->nest->arena, &taps, s);
        int64_t low = present.count ? present.segment[0].first : 0, high = present.count ? present.segment[0].last : 0;
        build_if(b, affine_offset(number, -s->first), NULL);
        build_if(b, affine_offset(affine_scale(number, -1), s->first + s->count - 1), NULL);
        channel_vectors(w, *p, 0, low, high, transform_tile);
        build_end(b);
        build_end(b);
    }
    if (nest_maximum(b->nest, b->scope, beyond) < 0) return;
    build_if(b, beyond, "beyond");
    channel_vectors(w, *p, 0, 0, 0, zero_vector);
    build_end(b);
}

/* Zeros where the position along `axis`, not that of the pass, is outside, or beyond the last of a block that is not
 * whole. */
static void first_pass_outside(winograd *w, const place_in_pass *p, int axis) {
    nest_builder *b = w->b;
    affine at = affine_add(first_position(w, axis), p->at[axis]);
    const affine outside[] = {affine_offset(affine_scale(at, -1), -1), affine_offset(at, -w->p->axis[axis].in)};
    for (int i = 0; i < 2; i++) {
        if (nest_maximum(b->nest, b->scope, outside[i]) < 0) continue;
        build_if(b, outside[i], "outside");
        channel_vectors(w, *p, 0, 0, 0, zero_vector);
        build_end(b);
    }
}

static void transform_row(winograd *w, place_in_pass p, int64_t channels) {
    turn_row(w, &p, channels);
    p.at[AXIS_W] = build_loop(w->b, "w", w->block[AXIS_W]);
    transform_tile(w, &p, 0, 0, w->f[AXIS_W].alpha);
    build_end(w->b);
}

static void transform_rows(winograd *w, const place_in_pass *at) {
    place_in_pass p = *at;
    int64_t lanes = w->lanes, whole = w->channels / lanes, rest = w->channels % lanes;
    if (whole > 0) {
        p.channel = affine_scale(build_loop(w->b, "v", whole), lanes);
        transform_row(w, p, lanes);
        build_end(w->b);
    }
    p.channel = affine_constant(whole * lanes);
    if (rest > 0) transform_row(w, p, rest);
}

/* A row outside is zeros in all its tiles. */
static void outside_row(winograd *w, const place_in_pass *at, int axis) {
    place_in_pass p = *at;
    p.at[AXIS_W] = build_loop(w->b, "w", w->block[AXIS_W]);
    first_pass_outside(w, &p, axis);
    build_end(w->b);
}

/* A tile, or a row of them, where its other positions are inside. */
static void first_pass_place(winograd *w, const place_in_pass *p) {
    nest_builder *b = w->b;
    const bool rows = winograd_has_rows(w);
    int opened = 0;
    for (int a = 0; a < AXES; a++) {
        if (a == w->pass_axis[0]) continue;
        (rows ? outside_row : first_pass_outside)(w, p, a);
        affine at = affine_add(first_position(w, a), p->at[a]);
        build_if(b, at, NULL);
        build_if(b, affine_offset(affine_scale(at, -1), w->p->axis[a].in - 1), NULL);
        opened += 2;
    }
    (rows ? transform_rows : first_pass_tile)(w, p);
    while (opened--) build_end(b);
}

/* Loops over the points of axes done and the places of all. */
static void run_pass(winograd *w, int pass) {
    nest_builder *b = w->b;
    const winograd_stage *from = &w->stage[pass], *to = &w->stage[pass + 1];
    place_in_pass p;
    static const char *const POINTS[AXES] = {"pd", "ph", "pw"}, *const PLACES[AXES] = {"d", "h", "w"};
    for (int a = 0; a < AXES; a++) p.point[a] = build_loop(b, POINTS[a], from->points[a]);
    const int loops = pass == 0 && winograd_has_rows(w) ? AXIS_W : AXES; /* a row's tiles come inside */
    p.at[AXIS_W] = affine_constant(0);
    for (int a = 0; a < loops; a++) p.at[a] = build_loop(b, PLACES[a], to->size[a]);
    if (pass == 0)
        first_pass_place(w, &p);
    else
        channel_vectors(w, p, pass, 0, w->f[w->pass_axis[pass]].alpha, transform_tile);
    for (int a = 0; a < AXES + loops; a++) build_end(b);
}

void winograd_input(winograd *w) {
    for (int pass = 0; pass < w->passes; pass++) run_pass(w, pass);
}
