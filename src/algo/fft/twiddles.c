/* The constants of a transform, as cosines. Level l has 2^l nodes; node m is what remains modulo X^n - e(r), and its
 * constant is e(r / 2), where e(a) is the root of unity at angle a, in turns. */
#include "algo/fft/fft.h"

enum { RADIX_FOUR = 4, RADIX_TWO = 2 };

/* In parts of 2^halvings of a turn: r = 1/4 at the top, r / 2 and r / 2 + 1/2 below. */
enum { HALVINGS = FFT_MOST_HALVINGS + 4, TURN = 1 << HALVINGS };

static int32_t angle(int level, int64_t number) {
    int32_t r = TURN / 4;
    for (int l = level - 1; l >= 0; l--) r = r / 2 + (number >> l & 1 ? TURN / 2 : 0);
    return r / 2;
}

typedef struct list {
    int32_t *part;
    int64_t count;
} list;

/* Cosine and sine: that of a quarter of a turn less. */
static void add(list *to, int32_t angle) {
    to->part[to->count++] = angle;
    to->part[to->count++] = angle - TURN / 4;
}

/* A node's two levels are four points; the second of its halves has i times the constant of the first. */
static void add_level(list *to, int level, int radix) {
    for (int64_t number = 0; number < INT64_C(1) << level; number++) {
        add(to, angle(level, number));
        if (radix == RADIX_FOUR) add(to, angle(level + 1, 2 * number));
    }
}

static void add_levels(fft *f, list *to, int first, int last) {
    int l = first;
    for (; l + 2 <= last; l += 2)
        if (f->four[l] < 0) {
            f->four[l] = to->count;
            add_level(to, l, RADIX_FOUR);
        }
    if (l < last && f->two[l] < 0) {
        f->two[l] = to->count;
        add_level(to, l, RADIX_TWO);
    }
}

/* Of a vector of nodes, constant by constant, lane after lane: that of descendant `child` of each, `depth` levels
 * below.
 */
static void add_lanes(const fft *f, list *to, int64_t group, int level, int depth, int64_t child) {
    int32_t of_lane[NEST_MOST_LANES];
    for (int l = 0; l < f->lanes; l++) {
        int64_t number = (group * f->lanes + l) % f->vectors;
        of_lane[l] = angle(level + depth, (number << depth) + child);
    }
    for (int l = 0; l < f->lanes; l++) to->part[to->count++] = of_lane[l];
    for (int l = 0; l < f->lanes; l++) to->part[to->count++] = of_lane[l] - TURN / 4;
}

static void add_group(const fft *f, list *to, int64_t group) {
    const int level = fft_levels(f->vectors), levels = fft_levels(f->lanes);
    int depth = 0;
    for (; depth + 2 <= levels; depth += 2)
        for (int64_t child = 0; child < INT64_C(1) << depth; child++) {
            add_lanes(f, to, group, level, depth, child);
            add_lanes(f, to, group, level, depth + 1, 2 * child);
        }
    for (int64_t child = 0; depth < levels && child < INT64_C(1) << depth; child++)
        add_lanes(f, to, group, level, depth, child);
}

void fft_make_cosines(arena *a, fft *f) {
    int64_t most = 0;
    for (int i = 0; i < AXES; i++) most += 8 * f->line[i];
    list to = {arena_array(a, int32_t, 8 * most + 64 * NEST_MOST_LANES * NEST_MOST_LANES), 0};
    for (int l = 0; l <= FFT_MOST_HALVINGS; l++) f->four[l] = f->two[l] = -1;
    for (int i = 0; i < AXIS_W; i++) add_levels(f, &to, 0, fft_levels(f->line[i]));
    add_levels(f, &to, 0, fft_levels(f->runs));
    add_levels(f, &to, fft_levels(f->runs), fft_levels(f->vectors));
    f->within = to.count;
    const int64_t groups = greater(f->vectors / f->lanes, 1);
    for (int64_t g = 0; g < groups; g++) add_group(f, &to, g);
    f->within_group = (to.count - f->within) / groups;
    f->part = to.part;
    f->cosines = to.count;
}

void fft_declare(fft *f) {
    f->table = nest_add_cosines(f->b, "cosines", f->p->sum, f->part, f->cosines, HALVINGS);
    f->z = nest_add_register(f->b, "z", f->p->sum, f->lanes, (int)greater(2 * f->lanes, 8));
    f->turned = nest_add_register(f->b, "q", f->p->sum, f->lanes, 2 * f->lanes);
    f->c = nest_add_register(f->b, "c", f->p->sum, f->lanes, 4);
    f->t = nest_add_register(f->b, "t", f->p->sum, f->lanes, 6);
}
