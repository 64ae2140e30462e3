/* The nests of a class of boxes are those of its layers in one box, in each of which the one after the other is all
 * that a task does. */
#include "chain.h"

#include "chain_boxes.h"
#include "algo/cost.h"
#include "base/integers.h"
#include "nest/sequence.h"

#include <math.h>
#include <string.h>

enum { MOST_CLASSES = 27, PLANS_TRIED = 24 };
static const int64_t MOST_SCRATCH = INT64_C(1) << 26; /* bytes of what is between layers */

problem chain_problem(const cvk_spec *spec, const layer_plan *plan, int index) {
    const chain c = chain_of(spec);
    if (!layer_plan_is_fused(plan)) return c.link[index];
    arena a;
    arena_init(&a);
    if (arena_guard(&a)) {
        arena_free(&a);
        return c.link[index];
    }
    const bands b = bands_in(&a, &c, plan->band);
    const box most = box_of(&b, main_class(&b));
    const problem p = link_in_box(&c, &most, index);
    arena_free(&a);
    return p;
}

/* ---- what does not fit ---- */

/* Sums directly, in one nest: all others round in ways of their own, or hand on what is theirs by phases. */
static bool is_walked(const cvk_plan *plan) {
    const algorithm *row = algo_of(plan);
    return row && row->family;
}

static const char *refuse_part(const chain *c, const cvk_target *target, const layer_plan *plan, const bands *b,
                               int i) {
    const cvk_plan *part = layer_plan_part(plan, i);
    if (!b) {
        if (i > 0 && !is_walked(part))
            return "only direct, depthwise and grouped are for layers behind a chain's first";
        return algo_refuse(&c->link[i], target, part);
    }
    if (!is_walked(part)) return "only direct, depthwise and grouped are for bands";
    if (problem_has_border(&c->link[i])) return "bands are for padding of zeros";
    for (int k = 0; k < b->classes; k++) {
        const box one = box_of(b, k);
        const problem p = link_in_box(c, &one, i);
        const char *why = algo_refuse(&p, target, part);
        if (why) return why;
    }
    return NULL;
}

static const char *refuse_bands(const chain *c, const layer_plan *plan) {
    for (int axis = 0; axis < AXES; axis++) {
        if (plan->band[axis] < 1) return "a band has no size";
        if (plan->band[axis] > chain_last(c)->axis[axis].out) return "a band is larger than the output";
    }
    return NULL;
}

static const char *refuse_all(arena *a, const chain *c, const cvk_target *target, const layer_plan *plan, int *which) {
    const bool fused = layer_plan_is_fused(plan);
    bands b;
    *which = 0;
    if (plan->count > 1 && plan->count != c->links) return "it has not as many plans as the chain has layers";
    if (fused) {
        const char *why = refuse_bands(c, plan);
        if (why) return why;
        b = bands_in(a, c, plan->band);
        if (b.classes > MOST_CLASSES) return "its bands are of too many kinds";
        if (bytes_between(c, &b) > MOST_SCRATCH) return "its bands leave too much between layers";
    }
    for (int i = 0; i < c->links; i++) {
        const char *why = refuse_part(c, target, plan, fused ? &b : NULL, i);
        *which = i;
        if (why) return why;
    }
    return NULL;
}

const char *chain_refuse(const cvk_spec *spec, const cvk_target *target, const layer_plan *plan, int *problem_index) {
    const chain c = chain_of(spec);
    arena a;
    arena_init(&a);
    if (arena_guard(&a)) {
        arena_free(&a);
        return "no memory to judge it";
    }
    const char *why = refuse_all(&a, &c, target, plan, problem_index);
    arena_free(&a);
    return why;
}

/* ---- building ---- */

enum { LINE = 64 }; /* elements: a line of any type */

/* How far what stands side by side in a role's place reaches: in elements, whatever their type, and in bytes. */
typedef struct reach {
    int64_t elements, bytes;
} reach;

/* Where tensors begin that stand behind it all, in elements of each one's type; it reaches as far as they do then. What
 * is empty has a place of its own, too. */
static int64_t place_behind(reach *r, const program_buffer *own) {
    const int64_t behind = own->narrowest ? greater(r->elements, ceil_div(r->bytes, own->narrowest)) : r->elements;
    const int64_t begin = ceil_div(behind, LINE) * LINE;
    r->elements = begin + greater(own->elements, 1);
    r->bytes = greater(r->bytes, begin * own->widest + own->bytes);
    return begin;
}

static program_buffer buffer_of(const view *v) {
    const int each = type_bytes(v->type);
    return (program_buffer){.elements = v->elements, .bytes = v->elements * each, .narrowest = each, .widest = each};
}

typedef nest_place places[ROLE_COUNT];

/* Of what a layer has for itself: weights, bias and scales, those of one behind those of another. */
static void place_parameters(const chain *c, const nest_program *run, places *at) {
    int64_t weights[MOST_LINKS], bias = 0, scale = 0;
    program_places(run, c->links, ROLE_WEIGHTS, weights);
    for (int i = 0; i < c->links; i++) {
        const problem *p = &c->link[i];
        places_kept(at[i]);
        at[i][ROLE_WEIGHTS].begin = weights[i];
        at[i][ROLE_BIAS].begin = bias;
        at[i][ROLE_SCALE].begin = scale;
        bias += p->post.bias ? p->y.channels : 0;
        scale += problem_operands(p, OPERAND_CHANNEL) * p->y.channels;
    }
}

/* What two layers hand on stands in a role's place, `begin` elements on. */
static void place_between(places *at, int link, nest_role role, int64_t begin) {
    static const char NAME[] = "between";
    at[link][ROLE_OUTPUT].role = at[link + 1][ROLE_INPUT].role = role;
    at[link][ROLE_OUTPUT].begin = at[link + 1][ROLE_INPUT].begin = begin;
    at[link][ROLE_OUTPUT].name = at[link + 1][ROLE_INPUT].name = NAME;
}

/* Where a box stands in a tensor of the whole: image, slice, row and column are tasks. */
static void place_box(nest_place *at, const view *v, const band_class *const axis[AXES], int link, bool output) {
    at->step[0] = v->n;
    for (int a = 0; a < AXES; a++) {
        const band_axis *of = &axis[a]->link[link];
        at->first += (output ? of->out : of->in) * v->axis[a];
        at->step[1 + a] = (output ? of->out_step : of->in_step) * v->axis[a];
    }
}

static nest *build_box(arena *a, const chain *c, const box *b, const ranked_plan *part) {
    static const char *const NAMES[SEQUENCE_TASKS] = {"n", "od_band", "oh_band", "ow_band"};
    const int64_t trips[SEQUENCE_TASKS] = {c->link[0].n, b->axis[0]->count, b->axis[1]->count, b->axis[2]->count};
    const int last = c->links - 1;
    nest_program run[MOST_LINKS];
    nest_part parts[MOST_LINKS];
    places at[MOST_LINKS];
    reach scratch = {0, 0};
    for (int i = 0; i < c->links; i++) run[i] = part[i].nests.run;
    place_parameters(c, run, at);
    for (int i = 0; i < last; i++) {
        const view v = view_between(c, b, i, 1);
        const program_buffer between = buffer_of(&v);
        place_between(at, i, ROLE_SCRATCH, place_behind(&scratch, &between));
    }
    place_box(&at[0][ROLE_INPUT], &c->link[0].x, b->axis, 0, false);
    place_box(&at[last][ROLE_OUTPUT], &chain_last(c)->y, b->axis, last, true);
    place_box(&at[last][ROLE_ADDEND], &chain_last(c)->y, b->axis, last, true);
    at[last][ROLE_GATE].step[0] = chain_last(c)->gate.n;
    for (int i = 0; i < c->links; i++) {
        const program_buffer own = program_needs(&run[i], ROLE_SCRATCH);
        at[i][ROLE_SCRATCH].begin = place_behind(&scratch, &own);
        parts[i].nest = program_nest(&run[i], 0);
        memcpy(parts[i].place, at[i], sizeof at[i]);
    }
    return nest_sequence(a, c->spec->name, trips, NAMES, parts, c->links);
}

/* Dense weights stand one layer's behind another's, too. */
static nest_phase pack_all(arena *a, const chain *c, const ranked_plan *part) {
    nest *pack[MOST_LINKS];
    nest_place at[ROLE_COUNT];
    int count = 0;
    places_kept(at);
    for (int i = 0; i < c->links; i++) {
        if (part[i].nests.pack) pack[count++] = nest_placed(a, part[i].nests.pack, at);
        at[ROLE_PACK_FROM].begin += c->link[i].w.elements;
    }
    return count ? pack_beside(a, pack, count) : (nest_phase){0};
}

/* ---- what it costs ---- */

static double bytes_of(const view *v) { return (double)v->elements * type_bytes(v->type); }

static double peak_cycles(const chain *c, const cvk_target *target) {
    double peak = 0;
    for (int i = 0; i < c->links; i++) peak += cost_peak_cycles(&c->link[i], target);
    return peak;
}

/* What boxes of a class read of the input and write of the output, which other boxes have pushed out of the second
 * level; and what is between layers, where a box has more of it than that holds. */
static double box_traffic(const chain *c, const box *b, const cvk_target *target) {
    const double l2 = target->figures->l2_share * (double)target->l2_bytes,
                 boxes = (double)(boxes_in(b) * c->link[0].n);
    const problem first = link_in_box(c, b, 0), last = link_in_box(c, b, c->links - 1);
    const view *x = &c->link[0].x, *y = &chain_last(c)->y;
    const double whole = bytes_of(x) + bytes_of(y);
    double in = type_bytes(x->type) * (double)x->channels,
           out = type_bytes(y->type) * (double)y->channels * (1 + problem_operands(&last, OPERAND_TENSOR)), between = 0;
    for (int a = 0; a < AXES; a++) in *= (double)first.axis[a].in, out *= (double)last.axis[a].out;
    for (int i = 0; i + 1 < c->links; i++) {
        const view v = view_between(c, b, i, 1);
        between += bytes_of(&v);
    }
    double cycles = whole > l2 ? cost_far(target, in + out, whole) : 0;
    const double spilled = fmin(1, fmax(0, (between + in + out) / l2 - 1));
    cycles += cost_l3(target, 2 * between) * spilled;
    return boxes * cycles;
}

static double fused_cycles(const chain *c, const bands *b, const cvk_target *target, const ranked_plan *part) {
    double cycles = 0;
    for (int k = 0; k < b->classes; k++) {
        const box one = box_of(b, k);
        const double boxes = (double)(boxes_in(&one) * c->link[0].n);
        cycles += box_traffic(c, &one, target);
        for (int i = 0; i < c->links; i++) {
            const problem p = link_in_box(c, &one, i);
            const ranked_plan *of = &part[k * c->links + i];
            cycles += boxes * algo_of(&of->plan)->cycles(&p, target, &of->plan, &of->nests, &of->counts);
        }
    }
    return cycles;
}

int64_t chain_near_bytes(const cvk_target *target) { return (int64_t)cost_l3_bytes(target); }

/* What is written to memory is read from there first, and then by the next layer, while this one's own is there, too.
 */
static double cycles_between(const chain *c, const cvk_target *target) {
    double cycles = 0;
    for (int i = 0; i + 1 < c->links; i++)
        if (2 * bytes_of(&c->link[i].y) > cost_l3_bytes(target)) cycles += cost_memory(target, bytes_of(&c->link[i].y));
    return cycles;
}

static double apart_cycles(const chain *c, const cvk_target *target, const ranked_plan *part) {
    double cycles = cycles_between(c, target);
    for (int i = 0; i < c->links; i++) {
        const ranked_plan *of = &part[i];
        cycles += algo_of(&of->plan)->cycles(&c->link[i], target, &of->plan, &of->nests, &of->counts);
    }
    return cycles;
}

double chain_cycles(const cvk_spec *spec, const cvk_target *target, const layer_nests *nests) {
    const chain c = chain_of(spec);
    if (!layer_plan_is_fused(&nests->plan)) return apart_cycles(&c, target, nests->part);
    arena a;
    arena_init(&a);
    if (arena_guard(&a)) {
        arena_free(&a);
        return INFINITY;
    }
    const bands b = bands_in(&a, &c, nests->plan.band);
    const double cycles = fused_cycles(&c, &b, target, nests->part);
    arena_free(&a);
    return cycles;
}

/* Of all phases, each as large a share of the cycles as it has tasks and operations. */
static void judge(const chain *c, goal aim, const layer_plan *plan, const layer_nests *nests, double cycles,
                  ranked_layer *to) {
    const int lanes = target_lanes(aim.target, chain_last(c)->sum);
    const double peak = peak_cycles(c, aim.target);
    cost_phase phase[CVK_MOST_PHASES];
    double all = 0;
    for (int i = 0; i < nests->run.count; i++) {
        nest_counts counts;
        program_count_phase(&nests->run, i, &counts);
        phase[i] = (cost_phase){.share = cost_issue(aim.target, &counts, lanes, INFINITY, true),
                                .tasks = program_tasks(&nests->run, i)};
        all += phase[i].share;
    }
    for (int i = 0; i < nests->run.count; i++) phase[i].share = all > 0 ? phase[i].share / all : 0;
    *to = (ranked_layer){.plan = *plan, .cycles = cycles, .seconds_per_peak = peak > 0 ? cycles / peak : 1};
    to->judged = cost_judged(cycles, phase, nests->run.count, aim);
}

static void count_all(layer_nests *nests) {
    for (int i = 0; i < nests->run.count; i++) {
        nest_counts phase;
        program_count_phase(&nests->run, i, &phase);
        nest_counts_add(&nests->counts, &phase);
    }
}

/* ---- fused, and apart ---- */

static double build_fused(arena *a, const chain *c, goal aim, const layer_plan *plan, layer_nests *to) {
    const bands b = bands_in(a, c, plan->band);
    ranked_plan *part = arena_array(a, ranked_plan, b.classes * c->links);
    nest **nests = arena_array(a, nest *, b.classes);
    nest_phase *phase = arena_new(a, nest_phase);
    for (int k = 0; k < b.classes; k++) {
        const box one = box_of(&b, k);
        for (int i = 0; i < c->links; i++) {
            problem *p = arena_new(a, problem);
            *p = link_in_box(c, &one, i);
            part[k * c->links + i] = algo_build(a, p, aim, layer_plan_part(plan, i));
        }
        nests[k] = build_box(a, c, &one, &part[k * c->links]);
    }
    *phase = (nest_phase){b.classes, nests};
    to->run = (nest_program){1, phase};
    to->part = part;
    return fused_cycles(c, &b, aim.target, part);
}

/* What one layer hands to the next stands in the workspace, behind what the layers before have there. */
static nest_program run_apart(arena *a, const chain *c, const nest_program *run) {
    places at[MOST_LINKS];
    const nest_place *list[MOST_LINKS];
    reach workspace = {0, 0};
    place_parameters(c, run, at);
    for (int i = 0; i < c->links; i++) {
        const program_buffer own = program_needs(&run[i], ROLE_WORKSPACE);
        const program_buffer between = buffer_of(&c->link[i].y);
        at[i][ROLE_WORKSPACE].begin = place_behind(&workspace, &own);
        if (i + 1 < c->links) place_between(at, i, ROLE_WORKSPACE, place_behind(&workspace, &between));
        list[i] = at[i];
    }
    return program_sequence(a, run, list, c->links);
}

static double build_apart(arena *a, const chain *c, goal aim, const layer_plan *plan, layer_nests *to) {
    ranked_plan *part = arena_array(a, ranked_plan, c->links);
    nest_program run[MOST_LINKS];
    for (int i = 0; i < c->links; i++) {
        problem *p = arena_new(a, problem);
        *p = c->link[i];
        part[i] = algo_build(a, p, aim, layer_plan_part(plan, i));
        run[i] = part[i].nests.run;
    }
    to->run = run_apart(a, c, run);
    to->part = part;
    return apart_cycles(c, aim.target, part);
}

layer_nests chain_build(arena *a, const cvk_spec *spec, goal aim, const layer_plan *plan, ranked_layer *ranked) {
    const chain c = chain_of(spec);
    layer_nests nests = {.plan = *plan};
    const double cycles = (layer_plan_is_fused(plan) ? build_fused : build_apart)(a, &c, aim, plan, &nests);
    nests.pack = pack_all(a, &c, nests.part);
    count_all(&nests);
    if (ranked) judge(&c, aim, plan, &nests, cycles, ranked);
    return nests;
}

/* ---- ranking ---- */

/* Plans of a layer that fit all boxes, best first. */
typedef struct choices {
    cvk_plan plan[PLANS_TRIED];
    int count;
} choices;

/* What is read again at once does not bypass the caches. */
static cvk_plan kept_near(const chain *c, const ranked_plan *plan, int link) {
    cvk_plan near = plan->plan;
    if (link + 1 < c->links) near.stream = false;
    return near;
}

/* Those of the best `tried` that fit; of all, where that is 0. */
static choices choices_among(arena *a, const chain *c, goal aim, const layer_plan *bands_only, const bands *b, int link,
                             int tried, const char **why) {
    choices found = {.count = 0};
    ranked_plan *plans;
    int count;
    problem p = c->link[link];
    if (b) {
        const box most = box_of(b, main_class(b));
        p = link_in_box(c, &most, link);
    }
    algo_rank(a, &p, aim, c->spec->algorithm, tried, &plans, &count, why);
    for (int i = 0; i < count && found.count < PLANS_TRIED; i++) {
        layer_plan one = *bands_only;
        const cvk_plan plan = kept_near(c, &plans[i], link);
        one.count = 1, one.part = &plan;
        const char *refused = refuse_part(c, aim.target, &one, b, link);
        if (refused)
            *why = refused;
        else
            found.plan[found.count++] = plan;
    }
    return found;
}

/* The best may all be transforms, which behind a chain's first layer do not fit. */
static choices choices_of(arena *a, const chain *c, goal aim, const layer_plan *bands_only, const bands *b, int link,
                          const char **why) {
    const choices best = choices_among(a, c, aim, bands_only, b, link, PLANS_TRIED, why);
    return best.count ? best : choices_among(a, c, aim, bands_only, b, link, 0, why);
}

typedef struct ranked_list {
    ranked_layer *plan;
    int count, capacity;
} ranked_list;

/* Equal ones in the order in which they come. */
static void insert(arena *a, ranked_list *list, const ranked_layer *plan) {
    if (list->count == list->capacity) {
        list->capacity = list->capacity ? 2 * list->capacity : 32;
        ranked_layer *grown = arena_array(a, ranked_layer, list->capacity);
        if (list->count) memcpy(grown, list->plan, sizeof *grown * (size_t)list->count);
        list->plan = grown;
    }
    int at = list->count++;
    for (; at > 0 && list->plan[at - 1].judged > plan->judged; at--) list->plan[at] = list->plan[at - 1];
    list->plan[at] = *plan;
}

/* What the model thinks of it; its nests are counted and no more. */
static ranked_layer judged(arena *a, const chain *c, goal aim, const layer_plan *plan) {
    arena memory;
    arena_init(&memory);
    if (arena_guard(&memory)) {
        arena_free(&memory);
        arena_exhaust(a);
    }
    ranked_layer r;
    chain_build(&memory, c->spec, aim, plan, &r);
    arena_free(&memory);
    return r;
}

/* The best plans of all layers together, then the second best, … */
static void rank_with(arena *a, const chain *c, goal aim, int limit, const layer_plan *bands_only, ranked_list *list,
                      const char **why) {
    choices of[MOST_LINKS];
    int most = 0;
    bands b;
    const bool fused = layer_plan_is_fused(bands_only);
    if (fused) b = bands_in(a, c, bands_only->band);
    for (int i = 0; i < c->links; i++) {
        of[i] = choices_of(a, c, aim, bands_only, fused ? &b : NULL, i, why);
        if (of[i].count == 0) return;
        most = (int)greater(most, of[i].count);
    }
    for (int rank = 0; rank < most && (limit == 0 || rank < limit); rank++) {
        layer_plan plan = *bands_only;
        cvk_plan *part = arena_array(a, cvk_plan, c->links);
        for (int i = 0; i < c->links; i++) part[i] = of[i].plan[lesser(rank, of[i].count - 1)];
        plan.count = c->links, plan.part = part;
        const ranked_layer r = judged(a, c, aim, &plan);
        insert(a, list, &r);
    }
}

static bool is_new(const band_choice *best, int i) {
    for (int k = 0; k < i; k++)
        if (memcmp(best[k].band, best[i].band, sizeof best[i].band) == 0) return false;
    return best[i].work > 0;
}

void chain_rank(arena *a, const cvk_spec *spec, goal aim, int limit, ranked_layer **plans, int *count,
                const char **why) {
    const chain c = chain_of(spec);
    band_choice best[CHAIN_BANDS] = {{.work = 0}};
    ranked_list list = {0};
    choose_bands(&c, aim.target->l2_bytes, best);
    rank_with(a, &c, aim, limit, &(layer_plan){0}, &list, why);
    for (int i = 0; i < CHAIN_BANDS; i++) {
        layer_plan fused = {.count = 0};
        if (!is_new(best, i)) continue;
        memcpy(fused.band, best[i].band, sizeof fused.band);
        rank_with(a, &c, aim, limit, &fused, &list, why);
    }
    *plans = list.plan;
    *count = limit && list.count > limit ? limit : list.count;
}
