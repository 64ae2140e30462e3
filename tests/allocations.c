#include "allocations.h"

#include <stdlib.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *block);

static bool counting;
static long allocations, fail_at, live;

static bool fails(void) { return counting && ++allocations == fail_at; }

static void *count(void *block) {
    if (counting && block) live++;
    return block;
}

/* Seen from other libraries too, whatever the build's default visibility. */
#pragma GCC visibility push(default)

void *malloc(size_t size) { return fails() ? NULL : count(__libc_malloc(size)); }
void *calloc(size_t n, size_t size) { return fails() ? NULL : count(__libc_calloc(n, size)); }

void *realloc(void *old, size_t size) {
    if (fails()) return NULL;
    return old ? __libc_realloc(old, size) : count(__libc_malloc(size));
}

int posix_memalign(void **block, size_t alignment, size_t size) {
    *block = fails() ? NULL : count(__libc_memalign(alignment, size));
    return *block ? 0 : 12; /* ENOMEM */
}

void free(void *block) {
    if (counting && block) live--;
    __libc_free(block);
}

#pragma GCC visibility pop

void allocations_begin(long n) {
    allocations = live = 0;
    fail_at = n;
    counting = true;
}

bool allocations_end(long *leaked) {
    counting = false;
    *leaked = live;
    return allocations >= fail_at;
}
