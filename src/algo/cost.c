/* What the nests of any algorithm cost: instructions, counted. */
#include "algo/cost.h"

#include <convoke/split.h>
#include <math.h>

double cost_peak_cycles(const problem *p, const cvk_target *target) {
    const machine_figures *f = target->figures;
    const target_dot *d = target_dot_widest(target, p->sum);
    const double vectors = problem_multiply_adds(p) / target_lanes(target, p->sum);
    return d ? vectors / d->factors * fmax(1 / f->fma_a_cycle, d->operations / f->operations_a_cycle)
             : vectors / f->fma_a_cycle;
}

static double cost_bytes(const machine_figures *f, double bytes, double a_cycle) {
    return bytes / (f->sustained_bytes * a_cycle);
}

double cost_l2(const cvk_target *t, double bytes) {
    return cost_bytes(t->figures, bytes, t->figures->l2_bytes_a_cycle);
}
double cost_l3(const cvk_target *t, double bytes) {
    return cost_bytes(t->figures, bytes, t->figures->l3_bytes_a_cycle);
}

double cost_l3_bytes(const cvk_target *t) { return fmin((double)t->l3_bytes, t->figures->l3_bytes); }

double cost_memory(const cvk_target *t, double bytes) {
    return cost_bytes(t->figures, bytes, t->figures->memory_bytes_a_cycle);
}

double cost_far(const cvk_target *t, double bytes, double size) {
    return size > cost_l3_bytes(t) ? cost_memory(t, bytes) : cost_l3(t, bytes);
}

/* Operations of dots beyond the multiplication. */
static double cost_dot_additions(const cvk_target *t, const nest_counts *c) {
    double all = 0;
    const target_dot *d;
    for (int i = 0; (d = target_dot_row(t, i)); i++)
        if (d == target_dot_of(t, d->sum, d->factors)) all += c->dots[d->x] * (d->operations - 1);
    return all;
}

double cost_issue_beside_stores(const cvk_target *t, const nest_counts *c, int lanes, double independent) {
    const double stores = c->ops[OP_STORE] / t->figures->stores_a_cycle;
    return fmax(cost_issue(t, c, lanes, independent, false) - stores, stores);
}

double cost_crossings(const cvk_target *t, const nest_counts *c, int lanes, int element) {
    const double bytes = (double)element * (lanes - 1);
    return c->astray * fmin(1, bytes / LINE_BYTES) / t->figures->loads_a_cycle;
}

bool cost_streams(const cvk_target *t, double bytes) { return bytes > COST_STREAMED_SHARE * cost_l3_bytes(t); }

/* Dots, as so many multiply-adds: those of halves have a rate of their own. */
static double cost_dots(const machine_figures *f, const nest_counts *c) {
    const double halves = c->dots[TYPE_BF16] + c->dots[TYPE_F16];
    return c->ops[OP_DOT] - halves + halves * f->fma_a_cycle / f->half_dots_a_cycle;
}

double cost_issue(const cvk_target *t, const nest_counts *c, int lanes, double independent, bool apart) {
    const machine_figures *f = t->figures;
    double n[OP_CLASSES] = {0};
    for (int k = 0; k < OP_KINDS; k++) n[nest_op_class((op_kind)k)] += c->ops[k];
    double fma = n[CLASS_FMA] * (t->fused ? 1 : 2) + cost_dots(f, c);
    double arithmetic = c->ops[OP_MAXIMUM] + n[CLASS_ARITHMETIC] + n[CLASS_SHUFFLE];
    arithmetic += cost_dot_additions(t, c);
    arithmetic += n[CLASS_CONVERT] * f->convert_operations;
    arithmetic += n[CLASS_TRANSPOSE] * lanes * COST_TRANSPOSE_SHUFFLES + n[CLASS_CALL] * f->call_cycles;
    double held = fma + n[CLASS_CONVERT] * f->convert_beside_fma;
    double together = fmax(held / f->fma_a_cycle, (fma + arithmetic) / f->operations_a_cycle);
    double ports = apart ? (fma + arithmetic) / f->fma_a_cycle : together;
    double loads = (n[CLASS_LOAD] + c->ops[OP_PREFETCH]) / (f->sustained_loads * f->loads_a_cycle);
    double latency = (n[CLASS_FMA] + n[CLASS_DOT]) * f->fma_latency / independent;
    return fmax(fmax(ports, latency), loads) + f->load_contention * loads + n[CLASS_STORE] / f->stores_a_cycle;
}

/* ---- several workers ---- */

/* Where nobody says how many threads there will be, so many are thought of. */
static const uint32_t UNSAID_THREADS[] = {2, 4, 16, 64};

static cvk_split split_of(double cycles, const cost_phase *p, int phases, uint32_t workers, goal aim) {
    const uint32_t tasks = p->tasks < UINT32_MAX ? (uint32_t)p->tasks : UINT32_MAX;
    const uint64_t kilocycles = (uint64_t)fmax(cycles / 1000, 1);
    return (aim.step ? cvk_split_step : cvk_split_tasks)(tasks, workers, kilocycles, (uint32_t)phases);
}

/* Bytes a worker fetches: of a part that several share, what the others among them wrote. */
static double fetched(const cost_phase *p, double workers) {
    return p->carried * fmax(1 / fmax(p->parts, 1) - 1 / workers, 0);
}

cost_shares cost_shares_of(const problem *p, int64_t places) {
    const double x = view_bytes(&p->x), y = view_bytes(&p->y) + view_bytes(&p->addend);
    const bool all = p->groups == 1;
    return (cost_shares){.all_channels = all ? x : 0,
                         .own_channels = all ? y : x + y,
                         .weights = view_bytes(&p->w),
                         .places = (double)places};
}

/* In a network each worker is taken to have its part of every tensor's positions. One that keeps to them finds what it
 * reads, but reads all weights, which come from memory: a network's other weights were there meanwhile. Where several
 * share positions, by their channels, they fetch the rest from one another. */
static double cost_of_step(const cost_shares *s, double workers, const cvk_target *t) {
    const double places = fmin(fmax(s->places, 1), workers), sharing = workers / places;
    const double all = s->all_channels / workers * (sharing - 1);
    const double own = s->own_channels / workers * (1 - 1 / sharing);
    return (all + own) / COST_OTHERS_BYTES_A_CYCLE + cost_memory(t, s->weights / workers * (places - 1));
}

double cost_on_workers(double cycles, const cost_phase *phase, int phases, uint32_t workers, goal aim) {
    double all = 0;
    for (int i = 0; i < phases; i++) {
        const cvk_split s = split_of(cycles, &phase[i], phases, workers, aim);
        const double tasks = fmax(s.tasks, 1), most = ceil(tasks / s.workers);
        all += cycles * phase[i].share * most / tasks + COST_TASK_CALL_CYCLES * s.chunks;
        if (s.workers > 1) all += COST_BARRIER_CYCLES + fetched(&phase[i], s.workers) / COST_OTHERS_BYTES_A_CYCLE;
        if (aim.step) all += cost_of_step(&phase[i].shares, s.workers, aim.target);
    }
    return all;
}

double cost_judged(double cycles, const cost_phase *phase, int phases, goal aim) {
    if (aim.threads) return cost_on_workers(cycles, phase, phases, aim.threads, aim);
    double worth = 1;
    for (size_t i = 0; i < sizeof UNSAID_THREADS / sizeof *UNSAID_THREADS && cycles > 0; i++) {
        const double all = cost_on_workers(cycles, phase, phases, UNSAID_THREADS[i], aim);
        worth += COST_UNSAID_WORTH * (1 - cycles / UNSAID_THREADS[i] / all);
    }
    return cycles * worth;
}
