/* Shapes as the user sees them, and arrays from files that must have one. */
#ifndef CVK_CLI_SHAPES_H
#define CVK_CLI_SHAPES_H

#include "arrays/npy.h"
#include "cli/session.h"

typedef struct shape {
    cvk_type type; /* of the elements */
    int rank;
    int64_t size[2 + AXES];
    bool any_first; /* size[0] may be any */
} shape;

shape shape_input(const cvk_spec *s);
shape shape_weights(const cvk_spec *s);
shape shape_bias(const cvk_spec *s);         /* one number a channel; of a chain, of each layer after one another */
shape shape_scale(const cvk_spec *s, int i); /* vector i of scales; of a chain, all of them */
shape shape_scales(const cvk_spec *s);       /* all of them: a row each where all are as long */
shape shape_shift(const cvk_spec *s);
shape shape_bias_gradient(const cvk_spec *s);
shape shape_output(const cvk_spec *s);  /* of an image, also where it is gradients that come out */
shape shape_gate(const cvk_spec *s);    /* N C */
shape shape_indices(const cvk_spec *s); /* of a pool that gives them */
shape shape_result(const cvk_spec *s);  /* of what comes out, but for gradients of a bias */
int64_t shape_elements(const shape *s);

/* Reads an array that must have that shape, in its type; `what` names it in messages. */
cli_exit shape_read(session *s, const char *what, const char *path, const shape *expected, npy_array *to);

#endif
