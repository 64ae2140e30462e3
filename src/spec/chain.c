/* Chains: layers that are each checked, held to what they must have in common, and made one. */
#include "spec/rules.h"
#include "spec/limits.h"

#include <string.h>

/* What is between two of them lies as the first's input and the last's output do, or with channels together. */
static cvk_layout layout_between(const cvk_spec *links, int count) {
    const bool first = links[0].input_layout == CVK_CHANNELS_FIRST,
               last = links[count - 1].output_layout == CVK_CHANNELS_FIRST;
    return first && last ? CVK_CHANNELS_FIRST : CVK_CHANNELS_LAST;
}

static const char *why_not_alone(const cvk_spec *s, bool last) {
    if (!layer_kind_rows[s->kind].windows)
        return "other layers than convolutions and pools in a chain are not supported yet";
    if (s->direction != DIRECTION_FORWARD || s->accumulate) return "gradients are of one layer";
    if (s->transposed) return "a transposed layer in a chain is not supported yet";
    if (s->indices) return "indices in a chain are not supported yet";
    if (spec_is_chain(s)) return "a chain within a chain is one chain";
    if (spec_scaling(s) != SCALING_NONE || (spec_is_pool(s) && !type_is_float(s->input_type)))
        return "bytes in a chain are not supported yet";
    if (s->ignore_nan) return "sums that leave NaN out, in a chain, are not supported yet";
    if (s->kind == LAYER_DENSE || s->kind == LAYER_IDENTITY)
        return "a layer of this kind in a chain is not supported yet";
    if (s->known) return "weights that are known, in a chain, are not supported yet";
    if (s->pitch[PITCH_INPUT] || s->pitch[PITCH_OUTPUT] || s->pitch[PITCH_ADDEND])
        return "a pitch in a chain is not supported yet";
    if (!last && spec_operands(s, OPERAND_TENSOR) + spec_operands(s, OPERAND_IMAGE_CHANNEL))
        return "a post-op that reads a tensor before the last layer of a chain is not supported yet";
    return NULL;
}

static bool follows(const cvk_spec *s, const cvk_spec *before) {
    return s->rank == before->rank && s->batch == before->batch && s->batch_any == before->batch_any &&
           s->in_channels == before->out_channels && memcmp(s->in_size, before->out_size, sizeof s->in_size) == 0;
}

static const char *why_not_after(const cvk_spec *s, const cvk_spec *before) {
    if (!follows(s, before)) return "it does not take what the layer before it gives";
    if (s->input_type != before->output_type) return "its input is not of the type that the layer before it gives";
    if (spec_sum_type(s) != spec_sum_type(before)) return "it sums in another type than the layer before it";
    return NULL;
}

/* The first that has weights, or the first of all. */
static const cvk_spec *weighted(const cvk_spec *links, int count) {
    for (int i = 0; i < count; i++)
        if (spec_has_weights(&links[i])) return &links[i];
    return links;
}

const char *spec_chain_refuse(const cvk_spec *links, int count, int *which) {
    for (int i = 0; i < count; i++) {
        const char *why = why_not_alone(&links[i], i + 1 == count);
        if (!why && i > 0) why = why_not_after(&links[i], &links[i - 1]);
        if (!why && spec_has_weights(&links[i]) && links[i].weights_type != weighted(links, count)->weights_type)
            why = "its weights are of another type than those before";
        *which = i;
        if (why) return why;
    }
    return NULL;
}

cvk_spec spec_chain_of(arena *a, const cvk_spec *links, int count) {
    cvk_spec *own = arena_copy(a, links, sizeof *links * (size_t)count), chain = links[count - 1];
    const cvk_layout between = layout_between(links, count);
    const cvk_spec *first = links;
    for (int i = 0; i < count; i++) {
        own[i].name = first->name, own[i].algorithm = "auto", own[i].schedule = NULL;
        if (i > 0) own[i].input_layout = between;
        if (i + 1 < count) own[i].output_layout = between;
    }
    chain.kind = LAYER_CONVOLUTION;
    chain.name = first->name, chain.at = first->at;
    chain.accuracy = first->accuracy, chain.algorithm = first->algorithm;
    chain.schedule = first->schedule, chain.schedule_at = first->schedule_at;
    chain.in_channels = first->in_channels, chain.groups = 1;
    chain.input_layout = first->input_layout, chain.input_type = first->input_type;
    chain.input_zero = first->input_zero, chain.weights_type = weighted(links, count)->weights_type,
    chain.weights_zero = 0;
    chain.bias = chain.flip_kernel = chain.ceil_mode = chain.count_include_pad = false;
    chain.padding = PAD_ZEROS;
    for (int axis = 0; axis < AXES; axis++) {
        chain.in_size[axis] = first->in_size[axis];
        chain.kernel[axis] = chain.stride[axis] = chain.dilation[axis] = 1;
        chain.pad_before[axis] = chain.pad_after[axis] = 0;
    }
    chain.links = count, chain.link = own;
    return chain;
}

cvk_status spec_chain(arena *a, const cvk_spec *links, int count, cvk_diagnostics *d, cvk_spec *chain) {
    int which = 0;
    const char *why = count < 1 || count > LIMIT_LINKS ? "it has no layers, or too many" : NULL;
    if (!why) why = spec_chain_refuse(links, count, &which);
    if (!why) {
        *chain = count > 1 ? spec_chain_of(a, links, count) : links[0];
        return CVK_OK;
    }
    diag_error(d, E_CHAIN, links ? links[which].at : (place){.file = ""}, NULL, "layer %d of a chain: %s", which, why);
    return CVK_ERROR_SPEC;
}
