/* Chains to seed bugs into, and ways to misread them: for test_mutants.c alone. */
#ifndef NUMERIC_CHAIN_MUTANTS_H
#define NUMERIC_CHAIN_MUTANTS_H

#include "spec/spec.h"

#include <string.h>

/* Of bands, halos and edges: what is so small is in one band, unless it says otherwise. */
#define PLAN(algorithm, lanes)                                                                                         \
    "{algorithm: " algorithm ", lanes: " lanes ", tile: {oc: 16, od: 1, oh: 1, ow: 2}, block: {oh: 1, ow: 1}, "        \
    "unroll: {ic: 1, kw: false}, order: [n, g, oc, od, oh, ow], tasks: 5, pack: {input_rows: 0}}"
#define DENSE_PLAN PLAN("direct", "out_channels")
#define CHANNELS_PLAN PLAN("depthwise", "channels")
#define TWO_IN_BANDS ", schedule: {band: {od: 1, oh: 2, ow: 3}, plans: [" DENSE_PLAN ", " CHANNELS_PLAN "]}"
#define THREE_IN_BANDS                                                                                                 \
    ", schedule: {band: {od: 1, oh: 3, ow: 9}, plans: [" DENSE_PLAN ", " CHANNELS_PLAN ", " DENSE_PLAN "]}"
#define POOLED                                                                                                         \
    "{name: pooled, input: [2, 5, 22, 9], out_channels: 13, kernel_size: 3, padding: 1, bias: true, "                  \
    "post_ops: [relu, {max_pool: {kernel_size: 3, stride: 2, padding: 1}}]"
#define BLOCK                                                                                                          \
    "{name: block, input: [1, 5, 16, 9], out_channels: 13, kernel_size: 1, bias: true, then: "                         \
    "[{out_channels: 13, kernel_size: 3, padding: 1, groups: depthwise, bias: true}, "                                 \
    "{out_channels: 6, kernel_size: 1, post_ops: [add]}]"

/* Another layer of a chain than its first. */
static cvk_spec *second_layer(cvk_spec *s) {
    static cvk_spec links[MOST_LINKS];
    memcpy(links, s->link, sizeof *links * (size_t)s->links);
    s->link = links;
    return &links[1];
}

static void pads_of_the_second(cvk_spec *s) {
    cvk_spec *second = second_layer(s);
    second->pad_before[AXIS_H]++, second->pad_after[AXIS_H]--;
}
static void average_at_the_end(cvk_spec *s) { second_layer(s)->kind = LAYER_AVERAGE_POOL; }
static void second_flipped(cvk_spec *s) { second_layer(s)->flip_kernel = true; }

#endif
