/* Trials without a compiler and without a clock: an object is the text of its plan, and its time follows from that, so
 * that searches can be compared to the last trial. */
#ifndef CVK_TESTS_TUNE_FAKE_H
#define CVK_TESTS_TUNE_FAKE_H

#include "../records/folder.h"
#include "tune/tuner.h"

/* Seconds of a plan: those the model predicts, times something between 0.75 and 1.25 that its text decides. */
double fake_seconds(const char *plan);
void fake_compile(void *kept, const message *request, message *reply, volatile worker_state *state);
void fake_measure(void *kept, const message *request, message *reply, volatile worker_state *state);

/* A layer to tune and a database to tune it to. */
typedef struct fake {
    arena arena;
    cvk_network *network;
    const cvk_spec *spec;
    folder folder;
    record_list known;
    surrogate_knowledge knowledge;
    tune_setup setup;
    tune_limits limits;
    tune_result result;
} fake;

void fake_open(fake *f, const char *yaml, const char *how, int budget);
void fake_close(fake *f);
/* Reads what is in the database, tunes, and reads it again. */
void fake_tune(fake *f);
/* The trials of the database in the order in which they were tried. */
record_list fake_trials(fake *f);

#endif
