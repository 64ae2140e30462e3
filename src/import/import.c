/* The table of formats, and the order in which a model is gone through. */
#include "import/import.h"
#include "import/quantized.h"

#define FORMAT(name, word, about)                                                                                      \
    cvk_status import_read_##name(arena *a, const import_source *source, cvk_diagnostics *d, imported *to);
#include "import/formats.def"
#undef FORMAT

static const import_format ROWS[] = {
#define FORMAT(name, word, about) {word, about, import_read_##name},
#include "import/formats.def"
#undef FORMAT
};
enum { ROW_COUNT = sizeof ROWS / sizeof *ROWS };

const import_format *import_row(int index) { return index >= 0 && index < ROW_COUNT ? &ROWS[index] : NULL; }

cvk_status import_read_onnx(arena *a, const import_source *source, cvk_diagnostics *d, imported *to) {
    cvk_status status =
        graph_read(a, source->path, source->bytes, source->size, source->shapes, source->shape_count, d, &to->graph);
    if (status != CVK_OK) return status;
    graph_write_out(&to->graph);
    graph_infer_types(&to->graph);
    graph_infer_shapes(&to->graph);
    quantized_constants(&to->graph);
    graph_recognise(&to->graph);
    layers_of_graph(&to->graph, &to->layers);
    return CVK_OK;
}
