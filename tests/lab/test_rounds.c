/* What rounds say of a further process, on ratios that are given and on machines that are made up. */
#include "lab/rounds.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdint.h>

static rounds rounds_of(const double *ratio, int count) {
    rounds r = {.count = 0};
    for (int i = 0; i < count; i++)
        rounds_add(&r, &(turns_verdict){.challenger = ratio[i], .incumbent = 1, .ratio = ratio[i], .turns = 5});
    return r;
}

/* Mean and standard deviation of the logarithms are -0.0676237 and 0.0332679, Student's t is 3.18245. */
Test(rounds, the_interval_is_students_of_one_more_value) {
    const rounds r = rounds_of((const double[]){0.9, 0.95, 0.92, 0.97}, 4);
    const rounds_verdict v = rounds_judge(&r);
    cr_expect_float_eq(v.ratio, 0.935, 1e-12);
    cr_expect_float_eq(v.low, 0.830279, 1e-6);
    cr_expect_float_eq(v.high, 1.052056, 1e-6);
    cr_expect(v.rounds == 4 && v.turns == 20 && v.wins == 4);
    cr_expect_float_eq(v.chance, 1.0 / 16, 1e-12);
}

/* Mean and standard deviation of the logarithms are -0.0428913 and 0.0268514, Student's t is 2.20099. */
Test(rounds, all_rounds_of_a_match_have_their_interval) {
    static const double ratio[ROUNDS] = {0.97, 0.95, 1.01, 0.93, 0.96, 0.94, 0.98, 0.95, 0.92, 0.96, 0.99, 0.94};
    const rounds r = rounds_of(ratio, ROUNDS);
    const rounds_verdict v = rounds_judge(&r);
    cr_expect_float_eq(v.ratio, 0.955, 1e-12);
    cr_expect_float_eq(v.low, 0.900861, 1e-6);
    cr_expect_float_eq(v.high, 1.018796, 1e-6);
    cr_expect_eq(v.wins, 11);
    cr_expect(v.chance < turns_match_level / 3, "one lost, against two other challengers");
}

Test(rounds, of_one_there_is_no_saying_what_the_next_finds) {
    const rounds r = rounds_of((const double[]){0.9}, 1);
    const rounds_verdict v = rounds_judge(&r);
    cr_expect(v.low == 0 && isinf(v.high));
}

Test(rounds, where_all_agree_the_interval_is_their_ratio) {
    const rounds r = rounds_of((const double[]){0.5, 0.5, 0.5}, 3);
    const rounds_verdict v = rounds_judge(&r);
    cr_expect_float_eq(v.low, 0.5, 1e-12);
    cr_expect_float_eq(v.high, 0.5, 1e-12);
}

/* ---- a machine that is made up ---- */

static double uniform(uint64_t *state) {
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return ((double)(*state >> 33) + 0.5) / 2147483648.0;
}

static double normal(uint64_t *state) {
    return sqrt(-2 * log(uniform(state))) * cos(6.283185307179586 * uniform(state));
}

/* What processes differ by, what turns of one do, and what is true. */
static const double OF_PROCESS = 0.03, OF_TURN = 0.02;

static turns_verdict measure_in_a_process(uint64_t *state, double ratio, int count) {
    turns t = {.count = count};
    const double here = ratio * exp(OF_PROCESS * normal(state));
    for (int i = 0; i < count; i++) {
        t.incumbent[i] = 1;
        t.challenger[i] = here * exp(OF_TURN * normal(state));
    }
    return turns_judge(&t, 1);
}

static rounds_verdict hold_a_match(uint64_t *state, double ratio) {
    rounds r = {.count = 0};
    for (int i = 0; i < ROUNDS; i++) {
        const turns_verdict v = measure_in_a_process(state, ratio, turns_of_round.most);
        rounds_add(&r, &v);
    }
    return rounds_judge(&r);
}

static bool is_within(double value, double low, double high) { return value >= low && value <= high; }

enum { REPEATS = 2000 };

Test(rounds, a_further_process_finds_what_the_interval_says) {
    uint64_t state = 1;
    int by_rounds = 0, by_quartiles = 0;
    for (int i = 0; i < REPEATS; i++) {
        const rounds_verdict match = hold_a_match(&state, 0.95);
        const turns_verdict alone = measure_in_a_process(&state, 0.95, turns_of_match.most);
        const double further = measure_in_a_process(&state, 0.95, turns_of_round.most).ratio;
        by_rounds += is_within(further, match.low, match.high);
        by_quartiles += is_within(further, alone.low, alone.high);
    }
    cr_expect(by_rounds > 0.93 * REPEATS && by_rounds < 0.97 * REPEATS, "%d of %d", by_rounds, REPEATS);
    cr_expect(by_quartiles < 0.6 * REPEATS, "quartiles of one process's turns: %d of %d", by_quartiles, REPEATS);
}

Test(rounds, what_only_processes_differ_by_wins_no_match) {
    uint64_t state = 1;
    int by_rounds = 0, by_turns = 0;
    for (int i = 0; i < REPEATS; i++) {
        by_rounds += hold_a_match(&state, 1).chance < turns_match_level;
        by_turns += measure_in_a_process(&state, 1, turns_of_match.most).chance < turns_match_level;
    }
    cr_expect_lt(by_rounds, 1.5 * turns_match_level * REPEATS);
    cr_expect_gt(by_turns, 0.2 * REPEATS, "turns of one process are not independent");
}

Test(rounds, what_is_faster_by_more_than_processes_differ_wins) {
    uint64_t state = 1;
    int won = 0;
    for (int i = 0; i < REPEATS; i++) won += hold_a_match(&state, 0.92).chance < turns_match_level / 3;
    cr_expect_gt(won, 0.9 * REPEATS, "%d", won);
}
