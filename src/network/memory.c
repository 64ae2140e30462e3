/* Greedy: blocks in an order, each to the narrowest gap between those that are placed and live at the same time.
 * Several orders are tried, then exchanges of neighbours in the best, until the bound is reached or enough has been
 * tried. */
#include "network/memory.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { TRIALS_PER_BLOCK = 24, MOST_TRIALS = 1500 };

static uint64_t lines(uint64_t bytes) { return (bytes + MEMORY_LINE - 1) / MEMORY_LINE * MEMORY_LINE; }

static bool meet(const memory_block *a, const memory_block *b) { return a->first <= b->last && b->first <= a->last; }

uint64_t memory_sum(const memory_block *blocks, int count) {
    uint64_t sum = 0;
    for (int i = 0; i < count; i++) sum += lines(blocks[i].bytes);
    return sum;
}

static uint64_t greater(uint64_t a, uint64_t b) { return a > b ? a : b; }

static uint64_t sum_during(const memory_block *blocks, int count, int step) {
    uint64_t sum = 0;
    for (const memory_block *b = blocks; b < blocks + count; b++)
        if (b->first <= step && step <= b->last) sum += lines(b->bytes);
    return sum;
}

/* What lives during a step changes where a block begins to. */
uint64_t memory_bound(const memory_block *blocks, int count, memory_behind behind) {
    uint64_t most = 0;
    for (int i = 0; i < count; i++) most = greater(most, sum_during(blocks, count, blocks[i].first));
    for (int i = 0; i < behind.steps; i++)
        if (behind.bytes[i]) most = greater(most, sum_during(blocks, count, i) + behind.bytes[i]);
    return most;
}

uint64_t memory_end_during(const memory_block *blocks, int count, int step) {
    uint64_t end = 0;
    for (const memory_block *b = blocks; b < blocks + count; b++)
        if (b->first <= step && step <= b->last && b->at + lines(b->bytes) > end) end = b->at + lines(b->bytes);
    return end;
}

/* One attempt. Of a hundred blocks a few live at the same time as one: those of block i are `met[met_begin[i]]` and on,
 * to where the next one's begin. */
typedef struct placing {
    memory_block *blocks;
    int count;
    const int *met, *met_begin;
    bool *placed;
    const memory_block **low; /* those placed that live at the same time as the next, the lowest first */
    memory_behind behind;
    uint64_t *end; /* of each of its steps, where what lives during it ends */
} placing;

static void find_met(arena *a, placing *p) {
    int *begin = arena_array(a, int, p->count + 1), pairs = 0;
    for (int i = 0; i < p->count; i++)
        for (int k = 0; k < p->count; k++) pairs += i != k && meet(&p->blocks[i], &p->blocks[k]);
    int *met = arena_array(a, int, pairs + 1), at = 0;
    for (int i = 0; i < p->count; i++) {
        begin[i] = at;
        for (int k = 0; k < p->count; k++)
            if (i != k && meet(&p->blocks[i], &p->blocks[k])) met[at++] = k;
    }
    begin[p->count] = at;
    p->met = met;
    p->met_begin = begin;
}

static int sort_placed(placing *p, int block) {
    int count = 0;
    for (int i = p->met_begin[block]; i < p->met_begin[block + 1]; i++) {
        if (!p->placed[p->met[i]]) continue;
        const memory_block *other = &p->blocks[p->met[i]];
        int at = count++;
        for (; at > 0 && p->low[at - 1]->at > other->at; at--) p->low[at] = p->low[at - 1];
        p->low[at] = other;
    }
    return count;
}

/* The narrowest gap that is wide enough, or behind all. */
static uint64_t find_gap(placing *p, int block) {
    const uint64_t bytes = lines(p->blocks[block].bytes);
    const int count = sort_placed(p, block);
    uint64_t end = 0, best = UINT64_MAX, at = 0;
    for (int i = 0; i < count; i++) {
        const memory_block *other = p->low[i];
        if (other->at > end && other->at - end >= bytes && other->at - end < best) {
            best = other->at - end;
            at = end;
        }
        end = greater(end, other->at + lines(other->bytes));
    }
    return best == UINT64_MAX ? end : at;
}

/* With what is wanted behind. */
static uint64_t end_behind(const placing *p) {
    uint64_t end = 0;
    for (int i = 0; i < p->behind.steps; i++) p->end[i] = 0;
    for (const memory_block *b = p->blocks; b < p->blocks + p->count; b++)
        for (int i = b->first; i <= b->last && i < p->behind.steps; i++)
            p->end[i] = greater(p->end[i], b->at + lines(b->bytes));
    for (int i = 0; i < p->behind.steps; i++)
        if (p->behind.bytes[i]) end = greater(end, p->end[i] + p->behind.bytes[i]);
    return end;
}

static uint64_t place_in_order(placing *p, const int *order) {
    uint64_t end = 0;
    memset(p->placed, 0, sizeof *p->placed * (size_t)p->count);
    for (int i = 0; i < p->count; i++) {
        memory_block *b = &p->blocks[order[i]];
        b->at = find_gap(p, order[i]);
        p->placed[order[i]] = true;
        end = greater(end, b->at + lines(b->bytes));
    }
    return greater(end, end_behind(p));
}

/* ---- orders ---- */

typedef uint64_t weight_of(const memory_block *b);
static uint64_t by_bytes(const memory_block *b) { return b->bytes; }
static uint64_t by_life(const memory_block *b) { return (uint64_t)(b->last - b->first); }
static uint64_t by_both(const memory_block *b) { return b->bytes * (uint64_t)(b->last - b->first + 1); }
static uint64_t by_begin(const memory_block *b) { return (uint64_t)(INT32_MAX - b->first); }
static weight_of *const weights[] = {by_bytes, by_both, by_life, by_begin};

/* The heaviest first; what is as heavy, as it came. */
static void sort(const memory_block *blocks, int count, weight_of *weight, int *order) {
    for (int i = 0; i < count; i++) {
        int at = i;
        for (; at > 0 && weight(&blocks[order[at - 1]]) < weight(&blocks[i]); at--) order[at] = order[at - 1];
        order[at] = i;
    }
}

static uint32_t next_random(uint32_t *state) {
    *state = *state * UINT32_C(1664525) + UINT32_C(1013904223);
    return *state >> 8;
}

static void swap(int *order, int a, int b) {
    const int kept = order[a];
    order[a] = order[b];
    order[b] = kept;
}

/* Exchanges that do not make it worse are kept. */
static uint64_t improve(placing *p, int *order, uint64_t best, uint64_t bound) {
    const int most = p->count * TRIALS_PER_BLOCK < MOST_TRIALS ? p->count * TRIALS_PER_BLOCK : MOST_TRIALS;
    uint32_t state = 1;
    for (int i = 0; i < most && best > bound; i++) {
        const int a = (int)(next_random(&state) % (uint32_t)p->count),
                  b = (int)(next_random(&state) % (uint32_t)p->count);
        swap(order, a, b);
        const uint64_t end = place_in_order(p, order);
        if (end <= best)
            best = end;
        else
            swap(order, a, b);
    }
    return best;
}

uint64_t memory_place(arena *a, memory_block *blocks, int count, memory_behind behind) {
    placing p = {.blocks = blocks,
                 .count = count,
                 .placed = arena_array(a, bool, count + 1),
                 .low = arena_array(a, const memory_block *, count + 1),
                 .behind = behind,
                 .end = arena_array(a, uint64_t, behind.steps + 1)};
    find_met(a, &p);
    int *order = arena_array(a, int, count + 1), *best_order = arena_array(a, int, count + 1);
    const uint64_t bound = memory_bound(blocks, count, behind);
    uint64_t best = UINT64_MAX;
    for (size_t i = 0; i < sizeof weights / sizeof *weights && best > bound; i++) {
        sort(blocks, count, weights[i], order);
        const uint64_t end = place_in_order(&p, order);
        if (end >= best) continue;
        best = end;
        memcpy(best_order, order, sizeof *order * (size_t)count);
    }
    if (best > bound && count > 1) best = improve(&p, best_order, best, bound);
    return count ? place_in_order(&p, best_order) : end_behind(&p);
}
