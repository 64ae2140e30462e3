/* convoke print targets, print cpus: the tables of target/ as columns, a row a line. */
#include "cli/print.h"
#include "target/target.h"

#include <stdio.h>

enum { BYTE_BITS = 8, MOST_FEATURES = 512 };

static const char ROW[] = "%-15s  %-29s  %5s  %5s  %9s  %s\n";

static void print_row(const cvk_target *t) {
    char bits[16], lanes[16], registers[16], features[MOST_FEATURES];
    snprintf(bits, sizeof bits, "%d", BYTE_BITS * t->vector_bytes);
    snprintf(lanes, sizeof lanes, "%d", target_lanes(t, TYPE_F32));
    snprintf(registers, sizeof registers, "%d", t->registers);
    cvk_cpu_names(t->cpu_features, features, sizeof features);
    printf(ROW, t->name, t->triple ? t->triple : "-", bits, lanes, registers, *features ? features : "-");
}

void print_targets(void) {
    printf(ROW, "target", "triple", "bits", "lanes", "registers", "features");
    const cvk_target *t;
    for (int i = 0; (t = target_row(i)); i++) print_row(t);
    printf("# host, native: %s\n", target_host()->name);
}

void print_cpus(void) {
    printf("%-16s  %s\n", "cpu", "target");
    const cvk_target *row;
    const char *name;
    for (int i = 0; (name = target_cpu(i, &row)); i++) printf("%-16s  %s\n", name, row->name);
}
