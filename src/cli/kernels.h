/* What `compile` makes of one spec file, for those who write about it: the header and the manifest. */
#ifndef CVK_CLI_KERNELS_H
#define CVK_CLI_KERNELS_H

#include "compile.h"

/* Layer l, which is units[t * layers + l] for target t, is symbols[l]; targets are best first. */
typedef struct kernel_list {
    const char *stem;    /* the file's name without folders and ending */
    const char *network; /* what symbols begin with, after the prefix */
    const char *prefix;
    const compile_unit *units;
    const char *const *symbols;
    size_t layers, targets;
    const cvk_network_info *table; /* of each target; NULL: the layers are no network */
    const char *table_symbol;
} kernel_list;

/* A row of cli/buffers.def. */
typedef struct buffer_row {
    const char *word, *macro;
    bool always;
    size_t offset; /* in cvk_kernel_info */
} buffer_row;

/* NULL past the end. */
const buffer_row *buffer_at(int index);
/* The buffer of layer l for target t; the scratch of one worker as cvk_scratch_bytes counts it. */
cvk_buffer_info buffer_of_kernel(const kernel_list *k, size_t layer, size_t target, const buffer_row *row);
/* One that is enough for every target. */
cvk_buffer_info buffer_for_all(const kernel_list *k, size_t layer, const buffer_row *row);

#endif
