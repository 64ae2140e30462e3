/* Records to JSON and back, by the table. */
#include "records/json.h"

#include "base/build.h"
#include "spec/yaml.h"
#include "target/machine.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const record_field FIELDS[] = {
#define RECORD(member, kind, about) {#member, about, RECORD_##kind, offsetof(record, member)},
#include "records/fields.def"
#undef RECORD
};
enum { FIELD_COUNT = sizeof FIELDS / sizeof *FIELDS };

const char *const record_kind_words[RECORD_KINDS] = {"trial", "match"};
const char *const record_outcome_words[OUTCOMES] = {"correct", "timeout",     "compile",
                                                    "runtime", "correctness", "constraints"};

const record_field *record_field_row(int index) { return index < FIELD_COUNT ? &FIELDS[index] : NULL; }

static void *member(record *r, const record_field *f) { return (char *)r + f->offset; }
static const void *value_of(const record *r, const record_field *f) { return (const char *)r + f->offset; }

record record_new(void) {
    record r = {0};
    for (int i = 0; i < FIELD_COUNT; i++) {
        if (FIELDS[i].type == RECORD_TEXT) *(record_TEXT *)member(&r, &FIELDS[i]) = "";
        if (FIELDS[i].type == RECORD_NUMBER) *(record_NUMBER *)member(&r, &FIELDS[i]) = NAN;
    }
    return r;
}

/* ---- the key ---- */

/* "0.1.0" and "19.1.7" of "0.1.0 llvm-19.1.7 89e6b0d1c2f3a4b5". */
static void set_versions(arena *a, record *r) {
    const char *space = strchr(build_id, ' '), *dash = strchr(space, '-');
    r->build = build_id;
    r->convoke = arena_string(a, build_id, (size_t)(space - build_id));
    r->llvm = arena_string(a, dash + 1, strcspn(dash + 1, " "));
}

record record_of_now(arena *a) {
    record r = record_new();
    text cpu = text_new(a);
    machine_print_cpu(&cpu);
    r.cpu = cpu.bytes;
    set_versions(a, &r);
    return r;
}

record record_of(arena *a, const cvk_spec *spec, goal aim) {
    record r = record_of_now(a);
    cvk_spec layer = *spec;
    layer.name = "layer";
    layer.schedule = NULL;
    text words = text_new(a);
    spec_print(&layer, &words);
    r.layer = words.bytes;
    r.target = aim.target->name;
    r.threads = aim.threads;
    r.name = spec->name;
    return r;
}

bool record_same_version(const record *a, const record *b) {
    return strcmp(a->llvm, b->llvm) == 0 && strcmp(a->convoke, b->convoke) == 0;
}

bool record_same_key(const record *a, const record *b) {
    return a->threads == b->threads && strcmp(a->layer, b->layer) == 0 && strcmp(a->target, b->target) == 0 &&
           strcmp(a->cpu, b->cpu) == 0 && record_same_version(a, b);
}

/* ---- JSON ---- */

/* NULL: nothing is to be written. */
static json_t *json_of(const record_field *f, const void *value) {
    switch (f->type) {
    case RECORD_TEXT: return **(const record_TEXT *)value ? json_string(*(const record_TEXT *)value) : NULL;
    case RECORD_NUMBER: return isfinite(*(const double *)value) ? json_real(*(const double *)value) : NULL;
    case RECORD_INTEGER: return *(const int64_t *)value ? json_integer(*(const int64_t *)value) : NULL;
    case RECORD_FLAG: return *(const bool *)value ? json_true() : NULL;
    case RECORD_KIND: return json_string(record_kind_words[*(const record_kind *)value]);
    case RECORD_OUTCOME: return json_string(record_outcome_words[*(const record_outcome *)value]);
    }
    return NULL;
}

json_t *record_to_json(const record *r) {
    json_t *line = json_object();
    for (int i = 0; line && i < FIELD_COUNT; i++) {
        json_t *value = json_of(&FIELDS[i], value_of(r, &FIELDS[i]));
        if (value) json_object_set_new(line, FIELDS[i].name, value);
    }
    return line;
}

char *record_print(const record *r) {
    json_t *line = record_to_json(r);
    char *words = line ? json_dumps(line, JSON_COMPACT | JSON_REAL_PRECISION(RECORD_DIGITS)) : NULL;
    json_decref(line);
    return words;
}

/* The index of a word, or -1. */
static int find_word(const char *word, const char *const *words, int count) {
    for (int i = 0; word && i < count; i++)
        if (strcmp(word, words[i]) == 0) return i;
    return -1;
}

/* Texts are copied to `room`, which is large enough. */
static bool set_text(const json_t *value, char **room, record_TEXT *to) {
    if (!json_is_string(value)) return false;
    *to = strcpy(*room, json_string_value(value));
    *room += json_string_length(value) + 1;
    return true;
}

static bool set_value(const record_field *f, const json_t *value, char **room, void *to) {
    int word = -1;
    switch (f->type) {
    case RECORD_TEXT: return set_text(value, room, to);
    case RECORD_NUMBER: *(double *)to = json_number_value(value); return json_is_number(value);
    case RECORD_INTEGER: *(int64_t *)to = json_integer_value(value); return json_is_integer(value);
    case RECORD_FLAG: *(bool *)to = json_is_true(value); return json_is_boolean(value);
    case RECORD_KIND:
        word = find_word(json_string_value(value), record_kind_words, RECORD_KINDS);
        *(record_kind *)to = (record_kind)(word < 0 ? 0 : word);
        return word >= 0;
    case RECORD_OUTCOME:
        word = find_word(json_string_value(value), record_outcome_words, OUTCOMES);
        *(record_outcome *)to = (record_outcome)(word < 0 ? 0 : word);
        return word >= 0;
    }
    return false;
}

static bool read_members(const json_t *line, char *room, record *r) {
    bool good = json_is_object(line);
    for (int i = 0; good && i < FIELD_COUNT; i++) {
        const json_t *value = json_object_get(line, FIELDS[i].name);
        if (value) good = set_value(&FIELDS[i], value, &room, member(r, &FIELDS[i]));
    }
    return good && *r->layer && *r->plan;
}

static size_t bytes_of_texts(const json_t *line) {
    size_t bytes = 1;
    for (int i = 0; i < FIELD_COUNT; i++)
        if (FIELDS[i].type == RECORD_TEXT) bytes += json_string_length(json_object_get(line, FIELDS[i].name)) + 1;
    return bytes;
}

bool record_from_json(arena *a, const json_t *value, record *r) {
    *r = record_new();
    char *room = arena_alloc(a, bytes_of_texts(value));
    return read_members(value, room, r);
}

bool record_parse(arena *a, const char *line, size_t length, record *r) {
    *r = record_new();
    char *room = arena_alloc(a, length + FIELD_COUNT);
    json_t *tree = json_loadb(line, length, 0, NULL); /* from here to its end nothing is taken of the arena */
    bool good = tree && read_members(tree, room, r);
    json_decref(tree);
    return good;
}

/* ---- texts ---- */

static bool set_number(const char *words, double *to) {
    char *end;
    *to = strtod(words, &end);
    return end != words && !*end && isfinite(*to);
}

static bool set_integer(const char *words, int64_t *to) {
    char *end;
    *to = strtoll(words, &end, 10);
    return end != words && !*end;
}

bool record_set_text(record *r, const record_field *f, const char *words) {
    void *to = member(r, f);
    int word = 0;
    if (!*words) return true;
    switch (f->type) {
    case RECORD_TEXT: *(record_TEXT *)to = words; return true;
    case RECORD_NUMBER: return set_number(words, to);
    case RECORD_INTEGER: return set_integer(words, to);
    case RECORD_FLAG: *(bool *)to = strcmp(words, "true") == 0; return *(bool *)to;
    case RECORD_KIND:
        *(record_kind *)to = (record_kind)(word = find_word(words, record_kind_words, RECORD_KINDS));
        break;
    case RECORD_OUTCOME:
        *(record_outcome *)to = (record_outcome)(word = find_word(words, record_outcome_words, OUTCOMES));
    }
    return word >= 0;
}

const char *record_get_text(const record *r, const record_field *f, char digits[32]) {
    const void *value = value_of(r, f);
    *digits = 0;
    switch (f->type) {
    case RECORD_TEXT: return *(const record_TEXT *)value;
    case RECORD_KIND: return record_kind_words[*(const record_kind *)value];
    case RECORD_OUTCOME: return record_outcome_words[*(const record_outcome *)value];
    case RECORD_FLAG: return *(const bool *)value ? "true" : "";
    case RECORD_INTEGER:
        if (*(const int64_t *)value) snprintf(digits, 32, "%lld", (long long)*(const int64_t *)value);
        break;
    case RECORD_NUMBER:
        if (isfinite(*(const double *)value)) snprintf(digits, 32, "%.*g", RECORD_DIGITS, *(const double *)value);
    }
    return digits;
}

void record_settle(record *r) {
    char digits[32];
    for (int i = 0; i < FIELD_COUNT; i++)
        if (FIELDS[i].type == RECORD_NUMBER) record_set_text(r, &FIELDS[i], record_get_text(r, &FIELDS[i], digits));
}

/* ---- plans and layers ---- */

bool record_plan(arena *a, const char *schedule, layer_plan *plan) {
    report quiet = {0};
    const node *tree = yaml_read(a, schedule, strlen(schedule), "schedule", &quiet);
    return report_clean(&quiet) && tree && layer_plan_parse(tree, a, NULL, plan) == CVK_OK;
}

const cvk_spec *record_spec(arena *a, const record *r) {
    const char *words = arena_format(a, "version: 1\nlayers: [%s]\n", r->layer);
    cvk_network *network;
    if (cvk_network_parse(words, strlen(words), "record", NULL, &network) != CVK_OK) return NULL;
    const cvk_spec *spec = cvk_network_layer(network, 0);
    arena_adopt(a, &network->arena);
    free(network);
    return spec;
}
