#include "small_object.h"

#include <criterion/criterion.h>
#include <string.h>

cvk_object small_object(void) {
    static const char yaml[] =
        "version: 1\nlayers: [{name: small, input: [1, 3, 9, 9], out_channels: 4, kernel_size: 3, "
        "padding: 1, bias: true, post_ops: [gelu]}]\n";
    cvk_network *network;
    cvk_object object;
    cr_assert_eq(cvk_network_parse(yaml, strlen(yaml), "", NULL, &network), CVK_OK);
    const cvk_spec *spec = cvk_network_layer(network, 0);
    cr_assert_eq(compile_layer(spec, (goal){.target = target_host()}, NULL, NULL, &object, NULL), CVK_OK);
    cvk_network_free(network);
    return object;
}

/* Found by its first two fields. */
cvk_kernel_info *small_info(const cvk_object *object) {
    const uint32_t first[2] = {sizeof(cvk_kernel_info), CVK_ABI_VERSION};
    for (size_t at = 0; at + sizeof(cvk_kernel_info) <= object->size; at += 8)
        if (memcmp(object->bytes + at, first, sizeof first) == 0)
            return (cvk_kernel_info *)(void *)(object->bytes + at);
    cr_assert_fail("the object has a kernel's description");
    return NULL;
}
