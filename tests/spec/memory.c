/* Memory: for every n, the n-th malloc of a read fails; the status says so, nothing is leaked, nothing crashes. */
#include "support.h"

#include <stdlib.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void __libc_free(void *block);

static bool counting;
static long allocations, fail_at, live;

static bool fails(void) { return counting && ++allocations == fail_at; }

static void *count(void *block) {
    if (counting && block) live++;
    return block;
}

/* Seen from libyaml too, whatever the build's default visibility. */
#pragma GCC visibility push(default)

void *malloc(size_t size) { return fails() ? NULL : count(__libc_malloc(size)); }
void *calloc(size_t n, size_t size) { return fails() ? NULL : count(__libc_calloc(n, size)); }

void *realloc(void *old, size_t size) {
    if (fails()) return NULL;
    return old ? __libc_realloc(old, size) : count(__libc_malloc(size));
}

void free(void *block) {
    if (counting && block) live--;
    __libc_free(block);
}

#pragma GCC visibility pop

/* Reads and frees a text with the n-th allocation failing; true while there was an n-th. */
static bool survives(const char *what, const char *bytes, cvk_status expected, long n) {
    cvk_network *network;
    allocations = live = 0;
    fail_at = n;
    counting = true;
    cvk_diagnostics *d = cvk_diagnostics_new();
    cvk_status status = cvk_network_parse(bytes, strlen(bytes), "memory.yaml", d, &network);
    cvk_network_free(network);
    cvk_diagnostics_free(d);
    counting = false;
    cr_assert(status == expected || status == CVK_ERROR_MEMORY, "%s, allocation %ld: status %d", what, n, status);
    cr_assert_eq(live, 0, "%s, allocation %ld: %ld blocks are leaked", what, n, live);
    return allocations >= n;
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
