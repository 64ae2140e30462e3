/* A layer compiled by a plan, loaded, and bound to random data, or to weights that the
 * lab knows: something to time. */
#ifndef CVK_LAB_READY_H
#define CVK_LAB_READY_H

#include "lab/lab.h"
#include "lab/measure.h"
#include "judge/random_data.h"
#include "judge/tensors.h"
#include "compile.h"
#include "jit/load.h"

typedef struct ready {
    compile_unit unit;
    const cvk_kernel_info *info;
    jit_image image;
    tensors tensors;
    const lab *lab;
    cvk_spec spec; /* with the lab's batch */
    size_t object_bytes;
} ready;

/* `plan` NULL: the one the compiler chooses for the lab's goal. The unit lives in the arena; `r` is for ready_close in
 * any case, keeps the lab, and stays where it is. */
cvk_status ready_open(const lab *l, const cvk_spec *spec, const layer_plan *plan, arena *a, ready *r);
/* The same of an object whose symbol is "layer", compiled before, and data drawn before for the layer with the lab's
 * batch. `unit` stays empty. */
cvk_status ready_load(const lab *l, const cvk_spec *spec, const cvk_object *object, const naive_tensors *data,
                      ready *r);
void ready_close(ready *r);
/* The data that a layer of the lab's batch is bound to, drawn anew. False: out of memory. */
bool ready_data(const lab *l, const cvk_spec *spec, layer_data *to);
/* For `measure`. A layer without tasks is not to be measured. */
measured ready_measured(const ready *r);

#endif
