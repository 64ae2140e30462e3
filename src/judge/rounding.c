/* Bounds of those that do not sum directly: Winograd's over all tiles, in pieces that threads take in any order, that
 * of fast transforms, and that of several separable filters. */
#include "judge/rounding.h"

#include "judge/fft.h"
#include "judge/identity.h"
#include "judge/terms.h"
#include "judge/winograd.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { PIECES = 64 };

typedef struct job {
    winograd_rounding *winograd;
    double *rounding;
    atomic_bool starved; /* of memory */
} job;

static void run_piece(void *argument, size_t piece) {
    job *j = argument;
    int64_t tiles = winograd_rounding_tiles(j->winograd), i = (int64_t)piece;
    if (!winograd_rounding_range(j->winograd, tiles * i / PIECES, tiles * (i + 1) / PIECES, j->rounding))
        atomic_store(&j->starved, true);
}

static bool is_winograd(const cvk_plan *p) { return strcmp(p->algorithm, "winograd") == 0; }
static bool is_fft(const cvk_plan *p) { return strcmp(p->algorithm, "fft") == 0; }
static bool is_separable(const cvk_plan *p) { return strcmp(p->algorithm, "separable") == 0; }
static bool is_direct(const cvk_plan *p) { return !is_winograd(p) && !is_fft(p) && !is_separable(p); }

/* Of one product a separable filter has the bound of direct sums. */
static bool is_one_product(const cvk_spec *s, const cvk_plan *plan, int index) {
    if (!is_separable(plan)) return false;
    const problem p = problem_of(s, index);
    return known_terms(&p) == 1;
}

static bool sums_directly(const cvk_spec *s, const layer_plan *plan) {
    bool direct = true;
    for (int i = 0; i < plan->count; i++) direct &= is_direct(&plan->part[i]) || is_one_product(s, &plan->part[i], i);
    return direct;
}

static bool parts_are_shared(const cvk_plan *a, const cvk_plan *b) {
    if (is_direct(a) && is_direct(b)) return true;
    if (is_separable(a) && is_separable(b)) return true;
    return is_winograd(a) == is_winograd(b) && is_fft(a) == is_fft(b) && is_separable(a) == is_separable(b) &&
           a->tile_od == b->tile_od && a->tile_oh == b->tile_oh && a->tile_ow == b->tile_ow;
}

bool rounding_is_shared(const layer_plan *a, const layer_plan *b) {
    bool shared = true;
    for (int i = 0; i < (a->count > b->count ? a->count : b->count); i++)
        shared &= parts_are_shared(layer_plan_part(a, i), layer_plan_part(b, i));
    return shared;
}

/* ---- in words ---- */

static void print_direct(const problem *p, int unit, text *out) {
    int64_t terms = problem_taps(p) * p->in_channels + p->post.bias;
    text_add(out, "|error| <= %lld u S, S the sum of a result's %lld terms' magnitudes, u = 2^%d\n",
             (long long)(terms + 2), (long long)terms, unit);
}

static void print_pool(const problem *p, int unit, text *out) {
    if (p->combine == COMBINE_SOFTMAX)
        text_add(out, "|error| <= (C + |x - max| + the mean of those + 11) u y, C = %lld, u = 2^%d\n",
                 (long long)p->in_channels, unit);
    else if (p->combine == COMBINE_RESIZED)
        text_add(out,
                 "|error| <= (3 a + 1) u S, S the sum of a result's terms' magnitudes, a its axes that are weighed, "
                 "u = 2^%d\n",
                 unit);
    else if (p->combine == COMBINE_NORMALISED || p->moments.elements)
        text_add(out, "that of a mean and of a variance, as docs/trust.md has them, u = 2^%d\n", unit);
    else if (p->combine == COMBINE_MAXIMUM || p->combine == COMBINE_NONE)
        text_add(out, "none\n");
    else
        text_add(out, "|error| <= %lld u S / count, S the sum of a window's %lld magnitudes, u = 2^%d\n",
                 (long long)(problem_taps(p) + 1), (long long)problem_taps(p), unit);
}

static void print_reweighed(const problem *p, int unit, text *out) {
    const int64_t terms = problem_taps(p) * p->in_channels;
    text_add(
        out,
        "that of all + met + numbers, each within %lld u S, S the sum of its %lld terms' magnitudes, and 2 u more, u = "
        "2^%d; without NaN that of the numbers\n",
        (long long)(terms + 2), (long long)terms, unit);
}

static void print_winograd(const problem *p, const cvk_plan *plan, int unit, text *out) {
    const int m[AXES] = {plan->tile_od, plan->tile_oh, plan->tile_ow};
    text_add(out, "|error| <= %.0f u |A'| [(|G| |g|) . (|B'| |d|)], summed over input channels, u = 2^%d;",
             winograd_roundings(p, m), unit);
    for (int a = 0; a < AXES; a++)
        if (p->axis[a].taps > 1) text_add(out, " F(%d,%lld)", m[a], (long long)p->axis[a].taps);
    text_add(out, "\n");
}

static void print_fft(const problem *p, const cvk_plan *plan, int unit, text *out) {
    const int size[AXES] = {plan->tile_od, plan->tile_oh, plan->tile_ow};
    double two, one;
    fft_roundings(p, size, &two, &one);
    text_add(
        out,
        "|error| <= u (%.0f A + %.0f B), A the sum of |x|_2 |w|_2 and B of |x|_2 |w|_1 over input channels, x a tile, "
        "w a filter, u = 2^%d; tiles of %d x %d x %d\n",
        two, one, unit, size[AXIS_D], size[AXIS_H], size[AXIS_W]);
}

static void print_terms(const problem *p, int unit, text *out) {
    known_factors f;
    if (!known_separate(p, out->arena, &f) || f.terms == 1) {
        print_direct(p, unit, out);
        return;
    }
    text_add(out,
             "|error| <= %.1f u T, T the sum of the magnitudes of a result's terms in %d separable filters, %.2f times "
             "those of its kernel's, u = 2^%d\n",
             terms_roundings(p, &f), f.terms, f.growth, unit);
}

void rounding_print(const cvk_spec *s, const layer_plan *plan, text *out) {
    const int unit = ilogb(type_rows[spec_sum_type(s)].unit_roundoff), problems = problem_count(s);
    for (int i = 0; i < problems; i++) {
        const problem p = problem_of(s, i);
        const cvk_plan *part = layer_plan_part(plan, i);
        text_add(out, "rounding");
        if (problems > 1) text_add(out, " of ");
        problem_print(s, i, out);
        text_add(out, ": ");
        if (is_winograd(part))
            print_winograd(&p, part, unit, out);
        else if (p.combine == COMBINE_NUMBERS)
            print_reweighed(&p, unit, out);
        else if (is_fft(part))
            print_fft(&p, part, unit, out);
        else if (is_separable(part))
            print_terms(&p, unit, out);
        else if (p.combine != COMBINE_SUM)
            print_pool(&p, unit, out);
        else
            print_direct(&p, unit, out);
    }
    if (spec_is_chain(s))
        text_add(out, "and of each layer what it has from the one before: |w| times the error there, or of a pool as "
                      "much as that\n");
}

/* ---- weights ---- */

_Static_assert((int)IDENTITY_PARTS == (int)KNOWN_PARTS, "products of factors are the sums that the judge takes");

const double *rounding_of_weights(arena *a, const cvk_spec *s, const layer_plan *plan) {
    const int64_t count = s->known ? spec_weights_elements(s) : 0;
    double *weights = arena_array(a, double, IDENTITY_PARTS *count);
    bool any = false;
    for (int64_t i = 0; i < IDENTITY_PARTS * count; i++) weights[i] = 0;
    for (int64_t i = 0; i < count; i++)
        weights[IDENTITY_PARTS * i] =
            type_read(s->weights_type, (const char *)s->known + i * type_bytes(s->weights_type));
    for (int i = 0; count && i < problem_count(s); i++) {
        const problem p = problem_of(s, i);
        known_factors f;
        if (!is_separable(layer_plan_part(plan, i)) || !known_separate(&p, a, &f) || (f.terms == 1 && f.exact))
            continue;
        known_multiply(&p, &f, weights);
        any = true;
    }
    return any ? weights : NULL;
}

/* ---- in numbers ---- */

/* The tiles of one problem. */
static bool run_tiles(job *j, const cvk_parallel_for *threads) {
    if (threads)
        threads->loop(threads->context, PIECES, run_piece, j);
    else
        for (size_t i = 0; i < PIECES; i++) run_piece(j, i);
    return !atomic_load(&j->starved);
}

static bool rounding_of_part(const problem *p, const cvk_plan *plan, const naive_tensors *t,
                             const cvk_parallel_for *threads, double *rounding) {
    const int m[AXES] = {plan->tile_od, plan->tile_oh, plan->tile_ow};
    if (is_fft(plan)) return fft_rounding(p, m, t, rounding);
    if (is_separable(plan)) return terms_rounding(p, t, rounding);
    job j = {.winograd = winograd_rounding_new(p, m, t), .rounding = rounding};
    atomic_init(&j.starved, false);
    bool good = j.winograd && run_tiles(&j, threads);
    winograd_rounding_free(j.winograd);
    return good;
}

/* The layer whose tensors are the dense ones. */
static cvk_spec dense_of(const cvk_spec *s) {
    cvk_spec dense = *s;
    dense.input_layout = dense.output_layout = CVK_CHANNELS_FIRST;
    memset(dense.pitch, 0, sizeof dense.pitch);
    return dense;
}

bool rounding_of_plan(const cvk_spec *s, const layer_plan *plan, const naive_tensors *t,
                      const cvk_parallel_for *threads, double **rounding) {
    *rounding = NULL;
    if (sums_directly(s, plan) || problem_folds(s))
        return true; /* what is folded goes by the workspace, summed directly */
    if (spec_is_chain(s)) {
        const cvk_spec first = spec_link(s, 0);
        const layer_plan of_first = layer_plan_of(layer_plan_part(plan, 0));
        return rounding_of_plan(&first, &of_first, t, threads, rounding);
    }
    const cvk_spec dense = dense_of(s);
    const size_t outputs = (size_t)(naive_channels(s) * naive_channel_size(s));
    double *all = malloc(sizeof *all * (outputs + 1));
    bool good = all != NULL;
    for (size_t i = 0; good && i < outputs; i++) all[i] = NAN;
    for (int i = 0; good && i < problem_count(s); i++) {
        const problem p = problem_of(&dense, i);
        const cvk_plan *part = layer_plan_part(plan, i);
        if (!is_direct(part)) good = rounding_of_part(&p, part, t, threads, all);
    }
    if (good)
        *rounding = all;
    else
        free(all);
    return good;
}
