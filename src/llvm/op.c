/* One nest operation as LLVM instructions. Lane ranges are numbers by now, so masks are constants. */
#include "llvm/lowering.h"
#include "base/integers.h"

#include <llvm-c/Target.h>

typedef struct lane_range {
    int low, high;
} lane_range;

static int64_t known_value(lowering *l, const affine *e) { return nest_value(l->nest, e, l->known); }

static lane_range lanes_of(lowering *l, const nest_range *r, int lanes) {
    lane_range known;
    nest_lane_ends(l->nest, r, l->known, lanes, &known.low, &known.high);
    return known;
}

static LLVMValueRef mask_of(lowering *l, lane_range r, int lanes) {
    LLVMTypeRef bit = LLVMInt1TypeInContext(l->m->context);
    LLVMValueRef bits[NEST_MOST_LANES];
    for (int i = 0; i < lanes; i++) bits[i] = LLVMConstInt(bit, i >= r.low && i < r.high, false);
    return LLVMConstVector(bits, (unsigned)lanes);
}

static int lanes_in(lowering *l, const register_ref *r) { return l->nest->registers[r->array].lanes; }

static cvk_type type_in(lowering *l, const register_ref *r) { return l->nest->registers[r->array].type; }

static LLVMTypeRef vector_in(lowering *l, const register_ref *r) {
    return lower_vector(l->m, type_in(l, r), lanes_in(l, r));
}

static LLVMValueRef *slot(lowering *l, const register_ref *r, int64_t further) {
    return &l->reg[r->array][known_value(l, &r->index) + further];
}

static LLVMValueRef get(lowering *l, const register_ref *r, int64_t further) {
    return LLVMBuildLoad2(l->builder, vector_in(l, r), *slot(l, r, further), "");
}

static void set(lowering *l, const register_ref *r, int64_t further, LLVMValueRef value) {
    LLVMBuildStore(l->builder, value, *slot(l, r, further));
}

/* Elements are aligned to their own size; vectors to no more. */
static unsigned alignment_of(LLVMTypeRef vector) {
    LLVMTypeRef element = LLVMGetElementType(vector);
    switch (LLVMGetTypeKind(element)) {
    case LLVMFloatTypeKind: return sizeof(float);
    case LLVMDoubleTypeKind: return sizeof(double);
    default: return LLVMGetIntTypeWidth(element) / 8;
    }
}

/* Lanes `first` to `first` + `count` - 1 of a vector, and those beyond its last as zeros. */
static LLVMValueRef lanes_from(lowering *l, LLVMValueRef vector, int first, int count) {
    LLVMValueRef pick[NEST_MOST_LANES];
    const int lanes = (int)LLVMGetVectorSize(LLVMTypeOf(vector));
    for (int i = 0; i < count; i++) pick[i] = LLVMConstInt(l->m->i32, (unsigned)lesser(first + i, lanes), false);
    return LLVMBuildShuffleVector(l->builder, vector, LLVMConstNull(LLVMTypeOf(vector)),
                                  LLVMConstVector(pick, (unsigned)count), "");
}

static bool is_power_of_two(int n) { return (n & (n - 1)) == 0; }

static LLVMValueRef load_contiguous(lowering *l, LLVMValueRef pointer, lane_range r, LLVMTypeRef type) {
    const int lanes = (int)LLVMGetVectorSize(type);
    if (r.low == 0 && r.high == lanes) {
        LLVMValueRef loaded = LLVMBuildLoad2(l->builder, type, pointer, "");
        LLVMSetAlignment(loaded, alignment_of(type));
        return loaded;
    }
    if (r.low == 0 && r.high > 1 && is_power_of_two(r.high)) {
        LLVMTypeRef part = LLVMVectorType(LLVMGetElementType(type), (unsigned)r.high);
        LLVMValueRef loaded = LLVMBuildLoad2(l->builder, part, pointer, "");
        LLVMSetAlignment(loaded, alignment_of(type));
        return lanes_from(l, loaded, 0, lanes);
    }
    LLVMValueRef arguments[] = {pointer, LLVMConstInt(l->m->i32, alignment_of(type), false), mask_of(l, r, lanes),
                                LLVMConstNull(type)};
    return lower_intrinsic(l->m, l->builder, "llvm.masked.load", (LLVMTypeRef[]){type, l->m->ptr}, 2, arguments, 4);
}

static LLVMValueRef lane_index(lowering *l, int lane) { return LLVMConstInt(l->m->i32, (unsigned)lane, false); }

static LLVMValueRef load_scalar(lowering *l, LLVMValueRef pointer, LLVMTypeRef vector) {
    LLVMValueRef loaded = LLVMBuildLoad2(l->builder, LLVMGetElementType(vector), pointer, "");
    LLVMSetAlignment(loaded, alignment_of(vector));
    return loaded;
}

static LLVMValueRef gather(lowering *l, const nest_access *at, lane_range r, LLVMTypeRef type) {
    LLVMValueRef vector = LLVMConstNull(type);
    for (int i = r.low; i < r.high; i++) {
        LLVMValueRef scalar = load_scalar(l, lower_address(l, at, i), type);
        vector = LLVMBuildInsertElement(l->builder, vector, scalar, lane_index(l, i), "");
    }
    return vector;
}

/* A small stride: whole vectors of the span between the first and the last lane, and shuffles that pick from them. */
static LLVMValueRef load_spread(lowering *l, const nest_access *at, lane_range r, LLVMTypeRef type) {
    int stride = (int)at->stride, span = (r.high - r.low - 1) * stride + 1, lanes = (int)LLVMGetVectorSize(type);
    LLVMValueRef result = LLVMConstNull(type);
    for (int first = 0; first < span; first += lanes) {
        nest_access part = {at->tensor, affine_offset(at->offset, r.low * at->stride + first), 1};
        int length = span - first < lanes ? span - first : lanes;
        LLVMValueRef vector = load_contiguous(l, lower_address(l, &part, 0), (lane_range){0, length}, type);
        LLVMValueRef pick[NEST_MOST_LANES];
        for (int i = 0; i < lanes; i++) {
            int from = (i - r.low) * stride - first;
            bool here = i >= r.low && i < r.high && from >= 0 && from < lanes;
            pick[i] = lane_index(l, here ? lanes + from : i);
        }
        result = LLVMBuildShuffleVector(l->builder, result, vector, LLVMConstVector(pick, (unsigned)lanes), "");
    }
    return result;
}

enum { SPREAD_MOST_STRIDE = 4 }; /* beyond, single loads are fewer */

/* LLVM picks lanes of SVE's vectors by way of the stack. */
static bool spreads(const lowering *l, const nest_access *at) {
    return at->stride > 1 && at->stride <= SPREAD_MOST_STRIDE && !l->m->target->vscale;
}

static void lower_const(lowering *l, const nest_op *op) {
    set(l, &op->to, 0, lower_splat_constant(l->m, type_in(l, &op->to), lanes_in(l, &op->to), op->value));
}

static void lower_load(lowering *l, const nest_op *op) {
    int lanes = lanes_in(l, &op->to);
    lane_range r = lanes_of(l, op->lanes, lanes);
    LLVMTypeRef type = vector_in(l, &op->to);
    LLVMValueRef value;
    if (r.low == r.high)
        value = LLVMConstNull(type);
    else if (op->at.stride == 1)
        value = load_contiguous(l, lower_address(l, &op->at, 0), r, type);
    else if (spreads(l, &op->at))
        value = load_spread(l, &op->at, r, type);
    else
        value = gather(l, &op->at, r, type);
    set(l, &op->to, 0, value);
}

static LLVMValueRef splat(lowering *l, LLVMValueRef scalar, LLVMTypeRef type) {
    LLVMValueRef one = LLVMBuildInsertElement(l->builder, LLVMGetPoison(type), scalar, lane_index(l, 0), "");
    LLVMValueRef zeros = LLVMConstNull(LLVMVectorType(l->m->i32, LLVMGetVectorSize(type)));
    return LLVMBuildShuffleVector(l->builder, one, LLVMGetPoison(type), zeros, "");
}

/* Several elements in turn are one number of as many bytes. */
static LLVMValueRef splat_repeated(lowering *l, const nest_op *op, LLVMValueRef pointer) {
    LLVMTypeRef type = vector_in(l, &op->to);
    unsigned bytes = alignment_of(type) * (unsigned)op->repeat, lanes = LLVMGetVectorSize(type) / (unsigned)op->repeat;
    LLVMTypeRef number = LLVMIntTypeInContext(l->m->context, 8 * bytes);
    LLVMValueRef loaded = LLVMBuildLoad2(l->builder, number, pointer, "");
    LLVMSetAlignment(loaded, alignment_of(type));
    return LLVMBuildBitCast(l->builder, splat(l, loaded, LLVMVectorType(number, lanes)), type, "");
}

static void lower_splat(lowering *l, const nest_op *op) {
    LLVMTypeRef type = vector_in(l, &op->to);
    LLVMValueRef pointer = lower_address(l, &op->at, 0);
    LLVMValueRef value =
        op->repeat == 1 ? splat(l, load_scalar(l, pointer, type), type) : splat_repeated(l, op, pointer);
    set(l, &op->to, 0, value);
}

/* Two vectors of a power of two of lanes, or one, where that is all there is to store: a vector masked is slower where
 * it reaches into another line, and on some cores anywhere. */
static bool store_parts(lowering *l, LLVMValueRef value, LLVMValueRef pointer, int count) {
    int first = 1;
    while (2 * first <= count) first *= 2;
    if (!is_power_of_two(count - first)) return false;
    const unsigned alignment = alignment_of(LLVMTypeOf(value));
    LLVMTypeRef element = LLVMGetElementType(LLVMTypeOf(value));
    for (int at = 0; at < count; at += first, first = count - at) {
        LLVMValueRef index = LLVMConstInt(l->m->index, (unsigned)at, false);
        LLVMValueRef to = LLVMBuildGEP2(l->builder, element, pointer, &index, 1, "");
        LLVMSetAlignment(LLVMBuildStore(l->builder, lanes_from(l, value, at, first), to), alignment);
    }
    return true;
}

static void store_contiguous(lowering *l, LLVMValueRef value, LLVMValueRef pointer, lane_range r, int lanes) {
    unsigned alignment = alignment_of(LLVMTypeOf(value));
    if (r.low == 0 && r.high == lanes) {
        LLVMSetAlignment(LLVMBuildStore(l->builder, value, pointer), alignment);
        return;
    }
    if (r.low == 0 && store_parts(l, value, pointer, r.high)) return;
    LLVMTypeRef types[] = {LLVMTypeOf(value), l->m->ptr};
    LLVMValueRef arguments[] = {value, pointer, LLVMConstInt(l->m->i32, alignment, false), mask_of(l, r, lanes)};
    lower_intrinsic(l->m, l->builder, "llvm.masked.store", types, 2, arguments, 4);
}

/* It waits for others, which are asked together whether they can. */
static void wait_to_stream(lowering *l, LLVMValueRef value, const nest_access *at) {
    lower_streamed *s = arena_new(l->m->arena, lower_streamed);
    *s = (lower_streamed){.role = l->nest->tensors[at->tensor].role, .value = value};
    s->base = lower_base(l, at, 0, &s->offset);
    lower_streamed **last = &l->streamed;
    while (*last) last = &(*last)->next;
    *last = s;
}

static unsigned bytes_of(lowering *l, LLVMValueRef value) {
    return (unsigned)LLVMABISizeOfType(LLVMGetModuleDataLayout(l->m->module), LLVMTypeOf(value));
}

/* Whether one before is aligned where this one is. */
static bool is_aligned_alike(lowering *l, const lower_streamed *s) {
    const int64_t bytes = bytes_of(l, s->value);
    for (const lower_streamed *o = l->streamed; o != s; o = o->next)
        if (o->base == s->base && bytes_of(l, o->value) == bytes && (o->offset - s->offset) % bytes == 0) return true;
    return false;
}

/* Addresses beyond their vectors' alignment, all of them in one: 0 where there are none. */
static LLVMValueRef misalignment(lowering *l) {
    LLVMBuilderRef b = l->builder;
    LLVMValueRef all = LLVMConstInt(l->m->index, 0, false);
    for (const lower_streamed *s = l->streamed; s; s = s->next) {
        if (is_aligned_alike(l, s)) continue;
        LLVMValueRef address = LLVMBuildPtrToInt(b, lower_beyond(l, s->base, s->offset), l->m->index, ""),
                     mask = LLVMConstInt(l->m->index, bytes_of(l, s->value) - 1, false);
        all = LLVMBuildOr(b, all, LLVMBuildAnd(b, address, mask, ""), "");
    }
    return all;
}

static void mark_streaming(lowering *l, LLVMValueRef store) {
    LLVMValueRef one = LLVMConstInt(l->m->i32, 1, false);
    LLVMMetadataRef node = LLVMValueAsMetadata(one);
    LLVMSetMetadata(store, LLVMGetMDKindIDInContext(l->m->context, "nontemporal", 11),
                    LLVMMetadataAsValue(l->m->context, LLVMMDNodeInContext2(l->m->context, &node, 1)));
}

static void store_all(lowering *l, bool past) {
    for (const lower_streamed *s = l->streamed; s; s = s->next) {
        LLVMValueRef store = LLVMBuildStore(l->builder, s->value, lower_beyond(l, s->base, s->offset));
        LLVMSetAlignment(store, past ? bytes_of(l, s->value) : alignment_of(LLVMTypeOf(s->value)));
        if (past) mark_streaming(l, store);
    }
}

/* LLVM has such stores of vectors at their own alignment alone, which a caller's tensor may lack: asked for as it runs,
 * for all of a tile at once. Were each asked for itself, what is stored last would be computed behind all the
 * questions, and everything that it is computed from would wait in registers, or on the stack, that long. */
void lower_streams(lowering *l) {
    if (!l->streamed) return;
    LLVMBuilderRef b = l->builder;
    LLVMBasicBlockRef aligned = lower_block(l, "stream"), other = lower_block(l, "store"),
                      done = lower_block(l, "done");
    LLVMValueRef zero = LLVMConstInt(l->m->index, 0, false);
    LLVMBuildCondBr(b, LLVMBuildICmp(b, LLVMIntEQ, misalignment(l), zero, ""), aligned, other);
    LLVMPositionBuilderAtEnd(b, aligned);
    store_all(l, true);
    LLVMBuildBr(b, done);
    LLVMPositionBuilderAtEnd(b, other);
    store_all(l, false);
    LLVMBuildBr(b, done);
    LLVMPositionBuilderAtEnd(b, done);
    l->streamed = NULL;
    l->streams = true;
}

/* What reads from where something waits to be stored reads it. */
static void stream_before(lowering *l, const nest_op *op) {
    if (op->kind != OP_LOAD && op->kind != OP_SPLAT) return;
    for (const lower_streamed *s = l->streamed; s; s = s->next)
        if (s->role == l->nest->tensors[op->at.tensor].role) {
            lower_streams(l);
            return;
        }
}

static void lower_store(lowering *l, const nest_op *op) {
    int lanes = lanes_in(l, &op->a);
    lane_range r = lanes_of(l, op->lanes, lanes);
    if (r.low == r.high) return;
    LLVMValueRef value = get(l, &op->a, 0);
    if (op->streams && op->at.stride == 1 && r.high - r.low == lanes) {
        wait_to_stream(l, value, &op->at);
        return;
    }
    if (op->at.stride == 1) {
        store_contiguous(l, value, lower_address(l, &op->at, 0), r, lanes);
        return;
    }
    for (int i = r.low; i < r.high; i++) {
        LLVMValueRef scalar = LLVMBuildExtractElement(l->builder, value, lane_index(l, i), "");
        LLVMValueRef stored = LLVMBuildStore(l->builder, scalar, lower_address(l, &op->at, i));
        LLVMSetAlignment(stored, alignment_of(LLVMTypeOf(value)));
    }
}

static void lower_prefetch(lowering *l, const nest_op *op) {
    LLVMValueRef arguments[] = {lower_address(l, &op->at, 0), LLVMConstInt(l->m->i32, 0, false),
                                LLVMConstInt(l->m->i32, 3, false), LLVMConstInt(l->m->i32, 1, false)};
    lower_intrinsic(l->m, l->builder, "llvm.prefetch", &l->m->ptr, 1, arguments, 4);
}

static void lower_keep(lowering *l, const nest_op *op) {
    int lanes = lanes_in(l, &op->a);
    lane_range r = lanes_of(l, op->lanes, lanes);
    LLVMValueRef zero = LLVMConstNull(vector_in(l, &op->a));
    set(l, &op->to, 0, LLVMBuildSelect(l->builder, mask_of(l, r, lanes), get(l, &op->a, 0), zero, ""));
}

/* What LLVM cannot look through: it would try to merge a round's shuffles with those of the rounds before, in a time
 * that multiplies with each, and find nothing. It takes floats alone, so others pass as the floats of their bits. */
static LLVMValueRef fence(lowering *l, LLVMValueRef value, cvk_type type) {
    LLVMTypeRef own = LLVMTypeOf(value), floats = own;
    unsigned bits = LLVMGetVectorSize(own) * (unsigned)type_rows[type].bits;
    if (bits % 32 != 0) return value;
    if (!type_is_computed_float(type)) floats = LLVMVectorType(l->m->element[TYPE_F32], bits / 32);
    value = LLVMBuildBitCast(l->builder, value, floats, "");
    value = lower_intrinsic(l->m, l->builder, "llvm.arithmetic.fence", &floats, 1, &value, 1);
    return LLVMBuildBitCast(l->builder, value, own, "");
}

/* Whether lanes that follow on one another are picked from two whole vectors of AVX-512. */
static bool is_slide(lowering *l, const nest_op *op) {
    const int lanes = lanes_in(l, &op->to);
    for (int i = 1; i < lanes; i++)
        if (op->pattern[i] != op->pattern[0] + i) return false;
    const cvk_type type = type_in(l, &op->to);
    return type_is_computed_float(type) && lanes * type_rows[type].bits == 512 && lanes == lanes_in(l, &op->a);
}

/* LLVM has an instruction for that, of integers alone; floats it picks by a vector of places, which takes a register
 * more. It would see the floats again, were there no fence of other ones. */
static LLVMValueRef slide(lowering *l, cvk_type type, LLVMValueRef a, LLVMValueRef b, LLVMValueRef mask) {
    const cvk_type other = type == TYPE_F32 ? TYPE_F64 : TYPE_F32;
    LLVMTypeRef own = LLVMTypeOf(a),
                bits = LLVMVectorType(type == TYPE_F32 ? l->m->i32 : l->m->i64, LLVMGetVectorSize(own));
    a = LLVMBuildBitCast(l->builder, a, bits, "");
    b = LLVMBuildBitCast(l->builder, b, bits, "");
    LLVMValueRef slid = LLVMBuildShuffleVector(l->builder, a, b, mask, "");
    slid = LLVMBuildBitCast(l->builder, slid,
                            LLVMVectorType(l->m->element[other], 512 / (unsigned)type_rows[other].bits), "");
    return LLVMBuildBitCast(l->builder, fence(l, slid, other), own, "");
}

static void lower_shuffle(lowering *l, const nest_op *op) {
    int lanes = lanes_in(l, &op->to);
    LLVMValueRef pick[NEST_MOST_LANES], a = get(l, &op->a, 0), b = get(l, &op->b, 0);
    for (int i = 0; i < lanes; i++)
        pick[i] = op->pattern[i] < 0 ? LLVMGetUndef(l->m->i32) : lane_index(l, op->pattern[i]);
    LLVMValueRef mask = LLVMConstVector(pick, (unsigned)lanes);
    set(l, &op->to, 0,
        is_slide(l, op) ? slide(l, type_in(l, &op->to), a, b, mask)
                        : LLVMBuildShuffleVector(l->builder, a, b, mask, ""));
}

/* Swaps the off-diagonal blocks of two rows `step` apart: lane i of `upper` with bit `step` set against `lower`. */
static void exchange(lowering *l, LLVMValueRef *upper, LLVMValueRef *lower, int step, int lanes) {
    LLVMValueRef first[NEST_MOST_LANES], second[NEST_MOST_LANES], a = *upper, b = *lower;
    for (int i = 0; i < lanes; i++) {
        first[i] = lane_index(l, i & step ? lanes + (i ^ step) : i);
        second[i] = lane_index(l, i & step ? lanes + i : i ^ step);
    }
    *upper = LLVMBuildShuffleVector(l->builder, a, b, LLVMConstVector(first, (unsigned)lanes), "");
    *lower = LLVMBuildShuffleVector(l->builder, a, b, LLVMConstVector(second, (unsigned)lanes), "");
}

/* A square transpose in log2(lanes) rounds of block exchanges; lanes is a power of two. */
static void lower_transpose(lowering *l, const nest_op *op) {
    int lanes = lanes_in(l, &op->a);
    LLVMValueRef row[NEST_MOST_LANES];
    for (int i = 0; i < lanes; i++) row[i] = get(l, &op->a, i);
    for (int step = lanes / 2; step > 0; step /= 2) {
        for (int i = 0; i < lanes; i++)
            if (!(i & step)) exchange(l, &row[i], &row[i + step], step, lanes);
        for (int i = 0; i < lanes; i++) row[i] = fence(l, row[i], type_in(l, &op->a));
    }
    for (int i = 0; i < lanes; i++) set(l, &op->to, i, row[i]);
}

static void lower_call(lowering *l, const nest_op *op) {
    LLVMTypeRef vector = vector_in(l, &op->a);
    LLVMValueRef argument = get(l, &op->a, 0);
    LLVMValueRef function = lower_math(l->m, op->math, type_in(l, &op->a), lanes_in(l, &op->a));
    LLVMTypeRef type = LLVMFunctionType(vector, &vector, 1, false);
    set(l, &op->to, 0, LLVMBuildCall2(l->builder, type, function, &argument, 1, ""));
}

/* Offset and lanes are added as integers as wide as an address. */
static void lower_number(lowering *l, const nest_op *op) {
    const int lanes = lanes_in(l, &op->to);
    LLVMTypeRef wide = LLVMVectorType(l->m->index, (unsigned)lanes);
    LLVMValueRef step[NEST_MOST_LANES], first = splat(l, lower_affine(l, &op->at.offset), wide);
    for (int i = 0; i < lanes; i++) step[i] = LLVMConstInt(l->m->index, (unsigned long long)(i * op->at.stride), true);
    LLVMValueRef sum = LLVMBuildAdd(l->builder, first, LLVMConstVector(step, (unsigned)lanes), "");
    set(l, &op->to, 0, LLVMBuildSIToFP(l->builder, sum, vector_in(l, &op->to), ""));
}

static LLVMValueRef operand(lowering *l, const register_ref *r) { return r->array < 0 ? NULL : get(l, r, 0); }

static LLVMValueRef lanewise(lowering *l, const nest_op *op, LLVMValueRef a, LLVMValueRef b, LLVMValueRef c) {
    switch (op->kind) {
    case OP_SHIFT_LEFT:
    case OP_SHIFT_RIGHT: return lower_shift(l->builder, op->kind, type_in(l, &op->a), a, op->shift);
    case OP_CONVERT: return lower_convert(l->m, l->builder, type_in(l, &op->a), type_in(l, &op->to), op->zero, a);
    case OP_SCALE_HALF_UP:
    case OP_SCALE_DOUBLE: return lower_scale(l->m, l->builder, op->kind, a, b, c);
    case OP_DOT: return lower_dot(l->m, l->builder, type_in(l, &op->a), type_in(l, &op->b), a, b, c);
    default: return lower_arithmetic(l->m, l->builder, op->kind, type_in(l, &op->to), a, b, c);
    }
}

/* Of those, fma, dot and maximum may have a lane range. */
static void lower_lanewise(lowering *l, const nest_op *op) {
    LLVMValueRef a = operand(l, &op->a), b = operand(l, &op->b), c = operand(l, &op->c);
    int lanes = lanes_in(l, &op->to);
    lane_range r = lanes_of(l, op->lanes, lanes);
    if (r.low == r.high) return;
    LLVMValueRef value = lanewise(l, op, a, b, c);
    if (r.high - r.low < lanes)
        value = LLVMBuildSelect(l->builder, mask_of(l, r, lanes), value, get(l, &op->to, 0), "");
    set(l, &op->to, 0, value);
}

void lower_op(lowering *l, const nest_op *op) {
    stream_before(l, op);
    switch (op->kind) {
    case OP_CONST: lower_const(l, op); break;
    case OP_LOAD: lower_load(l, op); break;
    case OP_SPLAT: lower_splat(l, op); break;
    case OP_STORE: lower_store(l, op); break;
    case OP_PREFETCH: lower_prefetch(l, op); break;
    case OP_NUMBER: lower_number(l, op); break;
    case OP_KEEP: lower_keep(l, op); break;
    case OP_SHUFFLE: lower_shuffle(l, op); break;
    case OP_TRANSPOSE: lower_transpose(l, op); break;
    case OP_CALL: lower_call(l, op); break;
    default: lower_lanewise(l, op); break;
    }
}
