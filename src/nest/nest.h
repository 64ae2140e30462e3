/* The loop nest: the compiler's intermediate language. A small program over static loops, affine addresses and arrays
 * of vector registers. Everything about it can be decided before it is lowered: bounds, trip counts, costs.
 *
 *     nest      = tensors, registers, variables, statement*
 *     statement = for | if | op
 *     for       = variable in range { statement* }      task: split among workers; loop; unrolled: expanded by lowering
 *     if        = affine >= 0 { statement* }
 *     range     = max(ceil(affine / n), …) .. min(floor(affine / n), …)       the upper end is exclusive
 *     op        = register … = kind register …, access
 *     access    = tensor[affine + lane * stride], lanes in range
 *
 * Task loops stand outermost, one directly inside the other, over constant ranges from 0. Bounds of unrolled loops,
 * lane ranges and register indices depend on unrolled variables alone. Registers are mutable and start undefined.
 * Register arrays and tensors have a type each; offsets are in elements. A nest is built by nest/build.h and not
 * changed afterwards. */
#ifndef CVK_NEST_NEST_H
#define CVK_NEST_NEST_H

#include "base/arena.h"
#include "base/diag.h"
#include "base/text.h"
#include "base/types.h"
#include "nest/affine.h"

enum { NEST_MOST_LANES = 64 };

/* What a tensor is bound to. Of ENTRY_TASKS the rows of convoke/buffers.def, in their order: ROLE_INPUT to
 * ROLE_INDICES; of ENTRY_PACK the two parameters; of both, tables. Packed weights are meant without their header. */
typedef enum nest_role {
#define CVK_BUFFER(NAME, member, needs, access, share) ROLE_##NAME,
#include <convoke/buffers.def>
#undef CVK_BUFFER
    ROLE_PACK_FROM,
    ROLE_PACK_TO,
    ROLE_TABLE, /* bound to nothing: numbers that come with the nest */
    ROLE_COUNT,
} nest_role;
typedef enum nest_entry { ENTRY_TASKS, ENTRY_PACK } nest_entry;

typedef struct nest_tensor {
    const char *name;
    nest_role role;
    cvk_type type;
    int64_t elements;
    int alignment; /* bytes the base is aligned to, at least */
    bool writable;
    int64_t begin; /* elements of what the role is bound to that stand before it: of several tensors of one role */
    bool shared;   /* of all images, where a kernel is for any batch and sums over them */
    bool added_to; /* a task reads an element of it, adds, and stores it */
    int zero;      /* the number that stands for 0: loads into another type subtract it, stores from one add it */
    int64_t image; /* elements from an image to the next, where a kernel is for any batch; 0: as many as it has */
    int64_t period, width; /* of every so many elements the first `width` are its own; 0: all are */
    bool work;             /* of no meaning afterwards: its elements may be stored again and again */
    const int32_t *part;   /* of a table: element i is the cosine of part[i] / 2^halvings of a turn, rounded once */
    int halvings;
} nest_tensor;

typedef struct nest_register { /* an array of vector registers */
    const char *name;
    cvk_type type;
    int lanes, count;
} nest_register;

/* The lower (rounded up) or upper (rounded down, exclusive) end of a range. */
typedef struct nest_bound {
    affine numerator;
    int64_t divisor; /* > 0 */
} nest_bound;
typedef struct nest_range {
    int low_count, high_count; /* at least 1 each; the range is from the greatest low to the smallest high */
    nest_bound *low, *high;
} nest_range;

typedef enum variable_kind { VARIABLE_TASK, VARIABLE_LOOP, VARIABLE_UNROLLED, VARIABLE_QUOTIENT } variable_kind;
typedef struct nest_variable {
    const char *name;
    variable_kind kind;
    nest_range range;    /* of a loop */
    nest_bound quotient; /* VARIABLE_QUOTIENT: floor(numerator / divisor) of outer variables */
} nest_variable;

/* rows of nest/ops.def: OP_LOAD, OP_FMA, … */
typedef enum op_kind {
#define NEST_OP(name, word, class, sources, types, formula) OP_##name,
#include "nest/ops.def"
#undef NEST_OP
    OP_KINDS
} op_kind;

/* What an operation costs, for algo/cost.h: FREE are those that lowering makes no instruction of, or none that counts.
 */
typedef enum op_class {
    CLASS_FREE,
    CLASS_LOAD,
    CLASS_STORE,
    CLASS_FMA,
    CLASS_DOT,
    CLASS_ARITHMETIC,
    CLASS_SHUFFLE,
    CLASS_TRANSPOSE,
    CLASS_CONVERT,
    CLASS_CALL,
    OP_CLASSES
} op_class;

/* Types of registers that an operation takes. */
typedef enum op_types { TYPES_ANY, TYPES_NUMBER, TYPES_FLOAT, TYPES_INTEGER, TYPES_S32 } op_types;

/* rows of nest/math.def: MATH_EXP, … */
typedef enum math_kind {
#define NEST_MATH(name, word, ulp, formula) MATH_##name,
#include "nest/math.def"
#undef NEST_MATH
    MATH_KINDS
} math_kind;

typedef struct register_ref {
    int array;    /* index into nest->registers; -1: none */
    affine index; /* of unrolled variables */
} register_ref;

typedef struct nest_access {
    int tensor;     /* index into nest->tensors; -1: a number and no access */
    affine offset;  /* of lane 0 */
    int64_t stride; /* between lanes; 1 is contiguous */
} nest_access;

typedef struct nest_op {
    op_kind kind;
    register_ref to, a, b, c;
    nest_access at; /* load, splat, store, prefetch; number */
    const nest_range
        *lanes;   /* NULL: all. Lanes outside: load and keep give 0, store leaves memory, fma, dot and maximum `to` */
    double value; /* const: a number of the register's type */
    int64_t over,
        under;      /* const: the exact number that `value` was rounded from is over / under; under = 0: it is value */
    bool streams;   /* store: whole registers of adjacent lanes bypass the caches, where the target can */
    int repeat;     /* splat */
    int shift;      /* shift_left, shift_right */
    int zero;       /* convert, to bytes: what stands for 0 */
    math_kind math; /* call */
    const int *pattern; /* shuffle: lane i of `to` is lane pattern[i] of a ++ b; -1: any */
} nest_op;

typedef enum statement_kind { STATEMENT_FOR, STATEMENT_IF, STATEMENT_OP } statement_kind;
typedef struct nest_statement {
    statement_kind kind;
    struct nest_statement *next, *body;
    int variable;     /* for */
    affine condition; /* if: body runs where condition >= 0 */
    const char *note; /* for, if: a word for the reader, or NULL */
    nest_op *op;
} nest_statement;

typedef struct nest {
    arena *arena;
    const char *name;
    nest_entry entry;
    const char *fault; /* what went wrong while it was built, for nest_check to say; NULL: nothing */
    int vector_bytes;  /* of the target's vector registers; for the reader and the cost model */
    int tensor_count, tensor_capacity, register_count, register_capacity, variable_count, variable_capacity;
    nest_tensor *tensors;
    nest_register *registers;
    nest_variable *variables;
    nest_statement *body;
    int64_t tasks; /* product of the task loops' trips */
} nest;

/* Lanes of a type in one of the target's vector registers. */
int nest_lanes(const nest *n, cvk_type type);

/* Constraints that hold at a statement: the loops and conditions around it, outermost first. */
typedef struct nest_scope {
    const struct nest_scope *outer;
    const nest_statement *statement;
} nest_scope;

/* The largest and smallest value of an expression at `scope`: eliminates the innermost variable first, trying each of
 * its bounds and conditions, so that correlated bounds (padding) give exact answers. Sound always. */
int64_t nest_maximum(const nest *n, const nest_scope *scope, affine e);
int64_t nest_minimum(const nest *n, const nest_scope *scope, affine e);

/* An expression, and the ends of a range, the upper one exclusive, where `values` has a number for each loop variable
 * that they depend on. */
int64_t nest_value(const nest *n, const affine *e, const int64_t *values);
void nest_range_ends(const nest *n, const nest_range *r, const int64_t *values, int64_t *low, int64_t *high);
/* The lanes of a register of `lanes` that are in a range: low .. high, both 0 where there are none. NULL: all of them.
 */
void nest_lane_ends(const nest *n, const nest_range *r, const int64_t *values, int lanes, int *low, int *high);

/* Refuses an ill-formed nest or one with any access outside its tensor; the diagnostics say which and by how much.
 * `extent`, if not NULL, gets what each tensor's accesses reach: [role] = lowest and highest byte. */
typedef struct nest_extent {
    int64_t low[ROLE_COUNT], high[ROLE_COUNT];
} nest_extent;
cvk_status nest_check(const nest *n, cvk_diagnostics *diagnostics, nest_extent *extent);

/* The nest as pseudo-C. */
void nest_print(const nest *n, text *out);
/* One of its operations, on a line without an end. */
void nest_print_op(const nest *n, const nest_op *op, text *out);

/* Exact counts over all tasks: executed vector operations by kind, and multiply-adds' lanes that do useful work. */
typedef struct nest_counts {
    double ops[OP_KINDS];
    double dots[TYPES];              /* of ops[OP_DOT], by the type of their first factors */
    double fma_lanes, fma_all_lanes; /* of fma and dot: in their ranges; of their registers */
    double bytes;                    /* of tensors, loaded and stored */
    double astray;                   /* of ops[OP_LOAD]: of lanes side by side that begin where no whole vector does */
} nest_counts;
void nest_count(const nest *n, nest_counts *counts);
void nest_counts_add(nest_counts *to, const nest_counts *more);

/* Columns of nest/ops.def. */
const char *nest_op_name(op_kind kind);
op_class nest_op_class(op_kind kind);
int nest_op_sources(op_kind kind);
bool nest_op_takes(op_kind kind, cvk_type type);

#endif
