/* The output channels of a kernel in blocks of tile.oc: where a block is, and which of its channels exist. */
#ifndef CVK_ALGO_CHANNEL_BLOCKS_H
#define CVK_ALGO_CHANNEL_BLOCKS_H

#include "nest/build.h"
#include "problem/problem.h"

/* Blocks are of the output channels of one group; or of the input channels of all groups, each of which stands for as
 * many output channels, one after another, as the channel multiplier says, and that takes the place of the groups. */
typedef struct channel_blocks {
    bool all_groups;
    int lanes;                         /* of a vector that channels fill */
    int64_t size;                      /* channels of a block */
    int64_t of_group;                  /* input channels of a group */
    int64_t groups;                    /* trips of the loop over groups */
    int64_t channels, covered, blocks; /* channels blocked, and with fill that is stored; blocks */
    affine group, block;               /* where a nest stands */
    int64_t valid, covers;             /* channels of this block that exist; that are stored */
} channel_blocks;

/* `lanes_are_channels`: vectors of channels may run into the fill of a blocked output, and then write it. */
channel_blocks channel_blocks_of(const problem *p, int64_t size, int lanes, bool lanes_are_channels, bool all_groups);
/* Stands at a block known by number. */
void channel_blocks_at(channel_blocks *c, int64_t block);
/* Stands at any of the blocks of which every channel exists, of which there are so many. */
int64_t channel_blocks_whole(const channel_blocks *c);
void channel_blocks_at_whole(channel_blocks *c, affine block);

/* A vector of channels, where blocks are vectors. */
typedef struct channel_vector {
    affine channel, number;  /* its first channel, of all; which vector it is */
    affine turn;             /* which of those that are handled together */
    const nest_range *valid; /* lanes that are channels; NULL: all */
    int64_t exist;           /* those; 0 or less: it is all fill, of which every lane is stored */
    bool with_fill;
} channel_vector;
/* Calls `body` where the nest stands at each vector of channels: whole ones share their code, so many in a trip. */
void channel_blocks_each(channel_blocks *c, nest_builder *b, int together,
                         void (*body)(void *context, const channel_vector *v), void *context);

int channel_blocks_vectors(const channel_blocks *c);                                      /* stored in this block */
nest_range channel_blocks_lanes(const channel_blocks *c, nest_builder *b, affine vector); /* that exist */
/* Channel number, in a view of weights or output, of a vector of the block; and from a lane to the next. */
affine channel_blocks_channel(const channel_blocks *c, const view *v, affine vector);
int64_t channel_blocks_step(const channel_blocks *c, const view *v);

#endif
