/* How many images a kernel for any batch is run with, one run after another: what make_cases writes and driver reads.
 */
#ifndef CROSS_BATCHES_H
#define CROSS_BATCHES_H

static const int BATCH[] = {0, 1, 3};
enum { BATCHES = sizeof BATCH / sizeof *BATCH };

#endif
