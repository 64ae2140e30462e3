/* Sums between blocks of input channels: they wait in scratch, a place for each tile that comes before the next block,
 * in whole registers as they stand. */
#include "algo/direct/tile.h"

#include <string.h>

static int ic_level(const tile *t) { return plan_level_of(&t->plan->order, LOOP_IC, true); }

/* Tiles of a loop that have a place. */
static int64_t places(const tile *t, plan_loop loop) {
    return tiles_within(t->plan, ic_level(t), loop, t->loop[loop].tiles, t->loop[loop].unit);
}

int64_t partial_places(const tile *t) {
    int64_t n = ic_level(t) < 0 ? 0 : 1;
    for (plan_loop loop = LOOP_N; loop <= LOOP_OW; loop++) n *= places(t, loop);
    return n;
}

static int64_t registers_of(const tile *t) { return t->b->nest->registers[t->acc].count; }

int64_t partial_elements(const tile *t) { return partial_places(t) * registers_of(t) * t->lanes; }

void partial_begin(tile *t) { memcpy(t->kept, t->loop, sizeof t->kept); }

/* The place of a sum of the tile where the walk stands. */
static nest_access place_of(const tile *t, register_ref sum) {
    affine at = affine_constant(0);
    for (plan_loop loop = LOOP_N; loop <= LOOP_OW; loop++) {
        bool inside = plan_level_of(&t->plan->order, loop, false) > ic_level(t);
        affine number = inside ? affine_sub(t->loop[loop].number, t->kept[loop].first) : affine_constant(0);
        at = affine_add_scaled(number, at, places(t, loop));
    }
    at = affine_add_scaled(sum.index, at, registers_of(t));
    return access_at(t->partial, affine_scale(at, t->lanes), 1);
}

void partial_load(tile *t) {
    register_ref sum;
    int opened = t->family->sums(t, &sum);
    build_load(t->b, sum, place_of(t, sum), NULL);
    while (opened--) build_end(t->b);
}

void partial_store(tile *t) {
    register_ref sum;
    int opened = t->family->sums(t, &sum);
    build_store(t->b, place_of(t, sum), sum, NULL);
    while (opened--) build_end(t->b);
}
