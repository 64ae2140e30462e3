/* The table of forms, and what they share. */
#include "exchange/exchange.h"

#include "plan/fields.h"
#include "problem/problem.h"

#include <jansson.h>
#include <math.h>
#include <string.h>
#include <time.h>

#define FORMAT(name, word, about)                                                                                      \
    size_t exchange_print_##name(arena *a, const record_list *list, exchange_file *files);                             \
    bool exchange_parse_##name(arena *a, const char *bytes, size_t size, record_list *list);
#include "exchange/formats.def"
#undef FORMAT

static const exchange_format ROWS[] = {
#define FORMAT(name, word, about) {word, about, exchange_print_##name, exchange_parse_##name},
#include "exchange/formats.def"
#undef FORMAT
};
enum { ROW_COUNT = sizeof ROWS / sizeof *ROWS };

const exchange_format *exchange_row(int index) { return index >= 0 && index < ROW_COUNT ? &ROWS[index] : NULL; }

static const char *order_in_words(arena *a, const plan_order *order) {
    text words = text_new(a);
    for (int i = 0; i < order->count; i++) {
        const plan_level *l = &order->level[i];
        text_add(&words, "%s%s", i ? " " : "", plan_loop_words[l->loop]);
        if (l->block) text_add(&words, ":%d", l->block);
    }
    return words.bytes;
}

static json_t *value_of(arena *a, const cvk_plan *plan, const plan_field *f) {
    const void *value = (const char *)plan + f->offset;
    switch (f->kind) {
    case PLAN_NAME: return json_string(*(const char *const *)value);
    case PLAN_LANES: return json_string(plan_lanes_words[plan->lanes]);
    case PLAN_INTEGER: return json_integer(*(const int *)value);
    case PLAN_SWITCH: return json_integer(*(const bool *)value);
    case PLAN_ORDER: return json_string(order_in_words(a, value));
    }
    return NULL;
}

static void set_fields(arena *a, json_t *to, const cvk_plan *plan, const char *suffix) {
    const plan_field *f;
    for (int i = 0; (f = plan_field_row(i)); i++)
        json_object_set_new(to, arena_format(a, "%s%s%s%s", f->group, *f->group ? "_" : "", f->key, suffix),
                            value_of(a, plan, f));
}

/* All records of a layer have the same fields, though equal plans are written once. */
json_t *exchange_configuration(arena *a, const record *r) {
    layer_plan plan;
    const cvk_spec *spec = record_spec(a, r);
    if (!spec || !record_plan(a, r->plan, &plan)) return json_pack("{s:s}", "schedule", r->plan);
    const int problems = problem_count(spec);
    if (plan.count > 1 && plan.count != problems) return json_pack("{s:s}", "schedule", r->plan);
    json_t *to = json_object();
    for (int i = 0; i < problems; i++) set_fields(a, to, layer_plan_part(&plan, i), i ? arena_format(a, "_%d", i) : "");
    return to;
}

const char *exchange_time(arena *a, const record *r) {
    const time_t seconds = (time_t)(r->time / 1000);
    struct tm at;
    char words[32];
    gmtime_r(&seconds, &at);
    strftime(words, sizeof words, "%Y-%m-%dT%H:%M:%S", &at);
    return arena_format(a, "%s.%03d+00:00", words, (int)(r->time % 1000));
}

double exchange_milliseconds(double seconds) { return isfinite(seconds) ? 1e3 * seconds : 0; }
