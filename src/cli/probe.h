/* A kernel made by the compiler itself to find out what the machine can do: one kind of work and nothing else. */
#ifndef CVK_CLI_PROBE_H
#define CVK_CLI_PROBE_H

#include "cli/measure.h"
#include "jit/load.h"
#include "nest/nest.h"
#include "target/target.h"

enum { PROBE_ALIGNMENT = 64 };

/* What a probe runs. */
typedef struct probe_work {
    const char *name;
    nest *run;
    int64_t input_bytes, output_bytes;
    double amount; /* of one run: operations, or bytes */
} probe_work;

typedef struct probe {
    const cvk_kernel_info *info;
    jit_image image;
    cvk_parallel_for parallel;
    void *input, *output;
    double amount;
} probe;

/* `p` is for probe_close in any case. */
cvk_status probe_open(arena *a, const cvk_target *target, const cvk_parallel_for *parallel, const probe_work *work,
                      cvk_diagnostics *d, probe *p);
void probe_close(probe *p);
/* For `measure`. */
measured probe_measured(const probe *p);
/* The amount a second of the fastest run. */
double probe_rate(const probe *p, const measured *m);

#endif
