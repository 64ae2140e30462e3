/* The steps of a run, each bar from when it began to when it ended. */
#ifndef CVK_CLI_WATERFALL_H
#define CVK_CLI_WATERFALL_H

#include "base/text.h"

#include <stdbool.h>

typedef struct waterfall_step {
    const char *name;
    double seconds;
    bool weighs; /* it has weights: a convolution or a dense layer */
} waterfall_step;

/* A bar for people, of characters; `from` and `to` are shares of the whole. */
const char *waterfall_bar(arena *a, double from, double to);
/* As SVG. */
void waterfall_draw(const char *title, const waterfall_step *steps, int count, text *svg);

#endif
