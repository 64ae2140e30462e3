/* The bound of fast transforms: norms of tiles, and of parts of filters. */
#include "judge/fft.h"
#include "judge/places.h"

#include "problem/overlap.h"

#include <math.h>
#include <stdlib.h>

typedef struct job {
    const problem *p;
    const naive_tensors *tensors;
    overlap axis[AXES];
    int64_t inputs, parts, tiles; /* of an image's channel, a filter, an image's output */
    double of_two, of_one;
    double *x;         /* 2-norms: image, input channel, tile */
    double *two, *one; /* norms: output channel, input channel of its group, part */
} job;

static int64_t product(const job *j, size_t member) {
    int64_t all = 1;
    for (int a = 0; a < AXES; a++) all *= *(const int64_t *)((const char *)&j->axis[a] + member);
    return all;
}

static void set_axes(job *j, const int size[AXES]) {
    for (int a = 0; a < AXES; a++)
        j->axis[a] = overlap_of(&j->p->axis[a], size[a], a == AXIS_W ? overlap_columns(type_bytes(j->p->sum)) : 1);
    j->inputs = product(j, offsetof(overlap, inputs));
    j->parts = product(j, offsetof(overlap, parts));
    j->tiles = product(j, offsetof(overlap, tiles));
}

static double levels_of(const int size[AXES]) {
    double levels = -1; /* the first axis is folded */
    for (int a = 0; a < AXES; a++) levels += log2(size[a]);
    return levels;
}

static void set_roundings(job *j, const int size[AXES]) {
    const double levels = levels_of(size), terms = (double)(j->p->in_channels * j->parts);
    j->of_two = 12 * levels + 3 * terms + 4;
    j->of_one = 6 * levels;
}

void fft_roundings(const problem *p, const int size[AXES], double *of_two, double *of_one) {
    job j = {.p = p};
    set_axes(&j, size);
    set_roundings(&j, size);
    *of_two = j.of_two;
    *of_one = j.of_one;
}

static void counts(const job *j, size_t member, int64_t count[AXES]) {
    for (int a = 0; a < AXES; a++) count[a] = *(const int64_t *)((const char *)&j->axis[a] + member);
}

/* ---- the input ---- */

static double greatest(const job *j, int64_t n, int64_t channel) {
    const int64_t in[AXES] = {j->p->axis[0].in, j->p->axis[1].in, j->p->axis[2].in};
    double most = 0;
    int64_t at[AXES];
    for (int64_t i = 0; i < in[0] * in[1] * in[2]; i++) {
        place_at(i, in, at);
        const double value = magnitude_at(j->p->x.type, j->tensors->input, view_element(&j->p->x, n, channel, at));
        if (!(value <= most)) most = value;
        if (isnan(most)) break;
    }
    return most;
}

/* Positions of the tile that are the input's: low <= i < high. */
static void inside(const job *j, int axis, int64_t tile, int64_t *low, int64_t *high) {
    const problem_axis *a = &j->p->axis[axis];
    const int64_t first = tile * j->axis[axis].hop + a->origin, last = first + j->axis[axis].size;
    *low = first > 0 ? first : 0;
    *high = last < a->in ? last : a->in;
    if (*high < *low) *high = *low;
}

/* Of the inputs in a tile; what a border repeats or is is counted as the greatest there is. */
static double norm_of_tile(const job *j, int64_t n, int64_t channel, const int64_t tile[AXES], double most) {
    int64_t low[AXES], high[AXES], at[AXES], all = 1, there = 1;
    double sum = 0;
    for (int a = 0; a < AXES; a++) {
        inside(j, a, tile[a], &low[a], &high[a]);
        all *= j->axis[a].size;
        there *= high[a] - low[a];
    }
    for (at[0] = low[0]; at[0] < high[0]; at[0]++)
        for (at[1] = low[1]; at[1] < high[1]; at[1]++)
            for (at[2] = low[2]; at[2] < high[2]; at[2]++) {
                const double x = magnitude_at(j->p->x.type, j->tensors->input, view_element(&j->p->x, n, channel, at));
                sum += x * x;
            }
    if (j->p->border != PAD_ZEROS) sum += (double)(all - there) * most * most;
    return sqrt(sum);
}

static void norms_of_input(job *j) {
    const problem *p = j->p;
    int64_t count[AXES], tile[AXES], channels = p->groups * p->in_channels;
    counts(j, offsetof(overlap, inputs), count);
    for (int64_t n = 0; n < p->n; n++)
        for (int64_t c = 0; c < channels; c++) {
            const int64_t channel = c % p->in_channels + c / p->in_channels * p->x.group;
            const double most = p->border != PAD_ZEROS ? fmax(greatest(j, n, channel), fabs(p->constant)) : 0;
            for (int64_t i = 0; i < j->inputs; i++) {
                place_at(i, count, tile);
                j->x[(n * channels + c) * j->inputs + i] = norm_of_tile(j, n, channel, tile, most);
            }
        }
}

/* ---- the weights ---- */

static int64_t part_of(const job *j, const int64_t tap[AXES]) {
    int64_t part = 0;
    for (int a = 0; a < AXES; a++) {
        const int64_t at = j->axis[a].parts > 1 ? tap[a] * j->p->axis[a].tap_step / j->axis[a].hop : 0;
        part = part * j->axis[a].parts + at;
    }
    return part;
}

static void norms_of_filter(job *j, int64_t oc, int64_t channel, int64_t ic) {
    const problem *p = j->p;
    const int64_t taps[AXES] = {p->axis[0].taps, p->axis[1].taps, p->axis[2].taps};
    double *two = j->two + (oc * p->in_channels + ic) * j->parts, *one = j->one + (two - j->two);
    int64_t tap[AXES];
    for (int64_t i = 0; i < taps[0] * taps[1] * taps[2]; i++) {
        place_at(i, taps, tap);
        const double w = magnitude_at(p->w.type, j->tensors->weights, view_element(&p->w, ic, channel, tap));
        two[part_of(j, tap)] += w * w;
        one[part_of(j, tap)] += w;
    }
    for (int64_t i = 0; i < j->parts; i++) two[i] = sqrt(two[i]);
}

static void norms_of_weights(job *j) {
    const problem *p = j->p;
    for (int64_t oc = 0; oc < p->groups * p->out_channels; oc++)
        for (int64_t ic = 0; ic < p->in_channels; ic++)
            norms_of_filter(j, oc, oc % p->out_channels + oc / p->out_channels * p->w.group, ic);
}

/* ---- outputs ---- */

typedef struct sums {
    double two, one, all; /* A, B; of the norms of the weights alone */
} sums;

/* Over input channels and parts. */
static sums sums_of(const job *j, int64_t n, int64_t oc, const int64_t tile[AXES]) {
    const problem *p = j->p;
    int64_t parts[AXES], part[AXES];
    sums s = {0};
    counts(j, offsetof(overlap, parts), parts);
    for (int64_t ic = 0; ic < p->in_channels; ic++)
        for (int64_t i = 0; i < j->parts; i++) {
            int64_t input = (n * p->groups + oc / p->out_channels) * p->in_channels + ic;
            place_at(i, parts, part);
            for (int a = 0; a < AXES; a++) input = input * j->axis[a].inputs + tile[a] + part[a];
            const int64_t w = (oc * p->in_channels + ic) * j->parts + i;
            s.two += j->x[input] * j->two[w];
            s.one += j->x[input] * j->one[w];
            s.all += j->x[input] + j->one[w];
        }
    return s;
}

/* Beside roundings of numbers, those of denormals, one a point and level, which products and sums enlarge. */
static double bound_of(const job *j, const sums *s, double bias) {
    const cvk_type type = j->p->sum;
    const double positions = (double)product(j, offsetof(overlap, size));
    const double largest = sqrt(positions) * (s->one + s->all) + bias;
    if (!isfinite(largest) || largest > type_greatest(type) / 4) return INFINITY;
    const double denormal = type_ulp(type, 0) * (j->of_two + j->of_one) * (4 + positions * s->all);
    return type_rows[type].unit_roundoff * (j->of_two * s->two + j->of_one * s->one + bias) + denormal;
}

static void fill_tile(const job *j, int64_t n, int64_t channel, const int64_t tile[AXES], double bound,
                      double *rounding) {
    int64_t first[AXES], last[AXES], at[AXES];
    for (int a = 0; a < AXES; a++) {
        first[a] = tile[a] * j->axis[a].hop;
        last[a] = first[a] + j->axis[a].hop < j->p->axis[a].out ? first[a] + j->axis[a].hop : j->p->axis[a].out;
    }
    for (at[0] = first[0]; at[0] < last[0]; at[0]++)
        for (at[1] = first[1]; at[1] < last[1]; at[1]++)
            for (at[2] = first[2]; at[2] < last[2]; at[2]++) rounding[view_element(&j->p->y, n, channel, at)] = bound;
}

static void fill(const job *j, double *rounding) {
    const problem *p = j->p;
    int64_t count[AXES], tile[AXES];
    counts(j, offsetof(overlap, tiles), count);
    for (int64_t n = 0; n < p->n; n++)
        for (int64_t oc = 0; oc < p->groups * p->out_channels; oc++) {
            const int64_t channel = oc % p->out_channels + oc / p->out_channels * p->y.group;
            const double bias = p->post.bias ? magnitude_at(p->sum, j->tensors->bias, channel) : 0;
            for (int64_t i = 0; i < j->tiles; i++) {
                place_at(i, count, tile);
                const sums s = sums_of(j, n, oc, tile);
                fill_tile(j, n, channel, tile, bound_of(j, &s, bias), rounding);
            }
        }
}

bool fft_rounding(const problem *p, const int size[AXES], const naive_tensors *t, double *rounding) {
    job j = {.p = p, .tensors = t};
    set_axes(&j, size);
    set_roundings(&j, size);
    const size_t tiles = (size_t)(p->n * p->groups * p->in_channels * j.inputs);
    const size_t parts = (size_t)(p->groups * p->out_channels * p->in_channels * j.parts);
    double *all = calloc(tiles + 2 * parts + 1, sizeof *all);
    if (!all) return false;
    j.x = all, j.two = all + tiles, j.one = j.two + parts;
    norms_of_input(&j);
    norms_of_weights(&j);
    fill(&j, rounding);
    free(all);
    return true;
}
