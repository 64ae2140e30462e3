/* Writes SVG: the few shapes that a plot is made of, styled by class. Coordinates are pixels, y downwards. */
#ifndef CVK_CLI_SVG_H
#define CVK_CLI_SVG_H

#include "base/text.h"

typedef struct svg_point {
    double x, y;
} svg_point;

typedef enum svg_mark { SVG_DISC, SVG_TRIANGLE, SVG_DIAMOND, SVG_MARKS } svg_mark;

/* `style`: CSS. */
void svg_begin(text *out, double width, double height, const char *style);
void svg_end(text *out);
void svg_line(text *out, const char *class, svg_point from, svg_point to);
/* A mark centred on a point. */
void svg_mark_at(text *out, const char *class, svg_mark mark, svg_point at);
/* A line through points or, closed, the area within them. */
void svg_path(text *out, const char *class, const svg_point *points, size_t count, bool closed);
/* Text that begins, is centred or ends at a point ("start", "middle", "end"), turned by degrees clockwise. Characters
 * that mean something to XML are escaped. */
void svg_text(text *out, const char *class, const char *anchor, svg_point at, double degrees, const char *words);

#endif
