/* Random data for a layer, the same for the same seed everywhere. */
#ifndef CVK_JUDGE_RANDOM_DATA_H
#define CVK_JUDGE_RANDOM_DATA_H

#include "judge/naive.h"

/* Weights that are given: dense, of the layer's type, as a caller would pass them; bias, scale and shift NULL where the
 * layer has none. */
typedef struct known_tensors {
    const void *weights, *bias, *scale, *shift;
} known_tensors;

/* Integers so small that sums of them are exact; or real numbers in -1 .. 1. */
typedef enum data_kind { DATA_INTEGERS, DATA_REALS } data_kind;

typedef struct layer_data {
    naive_tensors tensors;
    void *memory; /* of all of them */
} layer_data;

/* False: out of memory. */
bool data_draw(const cvk_spec *s, data_kind kind, uint64_t seed, layer_data *data);
/* Puts those that are given, if any, in the place of those drawn; they stay the caller's, for as long as the data. */
void data_give(layer_data *data, const known_tensors *known);
void data_free(layer_data *data);

#endif
