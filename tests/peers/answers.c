/* answers PEER.so...: does each peer that has a filter of one channel give the filter's output, in every way it has and
 * with every border? The weights are the product of a column and a row, so that all ways are right. Prints what was
 * asked. */
#include "peers/peer.h"

#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROWS = 11, COLUMNS = 14, DOWN = 3, ACROSS = 5, ABOVE = 1, LEFT = 3, BORDERS = CVK_PADDING_CIRCULAR + 1 };

static float input[ROWS][COLUMNS], weights[DOWN][ACROSS], bias = 0.75F, output[ROWS][COLUMNS];

static const peer_problem problem = {
    .rank = 2,
    .batch = 1,
    .in_channels = 1,
    .out_channels = 1,
    .groups = 1,
    .in_size = {1, ROWS, COLUMNS},
    .out_size = {1, ROWS, COLUMNS},
    .kernel = {1, DOWN, ACROSS},
    .stride = {1, 1, 1},
    .dilation = {1, 1, 1},
    .pad_before = {0, ABOVE, LEFT},
    .pad_after = {0, DOWN - 1 - ABOVE, ACROSS - 1 - LEFT},
    .bias = true,
};

static void fill(void) {
    static const float column[DOWN] = {0.5F, -1, 2}, row[ACROSS] = {1, 0.25F, -0.5F, 3, -2};
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < COLUMNS; j++) input[i][j] = (float)((7 * i + 5 * j + i * j) % 23) / 8 - 1;
    for (int i = 0; i < DOWN; i++)
        for (int j = 0; j < ACROSS; j++) weights[i][j] = column[i] * row[j];
}

/* What position `at` of so many is under the border; -1: nothing. */
static int beyond(int at, int size, cvk_padding_mode border) {
    if (at >= 0 && at < size) return at;
    switch (border) {
    case CVK_PADDING_REFLECT: return at < 0 ? -at : 2 * size - 2 - at;
    case CVK_PADDING_SYMMETRIC: return at < 0 ? -1 - at : 2 * size - 1 - at;
    case CVK_PADDING_REPLICATE: return at < 0 ? 0 : size - 1;
    case CVK_PADDING_CIRCULAR: return (at + size) % size;
    case CVK_PADDING_ZEROS:
    case CVK_PADDING_CONSTANT: break;
    }
    return -1;
}

static float expected(int i, int j, cvk_padding_mode border) {
    float s = bias;
    for (int k = 0; k < DOWN; k++)
        for (int l = 0; l < ACROSS; l++) {
            const int y = beyond(i + k - ABOVE, ROWS, border), x = beyond(j + l - LEFT, COLUMNS, border);
            if (y >= 0 && x >= 0) s += weights[k][l] * input[y][x];
        }
    return s;
}

static double worst(cvk_padding_mode border) {
    double most = 0;
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < COLUMNS; j++) {
            const double off = fabs((double)output[i][j] - (double)expected(i, j, border));
            if (!(off <= most)) most = off;
        }
    return most;
}

/* 1: wrong. */
static int ask(const peer *p, peer_way way, cvk_padding_mode border) {
    peer_problem posed = problem;
    posed.border = border;
    const peer_request request = {&posed, {input, weights, &bias, NULL, NULL}, way, 1, ~(uint64_t)0, false, false};
    peer_layer *layer = p->open(&request);
    if (!layer) return 0;
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < COLUMNS; j++) output[i][j] = NAN;
    p->run(layer);
    const bool answered = p->answer(layer, output);
    const double off = answered ? worst(border) : INFINITY;
    printf("%s %s, way %d, border %d: off by %g\n", p->title(), p->variant(layer), (int)way, (int)border, off);
    p->close(layer);
    p->rest();
    return !(off < 1e-4);
}

int main(int count, char **path) {
    int wrong = 0;
    fill();
    for (int i = 1; i < count; i++) {
        void *library = dlopen(path[i], RTLD_NOW | RTLD_LOCAL);
        const peer *p = library ? dlsym(library, PEER_SYMBOL) : NULL;
        if (!p) return fprintf(stderr, "%s: %s\n", path[i], dlerror()), 1;
        for (int way = 0; way < PEER_WAYS; way++)
            for (int border = 0; border < BORDERS && p->ways >> way & 1; border++)
                wrong += ask(p, (peer_way)way, (cvk_padding_mode)border);
    }
    return wrong > 0;
}
