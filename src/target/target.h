/* Targets: a row of data per kind of CPU, in target/targets.def. The host's row is chosen by what the CPU and its
 * system say they can do (cvk_cpu_features), never by the CPU's name. To add a target, add a row. */
#ifndef CVK_TARGET_TARGET_H
#define CVK_TARGET_TARGET_H

#include "base/types.h"
#include "target/figures.h"

#include <convoke/runtime.h>
#include <stdbool.h>

typedef struct cvk_target {
    const char *name;                     /* what --target takes */
    const char *triple;                   /* LLVM's; NULL: that of this machine */
    const char *cpu;                      /* LLVM's */
    const char *llvm_features;            /* beyond the cpu's, "+a,-b" */
    uint64_t cpu_features;                /* CVK_CPU_* bits a kernel requires */
    int vscale;                           /* least length of SVE's vectors, in units of 128 bits; 0: none */
    int vector_bytes;                     /* of a vector register */
    int registers;                        /* vector registers */
    bool fused;                           /* has fused multiply-add */
    bool masks;                           /* masked loads and stores are single instructions */
    int64_t l1_bytes, l2_bytes, l3_bytes; /* of data caches, one core's share; for the cost model */
    const machine_figures *figures;       /* of a typical core; a measured host's own (lab/calibration.h) */
    const char *about;
} cvk_target;

/* By name, or by a name of LLVM's for a CPU (target/cpus.def), which stands for the best row that CPU satisfies;
 * "host", "native" or NULL is the best row this CPU satisfies, with its own cache sizes. NULL: no such target. */
const cvk_target *target_find(const char *name);
const cvk_target *target_host(void);
/* Rows in the order of the table, for help; NULL past the end. */
const cvk_target *target_row(int index);
/* Every name target_find knows but "host" and "native", rows first; NULL past the end. */
const char *target_name(int index);
/* CPUs in the order of the table, and the row each stands for; NULL past the end. */
const char *target_cpu(int index, const cvk_target **row);

/* What to say of a name that target_find does not know: "did you mean `haswell`?". Never empty. */
typedef struct target_hint_text {
    char text[256];
} target_hint_text;
target_hint_text target_hint(const char *name);
/* Lanes of a type in a vector register, one at least. */
int target_lanes(const cvk_target *t, cvk_type type);
/* Whether its instructions compute with the type; elsewhere functions of a library would have to, and no object has
 * those. */
bool target_computes(const cvk_target *t, cvk_type type);
/* An instruction, or two, that sum products: sum[l] += x[n l] w[n l] + … + x[n l + n - 1] w[n l + n - 1]. */
typedef struct target_dot {
    uint64_t feature;
    cvk_type x, w, sum;
    int factors;    /* n */
    int operations; /* on vectors that it takes */
} target_dot;
/* Rows of target/dots.def that a target has, in their order; NULL past the end. */
const target_dot *target_dot_row(const cvk_target *t, int index);
/* The one that sums so many products up in numbers of that type; NULL: there is none. */
const target_dot *target_dot_of(const cvk_target *t, cvk_type sum, int factors);
/* What sums most products of integers up in numbers of that type; NULL: nothing does several, or they are floats. */
const target_dot *target_dot_widest(const cvk_target *t, cvk_type sum);
/* Of its pointers: 32 or 64. */
int target_pointer_bits(const cvk_target *t);
/* Whether this machine runs what is compiled for it. */
bool target_runs_here(const cvk_target *t);

/* Whether both are of one architecture, so that one object may hold code for both. */
bool target_same_architecture(const cvk_target *a, const cvk_target *b);
/* CVK_OK: `triple`, in LLVM's order, is of the row's architecture, and of a system whose objects need nothing that we
 * do not generate. CVK_ERROR_ARGUMENT: of another architecture. CVK_ERROR_UNSUPPORTED: of another system. */
cvk_status target_takes_triple(const cvk_target *t, const char *triple);
/* Whether objects of that triple are ELF files. */
bool target_makes_elf(const char *triple);

#endif
