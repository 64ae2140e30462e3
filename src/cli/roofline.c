/* Both axes are logarithmic, so a bandwidth is a line of slope 1. From back to front: grid, roofs, stems that join the
 * dots of a layer, dots. */
#include "cli/roofline.h"
#include "cli/svg.h"

#include <math.h>

enum { WIDTH = 720, HEIGHT = 470, LEFT = 66, RIGHT = 700, TOP = 46, BOTTOM = 410 };
static const double ROOM = 1.25;    /* between the outermost dot and the frame */
static const double SLOPE_ROOM = 2; /* for the name of the steepest roof */

static const char STYLE[] =
    "text{font-family:'Helvetica Neue',Helvetica,Arial,'DejaVu Sans',sans-serif;font-size:12px;fill:#222}"
    ".axis{font-size:13px}.roofname,.note{font-size:11.5px;fill:#555}"
    ".grid{stroke:#e6e6e6}.minor{stroke:#f3f3f3}.frame{stroke:#444}"
    ".roofname{paint-order:stroke;stroke:white;stroke-width:3px}"
    ".roof{stroke:#555;stroke-width:1.6}.stem{stroke:#9aa3ad;stroke-width:.8}"
    ".strict,.chosen,.direct,.winograd{stroke-width:1.1}.strict{fill:#1a5fb4;stroke:white}"
    ".chosen{fill:#62a0ea;stroke:#1a5fb4}"
    ".direct{fill:white;stroke:#c64600}.winograd{fill:white;stroke:#26805b}";

static const struct series {
    const char *class, *name; /* name: after the peer's, if it is the peer's */
    svg_mark mark;
} series[SERIES] = {
    [SERIES_STRICT] = {"strict", "convoke, strict", SVG_DISC},
    [SERIES_CHOSEN] = {"chosen", "convoke, default", SVG_DIAMOND},
    [SERIES_DIRECT] = {"direct", "direct", SVG_TRIANGLE},
    [SERIES_WINOGRAD] = {"winograd", "Winograd", SVG_DIAMOND},
};

/* A logarithmic axis: values low .. high are drawn at from .. to. */
typedef struct axis {
    double low, high, from, to;
} axis;

static double position(const axis *a, double value) {
    return a->from + (a->to - a->from) * log(value / a->low) / log(a->high / a->low);
}

static void include(axis *a, double value) {
    if (isnan(value) || value <= 0) return;
    if (!(a->low <= value / ROOM)) a->low = value / ROOM;
    if (!(a->high >= value * ROOM)) a->high = value * ROOM;
}

/* A plot under way. Rates are in GFLOP/s. */
typedef struct plot {
    const roofline *roofs;
    axis x, y;
    text *svg;
} plot;

static svg_point point(const plot *p, double intensity, double rate) {
    return (svg_point){position(&p->x, intensity), position(&p->y, rate)};
}

/* From how many operations a byte on a level's bandwidth is enough for the FMA peak. */
static double ridge(const roofline *r, int level) { return r->peak / r->roof->bandwidth[level]; }

/* Whether anything comes from there: levels that are not there, and cold ones, hold no more than those before. */
static bool is_level(const roofline *r, int level) {
    return r->roof->bandwidth[level] > 0 && (!level || r->roof->holds[level] > r->roof->holds[level - 1]);
}

static int nearest(const roofline *r) {
    int level = 0;
    while (!is_level(r, level)) level++;
    return level;
}

static plot begin(const roofline *r, text *svg) {
    plot p = {r, {INFINITY, 0, LEFT, RIGHT}, {INFINITY, 0, BOTTOM, TOP}, svg};
    for (size_t i = 0; i < r->count; i++) {
        include(&p.x, r->dots[i].intensity);
        include(&p.y, 1e-9 * r->dots[i].rate);
    }
    for (int i = nearest(r); i < LEVELS; i++)
        if (is_level(r, i)) include(&p.x, ridge(r, i) / (i == nearest(r) ? SLOPE_ROOM : 1));
    include(&p.y, 1e-9 * r->peak);
    svg_begin(svg, WIDTH, HEIGHT, STYLE);
    return p;
}

/* Lines at 1 to 9 times each power of ten; those at 1, 2 and 5 have their number. */
static void draw_grid(const plot *p, const axis *a, bool across) {
    for (double power = pow(10, floor(log10(a->low))); power <= a->high; power *= 10)
        for (int digit = 1; digit <= 9; digit++) {
            const double value = digit * power, at = position(a, value);
            if (value < a->low || value > a->high) continue;
            const bool labelled = digit == 1 || digit == 2 || digit == 5;
            svg_line(p->svg, labelled ? "grid" : "minor", across ? (svg_point){LEFT, at} : (svg_point){at, TOP},
                     across ? (svg_point){RIGHT, at} : (svg_point){at, BOTTOM});
            if (labelled)
                svg_text(p->svg, "tick", across ? "end" : "middle",
                         across ? (svg_point){LEFT - 8, at + 4} : (svg_point){at, BOTTOM + 18}, 0,
                         arena_format(p->svg->arena, "%g", value));
        }
}

static void draw_axes(const plot *p) {
    draw_grid(p, &p->y, true);
    draw_grid(p, &p->x, false);
    svg_line(p->svg, "frame", (svg_point){LEFT, BOTTOM}, (svg_point){RIGHT, BOTTOM});
    svg_line(p->svg, "frame", (svg_point){LEFT, TOP}, (svg_point){LEFT, BOTTOM});
    svg_text(p->svg, "axis", "middle", (svg_point){(LEFT + RIGHT) / 2.0, BOTTOM + 44}, 0,
             "arithmetic intensity, padding not counted, each tensor read or written once (FLOP/byte)");
    svg_text(p->svg, "axis", "middle", (svg_point){20, (TOP + BOTTOM) / 2.0}, -90, "performance (GFLOP/s)");
}

/* From the frame up to the FMA peak, named along the line, below it. */
static void draw_bandwidth(const plot *p, double bytes_a_second, const char *name) {
    const double peak = 1e-9 * p->roofs->peak, slope = 1e-9 * bytes_a_second;
    const double first = fmax(p->x.low, p->y.low / slope), last = peak / slope;
    if (first >= last) return;
    const svg_point from = point(p, first, first * slope), to = point(p, last, peak);
    const double angle = atan2(to.y - from.y, to.x - from.x);
    const svg_point at = {to.x - 14 * cos(angle) - 13 * sin(angle), to.y - 14 * sin(angle) + 13 * cos(angle)};
    svg_line(p->svg, "roof", from, to);
    svg_text(p->svg, "roofname", "end", at, angle * 180 / acos(-1),
             arena_format(p->svg->arena, "%s %.0f GB/s", name, slope));
}

static void draw_roofs(const plot *p) {
    const roofline *r = p->roofs;
    const double peak = 1e-9 * r->peak, first = fmax(p->x.low, ridge(r, nearest(r)));
    for (int i = 0; i < LEVELS; i++)
        if (is_level(r, i)) draw_bandwidth(p, r->roof->bandwidth[i], memory_level_name((memory_level)i));
    svg_line(p->svg, "roof", point(p, first, peak), point(p, p->x.high, peak));
    const svg_point corner = point(p, first, peak);
    svg_text(p->svg, "roofname", "start", (svg_point){corner.x + 6, corner.y - 7}, 0,
             arena_format(p->svg->arena, "FMA peak %.0f GFLOP/s", peak));
}

/* Between a layer's dots, which follow one another. */
static void draw_stems(const plot *p) {
    const roofline_dot *ours = NULL;
    for (size_t i = 0; i < p->roofs->count; i++) {
        const roofline_dot *d = &p->roofs->dots[i];
        if (d->series == SERIES_STRICT) ours = d;
        if (d == ours || !ours || isnan(d->rate)) continue;
        svg_line(p->svg, "stem", point(p, ours->intensity, 1e-9 * ours->rate), point(p, d->intensity, 1e-9 * d->rate));
    }
}

/* How many there are; ours are drawn last, over the others. */
static size_t draw_series(const plot *p, roofline_series which) {
    size_t count = 0;
    for (size_t i = 0; i < p->roofs->count; i++) {
        const roofline_dot *d = &p->roofs->dots[i];
        if (d->series != which || isnan(d->rate)) continue;
        svg_mark_at(p->svg, series[which].class, series[which].mark, point(p, d->intensity, 1e-9 * d->rate));
        count++;
    }
    return count;
}

static void draw_legend(const plot *p, const size_t count[SERIES]) {
    const double step = 155, y = TOP - 22;
    double x = LEFT + 6;
    for (int i = 0; i < SERIES; i++) {
        if (!count[i]) continue;
        const char *peer = i <= SERIES_CHOSEN ? "" : p->roofs->peer;
        svg_mark_at(p->svg, series[i].class, series[i].mark, (svg_point){x, y});
        svg_text(p->svg, "legend", "start", (svg_point){x + 11, y + 4}, 0,
                 arena_format(p->svg->arena, "%s%s%s", peer, *peer ? ", " : "", series[i].name));
        x += step;
    }
    svg_text(p->svg, "note", "end", (svg_point){RIGHT - 6, BOTTOM - 8}, 0,
             arena_format(p->svg->arena, "%s, %s, %u thread%s", p->roofs->types, p->roofs->target, p->roofs->threads,
                          p->roofs->threads == 1 ? "" : "s"));
}

void roofline_draw(const roofline *r, text *svg) {
    plot p = begin(r, svg);
    size_t count[SERIES];
    draw_axes(&p);
    draw_roofs(&p);
    draw_stems(&p);
    for (int i = SERIES - 1; i >= 0; i--) count[i] = draw_series(&p, (roofline_series)i);
    draw_legend(&p, count);
    svg_end(svg);
}
