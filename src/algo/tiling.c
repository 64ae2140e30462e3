/* The walk over output tiles and present taps that all direct algorithms share; see tiling.h for its shape. */
#include "algo/tiling.h"

enum { MOST_UNROLLED_FMAS = 1500 }; /* beyond, LLVM's time grows faster than the code */

int tile_vectors(const tile *t) { return (int)((t->covers + t->lanes - 1) / t->lanes); }

nest_range tile_valid_lanes(tile *t, affine vector) {
    nest_range r = range_of(t->b, 0, t->lanes);
    range_clip_high(t->b, &r, affine_offset(affine_scale(vector, -t->lanes), t->valid), 1);
    return r;
}

int64_t tile_channel_step(const tile *t) { return t->family->depthwise ? t->p.out_channels : 1; }

affine tile_channel(const tile *t) {
    affine first = affine_scale(t->block, t->plan->tile_oc * tile_channel_step(t));
    return affine_add_scaled(first, t->group, t->family->depthwise ? 1 : t->p.out_channels);
}

nest_range tap_columns(tile *t, const tap *k, affine first, int64_t count) {
    if (k->columns) return positions_of_segment(t->b, k->columns, first, count);
    return positions_of_tap(t->b, &t->p.axis[AXIS_W], t->columns, k->kw, first, count);
}

position tap_input(const tile *t, const tap *k, affine row, affine column) {
    const problem_axis *axis = t->p.axis;
    position at = {{input_position(&axis[AXIS_D], t->od, k->kd),
                    input_position(&axis[AXIS_H], affine_add(t->oh, row), k->kh),
                    input_position(&axis[AXIS_W], affine_add(t->ow, column), k->kw)}};
    if (t->plan->pack_rows == 0) return at;
    at.at[AXIS_D] = k->kd; /* scratch holds the slices the taps see, and rows from packed_row on */
    at.at[AXIS_H] = affine_sub(at.at[AXIS_H], t->packed_row);
    return at;
}

affine tap_weights(const tile *t, const tap *k) {
    const problem_axis *axis = t->p.axis;
    affine at = affine_add_scaled(t->block, t->group, t->blocks);
    at = affine_add_scaled(k->kd, at, axis[AXIS_D].kernel);
    at = affine_add_scaled(k->kh, at, axis[AXIS_H].kernel);
    if (t->plan->unroll_kw) {
        at = affine_add_scaled(k->ic, at, t->p.in_channels);
        at = affine_add_scaled(k->kw, at, axis[AXIS_W].kernel);
    } else {
        at = affine_add_scaled(k->kw, at, axis[AXIS_W].kernel);
        at = affine_add_scaled(k->ic, at, t->p.in_channels);
    }
    return affine_scale(at, t->plan->tile_oc);
}

int64_t tile_row_count(const tile *t) { return t->plan->tile_oh == 1 ? 1 : t->rows->length; }

position tile_output(const tile *t, affine row, affine column) {
    return (position){{t->od, affine_add(t->oh, row), affine_add(t->ow, column)}};
}

/* ---- the reduction of one tile ---- */

/* Taps of a kernel row for one input channel. */
static void kernel_row(tile *t, tap k) {
    k.columns = NULL;
    k.kw = build_unrolled(t->b, "kw", t->p.axis[AXIS_W].kernel);
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
    affine block = build_loop(b, "cb", (channels + BLOCK_CHANNELS - 1) / BLOCK_CHANNELS);
    nest_range inside = range_of(b, 0, BLOCK_CHANNELS);
    range_clip_high(b, &inside, affine_offset(affine_scale(block, -BLOCK_CHANNELS), channels), 1);
    affine within = build_for(b, VARIABLE_LOOP, "ic", inside);
    k.ic = affine_add_scaled(within, block, BLOCK_CHANNELS);
    one_channel(t, k);
    build_end(b);
    build_end(b);
}

static void reduce_channels(tile *t, tap k) {
    int64_t channels = t->p.in_channels, unroll = t->plan->unroll_ic, whole = channels / unroll * unroll;
    if (t->in.layout == CVK_BLOCKED && channels > 1) {
        blocked_channel_loop(t, k, channels);
        return;
    }
    if (whole) channel_loop(t, k, 0, whole, unroll);
    if (whole < channels) channel_loop(t, k, whole, channels - whole, 1);
}

static bool clips_columns(const tile *t) { return t->plan->tile_ow == 1 && !t->plan->unroll_kw; }

static void reduce_columns(tile *t, tap k) {
    const problem_axis *axis = &t->p.axis[AXIS_W];
    if (t->plan->unroll_kw) {
        reduce_channels(t, k);
        return;
    }
    if (clips_columns(t)) {
        tap_segment all = {0, axis->kernel, 0, 1};
        k.columns = &all;
        k.kw = build_for(t->b, VARIABLE_LOOP, "kw", present_taps(t->b, axis, t->ow));
        reduce_channels(t, k);
        build_end(t->b);
        return;
    }
    segment_list list = segments_of(t->b->nest->arena, axis, t->columns);
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
    segment_list list = segments_of(t->b->nest->arena, axis, t->rows);
    for (int i = 0; i < list.count; i++) {
        k.rows = range_of(t->b, list.segment[i].low, list.segment[i].high);
        k.kh = build_for(t->b, VARIABLE_LOOP, "kh", range_of(t->b, list.segment[i].first, list.segment[i].last));
        reduce_columns(t, k);
        build_end(t->b);
    }
}

static void one_tile(tile *t) {
    tap k = {.kd = affine_constant(0), .kh = affine_constant(0), .kw = affine_constant(0), .ic = affine_constant(0)};
    t->family->begin(t);
    k.kd = build_for(t->b, VARIABLE_LOOP, "kd", present_taps(t->b, &t->p.axis[AXIS_D], t->od));
    reduce_rows(t, k);
    build_end(t->b);
    t->family->finish(t);
    epilogue_fill(t);
}

/* ---- the walk over tiles ---- */

static void column_tiles(tile *t) {
    const problem_axis *axis = &t->p.axis[AXIS_W];
    axis_span whole = {0, axis->out, 1, 0, axis->out - 1};
    span_list list = {&whole, 1};
    if (!clips_columns(t)) list = spans_of(t->b->nest->arena, axis, t->plan->tile_ow);
    for (int i = 0; i < list.count; i++) {
        t->columns = &list.span[i];
        affine number = build_loop(t->b, "ow", t->columns->count);
        t->ow = affine_scale(affine_offset(number, t->columns->first), t->plan->tile_ow);
        one_tile(t);
        build_end(t->b);
    }
}

/* `number` is the row tile's. */
static void row_tiles(tile *t, affine number) {
    t->oh = affine_scale(number, t->plan->tile_oh);
    axis_span whole = {0, t->p.axis[AXIS_H].out, 1, 0, t->p.axis[AXIS_H].out - 1};
    span_list list = {&whole, 1};
    if (t->plan->tile_oh > 1) list = spans_of(t->b->nest->arena, &t->p.axis[AXIS_H], t->plan->tile_oh);
    for (int i = 0; i < list.count; i++) {
        t->rows = &list.span[i];
        int64_t last = t->rows->first + t->rows->count - 1;
        build_if(t->b, affine_offset(number, -t->rows->first), NULL);
        build_if(t->b, affine_offset(affine_scale(number, -1), last), NULL);
        column_tiles(t);
        build_end(t->b);
        build_end(t->b);
    }
}

static int64_t row_tile_count(const tile *t) {
    return (t->p.axis[AXIS_H].out + t->plan->tile_oh - 1) / t->plan->tile_oh;
}

static int64_t packed_tiles(const tile *t) { return t->plan->pack_rows / t->plan->tile_oh; }

/* With packed input the row loop runs over blocks of rows; here over the tiles of one. */
static void rows_of_task(tile *t, affine row) {
    if (t->plan->pack_rows == 0) {
        row_tiles(t, row);
        return;
    }
    int64_t tiles = packed_tiles(t);
    nest_range inside = range_of(t->b, 0, tiles);
    range_clip_high(t->b, &inside, affine_offset(affine_scale(row, -tiles), row_tile_count(t)), 1);
    affine within = build_for(t->b, VARIABLE_LOOP, "oh", inside);
    row_tiles(t, affine_add_scaled(within, row, tiles));
    build_end(t->b);
}

/* Blocks in which every channel exists share their code; each of the rest has its own. */
static void channel_variants(tile *t, affine row) {
    int64_t whole = t->channels / t->plan->tile_oc;
    affine block = t->block;
    if (whole > 0) {
        build_if(t->b, affine_offset(affine_scale(block, -1), whole - 1), "whole blocks");
        t->valid = t->covers = t->plan->tile_oc;
        rows_of_task(t, row);
        build_end(t->b);
    }
    for (int64_t i = whole; i < t->blocks; i++) {
        build_if(t->b, affine_offset(block, -i), "the rest");
        build_if(t->b, affine_offset(affine_scale(block, -1), i), NULL);
        int64_t first = i * t->plan->tile_oc, left = t->covered - first;
        t->block = affine_constant(i);
        t->valid = t->channels - first;
        t->covers = left < t->plan->tile_oc ? left : t->plan->tile_oc;
        rows_of_task(t, row);
        build_end(t->b);
        build_end(t->b);
    }
    t->block = block;
}

static int64_t trips(const tile *t, plan_loop loop) {
    int64_t rows = row_tile_count(t);
    if (t->plan->pack_rows) rows = (rows + packed_tiles(t) - 1) / packed_tiles(t);
    const int64_t count[PLAN_LOOPS] = {[LOOP_N] = t->p.batch,
                                       [LOOP_G] = t->groups,
                                       [LOOP_OC] = t->blocks,
                                       [LOOP_OD] = t->p.axis[AXIS_D].out,
                                       [LOOP_OH] = rows};
    return count[loop];
}

static void walk(tile *t) {
    static const char *const NAMES[PLAN_LOOPS] = {
        [LOOP_N] = "n", [LOOP_G] = "g", [LOOP_OC] = "oc", [LOOP_OD] = "od", [LOOP_OH] = "oh"};
    affine at[PLAN_LOOPS];
    for (int i = 0; i <= PLAN_LOOPS; i++) {
        if (i == t->plan->tasks && t->plan->pack_rows) {
            t->n = at[LOOP_N], t->od = at[LOOP_OD];
            t->group = t->family->depthwise ? affine_constant(0) : at[LOOP_G];
            pack_input_build(t, affine_scale(at[LOOP_OH], t->plan->pack_rows));
        }
        if (i == PLAN_LOOPS) break;
        plan_loop loop = t->plan->order[i];
        at[loop] = i < t->plan->tasks ? build_task(t->b, NAMES[loop], trips(t, loop))
                                      : build_loop(t->b, NAMES[loop], trips(t, loop));
    }
    t->n = at[LOOP_N], t->group = at[LOOP_G], t->block = at[LOOP_OC], t->od = at[LOOP_OD];
    channel_variants(t, at[LOOP_OH]);
    for (int i = 0; i < PLAN_LOOPS; i++) build_end(t->b);
}

/* ---- set-up ---- */

/* The tensor is declared later. */
static tensor_view view_of(cvk_layout layout, int64_t channels, const problem *p, bool in) {
    tensor_view v = {.layout = layout, .channels = channels};
    for (int a = 0; a < AXES; a++) v.size[a] = in ? p->axis[a].in : p->axis[a].out;
    return v;
}

/* Channel vectors may run into the fill of a blocked tensor, and then write it, if blocks begin where vectors do. */
static bool covers_fill(const tile *t) {
    if (!t->family->channel_lanes || t->spec->output_layout != CVK_BLOCKED) return false;
    return t->family->depthwise ? t->p.out_channels == 1 : t->p.groups == 1;
}

tile tile_make(const cvk_spec *s, const cvk_target *target, const cvk_plan *plan, const family *f) {
    tile t = {.family = f,
              .spec = s,
              .target = target,
              .plan = plan,
              .p = problem_of(s),
              .lanes = target_lanes(target, TYPE_F32),
              .bias = -1,
              .scale = -1,
              .addend = -1};
    t.groups = f->depthwise ? t.p.out_channels : t.p.groups;
    t.channels = f->depthwise ? t.p.groups : t.p.out_channels;
    t.covered = t.channels;
    if (covers_fill(&t)) t.covered = (t.channels + BLOCK_CHANNELS - 1) / BLOCK_CHANNELS * BLOCK_CHANNELS;
    t.blocks = (t.covered + plan->tile_oc - 1) / plan->tile_oc;
    return t;
}

enum { TENSOR_ALIGNMENT = 4 };

void tile_declare(tile *t, int64_t packed_elements) {
    const cvk_spec *s = t->spec;
    nest_builder *b = t->b;
    t->source = view_of(s->input_layout, s->in_channels, &t->p, true);
    t->out = view_of(s->output_layout, s->out_channels, &t->p, false);
    t->source.tensor =
        nest_add_tensor(b, "input", ROLE_INPUT, TYPE_F32, view_elements(&t->source, s->batch), TENSOR_ALIGNMENT, false);
    t->weights = nest_add_tensor(b, "weights", ROLE_WEIGHTS, TYPE_F32, packed_elements, SCRATCH_ALIGNMENT, false);
    if (s->bias) t->bias = nest_add_tensor(b, "bias", ROLE_BIAS, TYPE_F32, s->out_channels, TENSOR_ALIGNMENT, false);
    int64_t scales = spec_count_post(s, POST_SCALE), addends = spec_count_post(s, POST_ADD);
    int64_t elements = view_elements(&t->out, s->batch);
    if (scales)
        t->scale = nest_add_tensor(b, "scale", ROLE_SCALE, TYPE_F32, scales * s->out_channels, TENSOR_ALIGNMENT, false);
    if (addends)
        t->addend = nest_add_tensor(b, "addend", ROLE_ADDEND, TYPE_F32, addends * elements, TENSOR_ALIGNMENT, false);
    t->out.tensor = nest_add_tensor(b, "output", ROLE_OUTPUT, TYPE_F32, elements, TENSOR_ALIGNMENT, true);
    t->in = t->source;
}

/* Rows of scratch for pack_rows output rows. */
static int64_t packed_input_rows(const tile *t) {
    const problem_axis *h = &t->p.axis[AXIS_H];
    return (t->plan->pack_rows - 1) * h->stride + (h->kernel - 1) * h->dilation + 1;
}

bool tiling_applicable(const cvk_spec *spec, const cvk_target *target, const char **why) {
    (void)spec, (void)target, (void)why;
    return true;
}

algo_nests tiling_build(const algorithm *row, arena *a, const cvk_spec *spec, const cvk_target *target,
                        const cvk_plan *plan) {
    const family *f = row->family;
    tile t = tile_make(spec, target, plan, f);
    nest_builder b = nest_begin(a, spec->name, ENTRY_TASKS, target->vector_bytes);
    t.b = &b;
    tile_declare(&t, packed_weights_elements(&t));
    int64_t scratch = 0;
    if (plan->pack_rows) {
        pack_input_view(&t, packed_input_rows(&t));
        scratch = view_elements(&t.in, 1);
        t.in.tensor = nest_add_tensor(&b, "scratch", ROLE_SCRATCH, TYPE_F32, scratch, SCRATCH_ALIGNMENT, true);
    }
    epilogue_registers(&t);
    f->registers(&t);
    if (spec->batch > 0)
        walk(&t);
    else
        b.nest->tasks = 0;
    nest *run = nest_finish(&b);
    return (algo_nests){run, pack_weights_build(a, &t, spec->name), packed_weights_elements(&t), scratch};
}

/* ---- judging a plan's numbers ---- */

static int64_t unrolled_positions(arena *a, const problem_axis *axis, int64_t tile_size, bool by_segment) {
    span_list spans = spans_of(a, axis, tile_size);
    int64_t total = 0;
    for (int i = 0; i < spans.count; i++) {
        int64_t copies = by_segment ? segments_of(a, axis, &spans.span[i]).count : axis->kernel;
        total += copies * spans.span[i].length;
    }
    return total;
}

/* FMAs that the plan unrolls, all variants together: the measure of its code. */
static int64_t unrolled_fmas(arena *a, const cvk_spec *spec, const cvk_target *target, const cvk_plan *plan,
                             const family *f) {
    tile t = tile_make(spec, target, plan, f);
    if (spec->padding != PAD_ZEROS && plan->pack_rows) pack_input_view(&t, packed_input_rows(&t));
    int64_t columns = 1, rows = 1, variants = t.blocks - t.channels / plan->tile_oc + (t.channels >= plan->tile_oc);
    if (!clips_columns(&t)) columns = unrolled_positions(a, &t.p.axis[AXIS_W], plan->tile_ow, !plan->unroll_kw);
    if (plan->tile_oh > 1) rows = unrolled_positions(a, &t.p.axis[AXIS_H], plan->tile_oh, true);
    int64_t vectors = f->channel_lanes ? (plan->tile_oc + t.lanes - 1) / t.lanes : plan->tile_oc;
    if (!f->channel_lanes) columns = (columns + t.lanes - 1) / t.lanes;
    int64_t once = plan->unroll_ic + (t.p.in_channels % plan->unroll_ic != 0);
    return columns * rows * vectors * variants * once;
}

static bool is_permutation(const plan_loop *order) {
    unsigned seen = 0;
    for (int i = 0; i < PLAN_LOOPS; i++) seen |= 1u << order[i];
    return seen == (1u << PLAN_LOOPS) - 1;
}

static int place_of(const cvk_plan *p, plan_loop loop) {
    for (int i = 0; i < PLAN_LOOPS; i++)
        if (p->order[i] == loop) return i;
    return PLAN_LOOPS;
}

/* What scratch depends on must be fixed when it is filled. */
static bool packs_too_late(const cvk_plan *p, const family *f) {
    int last = place_of(p, LOOP_N);
    if (place_of(p, LOOP_OD) > last) last = place_of(p, LOOP_OD);
    if (place_of(p, LOOP_OH) > last) last = place_of(p, LOOP_OH);
    if (!f->depthwise && place_of(p, LOOP_G) > last) last = place_of(p, LOOP_G);
    return last >= p->tasks;
}

const char *tiling_refuse(const algorithm *row, const cvk_spec *spec, const cvk_target *target, const cvk_plan *plan) {
    const family *f = row->family;
    if (plan->tile_oc < 1 || plan->tile_oh < 1 || plan->tile_ow < 1) return "a tile has no size";
    if (plan->tile_oc > 4096 || plan->tile_oh > 64 || plan->tile_ow > 4096) return "a tile is too large";
    if (f->channel_lanes && plan->tile_oc % target_lanes(target, TYPE_F32) != 0)
        return "tile.oc is not a multiple of the target's lanes";
    if (!f->channel_lanes && plan->tile_ow % target_lanes(target, TYPE_F32) != 0)
        return "tile.ow is not a multiple of the target's lanes";
    if (plan->tile_od != 1 || plan->block_oh != 1 || plan->block_ow != 1)
        return "tile.od and block are 1 but for winograd";
    if (plan->unroll_ic < 1 || plan->unroll_ic > 64) return "unroll.ic is not 1..64";
    if (!is_permutation(plan->order)) return "order does not name each loop once";
    if (plan->tasks < 1 || plan->tasks > PLAN_LOOPS) return "tasks is not 1..5";
    if (plan->pack_rows < 0 || plan->pack_rows > 1 << 16) return "pack.input is not 0..65536";
    if (plan->pack_rows % plan->tile_oh != 0) return "pack.input is not a multiple of tile.oh";
    if (plan->pack_rows && packs_too_late(plan, f)) return "packed input needs n, g, od and oh among its tasks";
    if (!plan->pack_rows && problem_has_border(spec)) return "this padding_mode needs packed input";
    arena a;
    arena_init(&a);
    if (arena_guard(&a)) {
        arena_free(&a);
        return "no memory to judge it";
    }
    bool large = unrolled_fmas(&a, spec, target, plan, f) > MOST_UNROLLED_FMAS;
    arena_free(&a);
    return large ? "it unrolls too much code" : NULL;
}
