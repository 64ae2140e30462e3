/* From the last problem backwards: what a band puts out is what the next one reads. */
#include "problem/band.h"

#include "base/integers.h"

#include <string.h>

/* Outputs first .. first + count - 1 by themselves. */
static band_axis band_of(const problem_axis *a, int64_t first, int64_t count) {
    const int64_t begin = first * a->step + a->origin, span = (count - 1) * a->step + (a->taps - 1) * a->tap_step + 1;
    int64_t low = lesser(greater(begin, 0), a->in - 1), high = greater(lesser(begin + span, a->in), low + 1);
    band_axis b = {.axis = *a, .out = first, .in = low};
    b.axis.out = count;
    b.axis.in = high - low;
    b.axis.origin = begin - low;
    if (low > 0) b.axis.before = 0;
    if (high < a->in) b.axis.after = 0;
    return b;
}

/* Of every problem, in the band whose outputs those are. */
static band_class bands_back(const problem *link, int links, int axis, int64_t first, int64_t count) {
    band_class c = {.count = 1};
    for (int i = links - 1; i >= 0; i--) {
        c.link[i] = band_of(&link[i].axis[axis], first, count);
        first = c.link[i].in;
        count = c.link[i].axis.in;
    }
    return c;
}

static bool same_axis(const problem_axis *a, const problem_axis *b) {
    return a->out == b->out && a->in == b->in && a->origin == b->origin && a->before == b->before &&
           a->after == b->after;
}

/* Whether a band goes on where a class ends. */
static bool continues(const band_class *c, const band_class *next, int links) {
    bool alike = true;
    for (int i = 0; i < links; i++) {
        const band_axis *a = &c->link[i], *b = &next->link[i];
        alike &= same_axis(&a->axis, &b->axis);
        if (c->count == 1) continue;
        alike &= b->out == a->out + c->count * a->out_step && b->in == a->in + c->count * a->in_step;
    }
    return alike;
}

static void take_in(band_class *c, const band_class *next, int links) {
    for (int i = 0; i < links && c->count == 1; i++) {
        c->link[i].out_step = next->link[i].out - c->link[i].out;
        c->link[i].in_step = next->link[i].in - c->link[i].in;
    }
    c->count++;
}

band_list bands_of(arena *a, const problem *link, int links, int axis, int64_t size) {
    const int64_t out = link[links - 1].axis[axis].out, bands = ceil_div(out, size);
    band_list list = {arena_array(a, band_class, bands), 0};
    for (int64_t i = 0; i < bands; i++) {
        const band_class next = bands_back(link, links, axis, i * size, lesser(size, out - i * size));
        band_class *last = list.count ? &list.band[list.count - 1] : NULL;
        if (last && continues(last, &next, links))
            take_in(last, &next, links);
        else
            list.band[list.count++] = next;
    }
    return list;
}

int64_t bands_outputs(const band_list *bands, int link) {
    int64_t outputs = 0;
    for (int i = 0; i < bands->count; i++) outputs += bands->band[i].count * bands->band[i].link[link].axis.out;
    return outputs;
}

int64_t bands_most(const band_list *bands, int link) {
    int64_t most = 0;
    for (int i = 0; i < bands->count; i++) most = greater(most, bands->band[i].link[link].axis.out);
    return most;
}

problem problem_in_box(const problem *p, const band_axis *const axis[AXES]) {
    problem box = *p;
    box.n = 1;
    for (int a = 0; a < AXES; a++) box.axis[a] = axis[a]->axis;
    return box;
}
