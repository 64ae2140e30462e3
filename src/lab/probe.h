/* A kernel made by the compiler itself to find out what the machine can do: one kind of work and nothing else. */
#ifndef CVK_LAB_PROBE_H
#define CVK_LAB_PROBE_H

#include "lab/lab.h"
#include "lab/measure.h"
#include "jit/load.h"
#include "nest/nest.h"

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
    const lab *lab;
    void *input, *output;
    double amount;
} probe;

/* `p` is for probe_close in any case, and keeps the lab. */
cvk_status probe_open(arena *a, const lab *l, const probe_work *work, probe *p);
void probe_close(probe *p);
/* For `measure`. */
measured probe_measured(const probe *p);
/* The amount a second of the fastest run. */
double probe_rate(const probe *p, const measured *m);

#endif
