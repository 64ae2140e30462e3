/* From nests to machine code: the only room that sees LLVM. It knows nests and targets, not convolutions. */
#ifndef CVK_EMIT_EMIT_H
#define CVK_EMIT_EMIT_H

#include "nest/program.h"
#include "target/target.h"

/* One layer for one target. `info` is emitted as a constant, its run and pack pointing at functions that are local to
 * the object. Tensors that `constant` has, by role, are emitted as read-only data and taken from there, whatever the
 * caller passes; a kernel whose weights are among them needs no `pack`. Weights that are passed come after a header,
 * which `pack` writes: info->packed_tag and zeros. */
typedef struct emit_kernel {
    const char *symbol;
    const cvk_target *target;
    nest_program run;
    nest_phase pack; /* of no nests: it has nothing to pack */
    const cvk_kernel_info *info;
    const void *constant[ROLE_COUNT];
    bool local; /* no symbol of the object's: a table points at it */
} emit_kernel;

/* Layers as the steps of a network: step i is layer layer[i]. `info` is emitted but for its steps' kernels, which are
 * those of the same target. */
typedef struct emit_network {
    const char *symbol;
    const cvk_network_info *info; /* of each target */
    const size_t *layer;
} emit_network;

typedef enum emit_kind { EMIT_OBJECT, EMIT_ASSEMBLY, EMIT_LLVM } emit_kind;

/* Bytes of an object, or text; heap-owned. */
typedef struct cvk_object {
    unsigned char *bytes;
    size_t size;
} cvk_object;
void object_free(cvk_object *object);

/* Seconds each stage took. */
typedef struct emit_times {
    double lower, optimise, generate;
} emit_times;

/* kernels[t * layers + l] is layer l for target t, best target first, all of one architecture. For one target a layer's
 * symbol is its cvk_kernel_info, for several a cvk_kernel_set; so is a network's, which may be NULL. `times` may be
 * NULL. The same input gives the same bytes. Thread-safe: one LLVM context a call. The first call loads LLVM
 * (emit/door.h); CVK_ERROR_UNSUPPORTED where it is not there to be loaded. */
cvk_status llvm_emit(const emit_kernel *kernels, size_t layers, size_t targets, const emit_network *network,
                     emit_kind kind, cvk_diagnostics *diagnostics, cvk_object *object, emit_times *times);

/* The file of libLLVM that is loaded; "" before it is. */
const char *llvm_library(void);

/* A triple as LLVM orders and completes it: "wasm32-unknown-wasi" of "wasm32-wasi". CVK_ERROR_ARGUMENT: longer than
 * `size`. */
cvk_status llvm_triple(const char *words, cvk_diagnostics *diagnostics, char *to, size_t size);

#endif
