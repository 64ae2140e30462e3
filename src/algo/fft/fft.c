/* FFT convolution: which layers, which plans, and the order of its phases. What it does is in fft.h. */
#include "algo/fft/fft.h"

#include "algo/cost.h"

#include <math.h>
#include <stddef.h>

static const plan_loop ORDER[] = {LOOP_N, LOOP_G, LOOP_OC, LOOP_OD, LOOP_OH, LOOP_OW};
enum { TASKS = 6, LEAST_SIZE = 4, MOST_SIZE = 1 << FFT_MOST_HALVINGS, MOST_POINTS = 1 << 18, LINE = 64 };
static const int64_t MOST_ELEMENTS = INT32_MAX; /* of the workspace, as of any tensor */

static bool is_strided(const problem *p) {
    bool strided = false;
    for (int a = 0; a < AXES; a++) strided |= p->axis[a].step != 1;
    return strided;
}

/* Whether the spectra may be more than a tensor can be: tiles of half output, and filters of twice their span. */
static bool is_too_large(const problem *p) {
    double image = (double)p->n * (double)(p->groups * p->in_channels);
    double filter = (double)(p->groups * p->out_channels) * (double)p->in_channels;
    for (int a = 0; a < AXES; a++) {
        const double span = (double)overlap_of(&p->axis[a], 1, 1).span;
        image *=
            p->axis[a].taps > 1 ? 2 * ((double)p->axis[a].out + 4 * span + NEST_MOST_LANES) : (double)p->axis[a].out;
        filter *= p->axis[a].taps > 1 ? 4 * span + NEST_MOST_LANES : 1;
    }
    return image > (double)MOST_ELEMENTS || filter > (double)MOST_ELEMENTS;
}

static bool applicable(const problem *p, const cvk_target *target, const char **why) {
    (void)target;
    *why = p->combine == COMBINE_NUMBERS    ? "transforms do not leave NaN out"
           : p->combine != COMBINE_SUM      ? "a pool has no weights to transform"
           : p->accuracy == ACCURACY_STRICT ? "accuracy: strict rules it out"
           : !type_is_float(p->sum)         ? "its transforms round, which sums of integers do not"
           : is_strided(p)                  ? "it has a stride, and would compute what is skipped"
           : view_fill(&p->y) > 0           ? "its output has fill"
           : p->axis[AXIS_W].taps == 1      ? "its kernel is one column wide"
           : is_too_large(p)                ? "its spectra would be more than 2^31 - 1 elements"
                                            : NULL;
    return !*why;
}

/* ---- tiles ---- */

static int64_t size_of(const cvk_plan *plan, int axis) {
    const int size[AXES] = {plan->tile_od, plan->tile_oh, plan->tile_ow};
    return size[axis];
}

static overlap axis_of(const problem *p, const cvk_plan *plan, int axis) {
    return overlap_of(&p->axis[axis], size_of(plan, axis), axis == AXIS_W ? overlap_columns(type_bytes(p->sum)) : 1);
}

static void set_axis(fft *f, int axis) {
    f->axis[axis] = axis_of(f->p, f->plan, axis);
    f->line[axis] = f->axis[axis].size / (axis == f->fold ? 2 : 1);
}

static int64_t product_of(const fft *f, size_t member) {
    int64_t product = 1;
    for (int a = 0; a < AXES; a++) product *= *(const int64_t *)((const char *)&f->axis[a] + member);
    return product;
}

static int64_t input_channels(const fft *f) { return f->p->groups * f->p->in_channels; }

/* Sums of as many products as registers let: two a point, and as many more registers for what they are made of. */
static int64_t chunk_of(const fft *f) {
    return greater(lesser(f->target->registers / 4 / f->channels, lesser(f->lanes, 4)), 1);
}

/* As many vectors as runs, where a row is longer than a page: points of a level are then not whole pages apart, and
 * first-level caches have places for all of them. */
static int64_t run_of(const fft *f) {
    enum { PAGE = 4096 };
    const int levels = fft_levels(f->vectors), least = fft_levels(f->lanes);
    if (2 * f->line[AXIS_W] * type_bytes(f->p->sum) <= PAGE) return f->vectors;
    return INT64_C(1) << greater(levels / 2, least);
}

static void set_sizes(fft *f) {
    const int64_t line = LINE / type_bytes(f->p->sum);
    f->points = product_of(f, offsetof(overlap, size)) / 2;
    f->vectors = f->line[AXIS_W] / f->lanes;
    f->rows = f->line[AXIS_D] * f->line[AXIS_H];
    f->run = run_of(f);
    f->runs = f->vectors / f->run;
    f->run_pitch = 2 * f->lanes * f->run + (f->runs > 1 ? line : 0);
    f->pitch = f->runs * f->run_pitch + (f->rows > 1 ? line : 0);
    f->channels = f->plan->tile_oc;
    f->chunk = chunk_of(f);
    f->plane = product_of(f, offsetof(overlap, covered));
    f->spectrum = 2 * f->points + line;
    const int64_t images =
        greater(f->p->n, 1); /* parts of the workspace stand apart, though there be nothing in them */
    f->planes = ceil_div(images * input_channels(f) * f->plane, line) * line;
    f->spectra = images * input_channels(f) * product_of(f, offsetof(overlap, inputs)) * f->spectrum;
}

static int fold_of(const cvk_plan *plan) { return plan->tile_od > 1 ? AXIS_D : plan->tile_oh > 1 ? AXIS_H : AXIS_W; }

static fft make(const problem *p, const cvk_target *target, const cvk_plan *plan) {
    fft f = {.p = p, .target = target, .plan = plan, .lanes = target_lanes(target, p->sum), .fold = fold_of(plan)};
    for (int a = 0; a < AXES; a++) set_axis(&f, a);
    set_sizes(&f);
    return f;
}

int64_t fft_parts(const fft *f) { return product_of(f, offsetof(overlap, parts)); }

fft_part fft_open_parts(fft *f) {
    static const char *const NAMES[AXES] = {"pd", "ph", "pw"};
    fft_part p = {.number = affine_constant(0)};
    for (int a = 0; a < AXES; a++) {
        p.at[a] = build_loop(f->b, NAMES[a], f->axis[a].parts);
        p.number = affine_add_scaled(p.at[a], p.number, f->axis[a].parts);
    }
    return p;
}

void fft_close_parts(fft *f) {
    for (int a = 0; a < AXES; a++) build_end(f->b);
}

/* ---- where things are ---- */

affine fft_plane(const fft *f, affine n, affine channel) {
    return affine_scale(affine_add_scaled(channel, n, input_channels(f)), f->plane);
}

affine fft_spectrum(const fft *f, affine n, affine channel, const affine *at) {
    affine number = affine_add_scaled(channel, n, input_channels(f));
    for (int a = 0; a < AXES; a++) number = affine_add_scaled(at[a], number, f->axis[a].inputs);
    return affine_scale(number, f->spectrum);
}

/* Of one part and input channel, for the output channels of a block. */
static int64_t chunk_elements(const fft *f) { return f->channels * f->chunk * 2 * f->lanes; }

affine fft_weights(const fft *f, affine block, affine part, affine in_channel, affine chunk) {
    affine at = affine_add_scaled(chunk, block, f->points / f->lanes / f->chunk);
    at = affine_add_scaled(part, at, fft_parts(f));
    return affine_scale(affine_add_scaled(in_channel, at, f->p->in_channels), chunk_elements(f));
}

int64_t fft_packed_elements(const fft *f) {
    return f->p->groups * f->p->out_channels * fft_parts(f) * f->p->in_channels * 2 * f->points;
}

/* ---- plans ---- */

static bool is_power_of_two(int64_t n) { return n > 0 && (n & (n - 1)) == 0; }

static const char *refuse_tile(const problem *p, const cvk_plan *plan, int lanes) {
    int64_t points = plan->tile_ow / (fold_of(plan) == AXIS_W ? 2 : 1);
    if (points < lanes * (fold_of(plan) == AXIS_W ? 2 : 1) || plan->tile_ow < 2 * lanes)
        return "tile.ow is too few vectors";
    points = 1;
    for (int a = 0; a < AXES; a++) {
        const int64_t size = size_of(plan, a);
        if (size == 1 && p->axis[a].taps > 1) return "a tile is 1 along an axis with a kernel";
        if (!is_power_of_two(size) || (size > 1 && size < LEAST_SIZE) || size > MOST_SIZE)
            return "a tile is no power of two from 4 to 32768";
        points *= size;
        if (points > MOST_POINTS) return "a tile has more than 262144 positions";
    }
    return points / 2 < (int64_t)lanes * lanes ? "a tile has fewer points than a square of lanes" : NULL;
}

static const char *refuse(const algorithm *row, const problem *p, const cvk_target *target, const cvk_plan *plan) {
    const plan_order order = plan_order_of(ORDER);
    (void)row;
    const char *why = refuse_tile(p, plan, target_lanes(target, p->sum));
    if (why) return why;
    if (plan->tile_oc < 1 || plan->tile_oc > target->registers / 4 || p->out_channels % plan->tile_oc != 0 ||
        !is_power_of_two(plan->tile_oc))
        return "tile.oc is no power of two that divides the output channels, or leaves too few registers";
    if (plan->block_oh != 1 || plan->block_ow != 1) return "a block is not 1";
    if (plan->unroll_ic != 1 || plan->unroll_kw || plan->unroll_kh || plan->pack_rows || plan->pack_border ||
        plan->pack_transposed)
        return "fft unrolls nothing, and packs in its own way";
    if (plan->stream || plan->prefetch) return "fft neither prefetches nor bypasses the caches";
    if (!plan_order_equal(&plan->order, &order) || plan->tasks != TASKS)
        return "fft's order is [n, g, oc, od, oh, ow] with 6 tasks";
    const fft f = make(p, target, plan);
    if ((double)f.planes + (double)f.spectra > (double)MOST_ELEMENTS ||
        (double)fft_packed_elements(&f) + (double)fft_tile_elements(&f) > (double)MOST_ELEMENTS)
        return "its spectra would be more than 2^31 - 1 elements";
    return NULL;
}

static int64_t power_above(int64_t n) {
    int64_t power = 1;
    while (power < n) power *= 2;
    return power;
}

static void add_tile(const algorithm *row, const problem *p, const cvk_target *t, arena *a, plan_list *list,
                     const int64_t size[AXES]) {
    cvk_plan plan = {.algorithm = row->name,
                     .lanes = row->lanes,
                     .tile_od = (int)size[AXIS_D],
                     .tile_oh = (int)size[AXIS_H],
                     .tile_ow = (int)size[AXIS_W],
                     .block_oh = 1,
                     .block_ow = 1,
                     .unroll_ic = 1,
                     .tasks = TASKS};
    plan.order = plan_order_of(ORDER);
    for (plan.tile_oc = 4; plan.tile_oc > 1 && p->out_channels % plan.tile_oc; plan.tile_oc /= 2) {
    }
    if (!refuse(row, p, t, &plan)) plan_list_add(a, list, plan);
}

/* Sizes of an axis worth a look: from the kernel's on, as long as half a tile is less than there is output. */
static void sizes_of(const problem_axis *a, int64_t *least, int64_t *most) {
    *least = *most = 1;
    if (a->taps == 1) return;
    *least = greater(LEAST_SIZE, lesser(power_above(overlap_of(a, 1, 1).span), 4096));
    *most = greater(*least, lesser(lesser(greater(8 * *least, 64), MOST_SIZE), 2 * power_above(a->out)));
}

/* Columns are enough for vectors, and for a square of them. */
static void widen(const int64_t least[AXES], int64_t lanes, int64_t *columns, int64_t *most) {
    const int64_t others = least[AXIS_D] * least[AXIS_H], vectors = others > 1 ? 2 * lanes : 4 * lanes;
    *columns = greater(greater(*columns, vectors), power_above(ceil_div(2 * lanes * lanes, others)));
    *most = greater(*columns, *most);
}

/* Multiply-adds of a plan at least: three a complex point and level, there and back, and four for its products. */
static double multiply_adds(const problem *p, const cvk_target *target, const cvk_plan *plan) {
    const fft f = make(p, target, plan);
    const double points = (double)p->n * (double)product_of(&f, offsetof(overlap, tiles)) * (double)f.points;
    const double channels = (double)p->groups * (double)(p->in_channels + p->out_channels);
    const double products = (double)p->groups * (double)p->in_channels * (double)p->out_channels;
    return points * (3 * log2((double)f.points) * channels + 4 * products * (double)fft_parts(&f));
}

enum { MOST_OVER_LEAST = 2 };

/* To build and count a plan takes a while: only those are left that are not far from the fewest multiply-adds, and
 * where even these are more than direct sums have, one, for who asks for it. */
static void prune(const problem *p, const cvk_target *target, plan_list *list, int first) {
    double least = INFINITY;
    int best = first, kept = first;
    for (int i = first; i < list->count; i++) {
        const double all = multiply_adds(p, target, &list->plan[i]);
        if (all < least) best = i;
        least = fmin(least, all);
    }
    const cvk_plan fewest = list->plan[best];
    const bool hopeless = least > problem_multiply_adds(p);
    for (int i = first; i < list->count && !hopeless; i++)
        if (multiply_adds(p, target, &list->plan[i]) <= MOST_OVER_LEAST * least) list->plan[kept++] = list->plan[i];
    if (hopeless && list->count > first) list->plan[kept++] = fewest;
    list->count = kept;
}

static void propose(const algorithm *row, const problem *p, goal aim, arena *a, plan_list *list) {
    const cvk_target *t = aim.target;
    const int first = list->count;
    int64_t least[AXES], most[AXES], size[AXES];
    for (int axis = 0; axis < AXES; axis++) sizes_of(&p->axis[axis], &least[axis], &most[axis]);
    widen(most, target_lanes(t, p->sum), &least[AXIS_W], &most[AXIS_W]);
    for (size[0] = least[0]; size[0] <= most[0]; size[0] *= 2)
        for (size[1] = least[1]; size[1] <= most[1]; size[1] *= 2)
            for (size[2] = least[2]; size[2] <= most[2]; size[2] *= 2) add_tile(row, p, t, a, list, size);
    if (list->count > first) prune(p, t, list, first);
}

/* ---- nests ---- */

static nest_phase phase_of(arena *a, nest *n) {
    nest **nests = arena_new(a, nest *);
    *nests = n;
    return (nest_phase){1, nests};
}

static algo_nests build(const algorithm *row, arena *a, const problem *p, const cvk_target *target,
                        const cvk_plan *plan) {
    (void)row;
    fft f = make(p, target, plan);
    fft_make_cosines(a, &f);
    nest_phase *phase = arena_array(a, nest_phase, 3);
    phase[0] = phase_of(a, fft_border(a, &f));
    phase[1] = phase_of(a, fft_spectra(a, &f));
    phase[2] = phase_of(a, fft_outputs(a, &f));
    return (algo_nests){{3, phase}, fft_pack_weights(a, &f)};
}

/* Rows of a tile of the planes, and of outputs, each of which begins somewhere else. */
static double runs_of(const fft *f, double tiles) {
    const double channels = (double)(f->p->groups * (f->p->in_channels + f->p->out_channels));
    return tiles * channels * (double)(f->axis[AXIS_D].size * f->axis[AXIS_H].size);
}

/* Instructions, what goes out to the workspace and comes back, and weights, which every tile meets. Beyond the third
 * level nothing hides behind anything: what is stored is fetched first and goes out later, and each row of a tile is a
 * run by itself. */
static double cycles(const problem *p, const cvk_target *target, const cvk_plan *plan, const algo_nests *nests,
                     const nest_counts *counts) {
    const fft f = make(p, target, plan);
    const double workspace = (double)program_needs(&nests->run, ROLE_WORKSPACE).bytes;
    const double weights = (double)fft_packed_elements(&f) * type_bytes(p->sum);
    const double tiles = (double)p->n * (double)product_of(&f, offsetof(overlap, tiles));
    const double near =
        cost_issue(target, counts, f.lanes, INFINITY, false) + cost_far(target, weights * tiles, weights);
    if (workspace + view_bytes(&p->x) + view_bytes(&p->y) <= cost_l3_bytes(target))
        return COST_FFT_TOGETHER * (near + cost_l3(target, 2 * workspace));
    return near + cost_memory(target, COST_FFT_WAYS * workspace + view_bytes(&p->x) + 2 * view_bytes(&p->y)) +
           COST_FFT_RUN_CYCLES * runs_of(&f, tiles);
}

/* Of a transform, in real operations on a point and level: no way that is known has fewer. */
enum { OPERATIONS_A_LEVEL = 2 };

/* The products, four multiply-adds a point, and the transforms of each input and output channel; and the spectra, which
 * go out and come back. */
static double least(const problem *p, const cvk_target *target, const cvk_plan *plan) {
    const fft f = make(p, target, plan);
    const machine_figures *figures = target->figures;
    const double tiles = (double)p->n * (double)product_of(&f, offsetof(overlap, tiles)), points = (double)f.points;
    const double weights = (double)fft_packed_elements(&f) * type_bytes(p->sum);
    const double channels = (double)(p->groups * (p->in_channels + p->out_channels));
    const double products = 4 * tiles * points * (double)(p->groups * p->in_channels * p->out_channels) / f.lanes;
    const double transforms = OPERATIONS_A_LEVEL * tiles * channels * points * fft_levels((int64_t)f.points) / f.lanes;
    const double issue = fmax(products / figures->fma_a_cycle, (products + transforms) / figures->operations_a_cycle);
    const double spectra = (double)f.spectra * type_bytes(p->sum);
    return COST_FFT_TOGETHER * (issue + cost_far(target, weights * tiles, weights) + cost_l3(target, 2 * spectra));
}

const algorithm algo_fft = {"fft", LANES_COLUMNS, applicable, propose, refuse, build, cycles, NULL, least, NULL, false};
