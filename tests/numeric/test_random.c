/* Random layers, each with many plans. */
#include "random_layer.h"
#include "trial.h"
#include "workers.h"

#include <criterion/criterion.h>
#include <stdatomic.h>
#include <stdio.h>

enum { CASES = 3000, PLANS = 8, EVALUATED = 2, MOST_EVALUATED_MACS = 30000 };

/* What was done, over all processes. */
typedef struct tally {
    uint64_t seed;
    atomic_long layers, kernels, proposed, evaluated, every_plan, vacuous;
} tally;

/* One case being run. */
typedef struct subject {
    int number;
    tally *tally;
    draws draws;
    trial trial;
    arena *arena;
    const cvk_target *target;
} subject;

static const char *describe(const subject *s, const cvk_plan *plan) {
    return arena_format(s->arena,
                        "seed %lu, case %d, target %s\n%s"
                        "repeat: CVK_SEED=%lu CVK_CASE=%d tests/numeric/test_numeric --filter numeric/random_layers\n",
                        (unsigned long)s->tally->seed, s->number, s->target->name,
                        trial_yaml(s->arena, s->trial.spec, plan), (unsigned long)s->tally->seed, s->number);
}

static bool fails(const subject *s, const cvk_plan *plan, const char *words) {
    fprintf(stderr, "%s:\n%s", words, describe(s, plan));
    return false;
}

static bool try_plan(subject *s, const ranked_plan *p, bool evaluate) {
    workers_expect_crash(describe(s, &p->plan));
    trial_extras extras = {draw_chance(&s->draws, 10), evaluate && spec_macs(s->trial.spec) <= MOST_EVALUATED_MACS};
    atomic_fetch_add(&s->tally->kernels, 1);
    atomic_fetch_add(&s->tally->evaluated, extras.evaluator);
    return trial_kernel(&s->trial, s->target, p, extras) || fails(s, &p->plan, s->trial.words);
}

/* An algorithm that says it can do a layer has a plan for it. */
static bool every_row_proposes(const subject *s, const ranked_plan *plans, int count) {
    const algorithm *row;
    for (int i = 0; (row = algo_row(i)); i++) {
        const char *why;
        int of_row = 0;
        for (int p = 0; p < count; p++) of_row += algo_of(&plans[p].plan) == row;
        if (!of_row && row->applicable(s->trial.spec, s->target, &why))
            return fails(s, NULL, arena_format(s->arena, "row %d of %s is applicable and has no plan", i, row->name));
    }
    return true;
}

/* The best plan, and others at random up to `most`. */
static bool try_plans(subject *s, const cvk_target *target, int most) {
    ranked_plan *plans;
    int count;
    s->target = target;
    workers_expect_crash(describe(s, NULL));
    cvk_status status = algo_rank(s->arena, s->trial.spec, target, 0, NULL, &plans, &count);
    if (status) return fails(s, NULL, arena_format(s->arena, "no plan: %s", cvk_status_text(status)));
    if (!every_row_proposes(s, plans, count)) return false;
    atomic_fetch_add(&s->tally->proposed, count);
    atomic_fetch_add(&s->tally->every_plan, count <= most);
    for (int i = 0; i < count && i < most; i++) {
        int other = i == 0 ? 0 : (int)draw_from(&s->draws, i, count - 1);
        ranked_plan chosen = plans[other];
        plans[other] = plans[i];
        if (!try_plan(s, &chosen, i < EVALUATED)) return false;
    }
    return true;
}

/* A target other than the host's, if there is one that runs here. */
static const cvk_target *another_target(draws *d) {
    const cvk_target *runs[16], *t;
    int count = 0;
    for (int i = 0; count < 16 && (t = target_row(i)); i++)
        if (target_runs_here(t) && strcmp(t->name, target_host()->name) != 0) runs[count++] = t;
    return count ? runs[draw_from(d, 0, count - 1)] : NULL;
}

static bool try_layer(subject *s) {
    bool all = draw_chance(&s->draws, 5);
    const cvk_target *other = another_target(&s->draws);
    return try_plans(s, target_host(), all ? INT32_MAX : PLANS) && (!other || try_plans(s, other, all ? PLANS : 2));
}

static bool run_random_layer(int number, void *context) {
    arena a;
    arena_init(&a);
    if (arena_guard(&a)) return false;
    subject s = {.number = number, .tally = context, .arena = &a, .target = target_host()};
    s.draws = draws_for(s.tally->seed, (uint64_t)number);
    cvk_spec layer = random_layer(&s.draws, "layer");
    data_kind kind = draw_chance(&s.draws, 50) ? DATA_INTEGERS : DATA_REALS;
    if (!trial_open(&s.trial, &layer, kind, draw_chance(&s.draws, 8), draw_bits(&s.draws))) return false;
    bool right = try_layer(&s);
    atomic_fetch_add(&s.tally->layers, 1);
    atomic_fetch_add(&s.tally->vacuous, s.trial.expected.zeros > 0.7);
    trial_close(&s.trial);
    arena_free(&a);
    return right;
}

Test(numeric, random_layers) {
    tally *t = workers_memory(sizeof *t);
    cr_assert_not_null(t);
    t->seed = (uint64_t)environment_number("CVK_SEED", 1);
    int cases = (int)environment_number("CVK_CASES", CASES);
    int failures = workers_run(cases, run_random_layer, t);
    fprintf(stderr,
            "random layers: seed %lu, %ld layers (%ld mostly zeros), %ld kernels of %ld plans proposed, "
            "every plan of %ld, %ld also evaluated\n",
            (unsigned long)t->seed, t->layers, t->vacuous, t->kernels, t->proposed, t->every_plan, t->evaluated);
    cr_assert_eq(failures, 0, "%d layers failed; see above", failures);
    cr_assert_eq(t->layers, environment_number("CVK_CASE", -1) >= 0 ? 1 : cases);
}
