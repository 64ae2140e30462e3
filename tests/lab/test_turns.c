/* What turns decide, on times that are given. */
#include "lab/turns.h"

#include <criterion/criterion.h>
#include <math.h>
#include <time.h>

Test(turns, the_sign_test_is_exact) {
    cr_expect_float_eq(turns_chance(0, 10), 1, 1e-12);
    cr_expect_float_eq(turns_chance(10, 10), 1.0 / 1024, 1e-15);
    cr_expect_float_eq(turns_chance(9, 10), 11.0 / 1024, 1e-15);
    cr_expect_float_eq(turns_chance(5, 9), 0.5, 1e-12);
    cr_expect_float_eq(turns_chance(0, 0), 1, 1e-12);
}

/* A machine that gets slower all the time, and a challenger that is a tenth faster. */
static turns drifting(int count, double factor) {
    turns t = {.count = count};
    for (int i = 0; i < count; i++) {
        t.incumbent[i] = 1 + 0.1 * i;
        t.challenger[i] = factor * t.incumbent[i];
    }
    return t;
}

Test(turns, drift_is_in_both_and_not_in_the_ratio) {
    const turns t = drifting(41, 0.9);
    const turns_verdict v = turns_judge(&t, 1);
    cr_expect_float_eq(v.ratio, 0.9, 1e-12);
    cr_expect_float_eq(v.low, 0.9, 1e-12);
    cr_expect_float_eq(v.high, 0.9, 1e-12);
    cr_expect_float_eq(v.incumbent, 3, 1e-12);
    cr_expect(v.turns == 41 && v.wins == 41 && v.chance < turns_match_level);
}

Test(turns, what_is_equal_wins_no_match) {
    const turns t = drifting(101, 1);
    cr_expect_eq(turns_judge(&t, 1).wins, 0);
    cr_expect(turns_judge(&t, 1).chance > 0.99);
}

Test(turns, a_handicap_counts_in_every_turn) {
    const turns t = drifting(41, 0.9);
    cr_expect_eq(turns_judge(&t, 1.2).wins, 0);
    cr_expect_float_eq(turns_judge(&t, 1.2).ratio, 1.08, 1e-12);
}

static void count_run(const void *context) { ++*(int *)(size_t)context; }

Test(turns, both_get_as_many_turns_as_are_asked_for) {
    int ours = 0, theirs = 0;
    const measured challenger = {.run = count_run, .context = &ours},
                   incumbent = {.run = count_run, .context = &theirs};
    turns t;
    turns_take(&challenger, &incumbent, &(turns_wanted){.least = 5, .most = 7, .seconds = 1e9}, &t);
    cr_expect_eq(t.count, 7);
    turns_take(&challenger, &incumbent, &(turns_wanted){.least = 5, .most = 7}, &t);
    cr_expect_eq(t.count, 5);
    cr_expect(ours > 12 && theirs > 12);
    turns_take(&challenger, &incumbent, &(turns_wanted){.least = 5, .most = 7, .spread = 1e-9}, &t);
    cr_expect_eq(t.count, 7, "as many as there may be, where they differ");
    for (int i = 0; i < t.count; i++) cr_expect(t.challenger[i] > 0 && t.incumbent[i] > 0);
}

/* Sleeps for as long as its context says, in microseconds. */
static void sleep_run(const void *context) {
    const struct timespec time = {.tv_nsec = 1000L * *(const int *)context};
    nanosleep(&time, NULL);
}

/* Whoever got fewer than all lost each of them, the further the fewer they were. */
static void expect_stopped_rightly(const turns *t, const turns_wanted *w) {
    cr_expect(t->count >= TURNS_FEWEST && t->count <= w->most);
    for (int i = 0; i < t->count && t->count < w->least; i++)
        cr_expect_gt(t->challenger[i], (1 + w->hopeless / (t->count * t->count)) * t->incumbent[i]);
}

Test(turns, who_loses_every_turn_gets_few) {
    const int slow = 60000, slower = 22000, usual = 20000;
    const turns_wanted wanted = {.least = 9, .most = 9, .hopeless = 0.9};
    const measured incumbent = {.run = sleep_run, .context = &usual}, by_far = {.run = sleep_run, .context = &slow},
                   a_little = {.run = sleep_run, .context = &slower};
    turns t;
    turns_take(&by_far, &incumbent, &wanted, &t);
    expect_stopped_rightly(&t, &wanted);
    turns_take(&a_little, &incumbent, &wanted, &t);
    expect_stopped_rightly(&t, &wanted);
    turns_take(&incumbent, &by_far, &wanted, &t);
    cr_expect_eq(t.count, 9, "who wins gets all");
}

/* A run that tells whether the one before it was of the same thing. */
typedef struct company {
    const void **last;
    int changes;
} company;
static void meet_run(const void *context) {
    company *c = (company *)(size_t)context;
    c->changes += *c->last != c;
    *c->last = c;
    sleep_run(&(int){2000});
}

Test(turns, a_sample_follows_a_run_of_its_own) {
    const void *last = NULL;
    company ours = {.last = &last}, theirs = {.last = &last};
    const measured challenger = {.run = meet_run, .context = &ours}, incumbent = {.run = meet_run, .context = &theirs};
    turns t;
    turns_take(&challenger, &incumbent, &(turns_wanted){.least = 6, .most = 6}, &t);
    cr_expect_leq(ours.changes + theirs.changes, 2 + 7, "who ends a turn begins the next");
}
