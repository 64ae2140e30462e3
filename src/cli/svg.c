/* One function an element. */
#include "cli/svg.h"

#include <string.h>

void svg_begin(text *out, double width, double height, const char *style) {
    text_add(out,
             "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%g\" height=\"%g\" viewBox=\"0 0 %g %g\">\n"
             "<style>%s</style>\n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
             width, height, width, height, style);
}

void svg_end(text *out) { text_add(out, "</svg>\n"); }

void svg_line(text *out, const char *class, svg_point from, svg_point to) {
    text_add(out, "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n", class, from.x, from.y, to.x,
             to.y);
}

void svg_path(text *out, const char *class, const svg_point *points, size_t count, bool closed) {
    text_add(out, "<path class=\"%s\" d=\"", class);
    for (size_t i = 0; i < count; i++) text_add(out, "%c%.1f %.1f", i ? 'L' : 'M', points[i].x, points[i].y);
    text_add(out, "%s\"/>\n", closed ? "z" : "");
}

/* Of about the same area. */
static const char *const marks[SVG_MARKS] = {
    [SVG_DISC] = "m-3.6 0a3.6 3.6 0 1 0 7.2 0a3.6 3.6 0 1 0 -7.2 0z",
    [SVG_TRIANGLE] = "m0 -4.6l4.3 7.6h-8.6z",
    [SVG_DIAMOND] = "m0 -4.6l4.6 4.6l-4.6 4.6l-4.6 -4.6z",
};

void svg_mark_at(text *out, const char *class, svg_mark mark, svg_point at) {
    text_add(out, "<path class=\"%s\" d=\"M%.1f %.1f%s\"/>\n", class, at.x, at.y, marks[mark]);
}

static void add_escaped(text *out, const char *words) {
    static const struct {
        char character;
        const char *entity;
    } escapes[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}};
    for (; *words; words++) {
        const char *entity = NULL;
        for (size_t i = 0; i < sizeof escapes / sizeof *escapes; i++)
            if (*words == escapes[i].character) entity = escapes[i].entity;
        text_add_bytes(out, entity ? entity : words, entity ? strlen(entity) : 1);
    }
}

void svg_text(text *out, const char *class, const char *anchor, svg_point at, double degrees, const char *words) {
    text_add(out, "<text class=\"%s\" text-anchor=\"%s\" transform=\"translate(%.1f %.1f) rotate(%.2f)\">", class,
             anchor, at.x, at.y, degrees);
    add_escaped(out, words);
    text_add(out, "</text>\n");
}
