/* Constants: from nested lists, or from a program's array, to dense weights. */
#include "spec/constants.h"

#include "spec/limits.h"
#include "spec/reader.h"
#include "spec/scalar.h"

#include <math.h>
#include <string.h>

enum { MOST_LEVELS = 2 + AXES };

/* Lists within lists: so many of each, outermost first. */
typedef struct nesting {
    int levels;
    int64_t size[MOST_LEVELS];
} nesting;

typedef struct filling {
    const cvk_spec *s;
    const findings *f;
    const constants *from;
    nesting shape;
    char *next;
    bool sound;
} filling;

bool constants_repeat(const cvk_spec *s) { return spec_group_in(s) == 1 && spec_group_out(s) == 1; }

static nesting of_kernel(const cvk_spec *s) {
    nesting n = {.levels = s->rank};
    for (int i = 0; i < s->rank; i++) n.size[i] = s->kernel[AXES - s->rank + i];
    return n;
}

/* As weights are dense. */
static nesting of_all(const cvk_spec *s) {
    const nesting kernel = of_kernel(s);
    nesting n = {.levels = 2 + kernel.levels,
                 .size = {s->transposed ? s->in_channels : s->out_channels,
                          s->transposed ? spec_group_out(s) : spec_group_in(s)}};
    memcpy(n.size + 2, kernel.size, sizeof *kernel.size * (size_t)kernel.levels);
    return n;
}

static int levels_of(const node *n) {
    int levels = 0;
    for (; n->kind == NODE_SEQUENCE && levels <= MOST_LEVELS; n = n->child[0]) {
        levels++;
        if (n->count == 0) break;
    }
    return levels;
}

static void broken(const filling *b, place at, diag_code code, const char *hint, const char *what) {
    report_error(b->f->report, code, at, hint, "%s.weights: %s", b->f->owner, what);
}

/* "3 x 3", or "8 x 1 x 3 x 3". */
static const char *words_of(arena *a, const nesting *n) {
    text words = text_new(a);
    for (int i = 0; i < n->levels; i++) text_add(&words, "%s%lld", i ? " x " : "", (long long)n->size[i]);
    return words.bytes;
}

static void refuse_shape(filling *b, arena *a, const node *at, const char *found) {
    const nesting kernel = of_kernel(b->s), all = of_all(b->s);
    const char *expected = words_of(a, &all);
    if (constants_repeat(b->s)) expected = arena_format(a, "%s, or %s", words_of(a, &kernel), expected);
    b->sound = false;
    broken(b, at->at, E_LENGTH, "lists within lists, one for each axis of the kernel",
           arena_format(a, "expected values of the shape %s, got %s", expected, found));
}

/* A number of the type, if its `scale`-fold is one. */
static bool represent(const cvk_spec *s, double value, double *to) {
    *to = type_round(s->weights_type, value) + 0.0; /* and no negative zero */
    return isfinite(*to) && (type_is_float(s->weights_type) || *to == value);
}

static void take_number(filling *b, arena *a, const node *n) {
    double value = 0, rounded;
    const cvk_type type = b->s->weights_type;
    if (!scalar_float(n, &value) || !represent(b->s, value * b->from->scale, &rounded)) {
        b->sound = false;
        broken(b, n->at, E_FLOAT, type_is_float(type) ? NULL : "integers are given as they are stored",
               arena_format(a, "%s, times the scale, is no %s", show_text(n->text).text, type_name(type)));
        return;
    }
    type_write(type, b->next, rounded);
    b->next += type_bytes(type);
}

static void take(filling *b, arena *a, const node *n, int level) {
    if (!b->sound) return;
    if (level == b->shape.levels && n->kind == NODE_SCALAR) {
        take_number(b, a, n);
    } else if (level == b->shape.levels || n->kind != NODE_SEQUENCE || n->count != (size_t)b->shape.size[level]) {
        refuse_shape(b, a, n, describe(n).text);
    } else {
        for (size_t i = 0; i < n->count; i++) take(b, a, n->child[i], level + 1);
    }
}

static void repeat(const cvk_spec *s, char *dense) {
    const size_t each = (size_t)(spec_taps(s) * type_bytes(s->weights_type));
    for (int64_t c = 1; c < s->out_channels; c++) memcpy(dense + (size_t)c * each, dense, each);
}

/* What has no weights takes none; and they are few. */
static bool has_room(const cvk_spec *s, const findings *f) {
    const place at = f->at[FIELD_weights];
    if (!spec_has_weights(s))
        report_error(f->report, E_DIRECTION, at, NULL, "%s.weights: gradients of weights take none", f->owner);
    else if (spec_weights_elements(s) > LIMIT_CONSTANTS)
        report_error(f->report, E_NUMBER_LIMIT, at, "`convoke compile --weights` makes any number part of the code",
                     "%s.weights: %lld values are over the limit of %d", f->owner, (long long)spec_weights_elements(s),
                     LIMIT_CONSTANTS);
    else
        return true;
    return false;
}

static char *room_for(const cvk_spec *s, arena *a) {
    return arena_alloc(a, (size_t)(spec_weights_elements(s) * type_bytes(s->weights_type)));
}

void constants_settle(cvk_spec *s, arena *a, const constants *from, const findings *f) {
    if (!from->values || !has_room(s, f)) return;
    char *dense = room_for(s, a);
    const nesting kernel = of_kernel(s), all = of_all(s);
    const bool repeated = constants_repeat(s) && levels_of(from->values) <= kernel.levels;
    filling b = {s, f, from, repeated ? kernel : all, dense, true};
    take(&b, a, from->values, 0);
    if (!b.sound) return;
    if (repeated) repeat(s, dense);
    s->known = dense;
}

static bool all_finite(const cvk_spec *s, const char *dense, int64_t count) {
    for (int64_t i = 0; i < count; i++)
        if (!isfinite(type_read(s->weights_type, dense + i * type_bytes(s->weights_type)))) return false;
    return true;
}

/* Zeros have one sign: printed, they are read back so. */
static void copy_numbers(const cvk_spec *s, const char *from, int64_t count, char *to) {
    const int bytes = type_bytes(s->weights_type);
    for (int64_t i = 0; i < count; i++)
        type_write(s->weights_type, to + i * bytes, type_read(s->weights_type, from + i * bytes) + 0.0);
}

void constants_take(cvk_spec *s, arena *a, const void *from, uint64_t bytes, const findings *f) {
    if (!from || !has_room(s, f)) return;
    const uint64_t each = (uint64_t)type_bytes(s->weights_type), all = each * (uint64_t)spec_weights_elements(s);
    const bool repeated = constants_repeat(s) && bytes == each * (uint64_t)spec_taps(s);
    const int64_t count = (int64_t)(bytes / each);
    const place at = f->at[FIELD_weights];
    if (bytes != all && !repeated) {
        report_error(f->report, E_LENGTH, at, NULL, "%s.weights: expected %llu bytes, got %llu", f->owner,
                     (unsigned long long)all, (unsigned long long)bytes);
    } else if (!all_finite(s, from, count)) {
        report_error(f->report, E_FLOAT, at, NULL, "%s.weights: expected finite numbers", f->owner);
    } else {
        char *dense = room_for(s, a);
        copy_numbers(s, from, count, dense);
        if (repeated && bytes != all) repeat(s, dense);
        s->known = dense;
    }
}
