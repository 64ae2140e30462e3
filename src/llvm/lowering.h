/* What the files of this room share while one nest becomes one function. */
#ifndef CVK_LLVM_LOWERING_H
#define CVK_LLVM_LOWERING_H

#include "nest/program.h"
#include "target/target.h"

#include <llvm-c/Core.h>

/* A table of a nest that is data of the module. */
typedef struct lower_table {
    struct lower_table *next;
    const nest_tensor *tensor;
    LLVMValueRef data;
} lower_table;

/* A module under construction and the types and intrinsics everything uses. */
typedef struct lower_module {
    arena *arena;
    const cvk_target *target; /* of the function being made */
    LLVMContextRef context;
    LLVMModuleRef module;
    bool elf; /* whether the object will be an ELF file */
    LLVMTypeRef
        element[TYPES]; /* in registers and memory; halves are integers of 16 bits, for no CPU computes with them */
    LLVMTypeRef i64, i32, i8, ptr, nothing;
    LLVMTypeRef index;                                         /* as wide as a pointer: counts, offsets in bytes */
    lower_table *tables;                                       /* made so far */
    LLVMValueRef math[TYPES][MATH_KINDS][NEST_MOST_LANES + 1]; /* functions made so far for the target, by lanes */
} lower_module;

/* An address prefix or quotient computed once a loop iteration. */
typedef struct lower_cached {
    struct lower_cached *next;
    LLVMValueRef base, factor; /* the value is base + factor * coefficient bytes; for quotients factor is NULL */
    int64_t coefficient;
    const affine *numerator;
    int64_t divisor;
    LLVMValueRef value;
} lower_cached;

/* A run-time loop around the place where code goes, or, outermost, the function. */
typedef struct lower_level {
    struct lower_level *outer;
    int depth;
    int variable;              /* -1: the function, with its task variables */
    LLVMBasicBlockRef prelude; /* runs once an iteration, before the body: addresses go here */
    lower_cached *cached;
} lower_level;

/* A vector that waits to be stored past the caches, so many bytes behind `base`. */
typedef struct lower_streamed {
    struct lower_streamed *next;
    nest_role role; /* of the tensor */
    LLVMValueRef value, base;
    int64_t offset;
} lower_streamed;

typedef struct lowering {
    lower_module *m;
    const nest *nest;
    LLVMBuilderRef builder, prelude; /* code; addresses */
    LLVMValueRef function;
    LLVMValueRef *tensor;     /* base pointers, by index into nest->tensors */
    LLVMValueRef **reg;       /* [array][index]: stack slots that mem2reg turns into values */
    LLVMValueRef *variable;   /* run-time values by variable; NULL for unrolled ones */
    lower_level **level_of;   /* by variable: where it is defined */
    int64_t *known;           /* values of unrolled variables */
    lower_level *level;       /* innermost */
    lower_streamed *streamed; /* in their order */
    bool streams;             /* it has stores that bypass the caches, which a fence has to end */
} lowering;

/* entry.c: one function from one program, a cvk_kernel_fn, and one from the nests that pack, a cvk_pack_fn, which
 * begins what it packs with a header; both with internal linkage. Tensors whose role has a value in `constant` lie
 * there. Where `info` says any batch, the nests are of one image, and the function goes from image to image. */
LLVMValueRef lower_program(lower_module *m, const nest_program *p, const char *symbol, const cvk_kernel_info *info,
                           LLVMValueRef const constant[ROLE_COUNT]);
LLVMValueRef lower_pack(lower_module *m, const nest_phase *pack, const char *symbol, uint64_t tag);

/* lower.c: a nest within a function. Registers are made where all of a function are: at its beginning. The nest's code
 * goes where its builder stands, once its tensors are known: all of it, or the tasks from `first` to `last`, as
 * indices. */
void lower_registers(lowering *l);
void lower_nest(lowering *l);
void lower_nest_tasks(lowering *l, LLVMValueRef first, LLVMValueRef last);
LLVMBasicBlockRef lower_block(lowering *l, const char *name); /* a new one, at the function's end */

/* address.c */
LLVMValueRef lower_affine(lowering *l, const affine *e); /* as an index, where code goes */
LLVMValueRef lower_address(lowering *l, const nest_access *at, int64_t lane);
/* The same as a pointer that others have, too, and bytes behind it. */
LLVMValueRef lower_base(lowering *l, const nest_access *at, int64_t lane, int64_t *offset);
LLVMValueRef lower_beyond(lowering *l, LLVMValueRef base, int64_t offset);
LLVMValueRef lower_opaque(lower_module *m, LLVMBuilderRef b, LLVMValueRef pointer); /* the same, unknown to LLVM */
LLVMValueRef lower_bound(lowering *l, const nest_bound *bound, bool low); /* of a run-time loop, where code goes */

/* op.c: an operation; stores that bypass the caches wait until lower_streams makes them, at the end of what is executed
 * together. */
void lower_op(lowering *l, const nest_op *op);
void lower_streams(lowering *l);

/* math.c */
LLVMValueRef lower_math(lower_module *m, math_kind kind, cvk_type type, int lanes);

/* types.c */
void lower_types(lower_module *m); /* makes the module's types, its context given */
LLVMTypeRef lower_vector(lower_module *m, cvk_type type, int lanes);
LLVMValueRef lower_splat_constant(lower_module *m, cvk_type type, int lanes, double value);
LLVMValueRef lower_splat_bits(LLVMTypeRef vector, uint64_t bits); /* a vector of integers */

/* arithmetic.c: lane-by-lane operations on registers of `type`, shared by op.c and math.c. Sources beyond the
 * operation's own are ignored. */
LLVMValueRef lower_arithmetic(lower_module *m, LLVMBuilderRef builder, op_kind kind, cvk_type type, LLVMValueRef a,
                              LLVMValueRef b, LLVMValueRef c);
LLVMValueRef lower_shift(LLVMBuilderRef builder, op_kind kind, cvk_type type, LLVMValueRef a, int amount);
/* a < b ? less : otherwise; `otherwise` where either is NaN. */
LLVMValueRef lower_select_less(LLVMBuilderRef builder, cvk_type type, LLVMValueRef a, LLVMValueRef b, LLVMValueRef less,
                               LLVMValueRef otherwise);

/* convert.c, scale.c, dot.c: those of nest/ops.def. */
/* x y + z of floats, rounded once where the target can. */
LLVMValueRef lower_fused(lower_module *m, LLVMBuilderRef b, LLVMValueRef x, LLVMValueRef y, LLVMValueRef z);
LLVMValueRef lower_convert(lower_module *m, LLVMBuilderRef builder, cvk_type from, cvk_type to, int zero,
                           LLVMValueRef a);
LLVMValueRef lower_scale(lower_module *m, LLVMBuilderRef builder, op_kind kind, LLVMValueRef a, LLVMValueRef by,
                         LLVMValueRef shift);
LLVMValueRef lower_dot(lower_module *m, LLVMBuilderRef builder, cvk_type a_type, cvk_type b_type, LLVMValueRef a,
                       LLVMValueRef b, LLVMValueRef c);
LLVMValueRef lower_intrinsic(lower_module *m, LLVMBuilderRef builder, const char *name, LLVMTypeRef *overload,
                             unsigned overloads, LLVMValueRef *arguments, unsigned count);

/* emit.c: a section of its own for what is emitted as or for `symbol`, so that linkers can leave it out; `kind` is what
 * linker scripts know it by. Other formats than ELF need none. */
void lower_place(lower_module *m, LLVMValueRef global, const char *kind, const char *symbol);

/* info.c: the constant cvk_kernel_info; a cvk_kernel_set of several of them, which become local to the object; data. */
LLVMValueRef lower_info(lower_module *m, const char *symbol, const cvk_kernel_info *info, LLVMValueRef run,
                        LLVMValueRef pack);
void lower_set(lower_module *m, const char *symbol, LLVMValueRef *infos, size_t count);
/* network.c: the constant cvk_network_info, whose steps have these kernels' descriptions. */
LLVMValueRef lower_network(lower_module *m, const char *symbol, const cvk_network_info *info, LLVMValueRef *kernels);
LLVMValueRef lower_data(lower_module *m, const char *symbol, const void *data, int64_t bytes);

/* emit.c: what makes a function compile for the target. */
void lower_attributes(lower_module *m, LLVMValueRef function);

#endif
