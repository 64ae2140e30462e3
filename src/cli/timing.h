/* One layer compiled, run and timed: the figures behind a row of `bench`. */
#ifndef CVK_CLI_TIMING_H
#define CVK_CLI_TIMING_H

#include "cli/peak.h"
#include "cli/session.h"
#include "compile.h"
#include "peers/peer.h"

typedef struct timing {
    const session_layer *layer;
    const char *plan;    /* in a few words */
    const char *variant; /* of the peer; why there is none; or "" */
    double seconds;      /* a run */
    double gflops;       /* two operations a multiply-add, padding counted as present */
    double predicted;    /* the share of the FMA peak that the cost model expected */
    double of_peak;      /* the share of the fastest FMA run measured in between */
    double peer_seconds; /* NAN without a peer */
    compile_times times;
    double object_bytes;
} timing;

/* `t->seconds` stays 0 for an empty batch. Texts live in the arena. */
cvk_status timing_run(session *s, const session_layer *layer, const peer *rival, const peak *p, arena *a, timing *t);
/* All stages together. */
double timing_compile_seconds(const compile_times *t);

#endif
