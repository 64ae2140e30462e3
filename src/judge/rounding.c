/* Winograd's bound over all tiles, in pieces that threads take in any order. */
#include "judge/rounding.h"

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

bool rounding_is_shared(const cvk_plan *a, const cvk_plan *b) {
    if (!is_winograd(a) && !is_winograd(b)) return true;
    return is_winograd(a) && is_winograd(b) && a->tile_od == b->tile_od && a->tile_oh == b->tile_oh &&
           a->tile_ow == b->tile_ow;
}

void rounding_print(const cvk_spec *s, const cvk_plan *plan, text *out) {
    int64_t terms = spec_taps(s) * spec_group_in(s) + s->bias;
    const int unit = ilogb(type_rows[spec_type(s)].unit_roundoff);
    if (!is_winograd(plan)) {
        text_add(out, "rounding: |error| <= %lld u S, S the sum of a result's %lld terms' magnitudes, u = 2^%d\n",
                 (long long)(terms + 2), (long long)terms, unit);
        return;
    }
    const int m[AXES] = {plan->tile_od, plan->tile_oh, plan->tile_ow};
    text_add(out, "rounding: |error| <= %.0f u |A'| [(|G| |g|) . (|B'| |d|)], summed over input channels, u = 2^%d;",
             winograd_roundings(s, m), unit);
    for (int a = 0; a < AXES; a++)
        if (s->kernel[a] > 1) text_add(out, " F(%d,%lld)", m[a], (long long)s->kernel[a]);
    text_add(out, "\n");
}

bool rounding_of_plan(const cvk_spec *s, const cvk_plan *plan, const naive_tensors *t, const cvk_parallel_for *threads,
                      double **rounding) {
    *rounding = NULL;
    if (!is_winograd(plan)) return true;
    const int m[AXES] = {plan->tile_od, plan->tile_oh, plan->tile_ow};
    size_t outputs = (size_t)(naive_channels(s) * naive_channel_size(s));
    job j = {.winograd = winograd_rounding_new(s, m, t), .rounding = malloc(sizeof(double) * (outputs + 1))};
    atomic_init(&j.starved, !j.winograd || !j.rounding);
    if (!atomic_load(&j.starved)) {
        if (threads)
            threads->loop(threads->context, PIECES, run_piece, &j);
        else
            for (size_t i = 0; i < PIECES; i++) run_piece(&j, i);
    }
    winograd_rounding_free(j.winograd);
    bool good = !atomic_load(&j.starved);
    if (good)
        *rounding = j.rounding;
    else
        free(j.rounding);
    return good;
}
