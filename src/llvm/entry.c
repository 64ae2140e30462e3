/* The functions that a kernel exports, around the code of its nests: parameters become tensors, phases and task numbers
 * the nests that they are of. */
#include "llvm/lowering.h"

#include "base/turn.h"

#include <stddef.h>

/* A function under construction; the nests in it are lowered one after another. */
static LLVMValueRef begin_function(lower_module *m, const char *symbol, LLVMTypeRef type, LLVMBuilderRef builder) {
    LLVMValueRef function = LLVMAddFunction(m->module, symbol, type);
    LLVMSetLinkage(function, LLVMInternalLinkage);
    lower_place(m, function, ".text", symbol);
    lower_attributes(m, function);
    LLVMPositionBuilderAtEnd(builder, LLVMAppendBasicBlockInContext(m->context, function, "entry"));
    return function;
}

static lowering begin_nest(lower_module *m, const nest *n, LLVMValueRef function, LLVMBuilderRef builder,
                           LLVMBuilderRef prelude) {
    lowering l = {.m = m, .nest = n, .builder = builder, .prelude = prelude, .function = function};
    l.variable = arena_array(m->arena, LLVMValueRef, n->variable_count + 1);
    l.level_of = arena_array(m->arena, lower_level *, n->variable_count + 1);
    l.known = arena_array(m->arena, int64_t, n->variable_count + 1);
    l.tensor = arena_array(m->arena, LLVMValueRef, n->tensor_count);
    lower_registers(&l);
    return l;
}

static LLVMValueRef bytes_after(lowering *l, LLVMValueRef pointer, uint64_t bytes) {
    LLVMValueRef index = LLVMConstInt(l->m->index, bytes, false);
    return LLVMBuildGEP2(l->builder, l->m->i8, pointer, &index, 1, "");
}

/* ---- tables ---- */

static bool same_table(const nest_tensor *t, const nest_tensor *u) {
    return t->part == u->part && t->halvings == u->halvings && t->elements == u->elements && t->type == u->type;
}

static LLVMValueRef table_data(lower_module *m, const nest *n, const nest_tensor *t) {
    const int bytes = type_bytes(t->type);
    unsigned char *data = arena_alloc(m->arena, (size_t)(t->elements * bytes + 1));
    for (int64_t i = 0; i < t->elements; i++)
        type_write(t->type, data + i * bytes, turn_cosine(t->part[i], t->halvings));
    return lower_data(m, arena_format(m->arena, "%s.%s", n->name, t->name), data, t->elements * bytes);
}

/* Nests that share a table have one. It is hidden from LLVM, or it would make copies of the numbers it sees being
 * loaded. */
static LLVMValueRef find_table(lowering *l, const nest_tensor *t) {
    lower_table *known = l->m->tables;
    while (known && !same_table(known->tensor, t)) known = known->next;
    if (!known) {
        known = arena_new(l->m->arena, lower_table);
        *known = (lower_table){l->m->tables, t, table_data(l->m, l->nest, t)};
        l->m->tables = known;
    }
    return lower_opaque(l->m, l->builder, known->data);
}

/* ---- a program ---- */

_Static_assert(offsetof(cvk_args, input) == sizeof(uint64_t), "the pointers follow the batch");
_Static_assert(sizeof(cvk_args) == sizeof(uint64_t) + CVK_ROLES * sizeof(void *), "and are all there is");

/* A field of cvk_args: the pointer of that role. Weights come after their header. */
static LLVMValueRef load_argument(lowering *l, nest_role role, const char *name) {
    LLVMValueRef pointers = bytes_after(l, LLVMGetParam(l->function, 0), sizeof(uint64_t));
    LLVMValueRef index = LLVMConstInt(l->m->index, (unsigned)role, false);
    LLVMValueRef field = LLVMBuildGEP2(l->builder, l->m->ptr, pointers, &index, 1, "");
    LLVMValueRef pointer = LLVMBuildLoad2(l->builder, l->m->ptr, field, name);
    return role == ROLE_WEIGHTS ? bytes_after(l, pointer, CVK_PACKED_HEADER) : pointer;
}

/* The nests of a program while its function is made, and its parameters. */
typedef struct program_lowering {
    const nest_program *program;
    const cvk_kernel_info *info;
    lowering *nest; /* those of all phases */
    LLVMValueRef const *constant;
    LLVMValueRef phase, first, last;
    LLVMValueRef batch,
        image; /* where any batch will do: their number, and the one whose tasks are at hand, as indices */
} program_lowering;

static bool is_shared_by_images(nest_role role) {
    enum { ONCE, IMAGE, WORKER };
    static const int share[CVK_ROLES] = {
#define CVK_BUFFER(NAME, member, needs, access, share) share,
#include <convoke/buffers.def>
#undef CVK_BUFFER
    };
    return share[role] != IMAGE;
}

static bool sums_over_images(const cvk_kernel_info *info) {
    return info->operation == CVK_WEIGHTS_GRADIENT || info->operation == CVK_TRANSPOSED_WEIGHTS_GRADIENT;
}

/* Whether images have the tensor together. */
static bool is_shared(const program_lowering *p, const nest_tensor *t) {
    return t->shared || t->role == ROLE_TABLE || is_shared_by_images(t->role) ||
           (t->role == ROLE_OUTPUT && sums_over_images(p->info));
}

/* Where the image at hand begins, in bytes. Of addends, those of all images stand before those of the next addend; an
 * image's workspace is in one piece. */
static LLVMValueRef image_offset(const program_lowering *p, lowering *l, const nest_tensor *t) {
    LLVMTypeRef index = l->m->index;
    const int64_t size = type_bytes(t->type);
    const bool whole = t->role == ROLE_WORKSPACE;
    uint64_t stride = whole ? p->info->workspace.bytes : (uint64_t)(t->elements * size);
    LLVMValueRef before = LLVMConstInt(index, (uint64_t)(t->begin * size), false);
    if (!whole) before = LLVMBuildMul(l->builder, p->batch, before, "");
    LLVMValueRef offset = LLVMBuildMul(l->builder, p->image, LLVMConstInt(index, stride, false), "");
    return LLVMBuildAdd(l->builder, before, offset, "");
}

static LLVMValueRef part_of(lowering *l, LLVMValueRef base, const nest_tensor *t) {
    return t->begin ? bytes_after(l, base, (uint64_t)(t->begin * type_bytes(t->type))) : base;
}

static LLVMValueRef find_tensor(const program_lowering *p, lowering *l, const nest_tensor *t) {
    LLVMValueRef base = load_argument(l, t->role, t->name);
    if (!p->image || is_shared(p, t)) return part_of(l, base, t);
    LLVMValueRef offset = image_offset(p, l, t);
    return LLVMBuildGEP2(l->builder, l->m->i8, base, &offset, 1, "");
}

/* What is in constants is hidden from LLVM, or it would make copies of those it sees being loaded. */
static void find_tensors(const program_lowering *p, lowering *l) {
    for (int t = 0; t < l->nest->tensor_count; t++) {
        const nest_tensor *tensor = &l->nest->tensors[t];
        LLVMValueRef known = p->constant[tensor->role];
        if (tensor->role == ROLE_TABLE)
            l->tensor[t] = find_table(l, tensor);
        else
            l->tensor[t] =
                known ? part_of(l, lower_opaque(l->m, l->builder, known), tensor) : find_tensor(p, l, tensor);
    }
}

/* value - base, at least 0 and at most count. */
static LLVMValueRef clipped(lowering *l, LLVMValueRef value, int64_t base, int64_t count) {
    LLVMTypeRef index = l->m->index;
    LLVMValueRef arguments[] = {LLVMBuildSub(l->builder, value, LLVMConstInt(index, (uint64_t)base, true), ""),
                                LLVMConstInt(index, 0, true)};
    arguments[0] = lower_intrinsic(l->m, l->builder, "llvm.smax", &index, 1, arguments, 2);
    arguments[1] = LLVMConstInt(index, (uint64_t)count, true);
    return lower_intrinsic(l->m, l->builder, "llvm.smin", &index, 1, arguments, 2);
}

static bool is_of_images(const program_lowering *p, const nest *n) {
    for (int t = 0; t < n->tensor_count; t++)
        if (!is_shared(p, &n->tensors[t])) return true;
    return false;
}

static void lower_tasks(const program_lowering *p, lowering *l, LLVMValueRef first, LLVMValueRef last) {
    find_tensors(p, l);
    lower_nest_tasks(l, first, last);
}

/* Tasks that sum over images: each goes through all of them, in their order. */
static void lower_sums(const program_lowering *all, lowering *l, LLVMValueRef first, LLVMValueRef last) {
    LLVMBuilderRef b = l->builder;
    LLVMTypeRef index = l->m->index;
    LLVMValueRef zero = LLVMConstInt(index, 0, false), one = LLVMConstInt(index, 1, false);
    LLVMBasicBlockRef from = LLVMGetInsertBlock(b), loop = lower_block(l, "image"), done = lower_block(l, "done");
    LLVMBuildCondBr(b, LLVMBuildICmp(b, LLVMIntNE, all->batch, zero, ""), loop, done);
    LLVMPositionBuilderAtEnd(b, loop);
    LLVMValueRef image = LLVMBuildPhi(b, index, "image");
    program_lowering p = *all;
    p.image = image;
    lower_tasks(&p, l, first, last);
    LLVMValueRef next = LLVMBuildAdd(b, image, one, "");
    LLVMAddIncoming(image, (LLVMValueRef[]){zero, next}, (LLVMBasicBlockRef[]){from, LLVMGetInsertBlock(b)}, 2);
    LLVMBuildCondBr(b, LLVMBuildICmp(b, LLVMIntULT, next, all->batch, ""), loop, done);
    LLVMPositionBuilderAtEnd(b, done);
}

/* Each nest takes its own of the phase's tasks; the only nest of one takes them all. */
static void lower_tasks_of(const program_lowering *p, const nest_phase *phase, lowering *nests) {
    int64_t base = 0;
    for (int i = 0; i < phase->count; i++) {
        lowering *l = &nests[i];
        const int64_t tasks = phase->nest[i]->tasks;
        const bool alone = phase->count == 1;
        LLVMValueRef first = alone ? p->first : clipped(l, p->first, base, tasks);
        LLVMValueRef last = alone ? p->last : clipped(l, p->last, base, tasks);
        (p->batch && !p->image && is_of_images(p, phase->nest[i]) ? lower_sums : lower_tasks)(p, l, first, last);
        base += tasks;
    }
}

static LLVMValueRef one_that(lowering *l, LLVMIntPredicate holds, LLVMValueRef a, LLVMValueRef b) {
    return LLVMBuildSelect(l->builder, LLVMBuildICmp(l->builder, holds, a, b, ""), a, b, "");
}

/* A task of a kernel for any batch is one of `tasks` of an image: image after image, those of its tasks that are asked
 * for. Numbers of tasks have 32 bits without a sign, also where an index has no more; those of an image fit one. */
static void lower_images(const program_lowering *all, const nest_phase *phase, lowering *l, int64_t tasks) {
    LLVMBuilderRef b = l->builder;
    LLVMTypeRef index = l->m->index, i32 = l->m->i32;
    LLVMValueRef count = LLVMConstInt(i32, (uint64_t)tasks, false);
    LLVMValueRef one = LLVMConstInt(i32, 1, false), before = LLVMBuildUDiv(b, all->first, count, "");
    LLVMValueRef end = LLVMBuildUDiv(b, LLVMBuildSub(b, all->last, one, ""), count, ""); /* the last image */
    LLVMBasicBlockRef from = LLVMGetInsertBlock(b), loop = lower_block(l, "image"), done = lower_block(l, "done");
    LLVMBuildCondBr(b, LLVMBuildICmp(b, LLVMIntULT, all->first, all->last, ""), loop, done);

    LLVMPositionBuilderAtEnd(b, loop);
    LLVMValueRef image = LLVMBuildPhi(b, i32, "image"), base = LLVMBuildMul(b, image, count, "");
    program_lowering p = *all;
    p.image = LLVMBuildIntCast2(b, image, index, false, "");
    LLVMValueRef first = LLVMBuildSub(b, one_that(l, LLVMIntUGT, all->first, base), base, "");
    LLVMValueRef last = one_that(l, LLVMIntULT, LLVMBuildSub(b, all->last, base, ""), count);
    p.first = LLVMBuildIntCast2(b, first, index, false, "");
    p.last = LLVMBuildIntCast2(b, last, index, false, "");
    lower_tasks_of(&p, phase, l);

    LLVMValueRef next = LLVMBuildAdd(b, image, one, ""), more = LLVMBuildICmp(b, LLVMIntULT, image, end, "");
    LLVMAddIncoming(image, (LLVMValueRef[]){before, next}, (LLVMBasicBlockRef[]){from, LLVMGetInsertBlock(b)}, 2);
    LLVMBuildCondBr(b, more, loop, done);
    LLVMPositionBuilderAtEnd(b, done);
}

static void lower_phase(const program_lowering *all, int number, lowering *l) {
    const nest_phase *phase = &all->program->phase[number];
    if (all->batch && (number == 0 || !sums_over_images(all->info))) {
        lower_images(all, phase, l, program_tasks(all->program, number));
        return;
    }
    program_lowering p = *all;
    p.first = LLVMBuildIntCast2(l->builder, p.first, l->m->index, false, "");
    p.last = LLVMBuildIntCast2(l->builder, p.last, l->m->index, false, "");
    lower_tasks_of(&p, phase, l);
}

/* What bypassed the caches is to be seen by whoever learns that the tasks are done. */
static void end_streams(const lowering *nests, int count) {
    bool streams = false;
    for (int i = 0; i < count; i++) streams |= nests[i].streams;
    if (streams) LLVMBuildFence(nests->builder, LLVMAtomicOrderingSequentiallyConsistent, false, "");
}

/* Asks for one phase after another; what is none of the others is the last. A switch might become a table, and
 * constants that have to be relocated. */
static void lower_phases(const program_lowering *p) {
    lowering *nests = p->nest;
    for (int i = 0; i < p->program->count; i++) {
        LLVMBasicBlockRef other = NULL;
        LLVMBuilderRef b = nests->builder;
        if (i + 1 < p->program->count) {
            LLVMValueRef wanted = LLVMConstInt(nests->m->i32, (unsigned)i, false);
            LLVMBasicBlockRef phase = lower_block(nests, "phase");
            other = lower_block(nests, "other");
            LLVMBuildCondBr(b, LLVMBuildICmp(b, LLVMIntEQ, p->phase, wanted, ""), phase, other);
            LLVMPositionBuilderAtEnd(b, phase);
        }
        lower_phase(p, i, nests);
        end_streams(nests, p->program->phase[i].count);
        nests += p->program->phase[i].count;
        LLVMBuildRetVoid(b);
        if (other) LLVMPositionBuilderAtEnd(b, other);
    }
}

static lowering *begin_nests(lower_module *m, const nest_program *p, LLVMValueRef function, LLVMBuilderRef builder,
                             LLVMBuilderRef prelude) {
    int count = 0;
    while (program_nest(p, count)) count++;
    lowering *nests = arena_array(m->arena, lowering, count);
    for (int i = 0; i < count; i++) nests[i] = begin_nest(m, program_nest(p, i), function, builder, prelude);
    return nests;
}

static LLVMValueRef load_batch(lowering *l) {
    LLVMValueRef batch = LLVMBuildLoad2(l->builder, l->m->i64, LLVMGetParam(l->function, 0), "batch");
    return LLVMBuildIntCast2(l->builder, batch, l->m->index, false, "");
}

LLVMValueRef lower_program(lower_module *m, const nest_program *p, const char *symbol, const cvk_kernel_info *info,
                           LLVMValueRef const constant[ROLE_COUNT]) {
    enum { ARGS, PHASE, FIRST, LAST, PARAMETERS };
    LLVMBuilderRef builder = LLVMCreateBuilderInContext(m->context), prelude = LLVMCreateBuilderInContext(m->context);
    LLVMTypeRef parameters[PARAMETERS] = {m->ptr, m->i32, m->i32, m->i32};
    LLVMValueRef function =
        begin_function(m, symbol, LLVMFunctionType(m->nothing, parameters, PARAMETERS, false), builder);
    program_lowering l = {.program = p, .info = info, .constant = constant};
    l.nest = begin_nests(m, p, function, builder, prelude);
    l.phase = LLVMGetParam(function, PHASE);
    l.first = LLVMGetParam(function, FIRST);
    l.last = LLVMGetParam(function, LAST);
    if (info->batch_any) l.batch = load_batch(l.nest);
    lower_phases(&l);
    LLVMDisposeBuilder(builder);
    LLVMDisposeBuilder(prelude);
    return function;
}

/* ---- packing ---- */

static void store_header(lowering *l, LLVMValueRef packed, uint64_t tag) {
    for (uint64_t at = 0; at < CVK_PACKED_HEADER; at += sizeof tag) {
        LLVMValueRef value = LLVMConstInt(l->m->i64, at ? 0 : tag, false);
        LLVMBuildStore(l->builder, value, bytes_after(l, packed, at));
    }
}

enum { PACK_FROM, PACK_TO, PACK_PARAMETERS };

static void lower_packing(lowering *l, LLVMValueRef function) {
    for (int t = 0; t < l->nest->tensor_count; t++) {
        const nest_tensor *tensor = &l->nest->tensors[t];
        if (tensor->role == ROLE_TABLE) {
            l->tensor[t] = find_table(l, tensor);
            continue;
        }
        const bool to = tensor->role == ROLE_PACK_TO;
        const LLVMValueRef whole = LLVMGetParam(function, to ? PACK_TO : PACK_FROM);
        l->tensor[t] = part_of(l, to ? bytes_after(l, whole, CVK_PACKED_HEADER) : whole, tensor);
    }
    lower_nest(l);
}

LLVMValueRef lower_pack(lower_module *m, const nest_phase *pack, const char *symbol, uint64_t tag) {
    LLVMBuilderRef builder = LLVMCreateBuilderInContext(m->context), prelude = LLVMCreateBuilderInContext(m->context);
    LLVMTypeRef parameters[PACK_PARAMETERS] = {m->ptr, m->ptr};
    LLVMValueRef function =
        begin_function(m, symbol, LLVMFunctionType(m->nothing, parameters, PACK_PARAMETERS, false), builder);
    lowering *nests = arena_array(m->arena, lowering, pack->count);
    for (int i = 0; i < pack->count; i++) nests[i] = begin_nest(m, pack->nest[i], function, builder, prelude);
    store_header(&nests[0], LLVMGetParam(function, PACK_TO), tag);
    for (int i = 0; i < pack->count; i++) lower_packing(&nests[i], function);
    LLVMBuildRetVoid(builder);
    LLVMDisposeBuilder(builder);
    LLVMDisposeBuilder(prelude);
    return function;
}
