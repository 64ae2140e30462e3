/* A peer of one layer, to try how peers are found, spoken to and held to what they compute. STUB_VERSION is the version
 * it claims; STUB_OFF is added to what it computes. */
#include "peers/peer.h"

#include <stdlib.h>

enum { D, H, W };

struct peer_layer {
    char variant[32];
    peer_data data;
};

/* It can do nothing but what the test asks of it, so that a layer put wrongly has no figures. */
static bool expected(const peer_problem *p) {
    return p->rank == 2 && p->batch == 1 && p->in_channels == 6 && p->out_channels == 4 && p->groups == 2 &&
           p->in_size[D] == 1 && p->in_size[H] == 8 && p->in_size[W] == 9 && p->out_size[H] == 6 &&
           p->out_size[W] == 8 && p->kernel[H] == 3 && p->kernel[W] == 3 && p->stride[W] == 1 && p->dilation[H] == 1 &&
           p->pad_before[W] == 0 && p->pad_after[W] == 1 && p->border == CVK_PADDING_ZEROS && !p->bias &&
           p->post_op_count == 1 && p->post_ops[0].kind == CVK_POST_CLAMP && p->post_ops[0].a == -1 &&
           p->post_ops[0].b == 2;
}

static peer_layer *stub_open(const peer_request *r) {
    if (r->way != PEER_DIRECT || !expected(r->problem)) return NULL;
    peer_layer *layer = malloc(sizeof *layer);
    if (layer) *layer = (peer_layer){"of nothing", r->data};
    return layer;
}

static void stub_run(peer_layer *layer) {
    for (volatile int i = 0; i < 1000; i++) (void)layer;
}

static float sum(const peer_data *d, int oc, int oh, int ow) {
    const float *input = d->input, *weights = d->weights;
    float s = 0;
    for (int ic = 0; ic < 3; ic++)
        for (int kh = 0; kh < 3; kh++)
            for (int kw = 0; kw < 3 && ow + kw < 9; kw++)
                s +=
                    weights[((oc * 3 + ic) * 3 + kh) * 3 + kw] * input[((oc / 2 * 3 + ic) * 8 + oh + kh) * 9 + ow + kw];
    return s < -1 ? -1 : s > 2 ? 2 : s;
}

static bool stub_answer(peer_layer *layer, void *output) {
    for (int i = 0; i < 4 * 6 * 8; i++)
        ((float *)output)[i] = sum(&layer->data, i / 48, i / 8 % 6, i % 8) + (float)STUB_OFF;
    return true;
}

static void stub_rest(void) {}
static const char *stub_title(void) { return "Stub 1"; }
static const char *stub_variant(const peer_layer *layer) { return layer->variant; }
static void stub_close(peer_layer *layer) { free(layer); }

const peer convoke_peer = {STUB_VERSION, 1 << PEER_DIRECT, stub_title,   stub_open, stub_run,
                           stub_answer,  stub_rest,        stub_variant, stub_close};
