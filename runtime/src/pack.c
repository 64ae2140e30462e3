/* Packing weights: the checks of a run, for one buffer in and one out. */
#include "check.h"

cvk_status cvk_pack_weights(const cvk_kernel_info *info, cvk_const_buffer weights, cvk_buffer packed) {
    cvk_status status = check_kernel(info);
    if (status != CVK_OK) return status;
    if (!info->packed_weights.bytes) return CVK_OK;
    if (!info->pack) return CVK_ERROR_ARGUMENT;
    const check_buffer buffers[] = {
        {weights.data, weights.bytes, info->weights.bytes, info->weights.alignment},
        {packed.data, packed.bytes, info->packed_weights.bytes, info->packed_weights.alignment},
    };
    status = check_buffers(buffers, 2, 1);
    if (status == CVK_OK) info->pack(weights.data, packed.data);
    return status;
}
