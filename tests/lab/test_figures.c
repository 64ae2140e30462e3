/* The probes: whatever the machine, their figures are some machine's, and none is missing. */
#include "lab/evict.h"
#include "lab/figures.h"

#include <criterion/criterion.h>

Test(lab_figures, are_some_machines_for_every_target_that_runs_here) {
    const cvk_target *t;
    int measured = 0;
    for (int row = 0; (t = target_row(row)); row++) {
        if (!target_runs_here(t)) continue;
        machine_figures f;
        cr_assert_eq(figures_measure(t, NULL, &f), CVK_OK, "%s", t->name);
        const figure_field *field;
        for (int i = 0; (field = figure_row(i)); i++) {
            double value = figure_get(&f, i);
            cr_expect(value >= field->least && value <= field->most, "%s: %s is %g", t->name, field->name, value);
        }
        measured++;
    }
    cr_assert_gt(measured, 0);
}

Test(lab_figures, what_cannot_be_compiled_is_a_status_and_no_figure) {
    cvk_target t = *target_host();
    t.cpu = "no such cpu";
    t.triple = "nonsense-unknown-none";
    machine_figures f = {.fma_a_cycle = 7};
    cr_assert_neq(figures_measure(&t, NULL, &f), CVK_OK);
    cr_assert_eq(f.fma_a_cycle, 7);
}

Test(lab_figures, lines_that_are_evicted_keep_what_they_hold) {
    static unsigned char memory[10000];
    for (size_t i = 0; i < sizeof memory; i++) memory[i] = (unsigned char)(7 * i);
    evict_lines(memory, sizeof memory);
    for (size_t i = 0; i < sizeof memory; i++) cr_assert_eq(memory[i], (unsigned char)(7 * i));
}
