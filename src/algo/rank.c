/* Ranking: every applicable algorithm proposes, the cost model judges what their plans become. */
#include "algo/cost.h"

#include <math.h>
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

static bool is_called(const algorithm *row, const char *name) {
    return strcmp(name, "auto") == 0 ? !row->asked_for : strcmp(name, row->name) == 0;
}

const char *algo_refuse(const problem *p, const cvk_target *target, const cvk_plan *plan) {
    const algorithm *row = algo_of(plan);
    if (!row) return "there is no such algorithm with such lanes";
    const char *why = NULL;
    return row->applicable(p, target, &why) ? row->refuse(row, p, target, plan) : why;
}

/* All phases together, and each with what its instructions take of what all of them take. */
static void count_phases(ranked_plan *r, const problem *p, const cvk_target *target, cost_phase *phase) {
    const int lanes = target_lanes(target, p->sum);
    const nest_program *run = &r->nests.run;
    const double workspace = (double)program_needs(run, ROLE_WORKSPACE).bytes;
    double all = 0;
    for (int i = 0; i < run->count; i++) {
        nest_counts counts;
        program_count_phase(run, i, &counts);
        nest_counts_add(&r->counts, &counts);
        phase[i] = (cost_phase){.share = cost_issue(target, &counts, lanes, INFINITY, true),
                                .tasks = program_tasks(run, i),
                                .carried = i > 0 ? workspace : 0,
                                .parts = (double)program_parts(run, i, ROLE_WORKSPACE)};
        all += phase[i].share;
    }
    for (int i = 0; i < run->count; i++) phase[i].share = all > 0 ? phase[i].share / all : 0;
}

/* How many parts of the positions tasks keep to: of phases that leave each other something, as the last does; where
 * nothing is known of their order, a task is a part. */
static int64_t places_of(const ranked_plan *r, const problem *p, const cvk_target *target, const cost_phase *phase) {
    const algorithm *row = algo_of(&r->plan);
    const int last = r->nests.run.count - 1;
    if (row->tasks) return row->tasks(row, p, target, &r->plan).places;
    return last > 0 ? (int64_t)phase[last].parts : phase[last].tasks;
}

/* What the model thinks of it, its instructions counted. */
static void judge(ranked_plan *r, const problem *p, goal aim, const cost_phase *phase, int phases) {
    const double peak = cost_peak_cycles(p, aim.target);
    r->cycles = algo_of(&r->plan)->cycles(p, aim.target, &r->plan, &r->nests, &r->counts);
    r->judged = cost_judged(r->cycles, phase, phases, aim);
    r->seconds_per_peak = peak > 0 ? r->cycles / peak : 1;
}

ranked_plan algo_build(arena *a, const problem *p, goal aim, const cvk_plan *plan) {
    ranked_plan r = {.plan = *plan, .nests = algo_of(plan)->build(algo_of(plan), a, p, aim.target, plan)};
    cost_phase phase[CVK_MOST_PHASES];
    count_phases(&r, p, aim.target, phase);
    if (r.nests.run.count) phase[0].shares = cost_shares_of(p, places_of(&r, p, aim.target, phase));
    judge(&r, p, aim, phase, r.nests.run.count);
    return r;
}

static plan_list gather(arena *a, const problem *p, goal aim, const char *name, const char **why) {
    plan_list list = {0};
    *why = "no plan fits its limits";
    for (int i = 0; i < ROW_COUNT; i++)
        if (is_called(ROWS[i], name) && ROWS[i]->applicable(p, aim.target, why))
            ROWS[i]->propose(ROWS[i], p, aim, a, &list);
    return list;
}

/* The best so far, in order, without their nests. */
typedef struct ranking {
    const problem *p;
    goal aim;
    ranked_plan *plan;
    int count, limit;
    ranked_plan counted; /* the latest whose nests were built and counted */
} ranking;

/* Equal plans keep the order in which they were proposed. */
static void insert(ranking *r, const ranked_plan *plan) {
    int at = r->count;
    while (at > 0 && r->plan[at - 1].judged > plan->judged) at--;
    if (at == r->limit) return;
    int last = r->count < r->limit ? r->count++ : r->limit - 1;
    memmove(r->plan + at + 1, r->plan + at, sizeof *r->plan * (size_t)(last - at));
    r->plan[at] = *plan;
}

/* Whether a task of either covers the same: what it packs is the same then. */
static bool tasks_alike(const cvk_plan *a, const cvk_plan *b) {
    return a->tasks == b->tasks &&
           memcmp(a->order.level, b->order.level, sizeof *a->order.level * (size_t)a->tasks) == 0;
}

/* Whether two plans execute the same instructions in another order. */
static bool counts_alike(const cvk_plan *a, const cvk_plan *b) {
    cvk_plan ordered = *a;
    ordered.order = b->order;
    ordered.tasks = b->tasks;
    ordered.stream = b->stream;
    bool whole = plan_level_of(&a->order, LOOP_IC, true) < 0 && plan_level_of(&b->order, LOOP_IC, true) < 0;
    return whole && (!a->pack_rows || tasks_alike(a, b)) && a->algorithm && plan_equal(&ordered, b);
}

/* Whether a plan's nests would only show that it is none of the best: several workers take their share each, at best.
 */
static bool is_hopeless(const ranking *r, const cvk_plan *plan) {
    const algorithm *row = algo_of(plan);
    const double workers = r->aim.threads ? r->aim.threads : 1;
    if (!row->least || r->count < r->limit) return false;
    return row->least(r->p, r->aim.target, plan) / workers > r->plan[r->limit - 1].judged;
}

/* Of plans that differ in their order alone the first is built and counted. `a` is for nests that are counted and no
 * more. */
static void consider(ranking *r, arena *a, const cvk_plan *plan) {
    const algorithm *row = algo_of(plan);
    ranked_plan judged = r->counted;
    if (row->tasks && counts_alike(&r->counted.plan, plan)) {
        const plan_tasks tasks = row->tasks(row, r->p, r->aim.target, plan);
        const cost_phase phase = {.share = 1, .tasks = tasks.count, .shares = cost_shares_of(r->p, tasks.places)};
        judged.plan = *plan;
        judge(&judged, r->p, r->aim, &phase, 1);
    } else {
        judged = algo_build(a, r->p, r->aim, plan);
        judged.nests = (algo_nests){0};
        r->counted = judged;
    }
    insert(r, &judged);
}

/* False: out of memory. */
static bool consider_all(ranking *r, const plan_list *list) {
    arena memory;
    arena_init(&memory);
    if (arena_guard(&memory)) {
        arena_free(&memory);
        return false;
    }
    for (int i = 0; i < list->count; i++) {
        arena_rewind(&memory);
        if (is_hopeless(r, &list->plan[i])) continue;
        consider(r, &memory, &list->plan[i]);
    }
    arena_free(&memory);
    return true;
}

void algo_rank(arena *a, const problem *p, goal aim, const char *name, int limit, ranked_plan **plans, int *count,
               const char **why) {
    plan_list list = gather(a, p, aim, name, why);
    ranking r = {.p = p, .aim = aim, .limit = limit > 0 && limit < list.count ? limit : list.count};
    r.plan = arena_array(a, ranked_plan, r.limit);
    if (!consider_all(&r, &list)) arena_exhaust(a);
    *plans = r.plan;
    *count = r.count;
}
