/* The model as a function of its input. Nothing has to be loaded or packed: its weights are data of the library. */
#include "model.h"

#include <classifier.h>
#include <stdlib.h>

size_t model_inputs(void) { return classifier_network.input[0].bytes / sizeof(float); }
size_t model_outputs(void) { return classifier_network.output[0].bytes / sizeof(float); }

int model_run(const float *x, float *y) {
    const cvk_network_info *n = &classifier_network;
    const cvk_buffer_info room = cvk_network_workspace(n, 1, 1);
    const cvk_const_buffer input = {x, n->input[0].bytes};
    const cvk_buffer output = {y, n->output[0].bytes};
    void *workspace = aligned_alloc(room.alignment, (room.bytes + room.alignment) / room.alignment * room.alignment);
    const cvk_network_buffers b = {
        .struct_size = sizeof b, .inputs = &input, .outputs = &output, .workspace = {workspace, room.bytes}};
    const cvk_status status = workspace ? cvk_network_run(n, &b, NULL) : CVK_ERROR_MEMORY;
    free(workspace);
    return status;
}
