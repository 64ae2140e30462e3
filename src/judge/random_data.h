/* Random data for a layer, the same for the same seed everywhere. */
#ifndef CVK_JUDGE_RANDOM_DATA_H
#define CVK_JUDGE_RANDOM_DATA_H

#include "judge/naive.h"

/* Integers so small that sums of them are exact; or real numbers in -1 .. 1. */
typedef enum data_kind { DATA_INTEGERS, DATA_REALS } data_kind;

typedef struct layer_data {
    naive_tensors tensors;
    void *memory; /* of all of them */
} layer_data;

/* False: out of memory. */
bool data_draw(const cvk_spec *s, data_kind kind, uint64_t seed, layer_data *data);
void data_free(layer_data *data);

#endif
