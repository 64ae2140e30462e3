/* A machine that does what the model says, but with other figures: those that are fitted explain its times. Several
 * may, so which ones they are is not asked. */
#include "fake.h"

#include "tune/fit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Trials of a layer whose times are the cycles of a core with these figures. */
static void record_layer(arena *a, const machine_figures *truth, int channels, int size, record_list *list) {
    char yaml[160];
    snprintf(
        yaml, sizeof yaml,
        "version: 1\nlayers: [{name: c%d, input: [1, %d, %d, %d], out_channels: %d, kernel_size: 1, layout: channels_last}]\n",
        channels, channels, size, size, 2 * channels);
    cvk_network *network = parse_layer(yaml);
    const cvk_spec *spec = cvk_network_layer(network, 0);
    cvk_target machine = *target_host();
    machine.figures = truth;
    candidates c;
    candidates_open(a, spec, (goal){.target = &machine}, &c);
    for (int i = 0; i < c.count; i++) {
        record r = record_of(a, spec, (goal){.target = target_host()});
        r.name = arena_format(a, "c%d", channels);
        r.plan = c.list[i].text;
        r.seconds = 1e-9 * c.list[i].cycles;
        r.relative = c.list[i].cycles / c.list[0].cycles;
        r.trial = i;
        record_list_add(a, list, &r);
    }
    cvk_network_free(network);
}

/* A core that keeps up half as many loads, and a third of what caches give. */
static machine_figures other_core(void) {
    machine_figures truth = *target_host()->figures;
    truth.sustained_loads /= 2;
    truth.sustained_bytes /= 3;
    return truth;
}

Test(fit, times_are_explained_and_layers_left_out_fare_no_worse) {
    arena a;
    record_list list = {0};
    fit_result r;
    const machine_figures truth = other_core();
    arena_init(&a);
    for (int i = 0; i < 6; i++) record_layer(&a, &truth, 32 << i % 3, 14 + 7 * i, &list);
    fit_figures(&a, &list, target_host(), &r);
    cr_assert_eq(r.count, 6);
    cr_assert_eq(r.ignored, 0);
    cr_expect_lt(r.error, 0.5 * r.error_before, "%g, not less than %g", r.error, r.error_before);
    double before = 0, left_out = 0;
    for (size_t i = 0; i < r.count; i++) {
        before += log(r.layers[i].before);
        left_out += log(r.layers[i].after);
        cr_expect(r.layers[i].before >= 1 && r.layers[i].after >= 1 && r.layers[i].plans > 10);
    }
    cr_expect_leq(left_out, before + 1e-9);
    const figure_field *f;
    for (int i = 0; (f = figure_row(i)); i++)
        cr_expect(figure_get(&r.figures, i) >= f->least && figure_get(&r.figures, i) <= f->most);
    for (int i = 0; (f = figure_row(i)); i++)
        if (f->how == FIGURE_MEASURED)
            cr_expect_eq(figure_get(&r.figures, i), figure_get(target_host()->figures, i), "%s is measured", f->name);
    arena_free(&a);
}

Test(fit, a_machine_that_is_as_the_model_says_keeps_its_figures) {
    arena a;
    record_list list = {0};
    fit_result r;
    arena_init(&a);
    for (int i = 0; i < 3; i++) record_layer(&a, target_host()->figures, 16 << i, 14 + 7 * i, &list);
    fit_figures(&a, &list, target_host(), &r);
    const figure_field *f;
    for (int i = 0; (f = figure_row(i)); i++)
        cr_expect_float_eq(log(figure_get(&r.figures, i) / figure_get(target_host()->figures, i)), 0, 0.02, "%s",
                           f->name);
    arena_free(&a);
}

Test(fit, records_of_another_machine_or_version_are_not_of_this_one) {
    arena a;
    record_list list = {0};
    fit_result r;
    arena_init(&a);
    for (int i = 0; i < 3; i++) record_layer(&a, target_host()->figures, 16 << i, 14, &list);
    const size_t all = list.count;
    for (size_t i = 0; i < all; i++) {
        if (i % 3 == 0) list.record[i].cpu = "another";
        if (i % 3 == 1) list.record[i].llvm = "1.2.3";
        if (i % 3 == 2) list.record[i].target = "another";
    }
    fit_figures(&a, &list, target_host(), &r);
    cr_assert(r.count == 0 && r.ignored == all);
    arena_free(&a);
}
