/* Post-ops of numbers that are none, or barely: kernels give what IEEE arithmetic makes of the formula in
 * base/post_ops.def, in every layout and on every target that runs here. The judge is the interpreter's post-op alone,
 * of an exact argument; tests/reference holds that to the formulas. */
#include "compile.h"
#include "judge/bound.h"
#include "judge/post.h"

#include "judge/tensors.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { CHANNELS = 17, NUMBERS = 20 };

/* The ends of each type, and where exponentials become 0. */
static const double numbers[][NUMBERS] = {
    [TYPE_F32] = {INFINITY,
                  -INFINITY,
                  NAN,
                  0,
                  -0.0,
                  FLT_TRUE_MIN,
                  -FLT_TRUE_MIN,
                  0x1.fffffcp-127,
                  -0x1.fffffcp-127,
                  FLT_MIN,
                  FLT_MAX,
                  -FLT_MAX,
                  -0x1p127,
                  1,
                  -1,
                  3,
                  -3,
                  6,
                  -104,
                  104},
    [TYPE_F64] = {INFINITY,
                  -INFINITY,
                  NAN,
                  0,
                  -0.0,
                  DBL_TRUE_MIN,
                  -DBL_TRUE_MIN,
                  0x1.ffffffffffffep-1023,
                  -0x1.ffffffffffffep-1023,
                  DBL_MIN,
                  DBL_MAX,
                  -DBL_MAX,
                  -0x1p1023,
                  1,
                  -1,
                  3,
                  -3,
                  6,
                  -746,
                  746},
};

/* Every kind at least once, the slopes and ends that matter more often. */
static const char *const post_ops[] = {"add",
                                       "{shift: per_channel}",
                                       "multiply",
                                       "gate",
                                       "{blend: 0}",
                                       "{blend: 0.3}",
                                       "{blend: 1}",
                                       "{times: -0.3}",
                                       "{plus: 1.5}",
                                       "relu",
                                       "relu6",
                                       "{leaky_relu: 0}",
                                       "{leaky_relu: 0.1}",
                                       "{leaky_relu: -2}",
                                       "{clamp: [-1, 2]}",
                                       "{clamp: [0, 0]}",
                                       "sigmoid",
                                       "tanh",
                                       "silu",
                                       "gelu",
                                       "gelu_tanh",
                                       "hard_swish",
                                       "hard_sigmoid",
                                       "elu",
                                       "softplus",
                                       "{scale: per_channel}"};
enum { POST_OPS_TRIED = sizeof post_ops / sizeof *post_ops };

/* A 1x1 layer of weights 1 and bias -0 hands every input to its post-op as it is. */
typedef struct special_data {
    cvk_type type;
    double input[NUMBERS], weights[CHANNELS], bias[CHANNELS], scale[CHANNELS], addend[CHANNELS][NUMBERS];
} special_data;

static void fill(special_data *d, cvk_type type) {
    const double *n = numbers[d->type = type];
    memcpy(d->input, n, sizeof d->input);
    for (int c = 0; c < CHANNELS; c++) {
        d->weights[c] = 1;
        d->bias[c] = -0.0;
        d->scale[c] = n[c];
        for (int i = 0; i < NUMBERS; i++) d->addend[c][i] = n[(c + i) % NUMBERS];
    }
}

static double operand_of(const special_data *d, post_kind kind, int c, int i) {
    return post_rows[kind].operand == OPERAND_TENSOR ? d->addend[c][i] : d->scale[c]; /* gates are the scales, too */
}

/* `got` is of the layer's type. */
static void judge(const special_data *d, const post_op *op, int c, const char *got, const char *where) {
    for (int i = 0; i < NUMBERS; i++) {
        const double x = d->input[i], operand = operand_of(d, op->kind, c, i);
        const double value = type_read(d->type, got + i * type_bytes(d->type));
        const long double y = post_apply(op, operand, x);
        double ratio = bound_ratio(y, bound_post(d->type, op, operand, x, 0), value);
        const bool vanished = op->kind == POST_BLEND && value == 0 && y != 0; /* +0 or -0 by how a target rounds */
        bool same_sign = isnan(y) || vanished || !signbit(y) == !signbit(value);
        cr_expect(ratio <= 1 && same_sign, "%s: of %a (operand %a) it is %a, not %La", where, x, operand, value, y);
    }
}

/* `count` numbers in memory of the type. */
static const void *typed(cvk_type type, const double *from, int count, char **to) {
    char *begin = *to;
    for (int i = 0; i < count; i++, *to += type_bytes(type)) type_write(type, *to, from[i]);
    return begin;
}

static void try_target(const cvk_spec *spec, const special_data *d, const cvk_target *target, const char *layer) {
    char memory[sizeof *d], *free = memory;
    naive_tensors given = {.input = typed(d->type, d->input, NUMBERS, &free),
                           .weights = typed(d->type, d->weights, CHANNELS, &free),
                           .bias = typed(d->type, d->bias, CHANNELS, &free),
                           .scale = typed(d->type, d->scale, CHANNELS, &free),
                           .addend = typed(d->type, d->addend[0], CHANNELS * NUMBERS, &free)};
    given.gate = given.scale;
    cvk_kernel *kernel;
    tensors t;
    cr_assert_eq(compile_kernel(spec, (goal){.target = target}, NULL, NULL, &kernel, NULL), CVK_OK, "%s on %s", layer,
                 target->name);
    const cvk_kernel_info *info = cvk_kernel_get_info(kernel);
    cr_assert_eq(tensors_bind(spec, info, &given, GUARD_END, 1, &t), CVK_OK);
    cr_assert_eq(cvk_run(info, &t.buffers, NULL), CVK_OK);
    char where[256];
    snprintf(where, sizeof where, "%s on %s", layer, target->name);
    for (int c = 0; c < CHANNELS; c++) {
        char got[NUMBERS * sizeof(double)];
        tensors_read(&t, c, got);
        judge(d, &spec->post[0], c, got, where);
    }
    tensors_free(&t);
    cvk_kernel_free(kernel);
}

static post_kind try_layer(const char *post, const char *layout, const special_data *d) {
    char yaml[512];
    snprintf(yaml, sizeof yaml,
             "{version: 1, layers: [{name: a, input: [1, 1, %d], out_channels: %d, kernel_size: 1, bias: true, "
             "layout: %s, dtype: %s, post_ops: [%s]}]}",
             NUMBERS, CHANNELS, layout, type_name(d->type), post);
    cvk_network *network;
    cr_assert_eq(cvk_network_parse(yaml, strlen(yaml), "special.yaml", NULL, &network), CVK_OK, "%s", yaml);
    char words[128];
    snprintf(words, sizeof words, "%s, %s, %s", post, layout, type_name(d->type));
    const cvk_target *target;
    for (int i = 0; (target = target_row(i)); i++)
        if (target_runs_here(target)) try_target(cvk_network_layer(network, 0), d, target, words);
    post_kind kind = cvk_network_layer(network, 0)->post[0].kind;
    cvk_network_free(network);
    return kind;
}

static void name_targets(void) {
    const cvk_target *target;
    printf("post-ops of special values:");
    for (int i = 0; (target = target_row(i)); i++)
        printf(" %s%s", target->name, target_runs_here(target) ? "" : " (skipped: does not run here)");
    printf("\n");
}

Test(numeric, post_ops_of_infinities_nan_zeros_and_the_smallest_and_largest_numbers_are_as_ieee_has_them) {
    static const char *const layouts[] = {"channels_first", "channels_last", "blocked"};
    bool tried[POST_KINDS] = {false};
    static const cvk_type types[] = {TYPE_F32, TYPE_F64};
    special_data d[2];
    for (int t = 0; t < 2; t++) fill(&d[t], types[t]);
    name_targets();
    for (int p = 0; p < POST_OPS_TRIED; p++)
        for (size_t l = 0; l < sizeof layouts / sizeof *layouts; l++)
            for (int t = 0; t < 2; t++) tried[try_layer(post_ops[p], layouts[l], &d[t])] = true;
    for (int kind = 0; kind < POST_KINDS; kind++)
        cr_expect(tried[kind], "%s is not tried", spec_post_name((post_kind)kind));
}
