/* What the files of known weights share: where the walk stands, and the columns of the kernel. */
#ifndef CVK_ALGO_DIRECT_CONSTANTS_H
#define CVK_ALGO_DIRECT_CONSTANTS_H

#include "algo/cost.h"
#include "algo/direct/tile.h"

/* Columns of the kernel that are multiples of the first of them. */
typedef struct fold {
    double *factor; /* by kw; 0: not one of them */
    int64_t columns, first;
    double *weight; /* by j, kd, kh, of the sum */
} fold;

/* Where the walk stands in one tile. */
typedef struct standing {
    tile *t;
    int64_t group, first, ic; /* of the filters' output channels */
    bool strict;
    tap k;
    bool *fresh; /* sums that nothing was added to yet, of a tile that begins with zeros */
    fold *folds;
    int fold_count;
    bool *present; /* inputs of a row that are not all absent, by kw */
    bool *whole;   /* vectors of a row that are loaded as `middle` reads them, all lanes present, by v */
} standing;

/* A row of the tile, and the kernel row by which it sees an input row. */
typedef struct meeting_rows {
    int64_t row, kh;
} meeting_rows;

/* Neighbours of a vector in a row. */
enum { BEFORE, HERE, AFTER, NEIGHBOURS };

static inline int64_t taps_across(const tile *t) { return t->p.axis[AXIS_W].taps; }

static inline int64_t taps_down(const tile *t) { return t->p.axis[AXIS_H].taps; }

static inline int64_t vectors_of(const tile *t) { return t->plan->tile_ow / t->lanes; }

/* Of channel j of the block. */
static inline int64_t place_in_column(const tile *t, int64_t j, int64_t kd, int64_t kh) {
    return (j * t->p.axis[AXIS_D].taps + kd) * taps_down(t) + kh;
}

/* The tap that reads where the output is; if none does, the middle one. */
static inline int64_t middle_of(const problem_axis *a) {
    const int64_t there = -a->origin / a->tap_step;
    return a->origin % a->tap_step == 0 && there >= 0 && there < a->taps ? there : a->taps / 2;
}

static inline bool has_lines(const tile *t) {
    const bool lines = t->lanes * type_bytes(t->p.sum) == LINE_BYTES && t->p.axis[AXIS_W].step == 1;
    return lines && taps_across(t) > 1;
}

/* Where tap kw reads, counted from where the middle one does. */
static inline int64_t offset_of(const tile *t, int64_t kw) {
    const problem_axis *a = &t->p.axis[AXIS_W];
    return (kw - middle_of(a)) * a->tap_step;
}

/* Input rows that the tile's rows see, whether they are there or not. */
static inline int64_t lines_seen(const tile *t) {
    const problem_axis *a = &t->p.axis[AXIS_H];
    return (t->plan->tile_oh - 1) * a->step + (a->taps - 1) * a->tap_step + 1;
}

/* The first input row that the tile's rows see, of those of one span. */
static inline int64_t first_line(const tile *t) {
    const problem_axis *a = &t->p.axis[AXIS_H];
    return t->span[AXIS_H]->start_first * a->step + a->origin;
}

/* Registers: inputs by kw; of a sum of known products, a group and a constant. */
static inline register_ref input_of(const tile *t, int64_t kw) { return reg(t->xs, affine_constant(kw)); }
static inline register_ref group_of(const tile *t) { return reg(t->temporaries, affine_constant(1)); }
static inline register_ref one_constant(const tile *t) { return reg(t->ws, affine_constant(0)); }

/* constants.c */
int64_t constants_groups(const problem *p); /* that have filters of their own */
standing constants_stand(tile *t, int64_t group, int64_t first);
void constants_stand_at(standing *s, int64_t ic);
/* The rows of the tile that see an input row, counted from the input's first. */
int constants_rows_meeting(const tile *t, int64_t input, meeting_rows *to);
bool constants_is_met(const standing *s, const fold *f, const meeting_rows *m, int count);
/* What tap kw reads of three neighbours, the middle one of which the middle tap reads. */
void constants_join(tile *t, int64_t kw, const register_ref of[NEIGHBOURS]);

/* constants_rows.c: tiles of a row that hand on what they have. Declares it, where they do. */
void constants_add_carried(tile *t);
tile_run constants_carried(const tile *t, int64_t low, int64_t high);
void constants_begin_carrying(tile *t);
void constants_add_carrying(standing *s); /* all that a tile sums */

#endif
