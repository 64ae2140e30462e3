/* post_ops: a list of words, and of mappings of one word to its parameters. */
#include "spec/reader.h"
#include "spec/scalar.h"

#include <stdio.h>

static bool is_per_channel(post_kind kind) { return post_rows[kind].operand == OPERAND_CHANNEL; }

/* How one is written, for a message. */
static const char *example(post_kind kind) {
    if (kind == POST_SHIFT) return "{shift: per_channel}";
    if (kind == POST_SCALE) return "{scale: per_channel}";
    return post_rows[kind].parameters == 1 ? "{leaky_relu: 0.01}" : "{clamp: [0, 6]}";
}

static bool read_kind(reader *r, const node *word, post_op *op) {
    int found = read_word(r, word, &post_words);
    if (found >= 0) op->kind = (post_kind)found;
    return found >= 0;
}

layer_kind post_op_pool(const node *n) {
    const char *word = n->kind == NODE_SCALAR ? n->text : n->kind == NODE_MAPPING && n->count ? n->child[0]->text : "";
    const int found = word_find(&kind_words, word);
    const cvk_spec of = {.kind = found < 0 ? LAYER_CONVOLUTION : (layer_kind)found};
    return spec_is_pool(&of) ? of.kind : LAYER_CONVOLUTION;
}

static bool read_word_alone(reader *r, const node *n, post_op *op) {
    if (post_op_pool(n) != LAYER_CONVOLUTION) {
        refuse(r, E_POST_OP, n, "as in `{max_pool: {kernel_size: 3, stride: 2, padding: 1}}`", "%s needs its window",
               n->text);
        return false;
    }
    if (!read_kind(r, n, op)) return false;
    if (post_rows[op->kind].parameters == 0 && !is_per_channel(op->kind)) return true;
    hint_text h = {.text = ""};
    snprintf(h.text, sizeof h.text, "as in `%s`", example(op->kind));
    refuse(r, E_POST_OP, n, h.text, "%s needs a parameter", n->text);
    return false;
}

static bool read_clamp(reader *r, const node *n, post_op *op) {
    if (n->kind != NODE_SEQUENCE || n->count != 2) {
        refuse(r, E_POST_OP, n, "as in `{clamp: [0, 6]}`", "clamp: expected [lo, hi], got %s", describe(n).text);
        return false;
    }
    if (!read_decimal(r, n->child[0], &op->a) || !read_decimal(r, n->child[1], &op->b)) return false;
    if (op->a <= op->b) return true;
    refuse(r, E_POST_OP, n, NULL, "clamp: lo %s is larger than hi %s", n->child[0]->text, n->child[1]->text);
    return false;
}

static bool read_blend(reader *r, const node *n, post_op *op) {
    if (!read_decimal(r, n, &op->a)) return false;
    if (op->a >= 0 && op->a <= 1) return true;
    refuse(r, E_POST_OP, n, "it is the addend's share", "blend: expected a number from 0 to 1, got %s",
           describe(n).text);
    return false;
}

static bool read_with_parameters(reader *r, const node *n, post_op *op) {
    if (n->count != 2) {
        refuse(r, E_POST_OP, n, "begin each with `-`, or put each in braces of its own",
               "expected one post-op an item, got %s", n->count ? "several" : "none");
        return false;
    }
    const node *word = n->child[0], *value = n->child[1];
    if (!read_kind(r, word, op)) return false;
    if (is_per_channel(op->kind)) return read_word(r, value, &scale_words) >= 0;
    if (op->kind == POST_CLAMP) return read_clamp(r, value, op);
    if (op->kind == POST_BLEND) return read_blend(r, value, op);
    if (post_rows[op->kind].parameters == 1) return read_decimal(r, value, &op->a);
    refuse(r, E_POST_OP, word, "write the word alone", "%s takes no parameter", word->text);
    return false;
}

static bool read_post_op(reader *r, const node *n, post_op *op) {
    *op = (post_op){.kind = POST_ADD};
    if (n->kind == NODE_SCALAR) return read_word_alone(r, n, op);
    if (n->kind == NODE_MAPPING) return read_with_parameters(r, n, op);
    refuse(r, E_KIND, n, NULL, "expected a post-op, got %s", describe(n).text);
    return false;
}

static bool is_pool(const node *n) { return n->kind == NODE_MAPPING && post_op_pool(n) != LAYER_CONVOLUTION; }

/* Up to a pool, with which another layer begins. */
void read_post_ops_from(reader *r, const node *n, size_t first) {
    cvk_spec *s = &r->draft.spec;
    s->post_count = 0;
    for (size_t i = first; i < n->count; i++) {
        post_op op;
        if (is_pool(n->child[i])) {
            r->draft.pooled = n;
            r->draft.pool_at = i;
            return;
        }
        if (read_post_op(r, n->child[i], &op)) s->post[s->post_count++] = op;
    }
}

void read_post_ops(reader *r, const node *n) {
    r->draft.spec.post_count = 0;
    r->draft.pooled = NULL;
    if (n->kind != NODE_SEQUENCE) {
        refuse(r, E_KIND, n, "as in `[add, relu]`", "expected a list, got %s", describe(n).text);
        return;
    }
    if (n->count > (size_t)r->field->most) {
        refuse(r, E_COUNT_LIMIT, n, NULL, "%zu post-ops are over the limit of %d", n->count, (int)r->field->most);
        return;
    }
    read_post_ops_from(r, n, 0);
}
