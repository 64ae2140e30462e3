/* The formula, output by output. Post-ops are said in the words of operations, so that those which are no polynomials
 * can be compared: max, min and the like as uninterpreted functions of their arguments. */
#include "judge/formula.h"
#include "judge/resize_place.h"

#include <math.h>
#include <stdlib.h>

enum { ABSENT = -1, MOST_PRODUCTS = 32 }; /* below 2^122 each: as many fit 128 bits */

struct formula {
    const cvk_spec *spec;
    const formula_tensors *tensors;
    int64_t *source[AXES]; /* where output o finds tap k: [(o * kernel + k) * places + spot], or ABSENT */
    int64_t places[AXES];  /* of a tap: one, but where a border is folded back */
    residue border;        /* what the border reads: 0, or its constant */
    residue constant[MOST_POST_OPS][2];
    uint64_t min, max, select_negative, other[MOST_POST_OPS];
    struct set *set; /* what the sets of inputs come to that norms and softmax are over; NULL: there are none */
};

/* Of a norm the mean and 1 / sqrt(variance + epsilon); of a softmax the greatest and the sum of the exponentials. */
typedef struct set {
    residue first, second;
} set;

static int64_t modulo(int64_t i, int64_t n) { return (i % n + n) % n; }

/* Position i of an axis of n with its border: the position that it repeats. */
static int64_t bordered(padding_mode mode, int64_t i, int64_t n) {
    if (i >= 0 && i < n) return i;
    if (mode == PAD_REPLICATE) return i < 0 ? 0 : n - 1;
    if (mode == PAD_CIRCULAR) return modulo(i, n);
    if (mode == PAD_ZEROS || mode == PAD_CONSTANT) return ABSENT;
    int64_t period = mode == PAD_SYMMETRIC ? 2 * n : n > 1 ? 2 * n - 2 : 1, at = modulo(i, period);
    if (at < n) return at;
    return mode == PAD_SYMMETRIC ? period - 1 - at : period - at;
}

static int64_t gathered_from(const cvk_spec *s, int axis, int64_t o, int64_t k) {
    return bordered(s->padding, o * s->stride[axis] + k * s->dilation[axis] - s->pad_before[axis], s->in_size[axis]);
}

/* Transposed, input i reaches output i stride + k dilation - before by tap k. */
static int64_t spread_from(const cvk_spec *s, int axis, int64_t o, int64_t k) {
    int64_t far = o + s->pad_before[axis] - k * s->dilation[axis], i = far / s->stride[axis];
    return far >= 0 && far % s->stride[axis] == 0 && i < s->in_size[axis] ? i : ABSENT;
}

/* Spot 0 is the output's own; the others are those of the border, in front and behind, where they repeat it. */
static int64_t folded_from(const cvk_spec *s, int axis, int64_t o, int64_t k, int64_t spot) {
    int64_t n = s->out_size[axis], before = s->pad_before[axis];
    if (spot == 0) return spread_from(s, axis, o, k);
    int64_t p = spot <= before ? -spot : n + spot - before - 1;
    return bordered(s->padding, p, n) == o ? spread_from(s, axis, p, k) : ABSENT;
}

static bool fill_sources(formula *f, int axis) {
    const cvk_spec *s = f->spec;
    bool folds = s->transposed && s->padding != PAD_ZEROS;
    int64_t kernel = s->kernel[axis], places = folds ? 1 + s->pad_before[axis] + s->pad_after[axis] : 1;
    int64_t *source = malloc((size_t)(s->out_size[axis] * kernel * places + 1) * sizeof *source);
    f->source[axis] = source;
    f->places[axis] = places;
    for (int64_t o = 0; source && o < s->out_size[axis]; o++)
        for (int64_t k = 0; k < kernel; k++)
            for (int64_t spot = 0; spot < places; spot++)
                source[(o * kernel + k) * places + spot] =
                    s->transposed ? folded_from(s, axis, o, k, spot) : gathered_from(s, axis, o, k);
    return source != NULL;
}

/* ---- sets: all positions of a group's channels, or all channels of a position ---- */

static int64_t map_of(const cvk_spec *s) { return s->in_size[0] * s->in_size[1] * s->in_size[2]; }

static bool is_over_channels(const cvk_spec *s) { return s->kind == LAYER_LAYER_NORM || s->kind == LAYER_SOFTMAX; }

/* Which set an input of an image belongs to. */
static int64_t set_of(const cvk_spec *s, int64_t n, int64_t channel, int64_t position) {
    const int64_t group = channel / (s->in_channels / s->groups);
    return (is_over_channels(s) ? n * map_of(s) + position : n) * s->groups + group;
}

/* A pass over all inputs: what each brings to its set. */
typedef void pass(set *to, residue x);
static void add_first(set *to, residue x) { to->first = residue_add(to->first, x); }
static void keep_greatest(set *to, residue x) { to->first = residue_is_greater(x, to->first) ? x : to->first; }
static void add_square(set *to, residue x) {
    const residue from = residue_sub(x, to->first);
    to->second = residue_add(to->second, residue_mul(from, from));
}
static void add_exponential(set *to, residue x) {
    to->second = residue_add(to->second, residue_apply(residue_symbol("decay"), residue_sub(x, to->first), 0, 0));
}

static void go_through(const formula *f, pass *one) {
    const cvk_spec *s = f->spec;
    const residue *x = f->tensors->input;
    for (int64_t n = 0; n < s->batch; n++)
        for (int64_t p = 0; p < map_of(s); p++)
            for (int64_t c = 0; c < s->in_channels; c++) one(&f->set[set_of(s, n, c, p)], *x++);
}

static void finish_norms(const formula *f, int64_t sets) {
    const cvk_spec *s = f->spec;
    const int64_t count = s->in_channels / s->groups * (is_over_channels(s) ? 1 : map_of(s));
    const residue part = residue_inverse(residue_of_integer(count));
    go_through(f, add_first);
    for (int64_t i = 0; i < sets; i++) f->set[i].first = residue_mul(f->set[i].first, part);
    go_through(f, add_square);
    for (int64_t i = 0; i < sets; i++) {
        const residue variance = residue_mul(f->set[i].second, part);
        const residue above = residue_add(variance, residue_of_double(s->epsilon));
        f->set[i].second = residue_inverse(residue_apply(residue_symbol("sqrt"), above, 0, 0));
    }
}

static bool fill_sets(formula *f) {
    const cvk_spec *s = f->spec;
    if (!is_over_channels(s) && s->kind != LAYER_GROUP_NORM) return true;
    const int64_t sets = s->batch * s->groups * (is_over_channels(s) ? map_of(s) : 1);
    f->set = calloc((size_t)sets + 1, sizeof *f->set);
    if (!f->set) return false;
    if (s->kind != LAYER_SOFTMAX) {
        finish_norms(f, sets);
        return true;
    }
    for (int64_t i = 0; i < sets; i++) f->set[i].first = residue_of_double(-INFINITY);
    go_through(f, keep_greatest);
    go_through(f, add_exponential);
    return true;
}

formula *formula_new(const cvk_spec *s, const formula_tensors *t) {
    formula *f = calloc(1, sizeof *f);
    if (!f) return NULL;
    f->spec = s, f->tensors = t;
    if (s->padding == PAD_CONSTANT) f->border = residue_of_double(s->padding_constant - s->input_zero);
    f->min = residue_symbol("min"), f->max = residue_symbol("max");
    f->select_negative = residue_symbol("select_negative");
    for (int i = 0; i < s->post_count; i++) {
        f->constant[i][0] = residue_of_double(s->post[i].a);
        f->constant[i][1] = residue_of_double(s->post[i].b);
        f->other[i] = residue_symbol(spec_post_name(s->post[i].kind));
    }
    bool good = fill_sets(f);
    for (int axis = 0; axis < AXES; axis++) good = good && fill_sources(f, axis);
    if (good) return f;
    formula_free(f);
    return NULL;
}

void formula_free(formula *f) {
    if (!f) return;
    free(f->set);
    for (int axis = 0; axis < AXES; axis++) free(f->source[axis]);
    free(f);
}

/* ---- the sum ---- */

__extension__ typedef unsigned __int128 wide;

/* 2^61 is 1. */
static residue reduced(wide sum) {
    uint64_t low = (uint64_t)sum & RESIDUE_PRIME, middle = (uint64_t)(sum >> 61) & RESIDUE_PRIME;
    return residue_add(residue_reduced(low), residue_reduced(middle + (uint64_t)(sum >> 122)));
}

static residue sum_of_products(const residue *x, const residue *w, int64_t count) {
    residue total = 0;
    for (int64_t i = 0; i < count;) {
        int64_t end = count - i < MOST_PRODUCTS ? count : i + MOST_PRODUCTS;
        wide sum = 0;
        for (; i < end; i++) sum += (wide)x[i] * w[i];
        total = residue_add(total, reduced(sum));
    }
    return total;
}

/* One output channel of one image. */
typedef struct channel {
    const formula *formula;
    int64_t n, oc;
    const residue *input;   /* of the image, from its group's first channel on */
    const residue *weights; /* of the channel */
} channel;

/* Of a window: its residues' greatest, or their sum over how many there are, padding among them or not. */
static residue pooled(const channel *c, const int64_t o[AXES]) {
    const cvk_spec *s = c->formula->spec;
    const bool mean = s->kind == LAYER_AVERAGE_POOL;
    residue all = mean ? 0 : residue_of_double(-INFINITY);
    int64_t counted = 0, k[AXES];
    for (k[0] = 0; k[0] < s->kernel[0]; k[0]++)
        for (k[1] = 0; k[1] < s->kernel[1]; k[1]++)
            for (k[2] = 0; k[2] < s->kernel[2]; k[2]++) {
                int64_t position = 0, outside = 0, beyond = 0;
                for (int a = 0; a < AXES; a++) {
                    const int64_t i = o[a] * s->stride[a] + k[a] * s->dilation[a] - s->pad_before[a];
                    outside += i < 0 || i >= s->in_size[a];
                    beyond += i >= s->in_size[a] + s->pad_after[a];
                    position = position * s->in_size[a] + i;
                }
                counted += s->count_include_pad ? beyond == 0 : outside == 0;
                if (outside) continue;
                const residue x = c->input[position * s->in_channels];
                all = mean ? residue_add(all, x) : residue_is_greater(x, all) ? x : all;
            }
    return mean ? residue_mul(all, residue_inverse(residue_of_integer(counted))) : all;
}

/* The border reads the same in every channel. */
static residue product_with_border(const formula *f, const residue *weights, int64_t channels) {
    residue sum = 0;
    for (int64_t i = 0; f->border && i < channels; i++) sum = residue_add(sum, residue_mul(weights[i], f->border));
    return sum;
}

/* Which residues stand for NaN, and the number that is summed for them and for the others, in the words of the nest. */
typedef struct weighed {
    residue sum, met, all;
} weighed;

static void weigh(const formula *f, weighed *w, residue x, residue weight) {
    const residue none = residue_is_greater(x, residue_of_double(INFINITY)) ? RESIDUE_PRIME - 1 : 0;
    const residue number = residue_apply(f->select_negative, none, 0, x);
    w->sum = residue_fma(number, weight, w->sum);
    w->met = residue_fma(residue_add(none, 1), weight, w->met);
    w->all = residue_add(w->all, weight);
}

/* A sum that leaves NaN out. */
static residue reweighed(const channel *c, const int64_t o[AXES]) {
    const formula *f = c->formula;
    const cvk_spec *s = f->spec;
    const int64_t *kernel = s->kernel, *in = s->in_size, inner = s->in_channels / s->groups;
    const int64_t taps = kernel[0] * kernel[1] * kernel[2];
    weighed w = {0};
    for (int64_t tap = 0; tap < taps; tap++) {
        const int64_t k[AXES] = {tap / (kernel[1] * kernel[2]), tap / kernel[2] % kernel[1], tap % kernel[2]};
        int64_t at = 0;
        bool outside = false;
        for (int a = 0; a < AXES; a++) {
            const int64_t from = f->source[a][o[a] * kernel[a] + k[a]];
            outside |= from == ABSENT;
            at = at * in[a] + from;
        }
        const residue *weights = c->weights + (s->flip_kernel ? taps - 1 - tap : tap) * inner;
        for (int64_t i = 0; i < inner; i++)
            weigh(f, &w, outside ? f->border : c->input[at * s->in_channels + i], weights[i]);
    }
    const residue sum = residue_mul(w.sum, residue_mul(w.all, residue_inverse(w.met)));
    return s->bias ? residue_add(sum, f->tensors->bias[c->oc]) : sum;
}

static residue at_its_place(const channel *c, const int64_t o[AXES]) {
    const cvk_spec *s = c->formula->spec;
    return c->input[((o[0] * s->in_size[1] + o[1]) * s->in_size[2] + o[2]) * s->in_channels];
}

static residue sum_of_taps(const channel *c, const int64_t o[AXES]) {
    const cvk_spec *s = c->formula->spec;
    const int64_t *kernel = s->kernel, *in = s->in_size, inner = s->in_channels / s->groups;
    const int64_t *places = c->formula->places;
    const int64_t *d = c->formula->source[AXIS_D] + o[AXIS_D] * kernel[AXIS_D] * places[AXIS_D];
    const int64_t *h = c->formula->source[AXIS_H] + o[AXIS_H] * kernel[AXIS_H] * places[AXIS_H];
    const int64_t *w = c->formula->source[AXIS_W] + o[AXIS_W] * kernel[AXIS_W] * places[AXIS_W];
    int64_t taps = kernel[AXIS_D] * kernel[AXIS_H] * kernel[AXIS_W];
    residue sum = s->bias ? c->formula->tensors->bias[c->oc] : 0;
    for (int64_t kd = 0; kd < kernel[AXIS_D] * places[AXIS_D]; kd++)
        for (int64_t kh = 0; kh < kernel[AXIS_H] * places[AXIS_H]; kh++)
            for (int64_t kw = 0; kw < kernel[AXIS_W] * places[AXIS_W]; kw++) {
                int64_t tap =
                    (kd / places[AXIS_D] * kernel[AXIS_H] + kh / places[AXIS_H]) * kernel[AXIS_W] + kw / places[AXIS_W];
                const residue *g = c->weights + (s->flip_kernel ? taps - 1 - tap : tap) * inner;
                if (d[kd] == ABSENT || h[kh] == ABSENT || w[kw] == ABSENT) {
                    sum = residue_add(sum, product_with_border(c->formula, g, inner));
                    continue;
                }
                const residue *x = c->input + ((d[kd] * in[AXIS_H] + h[kh]) * in[AXIS_W] + w[kw]) * s->in_channels;
                sum = residue_add(sum, sum_of_products(x, g, inner));
            }
    return sum;
}

/* What an input is in its set. */
static residue in_its_set(const channel *c, const int64_t o[AXES]) {
    const cvk_spec *s = c->formula->spec;
    const int64_t position = (o[0] * s->in_size[1] + o[1]) * s->in_size[2] + o[2];
    const set *of = &c->formula->set[set_of(s, c->n, c->oc, position)];
    const residue x = c->formula->tensors->input[(c->n * map_of(s) + position) * s->in_channels + c->oc];
    const residue from = residue_sub(x, of->first);
    if (s->kind != LAYER_SOFTMAX) return residue_mul(from, of->second);
    return residue_mul(residue_apply(residue_symbol("decay"), from, 0, 0), residue_inverse(of->second));
}

/* By the weights of both places of each axis; of an edge, by one. */
static residue resized(const channel *c, const int64_t o[AXES]) {
    const cvk_spec *s = c->formula->spec;
    residue sum = 0;
    for (int corner = 0; corner < 1 << AXES; corner++) {
        residue weight = 1;
        int64_t at = 0;
        for (int a = 0; a < AXES; a++) {
            const resize_place p = resize_place_of(s, a, o[a]);
            const int side = corner >> a & 1;
            at = at * s->in_size[a] + p.index[side];
            weight = residue_mul(
                weight, residue_mul(residue_of_integer(p.over[side]), residue_inverse(residue_of_integer(p.under))));
        }
        sum = residue_add(sum, residue_mul(weight, c->input[at * s->in_channels]));
    }
    return sum;
}

/* Before post-ops. */
static residue made_of(const channel *c, const int64_t o[AXES]) {
    switch (c->formula->spec->kind) {
    case LAYER_MAX_POOL:
    case LAYER_AVERAGE_POOL: return pooled(c, o);
    case LAYER_IDENTITY: return at_its_place(c, o);
    case LAYER_GROUP_NORM:
    case LAYER_LAYER_NORM:
    case LAYER_SOFTMAX: return in_its_set(c, o);
    case LAYER_RESIZE: return resized(c, o);
    default: return c->formula->spec->ignore_nan ? reweighed(c, o) : sum_of_taps(c, o);
    }
}

/* ---- post-ops ---- */

static residue hard_sigmoid(const formula *f, residue x) {
    residue raised = residue_add(x, 3), kept = residue_apply_commutative(f->max, 0, raised);
    return residue_mul(residue_apply_commutative(f->min, 6, kept), residue_inverse(6));
}

/* Post-op number i. `operand`: of `add` and `scale`. */
static residue apply(const formula *f, int i, residue operand, residue x) {
    const residue *constant = f->constant[i];
    switch (f->spec->post[i].kind) {
    case POST_ADD:
    case POST_SHIFT: return residue_add(x, operand);
    case POST_SCALE:
    case POST_GATE:
    case POST_MULTIPLY: return residue_mul(x, operand);
    case POST_BLEND: return residue_add(residue_mul(constant[1], x), residue_mul(constant[0], operand));
    case POST_TIMES: return residue_mul(constant[0], x);
    case POST_PLUS: return residue_add(x, constant[0]);
    case POST_RELU: return residue_apply_commutative(f->max, 0, x);
    case POST_RELU6: return residue_apply_commutative(f->min, 6, residue_apply_commutative(f->max, 0, x));
    case POST_CLAMP:
        return residue_apply_commutative(f->min, constant[1], residue_apply_commutative(f->max, constant[0], x));
    case POST_LEAKY_RELU: return residue_apply(f->select_negative, x, residue_mul(constant[0], x), x);
    case POST_HARD_SIGMOID: return hard_sigmoid(f, x);
    case POST_HARD_SWISH: return residue_mul(x, hard_sigmoid(f, x));
    default: return residue_apply(f->other[i], x, 0, 0);
    }
}

/* Number of the channel in the next vector of `scale`, `at` numbers of which have been used; of multipliers there may
 * be one for all. */
static residue next_scale(const channel *c, bool one, int64_t *at) {
    const residue x = c->formula->tensors->scale[*at + (one ? 0 : c->oc)];
    *at += one ? 1 : c->formula->spec->out_channels;
    return x;
}

/* Of map number `map`; one of bytes has a multiplier. */
static residue addend_at(const channel *c, int64_t map, int64_t position, int64_t *scale) {
    const cvk_spec *s = c->formula->spec;
    const int64_t positions = s->out_size[AXIS_D] * s->out_size[AXIS_H] * s->out_size[AXIS_W];
    const residue x = c->formula->tensors->addend[map * positions + position];
    const bool bytes = s->output_type == TYPE_U8 || s->output_type == TYPE_S8;
    return bytes ? residue_mul(x, next_scale(c, s->one_multiplier, scale)) : x;
}

/* A sum times its multiplier; how it is rounded is a symbol where that is an operation of its own. */
static residue scaled(const channel *c, residue sum, int64_t *scale) {
    const cvk_spec *s = c->formula->spec;
    const scaling how = spec_scaling(s);
    if (how == SCALING_NONE) return sum;
    const residue by = next_scale(c, s->one_multiplier, scale);
    if (how == SCALING_FLOAT) return residue_mul(sum, by);
    const char *word = how == SCALING_HALF_UP ? "scale_half_up" : "scale_double";
    return residue_apply(residue_symbol(word), sum, by, c->formula->tensors->shift[s->one_multiplier ? 0 : c->oc]);
}

/* All that becomes of a sum, the output at `position` of the channel. */
static residue finished(const channel *c, int64_t position, residue sum) {
    const formula *f = c->formula;
    const cvk_spec *s = f->spec;
    int64_t scale = 0, before[POST_OPERANDS] = {0};
    residue x = scaled(c, sum, &scale);
    for (int i = 0; i < spec_computed_post_ops(s); i++) {
        const post_operand reads = post_rows[s->post[i].kind].operand;
        const int64_t which = before[reads]++, at = (which * s->batch + c->n) * s->out_channels + c->oc;
        residue operand = 0;
        if (reads == OPERAND_TENSOR) operand = addend_at(c, at, position, &scale);
        if (reads == OPERAND_IMAGE_CHANNEL) operand = f->tensors->gate[at];
        if (reads == OPERAND_CHANNEL) operand = next_scale(c, false, &scale);
        x = apply(f, i, operand, x);
    }
    return residue_add(x, residue_of_integer(s->output_zero));
}

static residue *run_channel(const channel *c, residue *output) {
    const int64_t *size = c->formula->spec->out_size;
    int64_t o[AXES], position = 0;
    for (o[AXIS_D] = 0; o[AXIS_D] < size[AXIS_D]; o[AXIS_D]++)
        for (o[AXIS_H] = 0; o[AXIS_H] < size[AXIS_H]; o[AXIS_H]++)
            for (o[AXIS_W] = 0; o[AXIS_W] < size[AXIS_W]; o[AXIS_W]++)
                *output++ = finished(c, position++, made_of(c, o));
    return output;
}

/* ---- gradients of weights ---- */

/* Sums over images, and over all that the kernel's tap connects: what is counted in strides, and the other side. */
typedef struct connection {
    const formula *formula;
    int64_t in, out, tap[AXES]; /* channels of all groups */
} connection;

/* Where tap k of counted position p lies on an axis of the other side. */
static int64_t other_side(const connection *c, int axis, int64_t p) {
    const cvk_spec *s = c->formula->spec;
    const int64_t k = s->flip_kernel ? s->kernel[axis] - 1 - c->tap[axis] : c->tap[axis];
    return bordered(s->padding, p * s->stride[axis] + k * s->dilation[axis] - s->pad_before[axis],
                    s->transposed ? s->out_size[axis] : s->in_size[axis]);
}

/* Where nothing is on the other side, the border is. */
static residue product_at(const connection *c, int64_t n, const int64_t in[AXES], const int64_t out[AXES]) {
    const cvk_spec *s = c->formula->spec;
    const int64_t *x = s->in_size, *y = s->out_size, *other = s->transposed ? out : in;
    const int64_t i = ((n * x[0] + in[0]) * x[1] + in[1]) * x[2] + in[2];
    const int64_t o = ((n * y[0] + out[0]) * y[1] + out[1]) * y[2] + out[2];
    const bool absent = other[0] == ABSENT || other[1] == ABSENT || other[2] == ABSENT;
    if (absent && s->transposed) return 0;
    return residue_mul(absent ? c->formula->border : c->formula->tensors->input[i * s->in_channels + c->in],
                       c->formula->tensors->weights[o * s->out_channels + c->out]);
}

static residue sum_of_image(const connection *c, int64_t n) {
    const cvk_spec *s = c->formula->spec;
    const int64_t *counted = s->transposed ? s->in_size : s->out_size;
    int64_t p[AXES], q[AXES];
    residue sum = 0;
    for (p[0] = 0; p[0] < counted[0]; p[0]++) {
        q[0] = other_side(c, 0, p[0]);
        for (p[1] = 0; p[1] < counted[1]; p[1]++) {
            q[1] = other_side(c, 1, p[1]);
            for (p[2] = 0; p[2] < counted[2]; p[2]++) {
                q[2] = other_side(c, 2, p[2]);
                sum = residue_add(sum, s->transposed ? product_at(c, n, p, q) : product_at(c, n, q, p));
            }
        }
    }
    return sum;
}

/* Number `index` in the order of formula_outputs. */
static connection connection_at(const formula *f, int64_t index) {
    const cvk_spec *s = f->spec;
    const int64_t in = s->in_channels / s->groups, out = s->out_channels / s->groups, inner = s->transposed ? out : in;
    connection c = {.formula = f};
    int64_t of_group = index % inner, tap = index / inner;
    for (int a = AXES - 1; a >= 0; tap /= s->kernel[a--]) c.tap[a] = tap % s->kernel[a];
    c.in = s->transposed ? tap : tap / out * in + of_group;
    c.out = s->transposed ? tap / in * out + of_group : tap;
    return c;
}

static int64_t weights_of(const cvk_spec *s) {
    return s->in_channels / s->groups * s->out_channels * s->kernel[0] * s->kernel[1] * s->kernel[2];
}

static residue gradient_of_bias(const formula *f, int64_t oc) {
    const cvk_spec *s = f->spec;
    residue sum = 0;
    for (int64_t i = 0; i < s->batch * s->out_size[0] * s->out_size[1] * s->out_size[2]; i++)
        sum = residue_add(sum, f->tensors->weights[i * s->out_channels + oc]);
    return sum;
}

static residue gradient_at(const formula *f, int64_t index) {
    if (index >= weights_of(f->spec)) return gradient_of_bias(f, index - weights_of(f->spec));
    const connection c = connection_at(f, index);
    residue sum = 0;
    for (int64_t n = 0; n < f->spec->batch; n++) sum = residue_add(sum, sum_of_image(&c, n));
    return sum;
}

/* ---- all ---- */

int64_t formula_channels(const cvk_spec *s) {
    if (s->direction == DIRECTION_FORWARD) return s->batch * s->out_channels;
    return weights_of(s) + (s->bias ? s->out_channels : 0);
}

int64_t formula_outputs(const cvk_spec *s) {
    if (s->direction != DIRECTION_FORWARD) return formula_channels(s);
    return formula_channels(s) * s->out_size[AXIS_D] * s->out_size[AXIS_H] * s->out_size[AXIS_W];
}

void formula_range(const formula *f, int64_t first, int64_t last, residue *output) {
    const cvk_spec *s = f->spec;
    if (s->direction != DIRECTION_FORWARD) {
        for (int64_t i = first; i < last; i++) *output++ = gradient_at(f, i);
        return;
    }
    int64_t pixels = s->in_size[AXIS_D] * s->in_size[AXIS_H] * s->in_size[AXIS_W], inner = s->in_channels / s->groups;
    int64_t filter = inner * s->kernel[AXIS_D] * s->kernel[AXIS_H] * s->kernel[AXIS_W];
    for (int64_t i = first; i < last; i++) {
        channel c = {.formula = f, .n = i / s->out_channels, .oc = i % s->out_channels};
        int64_t group = c.oc / (s->out_channels / s->groups);
        c.input = f->tensors->input + c.n * pixels * s->in_channels + group * inner;
        c.weights = f->tensors->weights + c.oc * filter;
        output = run_channel(&c, output);
    }
}
