/* Products of several input channels at once, by the instructions of target/dots.def. What they take is not what the
 * tensors hold: with x' = x + shift, of the instruction's type, and zero' the number among x' that stands for 0,
 *
 *     sum of (x - zero) w = sum of x' w - zero' sum of w
 *
 * The first is what a tile sums up. The second, a correction, is a number for each output channel, which a task finds
 * first of all; it wants every tap present: a border of zeros is packed, as numbers zero'. With x' of 16 bits zero' is
 * 0. */
#include "algo/direct/tile.h"

#include <string.h>

static bool is_byte(cvk_type type) { return type_bytes(type) == 1; }

int dot_shift(const problem *p, const target_dot *d) {
    if (!is_byte(d->x)) return type_is_float(d->x) ? 0 : -p->x.zero;
    return (int)(type_least(d->x) - type_least(p->x.type));
}

int dot_zero(const problem *p, const target_dot *d) { return p->x.zero + dot_shift(p, d); }

bool dot_reads_as_stored(const problem *p, const target_dot *d) { return type_bytes(p->x.type) == type_bytes(d->x); }

/* Weights as they count, from 0. */
static bool holds_weights(const problem *p, const target_dot *d) {
    if (type_is_float(d->w)) return p->w.type == d->w;
    return type_least(p->w.type) - p->w.zero >= type_least(d->w) &&
           type_greatest(p->w.type) - p->w.zero <= type_greatest(d->w);
}

/* Channels of a group begin with a block, where there are any: else lanes are loaded one by one and added, as halves
 * are not. */
static bool has_whole_blocks(const problem *p) {
    return p->x.block <= 1 || p->groups == 1 || p->in_channels % p->x.block == 0;
}

/* One product at a time is added as any multiply-add would. */
static bool serves_floats(const problem *p, const target_dot *d) {
    return p->x.type == d->x && (d->factors == 1 || p->accuracy != ACCURACY_STRICT) && has_whole_blocks(p);
}

const target_dot *dot_of(const problem *p, const cvk_target *target, int factors) {
    const target_dot *d = factors ? target_dot_of(target, p->sum, factors) : NULL;
    if (!d || p->combine != COMBINE_SUM || !holds_weights(p, d)) return NULL;
    if (type_is_float(d->x)) return serves_floats(p, d) ? d : NULL;
    return is_byte(p->x.type) ? d : NULL;
}

bool dot_wants_border(const problem *p, const target_dot *d) {
    return problem_is_padded(p) && p->border == PAD_ZEROS && dot_zero(p, d) != 0;
}

/* Channels of a step lie side by side, and are of one group alone, or nobody's, whose weights are 0. */
bool dot_reads_input(const problem *p, const target_dot *d) {
    if (d->factors == 1) return true;
    const bool fill = p->x.block > 1 && p->groups == 1 && !type_is_float(d->x);
    return (p->in_channels % d->factors == 0 || fill) && view_has_channels_together(&p->x);
}

view dot_scratch(const problem *p, const target_dot *d, const int64_t size[AXES]) {
    const int64_t n = d->factors, channels = ceil_div(p->in_channels, n);
    const bool together = view_has_channels_together(&p->x);
    view v = view_dense(d->x, together ? CVK_CHANNELS_LAST : CVK_CHANNELS_FIRST, 1, together ? channels * n : channels,
                        1, size);
    if (!together) {
        for (int a = 0; a < AXES; a++) v.axis[a] *= n;
        v.channel *= n;
        v.elements *= n;
        v.block = n;
        v.in_block = 1;
    }
    v.channels = p->in_channels;
    return v;
}

/* ---- what a nest does about it ---- */

int dot_add_input(tile *t) {
    const view *x = &t->whole.x;
    const bool as_stored = t->dot && dot_reads_as_stored(&t->whole, t->dot);
    const cvk_type type = as_stored ? t->dot->x : x->type;
    int input = nest_add_tensor(t->b, "input", ROLE_INPUT, type, x->elements, type_bytes(type), false);
    nest_lie_in(t->b, input, x->image, x->period, x->width);
    if (!as_stored) nest_count_from(t->b, input, x->zero);
    return input;
}

void dot_shift_loaded(tile *t, register_ref x, register_ref spare) {
    const int shift = t->dot ? dot_shift(&t->whole, t->dot) : 0;
    if (shift == 0 || !dot_reads_as_stored(&t->whole, t->dot)) return;
    build_const(t->b, spare, shift);
    build_op(t->b, OP_ADD, x, x, spare);
}

/* Of a task: tiles of groups, and of blocks of output channels. */
static int64_t places(const tile *t, plan_loop loop) {
    const tile_loop *l = &t->loop[loop];
    return tiles_within(t->plan, t->plan->tasks, loop, l->tiles, l->unit);
}

/* Of a block, those that a dot gives sums in. */
static int64_t vectors_of(const tile *t) {
    if (t->family->reduces_lanes) return t->plan->tile_oc;
    return t->family->dots == DOTS_GROUPS ? t->p.in_channels : t->plan->tile_oc / t->lanes;
}

int64_t dot_corrections(const tile *t) {
    if (!t->dot || dot_zero(&t->whole, t->dot) == 0) return 0;
    return places(t, LOOP_G) * places(t, LOOP_OC) * vectors_of(t) * t->lanes;
}

/* Number of a tile of the loop among those of the task. */
static affine in_task(const tile *t, plan_loop loop, affine number) {
    return places(t, loop) == 1 ? affine_constant(0) : affine_sub(number, t->task[loop].first);
}

/* By the loops' numbers, from which the proof of bounds sees that they are the task's. */
static nest_access correction_at(const tile *t, affine group, affine block, affine vector) {
    affine number = affine_add_scaled(in_task(t, LOOP_OC, block), in_task(t, LOOP_G, group), places(t, LOOP_OC));
    affine at = affine_add_scaled(vector, number, vectors_of(t));
    return access_at(t->corrections, affine_scale(at, t->lanes), 1);
}

void dot_correct(tile *t, register_ref sum, affine vector) {
    if (t->corrections < 0) return;
    const register_ref more = reg(t->first, affine_constant(t->b->nest->registers[t->first].count - 1));
    const affine group = t->loop[LOOP_G].number, block = t->loop[LOOP_OC].number;
    build_load(t->b, more, correction_at(t, group, block, vector), NULL);
    build_op(t->b, OP_ADD, sum, sum, more);
}

/* Opens the loop over those of the task. */
static affine open_places(tile *t, plan_loop loop, const char *name) {
    const tile_loop *l = &t->loop[loop];
    const bool stands = plan_level_of(&t->plan->order, loop, false) < t->plan->tasks;
    if (places(t, loop) == 1) return stands ? l->number : l->first;
    nest_range r = range_of(t->b, 0, places(t, loop));
    range_clip_high(t->b, &r, affine_offset(affine_scale(l->first, -1), l->tiles), 1);
    return affine_add(build_for(t->b, VARIABLE_LOOP, name, r), l->first);
}

/* zero' times the weights of a step, for a vector of output channels. */
static void sum_step(tile *t, const tap *k, register_ref sum, affine vector, register_ref zeros, register_ref w) {
    affine at = affine_add_scaled(tap_weights(t, k), vector, (int64_t)t->lanes * t->dot->factors);
    build_load(t->b, w, access_at(t->weights, at, 1), NULL);
    build_dot(t->b, sum, zeros, w, NULL);
}

static void sum_taps(tile *t, register_ref sum, affine vector) {
    nest_builder *b = t->b;
    const register_ref zeros = reg(t->xs, affine_constant(0)), w = reg(t->ws, affine_constant(0));
    tap k = {0};
    k.k[AXIS_D] = build_loop(b, "kd", t->p.axis[AXIS_D].taps);
    k.k[AXIS_H] = build_loop(b, "kh", tile_kernel_rows(t));
    affine outer = t->plan->unroll_kw ? affine_constant(0) : build_loop(b, "kw", t->p.axis[AXIS_W].taps);
    k.ic = build_loop(b, "ic", t->family->dots == DOTS_GROUPS ? 1 : tile_steps(t));
    k.k[AXIS_W] = t->plan->unroll_kw ? build_loop(b, "kw", t->p.axis[AXIS_W].taps) : outer;
    sum_step(t, &k, sum, vector, zeros, w);
    for (int i = 0; i < AXES + 1; i++) build_end(b);
}

void dot_build_corrections(tile *t) {
    nest_builder *b = t->b;
    if (t->corrections < 0) return;
    const channel_blocks before = t->oc;
    const register_ref sum = reg(t->first, affine_constant(0)), zero = reg(t->first, affine_constant(1));
    memcpy(t->task, t->loop, sizeof t->task);
    t->oc.group = open_places(t, LOOP_G, "g");
    t->oc.block = open_places(t, LOOP_OC, "oc");
    affine vector = build_loop(b, "v", vectors_of(t));
    build_const(b, reg(t->xs, affine_constant(0)), dot_zero(&t->whole, t->dot));
    build_const(b, sum, 0);
    build_const(b, zero, 0);
    sum_taps(t, sum, vector);
    build_op(b, OP_SUB, sum, zero, sum);
    build_store(b, correction_at(t, t->oc.group, t->oc.block, vector), sum, NULL);
    build_end(b);
    if (places(t, LOOP_OC) > 1) build_end(b);
    if (places(t, LOOP_G) > 1) build_end(b);
    t->oc = before;
}

/* ---- packed weights ---- */

static affine open_vectors(tile *t) { return build_unrolled(t->b, "j", t->plan->tile_oc / t->lanes); }

/* Of input channel `ic` of the group, the output channels of a vector: those that exist, and zeros. */
static void load_channel(tile *t, const tap *k, affine ic, affine vector, int from, register_ref w) {
    nest_builder *b = t->b;
    const view *dense = &t->p.w;
    nest_range valid = channel_blocks_lanes(&t->oc, b, vector);
    affine vectors = affine_offset(affine_scale(vector, -1), ceil_div(t->oc.valid, t->lanes) - 1),
           channels = affine_offset(affine_scale(ic, -1), t->p.in_channels - 1);
    build_const(b, w, 0);
    if (nest_maximum(b->nest, b->scope, channels) < 0) return;
    const lane_map m = {.n = ic,
                        .channel = channel_blocks_channel(&t->oc, dense, vector),
                        .at = {{k->k[AXIS_D], k->k[AXIS_H], k->k[AXIS_W]}},
                        .channel_step = channel_blocks_step(&t->oc, dense),
                        .valid = &valid};
    build_if(b, vectors, NULL);
    build_if(b, channels, NULL);
    view_load(b, &(tensor_view){.tensor = from, .v = *dense}, &m, w, reg(w.array, affine_constant(1)));
    build_end(b);
    build_end(b);
}

/* Lanes of two registers in turn, `each` of one and then of the other; of as many lanes, the first half of that or the
 * second. */
static void interleave(nest_builder *b, register_ref to, register_ref x, register_ref y, int each, int from) {
    const int lanes = b->nest->registers[x.array].lanes, count = b->nest->registers[to.array].lanes;
    int pattern[NEST_MOST_LANES];
    for (int l = 0; l < count; l++) {
        const int pair = (from + l) / (2 * each), within = (from + l) % (2 * each);
        pattern[l] = pair * each + within % each + (within < each ? 0 : lanes);
    }
    build_shuffle(b, to, x, y, pattern);
}

void dot_interleave(tile *t, register_ref to, register_ref x, register_ref y, int each, bool upper) {
    interleave(t->b, to, x, y, each, upper ? t->b->nest->registers[to.array].lanes : 0);
}

/* Registers of one channel each, become pairs, become fours, in arrays one after another; gives the last array. */
static int bring_wider(nest_builder *b, int array, int factors) {
    for (int each = 1; each < factors; each *= 2, array++)
        for (int i = 0; i < factors / each; i += 2)
            interleave(b, reg(array + 1, affine_constant(i / 2)), reg(array, affine_constant(i)),
                       reg(array, affine_constant(i + 1)), each, 0);
    return array;
}

static int add_wider(nest_builder *b, const target_dot *d, int lanes) {
    const int first = nest_add_register(b, "single", d->w, lanes, d->factors);
    for (int each = 2; each <= d->factors; each *= 2)
        nest_add_register(b, "together", d->w, each * lanes, d->factors / each);
    return first;
}

/* The same of vectors of columns, in registers of as many lanes throughout: those of a round hold sets of `each`
 * channels, a set's columns in `each` parts one after another. */
int dot_add_brought(tile *t, int lanes) {
    const int first = nest_add_register(t->b, "single", t->dot->x, lanes, t->dot->factors);
    for (int each = 2; each <= t->dot->factors; each *= 2)
        nest_add_register(t->b, "together", t->dot->x, lanes, t->dot->factors);
    return first;
}

enum { QUARTER_BYTES = 16 };

/* Lanes within which shuffles are fastest: of x86's registers a quarter. */
static int lanes_of_part(const tile *t, int lanes) {
    return t->target->vscale ? lanes : (int)lesser(lanes, QUARTER_BYTES / type_bytes(t->dot->x));
}

/* So that interleaving within parts leaves columns in their order: those of register i of the last round lie where that
 * takes them from, in all parts. */
static void spread_parts(tile *t, register_ref x, int part) {
    const int n = t->dot->factors, lanes = t->b->nest->registers[x.array].lanes, each = part / n;
    int pattern[NEST_MOST_LANES];
    for (int l = 0; l < lanes; l++) pattern[l] = l % part / each * (lanes / n) + l / part * each + l % each;
    if (part < lanes) build_shuffle(t->b, x, x, x, pattern);
}

/* Within parts, of their lower or upper halves. */
static void interleave_parts(nest_builder *b, register_ref to, register_ref x, register_ref y, int each, int part,
                             bool upper) {
    const int lanes = b->nest->registers[to.array].lanes;
    int pattern[NEST_MOST_LANES];
    for (int l = 0; l < lanes; l++) {
        const int in_part = l % part, pair = in_part / (2 * each), within = in_part % (2 * each);
        const int from = l - in_part + upper * part / 2 + pair * each + within % each;
        pattern[l] = from + (within < each ? 0 : lanes);
    }
    build_shuffle(b, to, x, y, pattern);
}

int dot_bring(tile *t, int array) {
    const int n = t->dot->factors, part = lanes_of_part(t, t->b->nest->registers[array].lanes);
    for (int i = 0; i < n; i++) spread_parts(t, reg(array, affine_constant(i)), part);
    for (int each = 1; each < n; each *= 2, array++)
        for (int i = 0; i < n; i++) {
            const int set = i / (2 * each) * 2 * each, from = set + i % (2 * each) / 2;
            interleave_parts(t->b, reg(array + 1, affine_constant(i)), reg(array, affine_constant(from)),
                             reg(array, affine_constant(from + each)), each, part, i % 2);
        }
    return array;
}

/* Of numbers of a step one after another, each a vector in the first array of `single`. */
static void store_step(tile *t, const tap *k, affine j, int single, int to) {
    const int n = t->dot->factors;
    affine at = affine_add_scaled(tap_weights(t, k), j, (int64_t)n * t->lanes);
    build_store(t->b, access_at(to, at, 1), reg(bring_wider(t->b, single, n), affine_constant(0)), NULL);
}

void dot_pack(tile *t, const tap *k, int from, int to, int w) {
    nest_builder *b = t->b;
    const int n = t->dot->factors, single = add_wider(b, t->dot, t->lanes);
    const register_ref wide = reg(w, affine_constant(0));
    affine j = open_vectors(t);
    for (int i = 0; i < n; i++) {
        load_channel(t, k, affine_offset(affine_scale(k->ic, n), i), j, from, wide);
        build_convert(b, reg(single, affine_constant(i)), wide);
    }
    store_step(t, k, j, single, to);
    build_end(b);
}

static void pack_row(tile *t, const tap *k, int64_t number, int single, int from, int to, int w) {
    nest_builder *b = t->b;
    const register_ref wide = reg(w, affine_constant(0));
    affine j = open_vectors(t);
    for (int i = 0; i < t->dot->factors; i++) {
        const int64_t kh = row_dot_tap(t, number, i);
        tap one = *k;
        one.k[AXIS_H] = affine_constant(kh);
        if (kh < 0)
            build_const(b, wide, 0);
        else
            load_channel(t, &one, affine_constant(0), j, from, wide);
        build_convert(b, reg(single, affine_constant(i)), wide);
    }
    store_step(t, k, j, single, to);
    build_end(b);
}

void dot_pack_rows(tile *t, const tap *k, int from, int to, int w) {
    const int single = add_wider(t->b, t->dot, t->lanes);
    for (int64_t number = 0; number < tile_weight_rows(t); number++) {
        build_if(t->b, affine_offset(k->k[AXIS_H], -number), NULL);
        build_if(t->b, affine_offset(affine_scale(k->k[AXIS_H], -1), number), NULL);
        pack_row(t, k, number, single, from, to, w);
        build_end(t->b);
        build_end(t->b);
    }
}
