/* What the nests of any algorithm cost: instructions, counted. */
#include "algo/cost.h"

#include <convoke/split.h>
#include <math.h>

static const double FMA_A_CYCLE = 2, LOADS_A_CYCLE = 1.8, STORES_A_CYCLE = 1, FMA_LATENCY = 4, CALL_CYCLES = 30;
static const double LOAD_CONTENTION = 0.05; /* what loads cost where they are not the limit */

double cost_peak_cycles(const problem *p, const cvk_target *target) {
    return problem_multiply_adds(p) / (target_lanes(target, p->sum) * FMA_A_CYCLE);
}

static double greatest(double a, double b) { return a > b ? a : b; }

double cost_issue(const cvk_target *t, const nest_counts *c, int lanes, double independent) {
    double n[OP_CLASSES] = {0};
    for (int k = 0; k < OP_KINDS; k++) n[nest_op_class((op_kind)k)] += c->ops[k];
    double fma = n[CLASS_FMA] * (t->fused ? 1 : 2) + n[CLASS_DOT];
    double arithmetic = n[CLASS_ARITHMETIC] + n[CLASS_SHUFFLE] + n[CLASS_CONVERT];
    arithmetic += n[CLASS_TRANSPOSE] * lanes * 4 + n[CLASS_CALL] * CALL_CYCLES;
    double ports = (fma + arithmetic) / FMA_A_CYCLE;
    double loads = n[CLASS_LOAD] / LOADS_A_CYCLE;
    double latency = (n[CLASS_FMA] + n[CLASS_DOT]) * FMA_LATENCY / independent;
    return greatest(greatest(ports, latency), loads) + LOAD_CONTENTION * loads + n[CLASS_STORE] / STORES_A_CYCLE;
}

/* ---- several workers ---- */

/* Of handing a phase to other threads and waiting for the last of them, whom the run before left awake; of a call of
 * the kernel. */
static const double BARRIER_CYCLES = 8000, TASK_CALL_CYCLES = 200;
static const double OTHERS_BYTES_A_CYCLE = 3; /* from the cache of another core */

/* Where nobody says how many threads there will be: so many are thought of, and what each number of them would lose is
 * worth at most this share of the time on one core. */
static const uint32_t UNSAID_THREADS[] = {16, 64};
static const double UNSAID_WORTH = 0.0125;

static cvk_split split_of(double cycles, const cost_phase *p, int phases, uint32_t workers) {
    uint32_t tasks = p->tasks < UINT32_MAX ? (uint32_t)p->tasks : UINT32_MAX;
    return cvk_split_tasks(tasks, workers, (uint64_t)greatest(cycles / 1000, 1), (uint32_t)phases);
}

/* Bytes a worker fetches: of a part that several share, what the others among them wrote. */
static double fetched(const cost_phase *p, double workers) {
    return p->carried * greatest(1 / greatest(p->parts, 1) - 1 / workers, 0);
}

double cost_on_workers(double cycles, const cost_phase *phase, int phases, uint32_t workers) {
    double all = 0;
    for (int i = 0; i < phases; i++) {
        const cvk_split s = split_of(cycles, &phase[i], phases, workers);
        const double tasks = greatest(s.tasks, 1), most = ceil(tasks / s.workers);
        all += cycles * phase[i].share * most / tasks + TASK_CALL_CYCLES * s.chunks;
        if (s.workers > 1) all += BARRIER_CYCLES + fetched(&phase[i], s.workers) / OTHERS_BYTES_A_CYCLE;
    }
    return all;
}

double cost_judged(double cycles, const cost_phase *phase, int phases, uint32_t threads) {
    if (threads) return cost_on_workers(cycles, phase, phases, threads);
    double worth = 1;
    for (size_t i = 0; i < sizeof UNSAID_THREADS / sizeof *UNSAID_THREADS && cycles > 0; i++) {
        const double all = cost_on_workers(cycles, phase, phases, UNSAID_THREADS[i]);
        worth += UNSAID_WORTH * (1 - cycles / UNSAID_THREADS[i] / all);
    }
    return cycles * worth;
}
