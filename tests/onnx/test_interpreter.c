/* Does the interpreter, and the language before it, give what ONNX and PyTorch expect of their own convolutions and
 * pools? */
#include "onnx_case.h"
#include "judge/bound.h"
#include "judge/naive.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static void run_case(const char *name, const onnx_case *c) {
    cvk_network *network;
    cvk_diagnostics *d = cvk_diagnostics_new();
    cr_assert_eq(cvk_network_parse(c->yaml, strlen(c->yaml), name, d, &network), CVK_OK, "%s: %s\n%s", name,
                 cvk_diagnostics_count(d) ? cvk_diagnostics_get(d, 0)->message : "no message", c->yaml);
    const cvk_spec *spec = cvk_network_layer(network, 0);
    int64_t n = naive_channels(spec) * naive_channel_size(spec);
    cr_assert_eq(n, c->output_elements, "%s: the output has another size", name);
    long double *y = malloc((size_t)n * sizeof *y);
    double *bound = malloc((size_t)n * sizeof *bound);
    naive_run(spec,
              &(naive_tensors){
                  .input = c->input, .weights = c->weights, .bias = c->bias, .scale = c->scale, .addend = c->addend},
              y, bound);
    for (int64_t i = 0; i < n; i++) {
        /* The expected values are those of some f32 kernel, of which the same may be asked as of ours. */
        const cvk_type type = spec->output_type;
        const double expected = type_read(type, (const char *)c->output + i * type_bytes(type));
        double ratio = bound_ratio(y[i], bound[i] * (c->slack != 0 ? c->slack : 1), expected);
        cr_assert_leq(ratio, 1, "%s: output %d is %.9g, not %.9g, %g of the bound", name, (int)i, (double)y[i],
                      expected, ratio);
    }
    int32_t *places = malloc((size_t)n * sizeof *places);
    if (c->indices) cr_assert_eq(cvk_reference_indices(spec, c->input, places), CVK_OK, "%s", name);
    for (int64_t i = 0; c->indices && i < n; i++)
        cr_assert_eq(places[i], c->indices[i], "%s: index %d is %d, not %d", name, (int)i, (int)places[i],
                     (int)c->indices[i]);
    free(places);
    free(y);
    free(bound);
    cvk_network_free(network);
    cvk_diagnostics_free(d);
}

Test(onnx, the_interpreter_gives_the_expected_outputs) {
    int cases = onnx_cases_each(run_case);
    cr_assert_geq(cases, 152, "only %d cases were found below " ONNX_TESTDATA, cases);
}
