/* The inner side of the door: all that libconvoke_llvm exports. */
#include "emit/door.h"

#include "base/build.h"

const llvm_door cvk_llvm_door = {.build = build_id, .emit = llvm_emit_inside, .triple = llvm_triple_inside};
