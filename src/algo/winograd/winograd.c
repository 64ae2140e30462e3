/* Winograd convolution: which layers, which plans, and the order of its parts. What it does is in winograd.h. */
#include "algo/winograd/winograd.h"

#include "algo/cost.h"

#include <string.h>

enum { MOST_POINTS = 100, DEFAULT_MOST_ALPHA = 6, FAST_MOST_ALPHA = 8 };

static const plan_loop ORDER[PLAN_LOOPS] = {LOOP_N, LOOP_G, LOOP_OD, LOOP_OH, LOOP_OC};
enum { TASKS = 4 };

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int most_alpha(const problem *p) { return p->accuracy == ACCURACY_FAST ? FAST_MOST_ALPHA : DEFAULT_MOST_ALPHA; }

/* Points of the smallest tile that saves anything, 2 along each axis with a kernel. */
static int64_t fewest_points(const problem *p) {
    int64_t points = 1;
    for (int a = 0; a < AXES; a++) points *= p->axis[a].taps > 1 ? least(2, p->axis[a].out) + p->axis[a].taps - 1 : 1;
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
    *why = p->accuracy == ACCURACY_STRICT ? "accuracy: strict rules it out"
           : p->groups != 1               ? "it has groups"
           : p->border != PAD_ZEROS       ? "it pads with something other than zeros"
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
        w->block[a] = least(wanted[a], w->tiles[a]);
        w->blocks[a] = ceil_div(w->tiles[a], w->block[a]);
        w->points *= w->f[a].alpha;
        w->count *= w->block[a];
    }
}

enum { SET_BYTES = 1024 };

/* Columns first, then rows, then slices: each pass turns positions along its axis into points and tiles. */
static void set_stages(winograd *w) {
    int64_t base = 0, lanes = w->lanes;
    w->channel_stride = ceil_div(w->p->in_channels, lanes) * lanes;
    if (w->channel_stride * type_bytes(w->p->sum) % SET_BYTES == 0)
        w->channel_stride += lanes; /* tiles fall into different cache sets */
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
        s->base = base;
        int64_t elements = w->channel_stride;
        for (int a = 0; a < AXES; a++) elements *= s->points[a] * s->size[a];
        base += elements;
    }
    w->sums = base;
    w->scratch_elements = base + w->points * w->count * w->plan->tile_oc;
}

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
    set_stages(&w);
    return w;
}

static void declare(winograd *w) {
    nest_builder *b = w->b;
    int vectors = w->plan->tile_oc / w->lanes;
    w->x = (tensor_view){
        nest_add_tensor(b, "input", ROLE_INPUT, w->p->x.type, w->p->x.elements, type_bytes(w->p->x.type), false),
        w->p->x};
    w->weights = nest_add_tensor(b, "weights", ROLE_WEIGHTS, w->p->w.type, winograd_packed_elements(w),
                                 SCRATCH_ALIGNMENT, false);
    w->out = epilogue_declare(b, w->p);
    w->scratch = nest_add_tensor(b, "scratch", ROLE_SCRATCH, w->p->sum, w->scratch_elements, SCRATCH_ALIGNMENT, true);
    epilogue_registers(&w->out);
    w->acc = nest_add_register(b, "acc", w->p->sum, w->lanes, w->target->registers + vectors);
    w->ws = nest_add_register(b, "w", w->p->sum, w->lanes, vectors);
    w->xs = nest_add_register(b, "x", w->p->sum, w->lanes, 1);
    w->in = nest_add_register(b, "d", w->p->sum, w->lanes, (int)w->points);
    w->to = nest_add_register(b, "u", w->p->sum, w->lanes, COOK_TOOM_MOST);
    w->turn = nest_add_register(b, "y", w->p->sum, w->lanes, (int)w->points);
    w->parts = transform_declare(b, w->p->sum);
}

static void one_block_of_channels(winograd *w) {
    winograd_products(w);
    winograd_output(w);
}

static void channel_blocks_of_tiles(winograd *w) {
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

static void walk(winograd *w) {
    static const char *const NAMES[AXES] = {"od", "oh", "ow"};
    w->n = build_task(w->b, "n", w->p->n);
    for (int axis = 0; axis < AXES; axis++) w->at[axis] = build_task(w->b, NAMES[axis], w->blocks[axis]);
    winograd_input(w);
    channel_blocks_of_tiles(w);
    for (int i = 0; i < AXES + 1; i++) build_end(w->b);
}

static algo_nests build(const algorithm *row, arena *a, const problem *p, const cvk_target *target,
                        const cvk_plan *plan) {
    (void)row;
    winograd w = make(p, target, plan);
    nest_builder b = nest_begin(a, p->name, ENTRY_TASKS, target->vector_bytes);
    w.b = &b;
    declare(&w);
    if (p->n > 0)
        walk(&w);
    else
        b.nest->tasks = 0;
    return (algo_nests){program_of(a, nest_finish(&b)), winograd_pack_weights(a, &w)};
}

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
    if (plan->unroll_ic != 1 || plan->unroll_kw || plan->pack_rows) return "winograd unrolls and packs nothing";
    if (memcmp(plan->order, ORDER, sizeof ORDER) != 0 || plan->tasks != TASKS)
        return "winograd's order is [n, g, od, oh, oc] with 4 tasks";
    return NULL;
}

/* A block of about `count` tiles: whole rows of them if a row is no longer than that. */
static void add_block(const algorithm *row, const problem *p, const cvk_target *t, arena *a, plan_list *list,
                      cvk_plan plan, int64_t count) {
    int64_t across = ceil_div(p->axis[AXIS_W].out, plan.tile_ow), down = ceil_div(p->axis[AXIS_H].out, plan.tile_oh);
    int64_t pieces = ceil_div(across, count);
    plan.block_ow = (int)ceil_div(across, pieces);
    int64_t rows = least(down, count / plan.block_ow > 0 ? count / plan.block_ow : 1);
    plan.block_oh = (int)ceil_div(down, ceil_div(down, rows));
    for (int i = 0; i < list->count; i++)
        if (plan_equal(&list->plan[i], &plan)) return;
    if (!refuse(row, p, t, &plan)) plan_list_add(a, list, plan);
}

static void propose(const algorithm *row, const problem *p, const cvk_target *t, arena *a, plan_list *list) {
    static const int COUNTS[] = {14, 28, 56};
    int lanes = target_lanes(t, p->sum);
    cvk_plan plan = {.algorithm = row->name, .lanes = row->lanes, .unroll_ic = 1, .tasks = TASKS};
    memcpy(plan.order, ORDER, sizeof ORDER);
    for (int m = 2; m <= 6; m += 2)
        for (int v = 1; v <= 4; v *= 2) {
            int *m_of[AXES] = {&plan.tile_od, &plan.tile_oh, &plan.tile_ow};
            for (int axis = 0; axis < AXES; axis++)
                *m_of[axis] = p->axis[axis].taps > 1 ? (int)least(m, p->axis[axis].out) : 1;
            plan.tile_oc = v * lanes;
            bool narrow = v == 1 && p->out_channels > lanes, wide = v > 1 && plan.tile_oc - lanes >= p->out_channels;
            if (narrow || wide) continue;
            for (size_t i = 0; i < sizeof COUNTS / sizeof COUNTS[0]; i++)
                add_block(row, p, t, a, list, plan, COUNTS[i]);
        }
}

/* The transformed weights stream past every block; all else stays near. */
static double cycles(const problem *p, const cvk_target *target, const cvk_plan *plan, const algo_nests *nests,
                     const nest_counts *counts) {
    int lanes = target_lanes(target, p->sum);
    double vectors = (double)plan->tile_oc / lanes, sums = vectors * (target->registers / vectors - 1);
    double weights = (double)program_needs(&nests->run, ROLE_WEIGHTS).bytes;
    double scratch = (double)program_needs(&nests->run, ROLE_SCRATCH).bytes;
    double l2 = (double)target->l2_bytes, streamed = weights * (double)program_tasks(&nests->run, 0);
    double core = cost_issue(target, counts, lanes, sums);
    bool near = weights + scratch < l2;
    return core + streamed / (near ? COST_L2_BYTES_A_CYCLE : COST_L3_BYTES_A_CYCLE) * (near ? 0.2 : 0.7) +
           (scratch > l2 ? 0.15 * core : 0);
}

const algorithm algo_winograd = {"winograd", LANES_OUT_CHANNELS, applicable, propose, refuse, build, cycles, NULL};
