/* The first layer is any that may begin a chain; those that follow are drawn around what it puts out. */
#include "random_chain.h"

#include "random_layer.h"
#include "spec/rules.h"

enum { MOST_OUTPUTS = 8000, MOST_MULTIPLY_ADDS = 600000, MOST_TRIES = 20 };

static void drop_adds(cvk_spec *s) {
    int kept = 0;
    for (int i = 0; i < s->post_count; i++)
        if (s->post[i].kind != POST_ADD) s->post[kept++] = s->post[i];
    s->post_count = kept;
}

static bool may_begin(const cvk_spec *s) {
    return s->direction == DIRECTION_FORWARD && !s->transposed && !s->accumulate && !s->indices &&
           s->output_type != TYPE_S32 && spec_output_elements(s) <= MOST_OUTPUTS && spec_macs(s) <= MOST_MULTIPLY_ADDS;
}

static cvk_spec first_layer(draws *d, const char *name) {
    for (;;) {
        cvk_spec s = random_layer(d, name);
        drop_adds(&s);
        if (may_begin(&s)) return s;
    }
}

static void draw_axes(draws *d, cvk_spec *s) {
    for (int a = 0; a < AXES; a++) {
        const bool there = a >= AXES - s->rank;
        s->kernel[a] = there ? draw_small(d, 1, 4) : 1;
        s->stride[a] = there && draw_chance(d, 40) ? draw_from(d, 2, 3) : 1;
        s->dilation[a] = there && draw_chance(d, 25) ? 2 : 1;
        s->pad_before[a] = there ? draw_small(d, 0, 2) : 0;
        s->pad_after[a] = there ? draw_small(d, 0, 2) : 0;
    }
    if (draw_chance(d, 30)) spec_resolve_padding(s, (padding_word)draw_from(d, PADDING_VALID, PADDING_CAUSAL));
}

static void draw_kind(draws *d, cvk_spec *s) {
    const bool pools = type_is_computed_float(s->input_type) && draw_chance(d, 35);
    s->groups = 1;
    s->out_channels = draw_small(d, 1, 40);
    if (pools) {
        s->kind = draw_chance(d, 50) ? LAYER_MAX_POOL : LAYER_AVERAGE_POOL;
        s->ceil_mode = draw_chance(d, 40);
        s->count_include_pad = s->kind == LAYER_AVERAGE_POOL && draw_chance(d, 50);
        s->groups = s->out_channels = s->in_channels;
        s->weights_type = s->output_type = s->input_type;
        return;
    }
    s->bias = draw_chance(d, 50);
    s->flip_kernel = draw_chance(d, 15);
    if (draw_chance(d, 15)) s->padding = (padding_mode)draw_from(d, PAD_REFLECT, PAD_CIRCULAR);
    if (draw_chance(d, 40)) s->groups = s->in_channels, s->out_channels = s->in_channels * draw_small(d, 1, 2);
}

static cvk_spec next_layer(draws *d, const cvk_spec *before, const cvk_spec *first, bool last) {
    static const post_kind KINDS[] = {POST_RELU, POST_RELU6, POST_SCALE, POST_HARD_SWISH, POST_TANH, POST_ADD};
    cvk_spec s = {.name = first->name,
                  .rank = first->rank,
                  .batch = first->batch,
                  .in_channels = before->out_channels,
                  .input_type = before->output_type,
                  .weights_type = first->weights_type,
                  .output_type = before->output_type,
                  .output_layout = (cvk_layout)draw_from(d, CVK_CHANNELS_FIRST, CVK_BLOCKED),
                  .at = {.file = ""}};
    for (int a = 0; a < AXES; a++) s.in_size[a] = before->out_size[a];
    draw_kind(d, &s);
    draw_axes(d, &s);
    s.post_count = (int)draw_small(d, 0, 2);
    for (int i = 0; i < s.post_count; i++) s.post[i].kind = KINDS[draw_from(d, 0, sizeof KINDS / sizeof *KINDS - 1)];
    if (!last) drop_adds(&s);
    return s;
}

/* False: what was drawn is no layer. */
static bool add_layer(draws *d, cvk_spec *link, int at, bool last) {
    for (int i = 0; i < MOST_TRIES; i++) {
        link[at] = next_layer(d, &link[at - 1], link, last);
        if (spec_finish(&link[at], NULL) == CVK_OK && spec_macs(&link[at]) <= MOST_MULTIPLY_ADDS &&
            spec_output_elements(&link[at]) <= MOST_OUTPUTS)
            return true;
    }
    return false;
}

cvk_spec random_chain(draws *d, const char *name) {
    static arena kept;
    static bool begun;
    cvk_spec link[MOST_LINKS], chain = {0};
    if (!begun) arena_init(&kept);
    begun = true;
    arena_rewind(&kept);
    for (bool good = false; !good;) {
        const int count = 1 + (int)draw_small(d, 1, 3);
        link[0] = first_layer(d, name);
        good = true;
        for (int i = 1; i < count && good; i++) good = add_layer(d, link, i, i + 1 == count);
        good = good && spec_chain(&kept, link, count, NULL, &chain) == CVK_OK;
    }
    return chain;
}
