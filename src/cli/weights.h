/* A model's own weights: DIR/<layer>.weights.npy, and .bias.npy, .scale.npy and .shift.npy where the layer has them. */
#ifndef CVK_CLI_WEIGHTS_H
#define CVK_CLI_WEIGHTS_H

#include "judge/random_data.h"
#include "cli/shapes.h"

enum { WEIGHTS_FILES = 4 };

typedef struct weights_file {
    const char *path;
    const char *what; /* "weights" */
    bool taken;       /* whether the layer has such a tensor */
    shape shape;
} weights_file;

/* The files of a layer. */
void weights_files(arena *a, const cvk_spec *spec, const char *directory, weights_file files[WEIGHTS_FILES]);

/* Reads all that the layer takes. One that is missing, or that is there but has no place in the layer, is an error. */
cli_exit weights_read(session *s, arena *a, const cvk_spec *spec, const char *directory, known_tensors *to);
/* The same of several layers that are run as one: of each sort theirs one after another. */
cli_exit weights_read_all(session *s, arena *a, const cvk_spec *const *layers, int count, const char *directory,
                          known_tensors *to);
/* Those of --weights of check, bench and tune, kept in `to`, which `known` then is; NULL where the option is not given.
 */
cli_exit weights_own(session *s, arena *a, const cvk_spec *const *layers, int count, known_tensors *to,
                     const known_tensors **known);

/* Where a folder of weights is given, those of layers that say `specialise` become constants of the layer. */
cli_exit weights_specialise(session *s);

#endif
