/* The walk over output tiles, which all direct algorithms share; see tile.h for its shape. */
#include "algo/direct/tile.h"

static const char *const NAMES[PLAN_LOOPS] = {"n", "g", "oc", "od", "oh", "ow", "ic"};
static const char *const BLOCK_NAMES[PLAN_LOOPS] = {"n_block",  "g_block",  "oc_block", "od_block",
                                                    "oh_block", "ow_block", "ic_block"};

/* ---- variants: tiles that share their code, of one loop after another, that of the innermost loop last ---- */

enum { VARIANTS = 1 + AXES };

typedef struct variants {
    tile *t;
    plan_loop loop[VARIANTS];
    bool runs;  /* the last of them is a loop that is still to open */
    bool whole; /* every channel of the block exists */
} variants;

static void next_variant(variants *v, int i);

/* The walk stands at a tile of the loop: if it is one of low .. high - 1. */
static void where_among(variants *v, int i, int64_t low, int64_t high, const char *note) {
    nest_builder *b = v->t->b;
    affine number = v->t->loop[v->loop[i]].number;
    build_if(b, affine_offset(number, -low), low > 0 ? note : NULL);
    build_if(b, affine_offset(affine_scale(number, -1), high - 1), low > 0 ? NULL : note);
    next_variant(v, i + 1);
    build_end(b);
    build_end(b);
}

/* The loop over those of its tiles, of the block around it, that are low .. high - 1. */
static void run_among(variants *v, int i, int64_t low, int64_t high) {
    nest_builder *b = v->t->b;
    tile_loop *l = &v->t->loop[v->loop[i]];
    bool blocked = l->room < l->tiles;
    affine before = blocked ? l->first : affine_constant(low), back = affine_scale(before, -1);
    nest_range r = range_of(b, 0, blocked ? l->room : high - low);
    range_clip_low(b, &r, affine_offset(back, low), 1);
    range_clip_high(b, &r, affine_offset(back, high), 1);
    l->number = affine_add(build_for(b, VARIABLE_LOOP, NAMES[v->loop[i]], r), before);
    next_variant(v, i + 1);
    build_end(b);
}

static void stand_at_tile(tile *t, bool whole) {
    t->n = t->loop[LOOP_N].number;
    t->oc.group = t->loop[LOOP_G].number;
    if (whole) channel_blocks_at_whole(&t->oc, t->loop[LOOP_OC].number);
    for (int a = 0; a < AXES; a++) t->at[a] = affine_scale(t->loop[tile_loop_of(a)].number, t->size[a]);
}

/* The same, some of them carrying. */
static void run_carrying(variants *v, int i, int64_t low, int64_t high) {
    tile *t = v->t;
    tile_loop *l = &t->loop[v->loop[i]];
    tile_run r = {low, low};
    if (t->family->carried && v->loop[i] == LOOP_OW && l->room == l->tiles) r = t->family->carried(t, low, high);
    if (low < r.first) run_among(v, i, low, r.first);
    if (r.first < r.end) {
        l->number = affine_constant(r.first);
        stand_at_tile(t, v->whole);
        t->carries = true;
        t->family->begin_carrying(t);
        run_among(v, i, r.first, r.end);
        t->carries = false;
    }
    if (r.end < high) run_among(v, i, r.end, high);
}

static void among(variants *v, int i, int64_t low, int64_t high, const char *note) {
    if (v->runs && i == VARIANTS - 1)
        run_carrying(v, i, low, high);
    else
        where_among(v, i, low, high, note);
}

/* Blocks in which every channel exists share their code; each of the rest has its own. */
static void channel_variants(variants *v, int i) {
    channel_blocks *c = &v->t->oc;
    int64_t whole = channel_blocks_whole(c);
    v->whole = true;
    if (whole > 0) among(v, i, 0, whole, "whole blocks");
    v->whole = false;
    for (int64_t k = whole; k < c->blocks; k++) {
        channel_blocks_at(c, k);
        among(v, i, k, k + 1, "the rest");
    }
}

static void axis_variants(variants *v, int i, int axis) {
    tile *t = v->t;
    const problem_axis *o = &t->p.axis[axis];
    axis_span all = {0, t->loop[tile_loop_of(axis)].tiles, 1, 0, o->out - 1};
    span_list list = {&all, 1};
    if (tile_has_spans(t, axis)) list = axis_spans(t->b->nest->arena, o, t->size[axis]);
    for (int k = 0; k < list.count; k++) {
        t->span[axis] = &list.span[k];
        among(v, i, list.span[k].first, list.span[k].first + list.span[k].count, NULL);
    }
}

static void next_variant(variants *v, int i) {
    if (i == VARIANTS) {
        stand_at_tile(v->t, v->whole);
        reduce_tile(v->t);
    } else if (v->loop[i] == LOOP_OC) {
        channel_variants(v, i);
    } else {
        axis_variants(v, i, (int)v->loop[i] - LOOP_OD);
    }
}

static bool has_variants(plan_loop loop) { return loop >= LOOP_OC && loop <= LOOP_OW; }

/* `last`: of the levels, where it is a loop still to open. */
static void tiles(tile *t, const plan_level *last) {
    variants v = {.t = t, .runs = last != NULL};
    int count = 0;
    for (plan_loop loop = LOOP_OC; loop <= LOOP_OW; loop++)
        if (!last || loop != last->loop) v.loop[count++] = loop;
    if (last) v.loop[count] = last->loop;
    next_variant(&v, 0);
}

/* ---- the loops of the plan ---- */

/* Tasks have constant trips: in the last block of a loop some may have no tile. */
static int open_where_tiles(tile *t) {
    int opened = 0;
    for (int i = 0; i < t->plan->tasks; i++) {
        const plan_level *level = &t->plan->order.level[i];
        const tile_loop *l = &t->loop[level->loop];
        if (level->block) continue;
        build_if(t->b, affine_offset(affine_scale(l->number, -1), l->tiles - 1), NULL);
        opened++;
    }
    return opened;
}

static void open_blocks(tile *t, const plan_level *level, bool task) {
    tile_loop *l = &t->loop[level->loop];
    int64_t size = level->block / l->unit, blocks = ceil_div(l->tiles, size);
    const char *name = BLOCK_NAMES[level->loop];
    affine number = task ? build_task(t->b, name, blocks) : build_loop(t->b, name, blocks);
    l->first = affine_scale(number, size);
    if (size < l->room) l->room = size;
    if (level->loop == LOOP_IC) partial_begin(t);
}

static void open_tiles(tile *t, const plan_level *level, bool task) {
    tile_loop *l = &t->loop[level->loop];
    const char *name = NAMES[level->loop];
    nest_range r = range_of(t->b, 0, l->room);
    if (!task) range_clip_high(t->b, &r, affine_offset(affine_scale(l->first, -1), l->tiles), 1);
    affine number = task ? build_task(t->b, name, l->room) : build_for(t->b, VARIABLE_LOOP, name, r);
    l->number = affine_add(number, l->first);
}

static void walk(tile *t, int i);

/* All that comes after the tasks. */
static void walk_task(tile *t, int i) {
    int opened = open_where_tiles(t);
    if (t->plan->pack_rows) pack_input_build(t);
    dot_build_corrections(t);
    walk(t, i);
    while (opened--) build_end(t->b);
}

static void walk_on(tile *t, int i) {
    if (i == t->plan->tasks)
        walk_task(t, i);
    else
        walk(t, i);
}

static void walk(tile *t, int i) {
    const plan_order *order = &t->plan->order;
    const plan_level *level = &order->level[i];
    bool task = i < t->plan->tasks;
    if (i == order->count || (i == order->count - 1 && !task && !level->block && has_variants(level->loop))) {
        tiles(t, i < order->count ? level : NULL);
        return;
    }
    const tile_loop outer = t->loop[level->loop];
    if (level->block)
        open_blocks(t, level, task);
    else
        open_tiles(t, level, task);
    walk_on(t, i + 1);
    build_end(t->b);
    if (level->block) t->loop[level->loop] = outer;
}

static int64_t trips_of(const tile *t, int level) {
    const plan_level *of = &t->plan->order.level[level];
    const tile_loop *l = &t->loop[of->loop];
    return of->block ? ceil_div(l->tiles, of->block / l->unit)
                     : tiles_within(t->plan, level, of->loop, l->tiles, l->unit);
}

/* Tasks that follow on one another keep to a part of the positions as long as no loop over channels is outside. */
plan_tasks direct_tasks(const algorithm *row, const problem *p, const cvk_target *target, const cvk_plan *plan) {
    const tile t = tile_make(p, target, plan, row->family);
    plan_tasks tasks = {.count = p->n > 0 ? 1 : 0, .places = 1};
    bool channels = false;
    for (int i = 0; i < plan->tasks; i++) {
        const plan_loop loop = plan->order.level[i].loop;
        const int64_t trips = trips_of(&t, i);
        tasks.count *= trips;
        channels |= trips > 1 && (loop == LOOP_OC || loop == LOOP_G);
        if (!channels) tasks.places *= trips;
    }
    return tasks;
}

/* ---- set-up ---- */

/* Tensors of scratch stand one after another, each on lines of its own. */
static int64_t after(int64_t elements, cvk_type type) {
    int64_t line = SCRATCH_ALIGNMENT / type_bytes(type);
    return ceil_div(elements, line) * line;
}

static void declare_scratch(tile *t) {
    nest_builder *b = t->b;
    int64_t begin = 0, partial = partial_elements(t), corrections = dot_corrections(t);
    if (t->plan->pack_rows) {
        t->x.tensor =
            nest_add_part(b, "packed", ROLE_SCRATCH, t->p.x.type, 0, t->p.x.elements, SCRATCH_ALIGNMENT, true);
        begin = after(t->p.x.elements, t->p.x.type);
    }
    if (partial) t->partial = nest_add_part(b, "sums", ROLE_SCRATCH, t->p.sum, begin, partial, SCRATCH_ALIGNMENT, true);
    begin += after(partial, t->p.sum);
    if (corrections)
        t->corrections =
            nest_add_part(b, "corrections", ROLE_SCRATCH, t->p.sum, begin, corrections, SCRATCH_ALIGNMENT, true);
}

static bool has_packed_weights(const tile *t) { return problem_weighs(&t->p) && !t->family->taps; }

static void declare(tile *t) {
    nest_builder *b = t->b;
    t->input = dot_add_input(t);
    if (has_packed_weights(t))
        t->weights = nest_add_tensor(b, "weights", ROLE_WEIGHTS, packed_weights_type(&t->p, t->target, t->plan, t->dot),
                                     packed_weights_elements(t), SCRATCH_ALIGNMENT, false);
    t->out = epilogue_declare(b, &t->p);
    t->out.y.streams = t->plan->stream;
    t->x = (tensor_view){.tensor = t->input, .v = t->p.x};
    epilogue_registers(&t->out);
    t->family->registers(t);
    declare_scratch(t);
}

algo_nests direct_build(const algorithm *row, arena *a, const problem *p, const cvk_target *target,
                        const cvk_plan *plan) {
    tile t = tile_make(p, target, plan, row->family);
    nest_builder b = nest_begin(a, p->name, ENTRY_TASKS, target->vector_bytes);
    t.b = &b;
    declare(&t);
    if (p->n > 0)
        walk_on(&t, 0);
    else
        b.nest->tasks = 0;
    nest *pack = has_packed_weights(&t) ? pack_weights_build(a, &t) : NULL;
    return (algo_nests){program_of(a, nest_finish(&b)), pack};
}
