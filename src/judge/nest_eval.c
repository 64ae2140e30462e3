/* nest_eval: needs a nest and its buffers; runs the nest as its grammar reads, one operation after another, and stops
 * at the first thing that no kernel may do.
 *
 * The walk is nest/flat.h's, arithmetic a table by type, judge/ring.h; what moves lanes and what lies between types is
 * here. Each lane of each register knows whether it is defined. Undefined lanes may be moved and computed with, as long
 * as some lane of every register that arithmetic reads is defined, but an undefined lane may not be stored. */
#include "judge/nest_eval.h"

#include "base/turn.h"
#include "nest/flat.h"
#include "nest/math.h"
#include "judge/residue.h"
#include "judge/ring.h"

#include <math.h>
#include <string.h>

enum { VECTOR_BYTES = NEST_MOST_LANES * 8 };

typedef struct vector {
    _Alignas(16) unsigned char bytes[VECTOR_BYTES];
} vector;

/* A tensor, as its accesses need it. */
typedef struct binding {
    unsigned char *data;
    int64_t elements;
    int size; /* of an element */
    bool writable;
} binding;

/* What is known of an operation before it runs. */
typedef struct prepared {
    const ring *ring; /* of what it writes, or stores */
    int size;         /* of a lane of that */
    int sources;
    union {
        lane_function *function;
        const binding *tensor;
        const math_program *program;
        const vector *constant;
        struct {
            cvk_type to, from[2]; /* of a and b */
        } between;                /* types */
    };
} prepared;

typedef struct machine {
    const nest *nest;
    arena *arena;
    eval_numbers numbers;
    binding *bindings; /* by tensor */
    vector *registers;
    uint64_t *defined; /* a bit for each lane */
    int register_total, step_capacity;
    vector *steps; /* the values of a math program's steps */
    math_program programs[TYPES][MATH_KINDS];
} machine;

static uint64_t first_lanes(int64_t count) { return count >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << count) - 1; }

static const ring *ring_for(const machine *m, cvk_type type) {
    return m->numbers == EVAL_RESIDUES ? &ring_residue : ring_of_type(type, m->numbers == EVAL_FUSED);
}

/* ---- moving lanes ---- */

static void copy_strided(unsigned char *to, int64_t to_stride, const unsigned char *from, int64_t from_stride,
                         int64_t count, int size) {
    if (to_stride == 1 && from_stride == 1) {
        memcpy(to, from, (size_t)(count * size));
        return;
    }
#define COPY(bytes)                                                                                                    \
    for (int64_t i = 0; i < count; i++) memcpy(to + i * to_stride * (bytes), from + i * from_stride * (bytes), (bytes))
    switch (size) {
    case 1: COPY(1); break;
    case 2: COPY(2); break;
    case 4: COPY(4); break;
    default: COPY(8); break;
    }
#undef COPY
}

/* The first `of` elements over and over. */
static void repeat(unsigned char *to, const unsigned char *elements, int of, int64_t count, int size) {
    if (of == 1)
        copy_strided(to, 1, elements, 0, count, size);
    else
        for (int64_t l = 0; l < count; l++) memcpy(to + l * size, elements + l % of * size, (size_t)size);
}

static int64_t first_active(const flat_op *o) { return __builtin_ctzll(o->active); }
static int64_t count_active(const flat_op *o) { return __builtin_popcountll(o->active); }

/* The element of the first active lane, or NULL if any active lane's is outside. */
static unsigned char *element(const binding *t, const flat_op *o, int64_t at) {
    int64_t stride = o->op->at.stride, first = at + first_active(o) * stride;
    int64_t last = first + (count_active(o) - 1) * stride;
    bool inside = first >= 0 && first < t->elements && last >= 0 && last < t->elements;
    return inside ? t->data + first * t->size : NULL;
}

static bool run_const(void *context, const flat_op *o, int64_t at) {
    machine *m = context;
    const prepared *p = o->how;
    (void)at;
    memcpy(m->registers[o->to].bytes, p->constant->bytes, (size_t)(o->to_lanes * p->size));
    m->defined[o->to] = first_lanes(o->to_lanes);
    return true;
}

static bool run_number(void *context, const flat_op *o, int64_t at) {
    machine *m = context;
    const prepared *p = o->how;
    for (int l = 0; l < o->to_lanes; l++)
        p->ring->constant(&(nest_op){.value = (double)(at + l * o->op->at.stride)},
                          m->registers[o->to].bytes + l * p->size);
    m->defined[o->to] = first_lanes(o->to_lanes);
    return true;
}

static bool run_load(void *context, const flat_op *o, int64_t at) {
    machine *m = context;
    const prepared *p = o->how;
    unsigned char *to = m->registers[o->to].bytes;
    if (o->active != first_lanes(o->to_lanes)) memset(to, 0, sizeof(vector));
    m->defined[o->to] = first_lanes(o->to_lanes);
    if (!o->active) return true;
    const unsigned char *from = element(p->tensor, o, at);
    if (from) copy_strided(to + first_active(o) * p->size, 1, from, o->op->at.stride, count_active(o), p->size);
    return from != NULL;
}

static bool run_splat(void *context, const flat_op *o, int64_t at) {
    machine *m = context;
    const prepared *p = o->how;
    if (at < 0 || at + o->op->repeat > p->tensor->elements) return false;
    repeat(m->registers[o->to].bytes, p->tensor->data + at * p->size, o->op->repeat, o->to_lanes, p->size);
    m->defined[o->to] = first_lanes(o->to_lanes);
    return true;
}

static bool run_store(void *context, const flat_op *o, int64_t at) {
    machine *m = context;
    const prepared *p = o->how;
    unsigned char *to = element(p->tensor, o, at);
    if (!to || !p->tensor->writable || o->active & ~m->defined[o->a]) return false;
    const unsigned char *from = m->registers[o->a].bytes + first_active(o) * p->size;
    copy_strided(to, o->op->at.stride, from, 1, count_active(o), p->size);
    return true;
}

static bool run_keep(void *context, const flat_op *o, int64_t at) {
    machine *m = context;
    const prepared *p = o->how;
    vector value = {{0}};
    (void)at;
    if (!m->defined[o->a]) return false;
    size_t first = o->active ? (size_t)(first_active(o) * p->size) : 0;
    memcpy(value.bytes + first, m->registers[o->a].bytes + first, (size_t)(count_active(o) * p->size));
    m->registers[o->to] = value;
    m->defined[o->to] = first_lanes(o->to_lanes) & (m->defined[o->a] | ~o->active);
    return true;
}

static bool run_shuffle(void *context, const flat_op *o, int64_t at) {
    machine *m = context;
    const int sources[2] = {o->a, o->b};
    size_t size = (size_t)((const prepared *)o->how)->size;
    vector value = {{0}};
    uint64_t defined = 0;
    (void)at;
    for (int l = 0; l < o->to_lanes; l++) {
        int pick = o->op->pattern[l];
        if (pick < 0) continue;
        int from = sources[pick / o->a_lanes], lane = pick % o->a_lanes;
        memcpy(value.bytes + (size_t)l * size, m->registers[from].bytes + (size_t)lane * size, size);
        defined |= (m->defined[from] >> lane & 1) << l;
    }
    m->registers[o->to] = value;
    m->defined[o->to] = defined;
    return true;
}

static bool run_transpose(void *context, const flat_op *o, int64_t at) {
    machine *m = context;
    int lanes = o->a_lanes, size = ((const prepared *)o->how)->size;
    vector before[NEST_MOST_LANES];
    uint64_t defined[NEST_MOST_LANES];
    (void)at;
    memcpy(before, &m->registers[o->a], sizeof(vector) * (size_t)lanes);
    memcpy(defined, &m->defined[o->a], sizeof *defined * (size_t)lanes);
    for (int i = 0; i < lanes; i++) {
        copy_strided(m->registers[o->to + i].bytes, 1, before[0].bytes + i * size, VECTOR_BYTES / size, lanes, size);
        m->defined[o->to + i] = 0;
        for (int l = 0; l < lanes; l++) m->defined[o->to + i] |= (defined[l] >> i & 1) << l;
    }
    return true;
}

/* ---- arithmetic ---- */

/* Gives the active lanes of `value` to the destination, which keeps the others. */
static void merge(machine *m, const flat_op *o, const vector *value, uint64_t defined) {
    const prepared *p = o->how;
    size_t first = (size_t)(first_active(o) * p->size);
    memcpy(m->registers[o->to].bytes + first, value->bytes + first, (size_t)(count_active(o) * p->size));
    m->defined[o->to] = (m->defined[o->to] & ~o->active) | (defined & o->active);
}

static int amount_of(const nest_op *op) { return op->kind == OP_CONVERT ? op->zero : op->shift; }

/* Only multiply-adds and maxima have a lane range. */
static bool run_lanewise(void *context, const flat_op *o, int64_t at) {
    machine *m = context;
    const prepared *p = o->how;
    const int sources[3] = {o->a, o->b, o->c};
    uint64_t defined = o->active;
    const void *from[3];
    (void)at;
    for (int i = 0; i < 3; i++) {
        int r = i < p->sources ? sources[i] : o->a;
        if (!m->defined[r]) return false;
        defined &= m->defined[r];
        from[i] = m->registers[r].bytes;
    }
    if (o->active == first_lanes(o->to_lanes)) {
        p->function(m->registers[o->to].bytes, from, o->to_lanes, amount_of(o->op));
        m->defined[o->to] = defined;
        return true;
    }
    vector value;
    p->function(value.bytes, from, o->to_lanes, amount_of(o->op));
    merge(m, o, &value, defined);
    return true;
}

/* Lanes of `to` of which all `products` lanes of both sources are defined. */
static uint64_t defined_groups(const machine *m, const flat_op *o, int products) {
    uint64_t both = m->defined[o->a] & m->defined[o->b], group = first_lanes(products), defined = 0;
    for (int l = 0; l < o->to_lanes; l++) defined |= (uint64_t)((both >> l * products & group) == group) << l;
    return defined & m->defined[o->c];
}

static double lane_value(const machine *m, int r, int lane, cvk_type type) {
    return type_read(type, m->registers[r].bytes + lane * type_bytes(type));
}

/* The products of two lanes of 8 or 16 bits are exact in every way of adding them; the sum wraps once. */
static bool run_dot(void *context, const flat_op *o, int64_t at) {
    machine *m = context;
    const prepared *p = o->how;
    int products = o->a_lanes / o->to_lanes;
    vector value;
    (void)at;
    if (!m->defined[o->a] || !m->defined[o->b] || !m->defined[o->c]) return false;
    for (int l = 0; l < o->to_lanes; l++) {
        double sum = lane_value(m, o->c, l, p->between.to);
        for (int i = l * products; i < (l + 1) * products; i++)
            sum += lane_value(m, o->a, i, p->between.from[0]) * lane_value(m, o->b, i, p->between.from[1]);
        type_write(p->between.to, value.bytes + l * p->size, (double)(int32_t)(uint32_t)(int64_t)sum);
    }
    merge(m, o, &value, defined_groups(m, o, products));
    return true;
}

static float flushed(double x) { return fabs(x) < 0x1p-126 ? (float)copysign(0, x) : (float)x; }

/* Of products of bf16 the second is added first, each rounded once; what is below 2^-126 is 0. */
static bool run_half_dot(void *context, const flat_op *o, int64_t at) {
    machine *m = context;
    const prepared *p = o->how;
    vector value;
    (void)at;
    if (!m->defined[o->a] || !m->defined[o->b] || !m->defined[o->c]) return false;
    for (int l = 0; l < o->to_lanes; l++) {
        float sum = flushed(lane_value(m, o->c, l, p->between.to));
        for (int i = 2 * l + 1; i >= 2 * l; i--)
            sum = flushed(fmaf(flushed(lane_value(m, o->a, i, p->between.from[0])),
                               flushed(lane_value(m, o->b, i, p->between.from[1])), sum));
        type_write(p->between.to, value.bytes + l * p->size, sum);
    }
    merge(m, o, &value, defined_groups(m, o, 2));
    return true;
}

/* Of f16, whose products f32 holds. */
static bool run_widened_product(void *context, const flat_op *o, int64_t at) {
    machine *m = context;
    const prepared *p = o->how;
    vector value;
    (void)at;
    if (!m->defined[o->a] || !m->defined[o->b] || !m->defined[o->c]) return false;
    for (int l = 0; l < o->to_lanes; l++)
        type_write(p->between.to, value.bytes + l * p->size,
                   fmaf((float)lane_value(m, o->a, l, TYPE_F16), (float)lane_value(m, o->b, l, TYPE_F16),
                        (float)lane_value(m, o->c, l, TYPE_F32)));
    merge(m, o, &value, defined_groups(m, o, 1));
    return true;
}

static bool run_exact_dot(void *context, const flat_op *o, int64_t at) {
    machine *m = context;
    int products = o->a_lanes / o->to_lanes;
    vector value;
    (void)at;
    if (!m->defined[o->a] || !m->defined[o->b] || !m->defined[o->c]) return false;
    ring_residue_dot(value.bytes, m->registers[o->a].bytes, m->registers[o->b].bytes, m->registers[o->c].bytes,
                     o->to_lanes, products);
    merge(m, o, &value, defined_groups(m, o, products));
    return true;
}

/* Far outside of bytes, s32 is as good as any integer. */
static double from_zero(double x, int zero) { return zero ? type_round(TYPE_S32, x) + zero : x; }

static bool run_convert(void *context, const flat_op *o, int64_t at) {
    machine *m = context;
    const prepared *p = o->how;
    vector value;
    (void)at;
    if (!m->defined[o->a]) return false;
    for (int l = 0; l < o->to_lanes; l++)
        type_write(p->between.to, value.bytes + l * p->size,
                   from_zero(lane_value(m, o->a, l, p->between.from[0]), o->op->zero));
    m->registers[o->to] = value;
    m->defined[o->to] = m->defined[o->a];
    return true;
}

/* The functions of post-ops, where the ring does not know them, as programs of its operations. */
static void run_program(machine *m, const ring *r, const math_program *program, const vector *argument, int lanes) {
    m->steps[0] = *argument;
    for (int i = 1; i < program->count; i++) {
        const math_step *s = &program->step[i];
        const void *from[] = {m->steps[s->a].bytes, m->steps[s->b].bytes, m->steps[s->c].bytes};
        if (s->kind != OP_CONST) {
            r->lanewise[s->kind](m->steps[i].bytes, from, lanes, 0);
            continue;
        }
        unsigned char value[8];
        r->constant(&(nest_op){.value = s->value}, value);
        repeat(m->steps[i].bytes, value, 1, lanes, r->bytes);
    }
}

static bool run_call(void *context, const flat_op *o, int64_t at) {
    machine *m = context;
    const prepared *p = o->how;
    (void)at;
    if (!m->defined[o->a]) return false;
    run_program(m, p->ring, p->program, &m->registers[o->a], o->to_lanes);
    m->registers[o->to] = m->steps[p->program->count - 1];
    m->defined[o->to] = m->defined[o->a];
    return true;
}

/* ---- preparing operations ---- */

static const nest_register *array_of(const machine *m, const register_ref *r) { return &m->nest->registers[r->array]; }

/* False: the operation is malformed. */
typedef bool prepare_op(machine *m, flat_op *o, prepared *p);

static bool prepare_const(machine *m, flat_op *o, prepared *p) {
    unsigned char value[8];
    vector *constant = arena_new(m->arena, vector);
    p->ring->constant(o->op, value);
    repeat(constant->bytes, value, 1, o->to_lanes, p->size);
    p->constant = constant;
    o->run = run_const;
    return true;
}

/* To a tensor of the register's type. */
static bool bind(machine *m, const flat_op *o, const register_ref *r, prepared *p) {
    int tensor = o->op->at.tensor;
    if (tensor < 0 || tensor >= m->nest->tensor_count) return false;
    p->tensor = &m->bindings[tensor];
    return array_of(m, r)->type == m->nest->tensors[tensor].type;
}

static bool prepare_load(machine *m, flat_op *o, prepared *p) {
    o->run = run_load;
    return bind(m, o, &o->op->to, p);
}

static bool prepare_splat(machine *m, flat_op *o, prepared *p) {
    o->run = run_splat;
    return o->op->repeat >= 1 && bind(m, o, &o->op->to, p);
}

static bool prepare_store(machine *m, flat_op *o, prepared *p) {
    if (o->active) o->run = run_store;
    return bind(m, o, &o->op->a, p);
}

static bool prepare_prefetch(machine *m, flat_op *o, prepared *p) {
    (void)p;
    return o->op->at.tensor >= 0 && o->op->at.tensor < m->nest->tensor_count;
}

static bool prepare_number(machine *m, flat_op *o, prepared *p) {
    (void)m, (void)p;
    o->run = run_number;
    return true;
}

static bool prepare_keep(machine *m, flat_op *o, prepared *p) {
    (void)m, (void)p;
    o->run = run_keep;
    return true;
}

static bool prepare_shuffle(machine *m, flat_op *o, prepared *p) {
    (void)m, (void)p;
    if (!o->op->pattern || o->a_lanes != o->b_lanes) return false;
    for (int l = 0; l < o->to_lanes; l++)
        if (o->op->pattern[l] < -1 || o->op->pattern[l] >= 2 * o->a_lanes) return false;
    o->run = run_shuffle;
    return true;
}

/* Whether as many registers as lanes follow in the array of register `first`. */
static bool has_square(const machine *m, const register_ref *r, int first, int lanes) {
    int end = 0;
    for (int i = 0; i <= r->array; i++) end += m->nest->registers[i].count;
    return first + lanes <= end;
}

static bool prepare_transpose(machine *m, flat_op *o, prepared *p) {
    (void)p;
    o->run = run_transpose;
    return o->to_lanes == o->a_lanes && has_square(m, &o->op->to, o->to, o->a_lanes) &&
           has_square(m, &o->op->a, o->a, o->a_lanes);
}

static bool prepare_call(machine *m, flat_op *o, prepared *p) {
    math_kind math = o->op->math;
    if ((int)math < 0 || math >= MATH_KINDS) return false;
    p->function = p->ring->call[math];
    o->run = p->function ? run_lanewise : run_call;
    if (p->function) return true;
    cvk_type type = array_of(m, &o->op->to)->type;
    if (!nest_math_exists(type)) return false;
    math_program *program = &m->programs[type][math];
    if (program->count == 0) *program = nest_math(m->arena, math, type);
    if (program->count > m->step_capacity) {
        m->step_capacity = program->count;
        m->steps = arena_array(m->arena, vector, m->step_capacity);
    }
    p->program = program;
    return true;
}

static bool prepare_lanewise(machine *m, flat_op *o, prepared *p) {
    (void)m;
    p->function = p->ring->lanewise[o->op->kind];
    if (o->active) o->run = run_lanewise;
    return p->function != NULL;
}

static bool prepare_dot(machine *m, flat_op *o, prepared *p) {
    int products = o->a_lanes / o->to_lanes;
    if (o->a_lanes != products * o->to_lanes || o->b_lanes != o->a_lanes || o->c_lanes != o->to_lanes) return false;
    p->between.to = array_of(m, &o->op->to)->type;
    p->between.from[0] = array_of(m, &o->op->a)->type;
    p->between.from[1] = array_of(m, &o->op->b)->type;
    const bool halves = type_is_float(p->between.from[0]);
    if (halves && products > 2) return false;
    if (!o->active) return true;
    if (!p->ring->typed)
        o->run = run_exact_dot;
    else if (halves)
        o->run = products == 1 ? run_widened_product : run_half_dot;
    else
        o->run = run_dot;
    return true;
}

static bool prepare_convert(machine *m, flat_op *o, prepared *p) {
    if (!p->ring->typed) return prepare_lanewise(m, o, p);
    p->between.to = array_of(m, &o->op->to)->type;
    p->between.from[0] = array_of(m, &o->op->a)->type;
    o->run = run_convert;
    return true;
}

/* Whether the operation has the registers it wants. Of those that move lanes about or mix types, more is asked above.
 */
static bool has_registers(const machine *m, const flat_op *o) {
    const nest_op *op = o->op;
    const register_ref *refs[3] = {&op->a, &op->b, &op->c};
    const int source[3] = {o->a, o->b, o->c}, lanes[3] = {o->a_lanes, o->b_lanes, o->c_lanes};
    bool writes = op->kind != OP_STORE && op->kind != OP_PREFETCH;
    bool lanes_differ = op->kind == OP_SHUFFLE || op->kind == OP_TRANSPOSE || op->kind == OP_DOT;
    bool types_differ = op->kind == OP_CONVERT || op->kind == OP_DOT;
    if (writes && o->to < 0) return false;
    for (int i = 0; i < nest_op_sources(op->kind); i++) {
        if (source[i] < 0) return false;
        if (writes && !lanes_differ && lanes[i] != o->to_lanes) return false;
        if (writes && !types_differ && array_of(m, refs[i])->type != array_of(m, &op->to)->type) return false;
    }
    return true;
}

static bool prepare(void *context, flat_op *o) {
    static prepare_op *const PREPARE[OP_KINDS] = {
        [OP_CONST] = prepare_const,       [OP_LOAD] = prepare_load,
        [OP_SPLAT] = prepare_splat,       [OP_STORE] = prepare_store,
        [OP_PREFETCH] = prepare_prefetch, [OP_KEEP] = prepare_keep,
        [OP_SHUFFLE] = prepare_shuffle,   [OP_TRANSPOSE] = prepare_transpose,
        [OP_CALL] = prepare_call,         [OP_NUMBER] = prepare_number,
        [OP_DOT] = prepare_dot,           [OP_CONVERT] = prepare_convert,
    };
    machine *m = context;
    op_kind kind = o->op->kind;
    if ((int)kind < 0 || kind >= OP_KINDS || !has_registers(m, o)) return false;
    prepared *p = arena_new(m->arena, prepared);
    p->sources = nest_op_sources(kind);
    if (kind != OP_PREFETCH) p->ring = ring_for(m, array_of(m, kind == OP_STORE ? &o->op->a : &o->op->to)->type);
    if (p->ring) p->size = p->ring->bytes;
    o->how = p;
    return PREPARE[kind] ? PREPARE[kind](m, o, p) : prepare_lanewise(m, o, p);
}

/* ---- running ---- */

/* The numbers of a table. */
static unsigned char *cosines(machine *m, const nest_tensor *t) {
    const int bytes = ring_for(m, t->type)->bytes;
    unsigned char *data = arena_alloc(m->arena, (size_t)(t->elements + 1) * (size_t)bytes);
    for (int64_t i = 0; i < t->elements; i++) {
        unsigned char *to = data + i * bytes;
        if (m->numbers == EVAL_RESIDUES)
            memcpy(to, &(residue){residue_cosine(t->part[i], t->halvings)}, sizeof(residue));
        else
            type_write(t->type, to, turn_cosine(t->part[i], t->halvings));
    }
    return data;
}

static void set_up(machine *m, void *const tensors[ROLE_COUNT]) {
    const nest *n = m->nest;
    m->bindings = arena_array(m->arena, binding, n->tensor_count + 1);
    for (int i = 0; i < n->tensor_count; i++) {
        const nest_tensor *t = &n->tensors[i];
        const int bytes = ring_for(m, t->type)->bytes;
        unsigned char *data = t->role == ROLE_TABLE ? cosines(m, t) : tensors[t->role];
        m->bindings[i] = (binding){data ? data + t->begin * bytes : NULL, data ? t->elements : 0, bytes, t->writable};
    }
    for (int i = 0; i < n->register_count; i++) m->register_total += n->registers[i].count;
    m->registers = arena_array(m->arena, vector, m->register_total + 1);
    m->registers = (vector *)(((uintptr_t)m->registers + 63) / 64 * 64); /* for speed */
    m->defined = arena_array(m->arena, uint64_t, m->register_total + 1);
}

static bool run_tasks(machine *m, int64_t first, int64_t last) {
    const flat *f = flat_make(m->arena, m->nest, prepare, m);
    flat_state *s = f ? flat_begin(m->arena, f, m) : NULL;
    bool good = s != NULL;
    for (int64_t task = first; task < last && good; task++) {
        memset(m->defined, 0, sizeof *m->defined * (size_t)m->register_total);
        good = flat_task(s, task);
    }
    return good;
}

cvk_status nest_eval(const nest *n, void *const tensors[ROLE_COUNT], int64_t first_task, int64_t last_task,
                     eval_numbers numbers) {
    if (first_task < 0 || last_task > n->tasks) return CVK_ERROR_ARGUMENT;
    arena a;
    arena_init(&a);
    if (arena_guard(&a)) {
        arena_free(&a);
        return CVK_ERROR_MEMORY;
    }
    machine *m = arena_new(&a, machine);
    *m = (machine){.nest = n, .arena = &a, .numbers = numbers};
    set_up(m, tensors);
    bool good = run_tasks(m, first_task, last_task);
    arena_free(&a);
    return good ? CVK_OK : CVK_ERROR_INTERNAL;
}

cvk_status nest_eval_phase(const nest_phase *phase, void *const tensors[ROLE_COUNT], eval_numbers numbers) {
    cvk_status status = CVK_OK;
    for (int i = 0; i < phase->count && !status; i++)
        status = nest_eval(phase->nest[i], tensors, 0, phase->nest[i]->tasks, numbers);
    return status;
}

cvk_status nest_eval_program(const nest_program *p, void *const tensors[ROLE_COUNT], eval_numbers numbers) {
    cvk_status status = CVK_OK;
    for (int i = 0; i < p->count && !status; i++) status = nest_eval_phase(&p->phase[i], tensors, numbers);
    return status;
}
