/* The walk over output tiles, which all direct algorithms share; see tile.h for its shape. */
#include "algo/direct/tile.h"

static void column_tiles(tile *t) {
    const problem_axis *axis = &t->p.axis[AXIS_W];
    axis_span whole = {0, axis->out, 1, 0, axis->out - 1};
    span_list list = {&whole, 1};
    if (!tile_clips_columns(t)) list = axis_spans(t->b->nest->arena, axis, t->plan->tile_ow);
    for (int i = 0; i < list.count; i++) {
        t->columns = &list.span[i];
        affine number = build_loop(t->b, "ow", t->columns->count);
        t->ow = affine_scale(affine_offset(number, t->columns->first), t->plan->tile_ow);
        reduce_tile(t);
        build_end(t->b);
    }
}

/* `number` is the row tile's. */
static void row_tiles(tile *t, affine number) {
    t->oh = affine_scale(number, t->plan->tile_oh);
    axis_span whole = {0, t->p.axis[AXIS_H].out, 1, 0, t->p.axis[AXIS_H].out - 1};
    span_list list = {&whole, 1};
    if (t->plan->tile_oh > 1) list = axis_spans(t->b->nest->arena, &t->p.axis[AXIS_H], t->plan->tile_oh);
    for (int i = 0; i < list.count; i++) {
        t->rows = &list.span[i];
        int64_t last = t->rows->first + t->rows->count - 1;
        build_if(t->b, affine_offset(number, -t->rows->first), NULL);
        build_if(t->b, affine_offset(affine_scale(number, -1), last), NULL);
        column_tiles(t);
        build_end(t->b);
        build_end(t->b);
    }
}

static int64_t packed_tiles(const tile *t) { return t->plan->pack_rows / t->plan->tile_oh; }

/* With packed input the row loop runs over blocks of rows; here over the tiles of one. */
static void rows_of_task(tile *t, affine row) {
    if (t->plan->pack_rows == 0) {
        row_tiles(t, row);
        return;
    }
    int64_t tiles = packed_tiles(t);
    nest_range inside = range_of(t->b, 0, tiles);
    range_clip_high(t->b, &inside, affine_offset(affine_scale(row, -tiles), tile_row_tiles(t)), 1);
    affine within = build_for(t->b, VARIABLE_LOOP, "oh", inside);
    row_tiles(t, affine_add_scaled(within, row, tiles));
    build_end(t->b);
}

/* Blocks in which every channel exists share their code; each of the rest has its own. */
static void channel_variants(tile *t, affine row) {
    channel_blocks *c = &t->oc;
    int64_t whole = channel_blocks_whole(c);
    affine block = c->block;
    if (whole > 0) {
        build_if(t->b, affine_offset(affine_scale(block, -1), whole - 1), "whole blocks");
        channel_blocks_at_whole(c, block);
        rows_of_task(t, row);
        build_end(t->b);
    }
    for (int64_t i = whole; i < c->blocks; i++) {
        build_if(t->b, affine_offset(block, -i), "the rest");
        build_if(t->b, affine_offset(affine_scale(block, -1), i), NULL);
        channel_blocks_at(c, i);
        rows_of_task(t, row);
        build_end(t->b);
        build_end(t->b);
    }
    c->block = block;
}

static int64_t trips(const tile *t, plan_loop loop) {
    int64_t rows = tile_row_tiles(t);
    if (t->plan->pack_rows) rows = ceil_div(rows, packed_tiles(t));
    const int64_t count[PLAN_LOOPS] = {[LOOP_N] = t->p.n,
                                       [LOOP_G] = t->oc.groups,
                                       [LOOP_OC] = t->oc.blocks,
                                       [LOOP_OD] = t->p.axis[AXIS_D].out,
                                       [LOOP_OH] = rows};
    return count[loop];
}

static void walk(tile *t) {
    static const char *const NAMES[PLAN_LOOPS] = {
        [LOOP_N] = "n", [LOOP_G] = "g", [LOOP_OC] = "oc", [LOOP_OD] = "od", [LOOP_OH] = "oh"};
    affine at[PLAN_LOOPS];
    for (int i = 0; i <= PLAN_LOOPS; i++) {
        if (i == t->plan->tasks && t->plan->pack_rows) {
            t->n = at[LOOP_N], t->od = at[LOOP_OD];
            t->oc.group = t->family->depthwise ? affine_constant(0) : at[LOOP_G];
            pack_input_build(t, affine_scale(at[LOOP_OH], t->plan->pack_rows));
        }
        if (i == PLAN_LOOPS) break;
        plan_loop loop = t->plan->order[i];
        at[loop] = i < t->plan->tasks ? build_task(t->b, NAMES[loop], trips(t, loop))
                                      : build_loop(t->b, NAMES[loop], trips(t, loop));
    }
    t->n = at[LOOP_N], t->oc.group = at[LOOP_G], t->oc.block = at[LOOP_OC], t->od = at[LOOP_OD];
    channel_variants(t, at[LOOP_OH]);
    for (int i = 0; i < PLAN_LOOPS; i++) build_end(t->b);
}

/* ---- set-up ---- */

static void declare(tile *t) {
    nest_builder *b = t->b;
    t->input = nest_add_tensor(b, "input", ROLE_INPUT, t->whole.x.type, t->whole.x.elements,
                               type_bytes(t->whole.x.type), false);
    t->weights =
        nest_add_tensor(b, "weights", ROLE_WEIGHTS, t->p.w.type, packed_weights_elements(t), SCRATCH_ALIGNMENT, false);
    t->out = epilogue_declare(b, &t->p);
    t->x = (tensor_view){t->input, t->p.x};
    if (t->plan->pack_rows)
        t->x.tensor =
            nest_add_tensor(b, "scratch", ROLE_SCRATCH, t->p.x.type, t->p.x.elements, SCRATCH_ALIGNMENT, true);
    epilogue_registers(&t->out);
    t->family->registers(t);
}

algo_nests direct_build(const algorithm *row, arena *a, const problem *p, const cvk_target *target,
                        const cvk_plan *plan) {
    tile t = tile_make(p, target, plan, row->family);
    nest_builder b = nest_begin(a, p->name, ENTRY_TASKS, target->vector_bytes);
    t.b = &b;
    declare(&t);
    if (p->n > 0)
        walk(&t);
    else
        b.nest->tasks = 0;
    return (algo_nests){program_of(a, nest_finish(&b)), pack_weights_build(a, &t)};
}
