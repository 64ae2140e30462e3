/* Winograd convolution: which layers, which plans, and the order of its parts. What it does is in winograd.h. */
#include "algo/winograd.h"

#include "algo/cost.h"

#include <string.h>

enum { MOST_POINTS = 100, DEFAULT_MOST_ALPHA = 6, FAST_MOST_ALPHA = 8 };

static const plan_loop ORDER[PLAN_LOOPS] = {LOOP_N, LOOP_G, LOOP_OD, LOOP_OH, LOOP_OC};
enum { TASKS = 4 };

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int most_alpha(const cvk_spec *s) { return s->accuracy == ACCURACY_FAST ? FAST_MOST_ALPHA : DEFAULT_MOST_ALPHA; }

/* Points of the smallest tile that saves anything, 2 along each axis with a kernel. */
static int64_t fewest_points(const cvk_spec *s) {
    int64_t points = 1;
    for (int a = 0; a < AXES; a++) points *= s->kernel[a] > 1 ? least(2, s->out_size[a]) + s->kernel[a] - 1 : 1;
    return points;
}

static bool applicable(const cvk_spec *s, const cvk_target *target, const char **why) {
    (void)target;
    bool stencil = false, unit = true, covered = true;
    for (int a = 0; a < AXES; a++) {
        bool kernel = s->kernel[a] > 1;
        stencil |= kernel;
        unit &= s->stride[a] == 1 && (s->dilation[a] == 1 || !kernel) &&
                (s->kernel[a] == 1 || s->kernel[a] == 3 || s->kernel[a] == 5);
        covered &= kernel || (s->pad_before[a] == 0 && s->pad_after[a] == 0);
    }
    *why = s->accuracy == ACCURACY_STRICT ? "accuracy: strict rules it out"
           : s->groups != 1               ? "it has groups"
           : s->padding != PAD_ZEROS      ? "it pads with something other than zeros"
           : !stencil || !unit || !covered
               ? "no axis has a kernel of 3 or 5, or one has a stride, a dilation or another kernel"
           : fewest_points(s) > MOST_POINTS ? "even its smallest tiles have more than 100 points"
                                            : NULL;
    return !*why;
}

static int plan_m(const cvk_plan *p, int axis) {
    const int m[AXES] = {p->tile_od, p->tile_oh, p->tile_ow};
    return m[axis];
}

/* The problem with its axes as they are: merging would hide which have a kernel. */
static void set_axes(winograd *w) {
    const cvk_spec *s = w->t.spec;
    for (int a = 0; a < AXES; a++) {
        w->t.p.axis[a] = (problem_axis){s->in_size[a], s->out_size[a], s->kernel[a], 1, 1, s->pad_before[a]};
        w->active[a] = s->kernel[a] > 1;
        cook_toom_make(plan_m(w->t.plan, a), (int)s->kernel[a], &w->f[a]);
        w->tiles[a] = ceil_div(s->out_size[a], w->f[a].m);
    }
}

static void set_blocks(winograd *w) {
    const int wanted[AXES] = {1, w->t.plan->block_oh, w->t.plan->block_ow};
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
    int64_t base = 0, lanes = w->t.lanes;
    w->channel_stride = ceil_div(w->t.p.in_channels, lanes) * lanes;
    if (w->channel_stride * 4 % SET_BYTES == 0) w->channel_stride += lanes; /* tiles fall into different cache sets */
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
    w->scratch_elements = base + w->points * w->count * w->t.plan->tile_oc;
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
        affine o = build_unrolled(w->t.b, "o", product(size, 0, axis)), i = build_unrolled(w->t.b, "i", inner);
        transform_apply(w->t.b, &w->parts, weights ? f->g : f->a, rows, columns,
                        reg(from, affine_add_scaled(i, o, columns * inner)), inner,
                        reg(to, affine_add_scaled(i, o, rows * inner)), inner);
        build_end(w->t.b);
        build_end(w->t.b);
        size[axis] = rows;
        int turned = from;
        from = to, to = turned;
    }
    return from;
}

static const family FAMILY = {.channel_lanes = true};

static winograd make(const cvk_spec *spec, const cvk_target *target, const cvk_plan *plan) {
    winograd w = {.t = tile_make(spec, target, plan, &FAMILY)};
    set_axes(&w);
    set_blocks(&w);
    set_stages(&w);
    return w;
}

static void declare(winograd *w) {
    nest_builder *b = w->t.b;
    int vectors = w->t.plan->tile_oc / w->t.lanes;
    tile_declare(&w->t, winograd_packed_elements(w));
    w->scratch = nest_add_tensor(b, "scratch", ROLE_SCRATCH, TYPE_F32, w->scratch_elements, SCRATCH_ALIGNMENT, true);
    epilogue_registers(&w->t);
    w->t.acc = nest_add_register(b, "acc", TYPE_F32, w->t.lanes, w->t.target->registers + vectors);
    w->t.w = nest_add_register(b, "w", TYPE_F32, w->t.lanes, vectors);
    w->t.x = nest_add_register(b, "x", TYPE_F32, w->t.lanes, 1);
    w->in = nest_add_register(b, "d", TYPE_F32, w->t.lanes, (int)w->points);
    w->out = nest_add_register(b, "u", TYPE_F32, w->t.lanes, COOK_TOOM_MOST);
    w->turn = nest_add_register(b, "y", TYPE_F32, w->t.lanes, (int)w->points);
    w->parts = transform_declare(b);
}

static void one_block_of_channels(winograd *w) {
    winograd_products(w);
    winograd_output(w);
}

static void channel_blocks(winograd *w) {
    tile *t = &w->t;
    int64_t whole = t->channels / t->plan->tile_oc;
    if (whole > 0) {
        t->block = build_loop(t->b, "oc", whole);
        t->valid = t->covers = t->plan->tile_oc;
        one_block_of_channels(w);
        build_end(t->b);
    }
    for (int64_t i = whole; i < t->blocks; i++) {
        int64_t first = i * t->plan->tile_oc;
        t->block = affine_constant(i);
        t->valid = t->channels - first;
        t->covers = least(t->covered - first, t->plan->tile_oc);
        one_block_of_channels(w);
    }
}

static algo_nests build(const algorithm *row, arena *a, const cvk_spec *spec, const cvk_target *target,
                        const cvk_plan *plan) {
    (void)row;
    winograd w = make(spec, target, plan);
    nest_builder b = nest_begin(a, spec->name, ENTRY_TASKS, target->vector_bytes);
    w.t.b = &b;
    declare(&w);
    if (spec->batch > 0) {
        static const char *const NAMES[AXES] = {"od", "oh", "ow"};
        w.t.n = build_task(&b, "n", spec->batch);
        for (int axis = 0; axis < AXES; axis++) w.at[axis] = build_task(&b, NAMES[axis], w.blocks[axis]);
        w.t.group = affine_constant(0);
        winograd_input(&w);
        channel_blocks(&w);
        for (int i = 0; i < AXES + 1; i++) build_end(&b);
    } else {
        b.nest->tasks = 0;
    }
    nest *run = nest_finish(&b);
    return (algo_nests){run, winograd_pack_weights(a, &w, spec->name), winograd_packed_elements(&w),
                        w.scratch_elements};
}

static const char *refuse(const algorithm *row, const cvk_spec *spec, const cvk_target *target, const cvk_plan *plan) {
    int64_t points = 1;
    (void)row;
    for (int a = 0; a < AXES; a++) {
        int m = plan_m(plan, a), alpha = m + (int)spec->kernel[a] - 1;
        if (spec->kernel[a] == 1 && m != 1) return "tile is not 1 along an axis without a kernel";
        if (m < 1 || alpha > FAST_MOST_ALPHA) return "a tile and its kernel cover more than 8 positions";
        if (spec->kernel[a] > 1 && alpha > most_alpha(spec)) return "such tiles want accuracy: fast";
        points *= alpha;
    }
    if (points > MOST_POINTS) return "a tile has more than 100 points";
    if (plan->tile_oc < 1 || plan->tile_oc % target_lanes(target, TYPE_F32) != 0)
        return "tile.oc is not a multiple of the target's lanes";
    if (plan->tile_oc / target_lanes(target, TYPE_F32) > target->registers / 4)
        return "tile.oc leaves too few registers";
    if (plan->block_oh < 1 || plan->block_ow < 1 || plan->block_oh > 1024 || plan->block_ow > 1024)
        return "a block is not 1..1024";
    if (plan->unroll_ic != 1 || plan->unroll_kw || plan->pack_rows) return "winograd unrolls and packs nothing";
    if (memcmp(plan->order, ORDER, sizeof ORDER) != 0 || plan->tasks != TASKS)
        return "winograd's order is [n, g, od, oh, oc] with 4 tasks";
    return NULL;
}

/* A block of about `count` tiles: whole rows of them if a row is no longer than that. */
static void add_block(const algorithm *row, const cvk_spec *s, const cvk_target *t, arena *a, plan_list *list,
                      cvk_plan plan, int64_t count) {
    int64_t across = ceil_div(s->out_size[AXIS_W], plan.tile_ow), down = ceil_div(s->out_size[AXIS_H], plan.tile_oh);
    int64_t pieces = ceil_div(across, count);
    plan.block_ow = (int)ceil_div(across, pieces);
    int64_t rows = least(down, count / plan.block_ow > 0 ? count / plan.block_ow : 1);
    plan.block_oh = (int)ceil_div(down, ceil_div(down, rows));
    for (int i = 0; i < list->count; i++)
        if (plan_equal(&list->plan[i], &plan)) return;
    if (!refuse(row, s, t, &plan)) plan_list_add(a, list, plan);
}

static void propose(const algorithm *row, const cvk_spec *s, const cvk_target *t, arena *a, plan_list *list) {
    static const int COUNTS[] = {14, 28, 56};
    cvk_plan plan = {.algorithm = row->name, .lanes = row->lanes, .unroll_ic = 1, .tasks = TASKS};
    memcpy(plan.order, ORDER, sizeof ORDER);
    for (int m = 2; m <= 6; m += 2)
        for (int v = 1; v <= 4; v *= 2) {
            int *m_of[AXES] = {&plan.tile_od, &plan.tile_oh, &plan.tile_ow};
            for (int axis = 0; axis < AXES; axis++)
                *m_of[axis] = s->kernel[axis] > 1 ? (int)least(m, s->out_size[axis]) : 1;
            plan.tile_oc = v * target_lanes(t, TYPE_F32);
            bool narrow = v == 1 && s->out_channels > target_lanes(t, TYPE_F32),
                 wide = v > 1 && plan.tile_oc - target_lanes(t, TYPE_F32) >= s->out_channels;
            if (narrow || wide) continue;
            for (size_t i = 0; i < sizeof COUNTS / sizeof COUNTS[0]; i++)
                add_block(row, s, t, a, list, plan, COUNTS[i]);
        }
}

/* The transformed weights stream past every block; all else stays near. */
static double cycles(const cvk_spec *spec, const cvk_target *target, const cvk_plan *plan, const algo_nests *nests) {
    double sums = (double)plan->tile_oc / target_lanes(target, TYPE_F32) *
                  (target->registers / ((double)plan->tile_oc / target_lanes(target, TYPE_F32)) - 1);
    double weights = 4.0 * (double)nests->packed_elements, scratch = 4.0 * (double)nests->scratch_elements;
    double l2 = (double)target->l2_bytes, streamed = weights * (double)nests->run->tasks;
    (void)spec;
    double core = cost_issue(target, nests, sums);
    bool near = weights + scratch < l2;
    return core + streamed / (near ? COST_L2_BYTES_A_CYCLE : COST_L3_BYTES_A_CYCLE) * (near ? 0.2 : 0.7) +
           (scratch > l2 ? 0.15 * core : 0);
}

const algorithm algo_winograd = {"winograd", LANES_OUT_CHANNELS, applicable, propose, refuse, build, cycles, NULL};
