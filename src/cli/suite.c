/* What --accuracy and --plain change, and geometric means with the worst layer beside them. */
#include "cli/suite.h"
#include "spec/words.h"

#include <math.h>

static cli_exit find_accuracy(const char *word, int *which) {
    *which = word ? word_find(&accuracy_words, word) : -1;
    if (!word || *which >= 0) return CLI_DONE;
    session_say("--accuracy is %s, not `%s`", word_choices(&accuracy_words).text, word);
    return CLI_USAGE;
}

cli_exit suite_override(session *s, arena *a) {
    int word;
    cli_exit status = find_accuracy(s->options->accuracy, &word);
    if (status != CLI_DONE) return status;
    for (size_t i = 0; i < s->layer_count; i++) {
        cvk_spec *copy = arena_copy(a, s->layers[i].spec, sizeof *copy);
        if (word >= 0) copy->accuracy = (accuracy)word;
        if (s->options->plain) copy->input_layout = copy->output_layout = CVK_CHANNELS_FIRST;
        s->layers[i].spec = copy;
    }
    return CLI_DONE;
}

/* A figure over the layers of one file. */
typedef struct summary {
    double mean, worst;
    const char *worst_layer;
    int layers;
} summary;

static summary summarise(const suite_figure *f, const session_layer *const *layers, size_t count,
                         const session_file *file) {
    summary s = {0};
    for (size_t i = 0; i < count; i++) {
        const double value = f->value[i];
        if (isnan(value) || (file && layers[i]->file != file)) continue;
        const bool worse = f->greatest_is_worst ? value > s.worst : value < s.worst;
        if (!s.layers++ || worse) {
            s.worst = value;
            s.worst_layer = layers[i]->spec->name;
        }
        s.mean += log(value);
    }
    s.mean = exp(s.mean / s.layers);
    return s;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static void print_number(const char *format, double value) {
    char number[32];
    snprintf(number, sizeof number, format, value);
    printf("  %8s", number);
}
#pragma GCC diagnostic pop

static void print_summary(const suite_figure *f, const summary *m) {
    printf("  %-46s", f->about);
    print_number(f->format, m->mean);
    print_number(f->format, m->worst);
    printf("  %s\n", m->worst_layer);
}

static json_t *json_summary(const summary *m) {
    return json_pack("{s:f, s:f, s:s, s:i}", "mean", m->mean, "worst", m->worst, "worst_layer", m->worst_layer,
                     "layers", m->layers);
}

static size_t layers_of(const session_layer *const *layers, size_t count, const session_file *file) {
    size_t n = 0;
    for (size_t i = 0; i < count; i++) n += !file || layers[i]->file == file;
    return n;
}

/* `file` NULL: all of them. */
static void report_file(const session *s, json_t *list, const session_layer *const *layers, size_t count,
                        const suite_figure *figures, size_t figure_count, const session_file *file) {
    const size_t n = layers_of(layers, count, file);
    const bool people = s->format == FORMAT_TEXT;
    if (!n) return;
    json_t *all = json_object();
    if (people) printf("%s: geometric means of %zu layers, and the worst of them\n", file ? file->stem : "all", n);
    for (size_t i = 0; i < figure_count; i++) {
        summary m = summarise(&figures[i], layers, count, file);
        if (!m.layers) continue;
        if (people) print_summary(&figures[i], &m);
        json_object_set_new(all, figures[i].name, json_summary(&m));
    }
    json_array_append_new(
        list, json_pack("{s:s, s:I, s:o}", "file", file ? file->path : "all", "layers", (json_int_t)n, "figures", all));
}

json_t *suite_report(const session *s, const session_layer *const *layers, size_t count, const suite_figure *figures,
                     size_t figure_count) {
    json_t *list = json_array();
    for (size_t i = 0; i < s->file_count; i++) report_file(s, list, layers, count, figures, figure_count, &s->files[i]);
    if (s->file_count > 1) report_file(s, list, layers, count, figures, figure_count, NULL);
    return list;
}
