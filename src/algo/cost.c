/* What the nests of any algorithm cost: instructions, counted. */
#include "algo/cost.h"

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
