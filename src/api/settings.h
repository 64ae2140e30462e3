/* The caller's options, checked and complete. */
#ifndef CVK_API_SETTINGS_H
#define CVK_API_SETTINGS_H

#include "cache/disk.h"
#include "records/known.h"
#include "target/goal.h"

#include <convoke/convoke.h>

enum { SETTINGS_MOST_THREADS = 256 };

typedef struct settings {
    goal goal;
    cvk_effort effort;
    bool in_memory;
    disk_cache disk;           /* its directory is "" where there is none */
    disk_trouble disk_trouble; /* with the environment */
    unsigned threads;          /* that compile: 1 to SETTINGS_MOST_THREADS */
    known_plans *tuned;        /* NULL: there are none */
    arena arena;               /* of those */
} settings;

/* `options` may be NULL. The settings keep nothing of them; they are for settings_free in any case. */
cvk_status settings_read(const cvk_options *options, cvk_diagnostics *d, settings *s);
void settings_free(settings *s);
/* How the plan is chosen, in a word. */
const char *settings_effort(const settings *s);

/* Copies a caller's struct, which begins with its size, into ours, whatever header it was compiled against: what it
 * lacks is zero. False where it has fields that we lack and that are not zero, or is too small to have a size. */
bool settings_take(void *ours, size_t our_size, const void *theirs);

#endif
