/* The shapes of a layer's tensors, and the check that an array has one of them. */
#include "cli/shapes.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static shape make_shape(const cvk_spec *s, cvk_type type, int64_t first, int64_t second, const int64_t axes[AXES]) {
    shape to = {.type = type, .rank = 2 + s->rank, .size = {first, second}};
    for (int i = 0; i < s->rank; i++) to.size[2 + i] = axes[AXES - s->rank + i];
    return to;
}

static shape of_images(const cvk_spec *s, cvk_type type, int64_t channels, const int64_t axes[AXES]) {
    shape to = make_shape(s, type, s->batch, channels, axes);
    to.any_first = s->batch_any;
    return to;
}

shape shape_input(const cvk_spec *s) { return of_images(s, s->input_type, s->in_channels, s->in_size); }
/* Of a chain, all of its layers' after one another. */
shape shape_weights(const cvk_spec *s) {
    if (spec_is_chain(s)) return make_shape(s, s->weights_type, spec_weights_elements(s), 1, s->kernel);
    return s->transposed ? make_shape(s, s->weights_type, s->in_channels, spec_group_out(s), s->kernel)
                         : make_shape(s, s->weights_type, s->out_channels, spec_group_in(s), s->kernel);
}
static shape of_channels(const cvk_spec *s, cvk_type type) {
    return (shape){.type = type, .rank = 1, .size = {s->out_channels}};
}

static shape of_numbers(cvk_type type, int64_t count) { return (shape){.type = type, .rank = 1, .size = {count}}; }

shape shape_bias(const cvk_spec *s) { return of_numbers(spec_sum_type(s), spec_bias_elements(s)); }
shape shape_shift(const cvk_spec *s) { return of_numbers(TYPE_S32, spec_shift_elements(s)); }

/* Those of a chain are of several lengths. */
shape shape_scale(const cvk_spec *s, int i) {
    return of_numbers(spec_post_type(s), spec_is_chain(s) ? spec_scale_elements(s) : spec_scale_size(s, i));
}

shape shape_scales(const cvk_spec *s) {
    const int count = spec_scales(s);
    const shape all = of_numbers(spec_post_type(s), spec_scale_elements(s));
    if (count < 2 || s->one_multiplier || spec_is_chain(s)) return all;
    return (shape){.type = all.type, .rank = 2, .size = {count, s->out_channels}};
}

shape shape_bias_gradient(const cvk_spec *s) { return of_channels(s, spec_result_type(s)); }
shape shape_output(const cvk_spec *s) { return of_images(s, s->output_type, s->out_channels, s->out_size); }

shape shape_result(const cvk_spec *s) {
    return s->direction == DIRECTION_BACKWARD_WEIGHTS ? shape_weights(s) : shape_output(s);
}

shape shape_gate(const cvk_spec *s) {
    return (shape){.type = s->output_type, .rank = 2, .size = {s->batch, s->out_channels}};
}

shape shape_indices(const cvk_spec *s) {
    shape to = shape_output(s);
    to.type = TYPE_S32;
    return to;
}

int64_t shape_elements(const shape *s) {
    int64_t n = 1;
    for (int i = 0; i < s->rank; i++) n *= s->size[i];
    return n;
}

static const char *words(const int64_t *size, int rank, bool any_first, char *to, size_t room) {
    size_t used = (size_t)snprintf(to, room, any_first ? "[any" : "[");
    for (int i = any_first; i < rank && used < room; i++)
        used += (size_t)snprintf(to + used, room - used, "%s%" PRId64, i ? ", " : "", size[i]);
    if (used < room) snprintf(to + used, room - used, "]");
    return to;
}

static bool shape_fits(const char *what, const char *path, const npy_array *got, const shape *expected) {
    bool fits = got->rank == expected->rank;
    for (int i = expected->any_first; i < expected->rank && fits; i++) fits = got->shape[i] == expected->size[i];
    if (fits) return true;
    char want[128], have[256];
    session_say("%s: %s has the shape %s, but the layer takes %s", path, what,
                words(got->shape, got->rank, false, have, sizeof have),
                words(expected->size, expected->rank, expected->any_first, want, sizeof want));
    return false;
}

cli_exit shape_read(session *s, const char *what, const char *path, const shape *expected, npy_array *to) {
    bool readable = access(path, R_OK) == 0;
    cvk_status status = npy_read(path, expected->type, s->options->convert, s->diagnostics, to);
    cli_exit failure = session_fail(s, status);
    if (status == CVK_ERROR_IO && readable) return CLI_INPUT; /* there, but not an array */
    if (status != CVK_OK) return failure;
    return shape_fits(what, path, to, expected) ? CLI_DONE : CLI_INPUT;
}
