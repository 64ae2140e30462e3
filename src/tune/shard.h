/* A share of a search that several processes divide among them without talking: plans are dealt by a hash of their
 * text, so no two shards try the same one. */
#ifndef CVK_TUNE_SHARD_H
#define CVK_TUNE_SHARD_H

#include <stdbool.h>
#include <stdint.h>

/* The whole is 0 of 1. */
typedef struct shard {
    uint32_t index, count;
} shard;

/* "3/8", counted from 0, or "auto": the task of a Slurm array (SLURM_ARRAY_TASK_ID, _MIN and _COUNT), else the rank
 * that an MPI launcher gave (OMPI_COMM_WORLD_RANK and _SIZE, PMI_RANK and PMI_SIZE, SLURM_PROCID and SLURM_NTASKS).
 * False: it is neither, or there is no such environment. */
bool shard_read(const char *words, shard *to);
/* Whether a plan of that hash is the shard's. */
bool shard_has(const shard *s, uint64_t hash);

#endif
