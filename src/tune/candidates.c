/* The space of a search, made of what algorithms propose and of steps from plan to plan (algo/space.h). */
#include "tune/candidates.h"

#include "algo/space.h"
#include "cache/entry.h"
#include "plan/fields.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CENTRES = 2 }; /* of the best plans, from which steps are listed */

static int64_t all_tasks(const nest_program *run) {
    int64_t tasks = 0;
    for (int i = 0; i < run->count; i++) tasks += program_tasks(run, i);
    return tasks;
}

/* ---- features ---- */

static void put(candidate *c, int *at, double value) {
    if (*at < CANDIDATE_FEATURES) c->features[(*at)++] += value;
}

/* Operations of each class and bytes, over the multiply-adds. */
static void put_counts(candidate *c, int *at, const nest_counts *n) {
    double of_class[OP_CLASSES] = {0};
    for (int k = 0; k < OP_KINDS; k++) of_class[nest_op_class((op_kind)k)] += n->ops[k];
    const double work = fmax(of_class[CLASS_FMA] + of_class[CLASS_DOT], 1);
    for (int k = CLASS_LOAD; k < OP_CLASSES; k++) put(c, at, log1p(of_class[k] / work));
    put(c, at, log1p(n->bytes / work));
    put(c, at, n->fma_all_lanes > 0 ? n->fma_lanes / n->fma_all_lanes : 0);
    put(c, at, log(work));
}

/* Of each loop how far inside it stands, and how large its blocks are. */
static void put_order(candidate *c, int *at, const plan_order *order) {
    for (int loop = 0; loop < PLAN_LOOPS; loop++) {
        const int level = plan_level_of(order, (plan_loop)loop, false),
                  block = plan_level_of(order, (plan_loop)loop, true);
        put(c, at, level < 0 ? 0 : (double)level / order->count);
        put(c, at, block < 0 ? 0 : log2(1.0 + order->level[block].block));
    }
}

static void put_field(candidate *c, int *at, const cvk_plan *plan, const plan_field *f) {
    const void *value = (const char *)plan + f->offset;
    switch (f->kind) {
    case PLAN_INTEGER: put(c, at, log2(1.0 + *(const int *)value)); break;
    case PLAN_SWITCH: put(c, at, *(const bool *)value); break;
    case PLAN_ORDER: put_order(c, at, value); break;
    case PLAN_LANES:
        for (int i = 0; i < LANES_KINDS; i++) put(c, at, (int)plan->lanes == i);
        break;
    case PLAN_NAME:
        for (int i = 0; i < PLAN_ALGORITHMS; i++) put(c, at, strcmp(plan->algorithm, plan_algorithm_words[i]) == 0);
        break;
    }
}

/* Of several problems, the mean of their plans' numbers. */
static void put_plans(candidate *c, const int first) {
    int at = first;
    const plan_field *f;
    for (int p = 0; p < c->plan.count; p++) {
        at = first;
        for (int i = 0; (f = plan_field_row(i)); i++) put_field(c, &at, &c->plan.part[p], f);
    }
    for (int i = first; i < at; i++) c->features[i] /= c->plan.count;
}

static void put_features(candidate *c, const layer_nests *nests) {
    int at = 0;
    put_counts(c, &at, &nests->counts);
    put(c, &at, log1p((double)all_tasks(&nests->run)));
    put_plans(c, at);
}

/* ---- the list ---- */

static const char *text_of(arena *a, const layer_plan *plan) {
    text words = text_new(a);
    layer_plan_print(plan, &words);
    return words.bytes;
}

uint64_t candidates_hash(const char *words) { return entry_hash(words); }

int candidates_find(const candidates *c, uint64_t hash) {
    for (int i = 0; i < c->count; i++)
        if (c->list[i].hash == hash) return i;
    return -1;
}

static int append(candidates *c, const candidate *one) {
    if (c->count == c->capacity) {
        c->capacity = c->capacity ? 2 * c->capacity : 256;
        candidate *grown = arena_array(c->arena, candidate, c->capacity);
        if (c->count) memcpy(grown, c->list, sizeof *grown * (size_t)c->count);
        c->list = grown;
    }
    c->list[c->count] = *one;
    return c->count++;
}

/* A plan for each problem. */
static layer_plan spread(arena *a, const candidates *c, const layer_plan *plan) {
    cvk_plan *part = arena_array(a, cvk_plan, c->problems);
    layer_plan whole = *plan;
    for (int i = 0; i < c->problems; i++) part[i] = *layer_plan_part(plan, i);
    whole.count = c->problems, whole.part = part;
    return whole;
}

int candidates_add(candidates *c, const layer_plan *plan) {
    arena memory; /* of nests that are counted and no more */
    ranked_layer figures;
    candidate one = {.plan = spread(c->arena, c, plan), .relative = NAN, .neighbour_count = -1};
    one.text = text_of(c->arena, &one.plan);
    one.hash = candidates_hash(one.text);
    arena_init(&memory);
    if (arena_guard(&memory)) {
        arena_free(&memory);
        arena_exhaust(c->arena);
    }
    const layer_nests nests = layer_build(&memory, c->spec, c->aim, &one.plan, &figures);
    one.cycles = figures.cycles;
    one.judged = figures.judged;
    put_features(&one, &nests);
    arena_free(&memory);
    return append(c, &one);
}

static int find_or_add(candidates *c, const layer_plan *plan) {
    arena memory;
    arena_init(&memory);
    if (arena_guard(&memory)) {
        arena_free(&memory);
        arena_exhaust(c->arena);
    }
    const int at = candidates_find(c, candidates_hash(text_of(&memory, plan)));
    arena_free(&memory);
    return at >= 0 || c->closed ? at : candidates_add(c, plan);
}

/* ---- steps ---- */

/* By the model's judgement, equal ones as they stand. */
static void sort_by_judged(const candidates *c, int *index, int count) {
    for (int i = 1; i < count; i++)
        for (int k = i; k > 0 && c->list[index[k]].judged < c->list[index[k - 1]].judged; k--) {
            int other = index[k];
            index[k] = index[k - 1];
            index[k - 1] = other;
        }
}

/* Whether a problem has a choice of its own. */
static bool chooses(const candidates *c, int which) { return c->alike[which] == which; }

/* The same with another plan for a problem and all that are like it; -1: closed, and not there. */
static int find_changed(candidates *c, const layer_plan *from, int which, const cvk_plan *to) {
    arena memory;
    arena_init(&memory);
    if (arena_guard(&memory)) {
        arena_free(&memory);
        arena_exhaust(c->arena);
    }
    cvk_plan *part = arena_array(&memory, cvk_plan, c->problems);
    for (int i = 0; i < c->problems; i++) part[i] = c->alike[i] == which ? *to : *layer_plan_part(from, i);
    layer_plan changed = *from;
    changed.count = c->problems, changed.part = part;
    const int at = find_or_add(c, &changed);
    arena_free(&memory);
    return at;
}

/* Whether bands of all kinds take the plan, too. */
static bool fits(const candidates *c, const layer_plan *from, int which, const cvk_plan *to) {
    cvk_plan part[MOST_LINKS];
    layer_plan changed = *from;
    int refused;
    for (int i = 0; i < c->problems; i++) part[i] = i == which ? *to : *layer_plan_part(from, i);
    changed.count = c->problems, changed.part = part;
    return !layer_refuse(c->spec, c->aim.target, &changed, &refused);
}

typedef struct index_list {
    int *index, count;
} index_list;

/* Steps of one problem's plan. */
static void add_steps(candidates *c, const layer_plan *from, int which, index_list *to) {
    plan_list steps = {0};
    const problem of = layer_problem(c->spec, from, which);
    space_neighbours(c->arena, &of, c->aim.target, &from->part[which], &steps);
    int *grown = arena_array(c->arena, int, to->count + steps.count + 1);
    for (int i = 0; i < to->count; i++) grown[i] = to->index[i];
    to->index = grown;
    for (int i = 0; i < steps.count; i++) {
        if (spec_is_chain(c->spec) && !fits(c, from, which, &steps.plan[i])) continue;
        const int at = find_changed(c, from, which, &steps.plan[i]);
        if (at >= 0) to->index[to->count++] = at;
    }
}

void candidates_step(candidates *c, int of) {
    if (c->list[of].neighbour_count >= 0) return;
    const layer_plan from = c->list[of].plan;
    index_list steps = {0};
    for (int i = 0; i < c->problems; i++)
        if (chooses(c, i)) add_steps(c, &from, i, &steps);
    sort_by_judged(c, steps.index, steps.count);
    c->list[of].neighbour = steps.index;
    c->list[of].neighbour_count = steps.count;
}

/* ---- opening ---- */

static int first_alike(const problem *p, int of) {
    for (int i = 0; i < of; i++)
        if (problem_alike(&p[i], &p[of])) return i;
    return of;
}

void candidates_close(arena *a, const cvk_spec *spec, goal aim, candidates *to) {
    const int problems = problem_count(spec);
    problem *p = arena_array(a, problem, problems);
    int *alike = arena_array(a, int, problems);
    for (int i = 0; i < problems; i++) {
        p[i] = problem_of(spec, i);
        alike[i] = spec_is_chain(spec) ? i : first_alike(p, i);
    }
    *to = (candidates){
        .arena = a, .spec = spec, .aim = aim, .problem = p, .alike = alike, .problems = problems, .closed = true};
}

/* Whether one of its plans is the first of its algorithm for its problem. */
static bool is_first_of_a_row(const candidates *c, int at) {
    for (int p = 0; p < c->problems; p++) {
        const algorithm *row = algo_of(&c->list[at].plan.part[p]);
        bool first = chooses(c, p);
        for (int i = 0; i < at; i++) first &= algo_of(&c->list[i].plan.part[p]) != row;
        if (first) return true;
    }
    return false;
}

/* Plans of one rank, a problem at a time, the others with the model's pick. */
static void add_rank(candidates *c, const layer_plan *pick, const layer_plan *rank) {
    if (spec_is_chain(c->spec)) find_or_add(c, rank); /* plans for bands are for those */
    for (int i = 0; i < c->problems && !spec_is_chain(c->spec); i++)
        if (chooses(c, i)) find_changed(c, pick, i, &rank->part[i]);
}

void candidates_open(arena *a, const cvk_spec *spec, goal aim, candidates *to) {
    ranked_layer *plans;
    int count, centres = 0;
    const char *why;
    candidates_close(a, spec, aim, to);
    to->closed = false;
    layer_rank(a, spec, aim, 0, &plans, &count, &why);
    for (int i = 0; i < count; i++) {
        add_rank(to, &plans[0].plan, &plans[i].plan);
        if (i < CENTRES) centres = to->count;
    }
    const int proposed = to->count;
    for (int i = 0; i < proposed; i++)
        if (i < centres || is_first_of_a_row(to, i)) candidates_step(to, i);
}

void candidates_forget(candidates *c) {
    for (int i = 0; i < c->count; i++) {
        c->list[i].seen = false;
        c->list[i].relative = NAN;
    }
}
