/* A plan in a few words. */
#include "plan/brief.h"
#include "plan/fields.h"

void plan_print_brief(const cvk_plan *p, text *out) {
    text_add(out, "%s/%s %dx%dx%d", p->algorithm, plan_lanes_words[p->lanes], p->tile_oc, p->tile_oh, p->tile_ow);
    if (p->block_oh * p->block_ow > 1) text_add(out, " of %dx%d", p->block_oh, p->block_ow);
    text_add(out, " ic%d%s", p->unroll_ic, p->unroll_kw ? " kw" : "");
    text_add(out, " tasks%d%s", p->tasks, p->pack_rows ? " packed" : "");
}
