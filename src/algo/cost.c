/* The cost model. Instructions are counted on the nest; bytes follow from the plan's loop order: a tensor that a loop
 * repeats is read again from the cache level its repeated part fits in.
 *
 *     cycles = max(issue + first-level set conflicts, second-level cache) + a share of the lesser
 *            + what the third level adds
 *
 * with two FMAs, two loads and one store a cycle and an FMA latency of four, as all current cores with these vectors.
 */
#include "algo/cost.h"

#include "algo/problem.h"

static const double FMA_A_CYCLE = 2, LOADS_A_CYCLE = 1.8, STORES_A_CYCLE = 1, FMA_LATENCY = 4, CALL_CYCLES = 30;
static const double OVERLAP_LOSS = 0.1;     /* the share of hidden second-level traffic that shows all the same */
static const double EVICTED_SHARE = 0.3;    /* of the input, by weights that stream through the second level */
static const double LOAD_CONTENTION = 0.05; /* what loads cost where they are not the limit */
static const double CONFLICT_CYCLES = 2.6;  /* of a load that a full cache set sends to the second level */

double cost_peak_cycles(const cvk_spec *spec, const cvk_target *target) {
    return (double)spec_macs(spec) / (target_lanes(target, TYPE_F32) * FMA_A_CYCLE);
}

static double greatest(double a, double b) { return a > b ? a : b; }

/* Independent sums in flight. */
static double sums(const cvk_target *t, const cvk_plan *p) {
    return (double)p->tile_oc * p->tile_oh * p->tile_ow / target_lanes(t, TYPE_F32);
}

static double issue_cycles(const cvk_target *t, const nest_counts *c, double independent) {
    double n[OP_CLASSES] = {0};
    for (int k = 0; k < OP_KINDS; k++) n[nest_op_class((op_kind)k)] += c->ops[k];
    double fma = n[CLASS_FMA] * (t->fused ? 1 : 2) + n[CLASS_DOT];
    double arithmetic = n[CLASS_ARITHMETIC] + n[CLASS_SHUFFLE] + n[CLASS_CONVERT];
    arithmetic += n[CLASS_TRANSPOSE] * target_lanes(t, TYPE_F32) * 4 + n[CLASS_CALL] * CALL_CYCLES;
    double ports = (fma + arithmetic) / FMA_A_CYCLE;
    double loads = n[CLASS_LOAD] / LOADS_A_CYCLE;
    double latency = (n[CLASS_FMA] + n[CLASS_DOT]) * FMA_LATENCY / independent;
    return greatest(greatest(ports, latency), loads) + LOAD_CONTENTION * loads + n[CLASS_STORE] / STORES_A_CYCLE;
}

double cost_issue(const cvk_target *target, const algo_nests *nests, double independent) {
    nest_counts c;
    nest_count(nests->run, &c);
    return issue_cycles(target, &c, independent);
}

/* Lanes that are not side by side cost an instruction each. */
static double scattered_cycles(const cvk_spec *s, const cvk_target *t, const cvk_plan *p, const nest_counts *c) {
    int64_t stride = p->lanes == LANES_COLUMNS ? s->stride[AXIS_W] : 1;
    bool by_column = p->lanes == LANES_COLUMNS, by_channel = p->lanes == LANES_CHANNELS;
    bool loads = (by_column && s->in_channels > 1 && s->input_layout != CVK_CHANNELS_FIRST) ||
                 (by_channel && s->input_layout == CVK_CHANNELS_FIRST) || stride > 4;
    bool stores = by_column && s->out_channels > 1 && s->output_layout != CVK_CHANNELS_FIRST;
    double cycles = 0;
    if (loads)
        cycles += c->ops[OP_LOAD] * target_lanes(t, TYPE_F32);
    else if (stride > 1)
        cycles += c->ops[OP_LOAD] * (double)stride;
    if (stores) cycles += c->ops[OP_STORE] * target_lanes(t, TYPE_F32);
    return cycles;
}

enum { LINE_BYTES = 64, PAGE_BYTES = 4096, SETS = PAGE_BYTES / LINE_BYTES, WEIGHT_WAYS = 1 };

/* Bytes from an input column to the next, and from a row to the next. */
static void input_strides(const cvk_spec *s, int64_t *column, int64_t *row) {
    int64_t channels = s->input_layout == CVK_CHANNELS_LAST ? s->in_channels : s->input_layout == CVK_BLOCKED ? 16 : 1;
    problem p = problem_of(s);
    *column = 4 * channels * p.axis[AXIS_W].stride;
    *row = 4 * channels * p.axis[AXIS_W].in * p.axis[AXIS_H].stride;
}

/* The share of a tile's pixels that are evicted before their line's next channel is read: first-level sets repeat every
 * 4 KiB, and pixels a multiple of that apart share one. Packed input has no such strides. */
static double conflicting_share(const cvk_spec *s, const cvk_target *t, const cvk_plan *p) {
    if (p->lanes != LANES_OUT_CHANNELS || p->pack_rows) return 0;
    int64_t column, row;
    input_strides(s, &column, &row);
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
    return a->kernel < a->stride ? (double)a->in * (double)a->kernel / (double)a->stride : (double)a->in;
}

/* Bytes of cache lines that one tap row of a tile's reduction reads over all input channels: in channels_first each
 * channel has lines of its own. */
static double tap_row_bytes(const cvk_spec *s, const cvk_plan *p, const problem *o) {
    double span = (double)((p->tile_ow - 1) * o->axis[AXIS_W].stride + 1), columns = p->tile_ow;
    double bytes = s->input_layout == CVK_CHANNELS_FIRST ? 4 * span + (double)(LINE_BYTES - 4) : 4 * columns;
    return bytes * (double)o->in_channels * p->tile_oh;
}

static footprint footprint_of(const cvk_spec *s, const cvk_plan *p) {
    problem o = problem_of(s);
    bool depthwise = p->lanes == LANES_CHANNELS;
    int64_t channels = depthwise ? o.groups : o.out_channels;
    double in = 4.0 * touched(&o.axis[AXIS_D]) * touched(&o.axis[AXIS_H]);
    in *= s->input_layout == CVK_CHANNELS_FIRST ? (double)o.axis[AXIS_W].in : touched(&o.axis[AXIS_W]);
    footprint f = {.panel = 4.0 * (double)(o.taps * o.in_channels) * p->tile_oc,
                   .row_tiles = (double)(ceil_div(o.axis[AXIS_H].out, p->tile_oh) * o.axis[AXIS_D].out),
                   .blocks = (double)ceil_div(channels, p->tile_oc),
                   .depthwise = depthwise};
    f.weights = f.panel * f.blocks;
    f.reuse = (double)o.axis[AXIS_H].kernel / (double)o.axis[AXIS_H].stride;
    f.rows = 4.0 * (double)(o.axis[AXIS_W].in * s->in_channels * o.axis[AXIS_H].kernel);
    f.tap_row = tap_row_bytes(s, p, &o);
    f.tap_rows = (double)(o.axis[AXIS_D].kernel * o.axis[AXIS_H].kernel);
    f.taps_in_row = p->unroll_kw ? 1 : (double)o.axis[AXIS_W].kernel;
    f.input = in * (double)(depthwise ? o.groups : o.in_channels);
    f.tiles = f.row_tiles * (double)ceil_div(o.axis[AXIS_W].out, p->tile_ow);
    return f;
}

static bool channels_outside(const cvk_plan *p) {
    for (int i = 0; i < PLAN_LOOPS; i++) {
        if (p->order[i] == LOOP_OC) return true;
        if (p->order[i] == LOOP_OH) return false;
    }
    return false;
}

/* Bytes of one group from the second level and from beyond. */
static void traffic(const cvk_target *t, const cvk_plan *p, const footprint *f, double *l2, double *l3) {
    double near = 0.5 * (double)t->l1_bytes, far = 0.7 * (double)t->l2_bytes;
    *l2 = f->panel > near ? f->panel * f->tiles * f->blocks : 0;
    double taps =
        f->tap_row > near && !f->depthwise ? f->tap_row * f->tap_rows * f->taps_in_row * f->tiles * f->blocks : 0;
    *l2 += taps;
    *l3 = f->weights > far && f->input > 0.3 * (double)t->l2_bytes ? EVICTED_SHARE * taps : 0;
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

double cost_direct(const cvk_spec *spec, const cvk_target *target, const cvk_plan *plan, const algo_nests *nests) {
    nest_counts c;
    nest_count(nests->run, &c);
    footprint f = footprint_of(spec, plan);
    double l2, l3, times = (double)(spec->batch * (plan->lanes == LANES_CHANNELS ? 1 : spec->groups));
    traffic(target, plan, &f, &l2, &l3);
    double core = issue_cycles(target, &c, sums(target, plan)) + scattered_cycles(spec, target, plan, &c);
    core += conflicting_share(spec, target, plan) * c.ops[OP_SPLAT] * CONFLICT_CYCLES;
    double near = times * l2 / COST_L2_BYTES_A_CYCLE, overlapped = near < core ? near : core;
    return greatest(core, near) + OVERLAP_LOSS * overlapped + times * l3 / COST_L3_BYTES_A_CYCLE;
}
