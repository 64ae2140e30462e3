/* Packing weights: the checks of a run, for one buffer in and one out. */
#include "check.h"

cvk_status cvk_check_pack(const cvk_kernel_info *info, cvk_const_buffer weights, cvk_buffer packed, cvk_refusal *why) {
    if (why) *why = (cvk_refusal){.status = CVK_OK};
    cvk_status status = check_kernel(info, why);
    if (status != CVK_OK || !info->packed_weights.bytes) return status;
    if (!info->pack) return check_refuse(why, (cvk_refusal){CVK_ERROR_ARGUMENT, .what = "info->pack"});
    const check_buffer buffers[] = {
        {"weights", weights.data, weights.bytes, info->weights.bytes, info->weights.alignment, false},
        {"packed", packed.data, packed.bytes, info->packed_weights.bytes, info->packed_weights.alignment, true},
    };
    return check_buffers(buffers, 2, why);
}

cvk_status cvk_pack_weights(const cvk_kernel_info *info, cvk_const_buffer weights, cvk_buffer packed) {
    cvk_status status = cvk_check_pack(info, weights, packed, NULL);
    if (status == CVK_OK && info->packed_weights.bytes) info->pack(weights.data, packed.data);
    return status;
}
