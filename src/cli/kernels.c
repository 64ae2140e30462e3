/* Buffers of kernels by the table, and the greatest of several targets. */
#include "cli/kernels.h"

static const buffer_row ROWS[] = {
#define BUFFER(member, word, macro, always) {word, macro, always, offsetof(cvk_kernel_info, member)},
#include "cli/buffers.def"
#undef BUFFER
};

/* Every buffer of a run has a row: the name of one without would not be known here. */
enum {
#define BUFFER(member, word, macro, always) ROW_OF_##member,
#include "cli/buffers.def"
#undef BUFFER
#define CVK_BUFFER(NAME, member, needs, access, share) NAMED_##NAME = ROW_OF_##needs,
#include <convoke/buffers.def>
#undef CVK_BUFFER
};

const buffer_row *buffer_at(int index) { return index < (int)(sizeof ROWS / sizeof *ROWS) ? &ROWS[index] : NULL; }

cvk_buffer_info buffer_of_kernel(const kernel_list *k, size_t layer, size_t target, const buffer_row *row) {
    const cvk_kernel_info *info = &k->units[target * k->layers + layer].info;
    cvk_buffer_info buffer = *(const cvk_buffer_info *)(const void *)((const char *)info + row->offset);
    if (row->offset == offsetof(cvk_kernel_info, scratch)) buffer.bytes = cvk_scratch_bytes(info, 1);
    return buffer;
}

cvk_buffer_info buffer_for_all(const kernel_list *k, size_t layer, const buffer_row *row) {
    cvk_buffer_info all = {0};
    for (size_t t = 0; t < k->targets; t++) {
        cvk_buffer_info one = buffer_of_kernel(k, layer, t, row);
        if (one.bytes > all.bytes) all.bytes = one.bytes;
        if (one.alignment > all.alignment) all.alignment = one.alignment;
    }
    return all;
}
