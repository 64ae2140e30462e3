/* Programs: nests in their order, and what they need together. */
#include "nest/program.h"
#include "nest/build.h"

#include <string.h>

nest_program program_of(arena *a, nest *n) {
    nest **nests = arena_new(a, nest *);
    nest_phase *phase = arena_new(a, nest_phase);
    *nests = n;
    *phase = (nest_phase){1, nests};
    return (nest_program){1, phase};
}

/* ---- side by side ---- */

enum { PART_ALIGNMENT = 64 };

/* Of each role, the bytes of its narrowest elements; 0: there are none. */
typedef struct narrowest {
    int bytes[ROLE_COUNT];
} narrowest;

static void narrow(narrowest *of, const nest *n) {
    for (int i = 0; i < n->tensor_count; i++) {
        int *least = &of->bytes[n->tensors[i].role], own = type_bytes(n->tensors[i].type);
        if (!*least || own < *least) *least = own;
    }
}

/* Where the next part begins, in elements, of whatever type of the role it is: on a line of its own, behind so many of
 * this one. */
static int64_t behind(int64_t elements, const nest_tensor *t, const narrowest *of) {
    const int least = of->bytes[t->role];
    const int64_t line = PART_ALIGNMENT / least, end = elements * type_bytes(t->type) / least;
    return (end + line - 1) / line * line;
}

/* Where a part's own tensors begin in what their role is bound to. */
typedef struct part_places {
    int64_t begin[ROLE_COUNT];
} part_places;

/* A copy whose tensors stand at the part's places. */
static nest *placed(arena *a, const nest *n, const part_places *at) {
    nest *copy = arena_new(a, nest);
    *copy = *n;
    copy->tensors = arena_copy(a, n->tensors, sizeof *n->tensors * (size_t)n->tensor_count);
    for (int i = 0; i < n->tensor_count; i++) copy->tensors[i].begin += at->begin[n->tensors[i].role];
    return copy;
}

/* Behind what the nest has of those roles. */
static void move_on(const nest *n, const narrowest *of, part_places *next, const part_places *at) {
    static const nest_role own[] = {ROLE_WEIGHTS, ROLE_WORKSPACE, ROLE_PACK_TO};
    for (size_t r = 0; r < sizeof own / sizeof *own; r++)
        for (int i = 0; i < n->tensor_count; i++) {
            const nest_tensor *t = &n->tensors[i];
            if (t->role != own[r]) continue;
            int64_t end = behind(at->begin[own[r]] + t->begin + t->elements, t, of);
            if (end > next->begin[own[r]]) next->begin[own[r]] = end;
        }
}

/* Phases that a part does not have stand before its first. */
static int part_phase(const nest_program *part, int phase, int phases) { return phase - (phases - part->count); }

static int most_phases(const nest_program *part, int count) {
    int most = 0;
    for (int i = 0; i < count; i++)
        if (part[i].count > most) most = part[i].count;
    return most;
}

static int nests_of(const nest_program *part, int count, int phase, int phases) {
    int nests = 0;
    for (int i = 0; i < count; i++) {
        int own = part_phase(&part[i], phase, phases);
        if (own >= 0) nests += part[i].phase[own].count;
    }
    return nests;
}

static nest_phase phase_beside(arena *a, const nest_program *part, int count, const part_places *at, int phase,
                               int phases) {
    nest **nests = arena_array(a, nest *, nests_of(part, count, phase, phases));
    int gathered = 0;
    for (int i = 0; i < count; i++) {
        int own = part_phase(&part[i], phase, phases);
        for (int k = 0; own >= 0 && k < part[i].phase[own].count; k++)
            nests[gathered++] = placed(a, part[i].phase[own].nest[k], &at[i]);
    }
    return (nest_phase){gathered, nests};
}

nest_program program_beside(arena *a, const nest_program *part, int count) {
    if (count == 1) return *part;
    const int phases = most_phases(part, count);
    part_places *at = arena_array(a, part_places, count + 1);
    narrowest of = {{0}};
    const nest *n;
    for (int i = 0; i < count; i++)
        for (int k = 0; (n = program_nest(&part[i], k)); k++) narrow(&of, n);
    for (int i = 0; i < count; i++) {
        at[i + 1] = at[i];
        for (int k = 0; (n = program_nest(&part[i], k)); k++) move_on(n, &of, &at[i + 1], &at[i]);
    }
    nest_phase *phase = arena_array(a, nest_phase, phases);
    for (int p = 0; p < phases; p++) phase[p] = phase_beside(a, part, count, at, p, phases);
    return (nest_program){phases, phase};
}

void program_places(const nest_program *part, int count, nest_role role, int64_t *begin) {
    part_places at = {{0}}, next;
    narrowest of = {{0}};
    const nest *n;
    for (int i = 0; i < count; i++)
        for (int k = 0; (n = program_nest(&part[i], k)); k++) narrow(&of, n);
    for (int i = 0; i < count; i++) {
        begin[i] = at.begin[role];
        next = at;
        for (int k = 0; (n = program_nest(&part[i], k)); k++) move_on(n, &of, &next, &at);
        at = next;
    }
}

static const nest_tensor *packed_by(const nest *n) {
    for (int i = 0; i < n->tensor_count; i++)
        if (n->tensors[i].role == ROLE_PACK_TO) return &n->tensors[i];
    return NULL;
}

/* Stores zeros from one part's end to where the next begins, in elements of the part's. */
static nest *gap_of(arena *a, const nest *part, int64_t begin, int64_t end) {
    const nest_tensor *packed = packed_by(part);
    nest_builder b = nest_begin(a, part->name, ENTRY_PACK, part->vector_bytes);
    int to = nest_add_part(&b, "gap", ROLE_PACK_TO, packed->type, begin, end - begin, type_bytes(packed->type), true);
    register_ref zero = reg(nest_add_register(&b, "zero", packed->type, 1, 1), affine_constant(0));
    build_const(&b, zero, 0);
    build_store(&b, access_at(to, build_loop(&b, "i", end - begin), 1), zero, NULL);
    build_end(&b);
    return nest_finish(&b);
}

/* Element `begin` of the next part's weights, as so many of this one's. */
static int64_t in_elements_of(const nest *part, const nest *next, int64_t begin) {
    const nest_tensor *own = packed_by(part), *other = packed_by(next);
    return own && other ? begin * type_bytes(other->type) / type_bytes(own->type) : begin;
}

nest_phase pack_beside(arena *a, nest *const *part, int count) {
    nest **nests = arena_array(a, nest *, 2 * count);
    part_places at = {{0}}, next = {{0}};
    narrowest of = {{0}};
    int gathered = 0;
    for (int i = 0; i < count; i++) narrow(&of, part[i]);
    for (int i = 0; i < count; i++) {
        int64_t end = at.begin[ROLE_PACK_TO] + (packed_by(part[i]) ? packed_by(part[i])->elements : 0);
        nests[gathered++] = placed(a, part[i], &at);
        move_on(part[i], &of, &next, &at);
        at = next;
        int64_t begin = i + 1 < count ? in_elements_of(part[i], part[i + 1], at.begin[ROLE_PACK_TO]) : end;
        if (end < begin) nests[gathered++] = gap_of(a, part[i], end, begin);
    }
    return (nest_phase){gathered, nests};
}

/* ---- packing as a phase ---- */

/* What a copy has for a role, and how far from its beginning. */
typedef struct role_map {
    nest_role role[ROLE_COUNT];
    int64_t begin[ROLE_COUNT];
    bool shared[ROLE_COUNT];
} role_map;

static role_map same_roles(void) {
    role_map m = {.begin = {0}};
    for (int r = 0; r < ROLE_COUNT; r++) m.role[r] = (nest_role)r;
    return m;
}

static nest *recast(arena *a, const nest *n, const role_map *m) {
    static const part_places nowhere;
    nest *copy = placed(a, n, &nowhere);
    for (int i = 0; i < n->tensor_count; i++) {
        copy->tensors[i].begin += m->begin[n->tensors[i].role];
        copy->tensors[i].shared |= m->shared[n->tensors[i].role];
        copy->tensors[i].role = m->role[n->tensors[i].role];
    }
    return copy;
}

/* Whether the nest is one loop over 0 .. trips - 1. */
static bool is_loop(const nest *n, int64_t *trips) {
    const nest_statement *s = n->body;
    if (!s || s->next || s->kind != STATEMENT_FOR || n->variables[s->variable].kind != VARIABLE_LOOP) return false;
    const nest_range *r = &n->variables[s->variable].range;
    bool constant = r->low_count == 1 && r->high_count == 1 && !r->low->numerator.count && !r->high->numerator.count;
    if (!constant) return false;
    int64_t low;
    nest_range_ends(n, r, NULL, &low, trips);
    return low == 0;
}

/* The outermost loop, if it is all there is, becomes tasks. */
static nest *as_tasks(arena *a, nest *n) {
    int64_t trips;
    n->entry = ENTRY_TASKS;
    if (!is_loop(n, &trips)) return n;
    n->variables = arena_copy(a, n->variables, sizeof *n->variables * (size_t)n->variable_count);
    n->variables[n->body->variable].kind = VARIABLE_TASK;
    n->tasks = trips;
    return n;
}

static bool has_role(const nest *n, nest_role role) {
    for (int i = 0; i < n->tensor_count; i++)
        if (n->tensors[i].role == role) return true;
    return false;
}

/* Without what only fills gaps. */
static nest_phase packing(arena *a, const nest_phase *pack, nest_role from) {
    role_map m = same_roles();
    m.role[ROLE_PACK_FROM] = from;
    m.role[ROLE_PACK_TO] = ROLE_WORKSPACE;
    nest **nests = arena_array(a, nest *, pack->count);
    int count = 0;
    for (int i = 0; i < pack->count; i++)
        if (has_role(pack->nest[i], ROLE_PACK_FROM)) nests[count++] = as_tasks(a, recast(a, pack->nest[i], &m));
    return (nest_phase){count, nests};
}

static nest_phase phase_recast(arena *a, const nest_phase *phase, const role_map *m) {
    nest **nests = arena_array(a, nest *, phase->count);
    for (int i = 0; i < phase->count; i++) nests[i] = recast(a, phase->nest[i], m);
    return (nest_phase){phase->count, nests};
}

nest_program program_that_packs(arena *a, const nest_program *p, const nest_phase *pack, nest_role from,
                                nest_role input) {
    role_map m = same_roles();
    m.role[ROLE_WEIGHTS] = ROLE_WORKSPACE;
    m.role[ROLE_INPUT] = input;
    nest_phase *phase = arena_array(a, nest_phase, p->count + 1);
    phase[0] = packing(a, pack, from);
    for (int i = 0; i < p->count; i++) phase[i + 1] = phase_recast(a, &p->phase[i], &m);
    return (nest_program){p->count + 1, phase};
}

nest_program program_into_workspace(arena *a, const nest_program *p, bool shared, int64_t *begin) {
    static const int64_t LINE = PART_ALIGNMENT; /* in elements, which is a line of any type */
    role_map m = same_roles();
    nest_phase *phase = arena_array(a, nest_phase, p->count);
    *begin = (program_needs(p, ROLE_WORKSPACE).elements + LINE - 1) / LINE * LINE;
    m.role[ROLE_OUTPUT] = ROLE_WORKSPACE;
    m.begin[ROLE_OUTPUT] = *begin;
    m.shared[ROLE_OUTPUT] = shared;
    for (int i = 0; i < p->count; i++) phase[i] = phase_recast(a, &p->phase[i], &m);
    return (nest_program){p->count, phase};
}

nest_program program_after(arena *a, const nest_program *p, nest *n) {
    nest_phase *phase = arena_array(a, nest_phase, p->count + 1);
    phase[0] = *program_of(a, n).phase;
    memcpy(phase + 1, p->phase, sizeof *phase * (size_t)p->count);
    return (nest_program){p->count + 1, phase};
}

nest_program program_then(arena *a, const nest_program *p, nest *n) {
    nest_phase *phase = arena_array(a, nest_phase, p->count + 1);
    nest **nests = arena_new(a, nest *);
    memcpy(phase, p->phase, sizeof *phase * (size_t)p->count);
    *nests = n;
    phase[p->count] = (nest_phase){1, nests};
    return (nest_program){p->count + 1, phase};
}

static nest_phase phase_with(arena *a, const nest_phase *phase, nest *n) {
    nest **nests = arena_array(a, nest *, phase->count + 1);
    if (phase->count) memcpy(nests, phase->nest, sizeof *nests * (size_t)phase->count);
    nests[phase->count] = n;
    return (nest_phase){phase->count + 1, nests};
}

nest_program program_before_last(arena *a, const nest_program *p, nest *n) {
    static const nest_phase none;
    const int last = p->count - 1;
    const bool is_new = last < 2;
    nest_phase *phase = arena_array(a, nest_phase, p->count + 1);
    memcpy(phase, p->phase, sizeof *phase * (size_t)p->count);
    phase[last + is_new] = p->phase[last];
    phase[last + is_new - 1] = phase_with(a, is_new ? &none : &p->phase[last - 1], n);
    return (nest_program){p->count + is_new, phase};
}

nest_program program_with(arena *a, const nest_program *p, nest *n) {
    nest_phase *phase = arena_copy(a, p->phase, sizeof *phase * (size_t)p->count), *last = &phase[p->count - 1];
    *last = phase_with(a, last, n);
    return (nest_program){p->count, phase};
}

/* ---- what a program is ---- */

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
    const int each = type_bytes(t->type);
    int64_t elements = t->begin + t->elements, bytes = elements * each;
    if (!needs->name) needs->name = t->name, needs->held = t->added_to, needs->narrowest = each;
    if (each < needs->narrowest) needs->narrowest = each;
    if (each > needs->widest) needs->widest = each;
    if (elements > needs->elements) needs->elements = elements;
    if (bytes > needs->bytes) needs->bytes = bytes;
    if (t->image) needs->image_bytes = t->image * type_bytes(t->type);
    if (t->alignment > needs->alignment) needs->alignment = t->alignment;
}

program_buffer program_needs(const nest_program *p, nest_role role) {
    program_buffer needs = {.alignment = 1};
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
