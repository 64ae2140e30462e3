/* Constants of an object, field by field in the order of a struct of ours: so they are right where pointers have
 * another size. */
#ifndef CVK_LLVM_CONSTANTS_H
#define CVK_LLVM_CONSTANTS_H

#include "llvm/lowering.h"

enum { CONSTANT_MOST_FIELDS = 48 };

typedef struct constant_fields {
    lower_module *m;
    const char *symbol; /* of the constant */
    LLVMValueRef value[CONSTANT_MOST_FIELDS];
    unsigned count;
} constant_fields;

/* Sections: data that holds addresses is written to once, when the program is loaded. */
extern const char CONSTANT_ADDRESSES[], CONSTANT_PLAIN[];

void constant_add(constant_fields *f, LLVMValueRef value);
void constant_u32(constant_fields *f, uint32_t value);
void constant_u64(constant_fields *f, uint64_t value);
void constant_shape(constant_fields *f, const int64_t shape[5]);
void constant_buffer(constant_fields *f, const cvk_buffer_info *b);
/* A pointer to a string that only this constant has. */
void constant_string(constant_fields *f, const char *string);
/* What only the constant `symbol` points at, in a section of that kind. */
LLVMValueRef constant_private(lower_module *m, const char *symbol, const char *kind, LLVMValueRef value,
                              unsigned alignment);
/* What sizeof says on the target of the fields so far. */
unsigned long long constant_size(constant_fields *f);
/* The constant, by its symbol. */
LLVMValueRef constant_end(constant_fields *f);

#endif
