/* Winograd's rounding bound, tile by tile, in double: the algorithm itself on absolute values. */
#include "judge/winograd.h"
#include "judge/places.h"

#include "problem/cook_toom.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double UNDERFLOWS =
    512; /* roundings of denormals, each enlarged by coefficients, that one on the way stands for */
enum { MOST_POINTS = COOK_TOOM_MOST * COOK_TOOM_MOST * COOK_TOOM_MOST };

typedef double magnitudes[COOK_TOOM_MOST][COOK_TOOM_MOST];

struct winograd_rounding {
    const problem *p;
    cvk_type type;
    const naive_tensors *tensors;
    cook_toom f[AXES];
    magnitudes a[AXES], g[AXES], b[AXES]; /* of f's matrices */
    int64_t tiles[AXES], points;
    double roundings; /* c */
    double *weights;  /* |G| |g|: point, input channel, output channel */
};

/* A matrix on one axis of a dense D H W array: size[axis] becomes `rows`. */
static void apply(const magnitudes matrix, int rows, int axis, int64_t size[AXES], double *values) {
    double to[MOST_POINTS];
    int64_t inner = 1, outer = 1, columns = size[axis];
    for (int a = axis + 1; a < AXES; a++) inner *= size[a];
    for (int a = 0; a < axis; a++) outer *= size[a];
    for (int64_t o = 0; o < outer; o++)
        for (int r = 0; r < rows; r++)
            for (int64_t i = 0; i < inner; i++) {
                double sum = 0;
                for (int64_t k = 0; k < columns; k++) sum += matrix[r][k] * values[(o * columns + k) * inner + i];
                to[(o * rows + r) * inner + i] = sum;
            }
    size[axis] = rows;
    memcpy(values, to, sizeof(double) * (size_t)(outer * rows * inner));
}

static void transform_weights(winograd_rounding *w, int64_t oc, int64_t ic) {
    const problem_axis *axis = w->p->axis;
    int64_t size[AXES] = {axis[0].taps, axis[1].taps, axis[2].taps}, k[AXES], i = 0;
    double values[MOST_POINTS];
    for (k[0] = 0; k[0] < size[0]; k[0]++)
        for (k[1] = 0; k[1] < size[1]; k[1]++)
            for (k[2] = 0; k[2] < size[2]; k[2]++)
                values[i++] = magnitude_at(w->p->w.type, w->tensors->weights, view_element(&w->p->w, ic, oc, k));
    for (int a = 0; a < AXES; a++) apply(w->g[a], w->f[a].alpha, a, size, values);
    for (int64_t p = 0; p < w->points; p++)
        w->weights[(p * w->p->in_channels + ic) * w->p->out_channels + oc] = values[p];
}

double winograd_roundings(const problem *p, const int m[AXES]) {
    double count = (double)p->in_channels + 2 + p->post.bias;
    for (int a = 0; a < AXES; a++)
        if (p->axis[a].taps > 1) count += (double)(p->axis[a].taps + 2 + 2 * (m[a] + p->axis[a].taps - 1));
    return count;
}

static void measure_matrix(const cook_toom_matrix of, int rows, int columns, magnitudes to) {
    for (int r = 0; r < rows; r++)
        for (int k = 0; k < columns; k++) to[r][k] = fabs(ratio_value(of[r][k]));
}

winograd_rounding *winograd_rounding_new(const problem *p, const int m[AXES], const naive_tensors *t) {
    winograd_rounding *w = calloc(1, sizeof *w);
    if (!w) return NULL;
    *w = (winograd_rounding){.p = p, .type = p->sum, .tensors = t, .points = 1};
    w->roundings = winograd_roundings(p, m);
    for (int a = 0; a < AXES; a++) {
        cook_toom_make(m[a], (int)p->axis[a].taps, &w->f[a]);
        const cook_toom *f = &w->f[a];
        measure_matrix(f->a, f->m, f->alpha, w->a[a]);
        measure_matrix(f->g, f->alpha, f->r, w->g[a]);
        measure_matrix(f->b, f->alpha, f->alpha, w->b[a]);
        w->tiles[a] = (p->axis[a].out + m[a] - 1) / m[a];
        w->points *= w->f[a].alpha;
    }
    w->weights = malloc(sizeof(double) * (size_t)(w->points * p->in_channels * p->out_channels + 1));
    if (!w->weights) {
        free(w);
        return NULL;
    }
    for (int64_t ic = 0; ic < p->in_channels; ic++) /* outputs one after another, as they lie */
        for (int64_t oc = 0; oc < p->out_channels; oc++) transform_weights(w, oc, ic);
    return w;
}

void winograd_rounding_free(winograd_rounding *w) {
    if (!w) return;
    free(w->weights);
    free(w);
}

int64_t winograd_rounding_tiles(const winograd_rounding *w) {
    return w->p->n * w->tiles[0] * w->tiles[1] * w->tiles[2];
}

typedef struct tile_work {
    int64_t n, at[AXES]; /* image; first output */
    double *input;       /* |B'| |d|: point, input channel */
    double *sums;        /* output channel, point */
} tile_work;

static double input_at(const winograd_rounding *w, const tile_work *t, int64_t ic, const int64_t k[AXES]) {
    int64_t at[AXES];
    for (int a = 0; a < AXES; a++) {
        at[a] = t->at[a] + k[a] + w->p->axis[a].origin;
        if (at[a] < 0 || at[a] >= w->p->axis[a].in) return 0;
    }
    return magnitude_at(w->p->x.type, w->tensors->input, view_element(&w->p->x, t->n, ic, at));
}

static void transform_input(const winograd_rounding *w, const tile_work *t, int64_t ic) {
    int64_t size[AXES] = {w->f[0].alpha, w->f[1].alpha, w->f[2].alpha}, k[AXES], i = 0;
    double values[MOST_POINTS];
    for (k[0] = 0; k[0] < w->f[0].alpha; k[0]++)
        for (k[1] = 0; k[1] < w->f[1].alpha; k[1]++)
            for (k[2] = 0; k[2] < w->f[2].alpha; k[2]++) values[i++] = input_at(w, t, ic, k);
    for (int a = 0; a < AXES; a++) apply(w->b[a], w->f[a].alpha, a, size, values);
    for (int64_t p = 0; p < w->points; p++) t->input[p * w->p->in_channels + ic] = values[p];
}

static void multiply(const winograd_rounding *w, const tile_work *t) {
    int64_t ins = w->p->in_channels, outs = w->p->out_channels;
    memset(t->sums, 0, sizeof(double) * (size_t)(w->points * outs));
    for (int64_t p = 0; p < w->points; p++)
        for (int64_t ic = 0; ic < ins; ic++) {
            double x = t->input[p * ins + ic], *sums = t->sums + p * outs;
            const double *weights = w->weights + (p * ins + ic) * outs;
            for (int64_t oc = 0; oc < outs; oc++) sums[oc] += x * weights[oc];
        }
}

/* The bound of a sum of magnitude `sum`, bias included. */
static double bound_of(const winograd_rounding *w, double sum) {
    if (!isfinite(sum) || sum > type_greatest(w->type) / 2) return INFINITY;
    return w->roundings * (type_rows[w->type].unit_roundoff * sum + UNDERFLOWS * type_ulp(w->type, 0));
}

static void store_outputs(const winograd_rounding *w, const tile_work *t, int64_t oc, const double *values,
                          double *rounding) {
    double bias = w->p->post.bias ? magnitude_at(w->type, w->tensors->bias, oc) : 0;
    int64_t i = 0, k[AXES];
    for (k[0] = 0; k[0] < w->f[0].m; k[0]++)
        for (k[1] = 0; k[1] < w->f[1].m; k[1]++)
            for (k[2] = 0; k[2] < w->f[2].m; k[2]++, i++) {
                int64_t at[AXES];
                bool inside = true;
                for (int a = 0; a < AXES; a++) {
                    at[a] = t->at[a] + k[a];
                    inside &= at[a] < w->p->axis[a].out;
                }
                if (inside) rounding[view_element(&w->p->y, t->n, oc, at)] = bound_of(w, values[i] + bias);
            }
}

static void run_tile(const winograd_rounding *w, const tile_work *t, double *rounding) {
    int64_t outs = w->p->out_channels;
    for (int64_t ic = 0; ic < w->p->in_channels; ic++) transform_input(w, t, ic);
    multiply(w, t);
    for (int64_t oc = 0; oc < outs; oc++) {
        int64_t size[AXES] = {w->f[0].alpha, w->f[1].alpha, w->f[2].alpha};
        double values[MOST_POINTS];
        for (int64_t p = 0; p < w->points; p++) values[p] = t->sums[p * outs + oc];
        for (int a = 0; a < AXES; a++) apply(w->a[a], w->f[a].m, a, size, values);
        store_outputs(w, t, oc, values, rounding);
    }
}

bool winograd_rounding_range(const winograd_rounding *w, int64_t first, int64_t last, double *rounding) {
    size_t ins = (size_t)(w->points * w->p->in_channels), outs = (size_t)(w->points * w->p->out_channels);
    tile_work t = {.input = malloc(sizeof(double) * (ins + outs + 1))};
    if (!t.input) return false;
    t.sums = t.input + ins;
    for (int64_t i = first; i < last; i++) {
        int64_t rest = i;
        for (int a = AXES - 1; a >= 0; a--) {
            t.at[a] = rest % w->tiles[a] * w->f[a].m;
            rest /= w->tiles[a];
        }
        t.n = rest;
        run_tile(w, &t, rounding);
    }
    free(t.input);
    return true;
}
