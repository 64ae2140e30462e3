/* Layers out of other programs' files. The library has no use for this; the command alone links it. */
#ifndef CVK_IMPORT_IMPORT_H
#define CVK_IMPORT_IMPORT_H

#include "import/layers.h"

/* What was read, in an arena. */
typedef struct imported {
    graph graph; /* no nodes where the format has none */
    import_layers layers;
} imported;

/* A file as it was found. */
typedef struct import_source {
    const char *path; /* for messages */
    const void *bytes;
    size_t size;
    const graph_shape *shapes; /* given for the inputs of a model */
    size_t shape_count;
} import_source;

/* A row of import/formats.def. */
typedef struct import_format {
    const char *word, *about;
    /* CVK_ERROR_SPEC: the diagnostics say why. */
    cvk_status (*read)(arena *a, const import_source *source, cvk_diagnostics *d, imported *to);
} import_format;

/* NULL past the end. */
const import_format *import_row(int index);

#endif
