/* Are sums of products of several input channels exact, in every nest, whatever the target? Layers of bytes, from any
 * zero points, in all layouts, with channels that fill no step, borders and groups; targets whose instructions differ
 * in what they take, most of which this machine does not run: their nests are evaluated, and judged as kernels are. */
#include "algo/space.h"
#include "random_layer.h"
#include "trial.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LAYERS = 60, MOST_PLANS = 3, WALKS = 3, MOST_MACS = 20000 };

static const char *const TARGETS[] = {"x86-64-v4-vnni", "x86-64-v3-vnni",       "x86-64-v4",     "x86-64-v3", "x86-64",
                                      "aarch64-sve256", "aarch64-neon-dotprod", "wasm32-simd128"};
enum { TARGET_COUNT = sizeof TARGETS / sizeof *TARGETS };

/* What post-ops make of sums is rounded, and rounded differently. */
static bool sums_bytes(const cvk_spec *s) {
    const bool exact = s->post_count == 0;
    return !type_is_float(s->input_type) && exact && spec_has_weights(s) && spec_macs(s) <= MOST_MACS && s->batch > 0;
}

typedef struct subject {
    arena arena;
    draws draws;
    trial trial;
    const cvk_target *target;
    int dots; /* plans with some */
} subject;

static void judge(subject *s, const layer_plan *plan, int number) {
    compile_unit unit;
    double worst = 0;
    const char *yaml = trial_yaml(&s->arena, s->trial.spec, plan);
    cr_assert_eq(compile_plan(&s->arena, s->trial.spec, (goal){.target = s->target}, plan, NULL, &unit, NULL), CVK_OK,
                 "layer %d, %s: no nests\n%s", number, s->target->name, yaml);
    cr_assert_eq(trial_nests(&s->trial, &unit, &worst), CVK_OK, "layer %d, %s: not run\n%s", number, s->target->name,
                 yaml);
    cr_assert_eq(worst, 0, "layer %d, %s: other sums\n%s", number, s->target->name, yaml);
    cr_assert(trial_stored(&s->trial, &unit.run, &unit.pack) && trial_identity(&s->trial, &unit),
              "layer %d, %s: %s\n%s", number, s->target->name, s->trial.words, yaml);
    s->dots += layer_plan_part(plan, 0)->dot > 0;
}

/* Some steps away from it, all of which is legal. */
static void walk(subject *s, const layer_plan *from, int number) {
    const problem p = problem_of(s->trial.spec, 0);
    cvk_plan at = *layer_plan_part(from, 0);
    for (int step = 0; step < WALKS && problem_count(s->trial.spec) == 1; step++) {
        plan_list next = {0};
        space_neighbours(&s->arena, &p, s->target, &at, &next);
        if (next.count == 0) return;
        at = next.plan[draw_from(&s->draws, 0, next.count - 1)];
        const layer_plan there = layer_plan_of(&at);
        judge(s, &there, number);
    }
}

static void try_target(subject *s, int number) {
    ranked_layer *plans;
    int count;
    cr_assert_eq(compile_rank(&s->arena, s->trial.spec, (goal){.target = s->target}, 0, NULL, &plans, &count), CVK_OK);
    for (int i = 0; i < count && i < MOST_PLANS; i++) {
        const ranked_layer *plan = &plans[draw_from(&s->draws, 0, count - 1)];
        judge(s, &plan->plan, number);
        if (i == 0) walk(s, &plan->plan, number);
    }
}

static int try_layer(uint64_t seed, int number) {
    subject s = {.draws = draws_for(seed, (uint64_t)number), .target = target_find(TARGETS[number % TARGET_COUNT])};
    cvk_spec spec = random_layer(&s.draws, "dots");
    while (!sums_bytes(&spec)) spec = random_layer(&s.draws, "dots");
    arena_init(&s.arena);
    cr_assert(!arena_guard(&s.arena), "out of memory");
    cr_assert(trial_open(&s.trial, &spec, DATA_INTEGERS, false, seed), "out of memory");
    try_target(&s, number);
    trial_close(&s.trial);
    arena_free(&s.arena);
    return s.dots;
}

Test(dots, nests_of_every_target_sum_bytes_exactly) {
    const uint64_t seed = (uint64_t)environment_number("CVK_SEED", 1);
    const int64_t layers = environment_number("CVK_CASES", LAYERS), one = environment_number("CVK_CASE", -1);
    int dots = 0;
    fprintf(stderr, "repeat: CVK_SEED=%lu CVK_CASES=%d tests/numeric/test_dots\n", (unsigned long)seed, (int)layers);
    for (int i = 0; i < layers; i++)
        if (one < 0 || i == one) dots += try_layer(seed, i);
    fprintf(stderr, "%d of the plans have sums of several products\n", dots);
    cr_assert(one >= 0 || dots > layers, "%d plans of %d layers alone sum several products", dots, (int)layers);
}

/* ---- layers that dots could get wrong ---- */

#define BYTES "dtype: {input: u8, weights: s8, output: s32}, "
#define SIGNED "dtype: {input: s8, weights: s8, output: s32}, "
#define FROM(zero) "quantization: {input_zero_point: " zero "}, "

/* Kernels of more and fewer rows than a dot takes, tiles that see borders on all sides, other zero points. */
static const char depthwise[] =
    "{version: 1, defaults: {layout: channels_last, bias: true, groups: depthwise}, layers: ["
    "{name: bordered, input: [2, 21, 7, 9], kernel_size: 3, padding: 1, " BYTES "out_channels: 21},"
    "{name: gray, input: [1, 70, 5, 6], kernel_size: 3, padding: 1, " BYTES FROM(
        "128") "out_channels: 70},"
               "{name: strided, input: [1, 33, 11, 12], kernel_size: 5, padding: 2, stride: 2, " SIGNED FROM(
                   "-3") "out_channels: 33},"
                         "{name: dilated, input: [1, 20, 9, 11], kernel_size: 3, padding: 2, dilation: 2, " BYTES FROM(
                             "7") "out_channels: 20},"
                                  "{name: skewed, input: [1, 18, 6, 9], kernel_size: [2, 4], padding: [[1, 0], [0, 2]], stride: [1, 3], " BYTES
                                      FROM(
                                          "1") "out_channels: 18},"
                                               "{name: tall, input: [1, 16, 9, 4], kernel_size: [7, 1], padding: [3, 0], dilation: [1, 2], " SIGNED
                                               "out_channels: 16},"
                                               "{name: narrow, input: [1, 16, 2, 2], kernel_size: 5, padding: 4, " BYTES FROM(
                                                   "9") "out_channels: 16},"
                                                        "{name: line, input: [1, 19, 30], kernel_size: 5, padding: causal, " BYTES
                                                            FROM(
                                                                "200") "out_channels: 19},"
                                                                       "{name: volume, input: [1, 17, 4, 5, 4], kernel_size: 3, padding: [0, 1, 1], " BYTES
                                                                           FROM(
                                                                               "50") "out_channels: 17},"
                                                                                     "{name: solid, input: [1, 17, 3, 4, 4], kernel_size: 3, padding: 1, " BYTES
                                                                                     "out_channels: 17},"
                                                                                     "{name: multiplied, input: [1, 16, 5, 5], kernel_size: 3, padding: 1, " BYTES
                                                                                         FROM(
                                                                                             "3") "out_channels: 320}]}";

/* Of as many channels as a dot takes, of twice as many, and of others; groups that fill no register. */
static const char grouped[] =
    "{version: 1, defaults: {layout: channels_last, bias: true}, layers: ["
    "{name: fours, input: [2, 24, 5, 7], out_channels: 24, groups: 6, kernel_size: 3, padding: 1, " BYTES "},"
    "{name: gray, input: [1, 72, 4, 5], out_channels: 72, groups: 18, kernel_size: 3, padding: 1, " BYTES FROM(
        "128") "},"
               "{name: eights, input: [1, 40, 6, 5], out_channels: 40, groups: 5, kernel_size: [1, 3], padding: [0, 1], stride: 2, " SIGNED
                   FROM(
                       "-3") "},"
                             "{name: pairs, input: [1, 22, 5, 6], out_channels: 22, groups: 11, kernel_size: 2, dilation: 2, padding: 1, " BYTES
                                 FROM(
                                     "7") "},"
                                          "{name: multiplied, input: [1, 16, 4, 4], out_channels: 48, groups: 4, kernel_size: 3, padding: 1, " BYTES
                                              FROM(
                                                  "1") "},"
                                                       "{name: apart, input: [1, 32, 4, 6], out_channels: 32, groups: 8, kernel_size: 3, padding: 1, layout: channels_first, " SIGNED
                                                       "},"
                                                       "{name: mirrored, input: [1, 24, 5, 5], out_channels: 24, groups: 3, kernel_size: 3, padding: 2, padding_mode: reflect, " BYTES
                                                           FROM("9") "}]}";

/* Of few output channels, lanes over input channels, which fill no register, one and several. */
static const char narrow[] =
    "{version: 1, defaults: {layout: channels_last, bias: true, algorithm: direct}, layers: ["
    "{name: one, input: [1, 70, 4, 5], out_channels: 1, kernel_size: 3, padding: 1, " BYTES FROM(
        "128") "},"
               "{name: few, input: [2, 150, 3, 3], out_channels: 3, kernel_size: 1, stride: 2, " SIGNED FROM(
                   "-3") "},"
                         "{name: grouped, input: [1, 74, 4, 4], out_channels: 4, groups: 2, kernel_size: 2, " BYTES FROM(
                             "5") "},"
                                  "{name: mirrored, input: [1, 40, 4, 4], out_channels: 2, kernel_size: 3, padding: 1, padding_mode: reflect, " BYTES
                                      FROM("9") "}]}";

/* Some of the plans that have dots, of such lanes; gives how many. */
static int try_dots(const cvk_spec *spec, const char *target, plan_lanes lanes) {
    subject s = {.draws = draws_for(1, 1), .target = target_find(target)};
    ranked_layer *plans;
    int count, tried = 0;
    arena_init(&s.arena);
    cr_assert(!arena_guard(&s.arena), "out of memory");
    cr_assert(trial_open(&s.trial, spec, DATA_INTEGERS, false, 1), "out of memory");
    cr_assert_eq(compile_rank(&s.arena, spec, (goal){.target = s.target}, 0, NULL, &plans, &count), CVK_OK);
    for (int i = 0; i < count && tried < MOST_PLANS; i++) {
        const cvk_plan *plan = layer_plan_part(&plans[i].plan, 0);
        const bool first = tried == 0 || draw_from(&s.draws, 0, 5) == 0;
        if (plan->dot && plan->lanes == lanes && first) judge(&s, &plans[i].plan, tried++);
    }
    trial_close(&s.trial);
    arena_free(&s.arena);
    return s.dots;
}

/* Most targets have dots for them. */
static void try_layers(const char *yaml, plan_lanes lanes) {
    cvk_network *network;
    int targets = 0;
    cr_assert_eq(cvk_network_parse(yaml, strlen(yaml), "layers.yaml", NULL, &network), CVK_OK);
    for (int t = 0; t < TARGET_COUNT; t++) {
        int dots = 0;
        for (size_t i = 0; i < cvk_network_count(network); i++)
            dots += try_dots(cvk_network_layer(network, i), TARGETS[t], lanes);
        targets += dots > 0;
    }
    cr_expect(targets >= TARGET_COUNT - 1, "%d of %d targets", targets, TARGET_COUNT);
    cvk_network_free(network);
}

Test(dots, borders_zero_points_strides_and_dilation_of_depthwise_layers_are_exact) {
    try_layers(depthwise, LANES_CHANNELS);
}
Test(dots, borders_zero_points_strides_and_dilation_of_grouped_layers_are_exact) {
    try_layers(grouped, LANES_CHANNELS);
}
Test(dots, borders_zero_points_and_strides_of_layers_of_few_output_channels_are_exact) {
    try_layers(narrow, LANES_IN_CHANNELS);
}

/* By a plan that was not proven. */
Test(dots, corrections_of_the_last_blocks_of_channels_of_a_task_are_proven) {
    static const char yaml[] =
        "{version: 1, layers: [{name: a, input: [1, 3, 4, 5], out_channels: 42, groups: depthwise, kernel_size: 3, " BYTES
            FROM(
                "5") "layout: {input: channels_last, output: blocked}, schedule: {algorithm: direct, lanes: out_channels, tile: "
                     "{oc: 4, od: 1, oh: 1, ow: 2}, block: {oh: 1, ow: 1}, unroll: {ic: 1, kw: false}, dot: 4, order: [{oc: 8}, "
                     "n, g, od, oh, ow, oc], tasks: 4, pack: {input_rows: 2}}}]}";
    cvk_network *network;
    cr_assert_eq(cvk_network_parse(yaml, sizeof yaml - 1, "blocks.yaml", NULL, &network), CVK_OK);
    cr_expect(try_dots(cvk_network_layer(network, 0), "aarch64-neon-dotprod", LANES_OUT_CHANNELS) > 0);
    cvk_network_free(network);
}

/* ---- pairs of bf16 ---- */

static bool is_of_pairs(const target_dot *d) { return d && d->x == TYPE_BF16; }

/* Inputs of a pixel, and weights of an output channel, become so much smaller that sums are of every size that bf16
 * has, and of those next to 0. */
static void spread_sizes(const cvk_spec *s, layer_data *data) {
    uint16_t *x = (void *)(uintptr_t)data->tensors.input, *w = (void *)(uintptr_t)data->tensors.weights;
    const int64_t pixels = s->in_size[AXIS_H] * s->in_size[AXIS_W], filter = s->in_channels * spec_taps(s);
    for (int64_t i = 0; i < spec_input_elements(s); i++)
        type_write(s->input_type, &x[i], ldexp(type_read(s->input_type, &x[i]), -(int)(i % pixels * 9 / 2)));
    for (int64_t i = 0; i < spec_weights_elements(s); i++)
        type_write(s->weights_type, &w[i], ldexp(type_read(s->weights_type, &w[i]), -(int)(i / filter * 7)));
}

static cvk_spec halves(cvk_type type, int64_t channels, int64_t kernel, accuracy a, cvk_type output) {
    cvk_spec s = {.name = "halves",
                  .rank = 2,
                  .batch = 1,
                  .in_channels = channels,
                  .out_channels = 20,
                  .groups = 1,
                  .in_size = {1, 5, 6},
                  .kernel = {1, kernel, kernel},
                  .stride = {1, 1, 1},
                  .dilation = {1, 1, 1},
                  .pad_before = {0, kernel / 2, kernel / 2},
                  .pad_after = {0, kernel / 2, kernel / 2},
                  .input_layout = CVK_CHANNELS_LAST,
                  .output_layout = CVK_CHANNELS_LAST,
                  .input_type = type,
                  .weights_type = type,
                  .output_type = output,
                  .accuracy = a,
                  .at = {.file = ""}};
    cr_assert_eq(spec_finish(&s, NULL), CVK_OK);
    return s;
}

/* How many of the plans for it sum pairs; each of those has the evaluator's bits and keeps its bound. */
static int try_plans(arena *a, const cvk_target *target, const cvk_spec *s) {
    const trial_extras extras = {.threads = true, .evaluator = true};
    trial t;
    ranked_layer *plans;
    int count, pairs = 0;
    cr_assert(trial_open(&t, s, DATA_REALS, false, 1) && trial_change(&t, spread_sizes), "out of memory");
    cr_assert_eq(compile_rank(a, s, (goal){.target = target}, 0, NULL, &plans, &count), CVK_OK);
    for (int i = 0; i < count; i++) {
        if (!layer_plan_part(&plans[i].plan, 0)->dot || pairs++ >= MOST_PLANS) continue;
        cr_expect(trial_kernel(&t, target, &plans[i].plan, extras), "%s\n%s", t.words,
                  trial_yaml(a, s, &plans[i].plan));
    }
    trial_close(&t);
    return pairs;
}

static int count_plans(arena *a, const cvk_target *target, const cvk_spec *s) {
    ranked_layer *plans;
    int count, pairs = 0;
    cr_assert_eq(compile_rank(a, s, (goal){.target = target}, 0, NULL, &plans, &count), CVK_OK);
    for (int i = 0; i < count; i++) pairs += layer_plan_part(&plans[i].plan, 0)->dot > 0;
    return pairs;
}

/* How many products the best plan sums in one instruction. */
static int best_dot(arena *a, const cvk_target *target, const cvk_spec *s) {
    ranked_layer *plans;
    int count;
    cr_assert_eq(compile_rank(a, s, (goal){.target = target}, 0, NULL, &plans, &count), CVK_OK);
    return layer_plan_part(&plans[0].plan, 0)->dot;
}

static int in_an_arena(int (*plans)(arena *, const cvk_target *, const cvk_spec *), const cvk_target *target,
                       const cvk_spec *s) {
    arena a;
    arena_init(&a);
    cr_assert(!arena_guard(&a), "out of memory");
    const int pairs = plans(&a, target, s);
    arena_free(&a);
    return pairs;
}

Test(dots, pairs_of_bf16_have_the_evaluators_bits_whatever_their_size) {
    const cvk_target *target = target_find("host");
    if (!is_of_pairs(target_dot_of(target, TYPE_F32, 2))) cr_skip_test("this machine has no sums of pairs of bf16");
    const int64_t channels[] = {16, 7}, kernels[] = {1, 3};
    const cvk_type outputs[] = {TYPE_F32, TYPE_BF16};
    for (int i = 0; i < 8; i++) {
        const cvk_spec s = halves(TYPE_BF16, channels[i & 1], kernels[i >> 1 & 1], ACCURACY_DEFAULT, outputs[i >> 2]);
        cr_expect(in_an_arena(try_plans, target, &s) > 0);
    }
}

Test(dots, a_strict_layer_sums_no_pairs_of_bf16) {
    const cvk_target *target = target_find("x86-64-v4-bf16");
    const cvk_spec strict = halves(TYPE_BF16, 16, 3, ACCURACY_STRICT, TYPE_BF16),
                   other = halves(TYPE_BF16, 16, 3, ACCURACY_DEFAULT, TYPE_BF16);
    cr_expect_eq(in_an_arena(count_plans, target, &strict), 0);
    cr_expect(in_an_arena(count_plans, target, &other) > 0);
}

/* Some cores take as long for one as for four multiply-adds. */
Test(dots, pairs_of_bf16_are_summed_where_the_core_is_fast_at_it) {
    cvk_target target = *target_find("x86-64-v4-bf16");
    machine_figures figures = *target.figures;
    target.figures = &figures;
    const cvk_spec layer = halves(TYPE_BF16, 64, 3, ACCURACY_DEFAULT, TYPE_BF16);
    figures.half_dots_a_cycle = figures.fma_a_cycle;
    cr_expect_eq(in_an_arena(best_dot, &target, &layer), 2);
    figures.half_dots_a_cycle = figures.fma_a_cycle / 4;
    cr_expect_eq(in_an_arena(best_dot, &target, &layer), 0);
}

/* ---- products of f16 ---- */

static void judge_reals(subject *s, arena *a, const layer_plan *plan) {
    compile_unit unit;
    double worst = 0;
    const char *yaml = trial_yaml(a, s->trial.spec, plan);
    cr_assert_eq(compile_plan(a, s->trial.spec, (goal){.target = s->target}, plan, NULL, &unit, NULL), CVK_OK, "%s",
                 yaml);
    cr_expect(trial_nests(&s->trial, &unit, &worst) == CVK_OK && worst <= 1, "%g of the bound\n%s", worst, yaml);
    cr_expect(trial_stored(&s->trial, &unit.run, &unit.pack) && trial_identity(&s->trial, &unit), "%s\n%s",
              s->trial.words, yaml);
    s->dots++;
}

/* How many plans multiply halves as they are; a few of those keep the bound of direct sums. */
static int judge_plans(arena *a, const cvk_target *target, const cvk_spec *s) {
    subject own = {.target = target};
    ranked_layer *plans;
    int count;
    cr_assert(trial_open(&own.trial, s, DATA_REALS, false, 1), "out of memory");
    cr_assert_eq(compile_rank(a, s, (goal){.target = target}, 0, NULL, &plans, &count), CVK_OK);
    for (int i = 0; i < count && own.dots < MOST_PLANS; i++)
        if (layer_plan_part(&plans[i].plan, 0)->dot) judge_reals(&own, a, &plans[i].plan);
    trial_close(&own.trial);
    return own.dots;
}

Test(dots, a_strict_layer_multiplies_halves_as_they_are_where_the_product_is_exact) {
    const cvk_target *target = target_find("aarch64-neon-fp16fml");
    const cvk_layout layouts[] = {CVK_CHANNELS_FIRST, CVK_CHANNELS_LAST, CVK_BLOCKED};
    for (int i = 0; i < 6; i++) {
        cvk_spec s = halves(TYPE_F16, i < 3 ? 7 : 16, i < 3 ? 3 : 1, ACCURACY_STRICT, i % 2 ? TYPE_F32 : TYPE_F16);
        s.input_layout = s.output_layout = layouts[i % 3];
        cr_expect(in_an_arena(judge_plans, target, &s) > 0, "none of %d channels, layout %d", i < 3 ? 7 : 16, i % 3);
    }
}
