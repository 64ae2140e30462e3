/* Loads an object into this process: mapped writable, relocated, then executable, never both. */
#ifndef CVK_JIT_LOAD_H
#define CVK_JIT_LOAD_H

#include "base/diag.h"

typedef struct jit_image { /* one mapping */
    void *base;
    size_t size;
    struct gdb_entry *debugger; /* what GDB was told of it, or NULL */
} jit_image;

/* The object's bytes are copied. `symbol` is looked up and its address given back. */
cvk_status jit_load(const unsigned char *object, size_t size, const char *symbol, cvk_diagnostics *d, jit_image *image,
                    const void **address);
void jit_unload(jit_image *image);

#endif
