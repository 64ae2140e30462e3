/* Network: the public door. One arena holds a file's tree and its layers. */
#include "spec/limits.h"
#include "spec/reader.h"
#include "spec/yaml.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static cvk_status fill(cvk_network *network, const char *bytes, size_t length, const char *file, report *r) {
    arena *a = &network->arena;
    if (arena_guard(a)) return CVK_ERROR_MEMORY;
    const char *name = arena_string(a, file, strlen(file));
    const node *root = yaml_read(a, bytes, length, name, r);
    if (root) spec_read(network, root, r);
    return report_status(r);
}

cvk_status cvk_network_parse(const char *bytes, size_t length, const char *file_name, cvk_diagnostics *diagnostics,
                             cvk_network **network) {
    if (!network) return CVK_ERROR_ARGUMENT;
    *network = NULL;
    if (!bytes && length) return CVK_ERROR_ARGUMENT;
    cvk_network *made = calloc(1, sizeof *made);
    if (!made) return CVK_ERROR_MEMORY;
    arena_init(&made->arena);
    made->name = "";
    report r = {.list = diagnostics};
    cvk_status status = fill(made, bytes ? bytes : "", length, file_name ? file_name : "", &r);
    if (status == CVK_OK)
        *network = made;
    else
        cvk_network_free(made);
    return status;
}

static cvk_status cannot(const char *doing, const char *path, cvk_diagnostics *d) {
    diag_error(d, E_FILE_READ, (place){path, 0, 0}, NULL, "cannot %s the spec: %s", doing, strerror(errno));
    return CVK_ERROR_IO;
}

static cvk_status read_open(FILE *file, const char *path, cvk_diagnostics *d, cvk_network **network) {
    /* One byte past the limit tells a file over it from one that just fits, however long the file goes on. */
    const size_t most = LIMIT_FILE_BYTES + 1;
    char *bytes = malloc(most);
    if (!bytes) return CVK_ERROR_MEMORY;
    errno = 0;
    size_t length = fread(bytes, 1, most, file);
    cvk_status status = ferror(file) ? cannot("read", path, d) : cvk_network_parse(bytes, length, path, d, network);
    free(bytes);
    return status;
}

cvk_status cvk_network_read(const char *path, cvk_diagnostics *diagnostics, cvk_network **network) {
    if (!network) return CVK_ERROR_ARGUMENT;
    *network = NULL;
    if (!path) return CVK_ERROR_ARGUMENT;
    FILE *file = fopen(path, "rbe");
    if (!file) return cannot("open", path, diagnostics);
    cvk_status status = read_open(file, path, diagnostics, network);
    fclose(file);
    return status;
}

void cvk_network_free(cvk_network *network) {
    if (!network) return;
    arena_free(&network->arena);
    free(network);
}

const char *cvk_network_name(const cvk_network *network) { return network ? network->name : ""; }
size_t cvk_network_count(const cvk_network *network) { return network ? network->count : 0; }

const cvk_spec *cvk_network_layer(const cvk_network *network, size_t index) {
    return index < cvk_network_count(network) ? &network->layers[index] : NULL;
}

const char *cvk_spec_name(const cvk_spec *spec) { return spec ? spec->name : ""; }
