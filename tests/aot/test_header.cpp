// The generated header is C++, stands alone, and may be included twice; its kernels are constants with C linkage.
#include "layers.h"
#include "layers.h"

#include <cstring>

int main() {
    const cvk_kernel_info &info = example_block;
    const bool right = std::strcmp(info.name, "block") == 0 && info.abi_version == CVK_ABI_VERSION &&
                       info.struct_size == sizeof(cvk_kernel_info) && info.output_shape[1] == 24 &&
                       info.output.bytes == 24 * 12 * 12 * sizeof(float) && info.run && info.pack;
    return right ? 0 : 1;
}
