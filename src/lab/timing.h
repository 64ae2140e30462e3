/* One layer compiled, run and timed: the figures behind a row of `bench`. */
#ifndef CVK_LAB_TIMING_H
#define CVK_LAB_TIMING_H

#include "lab/evict.h"
#include "lab/rivals.h"
#include "lab/roof.h"

/* The best that peers have for a layer. */
typedef struct peer_timing {
    double seconds;      /* of a run; NAN: there is none */
    const char *variant; /* which peer, its format and implementation, or "" */
} peer_timing;

enum { TIMING_MOST_CORES = 8 };

typedef struct timing {
    const cvk_spec *spec;
    const char *plan;                   /* in a few words */
    double operations;                  /* two a multiply-add, padding counted as present */
    double present;                     /* the same, without those in padding */
    double bytes;                       /* of the tensors, each read or written once */
    double seconds;                     /* a run */
    double single_seconds;              /* a run on one thread; NAN where that is the same */
    double strict_seconds;              /* a run of the best plan of direct sums, which may be the same */
    double roof_seconds;                /* a run of direct sums at the roof, lab/roof.h */
    double predicted;                   /* the share of the FMA peak that the cost model expected */
    double expected[TIMING_MOST_CORES]; /* speed-up over one core, of each number of cores; NAN: not asked for */
    double peak;                        /* operations a second of the fastest FMA run measured in between */
    peer_timing peer[PEER_WAYS];        /* by way */
    const char *wrong_peers;            /* as rivals.wrong says it */
    compile_times times;                /* the median of several compiles */
    double object_bytes;
} timing;

/* What a layer is timed against, and how. */
typedef struct timing_setup {
    peer_list peers;
    roof *roof;            /* measured as far as the layers reach */
    const probe *peak;     /* by the type that is summed in */
    const evictor *evict;  /* or NULL: caches are warm */
    const uint32_t *cores; /* to be thought of, see lab/cores.h */
    size_t core_count;
    bool pinned; /* their plans are the lab's, not each its own */
} timing_setup;

/* `t->seconds` stays 0 for an empty batch. Texts live in the arena. */
cvk_status timing_run(const lab *l, const cvk_spec *spec, const timing_setup *setup, arena *a, timing *t);
/* One compile, from spec to code that can run, past all caches. */
cvk_status timing_compile(const cvk_spec *spec, goal aim, cvk_diagnostics *d, compile_times *times);
/* All stages together. */
double timing_compile_seconds(const compile_times *t);

#endif
