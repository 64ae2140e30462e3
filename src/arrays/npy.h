/* NumPy's .npy files: arrays of float, in C order. Format: numpy.lib.format, versions 1.0, 2.0 and 3.0. */
#ifndef CVK_ARRAYS_NPY_H
#define CVK_ARRAYS_NPY_H

#include "base/diag.h"

enum { NPY_MOST_DIMENSIONS = 8 };

typedef struct npy_array {
    int rank;
    int64_t shape[NPY_MOST_DIMENSIONS];
    int64_t elements; /* the product of the shape; 1 for rank 0 */
    float *data;      /* heap; NULL in an array that was not read */
} npy_array;

/* Reads floats and integers, little-endian: f2 and f4 as they are, f8 and integers where a float is equal to them, or
 * rounded to the nearest one if `convert`; a number beyond the largest float is refused in any case. Anything odd about
 * the file is CVK_ERROR_IO and a diagnostic; `array` is empty then. */
cvk_status npy_read(const char *path, bool convert, cvk_diagnostics *diagnostics, npy_array *array);

/* Writes f4, as output_write does. */
cvk_status npy_write(const char *path, cvk_diagnostics *diagnostics, const npy_array *array);

void npy_free(npy_array *array);

#endif
