/* What a direct plan takes. Instructions are counted on the nest; bytes follow from the plan's loops, by what they
 * leave in which cache.
 *
 *     near   = issue, first-level set conflicts and new pages, beside what comes from the second level
 *     cycles = near, beside what comes from the third level and from memory
 *
 * with the figures of the target's core. Of cycles and those from farther
 * away the longer hide all but a share of the shorter. The second level is so near that little of it hides little and
 * much of it much: there it is the root of the squares. */
#include "algo/cost.h"
#include "algo/direct/tile.h"
#include "algo/direct/traffic.h"

#include <math.h>

/* Lanes that are not side by side cost an instruction each, and a load of two lines as much as two. */
static double scattered_cycles(const problem *o, const cvk_target *t, int lanes, const cvk_plan *p,
                               const nest_counts *c) {
    int64_t stride = p->lanes == LANES_COLUMNS ? o->axis[AXIS_W].step : 1;
    bool by_column = p->lanes == LANES_COLUMNS, by_channel = p->lanes == LANES_CHANNELS;
    bool together = view_has_channels_together(&o->x) != p->pack_transposed;
    bool loads = (by_column && o->x.channels > 1 && together) || (by_channel && !together) || stride > 4;
    bool stores = by_column && o->y.channels > 1 && view_has_channels_together(&o->y);
    double cycles = 0;
    if (loads)
        cycles += c->ops[OP_LOAD] * lanes;
    else if (stride > 1)
        cycles += c->ops[OP_LOAD] * (double)stride;
    else if (by_column)
        cycles += cost_crossings(t, c, lanes, type_bytes(o->x.type));
    if (stores) cycles += c->ops[OP_STORE] * lanes * t->figures->scatter_cycles;
    const bool parts = p->lanes == LANES_IN_CHANNELS && p->tile_oc < o->y.channels;
    if (parts) cycles += c->ops[OP_STORE] * t->figures->part_cycles;
    return cycles;
}

/* A pool that reads pixels where they are, one after another. */
static bool pools_in_place(const problem *o, const cvk_plan *p) {
    return !problem_weighs(o) && p->lanes == LANES_CHANNELS && !p->pack_rows && view_has_channels_together(&o->x);
}

/* A pool reads each input hardly more than once, so that what counts is how much of a pixel it reads in one go: the
 * channels of a tile, after which it jumps to the next pixel's. Blocks of channels have their pixels side by side. */
static double jumping_cycles(const problem *o, const cvk_target *t, const cvk_plan *p) {
    if (!pools_in_place(o, p) || o->x.block > 1) return 0;
    double pixels = (double)o->n;
    for (int a = 0; a < AXES; a++) pixels *= (double)o->axis[a].in;
    return t->figures->jump_cycles * pixels * (double)ceil_div(o->x.channels, p->tile_oc);
}

/* Sums and maxima of a pool wait for one another, as multiply-adds do. */
static double combining_cycles(const cvk_target *t, const nest_counts *c, double independent) {
    return (c->ops[OP_ADD] + c->ops[OP_MAXIMUM]) * t->figures->fma_latency / independent;
}

static double tiles_of(const problem *o, const cvk_plan *p) {
    double channels =
        (double)(p->lanes == LANES_CHANNELS ? o->x.channels * problem_multiplier(o) : o->groups * o->out_channels);
    double tiles = (double)o->n * ceil(channels / p->tile_oc);
    for (int a = 0; a < AXES; a++) tiles *= (double)ceil_div(o->axis[a].out, plan_unit(p, tile_loop_of(a)));
    return tiles;
}

enum { PAGE_BYTES = 4096, SETS = PAGE_BYTES / LINE_BYTES, WEIGHT_WAYS = 1 };

/* First-level sets repeat every 4 KiB, and pixels a multiple of that apart share one. Packed input has no such strides.
 */
double direct_conflicts(const problem *o, const cvk_target *t, const cvk_plan *p) {
    if (p->lanes != LANES_OUT_CHANNELS || p->pack_rows) return 0;
    int64_t bytes = type_bytes(o->x.type), column = bytes * o->x.axis[AXIS_W] * o->axis[AXIS_W].step;
    int64_t row = bytes * o->x.axis[AXIS_H] * o->axis[AXIS_H].step;
    int lines[SETS] = {0}, ways = (int)(t->l1_bytes / PAGE_BYTES) - WEIGHT_WAYS, crowded = 0;
    int64_t last = -1;
    for (int r = 0; r < p->tile_oh; r++)
        for (int c = 0; c < p->tile_ow; c++) {
            int64_t line = (r * row + c * column) / LINE_BYTES;
            if (line != last) lines[line % SETS]++;
            last = line;
        }
    for (int i = 0; i < SETS; i++)
        if (lines[i] > ways) crowded += lines[i] - ways;
    return (double)crowded / ((double)p->tile_oh * p->tile_ow);
}

/* Where the rows of a tile of columns lie a multiple of some lines apart, more of them may share a set than it has
 * ways: what one tile leaves of a line is then gone before the next reads the rest. Lines of a set, beyond its ways. */
static double crowding(const int *lines, int ways) {
    double all = 0;
    for (int i = 0; i < SETS; i++)
        if (lines[i] > ways) all += (double)lines[i] * (lines[i] - ways) / ways;
    return all;
}

static void put_rows(int *lines, const view *v, int axis, int64_t rows, int64_t first) {
    const int64_t apart = type_bytes(v->type) * v->axis[axis];
    for (int64_t i = 0; i < rows; i++) lines[floor_mod(first + i * apart, PAGE_BYTES) / LINE_BYTES]++;
}

static int64_t positions_seen(const problem_axis *a, int64_t outputs) {
    return (outputs - 1) * a->step + (a->taps - 1) * a->tap_step + 1;
}

static double row_conflicts(const problem *o, const cvk_target *t, const cvk_plan *p) {
    if (p->lanes != LANES_COLUMNS || p->pack_rows) return 0;
    int lines[SETS] = {0};
    const int ways = (int)(t->l1_bytes / PAGE_BYTES);
    put_rows(lines, &o->x, AXIS_H, positions_seen(&o->axis[AXIS_H], p->tile_oh), 0);
    for (int j = 0; j < p->tile_oc; j++)
        put_rows(lines, &o->y, AXIS_H, p->tile_oh, type_bytes(o->y.type) * j * o->y.channel);
    const double width = (double)p->tile_ow * type_bytes(o->x.type) / LINE_BYTES;
    return ways > 0 ? (width + 2) * crowding(lines, ways) * tiles_of(o, p) : 0;
}

/* Sums that are several vectors, or the lanes of one, are added when a tile is finished, in rounds of half as many. */
static double rounds_cycles(const problem *o, const cvk_target *t, const cvk_plan *p) {
    int lanes = target_lanes(t, o->sum);
    double parts = p->lanes == LANES_IN_CHANNELS ? lanes : p->lanes == LANES_CHANNELS ? (double)o->in_channels : 1;
    return tiles_of(o, p) * log2(parts) * t->figures->round_cycles;
}

/* Whether what a plan multiplies is added by the same instruction, so that sums wait for all of its latency. */
static bool dots_add(const problem *o, const cvk_target *t, const cvk_plan *p) {
    const target_dot *d = dot_of(o, t, p->dot);
    return d && d->operations == 1;
}

/* Cycles that a multiply-add takes longer than it could where so few sums do not hide its latency. */
static double waited(const machine_figures *f, double few) {
    return few < f->fma_latency * f->fma_a_cycle ? f->fma_latency / fmax(few, 1) - 1 / f->fma_a_cycle : 0;
}

/* The last tile of a row, of a slice, of the depth or of the output channels is shorter, and may have too few sums to
 * hide the latency of a multiply-add. */
static double short_tiles_cycles(const problem *o, const cvk_target *t, const cvk_plan *p, const nest_counts *c) {
    const int lanes = target_lanes(t, o->sum);
    const double all = direct_sums(o, lanes, p), products = c->ops[OP_FMA] + (dots_add(o, t, p) ? c->ops[OP_DOT] : 0);
    double cycles = 0;
    for (int a = 0; a < AXES; a++) {
        int size = plan_unit(p, tile_loop_of(a));
        double rest = (double)(o->axis[a].out % size);
        if (rest > 0) cycles += waited(t->figures, all * rest / size) * products * rest / (double)o->axis[a].out;
    }
    if (p->lanes != LANES_OUT_CHANNELS) return cycles;
    const double vectors = (double)ceil_div(o->out_channels, lanes), size = p->tile_oc / lanes;
    const double rest = fmod(vectors, size);
    if (rest > 0) cycles += waited(t->figures, all * rest / size) * products * rest / vectors;
    return cycles;
}

/* Input positions that a tile reads of an axis. */
static int64_t read_by_tile(const problem_axis *a, int64_t size) {
    return lesser((size - 1) * a->step + (a->taps - 1) * a->tap_step + 1, a->in);
}

/* Of a pool that reads from afar, the share that comes row after row: a core asks for what follows in a row, and has
 * asked for several rows if it was at each of them a moment ago. */
static double one_after_another(const problem *o, const cvk_plan *p) {
    if (!pools_in_place(o, p)) return 0;
    const int64_t channels = lesser(p->tile_oc, o->x.channels);
    const int64_t bytes = type_bytes(o->x.type) * channels * read_by_tile(&o->axis[AXIS_W], p->tile_ow);
    const int64_t rows = read_by_tile(&o->axis[AXIS_H], p->tile_oh) * read_by_tile(&o->axis[AXIS_D], p->tile_od);
    return fmin(1, 2 * (double)bytes / (double)(PAGE_BYTES * rows));
}

/* Registers of sums, and of what meets them. */
static double registers_held(const cvk_plan *p, int lanes) {
    if (p->lanes == LANES_OUT_CHANNELS) return (double)p->tile_oc / lanes + 1;
    return p->lanes == LANES_COLUMNS ? (double)p->tile_ow / lanes + 1 : 2;
}

/* Sums that find no register go to memory and back with each multiply-add. */
static double spilled_cycles(const problem *o, const cvk_target *t, const cvk_plan *p, const nest_counts *c) {
    const double all = direct_sums(o, target_lanes(t, o->sum), p);
    const double excess = all + registers_held(p, target_lanes(t, o->sum)) - t->registers;
    const double each = 1 / t->figures->stores_a_cycle + 1 / t->figures->loads_a_cycle;
    return excess > 0 ? fmin(1, excess / all) * each * (c->ops[OP_FMA] + c->ops[OP_MAXIMUM] + c->ops[OP_ADD]) : 0;
}

/* A tile of output channels goes a line further in each of its pixels at once, so that no core asks for them early by
 * itself: what comes from memory is waited for, as many lines together as there are pixels. */
static double waiting_cycles(const problem *o, const cvk_target *t, const cvk_plan *p, const traffic *moved) {
    const bool apart = !view_has_channels_together(&o->x) || p->pack_rows;
    if (p->lanes != LANES_OUT_CHANNELS || apart || p->prefetch) return 0;
    const double pixels = (double)p->tile_od * p->tile_oh * p->tile_ow;
    return moved->l3_input / LINE_BYTES * t->figures->memory_latency / fmin(pixels, COST_LINES_IN_FLIGHT);
}

/* Bytes of output that no cache sees. */
static double past_caches(const problem *o, const cvk_plan *p) { return p->stream ? view_bytes(&o->y) : 0; }

/* Two things at once: the longer hides all but a share of the shorter. */
static double beside(double a, double b, double loss) { return fmax(a, b) + loss * (a < b ? a : b); }

/* While a task copies its input nothing is computed that could hide where it comes from. */
static double packing_far(const problem *o, const cvk_target *t, const cvk_plan *p, double far) {
    double input = view_bytes(&o->x);
    return p->pack_rows ? (1 - t->figures->far_loss) * cost_l3(t, fmin(far, input)) : 0;
}

/* Vectors of output that are stored. */
static double outputs_of(const problem *o, int lanes) {
    double positions = (double)(o->n * o->groups);
    for (int a = 0; a < AXES; a++) positions *= (double)o->axis[a].out;
    return positions * (double)ceil_div(o->out_channels, lanes);
}

static double issue(const problem *o, const cvk_target *t, int lanes, const cvk_plan *p, const nest_counts *c,
                    double independent) {
    if (p->lanes == LANES_COLUMNS && problem_weighs(o)) return cost_issue_beside_stores(t, c, lanes, independent);
    if (p->lanes == LANES_OUT_CHANNELS && dots_add(o, t, p))
        return cost_issue_of_dots(t, c, lanes, independent, outputs_of(o, lanes));
    return cost_issue(t, c, lanes, independent, false);
}

double direct_near(const problem *p, const cvk_target *target, const cvk_plan *plan, const nest_counts *counts,
                   const traffic *t, double independent) {
    const machine_figures *f = target->figures;
    const int lanes = target_lanes(target, p->sum);
    double core = issue(p, target, lanes, plan, counts, independent) + scattered_cycles(p, target, lanes, plan, counts);
    if (!problem_weighs(p)) core = fmax(core, combining_cycles(target, counts, independent));
    core += direct_conflicts(p, target, plan) * counts->ops[OP_SPLAT] * f->conflict_cycles;
    core += row_conflicts(p, target, plan) * f->conflict_cycles;
    core += short_tiles_cycles(p, target, plan, counts) + rounds_cycles(p, target, plan);
    core += f->page_cycles * t->pages + f->row_line_cycles * t->row_lines;
    core += spilled_cycles(p, target, plan, counts);
    return hypot(core, cost_l2(target, t->l1) + jumping_cycles(p, target, plan));
}

double direct_cycles(const problem *asked, const cvk_target *target, const cvk_plan *plan, const algo_nests *nests,
                     const nest_counts *counts) {
    (void)nests;
    const machine_figures *f = target->figures;
    problem p = direct_problem(asked, target, plan->lanes);
    traffic t = traffic_of(&p, target, plan);
    const double near = direct_near(&p, target, plan, counts, &t, direct_sums(&p, target_lanes(target, p.sum), plan));
    double far =
        (cost_l3(target, t.l2 - past_caches(&p, plan)) + cost_memory(target, t.l3)) * (1 + one_after_another(&p, plan));
    far += f->run_cycles * t.runs + f->piece_cycles * t.pieces;
    double loss = t.input_sets < 1 ? f->few_sets_loss : f->far_loss;
    return beside(near, far, plan->prefetch ? f->prefetched_loss : loss) + packing_far(&p, target, plan, t.l2) +
           waiting_cycles(&p, target, plan, &t);
}
