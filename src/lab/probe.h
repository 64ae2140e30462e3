/* A kernel made by the compiler itself to find out what the machine can do: one kind of work and nothing else. */
#ifndef CVK_LAB_PROBE_H
#define CVK_LAB_PROBE_H

#include "lab/lab.h"
#include "lab/measure.h"
#include "jit/load.h"
#include "nest/program.h"

enum { PROBE_ALIGNMENT = 64 };

/* What a probe runs. */
typedef struct probe_work {
    const char *name;
    nest_program run; /* of inputs and outputs alone */
    double amount;    /* of one run: operations, or bytes */
} probe_work;

typedef struct probe {
    const cvk_kernel_info *info;
    jit_image image;
    const lab *lab;
    void *input, *output;
    double amount;
} probe;

/* `p` is for probe_close in any case, and keeps the lab. */
cvk_status probe_open(const lab *l, const probe_work *work, probe *p);
void probe_close(probe *p);
/* One task of one phase, on the calling thread. */
void probe_run_task(const probe *p, uint32_t phase, uint32_t task);
/* For `measure`: all of it. */
measured probe_measured(const probe *p);
/* The amount a second of the fastest run. */
double probe_rate(const probe *p, const measured *m);

#endif
