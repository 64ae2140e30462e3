/* A schedule read back: the table of fields gives the keys, their kinds and their ranges. All but the
 * optional must be there, so a schedule means the same wherever it can be read. */
#include "plan/fields.h"

#include <stdlib.h>
#include <string.h>

typedef struct parser {
    cvk_diagnostics *diagnostics;
    arena *arena;
    cvk_plan *plan;
} parser;

static void *member(const parser *p, const plan_field *f) { return (char *)p->plan + f->offset; }

/* The key as a reader of the file sees it: "schedule.tile.oc". */
static const char *path(const parser *p, const plan_field *f) {
    return arena_format(p->arena, "schedule%s%s.%s", *f->group ? "." : "", f->group, f->key);
}

static bool wrong(const parser *p, const plan_field *f, const node *n, const char *hint, const char *expected) {
    const char *got = n->kind == NODE_SEQUENCE  ? "a list"
                      : n->kind == NODE_MAPPING ? "a mapping"
                                                : arena_format(p->arena, "\"%.64s\"", n->text);
    diag_error(p->diagnostics, E_SCHEDULE, n->at, hint, "%s: expected %s, got %s", path(p, f), expected, got);
    return false;
}

static bool is_word(const node *n) { return n->kind == NODE_SCALAR && !n->quoted && *n->text; }

/* Which of the words it is, or -1. */
static int find_word(const node *n, const char *const *words, int count) {
    for (int i = 0; is_word(n) && i < count; i++)
        if (strcmp(n->text, words[i]) == 0) return i;
    return -1;
}

static const char *list_words(const parser *p, const char *const *words, int count) {
    text list = text_new(p->arena);
    for (int i = 0; i < count; i++) text_add(&list, "%s%s", i == 0 ? "" : i < count - 1 ? ", " : " or ", words[i]);
    return list.bytes;
}

/* -1 where it is none of them, which has been reported. */
static int read_word(const parser *p, const plan_field *f, const node *n, const char *const *words, int count) {
    int index = find_word(n, words, count);
    if (index >= 0) return index;
    const char *near = is_word(n) ? text_nearest(n->text, words, (size_t)count) : NULL;
    const char *hint = near ? arena_format(p->arena, "did you mean `%s`?", near) : NULL;
    wrong(p, f, n, hint, list_words(p, words, count));
    return -1;
}

static bool read_name(const parser *p, const plan_field *f, const node *n) {
    int index = read_word(p, f, n, plan_algorithm_words, PLAN_ALGORITHMS);
    if (index >= 0) *(const char **)member(p, f) = plan_algorithm_words[index];
    return index >= 0;
}

static bool read_lanes(const parser *p, const plan_field *f, const node *n) {
    int index = read_word(p, f, n, plan_lanes_words, LANES_KINDS);
    if (index >= 0) *(plan_lanes *)member(p, f) = (plan_lanes)index;
    return index >= 0;
}

static bool read_switch(const parser *p, const plan_field *f, const node *n) {
    static const char *const words[] = {"false", "true"};
    int index = read_word(p, f, n, words, 2);
    if (index >= 0) *(bool *)member(p, f) = index == 1;
    return index >= 0;
}

bool plan_whole(const node *n, int least, int most, int *to) {
    enum { MOST_DIGITS = 7 };
    size_t digits = is_word(n) ? strspn(n->text, "0123456789") : 0;
    bool plain = digits && digits <= MOST_DIGITS && !n->text[digits] && (digits == 1 || *n->text != '0');
    int value = plain ? atoi(n->text) : -1;
    if (value < least || value > most) return false;
    *to = value;
    return true;
}

static bool read_whole(const parser *p, const plan_field *f, const node *n, int *to) {
    return plan_whole(n, f->least, f->most, to) ||
           wrong(p, f, n, NULL, arena_format(p->arena, "an integer %d..%d", f->least, f->most));
}

/* A loop, or a mapping from one to the size of its blocks. */
static bool read_level(const parser *p, const plan_field *f, const node *n, plan_level *level) {
    const plan_field block = {f->group, f->key, PLAN_INTEGER, offsetof(plan_level, block), 1, 1 << 20, true};
    const bool blocked = n->kind == NODE_MAPPING;
    if (blocked && n->count != 2) return wrong(p, f, n, NULL, "one loop and the size of its blocks in a mapping");
    int loop = read_word(p, f, blocked ? n->child[0] : n, plan_loop_words, PLAN_LOOPS);
    if (loop < 0) return false;
    level->loop = (plan_loop)loop;
    if (blocked) return read_whole(p, &block, n->child[1], &level->block);
    return loop != LOOP_IC ||
           wrong(p, f, n, "{ic: 64} is the loop over blocks of 64", "blocks of ic, whose own loop is innermost");
}

/* Every loop over tiles once, but that over columns may be left out, and then stands last; and before a loop, once, the
 * one over its blocks. */
static bool read_order(const parser *p, const plan_field *f, const node *n) {
    plan_order *order = member(p, f);
    if (n->kind != NODE_SEQUENCE) return wrong(p, f, n, NULL, "a list of loops");
    for (size_t i = 0; i < n->count; i++) {
        plan_level level = {LOOP_N, 0};
        if (!read_level(p, f, n->child[i], &level)) return false;
        if (plan_level_of(order, level.loop, level.block > 0) >= 0)
            return wrong(p, f, n->child[i], NULL, "every loop once, and once its blocks");
        if (level.block && plan_level_of(order, level.loop, false) >= 0)
            return wrong(p, f, n->child[i], NULL, "blocks of a loop outside of it");
        order->level[order->count++] = level;
    }
    if (plan_level_of(order, LOOP_OW, false) < 0) order->level[order->count++] = (plan_level){LOOP_OW, 0};
    for (int loop = 0; loop < PLAN_TILE_LOOPS; loop++)
        if (plan_level_of(order, (plan_loop)loop, false) < 0)
            return wrong(p, f, n, NULL, arena_format(p->arena, "every loop; %s is missing", plan_loop_words[loop]));
    return true;
}

static bool read_field(const parser *p, const plan_field *f, const node *n) {
    switch (f->kind) {
    case PLAN_NAME: return read_name(p, f, n);
    case PLAN_LANES: return read_lanes(p, f, n);
    case PLAN_INTEGER: return read_whole(p, f, n, member(p, f));
    case PLAN_SWITCH: return read_switch(p, f, n);
    case PLAN_ORDER: return read_order(p, f, n);
    }
    return false;
}

static const node *find(const node *mapping, const char *key) {
    for (size_t i = 0; i + 1 < mapping->count; i += 2)
        if (strcmp(mapping->child[i]->text, key) == 0) return mapping->child[i + 1];
    return NULL;
}

static bool missing(const parser *p, const plan_field *f, const node *where) {
    diag_error(p->diagnostics, E_SCHEDULE, where->at, NULL, "%s is missing", path(p, f));
    return false;
}

/* Finds a field's value, and reads it. */
static bool read_row(const parser *p, const plan_field *f, const node *schedule) {
    const node *mapping = *f->group ? find(schedule, f->group) : schedule;
    if (!f->required && (!mapping || !find(mapping, f->key))) return true;
    if (!mapping) return missing(p, f, schedule);
    if (mapping->kind != NODE_MAPPING) return wrong(p, f, mapping, NULL, "a mapping around it");
    const node *value = find(mapping, f->key);
    return value ? read_field(p, f, value) : missing(p, f, mapping);
}

/* The keys that may stand in a group: at the top also the names of the groups. */
static size_t known_keys(const char *group, const char **keys) {
    size_t count = 0;
    const plan_field *f;
    for (int i = 0; (f = plan_field_row(i)); i++) {
        const char *key = strcmp(f->group, group) == 0 ? f->key : *group ? NULL : f->group;
        if (key && (!count || strcmp(keys[count - 1], key) != 0)) keys[count++] = key;
    }
    return count;
}

static bool check_keys(const parser *p, const char *group, const node *mapping) {
    const char *keys[PLAN_MOST_FIELDS];
    size_t count = known_keys(group, keys);
    bool good = true;
    for (size_t i = 0; i + 1 < mapping->count; i += 2) {
        const node *key = mapping->child[i];
        bool known = false;
        for (size_t k = 0; k < count; k++) known |= strcmp(key->text, keys[k]) == 0;
        if (known) continue;
        const char *near = text_nearest(key->text, keys, count);
        diag_error(p->diagnostics, E_SCHEDULE, key->at,
                   near ? arena_format(p->arena, "did you mean `%s`?", near) : NULL,
                   "schedule%s%s: unknown key \"%.64s\"", *group ? "." : "", group, key->text);
        good = false;
    }
    return good;
}

cvk_status plan_parse(const node *schedule, arena *a, cvk_diagnostics *d, cvk_plan *plan) {
    const parser p = {d, a, plan};
    memset(plan, 0, sizeof *plan);
    if (schedule->kind != NODE_MAPPING) {
        diag_error(d, E_SCHEDULE, schedule->at, NULL, "schedule: expected a mapping");
        return CVK_ERROR_SPEC;
    }
    bool good = check_keys(&p, "", schedule);
    const char *group = "";
    const plan_field *f;
    for (int i = 0; (f = plan_field_row(i)); i++) {
        const node *inner = strcmp(group, f->group) != 0 ? find(schedule, f->group) : NULL;
        if (inner && inner->kind == NODE_MAPPING) good &= check_keys(&p, f->group, inner);
        group = f->group;
        good &= read_row(&p, f, schedule);
    }
    return good ? CVK_OK : CVK_ERROR_SPEC;
}
