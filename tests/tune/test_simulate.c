/* Replaying on a database of which everything is known. */
#include "fake.h"

#include "tune/simulate.h"

#include <limits.h>
#include <math.h>

/* Every plan of the space, tried by the fake clock. */
static void record_all(fake *f) {
    fake_open(f, one_layer, "exhaustive", INT_MAX);
    fake_tune(f);
}

Test(simulation, a_layer_is_what_was_recorded_with_the_models_pick_first) {
    fake f;
    simulation s;
    record_all(&f);
    const record_list trials = fake_trials(&f);
    simulation_open(&f.arena, &f.known, &s);
    cr_assert_eq(s.count, 1);
    cr_assert_eq((size_t)s.layers[0].candidates.count, trials.count);
    cr_assert_str_eq(s.layers[0].candidates.list[0].text, trials.record[0].plan);
    double optimum = INFINITY;
    for (size_t i = 0; i < trials.count; i++) optimum = fmin(optimum, trials.record[i].relative);
    cr_assert_float_eq(s.layers[0].optimum, optimum, 1e-12);
    fake_close(&f);
}

Test(simulation, a_replay_is_the_search_that_a_clock_saw) {
    const strategy *row;
    fake f, real;
    simulation s;
    record_all(&f);
    simulation_open(&f.arena, &f.known, &s);
    for (int i = 0; (row = strategy_row(i)); i++) {
        enum { TRIALS = 30 };
        double share[TRIALS], best = INFINITY;
        simulation_run(&s, row, TRIALS, 1, 7, share);
        for (int t = 1; t < TRIALS; t++) cr_expect(share[t] >= share[t - 1] && share[t] <= 1, "%s", row->name);
        if (i == 0) continue; /* exhaustive lists plans as the real one met them; the others may step beyond the list */
        fake_open(&real, one_layer, row->name, SEARCH_LAG + 1);
        fake_tune(&real);
        const record_list trials = fake_trials(&real);
        for (int t = 0; t <= SEARCH_LAG; t++) {
            best = fmin(best, trials.record[t].relative);
            if (row->moves == strategy_find("model")->moves)
                cr_expect_float_eq(share[t], s.layers[0].optimum / best, 1e-6, "%s: trial %d", row->name, t);
        }
        fake_close(&real);
    }
    fake_close(&f);
}

Test(simulation, failures_are_no_optimum) {
    fake f;
    simulation s;
    record_all(&f);
    for (size_t i = 0; i < f.known.count; i += 2) f.known.record[i].outcome = OUTCOME_RUNTIME;
    simulation_open(&f.arena, &f.known, &s);
    int failed = 0;
    for (int i = 0; i < s.layers[0].candidates.count; i++) failed += !isfinite(s.layers[0].relative[i]);
    cr_assert_gt(failed, s.layers[0].candidates.count / 3);
    cr_assert(isfinite(s.layers[0].optimum));
    fake_close(&f);
}

Test(simulation, quantiles_lie_between_the_values) {
    double values[] = {5, 1, 4, 2, 3};
    cr_assert_eq(simulation_quantile(values, 5, 0), 1);
    cr_assert_eq(simulation_quantile(values, 5, 0.5), 3);
    cr_assert_float_eq(simulation_quantile(values, 5, 0.125), 1.5, 1e-12);
    cr_assert_eq(simulation_quantile(values, 5, 1), 5);
    cr_assert(isnan(simulation_quantile(values, 0, 0.5)));
}
