/* From a layer to its problem, and from one problem to another. */
#include "problem/problem.h"

#include "problem/backward_weights.h"
#include "spec/spec.h"

/* The kernel's own axes of dense weights, tap after tap. Flipped, they are read from the last tap on. */
static void set_taps(const cvk_spec *s, view *v) {
    int64_t step = 1;
    for (int a = AXES - 1; a >= 0; a--) {
        v->axis[a] = s->flip_kernel ? -step : step;
        if (s->flip_kernel) v->base += (s->kernel[a] - 1) * step;
        step *= s->kernel[a];
    }
}

/* Weights are dense: out_channels, in_channels of a group, kernel; transposed, in_channels, out_channels of a group,
 * kernel. */
static view view_of_weights(const cvk_spec *s) {
    const int64_t taps = spec_taps(s), in = spec_group_in(s), out = spec_group_out(s);
    view v = {.type = s->weights_type,
              .zero = s->weights_zero,
              .n = s->transposed ? out * taps : taps,
              .channel = s->transposed ? taps : in * taps,
              .group = s->transposed ? in * out : out,
              .block = 1,
              .channels = s->out_channels,
              .elements = spec_weights_elements(s)};
    set_taps(s, &v);
    return v;
}

problem_epilogue problem_epilogue_of(const cvk_spec *s) {
    problem_epilogue e = {.bias = s->bias,
                          .accumulate = s->accumulate,
                          .scaling = spec_scaling(s),
                          .one_multiplier = s->one_multiplier,
                          .addend_zero = s->addend_zero,
                          .count = spec_computed_post_ops(s)};
    for (int i = 0; i < s->post_count; i++) e.op[i] = s->post[i];
    return e;
}

/* COMBINE_SUM of the others. */
static const combination combinations[LAYER_KINDS] = {
    [LAYER_MAX_POOL] = COMBINE_MAXIMUM, [LAYER_AVERAGE_POOL] = COMBINE_MEAN,     [LAYER_IDENTITY] = COMBINE_NONE,
    [LAYER_GROUP_NORM] = COMBINE_NONE,  [LAYER_LAYER_NORM] = COMBINE_NORMALISED, [LAYER_SOFTMAX] = COMBINE_SOFTMAX,
    [LAYER_RESIZE] = COMBINE_RESIZED};

/* Once there are the mean and the deviation of its group, each channel is by itself. */
static void take_moments(const cvk_spec *s, problem *p) {
    p->groups = s->in_channels;
    p->in_channels = p->out_channels = 1;
    p->x.group = p->y.group = p->gate.group = 1;
    p->moments = view_by_channel(p->sum, s->batch, s->in_channels);
}

view problem_output(const cvk_spec *s, int pitch) {
    view v = view_pitched(s->output_type, s->output_layout, s->batch, s->out_channels, s->pitch[pitch], s->groups,
                          s->out_size);
    v.zero = pitch == PITCH_OUTPUT ? s->output_zero : s->addend_zero;
    return v;
}

/* All but the axes. */
static problem tensors_of(const cvk_spec *s) {
    problem p = {.name = s->name,
                 .n = s->batch,
                 .groups = s->groups,
                 .in_channels = spec_group_in(s),
                 .out_channels = spec_group_out(s),
                 .x = view_pitched(s->input_type, s->input_layout, s->batch, s->in_channels, s->pitch[PITCH_INPUT],
                                   s->groups, s->in_size),
                 .w = view_of_weights(s),
                 .y = problem_output(s, PITCH_OUTPUT),
                 .addend = problem_output(s, PITCH_ADDEND),
                 .known = s->known,
                 .combine = combinations[s->kind],
                 .gate = view_everywhere(s->output_type, s->output_layout, s->batch, s->out_channels, s->groups),
                 .indices = s->indices,
                 .sum = spec_sum_type(s),
                 .border = s->padding,
                 .constant = s->padding_constant - s->input_zero,
                 .accuracy = s->accuracy,
                 .epsilon = s->epsilon,
                 .post = problem_epilogue_of(s)};
    p.x.zero = s->input_zero;
    if (s->kind == LAYER_GROUP_NORM) take_moments(s, &p);
    return p;
}

bool problem_weighs(const problem *p) { return p->combine == COMBINE_SUM || p->combine == COMBINE_NUMBERS; }

/* ---- forward ---- */

/* Zeros of padding are numbers like others, whose weights count. */
static void leave_nan_out(problem *p) {
    p->combine = COMBINE_NUMBERS;
    if (p->border != PAD_ZEROS) return;
    p->border = PAD_CONSTANT;
    p->constant = 0;
}

/* Of channels_first, all that an image has lies one behind the other, as weights do: those are channels. */
static bool is_flat(const cvk_spec *s) {
    return s->kind == LAYER_DENSE && (s->input_layout == CVK_CHANNELS_FIRST || spec_taps(s) == 1);
}

static void flatten(const cvk_spec *s, problem *p) {
    if (spec_taps(s) == 1) return;
    p->in_channels *= spec_taps(s);
    p->x.channels = p->x.group = p->in_channels;
    p->x.channel = p->w.n = 1;
    for (int a = 0; a < AXES; a++) p->axis[a] = (problem_axis){.out = 1, .taps = 1, .in = 1, .step = 1, .tap_step = 1};
}

/* Where an image is one position, images are columns: they share the weights that are at hand. */
static void put_images_along(problem *p) {
    p->axis[AXIS_W].in = p->axis[AXIS_W].out = p->n;
    p->x = view_images_along(&p->x, AXIS_W);
    p->y = view_images_along(&p->y, AXIS_W);
    p->addend = view_images_along(&p->addend, AXIS_W);
    p->gate = view_images_along(&p->gate, AXIS_W);
    p->n = 1;
}

static axis_sample place_on(const cvk_spec *s, int axis) {
    const int64_t in = s->in_size[axis], out = s->out_size[axis];
    switch (s->coordinates) {
    case COORDINATES_HALF_PIXEL: return (axis_sample){2 * in, in - out, 2 * out, false};
    case COORDINATES_ALIGN_CORNERS:
        return out > 1 ? (axis_sample){in - 1, 0, out - 1, false} : (axis_sample){0, 0, 1, false};
    default: return (axis_sample){in, 0, out, false};
    }
}

/* Rounding is a place half a position, or one less a little, farther, of which the whole number below is taken. */
static axis_sample sample_of(const cvk_spec *s, int axis) {
    axis_sample a = place_on(s, axis);
    if (s->interpolation == INTERPOLATION_LINEAR) {
        a.linear = s->in_size[axis] > 1;
        return a;
    }
    if (s->nearest == ROUNDING_FLOOR) return a;
    if (s->nearest == ROUNDING_CEIL) return (axis_sample){a.step, a.origin + a.divisor - 1, a.divisor, false};
    const int64_t less = s->nearest == ROUNDING_PREFER_FLOOR;
    return (axis_sample){2 * a.step, 2 * a.origin + a.divisor - less, 2 * a.divisor, false};
}

static problem forward_of(const cvk_spec *s) {
    problem p = tensors_of(s);
    for (int a = 0; a < AXES; a++)
        p.axis[a] = (problem_axis){.out = s->out_size[a],
                                   .taps = s->kernel[a],
                                   .in = s->in_size[a],
                                   .step = s->stride[a],
                                   .tap_step = s->dilation[a],
                                   .origin = -s->pad_before[a],
                                   .before = s->count_include_pad ? s->pad_before[a] : 0,
                                   .after = s->count_include_pad ? s->pad_after[a] : 0};
    if (s->ignore_nan) leave_nan_out(&p);
    for (int a = 0; a < AXES && s->kind == LAYER_RESIZE; a++) p.sample[a] = sample_of(s, a);
    if (!problem_has_border(&p)) p.border = PAD_ZEROS;
    if (is_flat(s)) flatten(s, &p);
    if (is_flat(s) && s->batch > 1) put_images_along(&p);
    return p;
}

/* ---- transposed: phases ---- */

bool problem_folds(const cvk_spec *s) {
    bool padded = false;
    for (int a = 0; a < AXES; a++) padded |= s->pad_before[a] > 0 || s->pad_after[a] > 0;
    return s->transposed && s->direction == DIRECTION_FORWARD && padded && s->padding != PAD_ZEROS;
}

/* What comes out: what is cropped does not, but for a border that is folded back afterwards. */
static int64_t whole_size(const cvk_spec *s, int axis) {
    return s->out_size[axis] + (problem_folds(s) ? s->pad_before[axis] + s->pad_after[axis] : 0);
}

/* The axis of the convolution that the layer is the transpose of. */
static problem_axis transpose_of(const cvk_spec *s, int axis) {
    return (problem_axis){.out = s->in_size[axis],
                          .taps = s->kernel[axis],
                          .in = whole_size(s, axis),
                          .step = s->stride[axis],
                          .tap_step = s->dilation[axis],
                          .origin = problem_folds(s) ? 0 : -s->pad_before[axis]};
}

view problem_unfolded(const cvk_spec *s) {
    const int64_t size[AXES] = {whole_size(s, AXIS_D), whole_size(s, AXIS_H), whole_size(s, AXIS_W)};
    const cvk_layout layout = s->output_layout == CVK_CHANNELS_FIRST ? CVK_CHANNELS_FIRST : CVK_CHANNELS_LAST;
    return view_dense(spec_sum_type(s), layout, s->batch, s->out_channels, s->groups, size);
}

/* Of an axis, those that there is output of. */
static int64_t phases_of(const cvk_spec *s, int axis) {
    return s->stride[axis] < whole_size(s, axis) ? s->stride[axis] : whole_size(s, axis);
}

static void set_residues(const cvk_spec *s, int index, int64_t residue[AXES]) {
    for (int a = AXES - 1; a >= 0; a--) {
        residue[a] = index % phases_of(s, a);
        index /= (int)phases_of(s, a);
    }
}

/* Where no tap reaches a phase it has one all the same, which is absent everywhere: its sums are the bias. */
static axis_phase present_phase(axis_phase f) {
    if (f.axis.taps > 0) return f;
    f.axis.taps = f.axis.tap_step = 1;
    f.axis.origin = -f.axis.out;
    f.first_tap = f.tap_stride = 0;
    return f;
}

static void restrict_view(view *v, int axis, const axis_phase *f) {
    v->base += f->first_out * v->axis[axis];
    v->axis[axis] *= f->out_stride;
}

static void restrict_axis(problem *p, int axis, const axis_phase *f) {
    p->axis[axis] = f->axis;
    p->w.base += f->first_tap * p->w.axis[axis];
    p->w.axis[axis] *= f->tap_stride;
    restrict_view(&p->y, axis, f);
    restrict_view(&p->addend, axis, f);
}

/* Sums alone, directly, to where a border is folded back. */
static void leave_unfolded(const cvk_spec *s, problem *p) {
    p->y = p->addend = problem_unfolded(s);
    p->accuracy = ACCURACY_STRICT;
    p->post = (problem_epilogue){0};
}

static problem phase_of(const cvk_spec *s, int index) {
    problem p = tensors_of(s);
    int64_t residue[AXES];
    p.border = PAD_ZEROS;
    if (problem_folds(s)) leave_unfolded(s, &p);
    set_residues(s, index, residue);
    for (int a = 0; a < AXES; a++) {
        const problem_axis whole = transpose_of(s, a);
        const axis_phase f = present_phase(axis_phase_of(&whole, residue[a]));
        restrict_axis(&p, a, &f);
    }
    return p;
}

/* ---- both ---- */

int problem_count(const cvk_spec *s) {
    int64_t phases = 1;
    if (spec_is_chain(s)) return spec_link_count(s);
    if (s->direction == DIRECTION_BACKWARD_WEIGHTS) return backward_weights_count(s);
    for (int a = 0; a < AXES && s->transposed; a++) phases *= phases_of(s, a);
    return (int)phases;
}

problem problem_of(const cvk_spec *s, int index) {
    if (spec_is_chain(s)) {
        const cvk_spec link = spec_link(s, index);
        return forward_of(&link);
    }
    if (s->direction == DIRECTION_BACKWARD_WEIGHTS) return backward_weights_of(s, index);
    return s->transposed ? phase_of(s, index) : forward_of(s);
}

void problem_print(const cvk_spec *s, int index, text *out) {
    static const char *const NAMES[AXES] = {"od", "oh", "ow"};
    int64_t residue[AXES];
    if (problem_count(s) == 1) return;
    if (s->direction == DIRECTION_BACKWARD_WEIGHTS || spec_is_chain(s)) {
        text_add(out, spec_is_chain(s) ? "layer %d" : "part %d", index);
        return;
    }
    set_residues(s, index, residue);
    const char *joint = "";
    for (int a = 0; a < AXES; a++) {
        if (s->stride[a] == 1) continue;
        text_add(out, "%s%s = %lld modulo %lld", joint, NAMES[a], (long long)residue[a], (long long)s->stride[a]);
        joint = ", ";
    }
}

bool problem_alike(const problem *a, const problem *b) {
    bool alike = !a->known && !b->known && a->n == b->n && a->out_channels == b->out_channels &&
                 a->in_channels == b->in_channels;
    for (int i = 0; i < AXES; i++) {
        const problem_axis *x = &a->axis[i], *y = &b->axis[i];
        alike &= x->out == y->out && x->taps == y->taps && x->in == y->in && x->step == y->step &&
                 x->tap_step == y->tap_step && x->origin == y->origin;
    }
    return alike;
}

/* Whether positions of the outer axis follow on those of the inner one. */
static bool follows_on(const view *v, int outer, int inner, int64_t size) {
    return v->axis[outer] == size * v->axis[inner];
}

static void merge(problem *p, int outer, int inner) {
    problem_axis *o = &p->axis[outer], *i = &p->axis[inner];
    if (!axis_is_plain(o) || !axis_is_plain(i)) return;
    if (!follows_on(&p->x, outer, inner, i->in) || !follows_on(&p->y, outer, inner, i->out) ||
        !follows_on(&p->addend, outer, inner, i->out))
        return;
    i->in *= o->in;
    i->out *= o->out;
    o->in = o->out = 1;
    p->x.axis[outer] = i->in * p->x.axis[inner];
    p->y.axis[outer] = i->out * p->y.axis[inner];
    p->addend.axis[outer] = i->out * p->addend.axis[inner];
}

problem problem_merged(const problem *p) {
    problem merged = *p;
    merge(&merged, AXIS_D, AXIS_H);
    merge(&merged, AXIS_H, AXIS_W);
    return merged;
}

problem problem_repeated(const problem *p) {
    problem r = *p;
    r.groups = p->groups * p->out_channels;
    r.out_channels = 1;
    r.x = view_repeated(&p->x, p->out_channels);
    r.x.group = r.w.group = r.y.group = r.addend.group = 1;
    return r;
}

bool problem_is_padded(const problem *p) {
    bool padded = false;
    for (int a = 0; a < AXES; a++) padded |= axis_before(&p->axis[a]) > 0 || axis_after(&p->axis[a]) > 0;
    return padded;
}

bool problem_has_border(const problem *p) { return problem_is_padded(p) && p->border != PAD_ZEROS; }

problem problem_with_border_packed(const problem *p) {
    problem packed = *p;
    for (int a = 0; a < AXES; a++) {
        packed.axis[a].in += axis_before(&p->axis[a]) + axis_after(&p->axis[a]);
        packed.axis[a].origin += axis_before(&p->axis[a]);
    }
    packed.border = PAD_ZEROS;
    return packed;
}

static int64_t product(const problem *p, size_t member) {
    int64_t n = 1;
    for (int a = 0; a < AXES; a++) n *= *(const int64_t *)((const char *)&p->axis[a] + member);
    return n;
}

bool problem_is_of_windows(const problem *p) {
    return p->combine != COMBINE_NORMALISED && p->combine != COMBINE_SOFTMAX && p->combine != COMBINE_RESIZED;
}
int64_t problem_multiplier(const problem *p) { return p->out_channels / p->in_channels; }
int64_t problem_taps(const problem *p) { return product(p, offsetof(problem_axis, taps)); }
int64_t problem_pixels(const problem *p) { return product(p, offsetof(problem_axis, out)); }

double problem_multiply_adds(const problem *p) {
    const int64_t products = problem_is_of_windows(p) ? p->in_channels * problem_taps(p) : 1;
    return (double)(p->n * p->groups * p->out_channels * problem_pixels(p)) * (double)products;
}

int problem_operands(const problem *p, post_operand operand) {
    return post_count_reading(p->post.op, p->post.count, operand);
}

cvk_type problem_post_type(const problem *p) { return p->post.scaling == SCALING_FLOAT ? TYPE_F32 : p->sum; }
