/* nest_certify_stored: needs nests that nest_check accepts; walks through their loops with all but the accesses to one
 * tensor left out, and keeps a bit for each element: stored. */
#include "nest/stored.h"

#include "nest/flat.h"

#include <stdlib.h>

enum { WORD = 64 };

typedef struct marks {
    const nest *nest;
    nest_role role;
    int64_t elements;
    uint64_t *stored;
    const char *fault; /* what is wrong with an element, or NULL */
    int64_t element;
    const nest_op *op; /* that does it, or NULL */
} marks;

static bool refuse(marks *m, const flat_op *o, int64_t element, const char *fault) {
    m->fault = fault, m->element = element, m->op = o->op;
    return false;
}

static int first_of(uint64_t bits) { return __builtin_ctzll(bits); }

/* Active lanes are neighbours: lanes first <= l < first + count. */
static int64_t first_lane(const flat_op *o) { return first_of(o->active); }
static int64_t lane_count(const flat_op *o) { return __builtin_popcountll(o->active); }

/* Elements first <= i < first + count that lie in one word of marks. */
static uint64_t bits_of(int64_t first, int64_t count) {
    return (count == WORD ? ~UINT64_C(0) : (UINT64_C(1) << count) - 1) << first % WORD;
}

static bool in_tensor(const marks *m, int64_t first, int64_t last) { return first >= 0 && last < m->elements; }

/* `each` word of a run of neighbouring elements; false: it said stop. */
typedef bool mark_word(marks *m, const flat_op *o, int64_t word, uint64_t bits);

static bool mark_run(marks *m, const flat_op *o, int64_t first, int64_t count, mark_word *each) {
    while (count > 0) {
        int64_t here = WORD - first % WORD < count ? WORD - first % WORD : count;
        if (!each(m, o, first / WORD, bits_of(first, here))) return false;
        first += here, count -= here;
    }
    return true;
}

static bool mark(marks *m, const flat_op *o, int64_t at, mark_word *each) {
    int64_t stride = o->op->at.stride, first = at + first_lane(o) * stride, count = lane_count(o);
    int64_t last = first + (count - 1) * stride;
    if (!in_tensor(m, first < last ? first : last, first < last ? last : first))
        return refuse(m, o, first, "is outside the tensor");
    if (stride == 1) return mark_run(m, o, first, count, each);
    for (int64_t l = 0; l < count; l++)
        if (!mark_run(m, o, first + l * stride, 1, each)) return false;
    return true;
}

static bool store_word(marks *m, const flat_op *o, int64_t word, uint64_t bits) {
    uint64_t twice = m->stored[word] & bits;
    if (twice) return refuse(m, o, word * WORD + first_of(twice), "is stored a second time");
    m->stored[word] |= bits;
    return true;
}

static bool load_word(marks *m, const flat_op *o, int64_t word, uint64_t bits) {
    uint64_t early = bits & ~m->stored[word];
    return !early || refuse(m, o, word * WORD + first_of(early), "is read before it is stored");
}

static bool run_store(void *context, const flat_op *o, int64_t at) { return mark(context, o, at, store_word); }
static bool run_load(void *context, const flat_op *o, int64_t at) { return mark(context, o, at, load_word); }

static bool run_splat(void *context, const flat_op *o, int64_t at) {
    marks *m = context;
    int64_t last = at + o->op->repeat - 1;
    if (!in_tensor(m, at, last)) return refuse(m, o, at, "is outside the tensor");
    return mark_run(m, o, at, o->op->repeat, load_word);
}

static bool prepare(void *context, flat_op *o) {
    const marks *m = context;
    op_kind kind = o->op->kind;
    bool accesses = kind == OP_STORE || kind == OP_LOAD || kind == OP_SPLAT;
    if (!accesses || !o->active) return true;
    if (o->op->at.tensor < 0 || o->op->at.tensor >= m->nest->tensor_count) return false;
    if (m->nest->tensors[o->op->at.tensor].role == m->role)
        o->run = kind == OP_STORE ? run_store : kind == OP_LOAD ? run_load : run_splat;
    return true;
}

/* CVK_ERROR_INTERNAL, without a fault: malformed. */
static cvk_status walk(const nest *n, marks *m) {
    arena a;
    arena_init(&a);
    if (arena_guard(&a)) {
        arena_free(&a);
        return CVK_ERROR_MEMORY;
    }
    m->nest = n;
    const flat *f = flat_make(&a, n, prepare, m);
    flat_state *s = f ? flat_begin(&a, f, m) : NULL;
    bool good = s != NULL;
    for (int64_t task = 0; task < n->tasks && good; task++) good = flat_task(s, task);
    arena_free(&a);
    return good ? CVK_OK : CVK_ERROR_INTERNAL;
}

static const nest_tensor *tensor_of(const nest *n, nest_role role) {
    for (int i = 0; i < n->tensor_count; i++)
        if (n->tensors[i].role == role) return &n->tensors[i];
    return NULL;
}

/* An element that no nest stores, or -1. */
static int64_t missing(const marks *m) {
    for (int64_t word = 0; word * WORD < m->elements; word++) {
        int64_t left = m->elements - word * WORD;
        uint64_t not = ~m->stored[word] & bits_of(0, left < WORD ? left : WORD);
        if (not) return word * WORD + first_of(not);
    }
    return -1;
}

static void report(const marks *m, const char *name, cvk_diagnostics *d) {
    place at = {.file = m->nest->name};
    if (!m->op) {
        diag_error(d, E_NEST, at, NULL, "%s[%lld] %s", name, (long long)m->element, m->fault);
        return;
    }
    text statement = text_new(m->nest->arena);
    nest_print_op(m->nest, m->op, &statement);
    diag_error(d, E_NEST, at, NULL, "%s[%lld] %s, by %s", name, (long long)m->element, m->fault, statement.bytes);
}

cvk_status nest_certify_stored(const nest *const *nests, int count, nest_role role, int64_t most, cvk_diagnostics *d) {
    const nest_tensor *t = NULL;
    for (int i = 0; i < count && !t; i++) t = tensor_of(nests[i], role);
    if (!t || t->elements == 0) return CVK_OK;
    if (t->elements > most) return CVK_ERROR_UNSUPPORTED;
    marks m = {.role = role, .elements = t->elements};
    m.stored = calloc((size_t)((t->elements + WORD - 1) / WORD), sizeof *m.stored);
    cvk_status status = m.stored ? CVK_OK : CVK_ERROR_MEMORY;
    for (int i = 0; i < count && status == CVK_OK; i++) status = walk(nests[i], &m);
    if (status == CVK_OK && (m.element = missing(&m)) >= 0) {
        m.fault = "is never stored";
        status = CVK_ERROR_INTERNAL;
    }
    free(m.stored);
    if (m.fault) report(&m, t->name, d);
    return status;
}

static bool writes(const nest_phase *phase, nest_role role) {
    for (int i = 0; i < phase->count; i++) {
        const nest_tensor *t = tensor_of(phase->nest[i], role);
        if (t && t->writable) return true;
    }
    return false;
}

cvk_status program_certify_stored(const nest_program *p, nest_role role, int64_t most, cvk_diagnostics *d) {
    int last = p->count - 1;
    while (last > 0 && !writes(&p->phase[last], role)) last--;
    return nest_certify_stored((const nest *const *)p->phase[last].nest, p->phase[last].count, role, most, d);
}
