/* Whether the numbers of a plan fit a problem and a target. */
#include "algo/direct/tile.h"

enum { MOST_UNROLLED_FMAS = 1500 }; /* beyond, LLVM's time grows faster than the code */
enum { MOST_TIMES_REGISTERS = 4 };  /* sums, of which those that find no register wait on the stack */
static const int64_t MOST_PARTIAL_SUMS = 1 << 22;

static int64_t unrolled_positions(arena *a, const tile *t, int axis, bool by_segment) {
    const problem_axis *o = &t->p.axis[axis];
    if (!tile_has_spans(t, axis)) return 1;
    span_list spans = axis_spans(a, o, t->size[axis]);
    int64_t total = 0;
    for (int i = 0; i < spans.count; i++) {
        const int64_t whole = axis == AXIS_H ? tile_kernel_rows(t) : o->taps;
        int64_t copies = by_segment ? axis_segments(a, o, &spans.span[i]).count : whole;
        total += copies * spans.span[i].length;
    }
    return total;
}

/* Instructions that store a register of channels, or of columns that it is turned to, and load what is added: one a
 * lane where others lie between two, of a channel multiplier or of the phases of a transposed layer. On those LLVM
 * spends more time, and some stack, than on FMAs. */
static int64_t unrolled_stores(const tile *t) {
    const view *y = &t->p.y;
    int64_t step = view_has_channels_together(y) ? channel_blocks_step(&t->oc, y) : y->axis[AXIS_W];
    if (!t->family->channel_lanes || step == 1) return 0;
    return 2 * t->lanes * (1 + problem_operands(&t->p, OPERAND_TENSOR));
}

/* Instructions that load a register of columns of a pool: one a lane where channels lie between them. (Of other layers,
 * several channels of a tile share them.) */
static int64_t unrolled_loads(const tile *t) {
    const bool apart = view_has_channels_together(&t->p.x) && t->p.x.channels > 1;
    return !problem_weighs(&t->p) && !t->family->channel_lanes && apart ? t->lanes : 0;
}

/* FMAs that the plan unrolls, all variants together: the measure of its code. */
static int64_t unrolled_fmas(arena *a, const problem *p, const cvk_target *target, const cvk_plan *plan,
                             const family *f) {
    tile t = tile_make(p, target, plan, f);
    int64_t whole = channel_blocks_whole(&t.oc), variants = t.oc.blocks - whole + (whole > 0);
    int64_t rows = unrolled_positions(a, &t, AXIS_D, true) * unrolled_positions(a, &t, AXIS_H, !plan->unroll_kh);
    int64_t columns = unrolled_positions(a, &t, AXIS_W, !plan->unroll_kw);
    int64_t vectors = f->channel_lanes ? ceil_div(plan->tile_oc, t.oc.lanes) : plan->tile_oc;
    if (f->all_groups) vectors *= tile_steps(&t);
    if (!f->channel_lanes && !f->reduces_lanes) columns = ceil_div(columns, t.lanes);
    int64_t once = plan->unroll_ic + (tile_steps(&t) % plan->unroll_ic != 0);
    return columns * rows * vectors * variants * (once + unrolled_stores(&t) + unrolled_loads(&t));
}

static const char *refuse_code(const problem *p, const cvk_target *target, const cvk_plan *plan, const family *f) {
    arena a;
    arena_init(&a);
    if (arena_guard(&a)) {
        arena_free(&a);
        return "no memory to judge it";
    }
    bool large = unrolled_fmas(&a, p, target, plan, f) > MOST_UNROLLED_FMAS;
    arena_free(&a);
    return large ? "it unrolls too much code" : NULL;
}

static const char *refuse_sums(const problem *p, const cvk_target *target, const cvk_plan *plan) {
    const double sums = direct_sums(p, target_lanes(target, p->sum), plan);
    return sums > MOST_TIMES_REGISTERS * target->registers ? "its sums are far more than there are registers" : NULL;
}

static const char *refuse_tile(const cvk_plan *plan, const family *f, int lanes, int channel_lanes) {
    if (plan->tile_oc < 1 || plan->tile_od < 1 || plan->tile_oh < 1 || plan->tile_ow < 1) return "a tile has no size";
    if (plan->tile_oc > 4096 || plan->tile_od > 64 || plan->tile_oh > 64 || plan->tile_ow > 4096)
        return "a tile is too large";
    if (f->channel_lanes && plan->tile_oc % channel_lanes != 0)
        return f->lanes ? "tile.oc is not a multiple of the lanes that whole groups fill"
                        : "tile.oc is not a multiple of the target's lanes";
    if (f->reduces_lanes && plan->tile_oc > lanes) return "tile.oc is more than the target's lanes";
    if (!f->channel_lanes && !f->reduces_lanes && plan->tile_ow % lanes != 0)
        return "tile.ow is not a multiple of the target's lanes";
    if (plan->block_oh != 1 || plan->block_ow != 1)
        return "block is for winograd; a loop in blocks stands in order, as {oh: 8}";
    if (plan->unroll_ic < 1 || plan->unroll_ic > 64) return "unroll.ic is not 1..64";
    if (f->reduces_lanes && plan->unroll_ic > 1) return "unroll.ic is 1 where lanes are input channels";
    return NULL;
}

/* A loop over tiles once, its blocks outside of it. What plan_parse reads is so; what a program makes may not be. */
static bool is_order(const plan_order *o) {
    if (o->count < PLAN_TILE_LOOPS || o->count > PLAN_MOST_LEVELS) return false;
    unsigned seen = 0;
    for (int i = 0; i < o->count; i++) {
        const plan_level *l = &o->level[i];
        if ((unsigned)l->loop >= PLAN_LOOPS || l->block < 0 || (l->loop == LOOP_IC && !l->block)) return false;
        if (i != plan_level_of(o, l->loop, l->block > 0)) return false;
        if (l->block && l->loop != LOOP_IC && plan_level_of(o, l->loop, false) < i) return false;
        if (!l->block) seen |= 1u << l->loop;
    }
    return seen == (1u << PLAN_TILE_LOOPS) - 1;
}

static const char *const UNEVEN[PLAN_LOOPS] = {[LOOP_OC] = "a block of oc is not a multiple of tile.oc",
                                               [LOOP_OD] = "a block of od is not a multiple of tile.od",
                                               [LOOP_OH] = "a block of oh is not a multiple of tile.oh",
                                               [LOOP_OW] = "a block of ow is not a multiple of tile.ow"};

static const char *refuse_channel_blocks(const tile *t, int block) {
    int unroll = t->plan->unroll_ic;
    if (t->family->reduces_lanes) return "lanes over input channels take them all at once";
    if (t->p.combine == COMBINE_NUMBERS) return "where NaN is left out input channels come all at once";
    if (t->p.combine != COMBINE_SUM) return "there are no sums over input channels to take in blocks";
    if (t->family->lanes) return "where lanes are of several groups their input channels come all at once";
    if (block % t->reduced != 0) return "a block of ic is not a multiple of dot";
    block /= t->reduced;
    if (block % unroll != 0 || (unroll > 1 && tile_steps(t) % unroll != 0))
        return "unroll.ic does not divide the blocks of ic";
    if (!t->plan->pack_rows && block * t->reduced % (int)t->p.x.block != 0)
        return "a block of ic is not a multiple of the input's blocks of channels";
    if (plan_level_of(&t->plan->order, LOOP_IC, true) < t->plan->tasks)
        return "blocks of ic are one after another: they are no tasks";
    int64_t sums = partial_places(t) * t->plan->tile_oc * tile_pixels(t);
    return sums > MOST_PARTIAL_SUMS ? "too many sums wait between blocks of ic" : NULL;
}

static const char *refuse_order(const tile *t) {
    const cvk_plan *plan = t->plan;
    if (!is_order(&plan->order)) return "order does not name each loop once, its blocks outside of it";
    if (plan->tasks < 1 || plan->tasks > plan->order.count) return "tasks is not from 1 to the loops of order";
    for (int i = 0; i < plan->order.count; i++) {
        const plan_level *l = &plan->order.level[i];
        if (l->loop == LOOP_IC) {
            const char *why = refuse_channel_blocks(t, l->block);
            if (why) return why;
        } else if (l->block % t->loop[l->loop].unit != 0) {
            return UNEVEN[l->loop];
        }
    }
    return NULL;
}

static bool stands_among_tasks(const cvk_plan *plan, plan_loop loop) {
    return plan_level_of(&plan->order, loop, false) < plan->tasks;
}

static const char *refuse_column(const tile *t) {
    if (!t->plan->unroll_kh || tile_dots_rows(t)) return NULL;
    if (!t->family->column) return "unroll.kh is for lanes over columns";
    if (t->p.indices) return "unroll.kh is not for indices, which want the taps in their order";
    return t->plan->tile_oh > 1 ? NULL : "unroll.kh is for tiles of several rows";
}

/* What comes next in a row is known where a kernel has no other taps. */
static const char *refuse_prefetch(const tile *t) {
    if (!t->plan->prefetch) return NULL;
    if (problem_taps(&t->whole) > 1 || t->family->all_groups || t->family->reduces_lanes)
        return "prefetch is for dense layers whose kernel is 1";
    if (t->plan->pack_rows) return "prefetch is for input that is not packed";
    return t->whole.x.block > 1 ? "prefetch is for channels_first and channels_last" : NULL;
}

/* Registers of channels of all groups, as they lie. */
static bool has_registers_together(const problem *p, int64_t channels) {
    const view *x = &p->x;
    return view_has_channels_together(x) && !view_repeats(x) && (x->block == 1 || x->block % channels == 0);
}

static const char *refuse_row_dot(const problem *p, const target_dot *d, const cvk_plan *plan) {
    const problem_axis *slices = &p->axis[AXIS_D];
    if (!plan->unroll_kh || !plan->unroll_kw) return "dot of kernel rows wants unroll.kh and unroll.kw";
    if (!plan->pack_rows || plan->pack_border != problem_is_padded(p) || plan->pack_transposed || problem_has_border(p))
        return "dot of kernel rows wants packed input with its border, which is zeros";
    if (slices->taps > 1 || axis_before(slices) + axis_after(slices) > 0 || pack_input_positions(p, plan, AXIS_D) > 1)
        return "dot of kernel rows is for kernels of one slice, and a slice a task";
    if (pack_input_positions(p, plan, AXIS_W) < p->axis[AXIS_W].out) return "dot of kernel rows takes whole rows";
    return row_dot_windows(p, d, plan->tile_oh) ? NULL : "dot of kernel rows has too many of them";
}

/* Steps of a group fill lanes that are a power of two. */
static const char *refuse_group_dot(const problem *p, const target_dot *d, const cvk_plan *plan, int lanes) {
    const int64_t steps = p->in_channels / d->factors;
    if (p->in_channels % d->factors != 0 || (steps & (steps - 1)) != 0 || lanes % steps != 0)
        return "dot is for groups of as many channels, or a power of two times as many";
    if (plan->tile_oc != d->factors * lanes) return "tile.oc is not dot times the target's lanes";
    if (plan->pack_transposed) return "dot takes channels as they lie";
    return plan->unroll_kw || plan->unroll_kh ? "dot takes taps one by one where groups are taken together" : NULL;
}

static const char *refuse_dot_of_groups(const problem *p, const target_dot *d, const cvk_plan *plan, const family *f,
                                        int lanes) {
    if (type_is_float(d->x)) return "dot of channels of all groups is of integers";
    if (!has_registers_together(p, (int64_t)d->factors * lanes))
        return "dot of channels of all groups wants registers of them side by side";
    return f->dots == DOTS_ROWS ? refuse_row_dot(p, d, plan) : refuse_group_dot(p, d, plan, lanes);
}

/* What a step of the reduction takes must lie together, and nothing be left to add that absent taps are part of. */
static const char *refuse_dot(const problem *p, const cvk_target *target, const cvk_plan *plan, const family *f) {
    if (!plan->dot) return NULL;
    if (f->dots == DOTS_NOTHING) return "dot is for lanes over channels";
    const target_dot *d = dot_of(p, target, plan->dot);
    if (!d) return "the target has no such sum of products of these types, or accuracy: strict asks for another";
    const char *why = f->all_groups ? refuse_dot_of_groups(p, d, plan, f, target_lanes(target, p->sum)) : NULL;
    if (why || f->dots == DOTS_ROWS) return why;
    if (f->reduces_lanes && type_is_float(d->x)) return "dot of lanes over input channels is of integers";
    if (f->reduces_lanes && p->x.block > 1 && p->x.block % (d->factors * target_lanes(target, p->sum)) != 0)
        return "dot of lanes over input channels wants a register of them side by side";
    if (plan->pack_transposed) return "dot brings channels together by itself";
    if (!plan->pack_rows && !f->reduces_lanes && !f->all_groups && !dot_reads_input(p, d))
        return "dot wants packed input: its channels lie apart";
    if (!plan->pack_border && !f->unfolds && dot_wants_border(p, d))
        return "dot wants a packed border, which reads the zero point";
    return NULL;
}

/* What scratch depends on must be fixed when it is filled. */
static const char *refuse_packing(const problem *p, const tile *t) {
    const cvk_plan *plan = t->plan;
    if (t->family->unfolds && !plan->pack_rows) return "im2col has its matrix in scratch: pack.input_rows is 0";
    if (t->family->unfolds && plan->pack_border) return "im2col has the border in its matrix anyway";
    if (!plan->pack_rows && (plan->pack_border || plan->pack_transposed))
        return "pack.input_rows is 0: nothing is packed";
    if (!plan->pack_rows) return problem_has_border(p) ? "this padding_mode needs packed input" : NULL;
    if (plan->pack_border && p->border != PAD_ZEROS) return "the border of this padding_mode is packed anyway";
    if (plan->pack_border && !problem_weighs(p)) return "what pads a pool is absent";
    const bool packs_border =
        plan->pack_border || (t->family->unfolds && problem_is_padded(p) && p->border == PAD_ZEROS);
    if (packs_border && p->accuracy == ACCURACY_STRICT && type_is_float(p->sum))
        return "accuracy: strict: zeros of a border would meet weights, which may be infinite";
    if (!stands_among_tasks(plan, LOOP_N) || (!t->family->all_groups && !stands_among_tasks(plan, LOOP_G)))
        return "packed input is of one image and group: n and g must be among the tasks";
    if (pack_input_positions(&t->whole, plan, AXIS_H) != plan->pack_rows)
        return "pack.input_rows is not the rows of a task, which are tile.oh where oh is a task, else a block of oh";
    return NULL;
}

const char *direct_refuse(const algorithm *row, const problem *p, const cvk_target *target, const cvk_plan *plan) {
    const family *f = row->family;
    int lanes = target_lanes(target, p->sum);
    const problem seen = direct_problem(p, target, plan->lanes);
    const char *why = refuse_tile(plan, f, lanes, tile_channel_lanes(&seen, lanes, f));
    if (why || (why = refuse_dot(&seen, target, plan, f))) return why;
    cvk_plan unpacked = *plan;
    unpacked.pack_rows = 0;
    tile t = tile_make(p, target, &unpacked, f);
    t.plan = plan;
    if ((why = refuse_order(&t)) || (why = refuse_packing(p, &t)) || (why = refuse_column(&t)) ||
        (why = refuse_prefetch(&t)))
        return why;
    if (!f->taps && (why = refuse_code(p, target, plan, f))) return why;
    return refuse_sums(&seen, target, plan);
}
