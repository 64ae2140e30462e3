/* Needs nests that nest_check accepts; walks through their loops with all but the accesses to one tensor left out, and
 * keeps bits for each element: stored by an earlier phase; stored in this one; by the task at hand; read in this one.
 */
#include "nest/stored.h"

#include "nest/flat.h"

#include <stdlib.h>
#include <string.h>

enum { WORD = 64 };

typedef struct marks {
    const nest *nest;
    nest_role role;
    int64_t origin, elements, words; /* elements of the role from `origin` on */
    uint64_t *before, *now, *mine, *read;
    int64_t *touched, touched_count; /* words of `mine`; kept only in nests that read the tensor, too */
    bool is_read;
    int64_t loads_left; /* how many it may still walk through; below 0: it has not */
    const char *fault;  /* what is wrong with an element, or NULL */
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

static bool is_added_to(const marks *m, const flat_op *o) { return m->nest->tensors[o->op->at.tensor].added_to; }

static void take(marks *m, int64_t word, uint64_t bits) {
    if (!m->mine[word]) m->touched[m->touched_count++] = word;
    m->mine[word] |= bits;
}

static void end_task(marks *m) {
    while (m->touched_count > 0) m->mine[m->touched[--m->touched_count]] = 0;
}

/* A task may store what it has read itself, where it adds. */
static bool store_word(marks *m, const flat_op *o, int64_t word, uint64_t bits) {
    uint64_t twice = m->now[word] & bits, late = m->read[word] & bits & ~(is_added_to(m, o) ? m->mine[word] : 0);
    if (twice) return refuse(m, o, word * WORD + first_of(twice), "is stored a second time");
    if (late) return refuse(m, o, word * WORD + first_of(late), "is stored by the phase that reads it");
    m->now[word] |= bits;
    if (m->is_read) take(m, word, bits);
    return true;
}

/* What is added to is read before it is stored. */
static bool load_addend(marks *m, const flat_op *o, int64_t word, uint64_t bits) {
    uint64_t again = m->now[word] & bits;
    if (again) return refuse(m, o, word * WORD + first_of(again), "is added to a second time");
    m->read[word] |= bits;
    take(m, word, bits);
    return true;
}

static bool load_word(marks *m, const flat_op *o, int64_t word, uint64_t bits) {
    uint64_t early = bits & ~m->before[word] & ~m->now[word], others = bits & m->now[word] & ~m->mine[word];
    if (early) return refuse(m, o, word * WORD + first_of(early), "is read before it is stored");
    if (others) return refuse(m, o, word * WORD + first_of(others), "is stored by another task of the phase");
    if (is_added_to(m, o)) return load_addend(m, o, word, bits);
    m->read[word] |= bits & ~m->mine[word];
    return true;
}

/* An element of the tensor among those that are marked. */
static int64_t placed(const marks *m, const flat_op *o, int64_t at) {
    return at + m->nest->tensors[o->op->at.tensor].begin - m->origin;
}

static bool run_store(void *context, const flat_op *o, int64_t at) {
    return mark(context, o, placed(context, o, at), store_word);
}

static bool run_load(void *context, const flat_op *o, int64_t at) {
    marks *m = context;
    return m->loads_left-- > 0 && mark(m, o, placed(m, o, at), load_word);
}

static bool run_splat(void *context, const flat_op *o, int64_t at) {
    marks *m = context;
    at = placed(m, o, at);
    int64_t last = at + o->op->repeat - 1;
    if (m->loads_left-- <= 0) return false;
    if (!in_tensor(m, at, last)) return refuse(m, o, at, "is outside the tensor");
    return mark_run(m, o, at, o->op->repeat, load_word);
}

static bool prepare(void *context, flat_op *o) {
    marks *m = context;
    op_kind kind = o->op->kind;
    bool accesses = kind == OP_STORE || kind == OP_LOAD || kind == OP_SPLAT;
    if (!accesses || !o->active) return true;
    if (o->op->at.tensor < 0 || o->op->at.tensor >= m->nest->tensor_count) return false;
    const nest_tensor *t = &m->nest->tensors[o->op->at.tensor];
    if (t->role != m->role || t->work) return true;
    o->run = kind == OP_STORE ? run_store : kind == OP_LOAD ? run_load : run_splat;
    m->is_read |= kind != OP_STORE;
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
    m->is_read = false;
    const flat *f = flat_make(&a, n, prepare, m);
    flat_state *s = f ? flat_begin(&a, f, m) : NULL;
    bool good = s != NULL;
    for (int64_t task = 0; task < n->tasks && good; task++) {
        good = flat_task(s, task);
        end_task(m);
    }
    arena_free(&a);
    return good ? CVK_OK : m->loads_left < 0 ? CVK_ERROR_UNSUPPORTED : CVK_ERROR_INTERNAL;
}

static cvk_status walk_phase(const nest *const *nests, int count, marks *m) {
    cvk_status status = CVK_OK;
    for (int i = 0; i < count && status == CVK_OK; i++) status = walk(nests[i], m);
    return status;
}

static void end_phase(marks *m) {
    for (int64_t i = 0; i < m->words; i++) {
        m->before[i] |= m->now[i];
        m->now[i] = m->read[i] = 0;
    }
}

/* That every element is stored by the phase that has just been walked through. */
static cvk_status expect_all(marks *m) {
    for (int64_t word = 0; word < m->words; word++) {
        int64_t left = m->elements - word * WORD;
        uint64_t missing = ~m->now[word] & bits_of(0, left < WORD ? left : WORD);
        if (!missing) continue;
        m->fault = "is never stored", m->element = word * WORD + first_of(missing), m->op = NULL;
        return CVK_ERROR_INTERNAL;
    }
    return CVK_OK;
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

static cvk_status open_marks(marks *m, nest_role role, int64_t elements, int64_t most) {
    enum { SETS = 5 };
    *m = (marks){.role = role, .elements = elements, .words = (elements + WORD - 1) / WORD, .loads_left = most};
    if (elements > most) return CVK_ERROR_UNSUPPORTED;
    m->before = calloc((size_t)m->words * SETS, sizeof *m->before);
    if (!m->before) return CVK_ERROR_MEMORY;
    m->now = m->before + m->words, m->mine = m->now + m->words, m->read = m->mine + m->words;
    m->touched = (int64_t *)(m->read + m->words);
    return CVK_OK;
}

/* Every element was there before. */
static void hold_all(marks *m) { memset(m->before, 0xFF, (size_t)m->words * sizeof *m->before); }

static void close_marks(marks *m, const char *name, cvk_diagnostics *d) {
    if (m->fault) report(m, name, d);
    free(m->before);
}

static const nest_tensor *tensor_of(const nest *n, nest_role role) {
    for (int i = 0; i < n->tensor_count; i++)
        if (n->tensors[i].role == role) return &n->tensors[i];
    return NULL;
}

cvk_status nest_certify_stored(const nest *const *nests, int count, nest_role role, int64_t most, cvk_diagnostics *d) {
    const nest_tensor *t = NULL;
    for (int i = 0; i < count && !t; i++) t = tensor_of(nests[i], role);
    if (!t || t->elements == 0) return CVK_OK;
    marks m;
    cvk_status status = open_marks(&m, role, t->elements, most);
    m.origin = t->begin;
    if (status == CVK_OK && t->added_to) hold_all(&m);
    if (status == CVK_OK) status = walk_phase(nests, count, &m);
    if (status == CVK_OK) status = expect_all(&m);
    close_marks(&m, t->name, d);
    return status;
}

cvk_status pack_certify_stored(const nest_phase *pack, int64_t most, cvk_diagnostics *d) {
    cvk_status status = CVK_OK;
    for (int i = 0; i < pack->count && status == CVK_OK; i++) {
        const nest *n = pack->nest[i];
        status = nest_certify_stored(&n, 1, ROLE_PACK_TO, most, d);
    }
    return status;
}

static int last_that_writes(const nest_program *p, nest_role role) {
    for (int i = p->count - 1; i > 0; i--)
        for (int k = 0; k < p->phase[i].count; k++) {
            const nest_tensor *t = tensor_of(p->phase[i].nest[k], role);
            if (t && t->writable) return i;
        }
    return 0;
}

/* `wholly`: what the last phase that may write the tensor leaves is all of it. */
static cvk_status certify(const nest_program *p, nest_role role, bool wholly, int64_t most, cvk_diagnostics *d) {
    const program_buffer needs = program_needs(p, role);
    const int last = last_that_writes(p, role);
    if (needs.elements == 0) return CVK_OK;
    marks m;
    cvk_status status = open_marks(&m, role, needs.elements, most);
    if (status == CVK_OK && needs.held) hold_all(&m);
    for (int i = 0; i < p->count && status == CVK_OK; i++) {
        status = walk_phase((const nest *const *)p->phase[i].nest, p->phase[i].count, &m);
        if (status == CVK_OK && wholly && i == last) status = expect_all(&m);
        if (i + 1 < p->count) end_phase(&m);
    }
    close_marks(&m, needs.name, d);
    return status;
}

cvk_status program_certify_stored(const nest_program *p, int64_t most, cvk_diagnostics *d) {
    static const struct {
        nest_role role;
        bool wholly;
    } stored[] = {{ROLE_OUTPUT, true}, {ROLE_INDICES, true}, {ROLE_WORKSPACE, false}};
    cvk_status all = CVK_OK;
    for (size_t i = 0; i < sizeof stored / sizeof *stored; i++) {
        cvk_status status = certify(p, stored[i].role, stored[i].wholly, most, d);
        if (status != CVK_OK && status != CVK_ERROR_UNSUPPORTED) return status;
        if (status != CVK_OK) all = status;
    }
    return all;
}
