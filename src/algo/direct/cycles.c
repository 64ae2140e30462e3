/* What a direct plan takes. Instructions are counted on the nest; bytes follow from the plan's loop order: a tensor
 * that a loop repeats is read again from the cache level its repeated part fits in.
 *
 *     cycles = max(issue + first-level set conflicts, second-level cache) + a share of the lesser
 *            + what the third level adds
 *
 * with what the target's core does in a cycle, and the constants of algo/cost.def. */
#include "algo/cost.h"
#include "algo/direct/tile.h"

static double greatest(double a, double b) { return a > b ? a : b; }

/* Independent sums in flight. */
static double sums(int lanes, const cvk_plan *p) { return (double)p->tile_oc * p->tile_oh * p->tile_ow / lanes; }

/* Lanes that are not side by side cost an instruction each. */
static double scattered_cycles(const problem *o, int lanes, const cvk_plan *p, const nest_counts *c) {
    int64_t stride = p->lanes == LANES_COLUMNS ? o->axis[AXIS_W].step : 1;
    bool by_column = p->lanes == LANES_COLUMNS, by_channel = p->lanes == LANES_CHANNELS;
    bool loads = (by_column && o->x.channels > 1 && view_has_channels_together(&o->x)) ||
                 (by_channel && !view_has_channels_together(&o->x)) || stride > 4;
    bool stores = by_column && o->y.channels > 1 && view_has_channels_together(&o->y);
    double cycles = 0;
    if (loads)
        cycles += c->ops[OP_LOAD] * lanes;
    else if (stride > 1)
        cycles += c->ops[OP_LOAD] * (double)stride;
    if (stores) cycles += c->ops[OP_STORE] * lanes;
    return cycles;
}

enum { LINE_BYTES = 64, PAGE_BYTES = 4096, SETS = PAGE_BYTES / LINE_BYTES, WEIGHT_WAYS = 1 };

/* The share of a tile's pixels that are evicted before their line's next channel is read: first-level sets repeat every
 * 4 KiB, and pixels a multiple of that apart share one. Packed input has no such strides. */
static double conflicting_share(const problem *o, const cvk_target *t, const cvk_plan *p) {
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

typedef struct footprint {
    double panel, weights, input, tiles, row_tiles, blocks; /* bytes of one group's tensors; counts */
    double tap_row, tap_rows,
        taps_in_row;    /* bytes a tile reads for one row of taps; rows of taps, and passes over each */
    double rows, reuse; /* bytes of the rows that a row tile reads, all channels; how often a row is read */
    bool depthwise;     /* a block reads its own channels and no others */
} footprint;

/* Positions of an axis that some tap reads: a stride beyond the kernel skips the rest. */
static double touched(const problem_axis *a) {
    return a->taps < a->step ? (double)a->in * (double)a->taps / (double)a->step : (double)a->in;
}

/* Bytes of cache lines that one tap row of a tile's reduction reads over all input channels: in channels_first each
 * channel has lines of its own. */
static double tap_row_bytes(const problem *o, const cvk_plan *p) {
    double span = (double)((p->tile_ow - 1) * o->axis[AXIS_W].step + 1), columns = p->tile_ow;
    double size = type_bytes(o->x.type);
    double bytes = view_has_channels_together(&o->x) ? size * columns : size * span + (double)LINE_BYTES - size;
    return bytes * (double)o->in_channels * p->tile_oh;
}

static footprint footprint_of(const problem *o, const cvk_plan *p) {
    bool depthwise = p->lanes == LANES_CHANNELS;
    int64_t channels = depthwise ? o->groups : o->out_channels;
    double size = type_bytes(o->x.type), in = size * touched(&o->axis[AXIS_D]) * touched(&o->axis[AXIS_H]);
    in *= view_has_channels_together(&o->x) ? touched(&o->axis[AXIS_W]) : (double)o->axis[AXIS_W].in;
    footprint f = {.panel = type_bytes(o->w.type) * (double)(problem_taps(o) * o->in_channels) * p->tile_oc,
                   .row_tiles = (double)(ceil_div(o->axis[AXIS_H].out, p->tile_oh) * o->axis[AXIS_D].out),
                   .blocks = (double)ceil_div(channels, p->tile_oc),
                   .depthwise = depthwise};
    f.weights = f.panel * f.blocks;
    f.reuse = (double)o->axis[AXIS_H].taps / (double)o->axis[AXIS_H].step;
    f.rows = size * (double)(o->axis[AXIS_W].in * o->x.channels * o->axis[AXIS_H].taps);
    f.tap_row = tap_row_bytes(o, p);
    f.tap_rows = (double)(o->axis[AXIS_D].taps * o->axis[AXIS_H].taps);
    f.taps_in_row = p->unroll_kw ? 1 : (double)o->axis[AXIS_W].taps;
    f.input = in * (double)(depthwise ? o->groups : o->in_channels);
    f.tiles = f.row_tiles * (double)ceil_div(o->axis[AXIS_W].out, p->tile_ow);
    return f;
}

static bool channels_outside(const cvk_plan *p) {
    return plan_level_of(&p->order, LOOP_OC, false) < plan_level_of(&p->order, LOOP_OH, false);
}

/* Bytes of one group from the second level and from beyond. */
static void traffic(const cvk_target *t, const cvk_plan *p, const footprint *f, double *l2, double *l3) {
    double near = COST_L1_SHARE * (double)t->l1_bytes, far = COST_L2_SHARE * (double)t->l2_bytes;
    *l2 = f->panel > near ? f->panel * f->tiles * f->blocks : 0;
    double taps =
        f->tap_row > near && !f->depthwise ? f->tap_row * f->tap_rows * f->taps_in_row * f->tiles * f->blocks : 0;
    *l2 += taps;
    *l3 = f->weights > far && f->input > COST_L2_INPUT_SHARE * (double)t->l2_bytes ? COST_EVICTED_SHARE * taps : 0;
    if (channels_outside(p)) {
        if (f->panel > far)
            *l3 += f->panel * f->tiles * f->blocks;
        else if (f->weights + f->input > far)
            *l3 += f->weights;
        if (f->input + f->panel > far) *l3 += f->depthwise ? f->input : f->input * f->blocks;
    } else {
        if (f->depthwise && f->rows > near) *l2 += f->input * f->reuse;
        if (f->weights > far) *l3 += f->weights * f->row_tiles;
        if (f->weights + f->input > far) *l3 += f->input;
    }
}

double direct_cycles(const problem *asked, const cvk_target *target, const cvk_plan *plan, const algo_nests *nests,
                     const nest_counts *counts) {
    (void)nests;
    problem p = problem_merged(asked);
    int lanes = target_lanes(target, p.sum);
    footprint f = footprint_of(&p, plan);
    double l2, l3, times = (double)(p.n * (plan->lanes == LANES_CHANNELS ? 1 : p.groups));
    traffic(target, plan, &f, &l2, &l3);
    double core = cost_issue(target, counts, lanes, sums(lanes, plan)) + scattered_cycles(&p, lanes, plan, counts);
    core += conflicting_share(&p, target, plan) * counts->ops[OP_SPLAT] * COST_CONFLICT_CYCLES;
    double near = cost_l2(target, times * l2), overlapped = near < core ? near : core;
    return greatest(core, near) + COST_OVERLAP_LOSS * overlapped + cost_l3(target, times * l3);
}
