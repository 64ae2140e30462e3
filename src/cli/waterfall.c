/* A row a step, from the top down, along one axis of time; its name and its share stand beside the bar, on the side
 * where there is room. */
#include "cli/waterfall.h"

#include "cli/svg.h"

#include <math.h>

enum { BAR = 40, WIDTH = 760, LEFT = 14, RIGHT = 746, TOP = 44, ROW = 15, THICK = 11, BELOW = 46 };

static const char STYLE[] =
    "text{font-family:'Helvetica Neue',Helvetica,Arial,'DejaVu Sans',sans-serif;font-size:11px;fill:#222}"
    ".title{font-size:13px}.axis{font-size:12px}.grid{stroke:#e6e6e6}.weighs{fill:#1a5fb4}.other{fill:#c64600}";

const char *waterfall_bar(arena *a, double from, double to) {
    const int begin = (int)(from * BAR + 0.5), end = (int)(to * BAR + 0.5);
    char *bar = arena_alloc(a, BAR + 1);
    for (int i = 0; i < BAR; i++) bar[i] = i >= begin && i < (end > begin ? end : begin + 1) ? '#' : '.';
    return bar;
}

/* A run being drawn: so many seconds are `RIGHT - LEFT` wide. */
typedef struct drawing {
    text *svg;
    double seconds, bottom;
} drawing;

static double at(const drawing *d, double seconds) { return LEFT + (RIGHT - LEFT) * seconds / d->seconds; }

/* 1, 2 or 5 times a power of ten, so that there are some of them. */
static double tick_of(double seconds) {
    enum { LEAST_TICKS = 5 };
    const double power = pow(10, floor(log10(seconds / LEAST_TICKS)));
    static const double steps[] = {5, 2, 1};
    for (int i = 0; i < 3; i++)
        if (steps[i] * power * LEAST_TICKS <= seconds) return steps[i] * power;
    return power;
}

static void draw_axis(const drawing *d) {
    const double tick = tick_of(d->seconds);
    for (double s = 0; s <= d->seconds; s += tick) {
        svg_line(d->svg, "grid", (svg_point){at(d, s), TOP}, (svg_point){at(d, s), d->bottom});
        svg_text(d->svg, "tick", "middle", (svg_point){at(d, s), d->bottom + 16}, 0,
                 arena_format(d->svg->arena, "%g", 1e3 * s));
    }
    svg_text(d->svg, "axis", "middle", (svg_point){(LEFT + RIGHT) / 2.0, d->bottom + 36}, 0, "milliseconds");
}

static void draw_step(const drawing *d, const waterfall_step *s, int row, double before) {
    const double left = at(d, before), right = at(d, before + s->seconds), top = TOP + ROW * row + (ROW - THICK) / 2.0;
    const svg_point bar[] = {{left, top}, {right, top}, {right, top + THICK}, {left, top + THICK}};
    const bool before_bar = left > (LEFT + RIGHT) / 2.0;
    svg_path(d->svg, s->weighs ? "weighs" : "other", bar, 4, true);
    svg_text(d->svg, "step", before_bar ? "end" : "start", (svg_point){before_bar ? left - 5 : right + 5, top + 9}, 0,
             arena_format(d->svg->arena, "%s %.1f %%", s->name, 100 * s->seconds / d->seconds));
}

void waterfall_draw(const char *title, const waterfall_step *steps, int count, text *svg) {
    drawing d = {.svg = svg, .bottom = TOP + ROW * count};
    double before = 0;
    for (int i = 0; i < count; i++) d.seconds += steps[i].seconds;
    svg_begin(svg, WIDTH, d.bottom + BELOW, STYLE);
    svg_text(svg, "title", "start", (svg_point){LEFT, TOP - 20}, 0, title);
    if (d.seconds > 0) draw_axis(&d);
    for (int i = 0; i < count && d.seconds > 0; before += steps[i++].seconds) draw_step(&d, &steps[i], i, before);
    svg_end(svg);
}
