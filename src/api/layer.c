/* cvk_spec_create: a layer that a program filled in, brought into the form a file's layers have and held to the same
 * rules. Strings are copied into an arena that lives with the spec. */
#include "api/settings.h"
#include "spec/limits.h"
#include "spec/rules.h"
#include "spec/yaml.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* The public enumerations are the internal ones by other names. */
#define SAME(public, internal) static_assert((int)(public) == (int)(internal), "convoke.h and the spec agree")
SAME(CVK_PADDING_NUMBERS, PADDING_NUMBERS + 1);
SAME(CVK_PADDING_CAUSAL, PADDING_CAUSAL + 1);
SAME(CVK_FORWARD, DIRECTION_FORWARD);
SAME(CVK_BACKWARD_DATA, DIRECTION_BACKWARD_DATA);
SAME(CVK_BACKWARD_WEIGHTS, DIRECTION_BACKWARD_WEIGHTS);
SAME(CVK_PADDING_ZEROS, PAD_ZEROS);
SAME(CVK_PADDING_REFLECT, PAD_REFLECT);
SAME(CVK_PADDING_SYMMETRIC, PAD_SYMMETRIC);
SAME(CVK_PADDING_REPLICATE, PAD_REPLICATE);
SAME(CVK_PADDING_CIRCULAR, PAD_CIRCULAR);
SAME(CVK_PADDING_CONSTANT, PAD_CONSTANT);
#define LAYER_KIND(NAME, word, weighs, windows) SAME(CVK_LAYER_##NAME, LAYER_##NAME);
#include "base/layer_kinds.def"
#undef LAYER_KIND
#define POST_OP(name, word, parameters, operand, formula) SAME(CVK_POST_##name, POST_##name);
#include "base/post_ops.def"
#undef POST_OP
SAME(CVK_LINEAR, INTERPOLATION_LINEAR);
SAME(CVK_ALIGN_CORNERS, COORDINATES_ALIGN_CORNERS);
SAME(CVK_ROUND_PREFER_CEIL, ROUNDING_PREFER_CEIL);
SAME(CVK_ROUND_CEIL, ROUNDING_CEIL);
SAME(CVK_ROUNDING_NEAREST_EVEN, ROUND_NEAREST_EVEN);
SAME(CVK_ROUNDING_HALF_UP, ROUND_HALF_UP);
SAME(CVK_ROUNDING_DOUBLE, ROUND_DOUBLE);
SAME(CVK_F32, TYPE_F32);
SAME(CVK_F64, TYPE_F64);
SAME(CVK_F16, TYPE_F16);
SAME(CVK_BF16, TYPE_BF16);
SAME(CVK_S8, TYPE_S8);
SAME(CVK_U8, TYPE_U8);
SAME(CVK_S32, TYPE_S32);

static const accuracy accuracies[] = {[CVK_ACCURACY_DEFAULT] = ACCURACY_DEFAULT,
                                      [CVK_ACCURACY_STRICT] = ACCURACY_STRICT,
                                      [CVK_ACCURACY_FAST] = ACCURACY_FAST};

typedef struct owned_spec {
    cvk_spec spec; /* first: its address is the handle */
    arena arena;
} owned_spec;

static cvk_status refuse(cvk_diagnostics *d, const char *what) {
    diag_error(d, E_FIELD, (place){.file = ""}, NULL, "layer: not a value for %s", what);
    return CVK_ERROR_SPEC;
}

/* Per axis, from the caller's D, H, W of which the last `rank` are there; `absent` for the others and for 0. */
static void set_axes(int64_t to[AXES], const int64_t from[AXES], int rank, int64_t absent) {
    for (int axis = 0; axis < AXES; axis++) {
        int64_t given = axis < AXES - rank ? 0 : from[axis - (AXES - rank)];
        to[axis] = given ? given : absent;
    }
}

/* Where it is not said. */
static int64_t implied_kernel(const cvk_spec *s, int axis) {
    if (s->kind == LAYER_DENSE || spec_is_pool(s)) return s->in_size[axis];
    return layer_kind_rows[s->kind].windows ? 0 : 1;
}

static void set_all_axes(cvk_spec *s, const cvk_layer *l) {
    set_axes(s->in_size, l->input_size, s->rank, 0);
    set_axes(s->kernel, l->kernel_size, s->rank, 0);
    for (int axis = 0; axis < AXES - s->rank; axis++) s->in_size[axis] = s->kernel[axis] = 1;
    for (int axis = 0; axis < AXES; axis++)
        if (!s->kernel[axis]) s->kernel[axis] = implied_kernel(s, axis);
    set_axes(s->stride, l->stride, s->rank, 1);
    set_axes(s->dilation, l->dilation, s->rank, 1);
    set_axes(s->pad_before, l->padding_before, s->rank, 0);
    set_axes(s->pad_after, l->padding_after, s->rank, 0);
    if (s->kind == LAYER_RESIZE) set_axes(s->out_size, l->output_size, s->rank, 0);
    for (int axis = 0; axis < AXES - s->rank && s->kind == LAYER_RESIZE; axis++) s->out_size[axis] = 1;
    set_axes(s->output_padding, l->output_padding, s->rank, 0);
}

static void set_post_ops(cvk_spec *s, const cvk_layer *l) {
    s->post_count = (int)l->post_op_count;
    for (size_t i = 0; i < l->post_op_count; i++)
        s->post[i] = (post_op){.kind = (post_kind)l->post_ops[i].kind, .a = l->post_ops[i].a, .b = l->post_ops[i].b};
}

/* One for all, or three. */
static void set_types(cvk_spec *s, const cvk_layer *l) {
    const cvk_dtype same[] = {l->dtype, l->dtype, l->dtype}, *dtype = l->dtypes ? l->dtypes : same;
    s->input_type = (cvk_type)dtype[0];
    s->weights_type = (cvk_type)dtype[1];
    s->output_type = (cvk_type)dtype[2];
}

static const char *copy(arena *a, const char *words) { return words ? arena_string(a, words, strlen(words)) : NULL; }

/* Where it does not say so, as many as there are input channels. */
static void set_channels(cvk_spec *s, const cvk_layer *l) {
    if (!l->out_channels) s->out_channels = s->in_channels;
    if (!l->groups) s->groups = spec_groups_of_kind(s);
    if (spec_is_pool(s)) s->output_zero = s->input_zero;
}

static void set_fields(cvk_spec *s, arena *a, const cvk_layer *l) {
    *s = (cvk_spec){
        .name = copy(a, l->name),
        .rank = (int)l->spatial_rank,
        .batch = l->batch == CVK_BATCH_ANY ? 1 : l->batch,
        .batch_any = l->batch == CVK_BATCH_ANY,
        .in_channels = l->in_channels,
        .out_channels = l->out_channels,
        .groups = l->groups ? l->groups : 1,
        .padding = (padding_mode)l->padding_mode,
        .padding_constant = l->padding_constant,
        .ignore_nan = l->ignore_nan,
        .input_layout = l->input_layout,
        .output_layout = l->output_layout,
        .accuracy = accuracies[l->accuracy],
        .bias = l->bias,
        .flip_kernel = l->flip_kernel,
        .transposed = l->transposed,
        .kind = (layer_kind)l->kind,
        .ceil_mode = l->ceil_mode,
        .count_include_pad = l->count_include_pad,
        .indices = l->indices,
        .pitch = {[PITCH_INPUT] = l->input_pitch, [PITCH_OUTPUT] = l->output_pitch, [PITCH_ADDEND] = l->addend_pitch},
        .input_zero = l->input_zero_point,
        .weights_zero = l->weights_zero_point,
        .output_zero = l->output_zero_point,
        .addend_zero = l->addend_zero_point,
        .rounding = (rounding_mode)l->rounding,
        .one_multiplier = l->one_multiplier,
        .interpolation = (interpolation)l->interpolation,
        .coordinates = (coordinates)l->coordinates,
        .nearest = (nearest_rounding)l->nearest,
        .epsilon = l->epsilon != 0 ? l->epsilon : 1e-5,
        .algorithm = copy(a, l->algorithm),
        .at = {.file = ""}};
    set_types(s, l);
    if (!spec_weighs(s)) set_channels(s, l);
    set_all_axes(s, l);
    set_post_ops(s, l);
}

static cvk_status read_schedule(cvk_spec *s, arena *a, const char *words, cvk_diagnostics *d) {
    report r = {.list = d};
    const node *tree = yaml_read(a, words, strlen(words), "schedule", &r);
    if (!report_clean(&r)) return report_status(&r);
    layer_plan *plan = arena_new(a, layer_plan);
    s->schedule = plan;
    s->schedule_at = tree->at;
    return layer_plan_parse(tree, a, d, plan);
}

static bool within(const int64_t values[AXES]) {
    for (int axis = 0; axis < AXES; axis++)
        if (values[axis] < 1 || values[axis] > LIMIT_SIZE) return false;
    return true;
}

/* A padding word becomes numbers where the arithmetic is sound; elsewhere spec_finish says what is not. */
static cvk_status resolve_padding(cvk_spec *s, cvk_padding padding, cvk_diagnostics *d) {
    const padding_word word = (padding_word)((int)padding - 1);
    if (!spec_takes_padding(s, word)) return refuse(d, "padding of a transposed layer");
    if (within(s->in_size) && within(s->kernel) && within(s->stride) && within(s->dilation))
        spec_resolve_padding(s, word);
    return CVK_OK;
}

static cvk_status check(const cvk_layer *l, cvk_diagnostics *d) {
    if (l->spatial_rank < 1 || l->spatial_rank > AXES) return refuse(d, "spatial_rank");
    if ((unsigned)l->padding > CVK_PADDING_CAUSAL) return refuse(d, "padding");
    if ((unsigned)l->accuracy > CVK_ACCURACY_FAST) return refuse(d, "accuracy");
    if ((unsigned)l->kind >= LAYER_KINDS) return refuse(d, "kind");
    if ((unsigned)l->rounding >= ROUNDINGS) return refuse(d, "rounding");
    if (l->kind != CVK_LAYER_CONVOLUTION && l->output_zero_point) return refuse(d, "output_zero_point of a pool");
    if ((unsigned)l->direction >= DIRECTIONS) return refuse(d, "direction");
    if (l->kind != CVK_LAYER_CONVOLUTION && l->direction != CVK_FORWARD)
        return refuse(d, "direction of what is no convolution");
    if (l->direction != CVK_FORWARD && l->post_op_count) return refuse(d, "post_ops of gradients");
    if (l->direction == CVK_FORWARD && l->accumulate) return refuse(d, "accumulate of what goes forward");
    if (l->post_op_count > MOST_POST_OPS || (l->post_op_count && !l->post_ops)) return refuse(d, "post_ops");
    return CVK_OK;
}

/* Of a sound layer. */
static cvk_status turn_backward(cvk_spec *s, const cvk_layer *l, cvk_diagnostics *d) {
    const char *why = spec_turn_backward(s, (direction)l->direction);
    s->accumulate = l->accumulate;
    if (!why) return spec_finish(s, d);
    diag_error(d, E_UNSUPPORTED, (place){.file = ""}, NULL, "layer: %s", why);
    return CVK_ERROR_UNSUPPORTED;
}

/* The arena is the spec's own. */
static cvk_status fill(owned_spec *owned, const cvk_layer *l, cvk_diagnostics *d) {
    if (arena_guard(&owned->arena)) return CVK_ERROR_MEMORY;
    cvk_status status = check(l, d);
    if (status) return status;
    set_fields(&owned->spec, &owned->arena, l);
    if (l->schedule) status = read_schedule(&owned->spec, &owned->arena, l->schedule, d);
    if (status) return status;
    status = resolve_padding(&owned->spec, l->padding, d);
    if (!status) status = spec_finish(&owned->spec, d);
    if (!status && l->direction != CVK_FORWARD) status = turn_backward(&owned->spec, l, d);
    if (status || !l->weights.data) return status;
    return spec_take_constants(&owned->spec, &owned->arena, l->weights.data, l->weights.bytes, d);
}

cvk_status cvk_spec_create(const cvk_layer *layer, cvk_diagnostics *diagnostics, cvk_spec **spec) {
    if (!spec) return CVK_ERROR_ARGUMENT;
    *spec = NULL;
    cvk_layer l;
    if (!layer || !settings_take(&l, sizeof l, layer)) return CVK_ERROR_ARGUMENT;
    owned_spec *owned = calloc(1, sizeof *owned);
    if (!owned) return CVK_ERROR_MEMORY;
    arena_init(&owned->arena);
    cvk_status status = fill(owned, &l, diagnostics);
    if (!status)
        *spec = &owned->spec;
    else
        cvk_spec_free(&owned->spec);
    return status;
}

void cvk_spec_free(cvk_spec *spec) {
    owned_spec *owned = (owned_spec *)spec;
    if (!owned) return;
    arena_free(&owned->arena);
    free(owned);
}
