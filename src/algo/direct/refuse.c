/* Whether the numbers of a plan fit a problem and a target. */
#include "algo/direct/tile.h"

enum { MOST_UNROLLED_FMAS = 1500 }; /* beyond, LLVM's time grows faster than the code */

static int64_t unrolled_positions(arena *a, const problem_axis *axis, int64_t tile_size, bool by_segment) {
    span_list spans = axis_spans(a, axis, tile_size);
    int64_t total = 0;
    for (int i = 0; i < spans.count; i++) {
        int64_t copies = by_segment ? axis_segments(a, axis, &spans.span[i]).count : axis->taps;
        total += copies * spans.span[i].length;
    }
    return total;
}

/* FMAs that the plan unrolls, all variants together: the measure of its code. */
static int64_t unrolled_fmas(arena *a, const problem *p, const cvk_target *target, const cvk_plan *plan,
                             const family *f) {
    tile t = tile_make(p, target, plan, f);
    int64_t whole = channel_blocks_whole(&t.oc), columns = 1, rows = 1, variants = t.oc.blocks - whole + (whole > 0);
    if (!tile_clips_columns(&t)) columns = unrolled_positions(a, &t.p.axis[AXIS_W], plan->tile_ow, !plan->unroll_kw);
    if (plan->tile_oh > 1) rows = unrolled_positions(a, &t.p.axis[AXIS_H], plan->tile_oh, true);
    int64_t vectors = f->channel_lanes ? ceil_div(plan->tile_oc, t.lanes) : plan->tile_oc;
    if (!f->channel_lanes) columns = ceil_div(columns, t.lanes);
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

const char *direct_refuse(const algorithm *row, const problem *p, const cvk_target *target, const cvk_plan *plan) {
    const family *f = row->family;
    if (plan->tile_oc < 1 || plan->tile_oh < 1 || plan->tile_ow < 1) return "a tile has no size";
    if (plan->tile_oc > 4096 || plan->tile_oh > 64 || plan->tile_ow > 4096) return "a tile is too large";
    if (f->channel_lanes && plan->tile_oc % target_lanes(target, p->sum) != 0)
        return "tile.oc is not a multiple of the target's lanes";
    if (!f->channel_lanes && plan->tile_ow % target_lanes(target, p->sum) != 0)
        return "tile.ow is not a multiple of the target's lanes";
    if (plan->tile_od != 1 || plan->block_oh != 1 || plan->block_ow != 1)
        return "tile.od and block are 1 but for winograd";
    if (plan->unroll_ic < 1 || plan->unroll_ic > 64) return "unroll.ic is not 1..64";
    if (!is_permutation(plan->order)) return "order does not name each loop once";
    if (plan->tasks < 1 || plan->tasks > PLAN_LOOPS) return "tasks is not 1..5";
    if (plan->pack_rows < 0 || plan->pack_rows > 1 << 16) return "pack.input_rows is not 0..65536";
    if (plan->pack_rows % plan->tile_oh != 0) return "pack.input_rows is not a multiple of tile.oh";
    if (plan->pack_rows && packs_too_late(plan, f)) return "packed input needs n, g, od and oh among its tasks";
    if (!plan->pack_rows && problem_has_border(p)) return "this padding_mode needs packed input";
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
