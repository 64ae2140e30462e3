/* The door between libconvoke and libconvoke_llvm. LLVM is large, and a program whose kernels are all cached needs none
 * of it, so what calls LLVM is a shared library of its own, which emit/load.c opens when there is first something to
 * compile. It exports one constant, `cvk_llvm_door`. The two libraries carry the same base/, target/ and nest/ and pass
 * their values to one another, so both must be of one build: load.c compares the ids. */
#ifndef CVK_EMIT_DOOR_H
#define CVK_EMIT_DOOR_H

#include "emit/emit.h"

typedef struct llvm_door {
    const char *build; /* base/build.h's, of the other side */
    cvk_status (*emit)(const emit_kernel *kernels, size_t layers, size_t targets, const emit_network *network,
                       emit_kind kind, cvk_diagnostics *diagnostics, cvk_object *object, emit_times *times);
    bool (*triple)(const char *words, char *to, size_t size);
} llvm_door;

/* What stands behind the door: llvm_emit itself. */
cvk_status llvm_emit_inside(const emit_kernel *kernels, size_t layers, size_t targets, const emit_network *network,
                            emit_kind kind, cvk_diagnostics *diagnostics, cvk_object *object, emit_times *times);

/* Of llvm_triple; false: there is no room. */
bool llvm_triple_inside(const char *words, char *to, size_t size);

extern CVK_API const llvm_door cvk_llvm_door;

#endif
