/* Memory: for every n, the n-th malloc of a read fails; the status says so, nothing is leaked, nothing crashes. */
#include "../allocations.h"
#include "support.h"

/* Reads and frees a text with the n-th allocation failing; true while there was an n-th. */
static bool survives(const char *what, const char *bytes, cvk_status expected, long n) {
    cvk_network *network;
    long leaked;
    allocations_begin(n);
    cvk_diagnostics *d = cvk_diagnostics_new();
    cvk_status status = cvk_network_parse(bytes, strlen(bytes), "memory.yaml", d, &network);
    cvk_network_free(network);
    cvk_diagnostics_free(d);
    const bool there_was = allocations_end(&leaked);
    cr_assert(status == expected || status == CVK_ERROR_MEMORY, "%s, allocation %ld: status %d", what, n, status);
    cr_assert_eq(leaked, 0, "%s, allocation %ld: %ld blocks are leaked", what, n, leaked);
    return there_was;
}

static void survives_all(const char *what, const char *bytes, cvk_status expected) {
    long n = 1;
    while (survives(what, bytes, expected, n)) n++;
    cr_expect_gt(n, 5, "%s: allocations did fail", what);
}

Test(memory, running_out_anywhere_is_a_status) {
    static char wide[30000] = "version: 1\nlayers:\n";
    size_t used = strlen(wide);
    for (int i = 0; i < 150; i++)
        used += (size_t)snprintf(wide + used, sizeof wide - used,
                                 "- {name: a%d, input: [1, 1, 5], out_channels: 1, kernel_size: 3}\n", i);
    survives_all("a sound file", "version: 1\nlayers: [{name: a, input: [1, 1, 5], out_channels: 1, kernel_size: 3}]\n",
                 CVK_OK);
    survives_all("many layers", wide, CVK_OK);
    survives_all("mistakes", "version: one\nname: 3\nlayers: [{name: a, inputs: [1, 1, 5]}, {}, {}, {}]\n",
                 CVK_ERROR_SPEC);
    survives_all("anchors", "&a [*a, &b c, !!int 3]\n", CVK_ERROR_SPEC);
    survives_all("bad syntax", "a: [b, {c: \"d\n", CVK_ERROR_SPEC);
    survives_all("too deep", "[[[[[[[[[[[[[[[[[[[[[[[[", CVK_ERROR_UNSUPPORTED);
}
