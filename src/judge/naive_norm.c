/* Set by set: the positions of a group's channels, or a group's channels of a position. */
#include "judge/naive_norm.h"
#include "judge/bound.h"

#include <math.h>

/* Inputs `step` apart. */
typedef struct set {
    cvk_type type;
    const void *input;
    int64_t first, step, count;
} set;

static long double member(const set *of, int64_t i) {
    return type_read(of->type, (const char *)of->input + (of->first + i * of->step) * type_bytes(of->type));
}

static int64_t positions(const cvk_spec *s) { return s->in_size[0] * s->in_size[1] * s->in_size[2]; }

/* Of channel i of all images' that one is over. */
static set group_of(const cvk_spec *s, const void *input, int64_t i) {
    const int64_t channels = s->in_channels / s->groups, map = positions(s);
    return (set){s->input_type, input, i / channels * channels * map, 1, channels * map};
}

/* Of a group of all images'. */
static set channels_at(const cvk_spec *s, const void *input, int64_t group, int64_t position) {
    const int64_t map = positions(s), channels = s->in_channels / s->groups;
    return (set){s->input_type, input, group * channels * map + position, map, channels};
}

/* ---- norms ---- */

static spread_about spread_of(const set *of, double epsilon) {
    long double sum = 0, squares = 0;
    for (int64_t i = 0; i < of->count; i++) sum += member(of, i);
    const long double mean = sum / (long double)of->count;
    for (int64_t i = 0; i < of->count; i++) squares += (member(of, i) - mean) * (member(of, i) - mean);
    return (spread_about){
        .mean = mean, .variance = squares / (long double)of->count, .epsilon = epsilon, .count = of->count};
}

static void normalise(cvk_type type, long double x, const spread_about *m, int64_t chain, long double *output,
                      double *bound) {
    *output = (x - m->mean) / sqrtl(m->variance + (long double)m->epsilon);
    if (bound) *bound = bound_normalised(type, chain, x, m);
}

/* The longest chain of additions of a kernel: a part has at most 2,048 positions, and at least 64 but the last; then
 * come those of all parts. */
static int64_t chain_of_group(const cvk_spec *s) {
    const int64_t map = positions(s), part = map < 2048 ? map : 2048;
    return part + s->in_channels / s->groups * ((map + 63) / 64);
}

static void group_range(const cvk_spec *s, const void *input, int64_t first, int64_t last, long double *output,
                        double *bound) {
    const int64_t map = positions(s), chain = chain_of_group(s), together = s->in_channels / s->groups;
    spread_about m = {0};
    for (int64_t i = first; i < last; i++) {
        const set group = group_of(s, input, i);
        const set channel = {s->input_type, input, i * map, 1, map};
        if (i == first || i % together == 0) m = spread_of(&group, s->epsilon);
        for (int64_t p = 0; p < map; p++, output++)
            normalise(spec_sum_type(s), member(&channel, p), &m, chain, output, bound ? bound++ : NULL);
    }
}

typedef void at_position(const cvk_spec *s, const set *channels, int64_t first, int64_t last, int64_t at,
                         long double *output, double *bound);

/* For each position of each image's groups, channels low <= c < high of one: theirs is element `at` and every map on.
 */
static void each_position(const cvk_spec *s, const void *input, int64_t first, int64_t last, long double *output,
                          double *bound, at_position *make) {
    const int64_t map = positions(s), channels = s->in_channels / s->groups;
    for (int64_t i = first; i < last;) {
        const int64_t group = i / channels, low = i % channels, next = (group + 1) * channels;
        const int64_t end = next < last ? next : last;
        for (int64_t p = 0; p < map; p++) {
            const set all = channels_at(s, input, group, p);
            make(s, &all, low, low + end - i, (i - first) * map + p, output, bound);
        }
        i = end;
    }
}

static void normalise_position(const cvk_spec *s, const set *channels, int64_t low, int64_t high, int64_t at,
                               long double *output, double *bound) {
    const spread_about m = spread_of(channels, s->epsilon);
    for (int64_t c = low; c < high; c++, at += channels->step)
        normalise(spec_sum_type(s), member(channels, c), &m, channels->count, &output[at], bound ? &bound[at] : NULL);
}

void naive_norm_range(const cvk_spec *s, const void *input, int64_t first, int64_t last, long double *output,
                      double *bound) {
    if (s->kind == LAYER_GROUP_NORM)
        group_range(s, input, first, last, output, bound);
    else
        each_position(s, input, first, last, output, bound, normalise_position);
}

/* ---- softmax ---- */

/* NaN is greater than all. */
static long double greatest_of(const set *of) {
    long double greatest = member(of, 0);
    for (int64_t i = 1; i < of->count; i++) {
        const long double x = member(of, i);
        if (isnan(x) || x > greatest) greatest = x;
    }
    return greatest;
}

static void share_position(const cvk_spec *s, const set *channels, int64_t low, int64_t high, int64_t at,
                           long double *output, double *bound) {
    const long double greatest = greatest_of(channels);
    long double sum = 0, weighted = 0;
    for (int64_t i = 0; i < channels->count; i++) {
        const long double below = member(channels, i) - greatest, e = expl(below);
        sum += e;
        if (e > 0) weighted -= e * below;
    }
    for (int64_t c = low; c < high; c++, at += channels->step) {
        const long double below = member(channels, c) - greatest;
        output[at] = expl(below) / sum;
        if (bound) bound[at] = bound_share(spec_sum_type(s), channels->count, below, weighted / sum, output[at]);
    }
}

void naive_softmax_range(const cvk_spec *s, const void *input, int64_t first, int64_t last, long double *output,
                         double *bound) {
    each_position(s, input, first, last, output, bound, share_position);
}
