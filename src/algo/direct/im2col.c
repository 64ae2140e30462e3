/* im2col: a task copies what the taps of its outputs read to scratch, each tap's inputs for themselves, and multiplies
 * this Toeplitz matrix by the weights, as direct convolution does a layer whose windows have nothing in common. It is
 * what many libraries do with every layer. Here direct sums read their input in place, at any stride and border, and
 * save the copy; so `auto` leaves it out, and it is for who asks, to compare.
 *
 *     for the tasks: n, g, od, blocks of oh and ow
 *       for kd, kh, kw, ic: matrix[kd, kh, kw, ic][the outputs of the task] = input, or what the border reads
 *       tiles of direct/out_channels, or of direct/columns: sums over the rows of the matrix */
#include "algo/cost.h"
#include "algo/direct/tile.h"

enum { MOST_COLUMN_TAPS = 32 }; /* of which each has copies of its own where it meets a border */
static const int64_t MOST_MATRIX = 1 << 24;

static bool applicable(const problem *p, const cvk_target *target, const char **why) {
    *why = "im2col is for sums of products";
    if (p->combine != COMBINE_SUM || !direct_applicable(p, target, why)) return false;
    *why = "accuracy: strict: zeros of a border would meet weights, which may be infinite";
    const bool zeros = problem_is_padded(p) && p->border == PAD_ZEROS;
    if (zeros && p->accuracy == ACCURACY_STRICT && type_is_float(p->sum)) return false;
    *why = "its kernel is one tap: the input is the matrix already";
    if (problem_taps(p) == 1) return false;
    *why = "its kernel is more than 32 columns wide";
    return p->axis[AXIS_W].taps <= MOST_COLUMN_TAPS;
}

static const char *refuse(const algorithm *row, const problem *p, const cvk_target *target, const cvk_plan *plan) {
    const char *why = direct_refuse(row, p, target, plan);
    if (why) return why;
    const tile t = tile_make(p, target, plan, row->family);
    return t.p.x.elements > MOST_MATRIX ? "the matrix of a task has more than 2^24 elements" : NULL;
}

static double cycles(const problem *p, const cvk_target *target, const cvk_plan *plan, const algo_nests *nests,
                     const nest_counts *counts) {
    const double matrix = (double)program_needs(&nests->run, ROLE_SCRATCH).bytes;
    return direct_cycles(p, target, plan, nests, counts) +
           cost_l2(target, 2 * matrix * (double)program_tasks(&nests->run, 0));
}

static void channels_registers(tile *t) { channel_tile_registers(t, 1, 0); }

static const family CHANNELS = {.begin = channel_tile_begin,
                                .body = channels_body,
                                .finish = channel_tile_finish,
                                .registers = channels_registers,
                                .sums = channel_tile_sums,
                                .channel_lanes = true,
                                .dots = DOTS_CHANNELS,
                                .unfolds = true};

static const family COLUMNS = {.begin = column_tile_begin,
                               .body = columns_body,
                               .finish = column_tile_finish,
                               .registers = columns_registers,
                               .sums = column_tile_sums,
                               .unfolds = true};

#define ROW(LANES, PROPOSE, FAMILY)                                                                                    \
    {.name = "im2col",                                                                                                 \
     .lanes = LANES,                                                                                                   \
     .applicable = applicable,                                                                                         \
     .propose = PROPOSE,                                                                                               \
     .refuse = refuse,                                                                                                 \
     .build = direct_build,                                                                                            \
     .cycles = cycles,                                                                                                 \
     .family = &FAMILY,                                                                                                \
     .asked_for = true}

const algorithm algo_im2col_channels = ROW(LANES_OUT_CHANNELS, propose_channel_tiles, CHANNELS);
const algorithm algo_im2col_columns = ROW(LANES_COLUMNS, propose_column_tiles, COLUMNS);
