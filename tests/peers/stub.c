/* A peer that does nothing, to try how peers are found and spoken to. STUB_VERSION is the version it claims. */
#include "peers/peer.h"

#include <stdlib.h>

struct peer_layer {
    char variant[32];
};

/* It can do nothing but what the test asks of it, so that a layer put wrongly has no figures. */
static bool expected(const peer_problem *p) {
    return p->rank == 2 && p->batch == 1 && p->in_channels == 6 && p->out_channels == 4 && p->groups == 2 &&
           p->in_size[0] == 1 && p->in_size[1] == 8 && p->in_size[2] == 9 && p->out_size[1] == 6 &&
           p->out_size[2] == 8 && p->kernel[1] == 3 && p->kernel[2] == 3 && p->stride[2] == 1 && p->dilation[1] == 1 &&
           p->pad_before[2] == 0 && p->pad_after[2] == 1 && !p->bias && p->post_op_count == 1 &&
           p->post_ops[0].kind == CVK_POST_CLAMP && p->post_ops[0].a == -1 && p->post_ops[0].b == 2;
}

static peer_layer *stub_open(const peer_request *r) {
    if (r->way != PEER_DIRECT || !expected(r->problem)) return NULL;
    peer_layer *layer = malloc(sizeof *layer);
    if (layer) *layer = (peer_layer){"stub of nothing"};
    return layer;
}

static void stub_run(peer_layer *layer) {
    for (volatile int i = 0; i < 1000; i++) (void)layer;
}
static void stub_rest(void) {}
static const char *stub_variant(const peer_layer *layer) { return layer->variant; }
static void stub_close(peer_layer *layer) { free(layer); }

const peer convoke_peer = {STUB_VERSION, "Stub", stub_open, stub_run, stub_rest, stub_variant, stub_close};
