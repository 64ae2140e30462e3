/* What peers have for a layer: each in each of its ways, on the data that our own kernel runs on, and held to what it
 * computes. */
#ifndef CVK_LAB_RIVALS_H
#define CVK_LAB_RIVALS_H

#include "lab/ready.h"
#include "peers/peer.h"

enum { MOST_PEERS = 8, MOST_RIVALS = MOST_PEERS * PEER_WAYS };

/* The peers of a run. */
typedef struct peer_list {
    const peer *of[MOST_PEERS];
    size_t count;
    bool plain; /* they, too, take tensors in plain layouts */
} peer_list;

/* A bit (1 << way) for each that some peer has. */
unsigned peer_list_ways(const peer_list *l);

/* A peer's best for a layer. */
typedef struct rival {
    const peer *peer;
    peer_layer *layer;
    peer_way way;
    const char *variant; /* the peer, its format and implementation */
    double once;         /* seconds of one run */
} rival;

typedef struct rivals {
    rival of[MOST_RIVALS];
    size_t count;
    const char *wrong; /* NULL, or which peers are left out, as they compute something else, and how far off they are */
    layer_data data;
} rivals;

/* None where gradients are added to what the output holds, or are a flipped kernel's. Runs our own kernel as well. A
 * rival that takes many times as long as another of the same way is left out. Padding other than zeros and dense ways
 * are for the peers to take or leave; with PEER_SEPARABLE, which takes the weights for what these are not, nothing is
 * compared. Texts live in the arena; `to` is for rivals_close in any case and stays where it is. */
cvk_status rivals_open(const ready *r, const peer_list *peers, arena *a, rivals *to);
void rivals_close(rivals *r);
/* For `measure`. */
measured rival_measured(const rival *r);

#endif
