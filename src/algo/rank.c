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
    return strcmp(name, "auto") == 0 || strcmp(name, row->name) == 0;
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
        phase[i] = (cost_phase){.share = cost_issue(target, &counts, lanes, INFINITY),
                                .tasks = program_tasks(run, i),
                                .carried = i > 0 ? workspace : 0,
                                .parts = (double)program_parts(run, i, ROLE_WORKSPACE)};
        all += phase[i].share;
    }
    for (int i = 0; i < run->count; i++) phase[i].share = all > 0 ? phase[i].share / all : 0;
}

ranked_plan algo_build(arena *a, const problem *p, goal aim, const cvk_plan *plan) {
    const algorithm *row = algo_of(plan);
    ranked_plan r = {.plan = *plan, .nests = row->build(row, a, p, aim.target, plan)};
    cost_phase phase[CVK_MOST_PHASES];
    count_phases(&r, p, aim.target, phase);
    r.cycles = row->cycles(p, aim.target, plan, &r.nests, &r.counts);
    r.judged = cost_judged(r.cycles, phase, r.nests.run.count, aim.threads);
    double peak = cost_peak_cycles(p, aim.target);
    r.seconds_per_peak = peak > 0 ? r.cycles / peak : 1;
    return r;
}

static plan_list gather(arena *a, const problem *p, const cvk_target *target, const char *name, const char **why) {
    plan_list list = {0};
    *why = "no plan fits its limits";
    for (int i = 0; i < ROW_COUNT; i++)
        if (is_called(ROWS[i], name) && ROWS[i]->applicable(p, target, why))
            ROWS[i]->propose(ROWS[i], p, target, a, &list);
    return list;
}

/* The best so far, in order, each in memory of its own: a plan that is not among them leaves nothing behind. */
typedef struct ranking {
    ranked_plan *plan;
    arena **memory; /* one more than plans: the last is free */
    int count, limit;
} ranking;

/* Equal plans keep the order in which they were proposed. */
static void insert(ranking *r, const ranked_plan *plan) {
    int at = r->count;
    while (at > 0 && r->plan[at - 1].judged > plan->judged) at--;
    if (at == r->limit) return;
    int last = r->count < r->limit ? r->count++ : r->limit - 1;
    arena *used = r->memory[r->limit], *freed = r->memory[last];
    memmove(r->plan + at + 1, r->plan + at, sizeof *r->plan * (size_t)(last - at));
    memmove(r->memory + at + 1, r->memory + at, sizeof(arena *) * (size_t)(last - at));
    r->plan[at] = *plan;
    r->memory[at] = used;
    r->memory[r->limit] = freed;
}

/* False: out of memory. */
static bool consider(ranking *r, const problem *p, goal aim, const cvk_plan *plan) {
    arena *memory = r->memory[r->limit];
    arena_rewind(memory);
    if (arena_guard(memory)) return false;
    ranked_plan built = algo_build(memory, p, aim, plan);
    insert(r, &built);
    return true;
}

/* What was built becomes the caller's. */
static void keep(ranking *r, arena *a) {
    for (int i = 0; i < r->count; i++) {
        arena_adopt(a, r->memory[i]);
        program_move(&r->plan[i].nests.run, a);
        r->plan[i].nests.pack->arena = a;
    }
}

void algo_rank(arena *a, const problem *p, goal aim, const char *name, int limit, ranked_plan **plans, int *count,
               const char **why) {
    plan_list list = gather(a, p, aim.target, name, why);
    ranking r = {.limit = limit > 0 && limit < list.count ? limit : list.count};
    r.plan = arena_array(a, ranked_plan, r.limit);
    r.memory = arena_array(a, arena *, r.limit + 1);
    arena *memory = arena_array(a, arena, r.limit + 1);
    for (int i = 0; i <= r.limit; i++) arena_init(r.memory[i] = &memory[i]);
    bool good = true;
    for (int i = 0; i < list.count && good; i++) good = consider(&r, p, aim, &list.plan[i]);
    if (good) keep(&r, a);
    for (int i = 0; i <= r.limit; i++) arena_free(&memory[i]);
    if (!good) arena_exhaust(a);
    *plans = r.plan;
    *count = r.count;
}
