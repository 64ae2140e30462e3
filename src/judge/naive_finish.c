/* Scaling, post-ops and store, one output at a time. */
#include "judge/naive_finish.h"

#include "judge/bound.h"
#include "judge/naive_gradients.h"
#include "judge/naive_quantized.h"
#include "judge/post.h"

/* One output channel of one image. */
typedef struct channel {
    const cvk_spec *spec;
    const naive_tensors *tensors;
    int64_t n, oc;
} channel;

static double number(cvk_type type, const void *tensor, int64_t i) {
    return type_read(type, (const char *)tensor + i * type_bytes(type));
}

/* Number of channel c in the next vector of `scale`, `at` numbers of which have been used; of multipliers there may be
 * one for all. */
static double next_scale(const channel *c, bool one, int64_t *at) {
    const double x = number(spec_post_type(c->spec), c->tensors->scale, *at + (one ? 0 : c->oc));
    *at += one ? 1 : c->spec->out_channels;
    return x;
}

/* Of map number `map`; one of bytes has a multiplier. */
static double addend_at(const channel *c, int64_t map, int64_t at, int64_t *scale) {
    const cvk_spec *s = c->spec;
    const double x = number(s->output_type, c->tensors->addend, map * naive_channel_size(s) + at);
    return type_bytes(s->output_type) == 1 ? naive_addend(s, x, next_scale(c, s->one_multiplier, scale)) : x;
}

/* Whether the value of a sum is a number of what post-ops are computed in, and stays one while every step is rounded:
 * sums of integers, pools of bytes, and what becomes bytes as it is. */
static bool is_stepped(const cvk_spec *s) {
    const bool becomes_bytes = s->kind == LAYER_IDENTITY && !type_is_float(s->output_type);
    return (!type_is_float(s->input_type) || becomes_bytes) && spec_post_type(s) == TYPE_F32;
}

/* Scaling, post-ops and store of one output, which stands at `at` in the channel. */
void naive_finish(const cvk_spec *s, const naive_tensors *t, int64_t n, int64_t oc, int64_t at, long double *value,
                  double *bound) {
    const channel of = {s, t, n, oc}, *c = &of;
    const cvk_type type = spec_post_type(s);
    int64_t scale = 0, before[POST_OPERANDS] = {0};
    bool stepped = is_stepped(s);
    if (spec_scaling(s) != SCALING_NONE) {
        *value = naive_scaled(s, c->tensors, c->oc, *value);
        scale = spec_scale_size(s, 0);
    } else if (stepped) {
        *value = type_round(type, (double)*value);
        if (bound) *bound = 0;
    }
    for (int i = 0; i < s->post_count; i++) {
        const post_op *op = &s->post[i];
        const post_operand reads = post_rows[op->kind].operand;
        const int64_t which = before[reads]++, image = which * s->batch + c->n;
        double operand = 0;
        if (reads == OPERAND_TENSOR)
            operand = addend_at(c, image * s->out_channels + c->oc, at, &scale);
        else if (reads == OPERAND_IMAGE_CHANNEL)
            operand = number(s->output_type, c->tensors->gate, image * s->out_channels + c->oc);
        else if (reads == OPERAND_CHANNEL)
            operand = next_scale(c, false, &scale);
        if (stepped && naive_step(op, operand, value)) continue;
        stepped = false;
        if (bound) *bound = bound_post(type, op, operand, *value, *bound);
        *value = post_apply(op, operand, *value);
    }
    if (s->accumulate)
        naive_add_before(s, c->tensors, (c->n * s->out_channels + c->oc) * naive_channel_size(s) + at, value, bound);
    if (type_bytes(s->output_type) == 1)
        naive_store_byte(s, value, bound);
    else if (bound)
        bound_store(type, s->output_type, value, bound);
}
