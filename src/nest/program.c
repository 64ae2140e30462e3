/* Programs: nests in their order, and what they need together. */
#include "nest/program.h"

nest_program program_of(arena *a, nest *n) {
    nest **nests = arena_new(a, nest *);
    nest_phase *phase = arena_new(a, nest_phase);
    *nests = n;
    *phase = (nest_phase){1, nests};
    return (nest_program){1, phase};
}

void program_move(const nest_program *p, arena *a) {
    for (int i = 0; i < p->count; i++)
        for (int k = 0; k < p->phase[i].count; k++) p->phase[i].nest[k]->arena = a;
}

const nest *program_nest(const nest_program *p, int index) {
    for (int i = 0; i < p->count; i++) {
        if (index < p->phase[i].count) return p->phase[i].nest[index];
        index -= p->phase[i].count;
    }
    return NULL;
}

int64_t program_tasks(const nest_program *p, int phase) {
    int64_t tasks = 0;
    for (int i = 0; i < p->phase[phase].count; i++) tasks += p->phase[phase].nest[i]->tasks;
    return tasks;
}

static void need(program_buffer *needs, const nest_tensor *t) {
    int64_t elements = t->begin + t->elements, bytes = elements * type_bytes(t->type);
    if (!needs->name) needs->name = t->name;
    if (elements > needs->elements) needs->elements = elements;
    if (bytes > needs->bytes) needs->bytes = bytes;
    if (t->alignment > needs->alignment) needs->alignment = t->alignment;
}

program_buffer program_needs(const nest_program *p, nest_role role) {
    program_buffer needs = {NULL, 0, 0, 1};
    const nest *n;
    for (int i = 0; (n = program_nest(p, i)); i++)
        for (int t = 0; t < n->tensor_count; t++)
            if (n->tensors[t].role == role) need(&needs, &n->tensors[t]);
    return needs;
}

static bool is_access(const nest_op *op) { return op->kind == OP_LOAD || op->kind == OP_SPLAT || op->kind == OP_STORE; }

static bool depends(const affine *e, int variable) {
    for (int i = 0; i < e->count; i++)
        if (e->term[i].variable == variable) return true;
    return false;
}

/* Whether some access to the role depends on the variable. */
static bool reaches_by(const nest *n, const nest_statement *s, nest_role role, int variable) {
    for (; s; s = s->next) {
        if (s->kind != STATEMENT_OP) {
            if (reaches_by(n, s->body, role, variable)) return true;
        } else if (is_access(s->op) && n->tensors[s->op->at.tensor].role == role &&
                   depends(&s->op->at.offset, variable))
            return true;
    }
    return false;
}

static int64_t parts_of(const nest *n, nest_role role) {
    int64_t parts = 1, low, high;
    for (int v = 0; v < n->variable_count; v++) {
        if (n->variables[v].kind != VARIABLE_TASK || !reaches_by(n, n->body, role, v)) continue;
        nest_range_ends(n, &n->variables[v].range, NULL, &low, &high); /* of numbers, as those of all tasks */
        parts *= high > low ? high - low : 1;
    }
    return parts;
}

int64_t program_parts(const nest_program *p, int phase, nest_role role) {
    int64_t parts = 1;
    for (int i = 0; i < p->phase[phase].count && parts == 1; i++) parts = parts_of(p->phase[phase].nest[i], role);
    return parts;
}

void program_count_phase(const nest_program *p, int phase, nest_counts *counts) {
    *counts = (nest_counts){0};
    for (int i = 0; i < p->phase[phase].count; i++) {
        nest_counts one;
        nest_count(p->phase[phase].nest[i], &one);
        nest_counts_add(counts, &one);
    }
}

static void widen(nest_extent *to, const nest_extent *by) {
    for (int r = 0; r < ROLE_COUNT; r++) {
        if (by->low[r] < to->low[r]) to->low[r] = by->low[r];
        if (by->high[r] > to->high[r]) to->high[r] = by->high[r];
    }
}

static cvk_status check_nest(const nest *n, cvk_diagnostics *diagnostics, nest_extent *extent) {
    if (n->entry != ENTRY_TASKS) {
        diag_error(diagnostics, E_NEST, (place){.file = n->name}, NULL, "a nest that packs in a program");
        return CVK_ERROR_INTERNAL;
    }
    nest_extent reached;
    cvk_status status = nest_check(n, diagnostics, &reached);
    if (!status && extent) widen(extent, &reached);
    return status;
}

static cvk_status check_phase(const nest_program *p, int phase, cvk_diagnostics *diagnostics) {
    if (p->phase[phase].count > 0 && program_tasks(p, phase) <= UINT32_MAX) return CVK_OK;
    diag_error(diagnostics, E_NEST, (place){.file = ""}, NULL,
               "phase %d has no nests, or more tasks than a kernel can number", phase);
    return CVK_ERROR_INTERNAL;
}

cvk_status program_check(const nest_program *p, cvk_diagnostics *diagnostics, nest_extent *extent) {
    if (p->count < 1 || p->count > CVK_MOST_PHASES) {
        diag_error(diagnostics, E_NEST, (place){.file = ""}, NULL, "a program of %d phases, not 1 to %d", p->count,
                   CVK_MOST_PHASES);
        return CVK_ERROR_INTERNAL;
    }
    for (int r = 0; extent && r < ROLE_COUNT; r++) extent->low[r] = INT64_MAX, extent->high[r] = -1;
    cvk_status status = CVK_OK;
    const nest *n;
    for (int i = 0; !status && (n = program_nest(p, i)); i++) status = check_nest(n, diagnostics, extent);
    for (int i = 0; !status && i < p->count; i++) status = check_phase(p, i, diagnostics);
    return status;
}

void program_print(const nest_program *p, text *out) {
    for (int i = 0; i < p->count; i++) {
        if (p->count > 1) text_add(out, "phase %d, %lld tasks:\n", i, (long long)program_tasks(p, i));
        for (int k = 0; k < p->phase[i].count; k++) nest_print(p->phase[i].nest[k], out);
    }
}
