/* A tensor after another: each is made of one that is there already, by a layer, by laying others beside it, or as a
 * part or another shape of it. What a post-op takes is another of its shape, or an input of its own. */
#include "random_network.h"

#include "random_layer.h"

#include <string.h>

enum { MOST_NODES = 7, MOST_BESIDE = 4, MOST_TENSORS = MOST_NODES * (1 + MOST_POST_OPS) + MOST_BESIDE };

typedef struct drawing {
    draws *draws;
    arena *arena;
    int count, nodes;
    graph_tensor tensor[MOST_TENSORS];
    text inputs, layers;
} drawing;

static cvk_layout draw_layout(draws *d) { return (cvk_layout)draw_from(d, CVK_CHANNELS_FIRST, CVK_BLOCKED); }

static int add_tensor(drawing *g, graph_tensor t, char letter) {
    t.name = arena_format(g->arena, "%c%d", letter, g->count);
    t.readers = 0;
    g->tensor[g->count] = t;
    return g->count++;
}

/* An input like another tensor, but that it may have other channels, and sizes. */
static int add_input(drawing *g, const graph_tensor *like, int64_t channels, bool one_position) {
    graph_tensor t = *like;
    t.channels = channels;
    for (int a = 0; a < AXES && one_position; a++) t.size[a] = 1;
    const int added = add_tensor(g, t, 'x');
    g->tensor[added].producer = GRAPH_COMES_IN;
    text_add(&g->inputs, "  %s: {shape: [", g->tensor[added].name);
    text_add(&g->inputs, t.batch_any ? "any" : "%lld", (long long)t.batch);
    text_add(&g->inputs, ", %lld", (long long)channels);
    for (int a = AXES - t.rank; a < AXES; a++) text_add(&g->inputs, ", %lld", (long long)t.size[a]);
    text_add(&g->inputs, "], dtype: %s, layout: %s}\n", type_name(t.type), spec_layout_name(draw_layout(g->draws)));
    return added;
}

/* Where a layer may begin. */
static void add_first(drawing *g) {
    cvk_spec s;
    do s = random_layer(g->draws, "x");
    while (s.batch > 0 && s.transposed);
    graph_tensor t = {.rank = s.rank, .batch = s.batch, .type = s.input_type};
    t.batch_any = t.batch > 0 && draw_chance(g->draws, 25);
    if (t.batch_any) t.batch = 1;
    memcpy(t.size, s.in_size, sizeof t.size);
    add_input(g, &t, s.in_channels, false);
}

/* ---- edges ---- */

/* Those that were made last more often than those before. */
static int draw_tensor(drawing *g) { return g->count - 1 - (int)draw_small(g->draws, 0, g->count - 1); }

static const char *read_by_name(drawing *g, int tensor) {
    g->tensor[tensor].readers++;
    return g->tensor[tensor].name;
}

static bool fits(const graph_tensor *t, const graph_tensor *other, bool channels) {
    return t->type == other->type && t->rank == other->rank && memcmp(t->size, other->size, sizeof t->size) == 0 &&
           (!channels || t->channels == other->channels);
}

/* One of those that fit, if there is one and it is not to be an input. */
static int find_like(drawing *g, const graph_tensor *like, bool channels) {
    const int start = draw_tensor(g);
    for (int i = 0; i < g->count; i++) {
        const int at = (start + i) % g->count;
        if (fits(&g->tensor[at], like, channels)) return at;
    }
    return -1;
}

static int draw_like(drawing *g, const graph_tensor *like, bool channels) {
    const int found = draw_chance(g->draws, 75) ? find_like(g, like, channels) : -1;
    return found >= 0 ? found : add_input(g, like, channels ? like->channels : draw_small(g->draws, 1, 20), false);
}

static const char *draw_operand(drawing *g, post_operand sort, const graph_tensor *output) {
    graph_tensor like = *output;
    if (sort == OPERAND_IMAGE_CHANNEL)
        for (int a = 0; a < AXES; a++) like.size[a] = 1;
    return read_by_name(g, draw_like(g, &like, true));
}

/* ---- layers ---- */

static void print_post_op(drawing *g, const post_op *op, const graph_tensor *output, text *out) {
    const char *word = post_rows[op->kind].word;
    const int numbers = post_rows[op->kind].parameters;
    const char *name = post_takes_tensor(op->kind) ? draw_operand(g, post_rows[op->kind].operand, output) : NULL;
    if (post_rows[op->kind].operand == OPERAND_CHANNEL) name = "per_channel";
    const bool list = numbers + (name != NULL) == 2;
    if (!numbers && !name) {
        text_add(out, "%s", word);
        return;
    }
    text_add(out, "{%s: %s", word, list ? "[" : "");
    if (numbers) text_add_double(out, op->a);
    if (list) text_add(out, ", ");
    if (numbers == 2) text_add_double(out, op->b);
    if (name) text_add(out, "%s", name);
    text_add(out, "%s}", list ? "]" : "");
}

static void print_post_ops(drawing *g, const cvk_spec *s, const graph_tensor *output, text *out) {
    text_add(out, ", post_ops: [");
    for (int i = 0; i < s->post_count; i++) {
        if (i) text_add(out, ", ");
        print_post_op(g, &s->post[i], output, out);
    }
    text_add(out, "]");
}

/* As a layer by itself is printed, but for its edges. */
static void print_layer(drawing *g, const cvk_spec *layer, const char *input, const graph_tensor *output) {
    static const char KEY[] = "input: ";
    cvk_spec s = *layer;
    text line = text_new(g->arena);
    s.post_count = 0;
    s.input_layout = s.output_layout = CVK_CHANNELS_FIRST;
    spec_print(&s, &line);
    char *shape = strstr(line.bytes, KEY), *behind = strchr(shape, ']') + 1;
    line.bytes[line.length - 1] = *shape = '\0';
    text own = text_new(g->arena);
    text_add(&own, "  - %s%s%s%s", line.bytes, KEY, input, behind);
    if (draw_chance(g->draws, 40)) text_add(&own, ", layout: %s", spec_layout_name(draw_layout(g->draws)));
    if (layer->post_count) print_post_ops(g, layer, output, &own);
    text_add(&g->layers, "%s}\n", own.bytes);
}

static bool add_layer(drawing *g) {
    const int input = draw_tensor(g);
    const char *name = arena_format(g->arena, "layer%d", g->nodes);
    cvk_spec s;
    if (!random_layer_of(g->draws, name, &g->tensor[input], &s)) return false;
    graph_tensor t = {
        .rank = s.rank, .batch = s.batch, .batch_any = s.batch_any, .channels = s.out_channels, .type = s.output_type};
    memcpy(t.size, s.out_size, sizeof t.size);
    print_layer(g, &s, read_by_name(g, input), &t);
    g->tensor[add_tensor(g, t, 'y')].name = name;
    return true;
}

static bool add_node(drawing *g, graph_tensor t, const char *name) {
    t.producer = 0;
    g->tensor[add_tensor(g, t, 'y')].name = name;
    return true;
}

static bool add_concat(drawing *g) {
    const int first = draw_tensor(g);
    const bool along = draw_chance(g->draws, 40);
    graph_tensor sum = g->tensor[first];
    int64_t *all = along ? &sum.size[AXES - sum.rank] : &sum.channels;
    const int64_t own = *all;
    const char *name = arena_format(g->arena, "both%d", g->nodes);
    text_add(&g->layers, "  - {name: %s, kind: concat, input: [%s", name, read_by_name(g, first));
    for (int64_t i = draw_small(g->draws, 0, MOST_BESIDE - 1); i > 0; i--) {
        const int beside = draw_like(g, &g->tensor[first], along);
        *all += along ? own : g->tensor[beside].channels;
        text_add(&g->layers, ", %s", read_by_name(g, beside));
    }
    text_add(&g->layers, along ? "], along: positions}\n" : "]}\n");
    return add_node(g, sum, name);
}

static bool add_slice(drawing *g) {
    const int from = draw_tensor(g);
    const bool along = draw_chance(g->draws, 40);
    graph_tensor t = g->tensor[from];
    int64_t *all = along ? &t.size[AXES - t.rank] : &t.channels;
    const int64_t first = draw_from(g->draws, 0, *all - 1), end = draw_from(g->draws, first + 1, *all);
    const char *name = arena_format(g->arena, "part%d", g->nodes);
    *all = end - first;
    text_add(&g->layers, "  - {name: %s, kind: slice, input: %s, %s: [%lld, %lld]}\n", name, read_by_name(g, from),
             along ? "positions" : "channels", (long long)first, (long long)end);
    return add_node(g, t, name);
}

/* Of another rank, and of other channels where that goes. */
static bool add_reshape(drawing *g) {
    const int from = draw_tensor(g);
    graph_tensor t = g->tensor[from];
    const char *name = arena_format(g->arena, "shape%d", g->nodes);
    const int64_t pixels = graph_pixels(&t), all = pixels * t.channels;
    if (draw_chance(g->draws, 50)) t.channels = draw_chance(g->draws, 50) ? all : draw_from(g->draws, 1, all);
    if (all % t.channels) t.channels = 1;
    t.rank = 1;
    t.size[AXIS_D] = t.size[AXIS_H] = 1;
    t.size[AXIS_W] = all / t.channels;
    text_add(&g->layers, "  - {name: %s, kind: reshape, input: %s, shape: [%lld, %lld]}\n", name, read_by_name(g, from),
             (long long)t.channels, (long long)t.size[AXIS_W]);
    return add_node(g, t, name);
}

static bool add_transpose(drawing *g) {
    const int from = draw_tensor(g);
    graph_tensor t = g->tensor[from];
    const char *name = arena_format(g->arena, "turned%d", g->nodes);
    t.channels = graph_pixels(&t);
    t.rank = 1;
    t.size[AXIS_D] = t.size[AXIS_H] = 1;
    t.size[AXIS_W] = g->tensor[from].channels;
    text_add(&g->layers, "  - {name: %s, kind: transpose, input: %s}\n", name, read_by_name(g, from));
    return add_node(g, t, name);
}

/* What is no layer: half of it tensors beside one another. */
static bool add_view(drawing *g) {
    static bool (*const add[])(drawing *) = {add_concat, add_concat, add_concat, add_slice, add_reshape, add_transpose};
    return add[draw_from(g->draws, 0, sizeof add / sizeof *add - 1)](g);
}

/* ---- outputs ---- */

/* What nobody reads, and some of what is read. */
static const char *draw_outputs(drawing *g) {
    const bool laid = draw_chance(g->draws, 50);
    const char *joint = "";
    text out = text_new(g->arena);
    for (int i = 0; i < g->count; i++) {
        const graph_tensor *t = &g->tensor[i];
        if (t->readers && !draw_chance(g->draws, t->producer == GRAPH_COMES_IN ? 5 : 20)) continue;
        text_add(&out, "%s%s", joint, t->name);
        if (laid) text_add(&out, ": {layout: %s}", spec_layout_name(draw_layout(g->draws)));
        joint = ", ";
    }
    return arena_format(g->arena, laid ? "{%s}" : "[%s]", out.bytes);
}

const char *random_network(draws *d, arena *a) {
    drawing *g = arena_new(a, drawing);
    *g = (drawing){.draws = d, .arena = a, .inputs = text_new(a), .layers = text_new(a)};
    add_first(g);
    for (int64_t wanted = draw_from(d, 1, MOST_NODES); g->nodes < wanted; g->nodes++)
        if (!(draw_chance(d, g->nodes ? 35 : 0) ? add_view : add_layer)(g)) break;
    const char *outputs = draw_outputs(g);
    return arena_format(a, "version: 1\nname: net\ninputs:\n%soutputs: %s\nlayers:%s\n%s", g->inputs.bytes, outputs,
                        g->nodes ? "" : " []", g->layers.bytes);
}
