/* Plans of several problems as one text. */
#include "plan/layer_plan.h"
#include "plan/brief.h"

#include <string.h>

const cvk_plan *layer_plan_part(const layer_plan *p, int problem) { return &p->part[p->count > 1 ? problem : 0]; }

layer_plan layer_plan_of(const cvk_plan *plan) { return (layer_plan){.count = 1, .part = plan}; }

bool layer_plan_is_fused(const layer_plan *p) { return p->band[AXIS_W] > 0; }

static const char *const BAND_WORDS[AXES] = {"od", "oh", "ow"};

static bool all_equal(const layer_plan *p) {
    for (int i = 1; i < p->count; i++)
        if (!plan_equal(&p->part[0], &p->part[i])) return false;
    return true;
}

static void print_band(const layer_plan *p, text *out) {
    for (int a = 0; a < AXES; a++) text_add(out, "%s%s: %d", a ? ", " : "{band: {", BAND_WORDS[a], p->band[a]);
    text_add(out, "}, plans: ");
}

void layer_plan_print(const layer_plan *p, text *out) {
    const bool fused = layer_plan_is_fused(p), list = fused || !all_equal(p);
    if (fused) print_band(p, out);
    for (int i = 0; i < (list ? p->count : 1); i++) {
        if (list) text_add(out, i ? ", " : "[");
        plan_print(&p->part[i], out);
    }
    if (list) text_add(out, fused ? "]}" : "]");
}

void layer_plan_print_brief(const layer_plan *p, text *out) {
    if (layer_plan_is_fused(p)) {
        text_add(out, "bands of %dx%dx%d: ", p->band[AXIS_D], p->band[AXIS_H], p->band[AXIS_W]);
        for (int i = 0; i < p->count; i++) {
            text_add(out, i ? ", then " : "");
            plan_print_brief(&p->part[i], out);
        }
        return;
    }
    plan_print_brief(&p->part[0], out);
    if (p->count > 1) text_add(out, all_equal(p) ? ", %d times" : ", and others of %d", p->count);
}

static cvk_status parse_list(const node *list, arena *a, cvk_diagnostics *d, layer_plan *plan) {
    cvk_plan *part = arena_array(a, cvk_plan, list->count);
    cvk_status worst = CVK_OK;
    plan->count = (int)list->count, plan->part = part;
    for (size_t i = 0; i < list->count; i++) {
        cvk_status status = plan_parse(list->child[i], a, d, &part[i]);
        if (status) worst = status;
    }
    return worst;
}

static const node *find(const node *mapping, const char *key) {
    for (size_t i = 0; i + 1 < mapping->count; i += 2)
        if (strcmp(mapping->child[i]->text, key) == 0) return mapping->child[i + 1];
    return NULL;
}

static cvk_status wrong(cvk_diagnostics *d, const node *at, const char *what) {
    diag_error(d, E_SCHEDULE, at->at, NULL, "schedule%s", what);
    return CVK_ERROR_SPEC;
}

static cvk_status parse_band(const node *band, cvk_diagnostics *d, layer_plan *plan) {
    if (band->kind != NODE_MAPPING || band->count != (size_t)2 * AXES)
        return wrong(d, band, ".band: expected {od: 1, oh: 4, ow: 56}");
    for (int a = 0; a < AXES; a++) {
        const node *n = find(band, BAND_WORDS[a]);
        if (!n) return wrong(d, band, ".band: od, oh or ow is missing");
        if (!plan_whole(n, 1, 1 << 20, &plan->band[a])) return wrong(d, n, ".band: expected an integer 1..1048576");
    }
    return CVK_OK;
}

/* Of a chain in bands. */
static cvk_status parse_fused(const node *schedule, arena *a, cvk_diagnostics *d, layer_plan *plan) {
    const node *plans = find(schedule, "plans");
    const cvk_status status = parse_band(find(schedule, "band"), d, plan);
    if (status) return status;
    if (schedule->count != 4 || !plans || plans->kind != NODE_SEQUENCE || plans->count == 0)
        return wrong(d, schedule, ": beside band stands plans, a list, and nothing else");
    return parse_list(plans, a, d, plan);
}

cvk_status layer_plan_parse(const node *schedule, arena *a, cvk_diagnostics *d, layer_plan *plan) {
    *plan = (layer_plan){0};
    if (schedule->kind == NODE_MAPPING && find(schedule, "band")) return parse_fused(schedule, a, d, plan);
    if (schedule->kind == NODE_SEQUENCE && schedule->count) return parse_list(schedule, a, d, plan);
    cvk_plan *one = arena_new(a, cvk_plan);
    *plan = layer_plan_of(one);
    return plan_parse(schedule, a, d, one);
}

bool layer_plan_equal(const layer_plan *a, const layer_plan *b) {
    int count = a->count > b->count ? a->count : b->count;
    if (memcmp(a->band, b->band, sizeof a->band) != 0) return false;
    if (a->count != b->count && a->count > 1 && b->count > 1) return false;
    for (int i = 0; i < count; i++)
        if (!plan_equal(layer_plan_part(a, i), layer_plan_part(b, i))) return false;
    return true;
}
