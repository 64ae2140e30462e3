/* Memory that runs out: malloc and its kin, in the place of the C library's, of which one fails. */
#ifndef CVK_TESTS_ALLOCATIONS_H
#define CVK_TESTS_ALLOCATIONS_H

#include <stdbool.h>

/* Counts allocations from here on; the n-th, from 1, fails. */
void allocations_begin(long n);

/* Counts no more. Whether there was an n-th; and in *leaked how many blocks were not freed. */
bool allocations_end(long *leaked);

#endif
