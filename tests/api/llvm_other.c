/* A libconvoke_llvm of another build. */
#include "emit/door.h"

const llvm_door cvk_llvm_door = {.build = "0.0.0 of another day"};
