/* Convolution by fast transforms, for large kernels: overlap-save in tiles, on one to three axes at once. Three phases,
 * each of which leaves what it makes to the next in the workspace:
 *
 *     border     the input in planes with its border, whatever it is, and zeros up to a whole number of tiles
 *     spectra    of each tile of each input channel, its transform
 *     outputs    for each tile and some output channels: the sum over input channels of products with the weights'
 *                transform, in scratch; the way back; bias, post-ops, store of the positions that did not wrap around
 *
 * The weights are transformed when they are packed, and divided by the number of points.
 *
 * Polynomials. A tile is a real polynomial in a variable an axis. Along the first axis that is transformed, of T
 * positions, it is taken modulo X^T + 1, of which X^(T/2) - i is one factor, and its conjugate the other: modulo that,
 * position t + T/2 is i times position t, so that the real tile *is* a complex one of half the size, its second half
 * the imaginary part, and nothing is left to be taken apart afterwards. The other axes are taken modulo X^T - i. What
 * wraps around is multiplied by something of modulus 1, and thrown away. Modulo X^n - r is split further, c c = r, into
 *
 *     X^(n/2) - c  and  X^(n/2) + c:    a + b X^(n/2)  becomes  a + c b  and  a - c b
 *
 * down to n = 1: half a transform's levels share their constants with the other half, no index is ever reversed, and
 * what comes out, in whatever order, is multiplied point by point. A correlation is the product with the conjugate.
 *
 * Lanes are columns: along the columns, points a vector or more apart meet as vectors; the last levels, whose points
 * lie in one vector, turn squares of vectors, and leave them turned. Points are vectors of real and of imaginary parts
 * side by side. Where a kernel is longer than half of a tile along an axis, it is cut in parts of half a tile: the
 * spectra are then those of tiles half a tile apart, each of which meets every part. */
#ifndef CVK_ALGO_FFT_FFT_H
#define CVK_ALGO_FFT_FFT_H

#include "algo/algo.h"
#include "algo/epilogue.h"
#include "problem/overlap.h"

enum { FFT_MOST_HALVINGS = 15 }; /* points of an axis: 2^15 at most */

typedef struct fft {
    nest_builder *b;
    const problem *p;
    const cvk_target *target;
    const cvk_plan *plan;
    int lanes;
    overlap axis[AXES];
    int fold;                /* the axis whose second half is the imaginary part */
    int64_t line[AXES];      /* points along an axis: positions of a tile, of the axis that is folded half of them */
    int64_t points;          /* complex, of a tile */
    int64_t vectors, rows;   /* vectors of a row of points, and rows of a tile */
    int64_t runs, run;       /* a row's vectors, in runs of so many, so that few meet in one cache set */
    int64_t pitch;           /* elements from a row to the next while a tile is transformed */
    int64_t run_pitch;       /* and from a run to the next */
    int64_t channels, chunk; /* output channels, and vectors, whose sums are in registers together */
    int64_t plane, spectrum; /* elements of a plane; from a spectrum to the next */
    int64_t planes, spectra; /* elements of all of them */
    const int32_t *part;     /* angles, an array of cosines */
    int64_t cosines;
    int64_t four[FFT_MOST_HALVINGS + 1], two[FFT_MOST_HALVINGS + 1]; /* where those of a level are, by radix */
    int64_t within;                                                  /* where those of the levels within vectors are */
    int64_t within_group;                                            /* how many a group of vectors has */
    int table;                                                       /* tensors */
    int tile;                                                        /* that a tile is transformed in */
    int64_t at;                                                      /* from there on */
    int z, turned, c, t; /* registers: points, points in turned squares, constants, temporaries */
} fft;

/* twiddles.c: the constants. */
void fft_make_cosines(arena *a, fft *f);
/* Declares what transforms want. */
void fft_declare(fft *f);

/* How often a power of two is halved: levels of a transform of so many points. */
static inline int fft_levels(int64_t points) {
    int levels = 0;
    for (; points > 1; points /= 2) levels++;
    return levels;
}

typedef struct complex_ref {
    register_ref re, im;
} complex_ref;

/* Points of a transform in a tensor: real parts from `base` on, `step` elements apart, imaginary parts `apart` behind.
 * `store`, where it is not NULL, takes the points in place of the tensor. */
typedef struct fft_line {
    int tensor;
    affine base;
    int64_t step, apart;
    void (*store)(void *context, affine point, complex_ref z);
    void *context;
} fft_line;

/* transform.c: a tile in f->tile, there and back. An end is where its positions are, those along the folded axis, of a
 * row and a vector of columns: what is read, or what takes the outputs. NULL: the tile itself. */
typedef fft_line fft_end(void *context, affine row, affine vector);
/* A spectrum: f->chunk vectors of points side by side, and then the next so many, `step` elements behind. */
typedef struct fft_chunks {
    int tensor;
    affine base;
    int64_t step;
} fft_chunks;
void fft_forward(fft *f, fft_end *from, void *context, const fft_chunks *to);
void fft_backward(fft *f, const fft_chunks *from, fft_end *to, void *context);

/* butterfly.c: levels of a transform from one line to another. */
typedef struct fft_levels_of {
    int64_t points; /* of each line: so many levels */
    int first;      /* number of the first of them */
    affine node;    /* of that level, that the line is */
} fft_levels_of;
void fft_lines_forward(fft *f, const fft_levels_of *levels, const fft_line *from, const fft_line *to);
void fft_lines_backward(fft *f, const fft_levels_of *levels, const fft_line *from, const fft_line *to);
/* The levels within vectors, on the turned square; `group` counts those of a row. */
void fft_within_forward(fft *f, affine group);
void fft_within_backward(fft *f, affine group);

/* Opens loops over the parts of the kernel, and closes them. */
typedef struct fft_part {
    affine at[AXES], number;
} fft_part;
fft_part fft_open_parts(fft *f);
void fft_close_parts(fft *f);
int64_t fft_parts(const fft *f);

/* Of packed weights: where vector `vector` of a chunk begins, for an output channel of a block. */
affine fft_weights(const fft *f, affine block, affine part, affine in_channel, affine chunk);
int64_t fft_packed_elements(const fft *f);
int64_t fft_tile_elements(const fft *f); /* of f->tile */

/* Columns from one point of an end to the next, where columns are folded. */
static inline int64_t fft_column_step(const fft *f) { return f->lanes * (f->runs > 1 ? f->run : 1); }

/* Of the workspace. */
affine fft_plane(const fft *f, affine n, affine channel);
affine fft_spectrum(const fft *f, affine n, affine channel, const affine *at);

nest *fft_border(arena *a, const fft *f);
nest *fft_spectra(arena *a, const fft *f);
nest *fft_outputs(arena *a, const fft *f);
nest *fft_pack_weights(arena *a, const fft *f);

#endif
