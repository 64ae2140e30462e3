/* YAML: drives libyaml event by event and builds the tree. Needs bytes that bytes.c has passed. Events are pulled one
 * at a time and counted, so libyaml, whose cost grows with depth, never looks far past the limit on depth. */
#include "spec/yaml.h"
#include "spec/limits.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

typedef struct source {
    yaml_parser_t parser;
    yaml_event_t event; /* the newest, owned here until the next is pulled */
    arena *arena;
    report *report;
    const char *file;
    int depth, events;
} source;

static place place_of(const source *s, yaml_mark_t mark) {
    return (place){s->file, (unsigned)mark.line + 1, (unsigned)mark.column + 1};
}

static place here(const source *s) { return place_of(s, s->event.start_mark); }

static void report_syntax(source *s) {
    const yaml_parser_t *p = &s->parser;
    const char *problem = p->problem ? p->problem : "not YAML", *hint = NULL;
    if (strcmp(problem, "found character that cannot start any token") == 0)
        hint = "tabs do not indent; text that begins with @ or ` goes in quotes";
    if (p->context && p->context_mark.index != p->problem_mark.index)
        report_error(s->report, E_SYNTAX, place_of(s, p->problem_mark), hint, "%s (%s that began at %zu:%zu)", problem,
                     p->context, p->context_mark.line + 1, p->context_mark.column + 1);
    else
        report_error(s->report, E_SYNTAX, place_of(s, p->problem_mark), hint, "%s", problem);
}

/* Pulls the next event; false where the text ends or what follows cannot be read. */
static bool next(source *s) {
    yaml_event_delete(&s->event);
    if (!yaml_parser_parse(&s->parser, &s->event)) {
        if (s->parser.error == YAML_MEMORY_ERROR) longjmp(s->arena->exhausted, 1);
        report_syntax(s);
        return false;
    }
    if (++s->events <= LIMIT_EVENTS) return true;
    report_error(s->report, E_FILE_LIMIT, here(s), NULL, "the file is over the limit of %d YAML events",
                 (int)LIMIT_EVENTS);
    return false;
}

/* Anchors and tags belong to whatever node follows them. */
static void check_properties(source *s, const yaml_char_t *anchor, const yaml_char_t *tag) {
    if (anchor)
        report_error(s->report, E_ANCHOR, here(s), "write the value out where it is needed, or under `defaults`",
                     "an anchor, \"&%s\"; a spec has none", show_text((const char *)anchor).text);
    if (!tag) return;
    static const char standard[] = "tag:yaml.org,2002:";
    const char *name = (const char *)tag;
    bool is_standard = strncmp(name, standard, sizeof standard - 1) == 0;
    report_error(s->report, E_TAG, here(s), "leave it out; what a value means follows from its key",
                 "a tag, \"%s%s\"; a spec has none", is_standard ? "!!" : "",
                 show_text(is_standard ? name + sizeof standard - 1 : name).text);
}

/* Escapes in double quotes can spell characters that the file itself may not hold. */
static void check_scalar(source *s, bool long_allowed) {
    const unsigned char *bytes = s->event.data.scalar.value;
    size_t length = s->event.data.scalar.length;
    if (length > LIMIT_SCALAR_BYTES && !long_allowed)
        report_error(s->report, E_FILE_LIMIT, here(s), NULL, "a scalar over the limit of %d bytes",
                     (int)LIMIT_SCALAR_BYTES);
    for (size_t i = 0, step; i < length; i += step) {
        uint32_t c = yaml_decode(bytes + i, length - i, &step);
        const char *forbidden = step ? yaml_forbidden_character(c) : "no character at all";
        if (forbidden) {
            report_error(s->report, E_CHARACTER, here(s), NULL, "an escape for U+%04X, %s", c, forbidden);
            return;
        }
    }
}

static const node *read_scalar(source *s, bool long_allowed) {
    check_properties(s, s->event.data.scalar.anchor, s->event.data.scalar.tag);
    check_scalar(s, long_allowed);
    node *n = arena_new(s->arena, node);
    n->kind = NODE_SCALAR;
    n->quoted = s->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    n->text = arena_string(s->arena, (const char *)s->event.data.scalar.value, s->event.data.scalar.length);
    n->at = here(s);
    return n;
}

static void append(source *s, node *parent, size_t *capacity, const node *child) {
    if (parent->count == *capacity) {
        *capacity = *capacity ? *capacity * 2 : 8;
        const node **larger = arena_array(s->arena, const node *, *capacity);
        if (parent->count) memcpy(larger, parent->child, parent->count * sizeof *larger);
        parent->child = larger;
    }
    parent->child[parent->count++] = child;
}

static int by_text_then_place(const void *a, const void *b) {
    const node *x = *(const node *const *)a, *y = *(const node *const *)b;
    int order = strcmp(x->text, y->text);
    if (order) return order;
    if (x->at.line != y->at.line) return x->at.line < y->at.line ? -1 : 1;
    return x->at.column < y->at.column ? -1 : x->at.column > y->at.column;
}

/* Sorted, equal keys stand side by side. */
static void check_duplicates(source *s, const node *mapping) {
    size_t n = mapping->count / 2;
    const node **keys = arena_array(s->arena, const node *, n);
    for (size_t i = 0; i < n; i++) keys[i] = mapping->child[2 * i];
    if (n) qsort(keys, n, sizeof *keys, by_text_then_place);
    for (size_t i = 1; i < n; i++)
        if (strcmp(keys[i - 1]->text, keys[i]->text) == 0)
            report_error(s->report, E_DUPLICATE_KEY, keys[i]->at, NULL, "\"%s\" is given twice, first at %u:%u",
                         show_text(keys[i]->text).text, keys[i - 1]->at.line, keys[i - 1]->at.column);
}

static bool check_key(source *s, const node *key) {
    if (key->kind != NODE_SCALAR) {
        report_error(s->report, E_KEY_KIND, key->at, NULL, "a %s as a key; keys are words",
                     key->kind == NODE_SEQUENCE ? "list" : "mapping");
        return false;
    }
    if (!key->quoted && strcmp(key->text, "<<") == 0)
        report_error(s->report, E_MERGE_KEY, key->at, "what layers share goes under `defaults`",
                     "a merge key; a spec has none");
    return true;
}

static const node *read_node(source *s, bool long_allowed);

/* The children of a list or mapping up to its end event; false if the text cannot be read that far. */
static bool read_children(source *s, node *parent, yaml_event_type_t end, bool long_allowed) {
    size_t capacity = 0;
    bool keys_sound = true, values = false;
    while (next(s)) {
        if (s->event.type == end) {
            if (parent->kind == NODE_MAPPING && keys_sound) check_duplicates(s, parent);
            return true;
        }
        const node *child = read_node(s, long_allowed || values);
        if (!child) return false;
        if (parent->kind == NODE_MAPPING && parent->count % 2 == 0) {
            bool sound = check_key(s, child);
            values = sound && strcmp(child->text, "values") == 0;
            keys_sound = keys_sound && sound;
        } else {
            values = false;
        }
        append(s, parent, &capacity, child);
    }
    return false;
}

static const node *read_collection(source *s, bool long_allowed) {
    node *n = arena_new(s->arena, node);
    bool sequence = s->event.type == YAML_SEQUENCE_START_EVENT;
    n->kind = sequence ? NODE_SEQUENCE : NODE_MAPPING;
    n->at = here(s);
    n->text = "";
    if (sequence)
        check_properties(s, s->event.data.sequence_start.anchor, s->event.data.sequence_start.tag);
    else
        check_properties(s, s->event.data.mapping_start.anchor, s->event.data.mapping_start.tag);
    if (++s->depth > LIMIT_DEPTH) {
        report_error(s->report, E_FILE_LIMIT, n->at, NULL, "lists and mappings nested over the limit of %d",
                     (int)LIMIT_DEPTH);
        return NULL;
    }
    if (!read_children(s, n, sequence ? YAML_SEQUENCE_END_EVENT : YAML_MAPPING_END_EVENT, long_allowed)) return NULL;
    s->depth--;
    return n;
}

/* The node that the newest event begins; NULL if the text cannot be read to its end. */
static const node *read_node(source *s, bool long_allowed) {
    if (s->event.type == YAML_SCALAR_EVENT) return read_scalar(s, long_allowed);
    if (s->event.type != YAML_ALIAS_EVENT) return read_collection(s, long_allowed);
    report_error(s->report, E_ALIAS, here(s), "write the value out, or put what layers share under `defaults`",
                 "an alias, \"*%s\"; a spec has none", show_text((const char *)s->event.data.alias.anchor).text);
    node *stand_in = arena_new(s->arena, node);
    *stand_in = (node){.kind = NODE_SCALAR, .quoted = true, .text = "*", .at = here(s)};
    return stand_in;
}

static void check_directives(source *s) {
    if (s->event.data.document_start.tag_directives.start != s->event.data.document_start.tag_directives.end)
        report_error(s->report, E_TAG, here(s), NULL, "a %%TAG directive; a spec has none");
}

/* Stream start, document start, the root, document end, stream end. */
static const node *read_stream(source *s) {
    if (!next(s) || !next(s)) return NULL;
    if (s->event.type == YAML_STREAM_END_EVENT) {
        report_error(s->report, E_DOCUMENT, (place){s->file, 1, 1}, NULL, "the file is empty");
        return NULL;
    }
    check_directives(s);
    if (!next(s)) return NULL;
    const node *root = read_node(s, false);
    if (!root || !next(s) || !next(s)) return NULL;
    if (s->event.type == YAML_STREAM_END_EVENT) return root;
    report_error(s->report, E_DOCUMENT, here(s), "one file, one network", "a second document");
    return NULL;
}

/* Out of memory, the arena's owner is told as ever, but libyaml's memory is freed on the way. */
static const node *read_guarded(source *s) {
    jmp_buf outer;
    memcpy(&outer, &s->arena->exhausted, sizeof outer);
    if (arena_guard(s->arena)) {
        yaml_event_delete(&s->event);
        yaml_parser_delete(&s->parser);
        memcpy(&s->arena->exhausted, &outer, sizeof outer);
        longjmp(s->arena->exhausted, 1);
    }
    const node *root = read_stream(s);
    memcpy(&s->arena->exhausted, &outer, sizeof outer);
    return root;
}

const node *yaml_read(arena *a, const char *bytes, size_t length, const char *file, report *r) {
    if (!yaml_check_bytes(bytes, length, file, r)) return NULL;
    source s = {.arena = a, .report = r, .file = file};
    if (!yaml_parser_initialize(&s.parser)) longjmp(a->exhausted, 1);
    yaml_parser_set_encoding(&s.parser, YAML_UTF8_ENCODING);
    size_t mark =
        length >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0; /* told the encoding, libyaml skips none */
    yaml_parser_set_input_string(&s.parser, (const unsigned char *)bytes + mark, length - mark);
    const node *root = read_guarded(&s);
    yaml_event_delete(&s.event);
    yaml_parser_delete(&s.parser);
    return report_clean(r) ? root : NULL;
}
