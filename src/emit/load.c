/* The outer side of the door: finds libconvoke_llvm when llvm_emit is first called, and keeps it for good. It lies
 * beside libconvoke and is found by the RUNPATH of whoever this file is linked into, or where the system looks for
 * libraries. A failure is not remembered: the next call looks again. */
#define _GNU_SOURCE /* dladdr */
#include "emit/door.h"

#include "base/build.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static const char LIBRARY[] = "libconvoke_llvm.so.0";

static pthread_mutex_t opening = PTHREAD_MUTEX_INITIALIZER;
static const llvm_door *opened;  /* these under `opening` */
static const char *library_path; /* of libLLVM, which stays loaded; NULL: nobody can name it */

static const llvm_door *refuse(cvk_diagnostics *d, const char *why) {
    diag_error(d, E_LLVM, (place){.file = ""}, "it is installed beside libconvoke, and of the same build",
               "cannot compile without %s: %s", LIBRARY, why ? why : "no reason given");
    return NULL;
}

/* By what is in it; names of libraries live as long as these are loaded. */
static void name_library(const void *symbol) {
    Dl_info info;
    library_path = symbol && dladdr(symbol, &info) ? info.dli_fname : NULL;
}

static const llvm_door *open_door(cvk_diagnostics *d) {
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (!library) return refuse(d, dlerror());
    const llvm_door *door = dlsym(library, "cvk_llvm_door");
    if (door && strcmp(door->build, build_id) == 0) {
        name_library(dlsym(library, "LLVMContextCreate"));
        return door;
    }
    refuse(d, door ? "it is of another build" : dlerror());
    dlclose(library);
    return NULL;
}

static const llvm_door *find_door(cvk_diagnostics *d) {
    pthread_mutex_lock(&opening);
    if (!opened) opened = open_door(d);
    const llvm_door *door = opened;
    pthread_mutex_unlock(&opening);
    return door;
}

cvk_status llvm_emit(const emit_kernel *kernels, size_t layers, size_t targets, const emit_network *network,
                     emit_kind kind, cvk_diagnostics *diagnostics, cvk_object *object, emit_times *times) {
    *object = (cvk_object){0};
    const llvm_door *door = find_door(diagnostics);
    if (!door) return CVK_ERROR_UNSUPPORTED;
    return door->emit(kernels, layers, targets, network, kind, diagnostics, object, times);
}

cvk_status llvm_triple(const char *words, cvk_diagnostics *diagnostics, char *to, size_t size) {
    const llvm_door *door = find_door(diagnostics);
    if (!door) return CVK_ERROR_UNSUPPORTED;
    if (door->triple(words, to, size)) return CVK_OK;
    diag_error(diagnostics, E_TARGET, (place){.file = ""}, NULL, "no triple is as long as this: %s", words);
    return CVK_ERROR_ARGUMENT;
}

const char *llvm_library(void) {
    pthread_mutex_lock(&opening);
    const char *path = opened && library_path ? library_path : "";
    pthread_mutex_unlock(&opening);
    return path;
}

void object_free(cvk_object *object) {
    free(object->bytes);
    *object = (cvk_object){0};
}
