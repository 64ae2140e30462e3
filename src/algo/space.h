/* The space of plans: what a tuner walks, and what random tests draw from. */
#ifndef CVK_ALGO_SPACE_H
#define CVK_ALGO_SPACE_H

#include "algo/algo.h"

/* The legal plans that differ from `plan`, which is legal, in one field alone, its row of plan/fields.h, and `plan`
 * itself in its place among them: of a number, in ascending order, as far as they differ in what they do. Of `order`, a
 * step away: a level that stands elsewhere; blocks more, fewer or of another size. With packed input, input_rows
 * follows from the order. */
void space_values(arena *a, const problem *p, const cvk_target *target, const cvk_plan *plan, int field,
                  plan_list *list);

/* The legal plans one step from a legal one: the next smaller and larger value of each number, the other of each
 * switch, all steps of the order, and the first plan that each other row of algo/algorithms.def proposes. Steps go both
 * ways but for those to another row, and those from blocks whose size is no power of two of tiles. */
void space_neighbours(arena *a, const problem *p, const cvk_target *target, const cvk_plan *plan, plan_list *list);

#endif
