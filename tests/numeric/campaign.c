/* The plans of a layer are the best one, others at random, and some that no algorithm proposes. */
#include "campaign.h"

#include "algo/space.h"
#include "workers.h"

#include <stdio.h>
#include <string.h>

enum {
    EVALUATED = 2,
    MOST_EVALUATED_MACS = 30000,
    MOST_TARGETS = 16,
    PERCENT_THREADS = 10,
    PERCENT_ANY = 10,
    PERCENT_BAKED = 10,
    PERCENT_INFINITIES = 8
};

/* One layer being tried. */
typedef struct subject {
    const campaign *campaign;
    campaign_tally *tally;
    int number;
    draws draws;
    trial trial;
    bool infinities; /* among its weights: zeros of a packed border make NaN of them, and may */
    arena *arena;
    const cvk_target *target;
} subject;

static const char *describe(const subject *s, const layer_plan *plan) {
    const campaign *c = s->campaign;
    unsigned long seed = (unsigned long)c->seed;
    return arena_format(s->arena,
                        "seed %lu, case %d, target %s\n%s"
                        "repeat: CVK_SEED=%lu CVK_CASE=%d tests/numeric/test_numeric --filter %s\n",
                        seed, s->number, s->target->name, trial_yaml(s->arena, s->trial.spec, plan), seed, s->number,
                        c->test);
}

static bool fails(const subject *s, const layer_plan *plan, const char *words) {
    fprintf(stderr, "%s:\n%s", words, describe(s, plan));
    return false;
}

/* The matrix of im2col has the border, too. */
static bool packs_border(const layer_plan *p) {
    for (int i = 0; i < p->count; i++)
        if (p->part[i].pack_border || strcmp(p->part[i].algorithm, "im2col") == 0) return true;
    return false;
}

static bool try_plan(subject *s, const layer_plan *p, bool evaluate) {
    if (s->infinities && packs_border(p)) return true;
    workers_expect_crash(describe(s, p));
    trial_extras extras = {draw_chance(&s->draws, PERCENT_THREADS),
                           evaluate && spec_macs(s->trial.spec) <= MOST_EVALUATED_MACS, false, false};
    extras.any = draw_chance(&s->draws, PERCENT_ANY) &&
                 (s->trial.spec->direction == DIRECTION_FORWARD ||
                  (s->trial.spec->batch > 0 && s->trial.spec->weights_type == spec_sum_type(s->trial.spec)));
    extras.baked = draw_chance(&s->draws, PERCENT_BAKED) && s->trial.spec->direction == DIRECTION_FORWARD;
    atomic_fetch_add(&s->tally->kernels, 1);
    atomic_fetch_add(&s->tally->evaluated, extras.evaluator);
    return trial_kernel(&s->trial, s->target, p, extras) || fails(s, p, s->trial.words);
}

/* An algorithm that says it can do a layer has a plan for it. */
static bool every_row_proposes(const subject *s, int problem_index, const ranked_layer *plans, int count) {
    const problem asked = problem_of(s->trial.spec, problem_index);
    const algorithm *row;
    for (int i = 0; (row = algo_row(i)); i++) {
        const char *why;
        int of_row = 0;
        if (row->asked_for) continue;
        for (int p = 0; p < count; p++) of_row += algo_of(layer_plan_part(&plans[p].plan, problem_index)) == row;
        if (!of_row && row->applicable(&asked, s->target, &why))
            return fails(s, NULL,
                         arena_format(s->arena, "row %d of %s is applicable to problem %d and has no plan", i,
                                      row->name, problem_index));
    }
    return true;
}

enum { MOST_STEPS = 6 };

/* Of a chain, others than anybody proposes. */
static void draw_bands(subject *s, layer_plan *plan) {
    for (int a = 0; a < AXES && layer_plan_is_fused(plan) && draw_chance(&s->draws, 70); a++)
        plan->band[a] = (int)draw_from(&s->draws, 1, s->trial.spec->out_size[a]);
}

/* A plan for one of the problems that no algorithm proposes, some steps through the space of plans from one that it
 * does. */
static bool try_walk(subject *s, const layer_plan *from) {
    int which = (int)draw_from(&s->draws, 0, from->count - 1);
    problem asked = layer_problem(s->trial.spec, from, which);
    cvk_plan *part = arena_copy(s->arena, from->part, sizeof *part * (size_t)from->count), plan = part[which];
    for (int64_t steps = draw_from(&s->draws, 1, MOST_STEPS); steps > 0; steps--) {
        plan_list next = {0};
        space_neighbours(s->arena, &asked, s->target, &plan, &next);
        if (next.count) plan = next.plan[draw_from(&s->draws, 0, next.count - 1)];
    }
    part[which] = plan;
    layer_plan walked = *from;
    walked.part = part;
    draw_bands(s, &walked);
    if (layer_refuse(s->trial.spec, s->target, &walked, &which)) return true;
    atomic_fetch_add(&s->tally->walked, 1);
    return try_plan(s, &walked, true);
}

/* What `auto` leaves out: the best plan, and another. */
static bool try_asked_for(subject *s, const char *name) {
    ranked_layer *plans;
    int count;
    cvk_spec asked = *s->trial.spec;
    asked.algorithm = name;
    if (compile_rank(s->arena, &asked, (goal){.target = s->target}, 0, NULL, &plans, &count)) return true;
    return try_plan(s, &plans[0].plan, true) && try_plan(s, &plans[draw_from(&s->draws, 0, count - 1)].plan, false);
}

static bool try_all_asked_for(subject *s) {
    const algorithm *row;
    const char *last = "";
    for (int i = 0; (row = algo_row(i)); i++) {
        if (!row->asked_for || strcmp(row->name, last) == 0) continue;
        if (!try_asked_for(s, last = row->name)) return false;
    }
    return true;
}

static bool try_plans(subject *s, const cvk_target *target, int most) {
    ranked_layer *plans;
    int count;
    s->target = target;
    workers_expect_crash(describe(s, NULL));
    cvk_status status = compile_rank(s->arena, s->trial.spec, (goal){.target = target}, 0, NULL, &plans, &count);
    if (status) return fails(s, NULL, arena_format(s->arena, "no plan: %s", cvk_status_text(status)));
    for (int i = 0; i < problem_count(s->trial.spec) && !spec_is_chain(s->trial.spec); i++)
        if (!every_row_proposes(s, i, plans, count)) return false;
    atomic_fetch_add(&s->tally->proposed, count);
    atomic_fetch_add(&s->tally->every_plan, count <= most);
    for (int i = 0; i < count && i < most; i++) {
        int other = i == 0 ? 0 : (int)draw_from(&s->draws, i, count - 1);
        ranked_layer chosen = plans[other];
        plans[other] = plans[i];
        if (!try_plan(s, &chosen.plan, i < EVALUATED)) return false;
    }
    for (int i = 0; i < s->campaign->walks; i++)
        if (!try_walk(s, &plans[draw_from(&s->draws, 0, count - 1)].plan)) return false;
    return true;
}

/* A target other than the host's, if there is one that runs here. */
static const cvk_target *another_target(draws *d) {
    const cvk_target *runs[MOST_TARGETS], *t;
    int count = 0;
    for (int i = 0; count < MOST_TARGETS && (t = target_row(i)); i++)
        if (target_runs_here(t) && strcmp(t->name, target_host()->name) != 0) runs[count++] = t;
    return count ? runs[draw_from(d, 0, count - 1)] : NULL;
}

static bool try_layer(subject *s) {
    const campaign *c = s->campaign;
    int plans = draw_chance(&s->draws, c->percent_every_plan) ? INT32_MAX : c->plans;
    const cvk_target *other = another_target(&s->draws);
    return try_plans(s, target_host(), plans) && try_all_asked_for(s) &&
           (!other || try_plans(s, other, c->other_plans));
}

typedef struct shared {
    const campaign *campaign;
    campaign_tally tally;
} shared;

static bool run_case_in(subject *s) {
    s->draws = draws_for(s->campaign->seed, (uint64_t)s->number);
    cvk_spec layer = s->campaign->layer(&s->draws, s->number, s->campaign->layers);
    data_kind kind = draw_chance(&s->draws, 50) ? DATA_INTEGERS : DATA_REALS;
    s->infinities = draw_chance(&s->draws, PERCENT_INFINITIES);
    bool right = trial_open(&s->trial, &layer, kind, s->infinities, draw_bits(&s->draws)) && try_layer(s);
    atomic_fetch_add(&s->tally->layers, 1);
    atomic_fetch_add(&s->tally->vacuous, s->trial.zeros > TRIAL_MOST_ZEROS);
    trial_close(&s->trial);
    return right;
}

static bool run_numbered(int number, void *context) {
    shared *all = context;
    arena a;
    arena_init(&a);
    subject s = {.campaign = all->campaign, .tally = &all->tally, .number = number, .arena = &a};
    bool right = !arena_guard(&a) && run_case_in(&s);
    arena_free(&a);
    return right;
}

int campaign_run(const campaign *c, campaign_tally *tally) {
    shared *all = workers_memory(sizeof *all);
    if (!all) return c->cases;
    all->campaign = c;
    int failures = workers_run(c->cases, run_numbered, all);
    campaign_tally *t = &all->tally;
    fprintf(stderr,
            "%s: seed %lu, %ld layers (%ld mostly zeros), %ld kernels of %ld plans proposed, every plan of %ld, "
            "%ld walked to, %ld also evaluated\n",
            c->test, (unsigned long)c->seed, t->layers, t->vacuous, t->kernels, t->proposed, t->every_plan, t->walked,
            t->evaluated);
    *tally = *t;
    return failures;
}
