/* Figures by their number: a table of members. */
#include "target/figures.h"

#include <stddef.h>

static const figure_field FIELDS[] = {
#define FIGURE(member, how, unit, least, most, out_of_order, in_order, microcontroller, about)                         \
    {#member, unit, about, least, most, FIGURE_##how},
#include "target/figure_fields.def"
#undef FIGURE
};
static const size_t MEMBERS[] = {
#define FIGURE(member, ...) offsetof(machine_figures, member),
#include "target/figure_fields.def"
#undef FIGURE
};
enum { FIGURES = sizeof FIELDS / sizeof *FIELDS };

const figure_field *figure_row(int index) { return index >= 0 && index < FIGURES ? &FIELDS[index] : NULL; }

double figure_get(const machine_figures *f, int index) { return *(const double *)((const char *)f + MEMBERS[index]); }

void figure_set(machine_figures *f, int index, double value) { *(double *)((char *)f + MEMBERS[index]) = value; }
