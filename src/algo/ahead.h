/* Weights that come from behind the second level. They are read once from one end to the other, by some loop or other
 * again and again in between; a core that finds such a stream by itself loses it at the end of each page. */
#ifndef CVK_ALGO_AHEAD_H
#define CVK_ALGO_AHEAD_H

#include "nest/build.h"
#include "target/target.h"

/* Where `elements` of a tensor of packed weights are read from `at` on, as many are asked for that lie so far behind
 * them as is read while memory answers; nothing, where there are so few weights that they stay near. */
void ahead_ask(nest_builder *b, const cvk_target *target, int tensor, affine at, int64_t elements);

#endif
