/* The layers of a chain after its first: pools among post-ops, and what `then` lists. Each is read when the one before
 * it is settled, whose output is its input. */
#include "spec/reader.h"
#include "spec/limits.h"
#include "spec/rules.h"
#include "spec/scalar.h"

#include <string.h>

/* A chain while it is read. */
typedef struct chain {
    reader *first;
    const node *const *fallback;
    cvk_spec link[MOST_LINKS];
    int count;
} chain;

static const node *find_key(const node *mapping, const char *key) {
    for (size_t i = 0; i < mapping->count; i += 2)
        if (strcmp(mapping->child[i]->text, key) == 0) return mapping->child[i + 1];
    return NULL;
}

static void check_keys(const reader *r, const node *n) {
    static const char hint[] = "it belongs to the chain as a whole, or to layers of other kinds";
    for (size_t i = 0; i < n->count; i += 2) {
        const node *key = n->child[i];
        const int id = word_find(&field_keys, key->text);
        if (id < 0)
            report_error(r->report, E_UNKNOWN_KEY, key->at, word_hint(&field_keys, key->text).text,
                         "%s: no such key, \"%s\"", r->owner, show_text(key->text).text);
        else if (!chain_has_key(r->draft.spec.kind, (field_id)id))
            report_error(r->report, E_MISPLACED_KEY, key->at, hint, "%s.%s: not a key here", r->owner, key->text);
    }
}

static reader begin_link(const chain *c, const char *owner, layer_kind kind, place at) {
    const cvk_spec *before = &c->link[c->count - 1], *first = &c->link[0];
    const bool pool = kind != LAYER_CONVOLUTION; /* nothing is weighed */
    reader r = {.report = c->first->report,
                .arena = c->first->arena,
                .owner = owner,
                .complete = true,
                .edges = c->first->edges};
    r.rank = before->rank;
    r.draft.padding = PADDING_NUMBERS;
    r.draft.spec = (cvk_spec){.name = first->name,
                              .kind = kind,
                              .rank = before->rank,
                              .batch = first->batch,
                              .batch_any = first->batch_any,
                              .in_channels = before->out_channels,
                              .groups = 1,
                              .input_layout = first->output_layout,
                              .output_layout = first->output_layout,
                              .accuracy = first->accuracy,
                              .algorithm = first->algorithm,
                              .input_type = before->output_type,
                              .weights_type = pool ? before->output_type : first->weights_type,
                              .output_type = pool ? before->output_type : first->output_type,
                              .at = at};
    memcpy(r.draft.spec.in_size, before->out_size, sizeof before->out_size);
    for (int i = 0; i < FIELDS; i++) r.draft.at[i] = at;
    return r;
}

static const node *table_fallback(arena *a, const field_row *field) {
    node *n = arena_new(a, node);
    *n = (node){.kind = strcmp(field->fallback, "[]") == 0 ? NODE_SEQUENCE : NODE_SCALAR, .text = field->fallback};
    return n;
}

/* What stands for an absent key: what defaults say of layers, or the table; a pool has no defaults. */
static const node *absent_key(const chain *c, const reader *r, field_id id) {
    const field_row *field = &spec_fields[id];
    if (id == FIELD_dtype || !field->fallback || !*field->fallback) return NULL;
    if (r->draft.spec.kind == LAYER_CONVOLUTION && c->fallback[id]) return c->fallback[id];
    return table_fallback(r->arena, field);
}

static void read_keys(const chain *c, reader *r, const node *n) {
    for (int i = 0; i < FIELDS; i++) {
        if (!chain_has_key(r->draft.spec.kind, (field_id)i)) continue;
        const node *own = find_key(n, spec_fields[i].key), *value = own ? own : absent_key(c, r, (field_id)i);
        r->field = &spec_fields[i];
        r->inherited = !own;
        if (value) {
            read_field(r, value);
        } else if (!spec_fields[i].fallback) {
            report_error(r->report, E_MISSING_KEY, n->at, NULL, "%s: %s is missing", r->owner, spec_fields[i].key);
            r->complete = false;
        }
        if (!own) r->draft.at[i] = n->at;
    }
}

/* What the last layer's post-ops take the chain takes: those before it take nothing. */
static void take_operands(draft *all, const draft *last) {
    all->operand_count = last->operand_count;
    memcpy(all->operand, last->operand, sizeof all->operand);
    memcpy(all->operand_at, last->operand_at, sizeof all->operand_at);
}

/* `pooled`: the post-ops of which a pool is number `at`; those behind it are its own. False: there is something wrong.
 */
static bool read_link(chain *c, reader *r, const node *n, const node *pooled, size_t at) {
    if (n->kind != NODE_MAPPING) {
        report_error(r->report, E_KIND, n->at, NULL, "%s: expected a mapping, got %s", r->owner, describe(n).text);
        return false;
    }
    if (c->count == LIMIT_LINKS) {
        report_error(r->report, E_COUNT_LIMIT, n->at, NULL, "%s: a chain is of at most %d layers", r->owner,
                     LIMIT_LINKS);
        return false;
    }
    check_keys(r, n);
    read_keys(c, r, n);
    r->field = &spec_fields[FIELD_post_ops];
    if (pooled) read_post_ops_from(r, pooled, at + 1);
    if (r->complete) settle(r);
    if (!r->complete || !report_clean(r->report)) return false;
    c->link[c->count++] = r->draft.spec;
    take_operands(&c->first->draft, &r->draft);
    return true;
}

/* The pools among the post-ops of a layer that has been kept, with what follows each. */
static bool read_pools(chain *c, const char *owner, draft of) {
    while (of.pooled) {
        const node *item = of.pooled->child[of.pool_at];
        const char *path = arena_format(c->first->arena, "%s.post_ops[%zu]", owner, of.pool_at);
        reader r = begin_link(c, path, post_op_pool(item), item->at);
        if (item->count != 2) {
            report_error(r.report, E_POST_OP, item->at, "begin each with `-`, or put each in braces of its own",
                         "%s: expected one post-op an item, got several", path);
            return false;
        }
        if (!read_link(c, &r, item->child[1], of.pooled, of.pool_at)) return false;
        of = r.draft;
    }
    return true;
}

static bool read_then(chain *c, const node *then) {
    for (size_t i = 0; then && i < then->count; i++) {
        const char *owner = arena_format(c->first->arena, "%s.then[%zu]", c->first->owner, i);
        reader r = begin_link(c, owner, LAYER_CONVOLUTION, then->child[i]->at);
        if (!read_link(c, &r, then->child[i], NULL, 0) || !read_pools(c, owner, r.draft)) return false;
    }
    return true;
}

static void refuse_chain(const chain *c, int which, const char *why) {
    const reader *r = c->first;
    report_error(r->report, E_CHAIN, which ? c->link[which].at : r->draft.spec.at, NULL,
                 "%s: layer %d of the chain: %s", r->owner, which, why);
}

/* Post-ops have no part in gradients, neither have pools among them. */
static void refuse_backward(const reader *r) {
    report_error(r->report, E_CHAIN, r->draft.then->at, NULL, "%s.then: gradients are of one layer", r->owner);
}

void read_chain(reader *r, const node *const *fallback) {
    if ((!r->draft.pooled && !r->draft.then) || !report_clean(r->report)) return;
    if (r->draft.direction != DIRECTION_FORWARD) {
        if (r->draft.then) refuse_backward(r);
        return;
    }
    chain *c = arena_new(r->arena, chain);
    *c = (chain){.first = r, .fallback = fallback, .count = 1};
    c->link[0] = r->draft.spec;
    if (!read_pools(c, r->owner, r->draft) || !read_then(c, r->draft.then)) return;
    int which;
    const char *why = spec_chain_refuse(c->link, c->count, &which);
    if (why)
        refuse_chain(c, which, why);
    else
        r->draft.spec = spec_chain_of(r->arena, c->link, c->count);
}
