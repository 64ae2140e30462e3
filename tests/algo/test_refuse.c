/* What a schedule cannot mean is refused, and the reason says what to do instead. */
#include "layer.h"
#include "spec/spec.h"

#include <convoke/convoke.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define DENSE "input: [2, 32, 6, 12, 40], out_channels: 64, kernel_size: 3, padding: 1"
#define BORDER "input: [1, 8, 12, 40], out_channels: 16, kernel_size: 3, padding: 1, padding_mode: reflect"
#define POINT "input: [1, 32, 12, 40], out_channels: 64, kernel_size: 1"
#define BLOCKED "input: [1, 48, 12, 40], out_channels: 64, kernel_size: 3, layout: blocked"

static const struct refusal {
    const char *layer, *lanes, *tile, *unroll, *order;
    int tasks, rows;
    const char *why;  /* NULL: it is taken */
    const char *also; /* that is on besides */
} refusals[] = {
    {DENSE, "out_channels", "16, 1, 1, 10", "1, false", "n, g, oc, od, oh, ow", 5, 0, NULL, NULL},
    {DENSE, "out_channels", "16, 2, 1, 4", "2, true", "ow, oh, od, oc, g, n", 6, 0, NULL, NULL},
    {DENSE, "out_channels", "16, 1, 1, 10", "1, false",
     "{n: 1}, {g: 1}, {oc: 32}, {od: 2}, {oh: 3}, {ow: 20}, n, g, oc, od, {ic: 8}, oh, ow", 10, 0, NULL, NULL},
    {DENSE, "columns", "4, 2, 1, 8", "1, false", "n, g, {ow: 16}, oc, od, {ic: 5}, oh, ow", 4, 0, NULL, NULL},
    {DENSE, "out_channels", "16, 1, 1, 10", "1, false", "n, g, od, {oh: 4}, oc, oh, ow", 4, 4, NULL, NULL},
    {DENSE, "out_channels", "16, 1, 1, 10", "1, false", "n, g, oc, od, oh, ow", 5, 1, NULL, NULL},
    {DENSE, "out_channels", "16, 1, 1, 10", "1, false", "n, g, oc, od, oh, ow", 3, 12, NULL, NULL},
    {BORDER, "out_channels", "16, 1, 1, 10", "1, false", "n, g, od, {oh: 4}, oc, oh, ow", 4, 4, NULL, NULL},

    {DENSE, "out_channels", "12, 1, 1, 10", "1, false", "n, g, oc, od, oh, ow", 5, 0,
     "tile.oc is not a multiple of the target's lanes", NULL},
    {DENSE, "columns", "4, 1, 1, 10", "1, false", "n, g, oc, od, oh, ow", 5, 0,
     "tile.ow is not a multiple of the target's lanes", NULL},
    {DENSE, "out_channels", "16, 1, 1, 5000", "1, false", "n, g, oc, od, oh, ow", 5, 0, "a tile is too large", NULL},
    {DENSE, "out_channels", "16, 4, 12, 40", "1, false", "n, g, oc, od, oh, ow", 5, 0, "it unrolls too much code",
     NULL},
    {POINT, "columns", "64, 1, 1, 16", "1, false", "n, g, oc, od, oh, ow", 5, 0,
     "its sums are far more than there are registers", NULL},
    {DENSE, "out_channels", "16, 1, 1, 10", "1, false", "n, g, oc, od, oh, ow", 7, 0,
     "tasks is not from 1 to the loops of order", NULL},
    {DENSE, "out_channels", "16, 1, 1, 10", "1, false", "n, g, oc, od, oh, ow", 0, 0,
     "tasks is not from 1 to the loops of order", NULL},
    {DENSE, "out_channels", "16, 1, 1, 10", "1, false", "n, g, {oc: 24}, od, oh, oc, ow", 5, 0,
     "a block of oc is not a multiple of tile.oc", NULL},
    {DENSE, "out_channels", "16, 2, 1, 10", "1, false", "n, g, {od: 3}, od, oh, oc, ow", 5, 0,
     "a block of od is not a multiple of tile.od", NULL},
    {DENSE, "out_channels", "16, 1, 2, 10", "1, false", "n, g, {oh: 3}, od, oh, oc, ow", 5, 0,
     "a block of oh is not a multiple of tile.oh", NULL},
    {DENSE, "out_channels", "16, 1, 1, 10", "1, false", "n, g, {ow: 15}, od, oh, oc, ow", 5, 0,
     "a block of ow is not a multiple of tile.ow", NULL},
    {DENSE, "out_channels", "16, 1, 1, 10", "2, false", "n, g, oc, od, {ic: 5}, oh, ow", 3, 0,
     "unroll.ic does not divide the blocks of ic", NULL},
    {DENSE, "out_channels", "16, 1, 1, 10", "1, false", "n, g, {ic: 8}, oc, od, oh, ow", 3, 0,
     "blocks of ic are one after another: they are no tasks", NULL},
    {BLOCKED, "out_channels", "16, 1, 1, 10", "1, false", "n, g, od, oh, {ic: 24}, oc, ow", 4, 0,
     "a block of ic is not a multiple of the input's blocks of channels", NULL},
    {BORDER, "out_channels", "16, 1, 1, 10", "1, false", "n, g, oc, od, oh, ow", 5, 0,
     "this padding_mode needs packed input", NULL},
    {BORDER, "out_channels", "16, 1, 1, 10", "1, false", "n, od, {oh: 4}, g, oc, oh, ow", 3, 4,
     "packed input is of one image and group: n and g must be among the tasks", NULL},
    {BORDER, "out_channels", "16, 1, 1, 10", "1, false", "n, g, od, oh, ow, oc", 4, 2,
     "pack.input_rows is not the rows of a task, which are tile.oh where oh is a task, else a block of oh", NULL},
    {BORDER, "out_channels", "16, 1, 1, 10", "1, false", "n, g, od, {oh: 4}, oc, oh, ow", 4, 3,
     "pack.input_rows is not the rows of a task, which are tile.oh where oh is a task, else a block of oh", NULL},
    {DENSE, "out_channels", "16, 1, 1, 10", "1, false", "n, g, oc, od, oh, ow", 5, 0, NULL, "stream: true"},
    {POINT, "out_channels", "16, 1, 1, 10", "1, false", "n, g, oc, od, oh, ow", 5, 0, NULL, "prefetch: true"},
    {POINT, "columns", "4, 1, 1, 16", "2, false", "n, g, oc, od, oh, {ic: 16}, ow", 5, 0, NULL, "prefetch: true"},
    {DENSE, "out_channels", "16, 1, 1, 10", "1, false", "n, g, oc, od, oh, ow", 5, 0,
     "prefetch is for dense layers whose kernel is 1", "prefetch: true"},
    {POINT, "out_channels", "16, 1, 1, 10", "1, false", "n, g, oc, od, oh, ow", 5, 1,
     "prefetch is for input that is not packed", "prefetch: true"},
    {POINT ", layout: blocked", "out_channels", "16, 1, 1, 10", "1, false", "n, g, oc, od, oh, ow", 5, 0,
     "prefetch is for channels_first and channels_last", "prefetch: true"},
};

/* "16, 1, 1, 10" as members with these keys. */
static const char *named(char *to, size_t size, const char *const *keys, const char *values) {
    size_t at = 0;
    for (; *keys; keys++) {
        size_t length = strcspn(values, ",");
        at += (size_t)snprintf(to + at, size - at, "%s%s: %.*s", at ? ", " : "", *keys, (int)length, values);
        values += length;
        values += strspn(values, ", ");
    }
    return to;
}

static void write_yaml(char *to, size_t size, const struct refusal *r) {
    char tile[128], unroll[64];
    const char *const of_tile[] = {"oc", "od", "oh", "ow", NULL}, *const of_unroll[] = {"ic", "kw", NULL};
    snprintf(
        to, size,
        "version: 1\nlayers:\n  - {name: a, %s, schedule: {algorithm: direct, lanes: %s, tile: {%s}, block: {oh: 1, "
        "ow: 1}, unroll: {%s}, order: [%s], tasks: %d, pack: {input_rows: %d}%s%s}}\n",
        r->layer, r->lanes, named(tile, sizeof tile, of_tile, r->tile),
        named(unroll, sizeof unroll, of_unroll, r->unroll), r->order, r->tasks, r->rows, r->also ? ", " : "",
        r->also ? r->also : "");
}

Test(refuse, schedules_that_mean_nothing_are_refused_with_the_reason) {
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const struct refusal *r = &refusals[i];
        char yaml[1024];
        write_yaml(yaml, sizeof yaml, r);
        cvk_network *network;
        cr_assert_eq(cvk_network_parse(yaml, strlen(yaml), "test.yaml", NULL, &network), CVK_OK, "%s", yaml);
        const cvk_spec *spec = cvk_network_layer(network, 0);
        int problem_index;
        const char *why = layer_refuse(spec, target_find("x86-64-v3"), spec->schedule, &problem_index);
        cr_expect_str_eq(why ? why : "taken", r->why ? r->why : "taken", "%s", yaml);
        cvk_network_free(network);
    }
}

/* ---- switches ---- */

#define SWITCHES(layer, lanes, tile, unroll, pack)                                                                     \
    "{name: a, " layer ", schedule: {algorithm: direct, lanes: " lanes ", tile: {" tile "}, block: {oh: 1, ow: 1}, "   \
    "unroll: {ic: 1, kw: false" unroll "}, order: [n, g, oc, od, oh, ow], tasks: 5, pack: {input_rows: " pack "}}}"
#define COLUMNS_OF_ROWS "oc: 4, od: 1, oh: 2, ow: 16"
#define CHANNELS "oc: 16, od: 1, oh: 1, ow: 10"

static const struct {
    const char *layer, *why;
} switches[] = {
    {SWITCHES(DENSE, "columns", COLUMNS_OF_ROWS, ", kh: true", "0"), "taken"},
    {SWITCHES(DENSE, "columns", COLUMNS_OF_ROWS, ", kh: true", "2, border: true, transposed: true"), "taken"},
    {SWITCHES(DENSE, "columns", "oc: 4, od: 1, oh: 1, ow: 16", ", kh: true", "0"),
     "unroll.kh is for tiles of several rows"},
    {SWITCHES(DENSE, "out_channels", "oc: 16, od: 1, oh: 2, ow: 5", ", kh: true", "0"),
     "unroll.kh is for lanes over columns"},
    {SWITCHES(DENSE, "out_channels", CHANNELS, "", "0, border: true"), "pack.input_rows is 0: nothing is packed"},
    {SWITCHES(DENSE, "out_channels", CHANNELS, "", "0, transposed: true"), "pack.input_rows is 0: nothing is packed"},
    {SWITCHES(DENSE ", accuracy: strict", "out_channels", CHANNELS, "", "1, border: true"),
     "accuracy: strict: zeros of a border would meet weights, which may be infinite"},
    {SWITCHES(DENSE ", accuracy: strict", "out_channels", CHANNELS, "", "1, transposed: true"), "taken"},
    {SWITCHES(BORDER, "out_channels", CHANNELS, "", "1, border: true"),
     "the border of this padding_mode is packed anyway"},
};

Test(refuse, switches_that_mean_nothing_are_refused_with_the_reason) {
    for (size_t i = 0; i < sizeof switches / sizeof *switches; i++) {
        char yaml[1024];
        snprintf(yaml, sizeof yaml, "version: 1\nlayers:\n  - %s\n", switches[i].layer);
        cvk_network *network;
        cr_assert_eq(cvk_network_parse(yaml, strlen(yaml), "test.yaml", NULL, &network), CVK_OK, "%s", yaml);
        const cvk_spec *spec = cvk_network_layer(network, 0);
        int problem_index;
        const char *why = layer_refuse(spec, target_find("x86-64-v3"), spec->schedule, &problem_index);
        cr_expect_str_eq(why ? why : "taken", switches[i].why, "%s", yaml);
        cvk_network_free(network);
    }
}
