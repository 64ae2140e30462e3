/* NumPy's .npy files: arrays of numbers, in C order, whatever order they have in the file. Format: numpy.lib.format,
 * versions 1.0, 2.0 and 3.0. */
#ifndef CVK_ARRAYS_NPY_H
#define CVK_ARRAYS_NPY_H

#include "base/diag.h"
#include "base/types.h"

enum { NPY_MOST_DIMENSIONS = 8 };

typedef struct npy_array {
    cvk_type type;
    int rank;
    int64_t shape[NPY_MOST_DIMENSIONS];
    int64_t elements; /* the product of the shape; 1 for rank 0 */
    void *data;       /* heap; NULL in an array that was not read */
} npy_array;

/* Reads floats and integers, of either order of bytes and of axes, as that type; bf16 as ml_dtypes' arrays are saved,
 * raw. Each where a number of that type is equal to it, or rounded to the nearest one if `convert`; what is beyond the
 * largest is refused in any case. Anything odd about the file is CVK_ERROR_IO and a diagnostic; `array` is empty then.
 */
cvk_status npy_read(const char *path, cvk_type type, bool convert, cvk_diagnostics *diagnostics, npy_array *array);

/* Writes the array's type, as output_write does. */
cvk_status npy_write(const char *path, cvk_diagnostics *diagnostics, const npy_array *array);

void npy_free(npy_array *array);

#endif
