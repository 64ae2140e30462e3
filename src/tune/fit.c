/* Plans are built once; then only what the model makes of them changes with the figures. The search goes along one
 * figure after another, in ever smaller steps: the model has kinks, so there are no derivatives to follow. */
#include "tune/fit.h"

#include "tune/simulate.h"

#include <math.h>
#include <string.h>

enum { MOST_PLANS = 48, FOLDS = 5, ROUNDS = 7 };
static const double SLOWEST = 2.5;     /* times the best: what is slower does not matter */
static const double FIRST_STEP = 0.32; /* of a figure's logarithm */
static const double NEARNESS =
    0.002; /* what a figure's distance from where it was costs, beside the errors' mean square */
static const double PRECISION = 1e3; /* figures are kept to three digits after the first */

/* What plans became, and the logarithm of their time. */
typedef struct sample {
    layer_nests nests;
    double log_time;
} sample;

typedef struct subject {
    const simulated_layer *layer;
    sample *samples;
    int count;
} subject;

typedef struct fitting {
    arena *arena;
    const cvk_target *target;
    subject *subjects;
    size_t count;
} fitting;

static cvk_target with_figures(const cvk_target *t, const machine_figures *f) {
    cvk_target changed = *t;
    changed.figures = f;
    return changed;
}

/* ---- what there is to fit to ---- */

/* Some of the plans that are not far from the best, evenly spread over those. */
static void take_samples(fitting *f, const simulated_layer *l, subject *to) {
    int near = 0, taken = 0;
    for (int i = 0; i < l->candidates.count; i++) near += l->relative[i] <= SLOWEST * l->optimum;
    to->layer = l;
    to->samples = arena_array(f->arena, sample, MOST_PLANS);
    for (int i = 0, at = 0; i < l->candidates.count; i++) {
        if (!(l->relative[i] <= SLOWEST * l->optimum)) continue;
        const bool wanted = near <= MOST_PLANS || at * MOST_PLANS / near != (at - 1) * MOST_PLANS / near || at == 0;
        at++;
        if (!wanted || taken == MOST_PLANS) continue;
        const candidates *c = &l->candidates;
        const layer_nests built = layer_build(f->arena, c->spec, c->aim, &c->list[i].plan, NULL);
        to->samples[taken++] = (sample){built, log(l->relative[i])};
    }
    to->count = taken;
}

/* ---- errors ---- */

/* Of the logarithms, a layer's mean taken out: how long a cycle is, is not for the model to say. */
static double errors_of(const subject *s, const cvk_target *t) {
    double sum = 0, squares = 0;
    for (int i = 0; i < s->count; i++) {
        const double cycles = layer_cycles(s->layer->candidates.spec, t, &s->samples[i].nests);
        const double error = log(cycles) - s->samples[i].log_time;
        sum += error;
        squares += error * error;
    }
    return squares - sum * sum / s->count;
}

static bool is_left_out(size_t subject_index, int fold) { return fold >= 0 && (int)(subject_index % FOLDS) == fold; }

static double mean_square(const fitting *f, const machine_figures *figures, int fold) {
    const cvk_target t = with_figures(f->target, figures);
    double squares = 0;
    int count = 0;
    for (size_t i = 0; i < f->count; i++) {
        if (is_left_out(i, fold)) continue;
        squares += errors_of(&f->subjects[i], &t);
        count += f->subjects[i].count;
    }
    return count ? squares / count : 0;
}

static double loss(const fitting *f, const machine_figures *figures, int fold) {
    const figure_field *field;
    double far = 0;
    for (int i = 0; (field = figure_row(i)); i++) {
        const double distance = log(figure_get(figures, i) / figure_get(f->target->figures, i));
        far += distance * distance;
    }
    return mean_square(f, figures, fold) + NEARNESS * far;
}

/* ---- the search ---- */

/* To as many digits as are kept; false: no machine has that. */
static bool set_figure(machine_figures *figures, int index, double value) {
    const figure_field *field = figure_row(index);
    const double power = pow(10, floor(log10(value)));
    value = round(value / power * PRECISION) / PRECISION * power;
    figure_set(figures, index, value);
    return value >= field->least && value <= field->most;
}

/* A step along one figure, if that makes it better. */
static bool improve(const fitting *f, machine_figures *figures, int index, double step, int fold, double *least) {
    for (int sign = -1; sign <= 1; sign += 2) {
        machine_figures moved = *figures;
        if (!set_figure(&moved, index, figure_get(figures, index) * exp(sign * step))) continue;
        const double there = loss(f, &moved, fold);
        if (there >= *least) continue;
        *least = there;
        *figures = moved;
        return true;
    }
    return false;
}

/* What probes see is measured, and stays. */
static bool is_learned(int index) { return figure_row(index)->how == FIGURE_LEARNED; }

static machine_figures fit(const fitting *f, int fold) {
    machine_figures figures = *f->target->figures;
    double least = loss(f, &figures, fold), step = FIRST_STEP;
    for (int round = 0; round < ROUNDS; round++, step /= 2)
        for (int index = 0; figure_row(index); index++)
            while (is_learned(index) && improve(f, &figures, index, step, fold, &least)) {
            }
    return figures;
}

/* ---- regret ---- */

/* The time of what the model would pick of all that were recorded, over that of the best. */
static double regret(arena *scratch, const fitting *f, const simulated_layer *l, const machine_figures *figures) {
    const cvk_target t = with_figures(f->target, figures);
    const goal aim = {.target = &t, .threads = l->candidates.aim.threads};
    double least = INFINITY, time = INFINITY;
    ranked_layer ranked;
    for (int i = 0; i < l->candidates.count; i++) {
        arena_rewind(scratch);
        layer_build(scratch, l->candidates.spec, aim, &l->candidates.list[i].plan, &ranked);
        if (!(ranked.judged < least)) continue;
        least = ranked.judged;
        time = l->relative[i];
    }
    return time / l->optimum;
}

static void judge(arena *scratch, const fitting *f, fit_result *to) {
    machine_figures of_fold[FOLDS];
    for (int fold = 0; fold < FOLDS; fold++) of_fold[fold] = fit(f, fold);
    to->figures = fit(f, -1);
    for (size_t i = 0; i < f->count; i++) {
        const simulated_layer *l = f->subjects[i].layer;
        to->layers[i] = (fit_layer){.name = l->name,
                                    .plans = l->candidates.count,
                                    .before = regret(scratch, f, l, f->target->figures),
                                    .after = regret(scratch, f, l, &of_fold[i % FOLDS]),
                                    .fitted = regret(scratch, f, l, &to->figures)};
    }
    to->error_before = sqrt(mean_square(f, f->target->figures, -1));
    to->error = sqrt(mean_square(f, &to->figures, -1));
}

/* Those of this machine, for this target, of this version. */
static record_list own_records(arena *a, const record_list *list, const cvk_target *target, size_t *ignored) {
    const record now = record_of_now(a);
    record_list own = {0};
    for (size_t i = 0; i < list->count; i++) {
        const record *r = &list->record[i];
        if (r->kind != RECORD_TRIAL) continue;
        const bool ours = strcmp(r->cpu, now.cpu) == 0 && strcmp(r->target, target->name) == 0 &&
                          record_same_version(r, &now) && r->threads <= 1;
        if (ours) record_list_add(a, &own, r);
        *ignored += !ours;
    }
    return own;
}

void fit_figures(arena *a, const record_list *list, const cvk_target *target, fit_result *to) {
    simulation s;
    arena scratch;
    *to = (fit_result){.figures = *target->figures};
    const record_list own = own_records(a, list, target, &to->ignored);
    simulation_open(a, &own, &s);
    fitting f = {a, target, arena_array(a, subject, s.count + 1), s.count};
    to->count = s.count;
    to->layers = arena_array(a, fit_layer, s.count + 1);
    for (size_t i = 0; i < s.count; i++) take_samples(&f, &s.layers[i], &f.subjects[i]);
    arena_init(&scratch);
    const bool starved = arena_guard(&scratch);
    if (!starved && s.count > 1) judge(&scratch, &f, to);
    arena_free(&scratch);
    if (starved) arena_exhaust(a);
}
