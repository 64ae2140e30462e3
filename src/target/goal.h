/* What a plan is chosen for. */
#ifndef CVK_TARGET_GOAL_H
#define CVK_TARGET_GOAL_H

#include "target/target.h"

enum { GOAL_MOST_THREADS = 1024 };

typedef struct goal {
    const cvk_target *target;
    uint32_t
        threads; /* that will run the kernel; 0: not known, so it is to lose nothing on one, and have work for many */
    bool step;   /* of a network: the step before left the threads awake and each a part of the input's positions in its
                    cache, and the next one finds the output so */
} goal;

#endif
