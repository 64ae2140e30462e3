/* The spec that an import writes. */
#include "import/layers.h"

static void print_shape(const graph_view *v, text *out) {
    text_add(out, "[%lld, %lld", (long long)v->batch, (long long)v->channels);
    for (int axis = AXES - v->rank; axis < AXES; axis++) text_add(out, ", %lld", (long long)v->size[axis]);
    text_add(out, "]");
}

static void print_inputs(const import_network *n, text *out) {
    text_add(out, "inputs: {");
    for (size_t i = 0; i < n->input_count; i++) {
        const graph_value *v = n->input[i];
        cvk_layout layout;
        const bool last = view_layout(v, v->view, &layout) && layout != CVK_CHANNELS_FIRST, other = v->type != TYPE_F32;
        text_add(out, "%s%s: %s", i ? ", " : "", v->view->tensor, last || other ? "{shape: " : "");
        print_shape(v->view, out);
        if (other) text_add(out, ", dtype: %s", type_name(v->type));
        if (last) text_add(out, ", layout: %s", spec_layout_name(layout));
        if (last || other) text_add(out, "}");
    }
    text_add(out, "}\n");
}

static void print_outputs(const import_network *n, text *out) {
    bool last = false;
    for (size_t i = 0; i < n->output_count; i++) last |= n->output[i].layout != CVK_CHANNELS_FIRST;
    text_add(out, last ? "outputs: {" : "outputs: [");
    for (size_t i = 0; i < n->output_count; i++) {
        text_add(out, "%s%s", i ? ", " : "", n->output[i].tensor);
        if (last) text_add(out, ": {layout: %s}", spec_layout_name(n->output[i].layout));
    }
    text_add(out, last ? "}\n" : "]\n");
}

/* Layouts inside are for the compiler to choose. */
static void print_layer(const import_layer *l, text *out) {
    cvk_spec s = l->spec;
    s.input_layout = s.output_layout = CVK_CHANNELS_FIRST;
    spec_print_in_network(&s, l->reads.tensor, l->operand_tensor, out);
}

static const char *const VIEW_WORDS[] = {
#define VIEW(NAME, word) [GRAPH_##NAME] = word,
#include "spec/views.def"
#undef VIEW
};

static void print_view(const import_item *item, text *out) {
    const bool concat = item->kind == GRAPH_CONCAT;
    text_add(out, "{name: %s, kind: %s, input: %s", item->name, VIEW_WORDS[item->kind], concat ? "[" : "");
    for (int i = 0; i < item->read_count; i++) text_add(out, "%s%s", i ? ", " : "", item->reads[i]);
    if (concat) text_add(out, item->along_positions ? "], along: positions" : "]");
    if (item->kind == GRAPH_SLICE)
        text_add(out, ", %s: [%lld, %lld]", item->along_positions ? "positions" : "channels", (long long)item->from,
                 (long long)item->to);
    if (item->kind == GRAPH_RESHAPE) {
        text_add(out, ", shape: [%lld", (long long)item->shape.channels);
        for (int axis = AXES - item->shape.rank; axis < AXES; axis++)
            text_add(out, ", %lld", (long long)item->shape.size[axis]);
        text_add(out, "]");
    }
    text_add(out, "}");
}

static void print_network(const import_network *n, text *out) {
    print_inputs(n, out);
    print_outputs(n, out);
    text_add(out, "layers:\n");
    for (const import_item *item = n->item; item < n->item + n->item_count; item++) {
        if (!item->needed) continue;
        text_add(out, "  - ");
        item->layer ? print_layer(item->layer, out) : print_view(item, out);
        text_add(out, "\n");
    }
}

static void print_layers(const import_layers *layers, text *out) {
    text_add(out, "layers:\n");
    for (size_t i = 0; i < layers->count; i++) {
        text_add(out, "  - ");
        spec_print(&layers->layer[i]->spec, out);
        text_add(out, "\n");
    }
}

void import_print(const char *name, const import_layers *layers, text *out) {
    text_add(out, "version: 1\nname: %s\n", name);
    if (layers->network.whole)
        print_network(&layers->network, out);
    else
        print_layers(layers, out);
}
