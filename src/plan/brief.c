/* A plan in a few words. */
#include "plan/brief.h"
#include "plan/fields.h"

void plan_print_brief(const cvk_plan *p, text *out) {
    text_add(out, "%s/%s %d", p->algorithm, plan_lanes_words[p->lanes], p->tile_oc);
    if (p->tile_od > 1) text_add(out, "x%d", p->tile_od);
    text_add(out, "x%dx%d", p->tile_oh, p->tile_ow);
    if (p->block_oh * p->block_ow > 1) text_add(out, " of %dx%d", p->block_oh, p->block_ow);
    text_add(out, " ic%d%s%s", p->unroll_ic, p->unroll_kw ? " kw" : "", p->unroll_kh ? " kh" : "");
    if (p->dot) text_add(out, " dot%d", p->dot);
    for (int i = 0; i < p->order.count; i++)
        if (p->order.level[i].block)
            text_add(out, " %s%d", plan_loop_words[p->order.level[i].loop], p->order.level[i].block);
    text_add(out, " tasks%d%s%s%s", p->tasks, p->pack_rows ? " packed" : "", p->prefetch ? " prefetched" : "",
             p->stream ? " streamed" : "");
}
