/* Layers and plans that were once wrong, each by the name of what was wrong with it. */
#include "judge/rounding.h"
#include "problem/backward_weights.h"
#include "trial.h"

#include "spec/words.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

typedef struct found {
    const char *what, *layer;
} found;

#define SCHEDULE(tile, order, tasks, rows)                                                                             \
    "schedule: {algorithm: direct, lanes: out_channels, tile: {" tile "}, block: {oh: 1, ow: 1}, unroll: {ic: 1, kw: " \
    "false}, order: [" order "], tasks: " tasks ", pack: {input_rows: " rows "}}"

static const found all[] = {
    {"corrections of bytes that the last task has fewer of failed the proof of bounds",
     "{name: a, input: [2, 1, 3, 2], out_channels: 69, kernel_size: 3, dilation: [2, 3], padding: [2, 3], layout: {input: "
     "channels_first, output: blocked}, dtype: {input: u8, weights: s8, output: u8}, quantization: {input_zero_point: 93}, " SCHEDULE(
         "oc: 16, od: 1, oh: 3, ow: 2", "n, g, od, {oc: 64}, oc, oh, ow", "4", "0") "}"},
    {"what layers of a chain keep for themselves, of several types, was laid over one another",
     "{name: a, input: [3, 16, 4, 13], out_channels: 16, kernel_size: [2, 6], stride: [4, 1], padding: [[1, 0], [2, 3]], "
     "groups: depthwise, then: [{out_channels: 27, kernel_size: 1, dilation: [2, 1], padding: [1, 0], bias: true}], "
     "layout: blocked, dtype: bf16, accuracy: fast}"},
    {"pairs of halves were loaded one by one, and added, where a block has channels of several groups",
     "{name: a, input: [3, 16, 4, 13], out_channels: 16, kernel_size: [2, 6], stride: [4, 1], padding: [[1, 0], [2, 3]], "
     "groups: depthwise, layout: blocked, dtype: bf16}"},
    {"a border case that holds nowhere, at a constant position, failed the proof of bounds",
     "{name: a, input: [1, 20, 1, 3, 22], out_channels: 8, kernel_size: [1, 1, 2], stride: [3, 1, 5], "
     "dilation: [3, 1, 1], padding: [1, 1, 2], padding_mode: symmetric, "
     "layout: {input: channels_first, output: channels_last}}"},
    {"a separable filter read zeros where its border is another number",
     "{name: a, input: [1, 1, 20, 21], out_channels: 1, kernel_size: 3, padding: 1, padding_mode: {constant: 2}, "
     "weights: {values: [[1, 2, 1], [2, 4, 2], [1, 2, 1]], scale: 0.0625}}"},
    {"bytes whose border is folded back came out without what stands for 0",
     "{name: a, input: [1, 3, 20], out_channels: 12, kernel_size: 5, padding: 4, padding_mode: symmetric, dtype: s8, "
     "quantization: {output_zero_point: -102}, transposed: true, layout: channels_last, post_ops: [add]}"},
    {"parts of the workspace in which no image has anything were taken for one another",
     "{name: a, kind: group_norm, input: [0, 4, 9], layout: blocked}"},
    {"tasks of a batch of no images were divided by",
     "{name: a, input: [0, 26, 3, 9], out_channels: 6, kernel_size: 3, layout: channels_last}"},
    {"the last block of input channels of a blocked input failed the proof of bounds",
     "{name: a, input: [1, 34, 54], out_channels: 32, kernel_size: 5, padding: 2, layout: {input: blocked, output: "
     "channels_last}, " SCHEDULE("oc: 16, od: 1, oh: 1, ow: 3", "n, g, oc, od, oh, {ic: 32}, ow", "5", "0") "}"},
    {"blocks of the input's blocks of channels were not asked for",
     "{name: a, input: [1, 40, 20], out_channels: 32, kernel_size: 3, layout: {input: blocked, output: channels_last}, " SCHEDULE(
         "oc: 16, od: 1, oh: 1, ow: 3", "n, g, oc, od, oh, ow, {ic: 16}", "6", "0") "}"},
    {"the only slice of a task was packed before it was known",
     "{name: a, input: [1, 3, 8, 7, 3], out_channels: 2, kernel_size: [3, 3, 5], padding: [1, 1, 2], padding_mode: "
     "reflect, layout: {input: channels_last, output: channels_first}, " SCHEDULE(
         "oc: 16, od: 1, oh: 4, ow: 2", "{oh: 4}, n, g, {od: 1}, oh, od, oc, ow", "5", "4") "}"},
    {"packed columns between the taps of a single one were taken for border",
     "{name: a, input: [2, 8, 19], out_channels: 8, kernel_size: 3, dilation: 3, padding: [[6, 0]], padding_mode: reflect, "
     "groups: depthwise, " SCHEDULE("oc: 16, od: 1, oh: 1, ow: 1", "n, {ow: 1}, od, {oh: 1}, g, oc, oh, ow", "5",
                                    "1") "}"},
    {"the proof of bounds did not see that the last channels are those of the task that packed them",
     "{name: a, input: [3, 40, 4, 16], out_channels: 40, kernel_size: 3, groups: depthwise, layout: channels_last, "
     "padding: 1, padding_mode: replicate, schedule: {algorithm: depthwise, lanes: channels, tile: {oc: 16, od: 1, oh: 1, "
     "ow: 8}, block: {oh: 1, ow: 1}, unroll: {ic: 1, kw: true}, order: [{n: 2}, n, g, od, {oc: 32}, ow, oh, oc], tasks: "
     "7, pack: {input_rows: 1}}}"},
    {"a task of nothing but fill packed channels that do not exist",
     "{name: a, input: [1, 18, 24], out_channels: 18, kernel_size: 3, stride: 4, groups: depthwise, dtype: f64, layout: "
     "{input: channels_first, output: blocked}, schedule: {algorithm: depthwise, lanes: channels, tile: {oc: 8, od: 1, "
     "oh: 1, ow: 2}, block: {oh: 1, ow: 1}, unroll: {ic: 1, kw: true}, order: [n, g, oc, od, oh, ow], tasks: 5, pack: "
     "{input_rows: 1, transposed: true}}}"},
    {"lanes of a flipped kernel's gradients were stored in a range that goes backwards",
     "{name: a, input: [2, 3, 8, 7, 5], out_channels: 3, kernel_size: [3, 3, 2], layout: channels_last, flip_kernel: "
     "true, direction: backward_weights}"},
    {"weights of vectors that whole repetitions do not fill were packed as if they did, and the proof of bounds lost count",
     "{name: a, input: [2, 21, 9, 13], out_channels: 63, groups: 21, kernel_size: 3, padding: 1, layout: channels_last, "
     "bias: true, post_ops: [relu, add]}"},
    {"the last lanes of a vector of repeated channels were left out where repetitions do not fill it",
     "{name: a, input: [1, 9, 6, 7], out_channels: 3, kernel_size: [1, 4], stride: 2, dilation: 3, padding: [[2, 0], [3, "
     "1]], padding_mode: reflect, groups: 3, layout: channels_last, dtype: f64, transposed: true, direction: "
     "backward_weights}"},
    {"bounds of Winograd and of transforms were taken of dense arrays as if they were as wide as the kernel's tensors",
     "{name: a, input: [2, 15, 12, 20], out_channels: 24, kernel_size: 3, padding: 1, pitch: {input: 48, output: 42}, "
     "layout: channels_last}"},
};

static void try_every_plan(const found *f, const cvk_spec *spec, arena *a) {
    ranked_layer *plans;
    int count;
    trial t;
    cr_assert(trial_open(&t, spec, DATA_REALS, false, 1), "%s", f->what);
    cr_assert_eq(compile_rank(a, spec, (goal){.target = target_host()}, 0, NULL, &plans, &count), CVK_OK, "%s",
                 f->what);
    for (int i = 0; i < count; i++)
        cr_expect(trial_kernel(&t, target_host(), &plans[i].plan,
                               (trial_extras){true, true, spec->direction == DIRECTION_FORWARD, false}),
                  "%s: %s\n%s", f->what, t.words, trial_yaml(a, spec, &plans[i].plan));
    trial_close(&t);
}

Test(numeric, what_was_once_wrong) {
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        cvk_network *network;
        arena a;
        arena_init(&a);
        if (arena_guard(&a)) cr_assert_fail("out of memory");
        const char *yaml = arena_format(&a, "{version: 1, layers: [%s]}", all[i].layer);
        cr_assert_eq(cvk_network_parse(yaml, strlen(yaml), "found.yaml", NULL, &network), CVK_OK, "%s", yaml);
        try_every_plan(&all[i], cvk_network_layer(network, 0), &a);
        cvk_network_free(network);
        arena_free(&a);
    }
}

/* A kernel of 5 x 5 x 3: the smallest tiles of winograd have too many points, and it said that it applies. */
Test(numeric, an_algorithm_that_applies_has_a_plan) {
    static const char yaml[] = "{version: 1, layers: [{name: a, input: [1, 1, 5, 2, 27], out_channels: 1, "
                               "kernel_size: [5, 5, 3], padding: [5, 5, 3]}]}";
    cvk_network *network;
    arena a;
    arena_init(&a);
    if (arena_guard(&a)) cr_assert_fail("out of memory");
    cr_assert_eq(cvk_network_parse(yaml, sizeof yaml - 1, "found.yaml", NULL, &network), CVK_OK);
    const problem p = problem_of(cvk_network_layer(network, 0), 0);
    for (int i = 0; algo_row(i); i++) {
        const algorithm *row = algo_row(i);
        const char *why;
        plan_list list = {0};
        if (!row->applicable(&p, target_host(), &why)) continue;
        row->propose(row, &p, (goal){.target = target_host()}, &a, &list);
        cr_expect_gt(list.count, 0, "row %d, %s", i, row->name);
    }
    cvk_network_free(network);
    arena_free(&a);
}

Test(numeric, the_words_for_algorithms_are_auto_and_the_names_of_all_of_them) {
    bool named[16] = {true}; /* auto */
    for (int i = 0; algo_row(i); i++) {
        int word = word_find(&algorithm_words, algo_row(i)->name);
        cr_expect_geq(word, 1, "%s is not in plan/algorithm_names.def", algo_row(i)->name);
        if (word >= 0) named[word] = true;
    }
    for (size_t word = 0; word < algorithm_words.count; word++)
        cr_expect(named[word], "%s is no algorithm", algorithm_words.word[word]);
}

static void try_parts(const char *layer, data_kind kind, arena *a) {
    cvk_network *network;
    ranked_layer *plans;
    int count;
    trial t;
    const char *yaml = arena_format(a, "{version: 1, layers: [{name: parts, direction: backward_weights, %s}]}", layer);
    cr_assert_eq(cvk_network_parse(yaml, strlen(yaml), "parts.yaml", NULL, &network), CVK_OK, "%s", yaml);
    const cvk_spec *spec = cvk_network_layer(network, 0);
    cr_assert_gt(backward_weights_parts(spec), 1, "%s", yaml);
    cr_assert(trial_open(&t, spec, kind, false, 1), "%s", yaml);
    cr_assert_eq(compile_rank(a, spec, (goal){.target = target_host()}, 1, NULL, &plans, &count), CVK_OK);
    cr_expect(trial_kernel(&t, target_host(), &plans[0].plan, (trial_extras){true, true, false, false}), "%s: %s", yaml,
              t.words);
    trial_close(&t);
    cvk_network_free(network);
}

/* Images so large that they are gone through in parts, whose sums are added up at the end: of images, of rows, and of
 * both; the last row of a part reads what the first of the next one does. */
Test(numeric, gradients_of_weights_in_parts) {
    static const char *const layers[] = {
        "input: [3, 16, 60, 60], out_channels: 32, kernel_size: 1, layout: channels_last, bias: true",
        "input: [1, 4, 200, 170], out_channels: 21, kernel_size: 3, padding: 1, padding_mode: reflect, stride: 3",
        "input: [2, 40, 50, 70], out_channels: 40, kernel_size: 3, groups: depthwise, layout: blocked",
        "input: [1, 20, 20, 12, 60], out_channels: 12, kernel_size: [1, 2, 1], stride: 2, bias: true",
        "input: [3, 20, 4000], out_channels: 16, kernel_size: 2, dtype: f64, stride: 2, transposed: true"};
    arena a;
    arena_init(&a);
    if (arena_guard(&a)) cr_assert_fail("out of memory");
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
        try_parts(layers[i], i % 2 ? DATA_REALS : DATA_INTEGERS, &a);
    arena_free(&a);
}

/* A transpose without stride is a convolution, and so are gradients of its data: winograd needs no word of it. */
Test(numeric, winograd_serves_transposes_and_gradients_of_the_data) {
    static const char yaml[] =
        "{version: 1, defaults: {algorithm: winograd}, layers: ["
        "{name: a, input: [1, 20, 11, 9], out_channels: 18, kernel_size: 3, padding: 1, "
        "transposed: true, bias: true, post_ops: [relu]}, "
        "{name: b, input: [2, 20, 11, 9], out_channels: 18, kernel_size: [5, 3], padding: [1, 2], "
        "layout: channels_last, direction: backward_data}, "
        "{name: c, input: [1, 20, 11, 9], out_channels: 18, kernel_size: [3, 6], stride: [1, 2], "
        "transposed: true, layout: blocked}]}";
    cvk_network *network;
    arena a;
    arena_init(&a);
    if (arena_guard(&a)) cr_assert_fail("out of memory");
    cr_assert_eq(cvk_network_parse(yaml, sizeof yaml - 1, "winograd.yaml", NULL, &network), CVK_OK);
    const found way = {"winograd on a transpose", NULL};
    for (size_t i = 0; i < cvk_network_count(network); i++) {
        ranked_layer *plans;
        int count;
        const cvk_spec *spec = cvk_network_layer(network, i);
        cr_assert_eq(compile_rank(&a, spec, (goal){.target = target_host()}, 1, NULL, &plans, &count), CVK_OK);
        for (int k = 0; k < plans[0].plan.count; k++)
            cr_expect_str_eq(plans[0].plan.part[k].algorithm, "winograd", "layer %d", (int)i);
        try_every_plan(&way, spec, &a);
    }
    cvk_network_free(network);
    arena_free(&a);
}

/* Plans of the layer whose border is zeros, for the one whose border is folded back. */
static void expect_direct(arena *a, const cvk_spec *folded, const cvk_spec *plain) {
    ranked_layer *plans;
    layer_data data;
    int count, transforms = 0;
    cr_assert_eq(compile_rank(a, plain, (goal){.target = target_host()}, 0, NULL, &plans, &count), CVK_OK);
    cr_assert(data_draw(folded, DATA_REALS, 1, &data));
    for (int i = 0; i < count; i++) {
        double *rounding;
        transforms += strcmp(plans[i].plan.part[0].algorithm, "fft") == 0;
        cr_assert(rounding_of_plan(folded, &plans[i].plan, &data.tensors, NULL, &rounding));
        cr_expect_null(rounding);
        free(rounding);
    }
    cr_expect_gt(transforms, 0);
    data_free(&data);
}

/* Bounds of transforms were written beyond the outputs for a plan that only the layer without the border has. */
Test(numeric, what_is_folded_back_is_bounded_as_direct_sums_by_any_plan) {
    static const char yaml[] =
        "{version: 1, defaults: {out_channels: 3, kernel_size: 7, padding: 3, transposed: true}, layers: [{name: a, "
        "input: [1, 2, 20, 30], padding_mode: reflect}, {name: b, input: [1, 2, 20, 30]}]}";
    cvk_network *network;
    arena a;
    arena_init(&a);
    if (arena_guard(&a)) cr_assert_fail("out of memory");
    cr_assert_eq(cvk_network_parse(yaml, sizeof yaml - 1, "folded.yaml", NULL, &network), CVK_OK);
    expect_direct(&a, cvk_network_layer(network, 0), cvk_network_layer(network, 1));
    cvk_network_free(network);
    arena_free(&a);
}

/* The best plans of the second layer alone are transforms, which fit no layer behind a chain's first. */
Test(numeric, a_chain_has_a_plan_where_the_best_of_a_layer_are_transforms) {
    static const char yaml[] =
        "{version: 1, layers: [{name: a, input: [1, 24, 2, 27], out_channels: 28, kernel_size: 3, padding: [[2, 2], [7, "
        "4]], padding_mode: circular, groups: 4, then: [{out_channels: 26, kernel_size: [1, 3], padding: [[0, 0], [0, "
        "1]]}], layout: {input: blocked, output: channels_first}}]}";
    cvk_network *network;
    ranked_layer *plans;
    int count;
    arena a;
    arena_init(&a);
    if (arena_guard(&a)) cr_assert_fail("out of memory");
    cr_assert_eq(cvk_network_parse(yaml, sizeof yaml - 1, "chain.yaml", NULL, &network), CVK_OK);
    const goal aim = {.target = target_find("x86-64")};
    cr_assert_eq(compile_rank(&a, cvk_network_layer(network, 0), aim, 1, NULL, &plans, &count), CVK_OK);
    cr_expect_eq(count, 1);
    cvk_network_free(network);
    arena_free(&a);
}
