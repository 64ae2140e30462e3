/* The tables of targets: what a row says of itself agrees, and what says nothing else would show until it is compiled.
 */
#include "target/target.h"

#include <criterion/criterion.h>
#include <string.h>

#define FOR_ROWS(t) for (int row_ = 0; (t = target_row(row_)) != NULL; row_++)

Test(target, every_row_is_found_by_its_name_and_only_once) {
    const cvk_target *t;
    FOR_ROWS(t) cr_expect_eq(target_find(t->name), t, "%s", t->name);
    for (int i = 0; target_name(i); i++)
        for (int j = 0; j < i; j++)
            cr_expect_str_neq(target_name(i), target_name(j), "two are called %s", target_name(i));
}

Test(target, vectors_hold_a_whole_number_of_every_type_and_one_at_least) {
    const cvk_target *t;
    FOR_ROWS(t) {
        cr_expect(t->vector_bytes >= 4 && (t->vector_bytes & (t->vector_bytes - 1)) == 0, "%s", t->name);
        cr_expect_geq(t->registers, 16, "%s", t->name);
        for (int type = 0; type < TYPES; type++) {
            int bytes = type_bytes((cvk_type)type), lanes = target_lanes(t, (cvk_type)type);
            int fit = t->vector_bytes / bytes;
            cr_expect_eq(lanes, fit > 1 ? fit : 1, "%s: %d lanes of %d bytes", t->name, lanes, bytes);
        }
        if (t->vscale) cr_expect_eq(t->vector_bytes, 16 * t->vscale, "%s", t->name);
    }
}

Test(target, caches_do_not_shrink_outwards) {
    const cvk_target *t;
    FOR_ROWS(t) {
        cr_expect_gt(t->l1_bytes, 0, "%s", t->name);
        cr_expect(t->l2_bytes == 0 || t->l2_bytes >= t->l1_bytes, "%s", t->name);
        cr_expect(t->l3_bytes == 0 || t->l3_bytes >= t->l2_bytes, "%s", t->name);
    }
}

/* Also that each says all: a member that a row of figure_fields.def leaves out would be 0. */
Test(target, figures_are_those_of_some_machine) {
    const cvk_target *t;
    const figure_field *field;
    FOR_ROWS(t)
    for (int i = 0; (field = figure_row(i)); i++) {
        double value = figure_get(t->figures, i);
        cr_expect(value >= field->least && value <= field->most, "%s: %s is %g", t->name, field->name, value);
    }
}

/* cvk_select takes the first that a CPU satisfies, so a row behind one that asks for less would never be taken. */
Test(target, a_row_asks_for_something_that_the_rows_behind_it_do_not) {
    const cvk_target *before, *t;
    for (int i = 0; (t = target_row(i)); i++)
        for (int j = 0; j < i; j++) {
            before = target_row(j);
            if (!t->triple || !before->triple || !target_same_architecture(before, t)) continue;
            cr_expect(before->cpu_features & ~t->cpu_features || !(t->cpu_features & ~before->cpu_features),
                      "%s hides %s", before->name, t->name);
        }
}

Test(target, triples_are_of_the_row_and_of_a_system_that_objects_are_complete_for) {
    const cvk_target *t;
    FOR_ROWS(t) {
        if (!t->triple) continue;
        cr_expect_eq(target_takes_triple(t, t->triple), CVK_OK, "%s", t->name);
        int dashes = 0;
        for (const char *c = t->triple; *c; c++) dashes += *c == '-';
        cr_expect(dashes == 2 || dashes == 3, "%s is no triple", t->triple);
        cr_expect_eq(target_pointer_bits(t), strstr(t->triple, "64") ? 64 : 32, "%s", t->name);
        cr_expect_eq(target_makes_elf(t->triple), strncmp(t->triple, "wasm", 4) != 0, "%s", t->name);
    }
}

Test(target, every_cpu_stands_for_a_row_of_a_real_architecture) {
    const cvk_target *row;
    const char *cpu;
    for (int i = 0; (cpu = target_cpu(i, &row)); i++) {
        cr_assert_not_null(row, "%s stands for no row", cpu);
        cr_expect_not_null(row->triple, "%s stands for %s, which is for any machine", cpu, row->name);
        cr_expect_eq(target_find(cpu), row, "%s", cpu);
        for (int j = 0; target_row(j); j++) cr_expect_str_neq(cpu, target_row(j)->name, "%s is a row, too", cpu);
    }
}

Test(target, the_host_satisfies_its_row_and_none_before_it) {
    const cvk_target *host = target_host(), *t;
    cr_expect(target_runs_here(host));
    FOR_ROWS(t) {
        if (strcmp(t->name, host->name) == 0) break;
        cr_expect_not(target_runs_here(t), "%s is better, and runs here", t->name);
    }
}
