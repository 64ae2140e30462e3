/* A band from the first to the third quartile and a line at the median for each strategy; names stand at the lines'
 * ends, one below the other where they would meet. */
#include "cli/convergence.h"
#include "cli/svg.h"

#include <math.h>

enum { COLOURS = 6, MOST_CURVES = 16 };
static const double WIDTH = 760, HEIGHT = 440, LEFT = 60, RIGHT = 640, TOP = 46, BOTTOM = 380, NAME_HEIGHT = 15;

static const char STYLE[] =
    "text{font-family:'Helvetica Neue',Helvetica,Arial,'DejaVu Sans',sans-serif;font-size:12px;fill:#222}"
    ".axis{font-size:13px}.grid{stroke:#e6e6e6}.frame{stroke:#444}path.line{fill:none;stroke-width:1.8}"
    "path.band{stroke:none;fill-opacity:.1}"
    ".c0{stroke:#1a5fb4;fill:#1a5fb4}.c1{stroke:#c64600;fill:#c64600}.c2{stroke:#26805b;fill:#26805b}"
    ".c3{stroke:#813d9c;fill:#813d9c}.c4{stroke:#8a6d00;fill:#8a6d00}.c5{stroke:#555;fill:#555}text.c0,text.c1,text.c2,"
    "text.c3,text.c4,text.c5{stroke:none}";

typedef struct plot {
    const convergence *what;
    double low; /* of the share, at the bottom */
    text *svg;
} plot;

static svg_point point(const plot *p, int trial, double share) {
    const double across = p->what->trials > 1 ? (double)trial / (p->what->trials - 1) : 0;
    const double up = fmax(share - p->low, 0) / (1 - p->low);
    return (svg_point){LEFT + across * (RIGHT - LEFT), BOTTOM - up * (BOTTOM - TOP)};
}

/* A multiple of 0.05 below the medians after the first few trials. */
static double lowest(const convergence *c) {
    double low = 0.95;
    const int few = c->trials > 5 ? 4 : c->trials - 1;
    for (size_t i = 0; i < c->count; i++) low = fmin(low, c->curves[i].low[few]);
    return fmax(floor(low * 20) / 20, 0);
}

static void draw_axes(const plot *p) {
    enum { LINES = 5 };
    const int trials = p->what->trials, step = trials > 20 ? (trials + 49) / 50 * 10 : 5;
    for (int i = 0; i <= LINES; i++) {
        const double share = p->low + (1 - p->low) * i / (double)LINES, at = point(p, 0, share).y;
        svg_line(p->svg, "grid", (svg_point){LEFT, at}, (svg_point){RIGHT, at});
        svg_text(p->svg, "tick", "end", (svg_point){LEFT - 8, at + 4}, 0, arena_format(p->svg->arena, "%.3g", share));
    }
    for (int trial = 0; trial < trials; trial = trial ? trial + step : step - 1) {
        const double at = point(p, trial, p->low).x;
        svg_line(p->svg, "grid", (svg_point){at, TOP}, (svg_point){at, BOTTOM});
        svg_text(p->svg, "tick", "middle", (svg_point){at, BOTTOM + 18}, 0,
                 arena_format(p->svg->arena, "%d", trial + 1));
    }
    svg_line(p->svg, "frame", (svg_point){LEFT, BOTTOM}, (svg_point){RIGHT, BOTTOM});
    svg_line(p->svg, "frame", (svg_point){LEFT, TOP}, (svg_point){LEFT, BOTTOM});
    svg_text(p->svg, "axis", "middle", (svg_point){(LEFT + RIGHT) / 2.0, BOTTOM + 44}, 0, "trials");
    svg_text(p->svg, "axis", "middle", (svg_point){18, (TOP + BOTTOM) / 2.0}, -90, "optimum / best so far");
    svg_text(p->svg, "axis", "start", (svg_point){LEFT, 24}, 0, p->what->title);
}

static const char *class_of(const plot *p, const char *kind, size_t curve) {
    return arena_format(p->svg->arena, "%s c%zu", kind, curve % COLOURS);
}

static void draw_band(const plot *p, size_t curve) {
    const convergence_curve *c = &p->what->curves[curve];
    const int n = p->what->trials;
    svg_point *outline = arena_array(p->svg->arena, svg_point, 2 * n);
    for (int i = 0; i < n; i++) {
        outline[i] = point(p, i, c->high[i]);
        outline[2 * n - 1 - i] = point(p, i, c->low[i]);
    }
    svg_path(p->svg, class_of(p, "band", curve), outline, (size_t)(2 * n), true);
}

static void draw_line(const plot *p, size_t curve) {
    svg_point *line = arena_array(p->svg->arena, svg_point, p->what->trials);
    for (int i = 0; i < p->what->trials; i++) line[i] = point(p, i, p->what->curves[curve].median[i]);
    svg_path(p->svg, class_of(p, "line", curve), line, (size_t)p->what->trials, false);
}

/* From the highest line's end downwards. */
static void draw_names(const plot *p) {
    bool named[MOST_CURVES] = {false};
    double free_from = -INFINITY;
    for (size_t n = 0; n < p->what->count && n < MOST_CURVES; n++) {
        size_t highest = 0;
        double at = INFINITY;
        for (size_t i = 0; i < p->what->count && i < MOST_CURVES; i++) {
            const double y = point(p, p->what->trials - 1, p->what->curves[i].median[p->what->trials - 1]).y;
            if (named[i] || y >= at) continue;
            at = y;
            highest = i;
        }
        named[highest] = true;
        free_from = fmax(at, free_from + NAME_HEIGHT);
        svg_text(p->svg, class_of(p, "name", highest), "start", (svg_point){RIGHT + 8, free_from + 4}, 0,
                 p->what->curves[highest].name);
    }
}

void convergence_draw(const convergence *c, text *svg) {
    const plot p = {c, lowest(c), svg};
    svg_begin(svg, WIDTH, HEIGHT, STYLE);
    draw_axes(&p);
    for (size_t i = 0; i < c->count; i++) draw_band(&p, i);
    for (size_t i = 0; i < c->count; i++) draw_line(&p, i);
    draw_names(&p);
    svg_end(svg);
}
