/* From a layer to its problem, and from one problem to another. */
#include "problem/problem.h"

#include "spec/spec.h"

/* Weights are dense: out_channels, in_channels of a group, kernel. Flipped, they are read from the last tap on. */
static view view_of_weights(const cvk_spec *s) {
    int64_t taps = spec_taps(s), step = 1, filter = spec_group_in(s) * taps;
    view v = {.type = spec_type(s),
              .n = taps,
              .channel = filter,
              .group = spec_group_out(s),
              .block = 1,
              .channels = s->out_channels,
              .elements = s->out_channels * filter};
    for (int a = AXES - 1; a >= 0; a--) {
        v.axis[a] = s->flip_kernel ? -step : step;
        if (s->flip_kernel) v.base += (s->kernel[a] - 1) * step;
        step *= s->kernel[a];
    }
    return v;
}

static problem_epilogue epilogue_of(const cvk_spec *s) {
    problem_epilogue e = {.bias = s->bias, .count = s->post_count};
    for (int i = 0; i < s->post_count; i++) e.op[i] = s->post[i];
    return e;
}

problem problem_of(const cvk_spec *s) {
    problem p = {.name = s->name,
                 .n = s->batch,
                 .groups = s->groups,
                 .in_channels = spec_group_in(s),
                 .out_channels = spec_group_out(s),
                 .x = view_dense(spec_type(s), s->input_layout, s->batch, s->in_channels, s->groups, s->in_size),
                 .w = view_of_weights(s),
                 .y = view_dense(spec_type(s), s->output_layout, s->batch, s->out_channels, s->groups, s->out_size),
                 .sum = spec_type(s),
                 .border = s->padding,
                 .accuracy = s->accuracy,
                 .post = epilogue_of(s)};
    for (int a = 0; a < AXES; a++)
        p.axis[a] = (problem_axis){.out = s->out_size[a],
                                   .taps = s->kernel[a],
                                   .in = s->in_size[a],
                                   .step = s->stride[a],
                                   .tap_step = s->dilation[a],
                                   .origin = -s->pad_before[a]};
    if (!problem_has_border(&p)) p.border = PAD_ZEROS;
    return p;
}

/* Whether positions of the outer axis follow on those of the inner one. */
static bool follows_on(const view *v, int outer, int inner, int64_t size) {
    return v->axis[outer] == size * v->axis[inner];
}

static void merge(problem *p, int outer, int inner) {
    problem_axis *o = &p->axis[outer], *i = &p->axis[inner];
    if (!axis_is_plain(o) || !axis_is_plain(i)) return;
    if (!follows_on(&p->x, outer, inner, i->in) || !follows_on(&p->y, outer, inner, i->out)) return;
    i->in *= o->in;
    i->out *= o->out;
    o->in = o->out = 1;
    p->x.axis[outer] = i->in * p->x.axis[inner];
    p->y.axis[outer] = i->out * p->y.axis[inner];
}

problem problem_merged(const problem *p) {
    problem merged = *p;
    merge(&merged, AXIS_D, AXIS_H);
    merge(&merged, AXIS_H, AXIS_W);
    return merged;
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

int64_t problem_multiplier(const problem *p) { return p->out_channels / p->in_channels; }
int64_t problem_taps(const problem *p) { return product(p, offsetof(problem_axis, taps)); }
int64_t problem_pixels(const problem *p) { return product(p, offsetof(problem_axis, out)); }

double problem_multiply_adds(const problem *p) {
    return (double)(p->n * p->groups * p->out_channels * problem_pixels(p)) *
           (double)(p->in_channels * problem_taps(p));
}

int problem_count_post(const problem *p, post_kind kind) {
    int count = 0;
    for (int i = 0; i < p->post.count; i++) count += p->post.op[i].kind == kind;
    return count;
}
