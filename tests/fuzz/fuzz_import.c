/* Any bytes as a model, and as a list of benchdnn's: layers come of them, each of a spec that is sound, or a reason why
 * not. libFuzzer and the sanitizers see to crashes, hangs and leaks. */
#include "import/import.h"

#include <stdlib.h>

static void demand(bool holds) {
    if (!holds) abort();
}

static void check_layers(const import_layers *layers) {
    for (size_t i = 0; i < layers->count; i++) {
        cvk_spec again = layers->layer[i]->spec;
        demand(spec_finish(&again, NULL) == CVK_OK);
        demand(layers->covered <= layers->macs);
    }
}

static void check_format(arena *a, const import_format *format, const import_source *source) {
    cvk_diagnostics *d = cvk_diagnostics_new();
    imported made = {0};
    const cvk_status status = format->read(a, source, d, &made);
    demand((status == CVK_OK) == (cvk_diagnostics_count(d) == 0));
    if (status == CVK_OK) check_layers(&made.layers);
    cvk_diagnostics_free(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    arena a;
    const import_format *format;
    arena_init(&a);
    demand(!arena_guard(&a));
    for (int i = 0; (format = import_row(i)); i++)
        check_format(&a, format, &(import_source){"fuzz", data, size, NULL, 0});
    arena_free(&a);
    return 0;
}
