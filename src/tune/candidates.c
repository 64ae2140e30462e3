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
    if (*at < CANDIDATE_FEATURES) c->features[(*at)++] = value;
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

static void put_field(candidate *c, int *at, const plan_field *f) {
    const void *value = (const char *)&c->plan + f->offset;
    switch (f->kind) {
    case PLAN_INTEGER: put(c, at, log2(1.0 + *(const int *)value)); break;
    case PLAN_SWITCH: put(c, at, *(const bool *)value); break;
    case PLAN_ORDER: put_order(c, at, value); break;
    case PLAN_LANES:
        for (int i = 0; i < LANES_KINDS; i++) put(c, at, (int)c->plan.lanes == i);
        break;
    case PLAN_NAME:
        for (int i = 0; i < PLAN_ALGORITHMS; i++) put(c, at, strcmp(c->plan.algorithm, plan_algorithm_words[i]) == 0);
        break;
    }
}

static void put_features(candidate *c, const ranked_plan *r) {
    int at = 0;
    put_counts(c, &at, &r->counts);
    put(c, &at, log1p((double)all_tasks(&r->nests.run)));
    const plan_field *f;
    for (int i = 0; (f = plan_field_row(i)); i++) put_field(c, &at, f);
}

/* ---- the list ---- */

static const char *text_of(arena *a, const cvk_plan *plan) {
    text words = text_new(a);
    plan_print(plan, &words);
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

static int append_ranked(candidates *c, const ranked_plan *r) {
    candidate one = {.plan = r->plan,
                     .text = text_of(c->arena, &r->plan),
                     .cycles = r->cycles,
                     .judged = r->judged,
                     .relative = NAN,
                     .neighbour_count = -1};
    one.hash = candidates_hash(one.text);
    put_features(&one, r);
    return append(c, &one);
}

int candidates_add(candidates *c, const cvk_plan *plan) {
    arena memory; /* of nests that are counted and no more */
    arena_init(&memory);
    if (arena_guard(&memory)) {
        arena_free(&memory);
        arena_exhaust(c->arena);
    }
    ranked_plan r = algo_build(&memory, &c->problem, c->aim, plan);
    const int at = append_ranked(c, &r);
    arena_free(&memory);
    return at;
}

static int find_or_add(candidates *c, const cvk_plan *plan) {
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

void candidates_step(candidates *c, int of) {
    if (c->list[of].neighbour_count >= 0) return;
    plan_list steps = {0};
    const cvk_plan from = c->list[of].plan;
    space_neighbours(c->arena, &c->problem, c->aim.target, &from, &steps);
    int *index = arena_array(c->arena, int, steps.count + 1), count = 0;
    for (int i = 0; i < steps.count; i++) {
        const int at = find_or_add(c, &steps.plan[i]);
        if (at >= 0) index[count++] = at;
    }
    sort_by_judged(c, index, count);
    c->list[of].neighbour = index;
    c->list[of].neighbour_count = count;
}

/* ---- opening ---- */

void candidates_close(arena *a, const cvk_spec *spec, goal aim, candidates *to) {
    *to = (candidates){.arena = a, .problem = problem_of(spec, 0), .aim = aim, .closed = true};
}

/* Whether none before it in the order is of its algorithm. */
static bool is_first_of_its_row(const candidates *c, int at) {
    for (int i = 0; i < at; i++)
        if (algo_of(&c->list[i].plan) == algo_of(&c->list[at].plan)) return false;
    return true;
}

void candidates_open(arena *a, const cvk_spec *spec, goal aim, candidates *to) {
    ranked_plan *plans;
    int count;
    const char *why;
    candidates_close(a, spec, aim, to);
    to->closed = false;
    algo_rank(a, &to->problem, aim, spec->algorithm, 0, &plans, &count, &why);
    for (int i = 0; i < count; i++) append_ranked(to, &plans[i]);
    for (int i = 0; i < count; i++)
        if (i < CENTRES || is_first_of_its_row(to, i)) candidates_step(to, i);
}

void candidates_forget(candidates *c) {
    for (int i = 0; i < c->count; i++) {
        c->list[i].seen = false;
        c->list[i].relative = NAN;
    }
}
