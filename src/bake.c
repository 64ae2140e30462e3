/* Packs by the nest evaluator: its results are those of the code to the last bit, and it needs no CPU of the target's.
 */
#include "bake.h"

#include "judge/nest_eval.h"

cvk_status bake(arena *a, compile_unit *unit, const known_tensors *known) {
    cvk_kernel_info *info = &unit->info;
    if (!info->packed_weights.bytes) return CVK_OK; /* gradients of weights have none */
    void *packed = arena_alloc(a, (size_t)info->packed_weights.bytes - CVK_PACKED_HEADER);
    void *dense = arena_copy(a, known->weights, (size_t)info->weights.bytes); /* the evaluator wants to write */
    void *const tensors[ROLE_COUNT] = {[ROLE_PACK_FROM] = dense, [ROLE_PACK_TO] = packed};
    cvk_status status = nest_eval_phase(&unit->pack, tensors, eval_as(unit->target->fused));
    if (status != CVK_OK) return status;
    unit->pack.count = 0;
    unit->constant[ROLE_WEIGHTS] = packed;
    unit->constant[ROLE_BIAS] = known->bias;
    unit->constant[ROLE_SCALE] = known->scale;
    unit->constant[ROLE_SHIFT] = known->shift;
    info->weights.bytes = info->packed_weights.bytes = 0;
    info->bias.bytes = info->scale.bytes = info->shift.bytes = 0;
    info->packed_tag = 0;
    return CVK_OK;
}
