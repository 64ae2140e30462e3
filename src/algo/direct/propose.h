/* What the proposals of tiles share (propose.c), and the orders that each tile is worth ranking in (orders.c). */
#ifndef CVK_ALGO_DIRECT_PROPOSE_H
#define CVK_ALGO_DIRECT_PROPOSE_H

#include "algo/direct/tile.h"

typedef struct proposer {
    const problem *asked;
    goal aim;
    arena *arena;
    const algorithm *row;
    const family *family;
    plan_list *list;
    problem p;             /* its axes merged */
    const target_dot *dot; /* of the plans that are proposed; NULL: none */
} proposer;

/* The tile of at most `most` that covers n in as few tiles with the least left over. */
int64_t propose_balanced(int64_t n, int64_t most);
/* So many, in whole tiles of a size. */
int64_t propose_whole_tiles(int64_t n, int64_t size);
/* A loop, or one over its blocks, inside those that the order has. */
void propose_level(plan_order *order, plan_loop loop, int64_t block);
/* Whether the taps of a tile are on more pages than a core remembers: then they are better packed; and where channels
 * are images, a few in one iteration gain nothing on so many taps. */
bool propose_leaves_pages(const proposer *o);

/* If it is not there yet and nothing speaks against it. */
void propose_plan(proposer *o, cvk_plan plan);
/* A task is the rows of a tile, and of columns as many tiles as keep its packed input in half a cache. */
void propose_packed_columns(proposer *o, cvk_plan plan, bool transposed, int64_t cache_bytes);
/* A tile in all orders worth ranking, packed and not. */
void propose_orders(proposer *o, cvk_plan plan);

#endif
