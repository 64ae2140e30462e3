/* The figures of the machine that we run on: measured once and kept in the cache's directory, one small file a CPU.
 *
 *     convoke figures 4
 *     cpu AuthenticAMD, 25, 17, AMD EPYC 9354 32-Core Processor, 1
 *     caches 32768 1048576 33554432
 *     target x86-64-v4
 *     fma_a_cycle 1
 *     …
 *
 * The lines before the figures say what they are of, and must be those of this machine; they name the file, too. What
 * is anything else is measured anew and replaced. */
#ifndef CVK_LAB_CALIBRATION_H
#define CVK_LAB_CALIBRATION_H

#include "base/diag.h"
#include "base/text.h"
#include "target/target.h"

enum { CALIBRATION_WORDS = 512 };

/* Measures; figures_measure, or a test's. */
typedef cvk_status figures_measurer(const cvk_target *t, cvk_diagnostics *d, machine_figures *to);

/* A target as this machine is. Neither copied nor moved: the target points into it. */
typedef struct calibration {
    cvk_target target;
    machine_figures figures;
    bool measured;                 /* else they are those of the target's row */
    char words[CALIBRATION_WORDS]; /* the file they are in, or why they were not measured; may be cut */
} calibration;

/* Of the host, once a process: what the first call says holds for all. `directory` is where files are kept, made if it
 * is not there; NULL: the environment's. Where there is none, "" or CONVOKE_CACHE=off, nothing is measured, and another
 * call may name one. Where files cannot be kept, figures are the row's: two processes should not differ. Never fails.
 */
const calibration *calibration_host(const char *directory);
/* A target, but the host as it is calibrated. */
const cvk_target *calibration_of(const cvk_target *t, const char *directory);

/* What calibration_host does, each time anew, for a target that this machine runs. */
void calibration_find(const cvk_target *t, const char *directory, figures_measurer *measure, calibration *to);

/* Puts figures in the place of those that were measured, for all processes that begin later: `words` get where they
 * are, or why they cannot be kept. `directory` as above; `t` without its calibration. */
bool calibration_keep(const cvk_target *t, const char *directory, const machine_figures *f,
                      char words[CALIBRATION_WORDS]);

/* The lines that say what a file is of. */
const char *calibration_identity(arena *a, const cvk_target *t);
/* The name of its file. */
const char *calibration_name(arena *a, const cvk_target *t);
text calibration_print(arena *a, const char *identity, const machine_figures *f);
/* False: not the whole of a file of that identity, or with figures that no machine has. */
bool calibration_parse(const char *words, const char *identity, machine_figures *f);

#endif
