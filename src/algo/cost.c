/* What the nests of any algorithm cost: instructions, counted. */
#include "algo/cost.h"

double cost_peak_cycles(const problem *p, const cvk_target *target) {
    return problem_multiply_adds(p) / (target_lanes(target, p->sum) * target->figures->fma_a_cycle);
}

static double greatest(double a, double b) { return a > b ? a : b; }

static double cost_bytes(double bytes, double a_cycle) { return bytes / (COST_SUSTAINED_BYTES * a_cycle); }

double cost_l2(const cvk_target *t, double bytes) { return cost_bytes(bytes, t->figures->l2_bytes_a_cycle); }
double cost_l3(const cvk_target *t, double bytes) { return cost_bytes(bytes, t->figures->l3_bytes_a_cycle); }

double cost_far(const cvk_target *t, double bytes, double size) {
    return size > COST_L3_BYTES ? cost_bytes(bytes, t->figures->memory_bytes_a_cycle) : cost_l3(t, bytes);
}

double cost_issue(const cvk_target *t, const nest_counts *c, int lanes, double independent) {
    const machine_figures *f = t->figures;
    double n[OP_CLASSES] = {0};
    for (int k = 0; k < OP_KINDS; k++) n[nest_op_class((op_kind)k)] += c->ops[k];
    double fma = n[CLASS_FMA] * (t->fused ? 1 : 2) + n[CLASS_DOT];
    double arithmetic = n[CLASS_ARITHMETIC] + n[CLASS_SHUFFLE] + n[CLASS_CONVERT];
    arithmetic += n[CLASS_TRANSPOSE] * lanes * COST_TRANSPOSE_SHUFFLES + n[CLASS_CALL] * COST_CALL_CYCLES;
    double ports = (fma + arithmetic) / f->fma_a_cycle;
    double loads = n[CLASS_LOAD] / (COST_SUSTAINED_LOADS * f->loads_a_cycle);
    double latency = (n[CLASS_FMA] + n[CLASS_DOT]) * f->fma_latency / independent;
    return greatest(greatest(ports, latency), loads) + COST_LOAD_CONTENTION * loads +
           n[CLASS_STORE] / f->stores_a_cycle;
}
