/* Reads the weights of a layer into an arena. */
#include "cli/weights.h"

#include <string.h>
#include <unistd.h>

void weights_files(arena *a, const cvk_spec *spec, const char *directory, weights_file files[WEIGHTS_FILES]) {
    const bool forward = spec_has_weights(spec);
    files[0] = (weights_file){NULL, "weights", forward && (!spec->known || spec->specialise), shape_weights(spec)};
    files[1] = (weights_file){NULL, "bias", forward && spec_bias_elements(spec) > 0, shape_bias(spec)};
    files[2] = (weights_file){NULL, "scale", spec_scales(spec) > 0, shape_scales(spec)};
    files[3] = (weights_file){NULL, "shift", spec_shift_elements(spec) > 0, shape_shift(spec)};
    for (int i = 0; i < WEIGHTS_FILES; i++)
        files[i].path = arena_format(a, "%s/%s.%s.npy", directory, spec->name, files[i].what);
}

static cli_exit read_file(session *s, arena *a, const cvk_spec *spec, const weights_file *file, const void **to) {
    if (!file->taken) {
        if (access(file->path, F_OK) != 0) return CLI_DONE;
        session_say("%s: the layer %s has no %s", file->path, spec->name, file->what);
        return CLI_INPUT;
    }
    npy_array array = {0};
    cli_exit status = shape_read(s, file->what, file->path, &file->shape, &array);
    if (status == CLI_DONE) *to = arena_copy(a, array.data, (size_t)(array.elements * type_bytes(array.type)));
    npy_free(&array);
    return status;
}

cli_exit weights_read(session *s, arena *a, const cvk_spec *spec, const char *directory, known_tensors *to) {
    weights_file files[WEIGHTS_FILES];
    weights_files(a, spec, directory, files);
    const void **const tensors[WEIGHTS_FILES] = {&to->weights, &to->bias, &to->scale, &to->shift};
    cli_exit status = CLI_DONE;
    *to = (known_tensors){0};
    for (int i = 0; i < WEIGHTS_FILES && status == CLI_DONE; i++) status = read_file(s, a, spec, &files[i], tensors[i]);
    return status;
}

/* What a layer brings, behind what there is; what a layer does not have is NULL and of no bytes. */
static const void *behind(arena *a, const void *before, size_t length, const void *more, size_t bytes) {
    char *all = arena_alloc(a, length + bytes + 1);
    if (length) memcpy(all, before, length);
    if (bytes) memcpy(all + length, more, bytes);
    return length + bytes ? all : NULL;
}

cli_exit weights_read_all(session *s, arena *a, const cvk_spec *const *layers, int count, const char *directory,
                          known_tensors *to) {
    const void **const all[WEIGHTS_FILES] = {&to->weights, &to->bias, &to->scale, &to->shift};
    size_t length[WEIGHTS_FILES] = {0};
    cli_exit status = CLI_DONE;
    *to = (known_tensors){0};
    for (int i = 0; i < count && status == CLI_DONE; i++) {
        known_tensors own;
        weights_file files[WEIGHTS_FILES];
        const void **const one[WEIGHTS_FILES] = {&own.weights, &own.bias, &own.scale, &own.shift};
        weights_files(a, layers[i], directory, files);
        status = weights_read(s, a, layers[i], directory, &own);
        for (int k = 0; k < WEIGHTS_FILES && status == CLI_DONE; k++) {
            const shape *of = &files[k].shape;
            const size_t bytes = files[k].taken ? (size_t)(shape_elements(of) * type_bytes(of->type)) : 0;
            *all[k] = behind(a, *all[k], length[k], *one[k], bytes);
            length[k] += bytes;
        }
    }
    return status;
}

cli_exit weights_own(session *s, arena *a, const cvk_spec *const *layers, int count, known_tensors *to,
                     const known_tensors **known) {
    const char *directory = s->options->own_weights;
    *known = directory ? to : NULL;
    return directory ? weights_read_all(s, a, layers, count, directory, to) : CLI_DONE;
}

/* ---- weights that are constants ---- */

/* The file's own, which the nodes of its network point at. */
static cvk_spec *own_layer(const session_layer *layer) {
    cvk_network *file = layer->file->network;
    return &file->layers[layer->spec - file->layers];
}

static cli_exit specialise(session *s, const session_layer *layer, const char *directory) {
    weights_file files[WEIGHTS_FILES];
    const void *dense = NULL;
    weights_files(&s->memory, layer->spec, directory, files);
    const cli_exit read = read_file(s, &s->memory, layer->spec, &files[0], &dense);
    if (read != CLI_DONE) return read;
    cvk_spec *known = own_layer(layer);
    const uint64_t bytes = (uint64_t)(shape_elements(&files[0].shape) * type_bytes(files[0].shape.type));
    return session_fail(s, spec_take_constants(known, &s->memory, dense, bytes, s->diagnostics));
}

static const char *folder_of(const cli_options *o) {
    return o->baked ? o->baked : o->own_weights ? o->own_weights : o->seen_weights;
}

static cli_exit specialise_all(session *s, const char *directory) {
    cli_exit worst = CLI_DONE;
    for (size_t i = 0; i < s->layer_count; i++) {
        const session_layer *layer = &s->layers[i];
        if (layer->spec->specialise && !layer->spec->known) worst = graver(worst, specialise(s, layer, directory));
    }
    return worst;
}

cli_exit weights_specialise(session *s) {
    const char *directory = folder_of(s->options);
    if (!directory) return CLI_DONE;
    if (arena_guard(&s->memory)) return session_fail(s, CVK_ERROR_MEMORY);
    return specialise_all(s, directory);
}
