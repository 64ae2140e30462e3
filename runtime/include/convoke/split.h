/* convoke/split.h: how cvk_run divides the tasks of a phase among workers: arithmetic alone, for whoever foretells what
 * a run will take, or runs a kernel by a scheduler of its own.
 *
 * Worker r of w begins with the neighbouring tasks of range r, which are the same in every run, a chunk at a time; then
 * it takes the chunks that nobody has begun of range r + 1, r + 2, ..., so that whoever is held up leaves them to the
 * others. More workers than CVK_MOST_RANGES share ranges: worker r begins with range r % ranges. */
#ifndef CONVOKE_SPLIT_H
#define CONVOKE_SPLIT_H

#include <convoke/runtime.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { CVK_MOST_RANGES = 64 };

typedef struct cvk_split {
    uint32_t tasks;
    uint32_t workers; /* 1: the calling thread alone, all tasks in one call */
    uint32_t ranges;  /* of neighbouring tasks; their sizes differ by one at most */
    uint32_t chunks;  /* that each range is cut into; some are empty where the tasks are fewer */
} cvk_split;

/* The least that is worth it, in thousands of cycles: of a worker, and of a kernel that others are called for. */
typedef struct cvk_split_least {
    uint64_t worker, called;
} cvk_split_least;

static inline cvk_split cvk_split_by(uint32_t tasks, uint32_t workers, uint64_t kilocycles, uint32_t phases,
                                     cvk_split_least least) {
    /* The least of a kernel that hands on what others did, and of a chunk. */
    enum { PHASED_KILOCYCLES = 500, CHUNK_KILOCYCLES = 5, CHUNKS = 4 };
    cvk_split s = {tasks, workers, 1, 1};
    uint64_t most = kilocycles ? kilocycles / least.worker : workers;
    uint32_t chunks, together;
    if (kilocycles && kilocycles < (phases > 1 ? PHASED_KILOCYCLES : least.called)) most = 1;
    if (s.workers > most) s.workers = (uint32_t)most;
    if (s.workers > tasks) s.workers = tasks;
    if (s.workers <= 1) {
        s.workers = 1;
        return s;
    }
    s.ranges = s.workers < CVK_MOST_RANGES ? s.workers : CVK_MOST_RANGES;
    together = s.workers / s.ranges + (s.workers % s.ranges != 0); /* workers that begin with the same range */
    most = kilocycles ? kilocycles / s.workers / CHUNK_KILOCYCLES : CHUNKS;
    chunks = (most < 1 ? 1 : most > CHUNKS ? CHUNKS : (uint32_t)most) * together;
    s.chunks = tasks / s.ranges + (tasks % s.ranges != 0);
    if (s.chunks > chunks) s.chunks = chunks;
    return s;
}

/* Of the tasks of one phase on at most `workers`, in a kernel of so many phases. A kernel that is predicted to take few
 * cycles gets few workers, or one: waking others takes longer than what they would do. With several phases so does what
 * one worker leaves to another, in another core's cache. `kilocycles`, of all phases: 0 is unknown. */
static inline cvk_split cvk_split_tasks(uint32_t tasks, uint32_t workers, uint64_t kilocycles, uint32_t phases) {
    const cvk_split_least least = {20, 60};
    return cvk_split_by(tasks, workers, kilocycles, phases, least);
}

/* The same of a step of a network: the step before has left the workers awake, and each its part of what this one reads
 * in its own cache. */
static inline cvk_split cvk_split_step(uint32_t tasks, uint32_t workers, uint64_t kilocycles, uint32_t phases) {
    const cvk_split_least least = {5, 10};
    return cvk_split_by(tasks, workers, kilocycles, phases, least);
}

/* The first task of a chunk; of chunk number `chunks`, that of the next range. */
static inline uint32_t cvk_split_begin(const cvk_split *s, uint32_t range, uint32_t chunk) {
    const uint64_t tasks = s->tasks, begin = tasks * range / s->ranges, end = tasks * (range + 1) / s->ranges;
    return (uint32_t)(begin + (end - begin) * chunk / s->chunks);
}

#ifdef __cplusplus
}
#endif
#endif
