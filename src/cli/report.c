/* convoke report: one page of HTML with everything in it, of the records of databases. */
#include "cli/database.h"
#include "cli/hot_loop.h"
#include "cli/session_main.h"
#include "cli/verbs.h"
#include "compile.h"
#include "files/output.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

extern const unsigned char report_page[]; /* cli/report.html */

static const char DATA[] = "@DATA@";

/* The records of one key. */
typedef struct subject {
    const record *key, *match;
    double judged; /* of the model's pick, the first of its trials; NAN */
} subject;

static json_t *real_or_null(double value) { return isfinite(value) ? json_real(value) : json_null(); }

/* ---- trials ---- */

static json_t *trial_of(arena *a, const subject *s, const record *r) {
    return json_pack("{s:I, s:s, s:s, s:s, s:s, s:o, s:o, s:o}", "trial", (json_int_t)r->trial, "outcome",
                     record_outcome_words[r->outcome], "why", r->why, "brief", database_brief(a, r->plan), "plan",
                     r->plan, "us", real_or_null(1e6 * r->seconds), "relative", real_or_null(r->relative), "predicted",
                     real_or_null(r->judged / s->judged));
}

static json_t *trials_of(arena *a, const record_list *list, const subject *s) {
    json_t *trials = json_array();
    for (size_t i = 0; i < list->count; i++)
        if (list->record[i].kind == RECORD_TRIAL && record_same_key(&list->record[i], s->key))
            json_array_append_new(trials, trial_of(a, s, &list->record[i]));
    return trials;
}

/* ---- the winner ---- */

static const char *noise_of(arena *a, const record *m) {
    if (!m->rounds) return arena_format(a, "quartiles %.3f and %.3f", m->low, m->high);
    return arena_format(a, "in %lld processes; 95 further ones in 100 find from %.3f to %.3f", (long long)m->rounds,
                        m->low, m->high);
}

static const char *verdict_of(arena *a, const subject *s) {
    const record *m = s->match;
    if (!m) return "There was no match yet: the model's pick is what is used.";
    if (!m->turns) return "No plan was faster than the model's pick, which stays.";
    return arena_format(a,
                        "In a match of %lld turns the best challenger took %.3f of the time of the model's pick (%s) "
                        "and won %lld %s: by chance alone that happens with probability %.2g. %s",
                        (long long)m->turns, m->ratio, noise_of(a, m), (long long)m->wins,
                        m->rounds ? "rounds" : "turns", m->chance,
                        m->crowned ? "It takes the pick's place." : "The pick stays.");
}

static const char *winner_of(const subject *s) {
    if (!s->match) return s->key->plan;
    return s->match->crowned ? s->match->plan : s->match->pick;
}

/* The nest and the hot loop of a plan, compiled again; words why not where that cannot be. */
static void compile_winner(session *s, arena *a, const subject *x, const char **nest_words, const char **assembly) {
    static const char *const symbol[] = {"layer"};
    const cvk_target *target = target_find(x->key->target);
    const cvk_spec *spec = record_spec(a, x->key);
    layer_plan plan;
    int problem_index;
    compile_unit unit;
    cvk_object object = {0};
    *nest_words = *assembly = "This convoke cannot compile it any more.";
    if (!target || !spec || !record_plan(a, winner_of(x), &plan)) return;
    const goal aim = {.target = target, .threads = (uint32_t)x->key->threads};
    if (layer_refuse(spec, target, &plan, &problem_index)) return;
    if (compile_plan(a, spec, aim, &plan, NULL, &unit, NULL) != CVK_OK) return;
    text words = text_new(a);
    program_print(&unit.run, &words);
    *nest_words = words.bytes;
    if (compile_emit(&unit, symbol, 1, 1, NULL, EMIT_ASSEMBLY, s->diagnostics, &object, NULL) == CVK_OK)
        *assembly = hot_loop(a, (const char *)object.bytes, object.size);
    object_free(&object);
}

static json_t *layer_of(session *s, arena *a, const record_list *list, const subject *x) {
    const char *nest_words, *assembly;
    const record *m = x->match;
    const bool held = m && m->turns > 0;
    compile_winner(s, a, x, &nest_words, &assembly);
    return json_pack("{s:s, s:s, s:I, s:s, s:o, s:o, s:o, s:o, s:o, s:s, s:s, s:s, s:s, s:s}", "name", x->key->name,
                     "target", x->key->target, "threads", (json_int_t)x->key->threads, "cpu", x->key->cpu, "trials",
                     trials_of(a, list, x), "model_us", real_or_null(held ? 1e6 * m->best_seconds : NAN), "best_us",
                     real_or_null(held ? 1e6 * (m->crowned ? m->seconds : m->best_seconds) : NAN), "speedup",
                     real_or_null(!m           ? NAN
                                  : m->crowned ? 1 / m->ratio
                                               : 1),
                     "chance", real_or_null(held ? m->chance : NAN), "winner",
                     m && m->crowned ? database_brief(a, m->plan) : "the model's", "verdict", verdict_of(a, x), "plan",
                     winner_of(x), "nest", nest_words, "assembly", assembly);
}

/* ---- the page ---- */

/* Keys in the order in which they first occur; the first trial of each is the model's pick. */
static size_t find_subjects(const record_list *list, subject *to) {
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++) {
        const record *r = &list->record[i];
        size_t at = 0;
        while (at < count && !record_same_key(to[at].key, r)) at++;
        if (at == count) to[count++] = (subject){.key = r, .judged = NAN};
        if (r->kind == RECORD_TRIAL && r->trial == 0 && isnan(to[at].judged)) to[at].judged = r->judged;
        if (r->kind == RECORD_MATCH && (!to[at].match || r->time >= to[at].match->time)) to[at].match = r;
    }
    return count;
}

/* Nothing in it ends the element it stands in. */
static void add_escaped(text *out, const char *json) {
    for (; *json; json++) text_add_bytes(out, *json == '<' ? "\\u003c" : json, *json == '<' ? 6 : 1);
}

static cli_exit print_page(json_t *data, text *page) {
    char *json = data ? json_dumps(data, JSON_COMPACT | JSON_REAL_PRECISION(6)) : NULL;
    const char *whole = (const char *)report_page, *gap = strstr(whole, DATA);
    if (json) {
        text_add_bytes(page, whole, (size_t)(gap - whole));
        add_escaped(page, json);
        text_add_bytes(page, gap + strlen(DATA), strlen(gap) - strlen(DATA));
    }
    free(json);
    return json ? CLI_DONE : CLI_UNSUPPORTED;
}

static json_t *describe_all(session *s, arena *a, const record_list *list) {
    subject *subjects = arena_array(a, subject, list->count + 1);
    const size_t count = find_subjects(list, subjects);
    json_t *layers = json_array();
    for (size_t i = 0; i < count; i++) {
        session_progress(s, i, count, subjects[i].key->name);
        json_array_append_new(layers, layer_of(s, a, list, &subjects[i]));
    }
    session_progress_end(s);
    const char *about =
        arena_format(a, "%zu records of %zu layers and machines; convoke %s.", list->count, count, CVK_VERSION);
    return json_pack("{s:s, s:o}", "about", about, "layers", layers);
}

static cli_exit report_all(session *s, arena *a, void *context) {
    (void)context;
    const cli_options *o = s->options;
    record_list list = {0};
    text page = text_new(a);
    cli_exit status = database_gather(s, a, o->specs, o->spec_count, &list);
    if (status != CLI_DONE) return status;
    json_t *data = describe_all(s, a, &list);
    status = print_page(data, &page);
    json_decref(data);
    if (status != CLI_DONE) return session_fail(s, CVK_ERROR_MEMORY);
    const output_file file = {o->report_output, page.bytes, page.length};
    return session_fail(s, output_write(&file, 1, s->diagnostics));
}

cli_exit cli_report(const cli_options *options) {
    if (options->report_output) return session_without_layers(options, NULL, report_all, NULL);
    session_say("report: -o FILE says where to write to");
    return CLI_USAGE;
}
