/* Plans of several problems as one text. */
#include "plan/layer_plan.h"
#include "plan/brief.h"

#include <string.h>

const cvk_plan *layer_plan_part(const layer_plan *p, int problem) { return &p->part[p->count > 1 ? problem : 0]; }

layer_plan layer_plan_of(const cvk_plan *plan) { return (layer_plan){1, plan}; }

static bool all_equal(const layer_plan *p) {
    for (int i = 1; i < p->count; i++)
        if (!plan_equal(&p->part[0], &p->part[i])) return false;
    return true;
}

void layer_plan_print(const layer_plan *p, text *out) {
    bool list = !all_equal(p);
    for (int i = 0; i < (list ? p->count : 1); i++) {
        if (list) text_add(out, i ? ", " : "[");
        plan_print(&p->part[i], out);
    }
    if (list) text_add(out, "]");
}

void layer_plan_print_brief(const layer_plan *p, text *out) {
    plan_print_brief(&p->part[0], out);
    if (p->count > 1) text_add(out, all_equal(p) ? ", %d times" : ", and others of %d", p->count);
}

static cvk_status parse_list(const node *list, arena *a, cvk_diagnostics *d, layer_plan *plan) {
    cvk_plan *part = arena_array(a, cvk_plan, list->count);
    cvk_status worst = CVK_OK;
    *plan = (layer_plan){(int)list->count, part};
    for (size_t i = 0; i < list->count; i++) {
        cvk_status status = plan_parse(list->child[i], a, d, &part[i]);
        if (status) worst = status;
    }
    return worst;
}

cvk_status layer_plan_parse(const node *schedule, arena *a, cvk_diagnostics *d, layer_plan *plan) {
    if (schedule->kind == NODE_SEQUENCE && schedule->count) return parse_list(schedule, a, d, plan);
    cvk_plan *one = arena_new(a, cvk_plan);
    *plan = layer_plan_of(one);
    return plan_parse(schedule, a, d, one);
}

bool layer_plan_equal(const layer_plan *a, const layer_plan *b) {
    int count = a->count > b->count ? a->count : b->count;
    if (a->count != b->count && a->count > 1 && b->count > 1) return false;
    for (int i = 0; i < count; i++)
        if (!plan_equal(layer_plan_part(a, i), layer_plan_part(b, i))) return false;
    return true;
}
