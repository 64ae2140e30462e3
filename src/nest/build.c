/* Building nests: keeps the place where the next statement goes and the scope there, in which clips and quotients are
 * decided at once by the same bounds that nest_check uses. */
#include "nest/build.h"

#include <string.h>

/* What build_end returns to; one for each open loop or condition, also for those that left no trace. */
struct build_frame {
    struct build_frame *outer;
    nest_statement **tail; /* where the statement's successor goes; NULL: no statement was made */
    nest_scope *scope;
};

nest_builder nest_begin(arena *a, const char *name, nest_entry entry, int vector_bytes) {
    nest *n = arena_new(a, nest);
    n->arena = a;
    n->name = name;
    n->entry = entry;
    n->vector_bytes = vector_bytes;
    n->tasks = 1;
    return (nest_builder){.nest = n, .tail = &n->body};
}

nest *nest_finish(nest_builder *b) {
    if (b->frames) b->nest->fault = "a loop or condition is not closed";
    return b->nest;
}

int nest_lanes(const nest *n, cvk_type type) {
    const int bytes = type_bytes(type);
    return bytes < n->vector_bytes ? n->vector_bytes / bytes : 1;
}

/* `list` of `count` things, or where it is full a copy twice as long. */
static void *with_room(arena *a, void *list, size_t size, int count, int *capacity) {
    if (count < *capacity) return list;
    *capacity = *capacity ? 2 * *capacity : 16;
    void *grown = arena_alloc(a, size * (size_t)*capacity);
    if (count) memcpy(grown, list, size * (size_t)count);
    return grown;
}

int nest_add_tensor(nest_builder *b, const char *name, nest_role role, cvk_type type, int64_t elements, int alignment,
                    bool writable) {
    nest *n = b->nest;
    n->tensors = with_room(n->arena, n->tensors, sizeof *n->tensors, n->tensor_count, &n->tensor_capacity);
    n->tensors[n->tensor_count] = (nest_tensor){
        .name = name, .role = role, .type = type, .elements = elements, .alignment = alignment, .writable = writable};
    return n->tensor_count++;
}

void nest_count_from(nest_builder *b, int tensor, int zero) { b->nest->tensors[tensor].zero = zero; }

void nest_lie_in(nest_builder *b, int tensor, int64_t image, int64_t period, int64_t width) {
    nest_tensor *t = &b->nest->tensors[tensor];
    t->image = image;
    t->period = period;
    t->width = width;
}

int nest_add_part(nest_builder *b, const char *name, nest_role role, cvk_type type, int64_t begin, int64_t elements,
                  int alignment, bool writable) {
    int t = nest_add_tensor(b, name, role, type, elements, alignment, writable);
    b->nest->tensors[t].begin = begin;
    return t;
}

int nest_add_work(nest_builder *b, const char *name, nest_role role, cvk_type type, int64_t begin, int64_t elements) {
    int t = nest_add_part(b, name, role, type, begin, elements, type_bytes(type), true);
    b->nest->tensors[t].work = true;
    return t;
}

int nest_add_cosines(nest_builder *b, const char *name, cvk_type type, const int32_t *part, int64_t elements,
                     int halvings) {
    int t = nest_add_tensor(b, name, ROLE_TABLE, type, elements, type_bytes(type), false);
    b->nest->tensors[t].part = part;
    b->nest->tensors[t].halvings = halvings;
    return t;
}

int nest_add_sums(nest_builder *b, const char *name, nest_role role, cvk_type type, int64_t elements, bool added_to) {
    int t = nest_add_tensor(b, name, role, type, elements, type_bytes(type), true);
    b->nest->tensors[t].added_to = added_to;
    return t;
}

int nest_add_register(nest_builder *b, const char *name, cvk_type type, int lanes, int count) {
    nest *n = b->nest;
    n->registers = with_room(n->arena, n->registers, sizeof *n->registers, n->register_count, &n->register_capacity);
    n->registers[n->register_count] = (nest_register){name, type, lanes, count};
    return n->register_count++;
}

static int add_variable(nest *n, nest_variable v) {
    n->variables = with_room(n->arena, n->variables, sizeof *n->variables, n->variable_count, &n->variable_capacity);
    n->variables[n->variable_count] = v;
    return n->variable_count++;
}

static nest_statement *append(nest_builder *b, statement_kind kind) {
    nest_statement *s = arena_new(b->nest->arena, nest_statement);
    s->kind = kind;
    *b->tail = s;
    b->tail = &s->next;
    return s;
}

static void open_frame(nest_builder *b, nest_statement *s) {
    struct build_frame *f = arena_new(b->nest->arena, struct build_frame);
    f->outer = b->frames;
    f->scope = b->scope;
    b->frames = f;
    if (!s) return;
    f->tail = b->tail;
    b->tail = &s->body;
    nest_scope *inner = arena_new(b->nest->arena, nest_scope);
    *inner = (nest_scope){b->scope, s};
    b->scope = inner;
}

void build_end(nest_builder *b) {
    struct build_frame *f = b->frames;
    if (!f) {
        b->nest->fault = "a loop or condition is closed that is not open";
        return;
    }
    if (f->tail) b->tail = f->tail;
    b->scope = f->scope;
    b->frames = f->outer;
}

static nest_bound bound_of(int64_t value) { return (nest_bound){affine_constant(value), 1}; }

nest_range range_of(nest_builder *b, int64_t low, int64_t high) {
    nest_range r = {1, 1, arena_new(b->nest->arena, nest_bound), arena_new(b->nest->arena, nest_bound)};
    *r.low = bound_of(low);
    *r.high = bound_of(high);
    return r;
}

static nest_bound *with_bound(nest_builder *b, nest_bound *list, int *count, nest_bound added) {
    nest_bound *grown = arena_array(b->nest->arena, nest_bound, *count + 1);
    memcpy(grown, list, sizeof *grown * (size_t)*count);
    grown[(*count)++] = added;
    return grown;
}

/* The constant end of a range made by range_of is its first bound and stays there. */
void range_clip_low(nest_builder *b, nest_range *r, affine numerator, int64_t divisor) {
    int64_t low = r->low[0].numerator.constant;
    if (ceil_div(nest_maximum(b->nest, b->scope, numerator), divisor) <= low) return;
    if (affine_is_constant(&numerator)) {
        r->low = arena_copy(b->nest->arena, r->low, sizeof *r->low * (size_t)r->low_count);
        r->low[0] = bound_of(ceil_div(numerator.constant, divisor));
    } else {
        r->low = with_bound(b, r->low, &r->low_count, (nest_bound){numerator, divisor});
    }
}

void range_clip_high(nest_builder *b, nest_range *r, affine numerator, int64_t divisor) {
    int64_t high = r->high[0].numerator.constant;
    if (floor_div(nest_minimum(b->nest, b->scope, numerator), divisor) >= high) return;
    if (affine_is_constant(&numerator)) {
        r->high = arena_copy(b->nest->arena, r->high, sizeof *r->high * (size_t)r->high_count);
        r->high[0] = bound_of(floor_div(numerator.constant, divisor));
    } else {
        r->high = with_bound(b, r->high, &r->high_count, (nest_bound){numerator, divisor});
    }
}

static bool one_trip(const nest_range *r, int64_t *value) {
    if (r->low_count != 1 || r->high_count != 1) return false;
    *value = r->low[0].numerator.constant;
    return r->high[0].numerator.constant - *value == 1;
}

affine build_for(nest_builder *b, variable_kind kind, const char *name, nest_range range) {
    int64_t value;
    if (one_trip(&range, &value)) {
        open_frame(b, NULL);
        return affine_constant(value);
    }
    int v = add_variable(b->nest, (nest_variable){.name = name, .kind = kind, .range = range});
    nest_statement *s = append(b, STATEMENT_FOR);
    s->variable = v;
    open_frame(b, s);
    return affine_variable(v);
}

affine build_task(nest_builder *b, const char *name, int64_t trips) {
    b->nest->tasks *= trips;
    return build_for(b, VARIABLE_TASK, name, range_of(b, 0, trips));
}

affine build_loop(nest_builder *b, const char *name, int64_t trips) {
    return build_for(b, VARIABLE_LOOP, name, range_of(b, 0, trips));
}

affine build_unrolled(nest_builder *b, const char *name, int64_t trips) {
    return build_for(b, VARIABLE_UNROLLED, name, range_of(b, 0, trips));
}

void build_if(nest_builder *b, affine e, const char *note) {
    if (nest_minimum(b->nest, b->scope, e) >= 0) {
        open_frame(b, NULL);
        return;
    }
    nest_statement *s = append(b, STATEMENT_IF);
    s->condition = e;
    s->note = note;
    open_frame(b, s);
}

/* e = divisor * q + r; where 0 <= r < divisor always, floor(e / divisor) is q. */
affine build_quotient(nest_builder *b, affine e, int64_t divisor) {
    affine q = affine_constant(floor_div(e.constant, divisor));
    for (int i = 0; i < e.count; i++)
        q = affine_add_scaled(q, affine_variable(e.term[i].variable), floor_div(e.term[i].coefficient, divisor));
    affine r = affine_add_scaled(e, q, -divisor);
    if (nest_minimum(b->nest, b->scope, r) >= 0 && nest_maximum(b->nest, b->scope, r) < divisor) return q;
    for (int v = 0; v < b->nest->variable_count; v++) {
        const nest_variable *known = &b->nest->variables[v];
        if (known->kind == VARIABLE_QUOTIENT && known->quotient.divisor == divisor &&
            affine_equal(&known->quotient.numerator, &e))
            return affine_variable(v);
    }
    nest_variable made = {.name = "q", .kind = VARIABLE_QUOTIENT, .quotient = {e, divisor}};
    return affine_variable(add_variable(b->nest, made));
}

register_ref reg(int array, affine index) { return (register_ref){array, index}; }

nest_access access_at(int tensor, affine offset, int64_t stride) { return (nest_access){tensor, offset, stride}; }

static const register_ref NO_REGISTER = {.array = -1};

static nest_op *append_op(nest_builder *b, op_kind kind, register_ref to) {
    nest_op *op = arena_new(b->nest->arena, nest_op);
    op->kind = kind; /* all else is 0: an operation is large, and there are many */
    op->to = to;
    op->a.array = op->b.array = op->c.array = NO_REGISTER.array;
    op->at.tensor = -1;
    append(b, STATEMENT_OP)->op = op;
    return op;
}

static const nest_range *kept_range(nest_builder *b, const nest_range *lanes) {
    return lanes ? arena_copy(b->nest->arena, lanes, sizeof *lanes) : NULL;
}

/* `value` as the register holds it; as it is where there is no such register, which nest_check reports. */
static double rounded_for(const nest_builder *b, register_ref to, double value) {
    bool known = to.array >= 0 && to.array < b->nest->register_count;
    return known ? type_round(b->nest->registers[to.array].type, value) : value;
}

void build_const(nest_builder *b, register_ref to, double value) {
    append_op(b, OP_CONST, to)->value = rounded_for(b, to, value);
}

void build_const_ratio(nest_builder *b, register_ref to, int64_t over, int64_t under) {
    nest_op *op = append_op(b, OP_CONST, to);
    op->value = rounded_for(b, to, (double)over / (double)under);
    op->over = over;
    op->under = under;
}

/* ---- conversion on the way between a register and a tensor of another type ---- */

static const char CONVERTED[] = "as_stored", ZERO_POINT[] = "zero";

/* One for all of its type and lanes. */
static register_ref own_register(nest_builder *b, const char *name, cvk_type type, int lanes) {
    const nest *n = b->nest;
    for (int i = 0; i < n->register_count; i++)
        if (n->registers[i].name == name && n->registers[i].type == type && n->registers[i].lanes == lanes)
            return reg(i, affine_constant(0));
    return reg(nest_add_register(b, name, type, lanes, 1), affine_constant(0));
}

/* What does not exist is for nest_check to report. */
register_ref build_moved(nest_builder *b, register_ref r, int tensor) {
    const nest *n = b->nest;
    const bool known = r.array >= 0 && r.array < n->register_count && tensor >= 0 && tensor < n->tensor_count;
    if (!known || n->registers[r.array].type == n->tensors[tensor].type) return r;
    return own_register(b, CONVERTED, n->tensors[tensor].type, n->registers[r.array].lanes);
}

/* Of what was loaded; lanes that were not stay 0. */
static void subtract_zero(nest_builder *b, register_ref to, const nest_access *at, const nest_range *lanes) {
    const int point = b->nest->tensors[at->tensor].zero;
    if (point == 0) return;
    const nest_register *r = &b->nest->registers[to.array];
    const register_ref zero = own_register(b, ZERO_POINT, r->type, r->lanes);
    build_const(b, zero, point);
    build_op(b, OP_SUB, to, to, zero);
    if (lanes) build_keep(b, to, to, lanes);
}

/* To the register that is meant, from where the access moved it. */
static void widen(nest_builder *b, register_ref to, register_ref from, const nest_access *at, const nest_range *lanes) {
    if (to.array == from.array) return;
    build_convert(b, to, from);
    subtract_zero(b, to, at, lanes);
}

static void append_load(nest_builder *b, register_ref to, nest_access at, const nest_range *lanes) {
    nest_op *op = append_op(b, OP_LOAD, to);
    op->at = at;
    op->lanes = kept_range(b, lanes);
}

void build_load(nest_builder *b, register_ref to, nest_access at, const nest_range *lanes) {
    const register_ref from = build_moved(b, to, at.tensor);
    append_load(b, from, at, lanes);
    widen(b, to, from, &at, lanes);
}

void build_splat(nest_builder *b, register_ref to, nest_access at) { build_splat_repeated(b, to, at, 1); }

void build_splat_repeated(nest_builder *b, register_ref to, nest_access at, int repeat) {
    const register_ref from = build_moved(b, to, at.tensor);
    nest_op *op = append_op(b, OP_SPLAT, from);
    op->at = at;
    op->repeat = repeat;
    widen(b, to, from, &at, NULL);
}

register_ref build_as_stored(nest_builder *b, register_ref a, int tensor) {
    const register_ref to = build_moved(b, a, tensor);
    if (to.array == a.array) return a;
    build_convert_from(b, to, a, b->nest->tensors[tensor].zero);
    return to;
}

static nest_op *append_store(nest_builder *b, nest_access at, register_ref a, const nest_range *lanes) {
    const register_ref to = build_as_stored(b, a, at.tensor);
    nest_op *op = append_op(b, OP_STORE, NO_REGISTER);
    op->at = at;
    op->a = to;
    op->lanes = kept_range(b, lanes);
    return op;
}

void build_store(nest_builder *b, nest_access at, register_ref a, const nest_range *lanes) {
    append_store(b, at, a, lanes);
}

void build_stream(nest_builder *b, nest_access at, register_ref a, const nest_range *lanes) {
    append_store(b, at, a, lanes)->streams = true;
}

void build_prefetch(nest_builder *b, nest_access at) { append_op(b, OP_PREFETCH, NO_REGISTER)->at = at; }

static void accumulate(nest_builder *b, op_kind kind, register_ref to, register_ref x, register_ref y,
                       const nest_range *lanes) {
    nest_op *op = append_op(b, kind, to);
    op->a = x;
    op->b = y;
    op->c = to;
    op->lanes = kept_range(b, lanes);
}

void build_fma(nest_builder *b, register_ref to, register_ref x, register_ref y, const nest_range *lanes) {
    accumulate(b, OP_FMA, to, x, y, lanes);
}

void build_dot(nest_builder *b, register_ref to, register_ref x, register_ref y, const nest_range *lanes) {
    accumulate(b, OP_DOT, to, x, y, lanes);
}

void build_maximum(nest_builder *b, register_ref to, register_ref x, const nest_range *lanes) {
    nest_op *op = append_op(b, OP_MAXIMUM, to);
    op->a = to;
    op->b = x;
    op->lanes = kept_range(b, lanes);
}

void build_number(nest_builder *b, register_ref to, affine first, int64_t step) {
    append_op(b, OP_NUMBER, to)->at = access_at(-1, first, step);
}

void build_convert(nest_builder *b, register_ref to, register_ref a) { build_convert_from(b, to, a, 0); }

void build_convert_from(nest_builder *b, register_ref to, register_ref a, int zero) {
    nest_op *op = append_op(b, OP_CONVERT, to);
    op->a = a;
    op->zero = zero;
}

void build_scale(nest_builder *b, op_kind kind, register_ref to, register_ref a, register_ref by, register_ref shift) {
    nest_op *op = append_op(b, kind, to);
    op->a = a;
    op->b = by;
    op->c = shift;
}

void build_shift(nest_builder *b, op_kind kind, register_ref to, register_ref a, int amount) {
    nest_op *op = append_op(b, kind, to);
    op->a = a;
    op->shift = amount;
}

void build_op(nest_builder *b, op_kind kind, register_ref to, register_ref a, register_ref c) {
    nest_op *op = append_op(b, kind, to);
    op->a = a;
    op->b = c;
}

void build_select_negative(nest_builder *b, register_ref to, register_ref test, register_ref yes, register_ref no) {
    nest_op *op = append_op(b, OP_SELECT_NEGATIVE, to);
    op->a = test;
    op->b = yes;
    op->c = no;
}

void build_keep(nest_builder *b, register_ref to, register_ref a, const nest_range *lanes) {
    nest_op *op = append_op(b, OP_KEEP, to);
    op->a = a;
    op->lanes = kept_range(b, lanes);
}

void build_shuffle(nest_builder *b, register_ref to, register_ref x, register_ref y, const int *pattern) {
    nest_op *op = append_op(b, OP_SHUFFLE, to);
    op->a = x;
    op->b = y;
    if (to.array < 0 || to.array >= b->nest->register_count) return;
    op->pattern = arena_copy(b->nest->arena, pattern, sizeof *pattern * (size_t)b->nest->registers[to.array].lanes);
}

void build_transpose(nest_builder *b, register_ref to, register_ref a) { append_op(b, OP_TRANSPOSE, to)->a = a; }

void build_call(nest_builder *b, math_kind math, register_ref to, register_ref a) {
    nest_op *op = append_op(b, OP_CALL, to);
    op->a = a;
    op->math = math;
}
