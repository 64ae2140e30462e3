/* Plans as text, and whether two are the same, field by field. */
#include "plan/fields.h"

#include <string.h>

static const plan_field FIELDS[] = {
#define REQUIRED true
#define OPTIONAL false
#define PLAN_FIELD(group, key, kind, member, least, most, presence, about)                                             \
    {group, key, PLAN_##kind, offsetof(cvk_plan, member), least, most, presence},
#include "plan/fields.def"
#undef PLAN_FIELD
#undef REQUIRED
#undef OPTIONAL
};
enum { FIELD_COUNT = sizeof FIELDS / sizeof FIELDS[0] };

_Static_assert((int)FIELD_COUNT <= (int)PLAN_MOST_FIELDS, "plan/fields.h reserves too few");

const char *const plan_algorithm_words[PLAN_ALGORITHMS] = {
#define ALGORITHM_NAME(word) word,
#include "plan/algorithm_names.def"
#undef ALGORITHM_NAME
};
const char *const plan_lanes_words[LANES_KINDS] = {"out_channels", "columns", "channels", "in_channels"};
const char *const plan_loop_words[PLAN_LOOPS] = {"n", "g", "oc", "od", "oh", "ow", "ic"};

const plan_field *plan_field_row(int index) { return index < FIELD_COUNT ? &FIELDS[index] : NULL; }

static const void *member(const cvk_plan *p, const plan_field *f) { return (const char *)p + f->offset; }

static void print_order(const plan_order *order, text *out) {
    for (int i = 0; i < order->count; i++) {
        const plan_level *l = &order->level[i];
        text_add(out, "%s", i ? ", " : "[");
        text_add(out, l->block ? "{%s: %d}" : "%s", plan_loop_words[l->loop], l->block);
    }
    text_add(out, "]");
}

static void print_value(const cvk_plan *p, const plan_field *f, text *out) {
    const void *value = member(p, f);
    switch (f->kind) {
    case PLAN_NAME: text_add(out, "%s", *(const char *const *)value); break;
    case PLAN_LANES: text_add(out, "%s", plan_lanes_words[*(const plan_lanes *)value]); break;
    case PLAN_INTEGER: text_add(out, "%d", *(const int *)value); break;
    case PLAN_SWITCH: text_add(out, *(const bool *)value ? "true" : "false"); break;
    case PLAN_ORDER: print_order(value, out); break;
    }
}

void plan_print(const cvk_plan *p, text *out) {
    const char *group = "";
    text_add(out, "{");
    for (int i = 0; i < FIELD_COUNT; i++) {
        const plan_field *f = &FIELDS[i];
        bool same_group = strcmp(group, f->group) == 0;
        if (!same_group && *group) text_add(out, "}");
        if (i) text_add(out, ", ");
        if (!same_group && *f->group) text_add(out, "%s: {", f->group);
        text_add(out, "%s: ", f->key);
        print_value(p, f, out);
        group = f->group;
    }
    text_add(out, *group ? "}}" : "}");
}

bool plan_order_equal(const plan_order *a, const plan_order *b) {
    bool same = a->count == b->count;
    for (int i = 0; i < a->count && same; i++)
        same = a->level[i].loop == b->level[i].loop && a->level[i].block == b->level[i].block;
    return same;
}

static bool same_value(const cvk_plan *a, const cvk_plan *b, const plan_field *f) {
    const void *x = member(a, f), *y = member(b, f);
    switch (f->kind) {
    case PLAN_NAME: return strcmp(*(const char *const *)x, *(const char *const *)y) == 0;
    case PLAN_LANES: return *(const plan_lanes *)x == *(const plan_lanes *)y;
    case PLAN_INTEGER: return *(const int *)x == *(const int *)y;
    case PLAN_SWITCH: return *(const bool *)x == *(const bool *)y;
    case PLAN_ORDER: return plan_order_equal(x, y);
    }
    return false;
}

bool plan_equal(const cvk_plan *a, const cvk_plan *b) {
    for (int i = 0; i < FIELD_COUNT; i++)
        if (!same_value(a, b, &FIELDS[i])) return false;
    return true;
}

int plan_unit(const cvk_plan *p, plan_loop loop) {
    const int unit[PLAN_LOOPS] = {1, 1, p->tile_oc, p->tile_od, p->tile_oh, p->tile_ow, p->unroll_ic * (p->dot ? p->dot : 1)};
    return unit[loop];
}

int plan_level_of(const plan_order *order, plan_loop loop, bool blocks) {
    for (int i = 0; i < order->count; i++)
        if (order->level[i].loop == loop && (order->level[i].block > 0) == blocks) return i;
    return -1;
}

cvk_plan plan_plain(const char *algorithm, plan_lanes lanes) {
    static const plan_loop ORDER[] = {LOOP_N, LOOP_G, LOOP_OC, LOOP_OD, LOOP_OH, LOOP_OW};
    return (cvk_plan){.algorithm = algorithm,
                      .lanes = lanes,
                      .tile_oc = 1,
                      .tile_od = 1,
                      .tile_oh = 1,
                      .tile_ow = 1,
                      .block_oh = 1,
                      .block_ow = 1,
                      .unroll_ic = 1,
                      .order = plan_order_of(ORDER),
                      .tasks = PLAN_TILE_LOOPS};
}

plan_order plan_order_of(const plan_loop loop[PLAN_TILE_LOOPS]) {
    plan_order order = {.count = PLAN_TILE_LOOPS};
    for (int i = 0; i < PLAN_TILE_LOOPS; i++) order.level[i].loop = loop[i];
    return order;
}

void plan_order_insert(plan_order *order, int at, plan_level level) {
    memmove(order->level + at + 1, order->level + at, sizeof level * (size_t)(order->count++ - at));
    order->level[at] = level;
}
