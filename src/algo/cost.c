/* What the nests of any algorithm cost: instructions, counted. */
#include "algo/cost.h"

static const double FMA_A_CYCLE = 2, LOADS_A_CYCLE = 1.8, STORES_A_CYCLE = 1, FMA_LATENCY = 4, CALL_CYCLES = 30;
static const double LOAD_CONTENTION = 0.05; /* what loads cost where they are not the limit */

double cost_peak_cycles(const problem *p, const cvk_target *target) {
    return problem_multiply_adds(p) / (target->lanes * FMA_A_CYCLE);
}

static double greatest(double a, double b) { return a > b ? a : b; }

double cost_issue(const cvk_target *t, const nest_counts *c, double independent) {
    double fma = c->ops[OP_FMA] * (t->fused ? 1 : 2);
    double arithmetic = 0;
    for (int k = OP_ADD; k <= OP_SHUFFLE; k++) arithmetic += c->ops[k];
    arithmetic += c->ops[OP_TRANSPOSE] * t->lanes * 4 + c->ops[OP_CALL] * CALL_CYCLES;
    double ports = (fma + arithmetic) / FMA_A_CYCLE;
    double loads = (c->ops[OP_LOAD] + c->ops[OP_SPLAT]) / LOADS_A_CYCLE;
    double latency = c->ops[OP_FMA] * FMA_LATENCY / independent;
    return greatest(greatest(ports, latency), loads) + LOAD_CONTENTION * loads + c->ops[OP_STORE] / STORES_A_CYCLE;
}
