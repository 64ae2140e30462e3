/* Direct convolution: the walk over the output in register tiles and, for each tile, over the taps that are present. A
 * family fills in what differs: what the lanes hold.
 *
 *     for order[0..]                      blocks of loops, and tiles of the output; the outermost `tasks` are tasks
 *       [copy input to scratch]           plan.pack_rows
 *       variants of channels and axes     full blocks and the rest; tiles that see the same taps
 *           begin                         or the sums so far, where input channels come in blocks
 *           for kd, kh, ic, unrolled kw   or kd, kh, kw, ic
 *             body                        one tap of one input channel for the whole tile; or a row of them
 *           finish
 */
#ifndef CVK_ALGO_DIRECT_TILE_H
#define CVK_ALGO_DIRECT_TILE_H

#include "algo/algo.h"
#include "algo/channel_blocks.h"
#include "algo/epilogue.h"
#include "algo/taps.h"

struct tile;
struct traffic;

/* One tap. Its slices and rows are ranges of the tile's; its columns depend on it. */
typedef struct tap {
    affine k[AXES], ic;         /* ic: a step of the reduction */
    nest_range inside[AXIS_W];  /* of the tile's slices, and of its rows */
    const tap_segment *columns; /* NULL: those of tap kw */
} tap;

/* An input that meets a sum, by which tap of which pixel; where columns fill the lanes, from one to the next. */
typedef struct meeting {
    register_ref sum, x, weight;
    const nest_range *lanes; /* that have the tap; NULL: all */
    const tap *tap;
    const struct pixel *pixel;
    int64_t column_step;
} meeting;

/* What the factors of a dot are side by side of. */
typedef enum factors_of_dot { DOTS_NOTHING, DOTS_CHANNELS, DOTS_ROWS, DOTS_GROUPS } factors_of_dot;

typedef struct tile_run {
    int64_t first, end;
} tile_run;

typedef struct family {
    void (*begin)(struct tile *);
    void (*body)(struct tile *, const tap *);
    void (*row)(struct tile *, const tap *); /* all taps of a kernel row at once; NULL: body, one after another */
    void (*column)(struct tile *,
                   const tap *); /* all taps of a kernel column, where unroll_kh says so; NULL: it cannot */
    /* All taps and input channels at once, by weights that are known: there is then neither body nor packing. */
    void (*taps)(struct tile *);
    void (*finish)(struct tile *);
    void (*registers)(struct tile *); /* declares what the three use */
    /* Of tiles low .. high - 1 of a row, one after another, those that find in registers what the one before has loaded
     * (an empty run: none), where `hands_on` says so; and what loads it for the first of those, at which the walk
     * stands. NULL: none do. */
    tile_run (*carried)(const struct tile *, int64_t low, int64_t high);
    void (*begin_carrying)(struct tile *);
    /* Of a mean: its sums in these slices and rows, over how many taps they count. */
    void (*divide)(struct tile *, const count_run *slices, const count_run *rows);
    /* Of sums that leave NaN out: what they come to, the bias added. NULL: there are none. */
    void (*reweigh)(struct tile *);
    /* Opens unrolled loops over the tile's sums, one after another; gives how many loops, and the sum. */
    int (*sums)(struct tile *, register_ref *sum);
    /* Lanes of a register that channels fill; NULL: all. */
    int (*lanes)(const problem *p, int lanes);
    /* Packs the weights of a tap of the block; NULL: those of an input channel's output channels, side by side. */
    void (*pack)(struct tile *, const tap *, int from, int to, int w);
    bool channel_lanes;  /* lanes are consecutive output channels */
    bool reduces_lanes;  /* lanes are consecutive input channels */
    factors_of_dot dots; /* what it can sum the products of at once */
    bool unfolds;        /* scratch has an input for each tap of each output (pack_input.c) */
    bool all_groups;     /* blocks are of channels of all groups; the group loop runs over the multiplier */
} family;

/* A loop of the plan where the walk stands: which of its tiles, and those of the block around it. A tile of n, g and ic
 * is one image, group and channel. */
typedef struct tile_loop {
    int64_t tiles; /* there are */
    int64_t unit;  /* of what `block` counts in a tile */
    int64_t room;  /* tiles of the block; all, where there is none */
    affine first, number;
} tile_loop;

typedef struct tile {
    nest_builder *b;
    const family *family;
    const cvk_target *target;
    const cvk_plan *plan;
    problem whole; /* as it was asked for, its axes merged */
    problem p;     /* as the taps see it: with a packed border there is no padding left, and x is in scratch */
    int lanes;
    int reduced;           /* input channels of a step of the reduction: one, a vector of them, or those of a dot */
    const target_dot *dot; /* NULL: products are summed up one by one */
    int64_t size[AXES];    /* of the register tile */

    tensor_view x;      /* what the body reads: the input, or its copy in scratch */
    int input, weights; /* tensors */
    epilogue out;
    channel_blocks oc;

    tile_loop loop[PLAN_LOOPS];
    affine n, at[AXES]; /* at: the tile's first slice, row and column */
    const axis_span *span[AXES];
    affine packed[AXES];   /* input position of `p` at which the scratch begins */
    affine packed_channel; /* number of the channel at which it does, where groups are taken together */

    int partial;                /* tensor: sums between blocks of input channels; -1: there are none */
    tile_loop kept[PLAN_LOOPS]; /* the loops where those blocks begin */

    int acc, xs, ws, square;    /* register arrays: sums, input, weights, a tile transposed */
    int first;                  /* what sums begin with, where that is no place for weights */
    int brought;                /* arrays: what a dot wants side by side, or has left so, is brought there in them */
    int corrections;            /* tensor: of each output channel what a dot leaves to add; -1: nothing */
    tile_loop task[PLAN_LOOPS]; /* the loops where those of a task are found */
    int places;                 /* of a maximum with indices: as many as sums */
    int temporaries, counted, divisor; /* of pools; the first also of known weights */
    int lines, carried;                /* arrays: input rows, and sums that a tile has from the one before */
    bool hands_on, carries;            /* tiles leave it to the next; the walk is among tiles that have it */
    int met, is_number, constants;     /* where NaN is left out */
} tile;

/* The members of a row of algo/algorithms.def, by its family. Direct convolution can do every problem of windows. */
bool direct_applicable(const problem *p, const cvk_target *target, const char **why);
algo_nests direct_build(const algorithm *row, arena *a, const problem *p, const cvk_target *target,
                        const cvk_plan *plan);
const char *direct_refuse(const algorithm *row, const problem *p, const cvk_target *target, const cvk_plan *plan);
double direct_cycles(const problem *p, const cvk_target *target, const cvk_plan *plan, const algo_nests *nests,
                     const nest_counts *counts);
/* Of those what instructions and the first two levels take, with so many sums that do not wait for one another. */
double direct_near(const problem *merged, const cvk_target *target, const cvk_plan *plan, const nest_counts *counts,
                   const struct traffic *t, double independent);
double direct_least(const problem *asked, const cvk_target *target, const cvk_plan *plan);
/* The share of a tile's pixels that are evicted from the first level before their line's next channel is read. */
double direct_conflicts(const problem *merged, const cvk_target *target, const cvk_plan *plan);
plan_tasks direct_tasks(const algorithm *row, const problem *p, const cvk_target *target, const cvk_plan *plan);
/* propose.c: register tiles that fit the target's registers, each in the loop orders worth ranking. */
/* A problem as its loops see it: its axes merged, and of lanes over channels of all groups the multiplier away where
 * vectors can be loaded so. */
problem direct_problem(const problem *p, const cvk_target *target, plan_lanes lanes);
void propose_channel_tiles(const algorithm *row, const problem *p, goal aim, arena *a, plan_list *list);
void propose_column_tiles(const algorithm *row, const problem *p, goal aim, arena *a, plan_list *list);
void propose_constant_tiles(const algorithm *row, const problem *p, goal aim, arena *a, plan_list *list);
void propose_in_channel_tiles(const algorithm *row, const problem *p, goal aim, arena *a, plan_list *list);

/* tile.c: what follows from the plan; where a tile and its taps are. */
/* Vectors of sums of a register tile, independent of one another. */
double direct_sums(const problem *merged, int lanes, const cvk_plan *plan);
tile tile_make(const problem *p, const cvk_target *target, const cvk_plan *plan, const family *f);
int64_t tile_pixels(const tile *t); /* of the register tile */
/* Steps of the reduction over a group's input channels. */
int64_t tile_steps(const tile *t);
/* Columns are clipped as they run: the taps of a tile of one column are a range of a loop. */
bool tile_clips_columns(const tile *t);
/* Whether tiles of an axis are sorted into spans, each with code of its own; else taps are clipped as they run. */
bool tile_has_spans(const tile *t, int axis);
int tile_channel_lanes(const problem *p, int lanes, const family *f);
/* Rows of packed weights to an output row: the kernel's, or, where a dot is of several of those, windows of them; and
 * of all output rows that have weights of their own. */
int64_t tile_kernel_rows(const tile *t);
int64_t tile_weight_rows(const tile *t);
/* Whether dots are of several kernel rows. */
bool tile_dots_rows(const tile *t);
/* Packed weights of a tap and an input channel of it, in whole vectors where lanes are channels. */
int64_t tile_tap_weights(const tile *t);
/* Of `tiles` of a loop, `unit` each, those that the levels from `level` on go through. */
int64_t tiles_within(const cvk_plan *plan, int level, plan_loop loop, int64_t tiles, int64_t unit);
/* Of the loop over positions of an axis. */
plan_loop tile_loop_of(int axis);
/* A pixel of the tile. */
typedef struct pixel {
    affine at[AXES];
} pixel;
position tile_output(const tile *t, const pixel *p);
/* The number of its sum among the tile's. */
affine tile_pixel_number(const tile *t, const pixel *p);
/* Opens unrolled loops over a tile's slices and rows: all of them, or those of a tap. */
enum { TILE_PIXEL_LOOPS = AXIS_W };
pixel tile_open_rows(tile *t, const tap *k);
nest_range tap_columns(tile *t, const tap *k, affine first, int64_t count);
/* Where tap k of a pixel reads t->x: image, channel number (of input channel ic, or the block's own), position. */
lane_map tap_input(const tile *t, const tap *k, const pixel *p);
/* The lanes of input channels that exist in step k->ic, where lanes are input channels. */
nest_range tap_lanes(tile *t, const tap *k);
affine tap_weights(const tile *t, const tap *k); /* packed weights of the block */

/* combine.c: sums of products, with NaN or without, maxima and means. */
void combine_registers(tile *t); /* after those of the sums */
/* What sums of the channels in `m` begin with; a sum that begins with it. */
void combine_begin(tile *t, register_ref to, const lane_map *m);
void combine_begin_sum(tile *t, register_ref sum, register_ref from);
void combine_loaded(tile *t, register_ref x); /* an input, before it meets sums */
void combine_input(tile *t, const meeting *x);
void combine_reweigh(tile *t, register_ref sum, register_ref bias);
void combine_finish(tile *t);
/* How a sum of so many taps becomes their mean. Positions of the tile along an axis by how many taps they count: 1,
 * where those are counted as the nest runs, which the divisor then knows. */
typedef struct divisor {
    op_kind kind;
    register_ref by;
} divisor;
divisor combine_divisor(tile *t, int64_t taps);
register_ref combine_divisor_alone(tile *t, int64_t taps); /* to divide by, whatever it is */
count_list combine_counts(const tile *t, int axis);

/* dots.c: products of several input channels at once. */
/* The target's, where the problem suits it; NULL: none. */
const target_dot *dot_of(const problem *p, const cvk_target *target, int factors);
/* Added to what is stored it gives what the instruction takes; and what then stands for 0. */
int dot_shift(const problem *p, const target_dot *d);
int dot_zero(const problem *p, const target_dot *d);
/* Whether the input can be read in place, but for the shift; whether its elements are as wide as the instruction's. */
bool dot_reads_input(const problem *p, const target_dot *d);
bool dot_reads_as_stored(const problem *p, const target_dot *d);
/* Whether a border of zeros has to be packed. */
bool dot_wants_border(const problem *p, const target_dot *d);
/* Packed input: the channels of a step side by side, the last step's filled up. */
view dot_scratch(const problem *p, const target_dot *d, const int64_t size[AXES]);
/* The input as the nest sees it: bytes as what the instruction takes, to which the shift is added once they are loaded.
 */
int dot_add_input(tile *t);
void dot_shift_loaded(tile *t, register_ref x, register_ref spare);
/* What the sums of a task's output channels have to be corrected by, so many numbers; 0: nothing. Finds them; adds
 * those of a vector. */
int64_t dot_corrections(const tile *t);
void dot_build_corrections(tile *t);
void dot_correct(tile *t, register_ref sum, affine vector);
/* Arrays of registers, and vectors of columns in the first of them, one of each channel of a step, as what lies side by
 * side of those; gives the array. */
int dot_add_brought(tile *t, int lanes);
int dot_bring(tile *t, int array);
/* `each` lanes of one and of the other in turn, of their lower or upper halves. */
void dot_interleave(tile *t, register_ref to, register_ref x, register_ref y, int each, bool upper);
/* Packs the weights of a step for the output channels of a block, side by side. */
void dot_pack(tile *t, const tap *k, int from, int to, int w);
/* The same of a row of windows' weights. */
void dot_pack_rows(tile *t, const tap *k, int from, int to, int w);

/* row_dots.c: products of several kernel rows at once, of depthwise layers. */
void row_dot_registers(tile *t);
void row_dot_add(tile *t, const tap *k); /* all taps */
/* What a task copies, and that it does. */
view row_dot_scratch(const problem *p, const cvk_plan *plan, const target_dot *d, int64_t channels, int lanes);
void row_dot_pack_input(tile *t);
/* Windows of input rows that a tile of so many output rows sees; 0: too many. */
int64_t row_dot_windows(const problem *p, const target_dot *d, int64_t rows);
/* How often an output row meets a window. */
int64_t row_dot_meetings(const problem *p, const target_dot *d, int64_t rows);
/* Of a row of packed weights, the tap that meets number i of a window; -1: none. */
int64_t row_dot_tap(const tile *t, int64_t number, int64_t i);

/* grouped_dots.c: products of several input channels of a group at once, lanes over steps of those. */
void grouped_dot_registers(tile *t);
void grouped_dot_begin(tile *t);
void grouped_dot_body(tile *t, const tap *k);
void grouped_dot_finish(tile *t);
void grouped_dot_pack(tile *t, const tap *k, int from, int to, int w);

/* slide.c: input positions along an axis that the tile's positions share, each with the taps that read it. */
typedef struct slide {
    int axis;
    int64_t first, count;    /* taps that are at hand */
    int64_t taps, positions; /* from a tap of a phase to the next, which reads the same that many positions before */
} slide;
int64_t slid_taps(const problem_axis *axis); /* whose weights a tile keeps in registers, at most */
slide slide_of(const tile *t, int axis, int64_t first, int64_t count);
int64_t slide_phases(const slide *s);
/* Positions that taps of a phase read, those outside of the input counted. */
int64_t slide_inputs(const tile *t, const slide *s, int64_t phase);
/* Opens unrolled loops. Gives the position, counted from the tile's first, at which tap `k` reads the input; then the
 * tile's positions and the taps that read it. */
affine slide_open_inputs(tile *t, const slide *s, int64_t phase, affine *k);
affine slide_open_taps(tile *t, const slide *s, int64_t phase, affine at, affine *k);

/* reduce.c: one tile, from begin to finish. */
void reduce_tile(tile *t);

/* partial.c: sums that wait for the next block of input channels. */
void partial_begin(tile *t); /* at the loop over those blocks */
void partial_load(tile *t);
void partial_store(tile *t);
int64_t partial_places(const tile *t); /* tiles whose sums wait; 0 where input channels come all at once */
int64_t partial_elements(const tile *t);

/* channel_tile.c: for families whose lanes are channels. */
/* So many sums of each vector and pixel, the first of which become the output; so many registers of weights, or one a
 * vector if that is more. */
void channel_tile_registers(tile *t, int64_t sums, int64_t weights);
/* channels.c: a tap of an input channel, broadcast, for the tile's vectors of output channels. */
void channels_body(tile *t, const tap *k);
void channel_tile_begin(tile *t);
void channel_tile_bias(tile *t, affine vector, register_ref to); /* what sums of a vector begin with */
void channel_tile_divide(tile *t, const count_run *slices, const count_run *rows);
void channel_tile_reweigh(tile *t);
void channel_tile_finish(tile *t);
int channel_tile_sums(tile *t, register_ref *sum);
/* Input of all groups: the channels of vector `vector`, which exist, where tap k of a pixel reads. */
void channel_tile_load(tile *t, const tap *k, affine vector, const pixel *p);
/* The sums of channel vector `vector` at a pixel of the tile. */
register_ref channel_tile_sum(const tile *t, affine vector, const pixel *p);

/* columns.c: for families whose lanes are columns. */
void column_tile_registers(tile *t); /* of sums */
void column_tile_begin(tile *t);     /* by a register of weights */
void column_tile_finish(tile *t);
int column_tile_sums(tile *t, register_ref *sum);
int64_t column_tile_vectors(const tile *t); /* in a row */
/* The sum of channel j and column vector v in a row. */
register_ref column_tile_sum(const tile *t, affine j, const pixel *row, affine v);
void columns_registers(tile *t);          /* of sums, inputs and weights */
void columns_body(tile *t, const tap *k); /* a tap of an input channel, whose weights are broadcast */
/* What tap k of column vector v in a row reads; zeros where that is absent. */
void column_tile_load(tile *t, const tap *k, const pixel *row, affine v, register_ref to, register_ref spare);

/* pack_weights.c */
nest *pack_weights_build(arena *a, const tile *t);
int64_t packed_weights_elements(const tile *t);
cvk_type packed_weights_type(const problem *p, const cvk_target *target, const cvk_plan *plan, const target_dot *dot);
/* pack_input.c: copies what the output positions of a task need, border and all. */
/* Output positions along an axis whose input is in scratch together, where so many loops are tasks. */
int64_t pack_input_positions(const problem *p, const cvk_plan *plan, int axis);
problem pack_input_problem(const problem *p, const cvk_plan *plan, const family *f, const target_dot *dot, int lanes);
void pack_input_build(tile *t);

#endif
