/* convoke print targets, print cpus: the tables of target/ as columns, a row a line. */
#include "cli/print.h"
#include "lab/calibration.h"

#include <stdio.h>

enum { BYTE_BITS = 8, MOST_FEATURES = 512 };

static const char ROW[] = "%-20s  %-29s  %5s  %5s  %9s  %s\n";

static void print_row(const cvk_target *t) {
    char bits[16], lanes[16], registers[16], features[MOST_FEATURES];
    snprintf(bits, sizeof bits, "%d", BYTE_BITS * t->vector_bytes);
    snprintf(lanes, sizeof lanes, "%d", target_lanes(t, TYPE_F32));
    snprintf(registers, sizeof registers, "%d", t->registers);
    cvk_cpu_names(t->cpu_features, features, sizeof features);
    printf(ROW, t->name, t->triple ? t->triple : "-", bits, lanes, registers, *features ? features : "-");
}

/* What the host is said to do in a cycle, and who says so. */
static void print_host(void) {
    const calibration *host = calibration_host(NULL);
    const figure_field *field;
    printf("# host, native: %s\n", host->target.name);
    printf("# its core, %s %s:\n", host->measured ? "as measured, in" : "by its row, for", host->words);
    for (int i = 0; (field = figure_row(i)); i++)
        if (field->how == FIGURE_MEASURED)
            printf("#   %-20s  %-5g %-13s  %s\n", field->name, figure_get(&host->figures, i), field->unit,
                   field->about);
}

void print_targets(void) {
    printf(ROW, "target", "triple", "bits", "lanes", "registers", "features");
    const cvk_target *t;
    for (int i = 0; (t = target_row(i)); i++) print_row(t);
    print_host();
}

void print_cpus(void) {
    printf("%-16s  %s\n", "cpu", "target");
    const cvk_target *row;
    const char *name;
    for (int i = 0; (name = target_cpu(i, &row)); i++) printf("%-16s  %s\n", name, row->name);
}
