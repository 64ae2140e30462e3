/* Packs by the nest evaluator: its results are those of the code to the last bit, and it needs no CPU of the target's.
 */
#include "bake.h"

#include "judge/nest_eval.h"

static cvk_status bake_weights(arena *a, compile_unit *unit, const void *weights) {
    cvk_kernel_info *info = &unit->info;
    if (info->packed_weights.bytes) { /* else there are none, or they are instructions */
        void *packed = arena_alloc(a, (size_t)info->packed_weights.bytes - CVK_PACKED_HEADER);
        void *dense = arena_copy(a, weights, (size_t)info->weights.bytes); /* the evaluator wants to write */
        void *const tensors[ROLE_COUNT] = {[ROLE_PACK_FROM] = dense, [ROLE_PACK_TO] = packed};
        cvk_status status = nest_eval_phase(&unit->pack, tensors, eval_as(unit->target->fused));
        if (status != CVK_OK) return status;
        unit->constant[ROLE_WEIGHTS] = packed;
    }
    info->weights.bytes = info->packed_weights.bytes = 0;
    info->packed_tag = 0;
    return CVK_OK;
}

cvk_status bake(arena *a, compile_unit *unit, const known_tensors *known) {
    cvk_status status = known->weights ? bake_weights(a, unit, known->weights) : CVK_OK;
    if (known->bias) unit->constant[ROLE_BIAS] = known->bias, unit->info.bias.bytes = 0;
    if (known->scale) unit->constant[ROLE_SCALE] = known->scale, unit->info.scale.bytes = 0;
    if (known->shift) unit->constant[ROLE_SHIFT] = known->shift, unit->info.shift.bytes = 0;
    return status;
}
