/* Any bytes as a spec: they are read or refused with a reason, and what is read prints as a line that reads back and
 * prints the same; of layers that feed one another, each step is a layer, and has what it reads and writes. libFuzzer
 * and the sanitizers see to crashes, hangs and leaks. */
#include "network/steps.h"

#include <stdlib.h>
#include <string.h>

static void demand(bool holds) {
    if (!holds) abort();
}

static void check_reads_back(const cvk_spec *s, arena *a) {
    text line = text_new(a), file = text_new(a), again = text_new(a);
    spec_print(s, &line);
    text_add(&file, "version: 1\nlayers:\n  - %s\n", line.bytes);
    cvk_network *network;
    cvk_status status = cvk_network_parse(file.bytes, file.length, "printed", NULL, &network);
    demand(status == CVK_OK && cvk_network_count(network) == 1);
    const cvk_spec *back = cvk_network_layer(network, 0);
    spec_print(back, &again);
    demand(strcmp(line.bytes, again.bytes) == 0);
    demand(memcmp(s->out_size, back->out_size, sizeof s->out_size) == 0);
    cvk_network_free(network);
}

static void check_figures(const cvk_spec *s) {
    demand(spec_macs(s) >= 0 && spec_macs(s) < INT64_MAX);
    demand(spec_input_elements(s) <= INT32_MAX && spec_output_elements(s) <= INT32_MAX);
    demand(spec_weights_elements(s) >= spec_has_weights(s) && spec_weights_elements(s) <= INT32_MAX);
    for (int axis = 0; axis < AXES; axis++) demand(s->out_size[axis] >= 1);
}

static void check_tensor(const network_steps *n, int index, int64_t channels) {
    demand(index >= 0 && index < n->tensor_count);
    const network_tensor *t = &n->tensor[index];
    demand(t->storage >= 0 && t->storage < n->storage_count && t->channels == channels);
    const network_storage *s = &n->storage[t->storage];
    demand(t->begin >= 0 && t->channel >= 0 && t->channel + t->channels <= s->logical);
}

static void check_steps(const network_steps *n) {
    for (int i = 0; i < n->step_count; i++) {
        const network_step *s = &n->step[i];
        check_tensor(n, s->input, s->spec->in_channels);
        check_tensor(n, s->output, s->spec->out_channels);
        cvk_spec again = *s->spec;
        demand(s->parts.count == 0 || spec_finish(&again, NULL) == CVK_OK);
    }
}

static void check_layers(const cvk_network *network) {
    arena a;
    arena_init(&a);
    demand(!arena_guard(&a));
    const network_steps *steps = network_of(&a, network);
    if (steps) check_steps(steps);
    for (size_t i = 0; i < cvk_network_count(network) && i < 8; i++) {
        check_figures(cvk_network_layer(network, i));
        check_reads_back(cvk_network_layer(network, i), &a);
    }
    arena_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    cvk_diagnostics *d = cvk_diagnostics_new();
    cvk_network *network;
    cvk_status status = cvk_network_parse((const char *)data, size, "fuzz.yaml", d, &network);
    demand((status == CVK_OK) == (network != NULL));
    demand((status == CVK_OK) == (cvk_diagnostics_count(d) == 0));
    if (network) check_layers(network);
    cvk_network_free(network);
    cvk_diagnostics_free(d);
    return 0;
}
