/* The bytes a second that this machine moves to and from a level of its memory: the faster of two kernels, one that
 * only loads, with the additions without which it would be for nothing, and one that copies, whose loads and stores
 * both count. */
#ifndef CVK_LAB_BANDWIDTH_H
#define CVK_LAB_BANDWIDTH_H

#include "lab/probe.h"

typedef enum memory_level { LEVEL_L1, LEVEL_L2, LEVEL_L3, LEVEL_MEMORY, LEVELS } memory_level;

/* "L1", "memory" */
const char *memory_level_name(memory_level level);
/* Bytes that the level holds for the lab's threads together, those of the levels before it included; of memory,
 * INT64_MAX. No more than the level before, where there is no such level. */
int64_t memory_level_holds(const lab *l, memory_level level);

/* Bytes a second, of all threads of the lab. The level is there. */
cvk_status bandwidth_measure(arena *a, const lab *l, memory_level level, double *to);

#endif
