/* The roof over a layer, against figures worked out by hand. */
#include "lab/roof.h"

#include <criterion/criterion.h>
#include <math.h>

/* 100 operations a second; levels of 10, 100 and 1000 bytes with 50, 20, 10 and 2 bytes a second. */
static const double PEAK = 100;
static const roof machine = {{10, 100, 1000, INFINITY}, {50, 20, 10, 2}};
/* The same without a third level. */
static const roof two_levels = {{10, 100, 100, INFINITY}, {50, 20, 0, 2}};

static double seconds(const roof *r, double operations, double bytes) {
    return roof_seconds(r, PEAK, operations, bytes);
}

static void expect(double got, double exact) {
    cr_expect(fabs(got - exact) <= 1e-12 * exact, "%.17g, not %.17g", got, exact);
}

Test(roof, much_to_compute_is_under_the_fma_peak) { expect(seconds(&machine, 5000, 100), 50); }

Test(roof, what_fits_a_level_comes_from_there) { expect(seconds(&machine, 1, 5), 5.0 / 50); }

Test(roof, what_does_not_fit_comes_from_the_next) {
    expect(seconds(&machine, 1, 60), 10.0 / 50 + 50.0 / 20);
    expect(seconds(&machine, 1, 3000), 10.0 / 50 + 90.0 / 20 + 900.0 / 10 + 2000.0 / 2);
}

Test(roof, a_level_that_is_not_there_holds_nothing) {
    expect(seconds(&two_levels, 1, 300), 10.0 / 50 + 90.0 / 20 + 200.0 / 2);
}

/* A byte more never makes a leap, wherever levels end. */
Test(roof, it_has_no_cliffs) {
    for (double bytes = 1; bytes < 5000; bytes++) {
        const double step = seconds(&machine, 0, bytes + 1) - seconds(&machine, 0, bytes);
        cr_assert(step > 0 && step <= 0.5 + 1e-9, "from %g bytes", bytes);
    }
}

Test(roof, cold_caches_hold_nothing) {
    const lab l = {.target = target_host(), .threads = &lab_one_thread};
    roof cold = roof_of(&l, true), warm = roof_of(&l, false);
    cold.bandwidth[LEVEL_MEMORY] = 2;
    expect(seconds(&cold, 1, 60), 30);
    cr_expect_eq(warm.holds[LEVEL_L1], (double)l.target->l1_bytes);
    cr_expect(isinf(warm.holds[LEVEL_MEMORY]));
    for (int i = 1; i < LEVELS; i++) cr_expect(warm.holds[i] >= warm.holds[i - 1]);
}
