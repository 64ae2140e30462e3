/* The header of a .npy file: a Python literal such as {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }. */
#ifndef CVK_ARRAYS_NPY_HEADER_H
#define CVK_ARRAYS_NPY_HEADER_H

#include "arrays/npy.h"

typedef struct npy_header {
    char descr[16];
    bool structured; /* the type is a list of fields, which is not read */
    bool fortran_order;
    int rank;
    int64_t shape[NPY_MOST_DIMENSIONS];
} npy_header;

/* NULL if `text` is such a header and nothing else, else what is wrong with it. */
const char *npy_header_parse(const char *text, size_t length, npy_header *header);

#endif
