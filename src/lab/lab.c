/* A lab of the calling thread alone. */
#include "lab/lab.h"

static void loop(void *context, size_t n, cvk_parallel_body *body, void *argument) {
    (void)context;
    for (size_t i = 0; i < n; i++) body(argument, i);
}

const cvk_parallel_for lab_one_thread = {.loop = loop, .workers = 1};
