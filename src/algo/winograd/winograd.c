/* Winograd convolution: which layers, which plans, and the order of its parts. What it does is in winograd.h. */
#include "algo/winograd/winograd.h"

#include "algo/cost.h"

#include <string.h>

enum { MOST_POINTS = 100, DEFAULT_MOST_ALPHA = 6, FAST_MOST_ALPHA = 8 };

static const plan_loop ORDER[] = {LOOP_N, LOOP_G, LOOP_OD, LOOP_OH, LOOP_OW, LOOP_OC};
enum { TASKS = 5, TASKS_PHASED = 6 };

static int most_alpha(const problem *p) { return p->accuracy == ACCURACY_FAST ? FAST_MOST_ALPHA : DEFAULT_MOST_ALPHA; }

/* Points of the smallest tile that saves anything, 2 along each axis with a kernel. */
static int64_t fewest_points(const problem *p) {
    int64_t points = 1;
    for (int a = 0; a < AXES; a++) points *= p->axis[a].taps > 1 ? lesser(2, p->axis[a].out) + p->axis[a].taps - 1 : 1;
    return points;
}

/* An axis is transformed, or left as it is. */
static bool suits(const problem_axis *a) {
    if (a->taps == 1) return a->step == 1 && a->origin == 0 && axis_after(a) == 0;
    return a->step == 1 && a->tap_step == 1 && (a->taps == 3 || a->taps == 5);
}

static bool applicable(const problem *p, const cvk_target *target, const char **why) {
    (void)target;
    bool stencil = false, suited = true;
    for (int a = 0; a < AXES; a++) {
        stencil |= p->axis[a].taps > 1;
        suited &= suits(&p->axis[a]);
    }
    *why = p->combine == COMBINE_NUMBERS    ? "transforms do not leave NaN out"
           : p->combine != COMBINE_SUM      ? "a pool has no weights to transform"
           : p->accuracy == ACCURACY_STRICT ? "accuracy: strict rules it out"
           : !type_is_float(p->sum)         ? "its transforms round, which sums of integers do not"
           : p->groups != 1                 ? "it has groups"
           : p->border != PAD_ZEROS         ? "it pads with something other than zeros"
           : !stencil || !suited ? "no axis has a kernel of 3 or 5, or one has a stride, a dilation or another kernel"
           : fewest_points(p) > MOST_POINTS ? "even its smallest tiles have more than 100 points"
                                            : NULL;
    return !*why;
}

static int plan_m(const cvk_plan *p, int axis) {
    const int m[AXES] = {p->tile_od, p->tile_oh, p->tile_ow};
    return m[axis];
}

static void set_axes(winograd *w) {
    for (int a = 0; a < AXES; a++) {
        const problem_axis *axis = &w->p->axis[a];
        w->active[a] = axis->taps > 1;
        cook_toom_make(plan_m(w->plan, a), (int)axis->taps, &w->f[a]);
        w->tiles[a] = ceil_div(axis->out, w->f[a].m);
    }
}

static void set_blocks(winograd *w) {
    const int wanted[AXES] = {1, w->plan->block_oh, w->plan->block_ow};
    w->points = w->count = 1;
    for (int a = 0; a < AXES; a++) {
        w->block[a] = lesser(wanted[a], w->tiles[a]);
        w->blocks[a] = ceil_div(w->tiles[a], w->block[a]);
        w->points *= w->f[a].alpha;
        w->count *= w->block[a];
    }
}

enum { SET_BYTES = 1024, SLICE_BYTES = 64 };

static int64_t round_up(int64_t n, int64_t to) { return ceil_div(n, to) * to; }

/* Channels of what the products read: of slices, whole ones, so that no two workers share a cache line. */
static int64_t transformed_width(const winograd *w) {
    int64_t width = round_up(w->p->in_channels, w->phased ? w->slice : w->lanes);
    if (width * type_bytes(w->p->sum) % SET_BYTES == 0) width += w->lanes; /* tiles fall into different cache sets */
    return width;
}

static int64_t stage_elements(const winograd_stage *s) {
    int64_t elements = s->width;
    for (int a = 0; a < AXES; a++) elements *= s->points[a] * s->size[a];
    return elements;
}

/* All channels at once, or a cache line of them. */
static void set_slices(winograd *w) {
    w->phased = w->plan->tasks == TASKS_PHASED;
    w->slice = w->phased ? round_up(SLICE_BYTES / type_bytes(w->p->sum), w->lanes) : w->p->in_channels;
    w->channels = w->slice;
    w->channel = affine_constant(0);
}

/* Columns first, then rows, then slices: each pass turns positions along its axis into points and tiles. */
static void set_stages(winograd *w) {
    for (int a = 0; a < AXES; a++) {
        w->stage[0].points[a] = 1;
        w->stage[0].size[a] = w->active[a] ? winograd_positions(w, a) : w->block[a];
    }
    for (int axis = AXES - 1; axis >= 0; axis--) {
        if (!w->active[axis]) continue;
        winograd_stage *s = &w->stage[w->passes + 1];
        *s = w->stage[w->passes];
        w->pass_axis[w->passes++] = axis;
        s->points[axis] = w->f[axis].alpha;
        s->size[axis] = w->block[axis];
    }
    for (int i = 1; i <= w->passes; i++) {
        winograd_stage *s = &w->stage[i];
        bool last = i == w->passes;
        s->width = w->phased && !last ? round_up(w->slice, w->lanes) : transformed_width(w);
        s->base = affine_constant(w->phased && last ? 0 : w->staged);
        w->staged += w->phased && last ? 0 : stage_elements(s);
    }
    w->row = w->staged;
    w->staged += winograd_row_elements(w);
    w->sums = w->phased ? 0 : w->staged;
}

const winograd_stage *winograd_transformed(const winograd *w) { return &w->stage[w->passes]; }

static int64_t product(const int64_t *size, int first, int last) {
    int64_t n = 1;
    for (int a = first; a < last; a++) n *= size[a];
    return n;
}

int winograd_in_registers(winograd *w, winograd_matrix which) {
    bool weights = which == WINOGRAD_WEIGHTS;
    int64_t size[AXES];
    int from = w->in, to = w->turn;
    for (int a = 0; a < AXES; a++) size[a] = weights ? w->f[a].r : w->f[a].alpha;
    for (int axis = 0; axis < AXES; axis++) {
        const cook_toom *f = &w->f[axis];
        if (!w->active[axis]) continue;
        int rows = weights ? f->alpha : f->m, columns = (int)size[axis];
        int64_t inner = product(size, axis + 1, AXES);
        affine o = build_unrolled(w->b, "o", product(size, 0, axis)), i = build_unrolled(w->b, "i", inner);
        transform_apply(w->b, &w->parts, weights ? f->g : f->a, rows, columns,
                        reg(from, affine_add_scaled(i, o, columns * inner)), inner,
                        reg(to, affine_add_scaled(i, o, rows * inner)), inner);
        build_end(w->b);
        build_end(w->b);
        size[axis] = rows;
        int turned = from;
        from = to, to = turned;
    }
    return from;
}

static winograd make(const problem *p, const cvk_target *target, const cvk_plan *plan) {
    winograd w = {.p = p, .target = target, .plan = plan, .lanes = target_lanes(target, p->sum)};
    w.oc = channel_blocks_of(p, plan->tile_oc, w.lanes, true, false);
    w.oc.group = affine_constant(0);
    set_axes(&w);
    set_blocks(&w);
    set_slices(&w);
    set_stages(&w);
    return w;
}

/* ---- nests ---- */

static int64_t blocks_of_tiles(const winograd *w) { return w->p->n * product(w->blocks, 0, AXES); }

static int add_scratch(winograd *w, int64_t elements) {
    return nest_add_tensor(w->b, "scratch", ROLE_SCRATCH, w->p->sum, elements, SCRATCH_ALIGNMENT, true);
}

static int add_register(winograd *w, const char *name, int64_t count) {
    return nest_add_register(w->b, name, w->p->sum, w->lanes, (int)count);
}

/* Stages stand in scratch; of phases, the last in the workspace, after those of the blocks before. */
static void place_stages(winograd *w) {
    winograd_stage *last = &w->stage[w->passes];
    for (int i = 1; i <= w->passes; i++) w->stage[i].tensor = w->scratch;
    if (!w->phased) return;
    int64_t elements = stage_elements(last);
    affine block = w->n;
    for (int a = 0; a < AXES; a++) block = affine_add_scaled(w->at[a], block, w->blocks[a]);
    last->base = affine_add_scaled(w->channel, block, elements);
    last->tensor = nest_add_tensor(w->b, "workspace", ROLE_WORKSPACE, w->p->sum, elements * blocks_of_tiles(w),
                                   SCRATCH_ALIGNMENT, true);
}

static void declare_transforms(winograd *w) {
    w->in = add_register(w, "d", w->points);
    w->to = add_register(w, "u", COOK_TOOM_MOST);
    w->parts = transform_declare(w->b, w->p->sum);
    if (winograd_has_strips(w) || winograd_has_rows(w)) w->square = add_register(w, "square", 2 * w->lanes);
}

static void declare_input(winograd *w) {
    const problem *p = w->p;
    w->x.tensor = nest_add_tensor(w->b, "input", ROLE_INPUT, p->x.type, p->x.elements, type_bytes(p->x.type), false);
    nest_lie_in(w->b, w->x.tensor, p->x.image, p->x.period, p->x.width);
    w->x.v = p->x;
}

static void declare_output(winograd *w) {
    int vectors = w->plan->tile_oc / w->lanes;
    w->weights = nest_add_tensor(w->b, "weights", ROLE_WEIGHTS, w->p->sum, winograd_packed_elements(w),
                                 SCRATCH_ALIGNMENT, false);
    w->out = epilogue_declare(w->b, w->p);
    w->strip = w->sums + w->points * w->count * w->plan->tile_oc;
    w->scratch = add_scratch(w, w->strip + winograd_strip_elements(w));
    epilogue_registers(&w->out);
    w->acc = add_register(w, "acc", w->target->registers + vectors);
    w->ws = add_register(w, "w", vectors);
    w->xs = add_register(w, "x", 1);
    w->turn = add_register(w, "y", w->points);
}

static void begin_blocks(winograd *w) {
    static const char *const NAMES[AXES] = {"od", "oh", "ow"};
    w->n = build_task(w->b, "n", w->p->n);
    for (int axis = 0; axis < AXES; axis++) w->at[axis] = build_task(w->b, NAMES[axis], w->blocks[axis]);
}

static nest *end_blocks(winograd *w) {
    for (int i = 0; i < AXES + 1; i++) build_end(w->b);
    return nest_finish(w->b);
}

static void one_block_of_channels(winograd *w) {
    winograd_products(w);
    winograd_output(w);
}

static void all_blocks_of_channels(winograd *w) {
    int64_t whole = channel_blocks_whole(&w->oc);
    if (whole > 0) {
        channel_blocks_at_whole(&w->oc, build_loop(w->b, "oc", whole));
        one_block_of_channels(w);
        build_end(w->b);
    }
    for (int64_t i = whole; i < w->oc.blocks; i++) {
        channel_blocks_at(&w->oc, i);
        one_block_of_channels(w);
    }
}

static nest_builder begin(arena *a, const winograd *w) {
    return nest_begin(a, w->p->name, ENTRY_TASKS, w->target->vector_bytes);
}

static nest *fused(arena *a, winograd w) {
    nest_builder b = begin(a, &w);
    w.b = &b;
    declare_input(&w);
    declare_output(&w);
    declare_transforms(&w);
    if (w.p->n == 0) {
        b.nest->tasks = 0;
        return nest_finish(&b);
    }
    begin_blocks(&w);
    place_stages(&w);
    winograd_input(&w);
    all_blocks_of_channels(&w);
    return end_blocks(&w);
}

/* `count` slices of `channels` each, from channel `first` on. */
static nest *input_slices(arena *a, winograd w, int64_t first, int64_t count, int64_t channels) {
    nest_builder b = begin(a, &w);
    w.b = &b;
    declare_input(&w);
    if (w.staged > 0) w.scratch = add_scratch(&w, w.staged);
    declare_transforms(&w);
    begin_blocks(&w);
    w.channels = channels;
    w.channel = affine_offset(affine_scale(build_task(&b, "slice", count), channels), first);
    place_stages(&w);
    winograd_input(&w);
    build_end(&b);
    return end_blocks(&w);
}

/* Blocks `first` to `last` of the output channels: all that are whole, or one that is not. */
static nest *output_blocks(arena *a, winograd w, int64_t first, int64_t last) {
    nest_builder b = begin(a, &w);
    w.b = &b;
    declare_output(&w);
    declare_transforms(&w);
    begin_blocks(&w);
    place_stages(&w);
    affine block = build_task(&b, "oc", last - first);
    if (last <= channel_blocks_whole(&w.oc))
        channel_blocks_at_whole(&w.oc, block);
    else
        channel_blocks_at(&w.oc, first);
    one_block_of_channels(&w);
    build_end(&b);
    return end_blocks(&w);
}

static nest_phase input_phase(arena *a, const winograd *w) {
    int64_t whole = w->p->in_channels / w->slice, rest = w->p->in_channels % w->slice;
    nest **n = arena_array(a, nest *, 2);
    int count = 0;
    if (whole) n[count++] = input_slices(a, *w, 0, whole, w->slice);
    if (rest) n[count++] = input_slices(a, *w, whole * w->slice, 1, rest);
    return (nest_phase){count, n};
}

static nest_phase output_phase(arena *a, const winograd *w) {
    int64_t whole = channel_blocks_whole(&w->oc);
    nest **n = arena_array(a, nest *, 1 + w->oc.blocks - whole);
    int count = 0;
    if (whole > 0) n[count++] = output_blocks(a, *w, 0, whole);
    for (int64_t i = whole; i < w->oc.blocks; i++) n[count++] = output_blocks(a, *w, i, i + 1);
    return (nest_phase){count, n};
}

static nest_program two_phases(arena *a, const winograd *w) {
    nest_phase *phase = arena_array(a, nest_phase, 2);
    phase[0] = input_phase(a, w);
    phase[1] = output_phase(a, w);
    return (nest_program){2, phase};
}

static algo_nests build(const algorithm *row, arena *a, const problem *p, const cvk_target *target,
                        const cvk_plan *plan) {
    (void)row;
    winograd w = make(p, target, plan);
    nest_program run = w.phased && p->n > 0 ? two_phases(a, &w) : program_of(a, fused(a, w));
    return (algo_nests){run, winograd_pack_weights(a, &w)};
}

/* ---- plans ---- */

static const char *refuse(const algorithm *row, const problem *p, const cvk_target *target, const cvk_plan *plan) {
    int64_t points = 1;
    int lanes = target_lanes(target, p->sum);
    (void)row;
    for (int a = 0; a < AXES; a++) {
        int64_t taps = p->axis[a].taps, m = plan_m(plan, a), alpha = m + taps - 1;
        if (taps == 1 && m != 1) return "tile is not 1 along an axis without a kernel";
        if (m < 1 || alpha > FAST_MOST_ALPHA) return "a tile and its kernel cover more than 8 positions";
        if (taps > 1 && alpha > most_alpha(p)) return "such tiles want accuracy: fast";
        points *= alpha;
    }
    if (points > MOST_POINTS) return "a tile has more than 100 points";
    if (plan->tile_oc < 1 || plan->tile_oc % lanes != 0) return "tile.oc is not a multiple of the target's lanes";
    if (plan->tile_oc / lanes > target->registers / 4) return "tile.oc leaves too few registers";
    if (plan->block_oh < 1 || plan->block_ow < 1 || plan->block_oh > 1024 || plan->block_ow > 1024)
        return "a block is not 1..1024";
    if (plan->unroll_ic != 1 || plan->unroll_kw || plan->unroll_kh || plan->pack_rows || plan->dot)
        return "winograd unrolls and packs nothing";
    if (plan->stream || plan->prefetch) return "winograd neither prefetches nor bypasses the caches";
    const plan_order order = plan_order_of(ORDER);
    if (!plan_order_equal(&plan->order, &order) || (plan->tasks != TASKS && plan->tasks != TASKS_PHASED))
        return "winograd's order is [n, g, od, oh, ow, oc] with 5 tasks, or 6: the input is then a phase of its own";
    return NULL;
}

static void add_plan(const algorithm *row, const problem *p, const cvk_target *t, arena *a, plan_list *list,
                     const cvk_plan *plan) {
    for (int i = 0; i < list->count; i++)
        if (plan_equal(&list->plan[i], plan)) return;
    if (!refuse(row, p, t, plan)) plan_list_add(a, list, *plan);
}

enum { MANY_TASKS = 64 };

/* Whether blocks of output channels would make more tasks of too few. */
static bool wants_phases(const winograd *w) { return w->oc.blocks > 1 && blocks_of_tiles(w) < MANY_TASKS; }

/* A block of about `count` tiles: whole rows of them if a row is no longer than that. */
static void add_block(const algorithm *row, const problem *p, const cvk_target *t, arena *a, plan_list *list,
                      cvk_plan plan, int64_t count) {
    int64_t across = ceil_div(p->axis[AXIS_W].out, plan.tile_ow), down = ceil_div(p->axis[AXIS_H].out, plan.tile_oh);
    int64_t pieces = ceil_div(across, count);
    plan.block_ow = (int)ceil_div(across, pieces);
    int64_t rows = lesser(down, count / plan.block_ow > 0 ? count / plan.block_ow : 1);
    plan.block_oh = (int)ceil_div(down, ceil_div(down, rows));
    add_plan(row, p, t, a, list, &plan);
    winograd w = make(p, t, &plan);
    plan.tasks = TASKS_PHASED;
    if (wants_phases(&w)) add_plan(row, p, t, a, list, &plan);
}

static void propose(const algorithm *row, const problem *p, goal aim, arena *a, plan_list *list) {
    const cvk_target *t = aim.target;
    static const int COUNTS[] = {7, 14, 28, 56};
    int lanes = target_lanes(t, p->sum);
    cvk_plan plan = {.algorithm = row->name, .lanes = row->lanes, .unroll_ic = 1, .tasks = TASKS};
    plan.order = plan_order_of(ORDER);
    for (int m = 2; m <= 6; m += 2)
        for (int v = 1; v <= 4; v *= 2) {
            int *m_of[AXES] = {&plan.tile_od, &plan.tile_oh, &plan.tile_ow};
            for (int axis = 0; axis < AXES; axis++)
                *m_of[axis] = p->axis[axis].taps > 1 ? (int)lesser(m, p->axis[axis].out) : 1;
            plan.tile_oc = v * lanes;
            bool narrow = v == 1 && p->out_channels > lanes, wide = v > 1 && plan.tile_oc - lanes >= p->out_channels;
            if (narrow || wide) continue;
            for (size_t i = 0; i < sizeof COUNTS / sizeof COUNTS[0]; i++)
                add_block(row, p, t, a, list, plan, COUNTS[i]);
        }
}

/* Bytes that do not stay in the first level between the pass that writes them and the one that reads them: sums of all
 * points, for each block of output channels, and transformed inputs. */
static double bytes_to_and_fro(const winograd *w, double blocks) {
    const double size = type_bytes(w->p->sum), share = w->target->figures->l1_share * (double)w->target->l1_bytes;
    const double sums = size * (double)(w->points * w->count * w->plan->tile_oc);
    const double inputs = size * (double)stage_elements(winograd_transformed(w));
    double bytes = 0;
    if (sums > share) bytes += sums * (double)w->oc.blocks;
    if (inputs > share) bytes += inputs;
    return bytes * blocks;
}

/* Input that is fetched and output that is written, which is fetched first, where the third level does not keep them.
 */
static double layer_cycles(const problem *p, const cvk_target *target) {
    const double x = view_bytes(&p->x), y = view_bytes(&p->y);
    return cost_far(target, x + 2 * y, x + y);
}

/* The transformed weights stream past every block; all else stays near, but for inputs transformed by a phase that no
 * cache holds, which go out and come back. */
static double cycles(const problem *p, const cvk_target *target, const cvk_plan *plan, const algo_nests *nests,
                     const nest_counts *counts) {
    const machine_figures *f = target->figures;
    winograd w = make(p, target, plan);
    double vectors = (double)plan->tile_oc / w.lanes, sums = vectors * (target->registers / vectors - 1);
    double weights = (double)program_needs(&nests->run, ROLE_WEIGHTS).bytes;
    double scratch = (double)program_needs(&nests->run, ROLE_SCRATCH).bytes;
    double workspace = (double)program_needs(&nests->run, ROLE_WORKSPACE).bytes;
    double blocks = (double)blocks_of_tiles(&w), block = scratch + (blocks > 0 ? workspace / blocks : 0);
    double l2 = (double)target->l2_bytes, streamed = weights * blocks;
    double core = cost_issue(target, counts, w.lanes, sums, true);
    core += bytes_to_and_fro(&w, blocks) / (f->l2_bytes_a_cycle * f->winograd_share);
    bool near = weights + block < l2;
    return core +
           (near ? cost_l2(target, streamed) * f->winograd_near
                 : cost_far(target, streamed, weights) * f->winograd_far) +
           (block > l2 ? f->winograd_spilled * core : 0) +
           (workspace > l2 ? cost_far(target, 2 * workspace, workspace) * f->winograd_far : 0) +
           layer_cycles(p, target) * f->winograd_far;
}

const algorithm algo_winograd = {
    "winograd", LANES_OUT_CHANNELS, applicable, propose, refuse, build, cycles, NULL, NULL, NULL, false};
