/* nest_eval: needs a nest and its buffers; runs the nest as its grammar reads, one operation after another, and stops
 * at the first thing that no kernel may do.
 *
 * Each lane of each register knows whether it is defined. Undefined lanes may be moved and computed with, as long as
 * some lane of every register that arithmetic reads is defined, but an undefined lane may not be stored. */
#include "judge/nest_eval.h"

#include "nest/math.h"

#include <math.h>
#include <string.h>

typedef float vector[NEST_MOST_LANES];

typedef struct machine {
    const nest *nest;
    float *const *tensors;
    bool fused, stopped;
    int64_t *values;     /* of the loop variables */
    int *first_register; /* of each array, in the two that follow */
    vector *registers;
    uint64_t *defined; /* a bit for each lane */
    int register_total, step_capacity;
    vector *steps; /* the values of a math program's steps */
    math_program programs[MATH_KINDS];
} machine;

/* Lane by lane: to = an operation's formula of its sources. */
typedef void lane_function(float *to, const float *const *from, int lanes);

static void lanes_copy(float *to, const float *const *from, int lanes) {
    for (int l = 0; l < lanes; l++) to[l] = from[0][l];
}
static void lanes_fma_fused(float *to, const float *const *from, int lanes) {
    for (int l = 0; l < lanes; l++) to[l] = fmaf(from[0][l], from[1][l], from[2][l]);
}
static void lanes_fma(float *to, const float *const *from, int lanes) {
    for (int l = 0; l < lanes; l++) to[l] = from[0][l] * from[1][l] + from[2][l];
}
static void lanes_add(float *to, const float *const *from, int lanes) {
    for (int l = 0; l < lanes; l++) to[l] = from[0][l] + from[1][l];
}
static void lanes_sub(float *to, const float *const *from, int lanes) {
    for (int l = 0; l < lanes; l++) to[l] = from[0][l] - from[1][l];
}
static void lanes_mul(float *to, const float *const *from, int lanes) {
    for (int l = 0; l < lanes; l++) to[l] = from[0][l] * from[1][l];
}
static void lanes_div(float *to, const float *const *from, int lanes) {
    for (int l = 0; l < lanes; l++) to[l] = from[0][l] / from[1][l];
}
static void lanes_min(float *to, const float *const *from, int lanes) {
    for (int l = 0; l < lanes; l++) to[l] = from[0][l] < from[1][l] ? from[0][l] : from[1][l];
}
static void lanes_max(float *to, const float *const *from, int lanes) {
    for (int l = 0; l < lanes; l++) to[l] = from[0][l] > from[1][l] ? from[0][l] : from[1][l];
}
static void lanes_select_negative(float *to, const float *const *from, int lanes) {
    for (int l = 0; l < lanes; l++) to[l] = from[0][l] < 0 ? from[1][l] : from[2][l];
}
static void lanes_abs(float *to, const float *const *from, int lanes) {
    for (int l = 0; l < lanes; l++) to[l] = fabsf(from[0][l]);
}
static void lanes_copysign(float *to, const float *const *from, int lanes) {
    for (int l = 0; l < lanes; l++) to[l] = copysignf(from[0][l], from[1][l]);
}
static void lanes_exp2i(float *to, const float *const *from, int lanes) {
    for (int l = 0; l < lanes; l++) {
        float shifted = from[0][l] + 0x3p22F;
        uint32_t bits;
        memcpy(&bits, &shifted, sizeof bits);
        bits = (bits + 127) << 23;
        memcpy(&to[l], &bits, sizeof bits);
    }
}

static lane_function *const LANEWISE[OP_KINDS] = {
    [OP_COPY] = lanes_copy,
    [OP_FMA] = lanes_fma,
    [OP_ADD] = lanes_add,
    [OP_SUB] = lanes_sub,
    [OP_MUL] = lanes_mul,
    [OP_DIV] = lanes_div,
    [OP_MIN] = lanes_min,
    [OP_MAX] = lanes_max,
    [OP_ABS] = lanes_abs,
    [OP_EXP2I] = lanes_exp2i,
    [OP_SELECT_NEGATIVE] = lanes_select_negative,
    [OP_COPYSIGN] = lanes_copysign,
};

static const int SOURCES[] = {
#define NEST_OP(name, word, sources, formula) sources,
#include "nest/ops.def"
#undef NEST_OP
};

static lane_function *function_of(const machine *m, op_kind kind) {
    return kind == OP_FMA && m->fused ? lanes_fma_fused : LANEWISE[kind];
}

static int64_t value_of(const machine *m, const affine *e) {
    int64_t value = e->constant;
    for (int i = 0; i < e->count; i++) {
        int variable = e->term[i].variable;
        const nest_variable *v = &m->nest->variables[variable];
        int64_t term = v->kind == VARIABLE_QUOTIENT
                           ? floor_div(value_of(m, &v->quotient.numerator), v->quotient.divisor)
                           : m->values[variable];
        value += e->term[i].coefficient * term;
    }
    return value;
}

static void range_values(const machine *m, const nest_range *r, int64_t *low, int64_t *high) {
    *low = INT64_MIN;
    *high = INT64_MAX;
    for (int i = 0; i < r->low_count; i++) {
        int64_t end = ceil_div(value_of(m, &r->low[i].numerator), r->low[i].divisor);
        if (end > *low) *low = end;
    }
    for (int i = 0; i < r->high_count; i++) {
        int64_t end = floor_div(value_of(m, &r->high[i].numerator), r->high[i].divisor);
        if (end < *high) *high = end;
    }
}

static uint64_t first_lanes(int64_t count) { return count >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << count) - 1; }

/* The lanes in an operation's range, of as many as its registers have. */
static uint64_t active_lanes(const machine *m, const nest_op *op, int lanes) {
    if (!op->lanes) return first_lanes(lanes);
    int64_t low, high;
    range_values(m, op->lanes, &low, &high);
    if (low < 0) low = 0;
    if (high > lanes) high = lanes;
    return low < high ? first_lanes(high) & ~first_lanes(low) : 0;
}

/* Where `count` registers from r on stand, or -1, and the machine stops. `lanes` gets how many each has. */
static int locate(machine *m, const register_ref *r, int count, int *lanes) {
    *lanes = 1;
    if (r->array >= 0 && r->array < m->nest->register_count) {
        const nest_register *array = &m->nest->registers[r->array];
        int64_t index = value_of(m, &r->index);
        *lanes = array->lanes;
        if (index >= 0 && index <= array->count - count) return m->first_register[r->array] + (int)index;
    }
    m->stopped = true;
    return -1;
}

/* The same for one register of `lanes` lanes. */
static int locate_exactly(machine *m, const register_ref *r, int lanes) {
    int found, at = locate(m, r, 1, &found);
    if (found != lanes) m->stopped = true;
    return at;
}

/* The same for one that is read. */
static int locate_source(machine *m, const register_ref *r, int lanes) {
    int at = locate_exactly(m, r, lanes);
    if (!m->stopped && !m->defined[at]) m->stopped = true;
    return at;
}

static void define(machine *m, int at, const float *value, uint64_t defined) {
    memcpy(m->registers[at], value, sizeof(vector));
    m->defined[at] = defined;
}

/* The tensor element of a lane, or NULL, and the machine stops. */
static float *element(machine *m, const nest_access *at, int64_t lane) {
    int64_t index = value_of(m, &at->offset) + lane * at->stride;
    if (at->tensor >= 0 && at->tensor < m->nest->tensor_count) {
        const nest_tensor *t = &m->nest->tensors[at->tensor];
        if (index >= 0 && index < t->elements && m->tensors[t->role]) return &m->tensors[t->role][index];
    }
    m->stopped = true;
    return NULL;
}

static void run_const(machine *m, const nest_op *op) {
    int lanes, to = locate(m, &op->to, 1, &lanes);
    if (m->stopped) return;
    vector value;
    for (int l = 0; l < NEST_MOST_LANES; l++) value[l] = op->value;
    define(m, to, value, first_lanes(lanes));
}

static void run_load(machine *m, const nest_op *op) {
    int lanes, to = locate(m, &op->to, 1, &lanes);
    uint64_t active = active_lanes(m, op, lanes);
    vector value = {0};
    for (int l = 0; l < lanes && !m->stopped; l++) {
        if (!(active >> l & 1)) continue;
        const float *from = element(m, &op->at, l);
        if (from) value[l] = *from;
    }
    if (!m->stopped) define(m, to, value, first_lanes(lanes));
}

static void run_splat(machine *m, const nest_op *op) {
    int lanes, to = locate(m, &op->to, 1, &lanes);
    const float *from = element(m, &op->at, 0);
    if (m->stopped) return;
    vector value;
    for (int l = 0; l < NEST_MOST_LANES; l++) value[l] = *from;
    define(m, to, value, first_lanes(lanes));
}

static void run_store(machine *m, const nest_op *op) {
    int lanes, a = locate(m, &op->a, 1, &lanes);
    uint64_t active = active_lanes(m, op, lanes);
    if (!m->stopped && (active & ~m->defined[a])) m->stopped = true;
    for (int l = 0; l < lanes && !m->stopped; l++) {
        if (!(active >> l & 1)) continue;
        float *to = element(m, &op->at, l);
        if (to && m->nest->tensors[op->at.tensor].writable)
            *to = m->registers[a][l];
        else
            m->stopped = true;
    }
}

/* All operations in LANEWISE. Only FMA may have a lane range; it leaves the other lanes of its destination. */
static void run_lanewise(machine *m, const nest_op *op) {
    int lanes, to = locate(m, &op->to, 1, &lanes);
    uint64_t active = active_lanes(m, op, lanes), defined = active;
    const register_ref *sources[] = {&op->a, &op->b, &op->c};
    const float *from[3] = {0};
    if (!active) return;
    for (int i = 0; i < SOURCES[op->kind] && !m->stopped; i++) {
        int at = locate_source(m, sources[i], lanes);
        if (m->stopped) return;
        from[i] = m->registers[at];
        defined &= m->defined[at];
    }
    if (m->stopped) return;
    vector value;
    function_of(m, op->kind)(value, from, lanes);
    for (int l = 0; l < lanes; l++)
        if (active >> l & 1) m->registers[to][l] = value[l];
    m->defined[to] = (m->defined[to] & ~active) | defined;
}

static void run_keep(machine *m, const nest_op *op) {
    int lanes, to = locate(m, &op->to, 1, &lanes), a = locate_source(m, &op->a, lanes);
    if (m->stopped) return;
    uint64_t active = active_lanes(m, op, lanes);
    vector value = {0};
    for (int l = 0; l < lanes; l++)
        if (active >> l & 1) value[l] = m->registers[a][l];
    define(m, to, value, first_lanes(lanes) & (m->defined[a] | ~active));
}

static void run_shuffle(machine *m, const nest_op *op) {
    int from, lanes, a = locate(m, &op->a, 1, &from), to = locate(m, &op->to, 1, &lanes);
    int sources[2] = {a, locate_exactly(m, &op->b, from)};
    if (!op->pattern) m->stopped = true;
    vector value = {0};
    uint64_t defined = 0;
    for (int l = 0; l < lanes && !m->stopped; l++) {
        int pick = op->pattern[l];
        if (pick < -1 || pick >= 2 * from) m->stopped = true;
        if (m->stopped || pick == -1) continue;
        int at = sources[pick / from];
        value[l] = m->registers[at][pick % from];
        defined |= (m->defined[at] >> pick % from & 1) << l;
    }
    if (!m->stopped) define(m, to, value, defined);
}

static void run_transpose(machine *m, const nest_op *op) {
    int lanes, to_lanes;
    locate(m, &op->a, 1, &lanes);
    int a = locate(m, &op->a, lanes, &lanes), to = locate(m, &op->to, lanes, &to_lanes);
    if (m->stopped || to_lanes != lanes) {
        m->stopped = true;
        return;
    }
    vector before[NEST_MOST_LANES];
    uint64_t defined[NEST_MOST_LANES];
    memcpy(before, m->registers[a], sizeof(vector) * (size_t)lanes);
    memcpy(defined, &m->defined[a], sizeof *defined * (size_t)lanes);
    for (int i = 0; i < lanes; i++) {
        m->defined[to + i] = 0;
        for (int l = 0; l < lanes; l++) {
            m->registers[to + i][l] = before[l][i];
            m->defined[to + i] |= (defined[l] >> i & 1) << l;
        }
    }
}

static void run_program(machine *m, const math_program *program, const float *argument, int lanes) {
    memcpy(m->steps[0], argument, sizeof(vector));
    for (int i = 1; i < program->count; i++) {
        const math_step *s = &program->step[i];
        const float *from[] = {m->steps[s->a], m->steps[s->b], m->steps[s->c]};
        if (s->kind == OP_CONST)
            for (int l = 0; l < lanes; l++) m->steps[i][l] = s->value;
        else
            function_of(m, s->kind)(m->steps[i], from, lanes);
    }
}

static void run_call(machine *m, const nest_op *op) {
    int lanes, to = locate(m, &op->to, 1, &lanes), a = locate_source(m, &op->a, lanes);
    if ((int)op->math < 0 || op->math >= MATH_KINDS) m->stopped = true;
    if (m->stopped) return;
    const math_program *program = &m->programs[op->math];
    run_program(m, program, m->registers[a], lanes);
    define(m, to, m->steps[program->count - 1], m->defined[a]);
}

static void run_prefetch(machine *m, const nest_op *op) {
    if (op->at.tensor < 0 || op->at.tensor >= m->nest->tensor_count) m->stopped = true;
}

static void run_op(machine *m, const nest_op *op) {
    static void (*const run[OP_KINDS])(machine *, const nest_op *) = {
        [OP_CONST] = run_const,     [OP_LOAD] = run_load,           [OP_SPLAT] = run_splat,
        [OP_STORE] = run_store,     [OP_PREFETCH] = run_prefetch,   [OP_KEEP] = run_keep,
        [OP_SHUFFLE] = run_shuffle, [OP_TRANSPOSE] = run_transpose, [OP_CALL] = run_call,
    };
    if ((int)op->kind < 0 || op->kind >= OP_KINDS)
        m->stopped = true;
    else if (run[op->kind])
        run[op->kind](m, op);
    else
        run_lanewise(m, op);
}

static void run_list(machine *m, const nest_statement *list);

static void run_for(machine *m, const nest_statement *s) {
    int64_t low, high;
    range_values(m, &m->nest->variables[s->variable].range, &low, &high);
    for (int64_t value = low; value < high && !m->stopped; value++) {
        m->values[s->variable] = value;
        run_list(m, s->body);
    }
}

static void run_list(machine *m, const nest_statement *list) {
    for (const nest_statement *s = list; s && !m->stopped; s = s->next)
        if (s->kind == STATEMENT_OP)
            run_op(m, s->op);
        else if (s->kind == STATEMENT_FOR)
            run_for(m, s);
        else if (value_of(m, &s->condition) >= 0)
            run_list(m, s->body);
}

static bool is_task(const machine *m, const nest_statement *s) {
    return s && s->kind == STATEMENT_FOR && m->nest->variables[s->variable].kind == VARIABLE_TASK;
}

/* Sets the task loops' variables, the innermost counting fastest; gives what the task is to do. */
static const nest_statement *enter_task(machine *m, const nest_statement *s, int64_t *task) {
    if (!is_task(m, s)) return s;
    const nest_statement *body = enter_task(m, s->body, task);
    int64_t low, high;
    range_values(m, &m->nest->variables[s->variable].range, &low, &high);
    m->values[s->variable] = low + *task % (high - low);
    *task /= high - low;
    return body;
}

static void set_up(machine *m, arena *a) {
    const nest *n = m->nest;
    m->values = arena_array(a, int64_t, n->variable_count + 1);
    m->first_register = arena_array(a, int, n->register_count + 1);
    for (int i = 0; i < n->register_count; i++) {
        m->first_register[i] = m->register_total;
        m->register_total += n->registers[i].count;
    }
    m->registers = arena_array(a, vector, m->register_total + 1);
    m->defined = arena_array(a, uint64_t, m->register_total + 1);
}

static void prepare_math(machine *m, arena *a, const nest_statement *list) {
    for (const nest_statement *s = list; s; s = s->next) {
        prepare_math(m, a, s->body);
        bool calls = s->kind == STATEMENT_OP && s->op->kind == OP_CALL;
        if (!calls || (int)s->op->math < 0 || s->op->math >= MATH_KINDS) continue;
        math_program *program = &m->programs[s->op->math];
        if (program->count == 0) *program = nest_math(a, s->op->math);
        if (program->count <= m->step_capacity) continue;
        m->step_capacity = program->count;
        m->steps = arena_array(a, vector, m->step_capacity);
    }
}

cvk_status nest_eval(const nest *n, float *const tensors[ROLE_COUNT], int64_t first_task, int64_t last_task,
                     bool fused) {
    if (first_task < 0 || last_task > n->tasks) return CVK_ERROR_ARGUMENT;
    machine m = {.nest = n, .tensors = tensors, .fused = fused};
    arena a;
    arena_init(&a);
    if (arena_guard(&a)) {
        arena_free(&a);
        return CVK_ERROR_MEMORY;
    }
    set_up(&m, &a);
    prepare_math(&m, &a, n->body);
    for (int64_t task = first_task; task < last_task && !m.stopped; task++) {
        int64_t rest = task;
        memset(m.defined, 0, sizeof *m.defined * (size_t)m.register_total);
        run_list(&m, enter_task(&m, n->body, &rest));
    }
    arena_free(&a);
    return m.stopped ? CVK_ERROR_INTERNAL : CVK_OK;
}

cvk_status nest_eval_program(const nest_program *p, float *const tensors[ROLE_COUNT], bool fused) {
    cvk_status status = CVK_OK;
    const nest *n;
    for (int i = 0; !status && (n = program_nest(p, i)); i++) status = nest_eval(n, tensors, 0, n->tasks, fused);
    return status;
}
