/* Does the check see a wrong kernel? Each row is a bug that stays inside its buffers, so that nest_check has nothing to
 * say, seeded into every plan of a layer where it makes a difference. Every one must break the identity with the
 * formula or the certificate of stores; and put the output outside its bound, but for those whose effect floats may
 * hide: there it is said how many were seen.
 */
#include "chain_mutants.h"
#include "mutate.h"
#include "trial.h"

#include "emit/emit.h"
#include "jit/kernel.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* A change of the layer: the nests are built for what a generator took it to be. */
typedef void misread(cvk_spec *s);

typedef struct mutant {
    const char *name;
    const char *layer;
    misread *misread; /* or */
    edit *edit;       /* of the kernel; in `pack`, of the packing */
    mutation mutation;
    bool pack;
    int phase;                                    /* the first whose nests it may be in */
    bool subtle;                                  /* the check in floats may miss it */
    bool in_indices;                              /* of which the identity knows nothing */
    bool of_type;                                 /* residues, which have no type, do not see it */
    void (*hide)(const cvk_spec *, layer_data *); /* data behind which it hides, or NULL */
} mutant;

/* ---- layers misread ---- */

static void swap_pads(cvk_spec *s) {
    int64_t before = s->pad_before[AXIS_W];
    s->pad_before[AXIS_W] = s->pad_after[AXIS_W];
    s->pad_after[AXIS_W] = before;
}

static void swap_pad_axes(cvk_spec *s) {
    int64_t before = s->pad_before[AXIS_H], after = s->pad_after[AXIS_H];
    s->pad_before[AXIS_H] = s->pad_before[AXIS_W], s->pad_after[AXIS_H] = s->pad_after[AXIS_W];
    s->pad_before[AXIS_W] = before, s->pad_after[AXIS_W] = after;
}

static void swap_post_ops(cvk_spec *s) {
    post_op first = s->post[0];
    s->post[0] = s->post[1];
    s->post[1] = first;
}

static void forget_post_op(cvk_spec *s) { s->post_count--; }
static void forget_before(cvk_spec *s) { s->accumulate = false; }
static void forget_flip(cvk_spec *s) { s->flip_kernel = !s->flip_kernel; }
static void repeat_the_edge(cvk_spec *s) { s->padding = PAD_SYMMETRIC; }
static void replicate_border(cvk_spec *s) { s->padding = PAD_REPLICATE; }
static void forget_border(cvk_spec *s) { s->padding = PAD_ZEROS; }
static void forget_nan(cvk_spec *s) { s->ignore_nan = false; }
static void nudge_border(cvk_spec *s) { s->padding_constant *= 1.0001; }
static void border_from_0(cvk_spec *s) { s->padding_constant += s->input_zero; }
static void crop_the_other_end(cvk_spec *s) { s->pad_before[AXIS_W]--, s->pad_after[AXIS_W]++; }
static void shift_phases(cvk_spec *s) { s->pad_before[AXIS_H]++, s->output_padding[AXIS_H]++; }
static void steeper_slope(cvk_spec *s) { s->post[0].a *= 1.0001F; }

static void relu_for_leaky(cvk_spec *s) { s->post[0] = (post_op){.kind = POST_RELU}; }
static void tanh_gelu(cvk_spec *s) { s->post[0].kind = POST_GELU_TANH; }
static void hard_sigmoid(cvk_spec *s) { s->post[0].kind = POST_HARD_SIGMOID; }
static void input_from_0(cvk_spec *s) { s->input_zero = 0; }
static void weights_from_1(cvk_spec *s) { s->weights_zero++; }
static void f16_input(cvk_spec *s) { s->input_type = TYPE_F16; }
static void bf16_weights(cvk_spec *s) { s->weights_type = TYPE_BF16; }
static void bf16_output(cvk_spec *s) { s->output_type = TYPE_BF16; }

static void instance_for_group(cvk_spec *s) { s->groups = s->in_channels; }
static void twice_epsilon(cvk_spec *s) { s->epsilon *= 2; }
static void plain_for_half_pixel(cvk_spec *s) { s->coordinates = COORDINATES_ASYMMETRIC; }
static void corners_for_half_pixel(cvk_spec *s) { s->coordinates = COORDINATES_ALIGN_CORNERS; }
static void round_up_for_down(cvk_spec *s) { s->nearest = ROUNDING_CEIL; }
static void add_for_multiply(cvk_spec *s) { s->post[0].kind = POST_ADD; }
static void other_share(cvk_spec *s) { s->post[0].a *= 1.0001; }

static void average_over_padding(cvk_spec *s) { s->count_include_pad = !s->count_include_pad; }
static void average_for_maximum(cvk_spec *s) { s->kind = LAYER_AVERAGE_POOL; }

/* ---- data that hide a bug ---- */

/* The layers are f32. */
static float *writable(layer_data *d, const void *tensor) {
    return (float *)d->memory + ((const float *)tensor - (const float *)d->tensors.input);
}
static float *weights_of(layer_data *d) { return writable(d, d->tensors.weights); }
static float *bias_of(layer_data *d) { return writable(d, d->tensors.bias); }

/* Weights of the first kernel row count for nothing. */
static void tiny_first_row(const cvk_spec *s, layer_data *d) {
    float *w = weights_of(d);
    for (int64_t i = 0; i < spec_weights_elements(s); i++)
        if (i / s->kernel[AXIS_W] % s->kernel[AXIS_H] == 0) w[i] *= 1e-12F;
}

static void tiny_last_channel(const cvk_spec *s, layer_data *d) {
    float *w = weights_of(d);
    for (int64_t i = 0; i < spec_weights_elements(s); i++)
        if (i / spec_taps(s) % spec_group_in(s) == spec_group_in(s) - 1) w[i] *= 1e-12F;
}

static void tiny_bias(const cvk_spec *s, layer_data *d) {
    for (int64_t i = 0; i < s->out_channels; i++) bias_of(d)[i] *= 1e-12F;
}

static void small_weights(const cvk_spec *s, layer_data *d) {
    for (int64_t i = 0; i < spec_weights_elements(s); i++) weights_of(d)[i] *= 0x1p-6F;
}

/* All taps of a filter are one. */
static void flat_filters(const cvk_spec *s, layer_data *d) {
    float *w = weights_of(d);
    for (int64_t i = 0; i < spec_weights_elements(s); i++) w[i] = w[i / spec_taps(s) * spec_taps(s)];
}

static void flat_input(const cvk_spec *s, layer_data *d) {
    for (int64_t i = 0; i < s->batch * s->in_channels * s->in_size[0] * s->in_size[1] * s->in_size[2]; i++)
        writable(d, d->tensors.input)[i] = 1;
}

static void equal_scales(const cvk_spec *s, layer_data *d) {
    float *scale = writable(d, d->tensors.scale);
    for (int64_t i = 0; i < s->out_channels; i++) scale[i] = 0.5F;
}

/* For edits that need to know no more. */
#define NOTHING {"", "", "", 0}

#define NORM "{name: norm, kind: group_norm, input: [2, 12, 9, 19]"
#define POSITIONS "{name: positions, kind: layer_norm, input: [2, 21, 5, 9], layout: channels_last"
#define RESIZED "{name: resized, kind: resize, input: [2, 9, 5, 8], output_size: [10, 13]"
#define DENSE "{name: dense, input: [2, 5, 9, 19], out_channels: 21, kernel_size: 3, padding: 1, bias: true"
#define TRANSPOSED                                                                                                     \
    "{name: transposed, input: [1, 5, 4, 9], out_channels: 21, kernel_size: 5, stride: 2, padding: [[1, 2], [2, 1]], " \
    "transposed: true"
#define FOLDED                                                                                                         \
    "{name: folded, input: [1, 5, 6, 9], out_channels: 21, kernel_size: 3, padding: 2, stride: 2, bias: true, "        \
    "transposed: true"
#define GRADIENT                                                                                                       \
    "{name: gradient, input: [2, 33, 5, 9], out_channels: 21, kernel_size: 3, padding: 1, direction: backward_weights"
#define IN_PARTS                                                                                                       \
    "{name: parts, input: [2, 9, 90, 90], out_channels: 17, kernel_size: 1, direction: backward_weights, bias: true"
#define OF_DATA                                                                                                        \
    "{name: of_data, input: [1, 20, 9, 7], out_channels: 6, kernel_size: 3, padding: 1, direction: backward_data, "    \
    "accumulate: true"
#define BYTES                                                                                                          \
    ", dtype: {input: u8, weights: s8, output: s32}, quantization: {input_zero_point: 7, weights_zero_point: -3}"
#define QUANTISED                                                                                                      \
    "{name: quantised, input: [2, 3, 19, 19], out_channels: 21, kernel_size: 1, bias: true, dtype: {input: u8, "       \
    "weights: s8, output: u8}, quantization: {input_zero_point: 128, output_zero_point: 101, rounding: "
#define LAST ", layout: channels_last"
#define BLOCKED ", layout: blocked"
#define GROUPED "{name: grouped, input: [1, 12, 7, 18], out_channels: 18, groups: 3, kernel_size: 3, padding: 1"
#define FEW                                                                                                            \
    "{name: few, input: [1, 37, 6, 9], out_channels: 3, kernel_size: 3, padding: 1, bias: true, layout: channels_last"
#define DEPTHWISE                                                                                                      \
    "{name: depthwise, input: [1, 21, 8, 18], out_channels: 21, groups: depthwise, kernel_size: 3, padding: 1"
#define LONG "{name: long, input: [1, 3, 70], out_channels: 19, kernel_size: 5"
#define BORDER "{name: border, input: [1, 5, 8, 19], out_channels: 17, kernel_size: 3, padding: 2, padding_mode: "
#define NANS "{name: nans, input: [1, 3, 8, 19], out_channels: 5, kernel_size: 3, padding: 1, nan: ignore"
#define SOLID "{name: solid, input: [1, 4, 5, 6, 18], out_channels: 18, kernel_size: [3, 2, 3], padding: 1"

#define MAXIMUM "{name: maximum, kind: max_pool, input: [2, 21, 9, 19], kernel_size: [3, 2], stride: 2, padding: 1"
#define MEAN "{name: mean, kind: average_pool, input: [2, 21, 9, 19], kernel_size: 3, stride: 2, padding: 1"

#define WINOGRAD                                                                                                       \
    "{name: winograd, input: [1, 5, 9, 19], out_channels: 21, kernel_size: 3, padding: 1, bias: true, algorithm: winograd"

/* Blocks of tiles and slices of input channels enough for both to be tasks. */
#define SPECTRA                                                                                                        \
    "{name: spectra, input: [1, 3, 20, 70], out_channels: 4, kernel_size: 5, padding: 2, bias: true, schedule: "       \
    "{algorithm: fft, lanes: columns, tile: {oc: 2, od: 1, oh: 16, ow: 32}, block: {oh: 1, ow: 1}, unroll: {ic: 1, "   \
    "kw: false}, order: [n, g, oc, od, oh, ow], tasks: 6, pack: {input_rows: 0}}"
#define PHASED                                                                                                         \
    "{name: phased, input: [1, 35, 18, 30], out_channels: 70, kernel_size: 3, padding: 1, algorithm: winograd"

static const mutant mutants[] = {
#include "mutants.def"
};

#ifndef MOST_PLANS
#define MOST_PLANS                                                                                                     \
    INT_MAX /* that a bug is seeded into, of one layer and target: fewer where sanitizers make each slow */
#endif

enum { MUTANTS = sizeof mutants / sizeof *mutants };

/* ---- trying them ---- */

/* A mutant on one layer and target. */
typedef struct attempt {
    const mutant *mutant;
    arena *arena;
    const cvk_target *target;
    cvk_spec meant;   /* the layer */
    cvk_spec misread; /* what the nests are built for */
    trial trial;
    int plans; /* that have a place for the bug */
    int seen, broke_identity, broke_stores;
} attempt;

static const char *describe(const attempt *a, const layer_plan *plan) {
    return arena_format(a->arena, "%s, target %s\n%s", a->mutant->name, a->target->name,
                        trial_yaml(a->arena, &a->meant, plan));
}

static bool seed_in(const attempt *a, nest *n) { return a->mutant->edit(n, &a->mutant->mutation); }

/* In the first nest that has a place for it. */
static bool seed_in_phase(const attempt *a, const nest_phase *phase) {
    for (int k = 0; k < phase->count; k++)
        if (seed_in(a, phase->nest[k])) return true;
    return false;
}

static bool seed_in_program(const attempt *a, const nest_program *run) {
    for (int p = a->mutant->phase; p < run->count; p++)
        if (seed_in_phase(a, &run->phase[p])) return true;
    return false;
}

/* Whether the bug went in and stays inside its buffers. */
static bool seed_bug(const attempt *a, const compile_unit *unit) {
    if (a->mutant->edit && !(a->mutant->pack ? seed_in_phase(a, &unit->pack) : seed_in_program(a, &unit->run)))
        return false;
    bool sound = program_check(&unit->run, NULL, NULL) == CVK_OK;
    for (int i = 0; i < unit->pack.count; i++) sound = sound && nest_check(unit->pack.nest[i], NULL, NULL) == CVK_OK;
    return sound;
}

static bool is_seen(attempt *a, const compile_unit *unit) {
    double worst = 0;
    return trial_nests(&a->trial, unit, &worst) != CVK_OK || worst > 1;
}

static void expect_right(attempt *a, const compile_unit *unit) {
    cr_assert(!is_seen(a, unit), "not right before: %s", describe(a, &unit->plan));
    cr_assert(trial_stored(&a->trial, &unit->run, &unit->pack), "%s: %s", a->trial.words, describe(a, &unit->plan));
    cr_assert(trial_identity(&a->trial, unit), "%s: %s", a->trial.words, describe(a, &unit->plan));
}

static void expect_caught(attempt *a, const layer_plan *plan) {
    compile_unit unit;
    cr_assert_eq(compile_plan(a->arena, &a->misread, (goal){.target = a->target}, plan, NULL, &unit, NULL), CVK_OK,
                 "%s", describe(a, plan));
    if (!a->mutant->misread) expect_right(a, &unit);
    if (!seed_bug(a, &unit)) return;
    bool seen = is_seen(a, &unit), unequal = !trial_identity(&a->trial, &unit);
    bool stores = !trial_stored(&a->trial, &unit.run, &unit.pack);
    const bool blind = a->mutant->in_indices || a->mutant->of_type;
    cr_expect(unequal || stores || blind, "NOT CAUGHT EXACTLY: %s", describe(a, plan));
    cr_expect(seen || a->mutant->subtle, "NOT CAUGHT: %s", describe(a, plan));
    a->plans++, a->seen += seen, a->broke_identity += unequal, a->broke_stores += stores;
}

/* Fast transforms, whose bound is wide and whose nests are long, have rows that name them. */
static bool is_for(const attempt *a, const layer_plan *plan) {
    return a->meant.schedule || strcmp(a->meant.algorithm, "fft") == 0 || strcmp(plan->part[0].algorithm, "fft") != 0;
}

static void try_target(attempt *a, const char *target) {
    ranked_layer *plans;
    int count;
    a->target = target_find(target);
    cr_assert_eq(compile_rank(a->arena, &a->misread, (goal){.target = a->target}, 0, NULL, &plans, &count), CVK_OK);
    for (int i = 0; i < count && a->plans < MOST_PLANS; i++)
        if (is_for(a, &plans[i].plan)) expect_caught(a, &plans[i].plan);
}

static void say_seen(const attempt *a) {
    fprintf(stderr, "%-45s %3d nests: identity broken in %3d, stores in %3d; seen in floats in %3d\n", a->mutant->name,
            a->plans, a->broke_identity, a->broke_stores, a->seen);
}

/* How many plans had the bug. */
static int try_mutant(const mutant *m, data_kind kind, const char *target) {
    cvk_network *network;
    arena memory;
    arena_init(&memory);
    if (arena_guard(&memory)) cr_assert_fail("out of memory");
    const char *yaml = arena_format(&memory, "{version: 1, layers: [%s]}", m->layer);
    cr_assert_eq(cvk_network_parse(yaml, strlen(yaml), m->name, NULL, &network), CVK_OK, "%s: %s", m->name, yaml);
    attempt a = {.mutant = m, .arena = &memory, .meant = *cvk_network_layer(network, 0)};
    a.misread = a.meant;
    if (m->misread) m->misread(&a.misread);
    cr_assert_eq(spec_finish(&a.misread, NULL), CVK_OK, "%s", m->name);
    cr_assert(trial_open(&a.trial, &a.meant, kind, false, 1));
    cr_assert(!m->hide || trial_change(&a.trial, m->hide));
    try_target(&a, target);
    if (m->subtle) say_seen(&a);
    trial_close(&a.trial);
    arena_free(&memory);
    cvk_network_free(network);
    return a.plans;
}

static void expect_all_caught(int first, int last) {
    int plans = 0;
    for (int i = first; i < last; i++) {
        int wide = try_mutant(&mutants[i], DATA_REALS, "x86-64-v4");
        cr_expect_gt(wide, 0, "%s: no plan has a place for it", mutants[i].name);
        plans += wide + try_mutant(&mutants[i], DATA_INTEGERS, "x86-64");
    }
    fprintf(stderr, "%d seeded bugs in %d nests\n", last - first, plans);
}

/* Halves, for two cores. */
Test(mutants, every_seeded_bug_is_caught) { expect_all_caught(0, MUTANTS / 2); }
Test(mutants, every_seeded_bug_of_the_other_half_is_caught) { expect_all_caught(MUTANTS / 2, MUTANTS); }

/* ---- images of a kernel for any batch ---- */

/* Its nests are of one image, of which the code that goes from image to image finds each tensor's part by the tensor's
 * size and beginning: wrong ones are a wrong step from image to image, or from one addend's images to the next's. */
typedef void edit_images(nest_tensor *t);

static void step_too_short(nest_tensor *t) { t->elements -= t->elements / 3; }
static void no_step(nest_tensor *t) { t->elements = 0; }
static void begin_at_once(nest_tensor *t) { t->begin = 0; }
static void every_second(nest_tensor *t) { t->elements *= 2, t->begin = 0; }
static void no_step_of_the_second(nest_tensor *t) {
    if (t->begin) t->elements = 0;
}

typedef struct image_mutant {
    const char *name, *tensor;
    edit_images *edit;
} image_mutant;

static const image_mutant image_mutants[] = {
    {"an image begins within the one before", "input", step_too_short},
    {"every image reads the first", "input", no_step},
    {"an image is written over the one before", "output", step_too_short},
    {"every image is written over the first", "output", no_step},
    {"every image adds the first one's addend", "addend", no_step},
    {"an addend begins within the one of the image before", "addend", step_too_short},
    {"the second addend is the first", "addend", begin_at_once},
    {"every image adds that of twice its number", "addend", every_second},
    {"every image adds the first one's second addend", "addend", no_step_of_the_second},
};

/* How many tensors it changed. */
static int seed_in_images(const image_mutant *m, const nest_program *run) {
    int count = 0;
    const nest *n;
    for (int i = 0; (n = program_nest(run, i)); i++)
        for (int t = 0; t < n->tensor_count; t++) {
            if (strcmp(n->tensors[t].name, m->tensor) != 0) continue;
            m->edit(&n->tensors[t]);
            count++;
        }
    return count;
}

static bool is_right_for_any(trial *t, const compile_unit *unit) {
    cvk_object object;
    cvk_kernel *kernel;
    cr_assert_eq(compile_emit(unit, &unit->spec->name, 1, 1, NULL, EMIT_OBJECT, NULL, &object, NULL), CVK_OK);
    cr_assert_eq(kernel_load(object.bytes, object.size, unit->spec->name, NULL, &kernel), CVK_OK);
    bool right = trial_any(t, cvk_kernel_get_info(kernel));
    cvk_kernel_free(kernel);
    object_free(&object);
    return right;
}

static void expect_caught_in_images(trial *t, arena *a, const layer_plan *p) {
    const cvk_spec any = trial_spec_any(t);
    cr_assert(trial_kernel(t, target_host(), p, (trial_extras){.any = true}), "%s", t->words);
    for (size_t i = 0; i < sizeof image_mutants / sizeof *image_mutants; i++) {
        compile_unit unit;
        cr_assert_eq(compile_plan(a, &any, (goal){.target = target_host()}, p, NULL, &unit, NULL), CVK_OK);
        cr_assert_gt(seed_in_images(&image_mutants[i], &unit.run), 0, "%s: no place for it", image_mutants[i].name);
        cr_expect(!is_right_for_any(t, &unit), "NOT CAUGHT: %s\n%s", image_mutants[i].name, trial_yaml(a, t->spec, p));
    }
}

Test(mutants, every_wrong_step_from_image_to_image_is_caught) {
    static const char yaml[] = "{version: 1, layers: [{name: images, input: [3, 5, 9, 19], out_channels: 21, "
                               "kernel_size: 3, padding: 1, bias: true, post_ops: [add, relu, add]}]}";
    enum { PLANS = 6 };
    cvk_network *network;
    ranked_layer *plans;
    int count;
    trial t;
    arena a;
    arena_init(&a);
    if (arena_guard(&a)) cr_assert_fail("out of memory");
    cr_assert_eq(cvk_network_parse(yaml, strlen(yaml), "images", NULL, &network), CVK_OK);
    const cvk_spec *spec = cvk_network_layer(network, 0);
    cr_assert(trial_open(&t, spec, DATA_REALS, false, 1));
    cr_assert_eq(compile_rank(&a, spec, (goal){.target = target_host()}, 0, NULL, &plans, &count), CVK_OK);
    for (int i = 0; i < PLANS; i++) expect_caught_in_images(&t, &a, &plans[i * (count - 1) / (PLANS - 1)].plan);
    trial_close(&t);
    arena_free(&a);
    cvk_network_free(network);
}
