/* Bytes by what a block leaves behind. From the innermost loop outwards: what one iteration touched is still near for
 * the next if all that it touched fits the cache, and then only what is new has to come; else everything comes again.
 *
 *     brought(loop) = keep * touched(loop) + (1 - keep) * trips * brought(inside)
 *
 * for each tensor, keep being 1 where all tensors' bytes of one iteration fit a share of the cache, 0 from twice that
 * on. The outermost loop is the runs themselves. */
#include "algo/direct/traffic.h"
#include "algo/cost.h"
#include "algo/direct/tile.h"

#include <math.h>

static const double PAGE_BYTES = 4096, PAGES_REMEMBERED = 64;
enum { L2_WAYS = 16 };

/* What loops run over: those of the plan, and the taps. */
enum { KERNEL = PLAN_LOOPS, DIMENSIONS = PLAN_LOOPS + AXES };
enum { MOST_SWEEPS = PLAN_MOST_LEVELS + AXES + 1 };

typedef struct sweep {
    int dimension;
    double trips, step; /* step: of the dimension, an iteration's */
} sweep;

typedef struct sweeps {
    const problem *p;
    const cvk_plan *plan;
    cvk_type x, w;     /* of input and weights, where they are read from */
    double channels;   /* input channels of an iteration of the reduction */
    double input_sets; /* the share of a cache's sets that the input comes to lie in */
    bool all_groups;   /* channels are of all groups, and the group loop runs over the multiplier */
    int count;
    sweep sweep[MOST_SWEEPS]; /* innermost first */
    double whole[DIMENSIONS]; /* there is of each */
} sweeps;

static void add(sweeps *s, int dimension, double step, double room) {
    if (room <= step) return;
    s->sweep[s->count++] = (sweep){dimension, room / step, step};
}

/* What the level's blocks, or its tiles, are taken from. */
static double room_of(const sweeps *s, int level, plan_loop loop) {
    int block = plan_level_of(&s->plan->order, loop, true);
    double size = block >= 0 && block < level ? s->plan->order.level[block].block : s->whole[loop];
    return size < s->whole[loop] ? size : s->whole[loop];
}

static bool is_unrolled(const cvk_plan *plan, int axis) {
    return axis == AXIS_W ? plan->unroll_kw : axis == AXIS_H && plan->unroll_kh;
}

/* kd, kh, kw, ic, without those that are unrolled, from the innermost on. */
static void add_reduction(sweeps *s) {
    if (!s->all_groups) add(s, LOOP_IC, s->channels, room_of(s, s->plan->order.count, LOOP_IC));
    for (int a = AXIS_W; a >= 0; a--)
        if (!is_unrolled(s->plan, a)) add(s, KERNEL + a, 1, s->whole[KERNEL + a]);
}

static void add_order(sweeps *s) {
    const plan_order *o = &s->plan->order;
    for (int i = o->count - 1; i >= 0; i--) {
        plan_loop loop = o->level[i].loop;
        add(s, (int)loop, o->level[i].block ? o->level[i].block : plan_unit(s->plan, loop), room_of(s, i, loop));
    }
}

static sweeps sweeps_of(const problem *p, const cvk_target *target, const cvk_plan *plan) {
    bool all_groups = plan->lanes == LANES_CHANNELS;
    sweeps s = {.p = p, .plan = plan, .all_groups = all_groups, .channels = plan->unroll_ic, .input_sets = 1};
    s.x = p->x.type;
    const target_dot *dot = dot_of(p, target, plan->dot);
    s.w = packed_weights_type(p, target, plan, dot);
    if (plan->lanes == LANES_IN_CHANNELS) s.channels = target_lanes(target, p->sum);
    if (dot) s.channels *= dot->factors;
    s.whole[LOOP_N] = (double)p->n;
    s.whole[LOOP_G] = (double)(all_groups ? problem_multiplier(p) : p->groups);
    s.whole[LOOP_OC] = (double)(all_groups ? p->x.channels : p->out_channels);
    s.whole[LOOP_IC] = (double)p->in_channels;
    for (int a = 0; a < AXES; a++) {
        s.whole[LOOP_OD + a] = (double)p->axis[a].out;
        s.whole[KERNEL + a] = (double)p->axis[a].taps;
    }
    add_reduction(&s);
    add_order(&s);
    return s;
}

/* What one iteration of the innermost loop covers. */
static void begin(const sweeps *s, double covered[DIMENSIONS]) {
    for (plan_loop loop = LOOP_N; loop <= LOOP_OW; loop++)
        covered[loop] = fmin(plan_unit(s->plan, loop), s->whole[loop]);
    covered[LOOP_IC] = s->all_groups ? s->whole[LOOP_IC] : fmin(s->channels, s->whole[LOOP_IC]);
    for (int a = 0; a < AXES; a++) covered[KERNEL + a] = is_unrolled(s->plan, a) ? s->whole[KERNEL + a] : 1;
}

/* ---- tensors ---- */

enum { X, W, Y, TENSORS };

/* Lines of so many bytes side by side: of a pixel's channels, which begin where lines do; of a row's columns, which
 * begin anywhere. */
static double lines_of_channels(double bytes) { return fmax(bytes, LINE_BYTES); }
static double lines_of_columns(double bytes, double element) { return bytes + LINE_BYTES - element; }

/* Of pixels of a row, so many from the first to the last, some of the channels; a line of small pixels has several. */
static double lines_of_pixels(const view *v, double pixels, double span, double channels, double element) {
    const bool repeats = view_repeats(v);
    const double together = v->block > 1 && !repeats ? fmin(channels, (double)v->block) : channels,
                 bytes = together * element,
                 pitch = element * fabs((double)v->axis[AXIS_W]) * (double)(repeats ? v->block : 1);
    return channels / together *
           fmin(pixels * lines_of_channels(bytes), lines_of_columns(pitch * (span - 1) + bytes, element));
}

/* Positions of the input, first to last. */
static double span(const problem_axis *a, double out, double taps) {
    return fmin((out - 1) * (double)a->step + (taps - 1) * (double)a->tap_step + 1, (double)a->in);
}

/* Those of them that are read. */
static double positions(const problem_axis *a, double out, double taps) { return fmin(span(a, out, taps), out * taps); }

static double bytes_of_input(const sweeps *s, const double *c) {
    const problem_axis *axis = s->p->axis;
    double size = type_bytes(s->x) / (double)(view_repeats(&s->p->x) ? s->p->x.block : 1),
           channels = s->all_groups ? c[LOOP_OC] : c[LOOP_G] * c[LOOP_IC], rows = c[LOOP_N];
    for (int a = 0; a < AXIS_W; a++) rows *= positions(&axis[a], c[LOOP_OD + a], c[KERNEL + a]);
    if (view_has_channels_together(&s->p->x))
        return rows * lines_of_pixels(&s->p->x, positions(&axis[AXIS_W], c[LOOP_OW], c[KERNEL + AXIS_W]),
                                      span(&axis[AXIS_W], c[LOOP_OW], c[KERNEL + AXIS_W]), channels, size);
    return rows * channels * lines_of_columns(size * span(&axis[AXIS_W], c[LOOP_OW], c[KERNEL + AXIS_W]), size);
}

static double bytes_of_weights(const sweeps *s, const double *c) {
    if (!problem_weighs(s->p)) return 0;
    double bytes = type_bytes(s->w) * c[LOOP_G] * c[LOOP_OC] * c[LOOP_IC];
    for (int a = 0; a < AXES; a++) bytes *= c[KERNEL + a];
    return bytes;
}

/* Once more for each tensor that is added. */
static double bytes_of_output(const sweeps *s, const double *c) {
    double size = type_bytes(s->p->y.type), channels = c[LOOP_G] * c[LOOP_OC],
           rows = c[LOOP_N] * c[LOOP_OD] * c[LOOP_OH];
    double tensors = 1 + problem_operands(s->p, OPERAND_TENSOR);
    if (view_has_channels_together(&s->p->y))
        return tensors * rows * lines_of_pixels(&s->p->y, c[LOOP_OW], c[LOOP_OW], channels, size);
    return tensors * rows * channels * lines_of_columns(size * c[LOOP_OW], size);
}

static double bytes_of(const sweeps *s, int tensor, const double *covered) {
    double (*const of[TENSORS])(const sweeps *, const double *) = {bytes_of_input, bytes_of_weights, bytes_of_output};
    return of[tensor](s, covered);
}

/* ---- a cache ---- */

/* The share of what an iteration touched that is still there for the next. */
static double kept(double touched, double cache) {
    double share = cache > 0 ? 2 - touched / cache : 0;
    return share < 0 ? 0 : share > 1 ? 1 : share;
}

static double sum(const double of[TENSORS]) { return of[X] + of[W] + of[Y]; }

/* Sums wait in registers: the output is touched when a tile is finished, by no loop of the reduction. */
static bool is_reduction(int dimension) { return dimension >= KERNEL || dimension == LOOP_IC; }

/* Of each tensor: all share the cache, and the input has just some of its sets. */
static void keep(const sweeps *s, const double touched[TENSORS], double cache, double of[TENSORS]) {
    for (int t = 0; t < TENSORS; t++) of[t] = kept(sum(touched), cache);
    of[X] = fmin(of[X], kept(touched[X], cache * s->input_sets));
}

static void bring_into(const sweeps *s, double cache, double brought[TENSORS]) {
    double covered[DIMENSIONS], touched[TENSORS], left[TENSORS];
    begin(s, covered);
    for (int t = 0; t < TENSORS; t++) brought[t] = touched[t] = bytes_of(s, t, covered);
    for (int i = 0; i < s->count; i++) {
        const sweep *loop = &s->sweep[i];
        keep(s, touched, cache, left);
        covered[loop->dimension] = fmin(loop->step * loop->trips, s->whole[loop->dimension]);
        for (int t = 0; t < TENSORS; t++) {
            double trips = t == Y && is_reduction(loop->dimension) ? 1 : loop->trips;
            touched[t] = bytes_of(s, t, covered);
            brought[t] = left[t] * touched[t] + (1 - left[t]) * trips * brought[t];
        }
    }
    keep(s, touched, cache, left);
    for (int t = 0; t < TENSORS; t++) brought[t] *= 1 - left[t];
}

static double brought_into(const sweeps *s, double cache) {
    double brought[TENSORS];
    bring_into(s, cache, brought);
    return sum(brought);
}

/* Once, where the cache does not keep the tensors from run to run: of a layer of several problems each has a part. */
static double input_into(const sweeps *s, double cache) {
    const problem *p = s->p;
    return bytes_of_input(s, s->whole) * (1 - kept(view_bytes(&p->x) + view_bytes(&p->y), cache));
}

/* A cache's sets repeat after so many bytes: what a group has of pixels a multiple of some of that apart lies in few.
 */
static double sets_of_input(const sweeps *s, int64_t repeat) {
    const view *x = &s->p->x;
    const int64_t size = type_bytes(x->type);
    if (s->plan->pack_rows || !view_has_channels_together(x)) return 1;
    const double lines = lines_of_channels((double)size * (s->all_groups ? s->whole[LOOP_OC] : s->whole[LOOP_IC]));
    return fmin(1, lines / (double)common_divisor(size * x->axis[AXIS_W], repeat));
}

/* ---- runs: lines that follow on one another, which a core's own prefetching finds ---- */

enum { MOST_MEMORY_LOOPS = 2 + AXES };

/* What a tensor's elements are numbered by, that of the smallest stride first. */
typedef struct memory_order {
    int count;
    struct memory_loop {
        plan_loop loop;
        double size;  /* there are */
        double block; /* that lie together; the next block is farther away than what follows here */
    } place[MOST_MEMORY_LOOPS];
} memory_order;

static void add_channels(const sweeps *s, const view *v, int tensor, memory_order *to) {
    plan_loop loop = tensor == X && !s->all_groups ? LOOP_IC : LOOP_OC;
    double block = v->block > 1 ? (double)v->block : s->whole[loop];
    to->place[to->count++] = (struct memory_loop){loop, s->whole[loop], fmin(block, s->whole[loop])};
}

static memory_order order_of(const sweeps *s, int tensor) {
    const view *v = tensor == X ? &s->p->x : &s->p->y;
    bool together = view_has_channels_together(v);
    memory_order p = {0};
    if (together) add_channels(s, v, tensor, &p);
    for (int a = AXIS_W; a >= 0; a--) {
        double size = s->whole[LOOP_OD + a];
        p.place[p.count++] = (struct memory_loop){(plan_loop)(LOOP_OD + a), size, size};
    }
    if (!together) add_channels(s, v, tensor, &p);
    return p;
}

/* Elements one after another that so much covers. */
static double run_of(const memory_order *p, const double *covered) {
    double run = 1;
    for (int i = 0; i < p->count; i++) {
        const struct memory_loop *at = &p->place[i];
        run *= fmin(covered[at->loop], at->block);
        if (covered[at->loop] < at->size) break;
    }
    return run;
}

/* What an iteration of the innermost loop covers, and of loops around it, as long as all that they touch fits. */
static void cover(const sweeps *s, double bytes, double covered[DIMENSIONS]) {
    begin(s, covered);
    for (int i = 0; i < s->count; i++) {
        const sweep *loop = &s->sweep[i];
        double touched = 0, before = covered[loop->dimension];
        covered[loop->dimension] = fmin(loop->step * loop->trips, s->whole[loop->dimension]);
        for (int t = 0; t < TENSORS; t++) touched += bytes_of(s, t, covered);
        if (touched <= bytes) continue;
        covered[loop->dimension] = before;
        return;
    }
}

/* Bytes side by side in that. */
static double bytes_of_run(const sweeps *s, int tensor, const double *covered) {
    const memory_order p = order_of(s, tensor);
    double size = type_bytes(tensor == X ? s->p->x.type : s->p->y.type);
    return fmax(run_of(&p, covered) * size, LINE_BYTES);
}

/* Begun in what comes from behind a cache of so many bytes: by tiles, or by as many loops as fit a share of it, in
 * which neighbours come soon after one another. */
static double runs_of(const sweeps *s, double cache, double share) {
    double brought[TENSORS], covered[DIMENSIONS];
    bring_into(s, cache, brought);
    cover(s, share, covered);
    return brought[X] / bytes_of_run(s, X, covered) + brought[Y] / bytes_of_run(s, Y, covered);
}

static double tiles_of(const sweeps *s) {
    double tiles = 1;
    for (plan_loop loop = LOOP_N; loop <= LOOP_OW; loop++)
        tiles *= s->whole[loop] / fmin(plan_unit(s->plan, loop), s->whole[loop]);
    return tiles;
}

bool traffic_leaves_pages(const problem *p, double *each) {
    double taps = 1, apart = 0;
    for (int a = 0; a < AXES; a++) {
        taps *= (double)p->axis[a].taps;
        if (p->axis[a].taps > 1) apart = type_bytes(p->x.type) * (double)(p->x.axis[a] * p->axis[a].tap_step);
    }
    *each = fmin(1, fabs(apart) / PAGE_BYTES);
    return taps * (double)p->in_channels * *each > PAGES_REMEMBERED;
}

static double tap_pages_of(const sweeps *s) {
    double each;
    if (s->plan->pack_rows || !traffic_leaves_pages(s->p, &each)) return 0;
    return tiles_of(s) * (double)problem_taps(s->p) * s->whole[LOOP_IC] * each;
}

/* Of a channels_first input each channel's rows are on pages of their own, and a tile goes through all of them. */
static double pages_of(const sweeps *s) {
    const view *x = &s->p->x;
    double taps = 1;
    for (int a = 0; a < AXES; a++) taps *= is_unrolled(s->plan, a) ? 1 : s->whole[KERNEL + a];
    double apart = type_bytes(x->type) * (double)(view_has_channels_together(x) ? x->axis[AXIS_W] : x->channel);
    double in_a_tile = view_has_channels_together(x) ? s->plan->tile_ow : room_of(s, s->plan->order.count, LOOP_IC);
    if (s->plan->pack_rows || apart * in_a_tile <= PAGES_REMEMBERED * PAGE_BYTES || in_a_tile <= PAGES_REMEMBERED)
        return 0;
    return tiles_of(s) * taps * s->whole[LOOP_IC] * fmin(1, apart / PAGE_BYTES);
}

/* A core follows so many rows of a channel, which tiles continue. */
enum { ROWS_FOLLOWED = 8 };

static bool continues_rows(const cvk_plan *plan) {
    return plan->lanes == LANES_COLUMNS && plan->tile_oc == 1 && plan->tile_od * plan->tile_oh <= ROWS_FOLLOWED;
}

/* Of a channels_first output each channel's row is on a page of its own. */
static double row_lines_of(const sweeps *s) {
    const view *y = &s->p->y;
    const cvk_plan *plan = s->plan;
    double size = type_bytes(y->type);
    if (view_has_channels_together(y) || size * (double)y->channel < PAGE_BYTES || continues_rows(plan)) return 0;
    double rows = s->whole[LOOP_N] * s->whole[LOOP_G] * s->whole[LOOP_OC] * s->whole[LOOP_OD] * s->whole[LOOP_OH];
    return rows * s->whole[LOOP_OW] / plan->tile_ow * lines_of_columns(size * plan->tile_ow, size) / LINE_BYTES;
}

traffic traffic_of(const problem *p, const cvk_target *target, const cvk_plan *plan) {
    const double l2 = target->figures->l2_share * (double)target->l2_bytes;
    sweeps s = sweeps_of(p, target, plan), near = s, second = s;
    const target_dot *dot = dot_of(p, target, plan->dot);
    if (plan->pack_rows) near.x = dot ? dot->x : p->sum; /* tiles read what is packed */
    near.input_sets = sets_of_input(&s, (int64_t)PAGE_BYTES);
    second.input_sets = sets_of_input(&s, target->l2_bytes / L2_WAYS);
    return (traffic){.l1 = brought_into(&near, target->figures->l1_share * (double)target->l1_bytes),
                     .l2 = brought_into(&second, l2),
                     .l3 = brought_into(&s, cost_l3_bytes(target)),
                     .l3_input = input_into(&s, cost_l3_bytes(target)),
                     .runs = runs_of(&second, l2, l2 / 4),
                     .pieces = runs_of(&second, l2, 0),
                     .pages = pages_of(&s) + tap_pages_of(&s),
                     .row_lines = row_lines_of(&s),
                     .input_sets = near.input_sets};
}
