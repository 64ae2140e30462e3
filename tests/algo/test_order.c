/* Does a pool read its input as it lies? Caches bring early what follows on what was read. */
#include "../nest/walk.h"
#include "layer.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

typedef struct reading {
    int64_t before;
    int jumps, loads; /* jumps: backwards */
} reading;

static void follow(void *context, const nest_op *op, int64_t offset, int64_t low, int64_t high) {
    reading *r = context;
    (void)low;
    (void)high;
    if (op->kind != OP_LOAD) return;
    r->jumps += r->loads && offset < r->before;
    r->before = offset;
    r->loads++;
}

static bool is_wide(const cvk_plan *p) {
    return p->lanes == LANES_CHANNELS && !p->pack_rows && p->unroll_kw && p->tile_ow >= 3 && p->tile_oc == 32;
}

/* The reading of the first plan whose tiles have all channels of several columns. */
static reading read_pool(const char *keys) {
    char yaml[512];
    arena memory;
    cvk_network *network;
    ranked_layer *plans, figures;
    int count;
    const char *why;
    reading r = {.jumps = 0};
    snprintf(yaml, sizeof yaml, "version: 1\nlayers:\n  - {name: a, layout: channels_last, %s}\n", keys);
    arena_init(&memory);
    cr_assert_eq(cvk_network_parse(yaml, strlen(yaml), "test.yaml", NULL, &network), CVK_OK, "%s", yaml);
    const cvk_spec *spec = cvk_network_layer(network, 0);
    const goal aim = {.target = target_find("x86-64-v4"), .threads = 1};
    layer_rank(&memory, spec, aim, 0, &plans, &count, &why);
    int wide = 0;
    while (wide < count && !is_wide(plans[wide].plan.part)) wide++;
    cr_assert_lt(wide, count, "no plan of wide tiles");
    const layer_nests nests = layer_build(&memory, spec, aim, &plans[wide].plan, &figures);
    walk(nests.run.phase[0].nest[0], follow, &r);
    cvk_network_free(network);
    arena_free(&memory);
    return r;
}

/* A window wider than its stride reads a few pixels again; of windows side by side nothing is left behind. */
Test(order, a_pool_reads_a_row_from_its_beginning_to_its_end) {
    static const char *const kinds[] = {"max_pool", "average_pool"};
    for (int i = 0; i < 2; i++) {
        char keys[256];
        snprintf(keys, sizeof keys, "kind: %s, input: [1, 32, 1, 48], kernel_size: [1, 2], stride: [1, 2]", kinds[i]);
        const reading r = read_pool(keys);
        cr_expect_geq(r.loads, 48 * 32 / 16);
        cr_expect_eq(r.jumps, 0, "%s: %d of %d loads go back", kinds[i], r.jumps, r.loads);
    }
}

/* ---- images of one channel ---- */

#define IMAGE "input: [1, 1, 64, 256], out_channels: 1, kernel_size: 3, padding: 1"
#define SOBEL ", weights: {values: [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]}"

static double predicted(const char *keys) {
    char yaml[512];
    arena memory;
    cvk_network *network;
    ranked_layer *plans;
    int count;
    const char *why;
    snprintf(yaml, sizeof yaml, "version: 1\nlayers:\n  - {name: a, %s}\n", keys);
    arena_init(&memory);
    cr_assert_eq(cvk_network_parse(yaml, strlen(yaml), "test.yaml", NULL, &network), CVK_OK, "%s", yaml);
    const goal aim = {.target = target_find("x86-64-v4"), .threads = 1};
    layer_rank(&memory, cvk_network_layer(network, 0), aim, 1, &plans, &count, &why);
    cr_assert_gt(count, 0, "%s", why);
    const double cycles = plans->cycles;
    cvk_network_free(network);
    arena_free(&memory);
    return cycles;
}

Test(order, an_image_of_one_channel_costs_the_same_in_every_layout_that_has_it_so) {
    cr_expect_float_eq(predicted(IMAGE ", layout: channels_last"), predicted(IMAGE ", layout: channels_first"), 1);
    cr_expect_float_eq(predicted(IMAGE SOBEL ", layout: channels_last"),
                       predicted(IMAGE SOBEL ", layout: channels_first"), 1);
}

typedef struct vectors {
    int loads, astray, stores; /* astray: of two lines each */
} vectors;

static void note_vector(void *context, const nest_op *op, int64_t offset, int64_t low, int64_t high) {
    vectors *v = context;
    (void)low;
    (void)high;
    v->loads += op->kind == OP_LOAD;
    v->astray += op->kind == OP_LOAD && offset % 16 != 0;
    v->stores += op->kind == OP_STORE;
}

/* Tiles of one row and vector, which follow on one another: three rows are loaded for each, and what the taps beside
 * the middle read is put together, but at the ends of the row. */
Test(order, a_filter_of_known_weights_loads_lines_as_they_lie) {
    static const char yaml[] =
        "version: 1\nlayers:\n  - {name: a, " IMAGE SOBEL ", schedule: {algorithm: constants, lanes: columns, tile: "
        "{oc: 1, od: 1, oh: 1, ow: 16}, block: {oh: 1, ow: 1}, unroll: {ic: 1, kw: true}, order: [n, g, oc, od, oh, "
        "ow], tasks: 5, pack: {input_rows: 0}}}\n";
    enum { ROWS = 64, VECTORS = 256 / 16, ENDS = 2, TAPS = 2, ROWS_SEEN = 3 };
    arena memory;
    cvk_network *network;
    ranked_layer figures;
    vectors v = {0};
    arena_init(&memory);
    cr_assert_eq(cvk_network_parse(yaml, strlen(yaml), "test.yaml", NULL, &network), CVK_OK);
    const cvk_spec *spec = cvk_network_layer(network, 0);
    const layer_nests nests =
        layer_build(&memory, spec, (goal){.target = target_find("x86-64-v4"), .threads = 1}, spec->schedule, &figures);
    walk(nests.run.phase[0].nest[0], note_vector, &v);
    cr_expect_eq(v.stores, ROWS * VECTORS);
    cr_expect_leq(v.astray, ROWS * ROWS_SEEN * ENDS * TAPS);
    cr_expect_leq(v.loads, v.astray + ROWS * ROWS_SEEN * VECTORS);
    cvk_network_free(network);
    arena_free(&memory);
}
