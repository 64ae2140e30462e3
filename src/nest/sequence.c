/* Copies with the numbers of variables, registers and tensors moved on behind those that are there already. */
#include "nest/sequence.h"

#include "nest/build.h"

#include <string.h>

void places_kept(nest_place at[ROLE_COUNT]) {
    for (int r = 0; r < ROLE_COUNT; r++) at[r] = (nest_place){.role = (nest_role)r};
}

static nest_tensor placed_tensor(const nest_tensor *t, const nest_place *at) {
    nest_tensor placed = *t;
    placed.role = at->role;
    placed.begin += at->begin;
    if (at->name) placed.name = at->name;
    if (at->elements) placed.elements = at->elements;
    return placed;
}

/* ---- in one nest ---- */

/* A part on its way into the whole. */
typedef struct splice {
    nest *to;
    const nest_part *part;
    int variables, registers; /* that were there before */
    int *tensor;              /* number of each of the part's in the whole */
    affine task[SEQUENCE_TASKS];
} splice;

static affine moved_on(const splice *s, affine e) {
    for (int i = 0; i < e.count; i++) e.term[i].variable += s->variables;
    return e;
}

static nest_bound *bounds_moved(const splice *s, const nest_bound *bound, int count) {
    nest_bound *moved = arena_array(s->to->arena, nest_bound, count);
    for (int i = 0; i < count; i++) moved[i] = (nest_bound){moved_on(s, bound[i].numerator), bound[i].divisor};
    return moved;
}

static nest_range range_moved(const splice *s, const nest_range *r) {
    return (nest_range){r->low_count, r->high_count, bounds_moved(s, r->low, r->low_count),
                        bounds_moved(s, r->high, r->high_count)};
}

static register_ref register_moved(const splice *s, register_ref r) {
    if (r.array >= 0) r.array += s->registers;
    r.index = moved_on(s, r.index);
    return r;
}

/* Numbers are no accesses, and have no tensor. */
static nest_access access_moved(const splice *s, nest_access at) {
    at.offset = moved_on(s, at.offset);
    if (at.tensor < 0) return at;
    const nest_place *to = &s->part->place[s->part->nest->tensors[at.tensor].role];
    at.tensor = s->tensor[at.tensor];
    at.offset = affine_offset(at.offset, to->first);
    for (int i = 0; i < SEQUENCE_TASKS; i++) at.offset = affine_add_scaled(at.offset, s->task[i], to->step[i]);
    return at;
}

static nest_op *op_moved(const splice *s, const nest_op *op) {
    nest_op *moved = arena_copy(s->to->arena, op, sizeof *op);
    moved->to = register_moved(s, op->to);
    moved->a = register_moved(s, op->a);
    moved->b = register_moved(s, op->b);
    moved->c = register_moved(s, op->c);
    moved->at = access_moved(s, op->at);
    if (op->lanes) {
        nest_range *lanes = arena_new(s->to->arena, nest_range);
        *lanes = range_moved(s, op->lanes);
        moved->lanes = lanes;
    }
    return moved;
}

/* A list of statements to where `tail` points; gives where the next one goes. */
static nest_statement **statements_moved(const splice *s, const nest_statement *from, nest_statement **tail) {
    for (; from; from = from->next) {
        nest_statement *copy = arena_copy(s->to->arena, from, sizeof *from);
        copy->next = copy->body = NULL;
        if (from->kind == STATEMENT_FOR) copy->variable += s->variables;
        copy->condition = moved_on(s, from->condition);
        if (from->op) copy->op = op_moved(s, from->op);
        statements_moved(s, from->body, &copy->body);
        *tail = copy;
        tail = &copy->next;
    }
    return tail;
}

/* `count` more behind the `had` that are there. */
static void *grown(arena *a, const void *list, size_t size, int had, int count) {
    char *longer = arena_alloc(a, size * (size_t)(had + count + 1));
    if (had) memcpy(longer, list, size * (size_t)had);
    return longer;
}

/* Its tasks become loops. */
static nest_variable variable_moved(const splice *s, nest_variable v) {
    if (v.kind == VARIABLE_TASK) v.kind = VARIABLE_LOOP;
    if (v.kind == VARIABLE_QUOTIENT)
        v.quotient.numerator = moved_on(s, v.quotient.numerator);
    else
        v.range = range_moved(s, &v.range);
    return v;
}

/* What one part stores and another reads is one tensor. */
static bool is_same(const nest_tensor *a, const nest_tensor *b) {
    return a->role == b->role && a->begin == b->begin && a->type == b->type;
}

static int declare_tensor(nest *to, const nest_tensor *t) {
    for (int i = 0; i < to->tensor_count; i++) {
        nest_tensor *known = &to->tensors[i];
        if (!is_same(known, t)) continue;
        known->elements = greater(known->elements, t->elements);
        known->writable |= t->writable;
        if (t->alignment > known->alignment) known->alignment = t->alignment;
        return i;
    }
    to->tensors[to->tensor_count] = *t;
    return to->tensor_count++;
}

static void declare(splice *s) {
    nest *to = s->to;
    const nest *from = s->part->nest;
    to->variables = grown(to->arena, to->variables, sizeof *to->variables, s->variables, from->variable_count);
    to->registers = grown(to->arena, to->registers, sizeof *to->registers, s->registers, from->register_count);
    to->tensors = grown(to->arena, to->tensors, sizeof *to->tensors, to->tensor_count, from->tensor_count);
    s->tensor = arena_array(to->arena, int, from->tensor_count + 1);
    for (int i = 0; i < from->variable_count; i++)
        to->variables[to->variable_count++] = variable_moved(s, from->variables[i]);
    for (int i = 0; i < from->register_count; i++) to->registers[to->register_count++] = from->registers[i];
    for (int i = 0; i < from->tensor_count; i++) {
        const nest_tensor t = placed_tensor(&from->tensors[i], &s->part->place[from->tensors[i].role]);
        s->tensor[i] = declare_tensor(to, &t);
    }
    to->variable_capacity = to->variable_count, to->register_capacity = to->register_count;
    to->tensor_capacity = to->tensor_count;
    if (from->fault) to->fault = from->fault;
}

nest *nest_sequence(arena *a, const char *name, const int64_t trips[SEQUENCE_TASKS],
                    const char *const names[SEQUENCE_TASKS], const nest_part *part, int parts) {
    nest_builder b = nest_begin(a, name, ENTRY_TASKS, part->nest->vector_bytes);
    splice s = {.to = b.nest};
    int64_t tasks = 1;
    for (int i = 0; i < SEQUENCE_TASKS; i++) tasks *= trips[i];
    for (int i = 0; i < SEQUENCE_TASKS && tasks; i++) s.task[i] = build_task(&b, names[i], trips[i]);
    for (int i = 0; i < parts; i++) {
        s.part = &part[i];
        s.variables = b.nest->variable_count, s.registers = b.nest->register_count;
        declare(&s);
        if (tasks) b.tail = statements_moved(&s, part[i].nest->body, b.tail);
    }
    for (int i = 0; i < SEQUENCE_TASKS && tasks; i++) build_end(&b);
    b.nest->tasks = tasks;
    return nest_finish(&b);
}

/* ---- as programs ---- */

nest *nest_placed(arena *a, const nest *n, const nest_place at[ROLE_COUNT]) {
    nest *copy = arena_copy(a, n, sizeof *n);
    copy->tensors = arena_array(a, nest_tensor, n->tensor_count);
    for (int i = 0; i < n->tensor_count; i++) copy->tensors[i] = placed_tensor(&n->tensors[i], &at[n->tensors[i].role]);
    return copy;
}

nest_program program_sequence(arena *a, const nest_program *part, const nest_place *const to[], int parts) {
    int phases = 0, at = 0;
    for (int i = 0; i < parts; i++) phases += part[i].count;
    nest_phase *phase = arena_array(a, nest_phase, phases);
    for (int i = 0; i < parts; i++)
        for (int p = 0; p < part[i].count; p++) {
            const nest_phase *from = &part[i].phase[p];
            nest **nests = arena_array(a, nest *, from->count);
            for (int k = 0; k < from->count; k++) nests[k] = nest_placed(a, from->nest[k], to[i]);
            phase[at++] = (nest_phase){from->count, nests};
        }
    return (nest_program){phases, phase};
}
