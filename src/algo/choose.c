/* Choosing a plan: every applicable algorithm proposes, the cost model ranks. */
#include "algo/cost.h"

#include <stdlib.h>
#include <string.h>

#define ALGORITHM(row) extern const algorithm algo_##row;
#include "algo/algorithms.def"
#undef ALGORITHM

static const algorithm *const ROWS[] = {
#define ALGORITHM(row) &algo_##row,
#include "algo/algorithms.def"
#undef ALGORITHM
};
enum { ROW_COUNT = sizeof ROWS / sizeof ROWS[0] };

const algorithm *algo_row(int index) { return index >= 0 && index < ROW_COUNT ? ROWS[index] : NULL; }

const algorithm *algo_of(const cvk_plan *plan) {
    for (int i = 0; i < ROW_COUNT; i++)
        if (ROWS[i]->lanes == plan->lanes && strcmp(ROWS[i]->name, plan->algorithm) == 0) return ROWS[i];
    return NULL;
}

void plan_list_add(arena *a, plan_list *list, cvk_plan plan) {
    if (list->count == list->capacity) {
        list->capacity = list->capacity ? 2 * list->capacity : 32;
        cvk_plan *grown = arena_array(a, cvk_plan, list->capacity);
        if (list->count) memcpy(grown, list->plan, sizeof *grown * (size_t)list->count);
        list->plan = grown;
    }
    list->plan[list->count++] = plan;
}

static bool wanted(const cvk_spec *spec, const algorithm *row) {
    return strcmp(spec->algorithm, "auto") == 0 || strcmp(spec->algorithm, row->name) == 0;
}

static bool known_algorithm(const char *name) {
    for (int i = 0; i < ROW_COUNT; i++)
        if (strcmp(ROWS[i]->name, name) == 0) return true;
    return strcmp(name, "auto") == 0;
}

/* The schedule in the spec, if it fits the layer. */
static cvk_status pinned_plan(arena *a, const cvk_spec *spec, const cvk_target *target, cvk_diagnostics *d,
                              plan_list *list) {
    cvk_plan plan;
    cvk_status status = plan_parse(spec->schedule, a, d, &plan);
    if (status) return status;
    const algorithm *row = algo_of(&plan);
    const char *why = row ? NULL : "there is no such algorithm with such lanes";
    if (row && row->applicable(spec, target, &why)) why = row->refuse(row, spec, target, &plan);
    if (why) {
        diag_error(d, E_SCHEDULE, spec->schedule->at, NULL, "%s: schedule: %s", spec->name, why);
        return CVK_ERROR_SPEC;
    }
    plan_list_add(a, list, plan);
    return CVK_OK;
}

static cvk_status gather_plans(arena *a, const cvk_spec *spec, const cvk_target *target, cvk_diagnostics *d,
                               plan_list *list) {
    if (spec->schedule) return pinned_plan(a, spec, target, d, list);
    const char *why = "no plan fits its limits";
    for (int i = 0; i < ROW_COUNT; i++)
        if (wanted(spec, ROWS[i]) && ROWS[i]->applicable(spec, target, &why))
            ROWS[i]->propose(ROWS[i], spec, target, a, list);
    if (list->count) return CVK_OK;
    if (!known_algorithm(spec->algorithm)) why = "there is no such algorithm";
    diag_error(d, E_NO_PLAN, spec->at, NULL, "%s: algorithm %s cannot do this layer: %s", spec->name, spec->algorithm,
               why);
    return CVK_ERROR_UNSUPPORTED;
}

static int by_cycles(const void *x, const void *y) {
    const ranked_plan *a = x, *b = y;
    return (a->cycles > b->cycles) - (a->cycles < b->cycles);
}

static algo_nests build(arena *a, const cvk_spec *spec, const cvk_target *target, const cvk_plan *plan) {
    const algorithm *row = algo_of(plan);
    return row->build(row, a, spec, target, plan);
}

static double predict(arena *a, const cvk_spec *spec, const cvk_target *target, const cvk_plan *plan) {
    algo_nests nests = build(a, spec, target, plan);
    return algo_of(plan)->cycles(spec, target, plan, &nests);
}

/* Nests are built to be counted, one after another in the same memory, and built again for those that are wanted. */
static void predict_all(arena *a, const cvk_spec *spec, const cvk_target *target, const plan_list *list,
                        ranked_plan *ranked) {
    double peak = cost_peak_cycles(spec, target);
    arena trial;
    arena_init(&trial);
    if (arena_guard(&trial)) {
        arena_free(&trial);
        arena_exhaust(a);
    }
    for (int i = 0; i < list->count; i++, arena_rewind(&trial)) {
        double cycles = predict(&trial, spec, target, &list->plan[i]);
        double relative = peak > 0 ? cycles / peak : 1;
        ranked[i] = (ranked_plan){.plan = list->plan[i], .cycles = cycles, .seconds_per_peak = relative};
    }
    arena_free(&trial);
}

cvk_status algo_rank(arena *a, const cvk_spec *spec, const cvk_target *target, int limit, cvk_diagnostics *d,
                     ranked_plan **plans, int *count) {
    plan_list list = {0};
    cvk_status status = gather_plans(a, spec, target, d, &list);
    if (status) return status;
    ranked_plan *ranked = arena_array(a, ranked_plan, list.count);
    predict_all(a, spec, target, &list, ranked);
    qsort(ranked, (size_t)list.count, sizeof *ranked, by_cycles);
    *plans = ranked;
    *count = limit > 0 && limit < list.count ? limit : list.count;
    for (int i = 0; i < *count; i++) ranked[i].nests = build(a, spec, target, &ranked[i].plan);
    return CVK_OK;
}
