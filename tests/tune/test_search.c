/* What all strategies have in common, and what each is for, on times that are given. */
#include "fake.h"

#include <math.h>
#include <string.h>

/* A search over a layer, told fake times, with results as late as they may be. */
typedef struct walked {
    arena arena;
    cvk_network *network;
    candidates candidates;
    surrogate_knowledge knowledge;
    search search;
} walked;

static void open_walk(walked *w, const char *name, uint64_t seed) {
    memset(w, 0, sizeof *w);
    arena_init(&w->arena);
    w->network = parse_layer(one_layer);
    candidates_open(&w->arena, cvk_network_layer(w->network, 0), (goal){.target = target_find("x86-64-v3")},
                    &w->candidates);
    search_begin(&w->search, strategy_find(name), &w->candidates, &w->knowledge, seed);
}

static void walk(walked *w, int trials) {
    bool over = false;
    while (w->search.told < trials && !(over && w->search.told == w->search.trials)) {
        while (!over && w->search.trials - w->search.told <= SEARCH_LAG) over = search_next(&w->search) < 0;
        if (w->search.told < w->search.trials) {
            const candidate *c = &w->candidates.list[w->search.trial[w->search.told]];
            search_tell(&w->search, fake_seconds(c->text) / fake_seconds(w->candidates.list[0].text));
        }
    }
}

static void close_walk(walked *w) {
    cvk_network_free(w->network);
    arena_free(&w->arena);
}

Test(search, begins_with_the_models_pick_and_tries_each_plan_once) {
    const strategy *row;
    for (int i = 0; (row = strategy_row(i)); i++) {
        walked w;
        open_walk(&w, row->name, 3);
        walk(&w, 150);
        cr_expect_eq(w.search.told, 150, "%s: %d", row->name, w.search.told);
        cr_expect_eq(w.search.trial[0], 0, "%s", row->name);
        for (int a = 0; a < w.search.trials; a++)
            for (int b = 0; b < a; b++)
                cr_assert_neq(w.search.trial[a], w.search.trial[b], "%s: trials %d and %d", row->name, b, a);
        close_walk(&w);
    }
}

Test(search, is_the_same_for_the_same_seed) {
    const strategy *row;
    for (int i = 0; (row = strategy_row(i)); i++) {
        walked a, b;
        open_walk(&a, row->name, 3);
        open_walk(&b, row->name, 3);
        walk(&a, 100);
        walk(&b, 100);
        cr_expect(memcmp(a.search.trial, b.search.trial, 100 * sizeof *a.search.trial) == 0, "%s", row->name);
        close_walk(&a);
        close_walk(&b);
    }
}

Test(search, another_seed_is_another_random_search) {
    walked a, b;
    open_walk(&a, "random", 3);
    open_walk(&b, "random", 4);
    walk(&a, 50);
    walk(&b, 50);
    cr_assert(memcmp(a.search.trial, b.search.trial, 50 * sizeof *a.search.trial) != 0);
    close_walk(&a);
    close_walk(&b);
}

Test(search, exhaustive_and_random_try_all_of_the_space_and_end) {
    static const char *const names[] = {"exhaustive", "random"};
    for (int i = 0; i < 2; i++) {
        walked w;
        open_walk(&w, names[i], 3);
        const int space = w.candidates.count;
        walk(&w, 1 << 20);
        cr_expect_eq(w.search.told, space, "%s: %d of %d", names[i], w.search.told, space);
        close_walk(&w);
    }
}

Test(search, model_tries_what_the_model_judges_best_first) {
    walked w;
    open_walk(&w, "model", 3);
    walk(&w, 60);
    for (int i = 2; i < 60; i++)
        cr_assert_leq(w.candidates.list[w.search.trial[i - 1]].judged, w.candidates.list[w.search.trial[i]].judged);
    close_walk(&w);
}

Test(search, local_tries_steps_from_the_best) {
    walked w;
    open_walk(&w, "local", 3);
    walk(&w, 40);
    int steps = 0;
    for (int i = 1; i < 40; i++)
        for (int from = 0; from < w.candidates.count; from++)
            for (int n = 0; n < w.candidates.list[from].neighbour_count; n++)
                if (w.candidates.list[from].seen && w.candidates.list[from].neighbour[n] == w.search.trial[i]) {
                    steps++;
                    from = w.candidates.count - 1;
                    break;
                }
    cr_assert_gt(steps, 36, "%d of 39", steps);
    close_walk(&w);
}

/* A world in which the model errs by what one feature says: after some lessons the surrogate knows it. */
Test(search, surrogate_learns_what_the_model_errs_by) {
    walked w;
    open_walk(&w, "surrogate", 3);
    int best_at = -1;
    double best = INFINITY;
    const candidate *first = &w.candidates.list[0];
    while (w.search.told < 60) {
        while (w.search.trials - w.search.told <= SEARCH_LAG) cr_assert_geq(search_next(&w.search), 0);
        const candidate *c = &w.candidates.list[w.search.trial[w.search.told]];
        first = &w.candidates.list[0];
        const double relative =
            c->judged / first->judged * exp(0.4 * (c->plan.part[0].tile_oh - first->plan.part[0].tile_oh));
        if (relative < best) best_at = w.search.told;
        best = fmin(best, relative);
        search_tell(&w.search, relative);
    }
    double optimum = INFINITY;
    for (int i = 0; i < w.candidates.count; i++) {
        const candidate *c = &w.candidates.list[i];
        optimum = fmin(optimum,
                       c->judged / first->judged * exp(0.4 * (c->plan.part[0].tile_oh - first->plan.part[0].tile_oh)));
    }
    cr_assert_lt(best, 1.02 * optimum, "%g at %d, not %g", best, best_at, optimum);
    close_walk(&w);
}

Test(search, failures_and_unknown_results_do_not_stop_a_search) {
    const strategy *row;
    for (int i = 0; (row = strategy_row(i)); i++) {
        walked w;
        open_walk(&w, row->name, 5);
        for (int k = 0; k < 100; k++) {
            while (w.search.trials - w.search.told <= SEARCH_LAG)
                cr_assert_geq(search_next(&w.search), 0, "%s", row->name);
            search_tell(&w.search, k % 3 == 0 ? INFINITY : k % 3 == 1 ? NAN : k < 50 ? INFINITY : 1.5);
        }
        cr_expect(w.search.best >= 0, "%s", row->name);
        close_walk(&w);
    }
}

Test(search, features_tell_plans_apart) {
    walked w;
    open_walk(&w, "model", 1);
    cr_assert_gt(w.candidates.count, 100);
    int alike = 0;
    for (int a = 0; a < w.candidates.count; a++)
        for (int b = 0; b < a; b++)
            alike += memcmp(w.candidates.list[a].features, w.candidates.list[b].features,
                            sizeof w.candidates.list[a].features) == 0;
    cr_assert_eq(alike, 0);
    close_walk(&w);
}

/* How many of the problems have other plans. */
static int changes(const candidates *c, const layer_plan *a, const layer_plan *b) {
    int changed = 0;
    for (int i = 0; i < c->problems; i++) changed += !plan_equal(&a->part[i], &b->part[i]);
    return changed;
}

/* Transposed with a stride of 2 on two axes: four phases, no two of which are alike. */
Test(search, a_step_changes_the_plan_of_one_problem) {
    arena a;
    candidates c;
    arena_init(&a);
    cvk_network *network = parse_layer("version: 1\nlayers: [{name: up, input: [1, 8, 9, 9], out_channels: 8, "
                                       "kernel_size: 3, stride: 2, padding: 1, transposed: true}]\n");
    candidates_open(&a, cvk_network_layer(network, 0), (goal){.target = target_find("x86-64-v3")}, &c);
    cr_assert_eq(c.problems, 4);
    int steps[4] = {0};
    candidates_step(&c, 0);
    for (int i = 0; i < c.list[0].neighbour_count; i++) {
        const layer_plan *to = &c.list[c.list[0].neighbour[i]].plan;
        cr_assert_eq(changes(&c, &c.list[0].plan, to), 1);
        for (int p = 0; p < 4; p++) steps[p] += !plan_equal(&c.list[0].plan.part[p], &to->part[p]);
    }
    for (int p = 0; p < 4; p++) cr_expect_gt(steps[p], 5, "problem %d", p);
    cvk_network_free(network);
    arena_free(&a);
}

/* A kernel as large as its stride: phases differ only in where they begin. */
Test(search, problems_that_are_alike_share_their_plan) {
    arena a;
    candidates c;
    arena_init(&a);
    cvk_network *network = parse_layer("version: 1\nlayers: [{name: up, input: [1, 8, 9, 9], out_channels: 8, "
                                       "kernel_size: 2, stride: 2, transposed: true}]\n");
    candidates_open(&a, cvk_network_layer(network, 0), (goal){.target = target_find("x86-64-v3")}, &c);
    cr_assert(c.problems == 4 && c.count > 50);
    for (int i = 0; i < c.count; i++)
        for (int p = 1; p < 4; p++) cr_assert(plan_equal(&c.list[i].plan.part[0], &c.list[i].plan.part[p]));
    cvk_network_free(network);
    arena_free(&a);
}
