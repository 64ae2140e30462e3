/* The workers of a layer: those that compile and check, and the one that measures; and what each is at. */
#ifndef CVK_TUNE_CREW_H
#define CVK_TUNE_CREW_H

#include "tune/tuner.h"

typedef enum slot_state { SLOT_QUEUED, SLOT_COMPILING, SLOT_COMPILED, SLOT_MEASURING, SLOT_DONE } slot_state;

/* A trial on its way, which a worker is at. */
typedef struct slot {
    slot_state state;
    int candidate, trial; /* trial -1: of a match */
    bool old;             /* it is in the database */
    bool foreign;         /* another shard's */
    bool measured;        /* its record has a worker's figures */
    record record;
    char why[TRIAL_WORDS];
    message object;
} slot;

enum { MOST_COMPILERS = 16 };

typedef struct crew {
    const tune_limits *limits;
    trial_layer layer;
    double best_seconds; /* what the best so far takes; 0: there is none yet */
    worker_work compile_work, measure_work;
    worker *workers[MOST_COMPILERS + 1]; /* the last is the one that measures */
    slot *of_worker[MOST_COMPILERS + 1];
    int compilers;
    bool alone; /* there is one CPU: nothing is compiled while something is measured */
} crew;

/* False: out of memory. To be closed in any case. The crew stays where it is. */
bool crew_open(crew *c, const tune_setup *setup, const tune_limits *limits, const cvk_spec *spec);
void crew_close(crew *c);

bool crew_is_busy(const crew *c, int which);
bool crew_any_is_busy(const crew *c);

/* Has a slot's plans compiled and checked by a compiler that is not busy; false: there can be no process, by errno. */
bool crew_compile(crew *c, int which, slot *s, const layer_plan *plan);
/* Has a slot's object measured in turns with another, which `wanted` describes but for the objects' sizes; as above. */
bool crew_measure(crew *c, slot *s, const message *incumbent, measure_request wanted);
/* The next is measured in a process of its own. */
void crew_renew_meter(crew *c);
/* Waits until one has something to say, which its slot then holds, or a moment has passed: NULL. */
slot *crew_await(crew *c);

#endif
