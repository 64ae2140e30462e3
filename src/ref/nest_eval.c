/* nest_eval: needs a nest and its buffers; runs the nest as its grammar reads, one operation after another, and stops
 * at the first thing that no kernel may do.
 *
 * The walk is nest/flat.h's, arithmetic a table by type, ref/ring.h; what only moves lanes is here. Each lane of each
 * register knows whether it is defined. Undefined lanes may be moved and computed with, as long as some lane of every
 * register that arithmetic reads is defined, but an undefined lane may not be stored. */
#include "ref/nest_eval.h"

#include "nest/flat.h"
#include "nest/math.h"
#include "ref/ring.h"

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

typedef struct machine {
    const nest *nest;
    arena *arena;
    const ring *ring;
    binding *bindings; /* by tensor */
    vector *registers;
    uint64_t *defined; /* a bit for each lane */
    int register_total, step_capacity;
    vector *steps; /* the values of a math program's steps */
    math_program programs[MATH_KINDS];
} machine;

static const int SOURCES[] = {
#define NEST_OP(name, word, sources, formula) sources,
#include "nest/ops.def"
#undef NEST_OP
};

static uint64_t first_lanes(int64_t count) { return count >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << count) - 1; }

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

/* `count` times the same element. */
static void repeat(unsigned char *to, const unsigned char *element, int64_t count, int size) {
    copy_strided(to, 1, element, 0, count, size);
}

static int64_t first_active(const flat_op *o) { return __builtin_ctzll(o->active); }
static int64_t count_active(const flat_op *o) { return __builtin_popcountll(o->active); }

/* The element of the first active lane, or NULL if any active lane's is outside. */
static unsigned char *element(const binding *t, const flat_op *o, int64_t at) {
    int64_t stride = o->op->at.stride, first = at + first_active(o) * stride,
            last = first + (count_active(o) - 1) * stride;
    bool inside = first >= 0 && first < t->elements && last >= 0 && last < t->elements;
    return inside ? t->data + first * t->size : NULL;
}

static bool run_const(void *context, const flat_op *o, int64_t at) {
    machine *m = context;
    (void)at;
    memcpy(m->registers[o->to].bytes, o->how, (size_t)(o->to_lanes * m->ring->bytes));
    m->defined[o->to] = first_lanes(o->to_lanes);
    return true;
}

static bool run_load(void *context, const flat_op *o, int64_t at) {
    machine *m = context;
    const binding *t = o->how;
    unsigned char *to = m->registers[o->to].bytes;
    if (o->active != first_lanes(o->to_lanes)) memset(to, 0, sizeof(vector));
    m->defined[o->to] = first_lanes(o->to_lanes);
    if (!o->active) return true;
    const unsigned char *from = element(t, o, at);
    if (from) copy_strided(to + first_active(o) * t->size, 1, from, o->op->at.stride, count_active(o), t->size);
    return from != NULL;
}

static bool run_splat(void *context, const flat_op *o, int64_t at) {
    machine *m = context;
    const binding *t = o->how;
    if (at < 0 || at >= t->elements) return false;
    repeat(m->registers[o->to].bytes, t->data + at * t->size, o->to_lanes, t->size);
    m->defined[o->to] = first_lanes(o->to_lanes);
    return true;
}

static bool run_store(void *context, const flat_op *o, int64_t at) {
    machine *m = context;
    const binding *t = o->how;
    unsigned char *to = element(t, o, at);
    if (!to || !t->writable || o->active & ~m->defined[o->a]) return false;
    const unsigned char *from = m->registers[o->a].bytes + first_active(o) * t->size;
    copy_strided(to, o->op->at.stride, from, 1, count_active(o), t->size);
    return true;
}

static bool run_keep(void *context, const flat_op *o, int64_t at) {
    machine *m = context;
    vector value = {{0}};
    (void)at;
    if (!m->defined[o->a]) return false;
    size_t first = o->active ? (size_t)(first_active(o) * m->ring->bytes) : 0;
    memcpy(value.bytes + first, m->registers[o->a].bytes + first, (size_t)(count_active(o) * m->ring->bytes));
    m->registers[o->to] = value;
    m->defined[o->to] = first_lanes(o->to_lanes) & (m->defined[o->a] | ~o->active);
    return true;
}

static bool run_shuffle(void *context, const flat_op *o, int64_t at) {
    machine *m = context;
    const int sources[2] = {o->a, o->b};
    size_t size = (size_t)m->ring->bytes;
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
    int lanes = o->a_lanes, size = m->ring->bytes;
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

/* Only multiply-adds have a lane range; they leave the other lanes of their destination. */
static bool run_lanewise(void *context, const flat_op *o, int64_t at) {
    machine *m = context;
    lane_function *const *function = o->how;
    const int sources[3] = {o->a, o->b, o->c};
    uint64_t active = o->active, defined = active;
    const void *from[3];
    (void)at;
    for (int i = 0; i < 3; i++) {
        int r = i < SOURCES[o->op->kind] ? sources[i] : o->a;
        if (!m->defined[r]) return false;
        defined &= m->defined[r];
        from[i] = m->registers[r].bytes;
    }
    if (active == first_lanes(o->to_lanes)) {
        (*function)(m->registers[o->to].bytes, from, o->to_lanes);
        m->defined[o->to] = defined;
        return true;
    }
    vector value;
    size_t first = (size_t)(first_active(o) * m->ring->bytes);
    (*function)(value.bytes, from, o->to_lanes);
    memcpy(m->registers[o->to].bytes + first, value.bytes + first, (size_t)(count_active(o) * m->ring->bytes));
    m->defined[o->to] = (m->defined[o->to] & ~active) | defined;
    return true;
}

/* The functions of post-ops, where the ring does not know them, as programs of its operations. */
static void run_program(machine *m, const math_program *program, const vector *argument, int lanes) {
    m->steps[0] = *argument;
    for (int i = 1; i < program->count; i++) {
        const math_step *s = &program->step[i];
        const void *from[] = {m->steps[s->a].bytes, m->steps[s->b].bytes, m->steps[s->c].bytes};
        if (s->kind != OP_CONST) {
            m->ring->lanewise[s->kind](m->steps[i].bytes, from, lanes);
            continue;
        }
        unsigned char value[8];
        m->ring->constant(&(nest_op){.value = s->value}, value);
        repeat(m->steps[i].bytes, value, lanes, m->ring->bytes);
    }
}

static bool run_call(void *context, const flat_op *o, int64_t at) {
    machine *m = context;
    const math_program *program = o->how;
    (void)at;
    if (!m->defined[o->a]) return false;
    run_program(m, program, &m->registers[o->a], o->to_lanes);
    m->registers[o->to] = m->steps[program->count - 1];
    m->defined[o->to] = m->defined[o->a];
    return true;
}

/* ---- preparing operations: what may be known before they run ---- */

typedef bool prepare_op(machine *m, flat_op *o);

static bool prepare_const(machine *m, flat_op *o) {
    unsigned char value[8];
    vector *prepared = arena_new(m->arena, vector);
    m->ring->constant(o->op, value);
    repeat(prepared->bytes, value, o->to_lanes, m->ring->bytes);
    o->how = prepared;
    o->run = run_const;
    return true;
}

static bool bind(machine *m, flat_op *o) {
    int tensor = o->op->at.tensor;
    if (tensor < 0 || tensor >= m->nest->tensor_count) return false;
    o->how = &m->bindings[tensor];
    return true;
}

static bool prepare_load(machine *m, flat_op *o) {
    o->run = run_load;
    return bind(m, o);
}

static bool prepare_splat(machine *m, flat_op *o) {
    o->run = run_splat;
    return bind(m, o);
}

static bool prepare_store(machine *m, flat_op *o) {
    if (o->active) o->run = run_store;
    return bind(m, o);
}

static bool prepare_prefetch(machine *m, flat_op *o) { return bind(m, o); }

static bool prepare_keep(machine *m, flat_op *o) {
    (void)m;
    o->run = run_keep;
    return true;
}

static bool prepare_shuffle(machine *m, flat_op *o) {
    (void)m;
    if (!o->op->pattern || o->a_lanes != o->b_lanes) return false;
    for (int l = 0; l < o->to_lanes; l++)
        if (o->op->pattern[l] < -1 || o->op->pattern[l] >= 2 * o->a_lanes) return false;
    o->run = run_shuffle;
    return true;
}

/* As many registers as lanes, of one array. */
static bool has_square(const machine *m, const register_ref *r, int first, int lanes) {
    int end = 0;
    for (int i = 0; i <= r->array; i++) end += m->nest->registers[i].count;
    return first + lanes <= end;
}

static bool prepare_transpose(machine *m, flat_op *o) {
    o->run = run_transpose;
    return o->to_lanes == o->a_lanes && has_square(m, &o->op->to, o->to, o->a_lanes) &&
           has_square(m, &o->op->a, o->a, o->a_lanes);
}

static bool prepare_call(machine *m, flat_op *o) {
    math_kind math = o->op->math;
    if ((int)math < 0 || math >= MATH_KINDS) return false;
    if (m->ring->call[math]) {
        o->how = &m->ring->call[math];
        o->run = run_lanewise;
        return true;
    }
    math_program *program = &m->programs[math];
    if (program->count == 0) *program = nest_math(m->arena, math);
    if (program->count > m->step_capacity) {
        m->step_capacity = program->count;
        m->steps = arena_array(m->arena, vector, m->step_capacity);
    }
    o->how = program;
    o->run = run_call;
    return true;
}

static bool prepare_lanewise(machine *m, flat_op *o) {
    o->how = &m->ring->lanewise[o->op->kind];
    if (o->active) o->run = run_lanewise;
    return m->ring->lanewise[o->op->kind] != NULL;
}

/* Whether the operation has the registers it wants. */
static bool has_registers(const flat_op *o) {
    const int source[3] = {o->a, o->b, o->c}, lanes[3] = {o->a_lanes, o->b_lanes, o->c_lanes};
    op_kind kind = o->op->kind;
    bool writes = kind != OP_STORE && kind != OP_PREFETCH, mixes = kind == OP_SHUFFLE || kind == OP_TRANSPOSE;
    if (writes && o->to < 0) return false;
    for (int i = 0; i < SOURCES[kind]; i++)
        if (source[i] < 0 || (writes && !mixes && lanes[i] != o->to_lanes)) return false;
    return true;
}

static bool prepare(void *context, flat_op *o) {
    static prepare_op *const PREPARE[OP_KINDS] = {
        [OP_CONST] = prepare_const,     [OP_LOAD] = prepare_load,           [OP_SPLAT] = prepare_splat,
        [OP_STORE] = prepare_store,     [OP_PREFETCH] = prepare_prefetch,   [OP_KEEP] = prepare_keep,
        [OP_SHUFFLE] = prepare_shuffle, [OP_TRANSPOSE] = prepare_transpose, [OP_CALL] = prepare_call,
    };
    op_kind kind = o->op->kind;
    if ((int)kind < 0 || kind >= OP_KINDS || !has_registers(o)) return false;
    return PREPARE[kind] ? PREPARE[kind](context, o) : prepare_lanewise(context, o);
}

/* ---- running ---- */

static const ring *ring_for(eval_numbers numbers) {
    static const ring *const RINGS[] = {
        [EVAL_ROUNDED] = &ring_f32, [EVAL_FUSED] = &ring_f32_fused, [EVAL_RESIDUES] = &ring_residue};
    return RINGS[numbers];
}

static void set_up(machine *m, void *const tensors[ROLE_COUNT]) {
    const nest *n = m->nest;
    m->bindings = arena_array(m->arena, binding, n->tensor_count + 1);
    for (int i = 0; i < n->tensor_count; i++) {
        const nest_tensor *t = &n->tensors[i];
        unsigned char *data = tensors[t->role];
        m->bindings[i] = (binding){data, data ? t->elements : 0, m->ring->bytes, t->writable};
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
    *m = (machine){.nest = n, .arena = &a, .ring = ring_for(numbers)};
    set_up(m, tensors);
    bool good = run_tasks(m, first_task, last_task);
    arena_free(&a);
    return good ? CVK_OK : CVK_ERROR_INTERNAL;
}
