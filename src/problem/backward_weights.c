/* Gradients of the weights: a convolution over a convolution's tensors. Of the larger tensor, the input, and the
 * smaller one, the gradients of the output (of a transposed layer the other way round),
 *
 *     g(small channel, large channel, k) = sum over images n and positions p of
 *                                          small(n, small channel, p) large(n, large channel, p stride + k dilation -
 * before)
 *
 * so the smaller tensor's channels are output channels and its positions taps, the kernel's taps are output positions,
 * stride and dilation trade places, and images are what is summed over. Where the kernel is one tap, inside the larger
 * tensor, the two are alike but for the positions that strides leave out, and the one of less elements is the smaller:
 * what stands for weights is packed each time. Up to two dimensions, large channels are an
 * axis of their own, so that a register tile has several; where every group has but one, images are that axis, and
 * groups stay groups. Groups of several channels are a problem each, and so are runs of channels between blocks. */
#include "problem/backward_weights.h"

#include "base/integers.h"

#include "spec/spec.h"

enum { BLOCK = 16 };

/* The two tensors and the layer's own axes, by size. */
typedef struct pair {
    view large, small;
    int64_t large_channels, small_channels; /* of a group */
    bool turned;                            /* gradients are large channels, then small ones */
    problem_axis axis[AXES];                /* of the convolution from large to small */
} pair;

/* Whether every position of the smaller tensor meets one of the larger, which is there. */
static bool is_pointwise(const cvk_spec *s) {
    bool plain = spec_taps(s) == 1;
    for (int a = 0; a < AXES; a++) plain &= s->pad_before[a] == 0 && s->pad_after[a] == 0;
    return plain;
}

/* What the larger tensor is where the smaller one meets it stands for the smaller, and the smaller for the larger. */
static pair trade(const pair *p) {
    pair traded = {.large = p->small,
                   .small = p->large,
                   .large_channels = p->small_channels,
                   .small_channels = p->large_channels,
                   .turned = true};
    for (int a = 0; a < AXES; a++) {
        const int64_t size = p->axis[a].out;
        traded.small.axis[a] *= p->axis[a].step;
        traded.axis[a] = (problem_axis){.out = size, .taps = 1, .in = size, .step = 1, .tap_step = 1};
    }
    return traded;
}

static pair pair_of(const cvk_spec *s) {
    const view x = view_dense(s->input_type, s->input_layout, s->batch, s->in_channels, s->groups, s->in_size);
    const view y = view_dense(s->output_type, s->output_layout, s->batch, s->out_channels, s->groups, s->out_size);
    const int64_t in = spec_group_in(s), out = spec_group_out(s);
    pair p = s->transposed ? (pair){.large = y, .small = x, .large_channels = out, .small_channels = in}
                           : (pair){.large = x, .small = y, .large_channels = in, .small_channels = out};
    for (int a = 0; a < AXES; a++)
        p.axis[a] = (problem_axis){.out = s->transposed ? s->in_size[a] : s->out_size[a],
                                   .taps = s->kernel[a],
                                   .in = s->transposed ? s->out_size[a] : s->in_size[a],
                                   .step = s->stride[a],
                                   .tap_step = s->dilation[a],
                                   .origin = -s->pad_before[a]};
    const bool apart = s->groups > 1 && p.large_channels == 1; /* lanes are channels of all groups */
    return is_pointwise(s) && !apart && p.large_channels < p.small_channels ? trade(&p) : p;
}

/* ---- pieces: neighbouring channels of a group ---- */

static bool is_depthwise(const cvk_spec *s, const pair *p) {
    return p->large_channels == 1 && s->groups > 1 && s->rank < AXES;
}

/* `count` channels from `first` of all groups on, `blocks` times, a block apart. */
typedef struct piece {
    int64_t first, count, blocks;
} piece;

/* Channels that are evenly spaced, from `first` on: within a block, as far as `end`; of one group whose problem has an
 * axis to spare, all whole blocks together. */
static piece piece_from(const cvk_spec *s, const view *v, int64_t first, int64_t end) {
    if (v->block == 1) return (piece){first, end - first, 1};
    if (s->groups == 1 && s->rank < AXES && first == 0 && end >= BLOCK) return (piece){0, BLOCK, end / BLOCK};
    const int64_t next = (first / BLOCK + 1) * BLOCK;
    return (piece){first, (next < end ? next : end) - first, 1};
}

/* Number `index` of a group's pieces; count 0: there are not so many. */
static piece find_piece(const cvk_spec *s, const view *v, int64_t group, int64_t channels, int64_t index) {
    const int64_t begin = group * channels, end = begin + channels;
    piece found = {begin, 0, 0};
    for (int64_t at = begin; at < end; at = found.first + found.count * found.blocks) {
        found = piece_from(s, v, at, end);
        if (index-- == 0) return found;
    }
    return (piece){0, 0, 0};
}

/* Small channels are lanes, which blocks do not disturb but where groups begin within them. */
static piece find_small(const cvk_spec *s, const pair *p, int64_t group, int64_t index) {
    if (s->groups > 1) return find_piece(s, &p->small, group, p->small_channels, index);
    return index == 0 ? (piece){0, p->small_channels, 1} : (piece){0, 0, 0};
}

static piece find_large(const cvk_spec *s, const pair *p, int64_t group, int64_t index) {
    return find_piece(s, &p->large, group, p->large_channels, index);
}

/* The pieces of problem number `index`; false: there are not so many. */
static bool find_pieces(const cvk_spec *s, const pair *p, int64_t index, piece *large, piece *small) {
    for (int64_t g = 0; g < s->groups; g++)
        for (int64_t i = 0; (*small = find_small(s, p, g, i)).count > 0; i++)
            for (int64_t k = 0; (*large = find_large(s, p, g, k)).count > 0; k++)
                if (index-- == 0) return true;
    return false;
}

/* ---- parts: of images, and of the rows of each ---- */

static const int64_t PART_BYTES = 768 * 1024; /* of both images */
enum { MOST_PARTS = 16, MOST_SUMS = 2 /* times both images, to go through memory another time */ };

/* The axis of a problem whose taps are the rows. */
static int row_axis(const cvk_spec *s) { return s->rank == 1 ? AXIS_H : AXIS_D; }

static int64_t rows_of(const cvk_spec *s) {
    const int axis = AXES - s->rank;
    return s->transposed ? s->in_size[axis] : s->out_size[axis];
}

/* Parts of images, and each in parts of rows. */
typedef struct parts {
    int64_t images, rows;
} parts;

static parts parts_of(const cvk_spec *s) {
    const int64_t sums = spec_weights_elements(s) * type_bytes(spec_sum_type(s));
    const int64_t both =
        spec_input_elements(s) * type_bytes(s->input_type) + spec_output_elements(s) * type_bytes(s->output_type);
    int64_t wanted = lesser(lesser((both + PART_BYTES - 1) / PART_BYTES, both / (2 * sums)), MOST_PARTS);
    if (wanted < 1) wanted = 1;
    const int64_t images = lesser(wanted, s->batch);
    return (parts){images, lesser(wanted / images, rows_of(s))};
}

int backward_weights_parts(const cvk_spec *s) {
    const parts p = parts_of(s);
    return (int)(p.images * p.rows);
}

bool backward_weights_across(const cvk_spec *s) {
    return spec_taps(s) > 1 &&
           spec_weights_elements(s) <= MOST_SUMS * (spec_input_elements(s) + spec_output_elements(s));
}

bool backward_weights_wait(const cvk_spec *s) { return backward_weights_parts(s) > 1 || backward_weights_across(s); }

gradient_matrix backward_weights_matrix(const cvk_spec *s) {
    const pair p = pair_of(s);
    const int64_t groups = is_depthwise(s, &p) ? 1 : s->groups, rows = p.small_channels * s->groups / groups;
    return (gradient_matrix){groups, rows, spec_weights_elements(s) / groups / rows};
}

/* Problems of a part. */
static int pieces_of(const cvk_spec *s) {
    const pair p = pair_of(s);
    piece large, small;
    int count = 1;
    if (is_depthwise(s, &p)) return 1;
    while (find_pieces(s, &p, count, &large, &small)) count++;
    return count;
}

bool backward_weights_pack_input(const cvk_spec *s) { return pair_of(s).turned != s->transposed; }

int backward_weights_count(const cvk_spec *s) { return pieces_of(s) * backward_weights_parts(s); }

/* ---- a problem ---- */

/* From a gradient to that of the next channel, and of the next tap. */
typedef struct steps {
    int64_t small, large, tap;
} steps;

/* Lanes are small channels, which lie side by side in parts' sums; in what comes out taps do, then large channels, or,
 * turned, small ones. */
static steps steps_of(const cvk_spec *s, const pair *p) {
    const int64_t taps = spec_taps(s), side = is_depthwise(s, p) ? p->small_channels * s->groups : p->small_channels;
    if (backward_weights_across(s)) return (steps){1, taps * side, side};
    return p->turned ? (steps){1, p->small_channels, 1} : (steps){p->large_channels * taps, taps, 1};
}

/* Where those of two pieces begin: group by group. */
static int64_t gradients_at(const cvk_spec *s, const pair *p, int64_t small, int64_t large) {
    const steps step = steps_of(s, p);
    const int64_t group = small / p->small_channels, each = p->small_channels * p->large_channels * spec_taps(s);
    return group * each + small % p->small_channels * step.small + large % p->large_channels * step.large;
}

/* The gradients, or where they are to be added up, sums: small channels, large channels of a group, kernel;
 * flipped, from the last tap on. */
static view view_of_gradients(const cvk_spec *s, const pair *p) {
    const steps of = steps_of(s, p);
    view v = {.type = backward_weights_wait(s) ? spec_sum_type(s) : s->weights_type,
              .channel = of.small,
              .block = 1,
              .channels = p->small_channels * s->groups,
              .group = p->small_channels,
              .elements = spec_result_elements(s)};
    int64_t step = of.tap;
    for (int a = AXES - 1; a >= 0; a--) {
        v.axis[a] = s->flip_kernel ? -step : step;
        if (s->flip_kernel) v.base += (s->kernel[a] - 1) * step;
        step *= s->kernel[a];
    }
    return v;
}

/* Where a channel of all groups begins. */
static int64_t channel_at(const view *v, int64_t channel) {
    return channel / v->block * v->channel + channel % v->block * v->in_block;
}

/* From a channel to the next. */
static int64_t channel_step(const view *v) { return v->block > 1 ? v->in_block : v->channel; }

/* Positions become taps and taps positions. */
static problem_axis traded(const problem_axis *a) {
    return (problem_axis){
        .out = a->taps, .taps = a->out, .in = a->in, .step = a->tap_step, .tap_step = a->step, .origin = a->origin};
}

static const problem_axis ALONE = {.out = 1, .taps = 1, .in = 1, .step = 1, .tap_step = 1, .origin = 0};

/* The axes of the problem; with one to spare they move up, and the last is free. */
static void set_axes(const cvk_spec *s, const pair *p, problem *to) {
    const int spare = s->rank < AXES ? 1 : 0;
    for (int a = 0; a < AXES; a++) {
        const int from = a + spare;
        to->axis[a] = from < AXES ? traded(&p->axis[from]) : ALONE;
        to->x.axis[a] = from < AXES ? p->large.axis[from] : 0;
        to->w.axis[a] = from < AXES ? p->small.axis[from] : 0;
        to->y.axis[a] = from < AXES ? to->y.axis[from] : 0;
    }
}

static problem begin(const cvk_spec *s, const pair *p) {
    problem to = {.name = s->name,
                  .n = 1,
                  .groups = 1,
                  .in_channels = 1,
                  .out_channels = p->small_channels,
                  .x = p->large,
                  .w = p->small,
                  .y = view_of_gradients(s, p),
                  .sum = spec_sum_type(s),
                  .border = s->padding,
                  .constant = s->padding_constant,
                  .accuracy = ACCURACY_STRICT,
                  .post = {.accumulate = s->batch_any || (s->accumulate && !backward_weights_wait(s))}};
    set_axes(s, p, &to);
    if (!problem_has_border(&to)) to.border = PAD_ZEROS;
    return to;
}

/* Lanes may be channels of all groups. Images are taps of the free axis. */
static problem depthwise_of(const cvk_spec *s, const pair *p) {
    problem to = begin(s, p);
    to.groups = s->groups;
    to.axis[AXIS_W] = (problem_axis){.out = 1, .taps = s->batch, .in = s->batch, .step = 1, .tap_step = 1, .origin = 0};
    to.x.axis[AXIS_W] = p->large.n;
    to.w.axis[AXIS_W] = p->small.n;
    to.x.n = to.w.n = 0;
    return to;
}

/* Of large channels, an axis, or where there is none to spare, what images are elsewhere. */
static void take_large(const cvk_spec *s, problem *to, const piece *c, const view *large, int64_t step) {
    to->x.base += channel_at(large, c->first);
    if (s->rank == AXES) {
        to->n = c->count;
        to->x.n = channel_step(large);
        to->y.n = step;
        return;
    }
    to->axis[AXIS_W] = (problem_axis){.out = c->count, .taps = 1, .in = c->count, .step = 1, .tap_step = 1};
    to->x.axis[AXIS_W] = channel_step(large);
    to->y.axis[AXIS_W] = step;
    to->n = c->blocks;
    to->x.n = large->channel;
    to->y.n = c->count * step;
}

/* Channels of one block side by side, if not those of all blocks. */
static void take_small(const cvk_spec *s, problem *to, const piece *c, const view *small) {
    to->out_channels = c->count;
    to->w.channels = to->y.channels = c->count;
    to->w.group = 0;
    if (s->groups == 1) return;
    to->w.base += channel_at(small, c->first);
    to->w.channel = channel_step(small);
    to->w.block = 1;
    to->w.in_block = 0;
}

/* Images are input channels: a step from one to the next is one from image to image. */
static void sum_over_images(const cvk_spec *s, problem *to, const view *large) {
    to->in_channels = to->x.channels = s->batch;
    to->x.channel = large->n;
    to->x.block = 1;
    to->x.in_block = 0;
    to->x.group = 0;
}

static problem whole_of(const cvk_spec *s, int index) {
    const pair p = pair_of(s);
    piece large, small;
    if (is_depthwise(s, &p)) return depthwise_of(s, &p);
    find_pieces(s, &p, index, &large, &small);
    problem to = begin(s, &p);
    sum_over_images(s, &to, &p.large);
    take_large(s, &to, &large, &p.large, steps_of(s, &p).large);
    take_small(s, &to, &small, &p.small);
    to.y.base += gradients_at(s, &p, small.first, large.first);
    to.y.group = 0;
    return to;
}

/* ---- a part of it ---- */

/* Taps first .. first + count - 1 of an axis alone. */
static void take_taps(problem *to, int axis, int64_t first, int64_t count) {
    problem_axis *a = &to->axis[axis];
    a->origin += first * a->tap_step;
    a->taps = count;
    to->w.base += first * to->w.axis[axis];
}

static void take_images(const cvk_spec *s, problem *to, int64_t first, int64_t count) {
    const pair p = pair_of(s);
    if (is_depthwise(s, &p)) {
        take_taps(to, AXIS_W, first, count);
        return;
    }
    to->in_channels = to->x.channels = count;
    to->x.base += first * to->x.channel;
    to->w.base += first * to->w.n;
}

/* Part `index` of `count` equal ones, but for what is left over. */
static int64_t begin_of(int64_t all, int64_t count, int64_t index) { return all * index / count; }

problem backward_weights_of(const cvk_spec *s, int index) {
    const parts of = parts_of(s);
    const int count = backward_weights_parts(s), part = index % count;
    problem to = whole_of(s, index / count);
    if (count == 1) return to;
    const int64_t image = part / of.rows, row = part % of.rows;
    const int64_t n = begin_of(s->batch, of.images, image), r = begin_of(rows_of(s), of.rows, row);
    take_images(s, &to, n, begin_of(s->batch, of.images, image + 1) - n);
    take_taps(&to, row_axis(s), r, begin_of(rows_of(s), of.rows, row + 1) - r);
    if (!problem_has_border(&to)) to.border = PAD_ZEROS;
    to.y.elements = spec_weights_elements(s) * count;
    to.y.base += spec_weights_elements(s) * part;
    return to;
}
