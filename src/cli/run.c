/* convoke run: one layer on arrays from files, by compiled code or by the interpreter. */
#include "cli/run_network.h"
#include "cli/session_main.h"
#include "cli/shapes.h"
#include "judge/tensors.h"
#include "cli/verbs.h"
#include "compile.h"

#include <stdlib.h>
#include <string.h>

/* What is read for one layer. */
typedef struct arrays {
    cvk_spec spec; /* with its batch */
    naive_tensors tensors;
    npy_array input, weights, bias, shift; /* weights, or gradients of the output */
    void *scale, *addend, *gate;           /* all of each kind, one after another */
    void *before;                          /* what the outputs hold, where they are added to */
} arrays;

/* Of a layer there is one. */
static const char *only_file(const cli_LIST *files) { return files->count ? files->text[files->count - 1] : NULL; }

/* Reads what an option names. */
static cli_exit read_array(session *s, const char *option, const char *path, const shape *expected, npy_array *to) {
    if (path) return shape_read(s, option, path, expected, to);
    session_say("run: the layer needs %s FILE", option);
    return CLI_USAGE;
}

typedef shape shape_of_one(const cvk_spec *s, int i);

static shape shape_of_addend(const cvk_spec *s, int i) {
    (void)i;
    return shape_output(s);
}

static shape shape_of_gate(const cvk_spec *s, int i) {
    (void)i;
    return shape_gate(s);
}

static size_t bytes_of(shape one) { return (size_t)(shape_elements(&one) * type_bytes(one.type)); }

/* As many arrays of one kind as the layer takes, one after another. */
static cli_exit read_list(session *s, const char *option, const cli_LIST *paths, const cvk_spec *spec, int count,
                          shape_of_one *shape_of, void **to) {
    size_t bytes = 0;
    if (paths->count != count) {
        session_say("run: the layer takes %s %d times, not %d", option, count, paths->count);
        return CLI_USAGE;
    }
    for (int i = 0; i < count; i++) bytes += bytes_of(shape_of(spec, i));
    char *next = *to = malloc(bytes + 1);
    if (!*to) return session_fail(s, CVK_ERROR_MEMORY);
    cli_exit status = CLI_DONE;
    for (int i = 0; i < count && status == CLI_DONE; i++) {
        npy_array one = {0};
        const shape expected = shape_of(spec, i);
        status = read_array(s, option, paths->text[i], &expected, &one);
        if (status == CLI_DONE) memcpy(next, one.data, bytes_of(expected));
        next += bytes_of(expected);
        npy_free(&one);
    }
    return status;
}

static cli_exit read_shift(session *s, const cvk_spec *spec, npy_array *to) {
    const shape expected = shape_shift(spec);
    if (spec_shift_elements(spec)) return read_array(s, "--shift", s->options->shift, &expected, to);
    if (!s->options->shift) return CLI_DONE;
    session_say("run: the layer takes no --shift");
    return CLI_USAGE;
}

/* Of a layer for any batch, the input's; what the others come to must be within the limits. */
static cli_exit find_batch(session *s, const cvk_spec *layer, arrays *a) {
    a->spec = spec_of_batch(layer, a->input.shape[0]);
    return layer->batch_any ? session_fail(s, spec_finish(&a->spec, s->diagnostics)) : CLI_DONE;
}

static cli_exit refuse_option(const char *given, const char *words) {
    if (!given) return CLI_DONE;
    session_say("run: %s", words);
    return CLI_USAGE;
}

/* What the input is multiplied with to give gradients of weights. */
static cli_exit read_gradient(session *s, const cvk_spec *spec, arrays *a) {
    const cli_options *o = s->options;
    const shape output = shape_output(spec);
    cli_exit status = refuse_option(o->weights, "gradients of weights take --gradient, not --weights");
    if (status == CLI_DONE) status = refuse_option(o->bias, "gradients of weights take no bias");
    if (status == CLI_DONE && spec->bias && !o->bias_output) {
        session_say("run: the layer needs --bias-output FILE");
        status = CLI_USAGE;
    }
    if (status == CLI_DONE) status = read_array(s, "--gradient", o->gradient, &output, &a->weights);
    a->tensors = (naive_tensors){.input = a->input.data, .weights = a->weights.data};
    return status;
}

/* Where what a pool puts out beside its maxima goes. */
static cli_exit check_indices(const session *s, const cvk_spec *spec) {
    if (!spec->indices) return refuse_option(s->options->indices, "the layer puts out no indices");
    if (s->options->indices) return CLI_DONE;
    session_say("run: the layer needs --indices FILE");
    return CLI_USAGE;
}

static size_t result_bytes(const cvk_spec *spec) {
    return (size_t)(naive_channels(spec) * naive_channel_size(spec) * type_bytes(spec_result_type(spec)));
}

/* One of the files that are written, from byte `at` of all results on. */
static cli_exit read_held(session *s, const char *option, const char *path, const shape *of, char *at) {
    npy_array one = {0};
    cli_exit status = read_array(s, option, path, of, &one);
    if (status == CLI_DONE) memcpy(at, one.data, (size_t)(shape_elements(of) * type_bytes(of->type)));
    npy_free(&one);
    return status;
}

/* What is added to stands in the files that the sums go to. */
static cli_exit read_before(session *s, arrays *a) {
    const cvk_spec *spec = &a->spec;
    const shape result = shape_result(spec), channels = shape_bias(spec);
    const size_t of_result = (size_t)(shape_elements(&result) * type_bytes(result.type));
    if (!spec->accumulate) return CLI_DONE;
    a->tensors.before = a->before = malloc(result_bytes(spec) + 1);
    if (!a->before) return session_fail(s, CVK_ERROR_MEMORY);
    cli_exit status = read_held(s, "--output", only_file(&s->options->output), &result, a->before);
    if (status == CLI_DONE && result_bytes(spec) > of_result)
        status = read_held(s, "--bias-output", s->options->bias_output, &channels, (char *)a->before + of_result);
    return status;
}

static cli_exit read_arrays(session *s, const cvk_spec *spec, arrays *a) {
    const cli_options *o = s->options;
    const shape input = shape_input(spec), weights = shape_weights(spec), bias = shape_bias(spec);
    const bool biased = spec_bias_elements(spec) > 0;
    cli_exit status = read_array(s, "--input", only_file(&o->input), &input, &a->input);
    if (status == CLI_DONE) status = check_indices(s, spec);
    if (status == CLI_DONE) status = find_batch(s, spec, a);
    if (status == CLI_DONE && spec->direction == DIRECTION_BACKWARD_WEIGHTS) return read_gradient(s, &a->spec, a);
    if (status == CLI_DONE) status = refuse_option(o->gradient, "the layer takes no --gradient");
    if (status == CLI_DONE && (!spec_has_weights(spec) || spec->known))
        status = refuse_option(o->weights, spec->known ? "the layer has its weights" : "the layer has no weights");
    else if (status == CLI_DONE)
        status = read_array(s, "--weights", o->weights, &weights, &a->weights);
    if (status == CLI_DONE && biased) status = read_array(s, "--bias", o->bias, &bias, &a->bias);
    if (status == CLI_DONE && !biased && o->bias) {
        session_say("run: the layer has no bias");
        status = CLI_USAGE;
    }
    if (status == CLI_DONE)
        status =
            read_list(s, "--scale", &o->scale, spec,
                      spec_is_chain(spec) ? spec_scale_elements(spec) > 0 : spec_scales(spec), shape_scale, &a->scale);
    if (status == CLI_DONE) status = read_shift(s, spec, &a->shift);
    if (status == CLI_DONE)
        status = read_list(s, "--addend", &o->addend, &a->spec, spec_operands(spec, OPERAND_TENSOR), shape_of_addend,
                           &a->addend);
    if (status == CLI_DONE)
        status = read_list(s, "--gate", &o->gate, &a->spec, spec_operands(spec, OPERAND_IMAGE_CHANNEL), shape_of_gate,
                           &a->gate);
    a->tensors = (naive_tensors){.input = a->input.data,
                                 .weights = spec->known ? spec->known : a->weights.data,
                                 .bias = a->bias.data,
                                 .scale = a->scale,
                                 .addend = a->addend,
                                 .gate = a->gate,
                                 .shift = a->shift.data};
    return status;
}

static void free_arrays(arrays *a) {
    npy_free(&a->input);
    npy_free(&a->weights);
    npy_free(&a->bias);
    npy_free(&a->shift);
    free(a->scale);
    free(a->addend);
    free(a->gate);
    free(a->before);
}

/* What comes out, in logical order; indices only of pools that give them. */
typedef struct results {
    char *output;
    int32_t *indices;
} results;

static void read_channel(const tensors *t, int64_t i, const results *to) {
    const int64_t size = naive_channel_size(t->spec);
    tensors_read(t, i, to->output + i * size * type_bytes(spec_result_type(t->spec)));
    if (t->spec->indices) tensors_read_places(t, i, to->indices + i * size);
}

/* `layer` is what is compiled, `spec` the same with its batch. */
static cvk_status run_kernel(session *s, const cvk_spec *layer, const cvk_spec *spec, const naive_tensors *data,
                             const results *to) {
    cvk_kernel *kernel;
    cvk_status status = compile_kernel(layer, session_goal(s, s->target), NULL, s->diagnostics, &kernel, NULL);
    if (status != CVK_OK) return status;
    const cvk_kernel_info *info = cvk_kernel_get_info(kernel);
    tensors t;
    status = tensors_bind(spec, info, data, GUARD_END, s->parallel.workers, &t);
    if (status == CVK_OK) status = cvk_run(info, &t.buffers, &s->parallel);
    for (int64_t i = 0; status == CVK_OK && i < naive_channels(spec); i++) read_channel(&t, i, to);
    tensors_free(&t);
    cvk_kernel_free(kernel);
    return status;
}

static cvk_status run_reference(const cvk_spec *spec, const naive_tensors *t, const results *to) {
    if (spec->indices) naive_places(spec, t, 0, naive_channels(spec), to->indices);
    const cvk_reference_tensors given = {.struct_size = sizeof given,
                                         .input = t->input,
                                         .weights = t->weights,
                                         .bias = t->bias,
                                         .scale = t->scale,
                                         .shift = t->shift,
                                         .addend = t->addend,
                                         .gate = t->gate};
    return cvk_reference_of(spec, &given, to->output);
}

static cvk_status write_array(const session *s, const char *path, const shape *of, void *data) {
    npy_array to = {.type = of->type, .rank = of->rank, .elements = shape_elements(of), .data = data};
    memcpy(to.shape, of->size, sizeof of->size);
    return npy_write(path, s->diagnostics, &to);
}

/* What came out, and behind it gradients of a bias. */
static cvk_status write_results(const session *s, const cvk_spec *spec, const results *from) {
    const shape result = shape_result(spec), channels = shape_bias_gradient(spec), indices = shape_indices(spec);
    const bool gradients = spec->direction == DIRECTION_BACKWARD_WEIGHTS && spec->bias;
    cvk_status status = write_array(s, only_file(&s->options->output), &result, from->output);
    char *behind = from->output + shape_elements(&result) * type_bytes(result.type);
    if (status == CVK_OK && gradients) status = write_array(s, s->options->bias_output, &channels, behind);
    if (status == CVK_OK && spec->indices) status = write_array(s, s->options->indices, &indices, from->indices);
    return status;
}

static cli_exit compute(session *s, const cvk_spec *layer, const arrays *a) {
    const cvk_spec *spec = &a->spec;
    const naive_tensors *data = &a->tensors;
    const results to = {malloc(result_bytes(spec) + 1),
                        malloc((size_t)(naive_channels(spec) * naive_channel_size(spec)) * sizeof(int32_t) + 1)};
    cvk_status status = CVK_ERROR_MEMORY;
    if (to.output && data->before) memcpy(to.output, data->before, result_bytes(spec));
    if (to.output && to.indices)
        status = s->options->reference ? run_reference(spec, data, &to) : run_kernel(s, layer, spec, data, &to);
    if (status == CVK_OK) status = write_results(s, spec, &to);
    free(to.output);
    free(to.indices);
    return session_fail(s, status);
}

/* The layer of that name, or the only one. */
static const cvk_spec *find_layer(const session *s) {
    const char *name = s->options->layer_name;
    const cvk_network *network = s->files[0].network;
    const char *names[1024];
    size_t count = 0;
    const cvk_spec *spec;
    for (size_t i = 0; count < sizeof names / sizeof *names && (spec = cvk_network_layer(network, i)); i++) {
        if (name && strcmp(spec->name, name) == 0) return spec;
        names[count++] = spec->name;
    }
    if (!name && count == 1) return cvk_network_layer(network, 0);
    const char *near = name ? text_nearest(name, names, count) : NULL;
    if (!name) session_say("run: the file has %zu layers; --layer NAME says which", count);
    if (name)
        session_say("there is no layer `%s`%s%s%s", name, near ? "; did you mean `" : "", near ? near : "",
                    near ? "`?" : "");
    return NULL;
}

static cli_exit run_layer(session *s) {
    if (s->files[0].network->graph && !s->options->layer_name) return run_network(s);
    const cvk_spec *spec = find_layer(s);
    if (!spec) return CLI_USAGE;
    arrays a = {0};
    cli_exit status = read_arrays(s, spec, &a);
    if (status == CLI_DONE) status = read_before(s, &a);
    if (status == CLI_DONE) status = compute(s, spec, &a);
    free_arrays(&a);
    return status;
}

cli_exit cli_run(const cli_options *options) {
    if (options->spec_count != 1 || !options->output.count) {
        session_say("run: %s",
                    options->output.count ? "one SPEC at a time" : "--output FILE says where the result goes");
        return CLI_USAGE;
    }
    return session_main(options, &(session_verb){run_layer, .runs = !options->reference, .threads = true});
}
