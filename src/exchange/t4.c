/* T4: a result a record. What the schema has no place for is in `convoke`, the record itself. Both names of the time
 * that compiling took are written, the schema's and that of Kernel Tuner's writer. */
#include "exchange/exchange.h"
#include "records/json.h"

#include <jansson.h>
#include <math.h>
#include <string.h>
#include <sys/utsname.h>

size_t exchange_print_t4(arena *a, const record_list *list, exchange_file *files);
bool exchange_parse_t4(arena *a, const char *bytes, size_t size, record_list *list);

static const char VERSION[] = "1.0.0";

static json_t *times_of(const record *r) {
    json_t *runtimes = json_array();
    if (isfinite(r->seconds)) json_array_append_new(runtimes, json_real(1e3 * r->seconds));
    const double compile = exchange_milliseconds(r->compile_seconds);
    return json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:o}", "compilation_time", compile, "compilation", compile,
                     "benchmark", exchange_milliseconds(r->measure_seconds), "framework", 0.0, "search_algorithm", 0.0,
                     "validation", exchange_milliseconds(r->check_seconds), "runtimes", runtimes);
}

static void add_measurement(json_t *list, const char *name, double value, const char *unit) {
    if (isfinite(value))
        json_array_append_new(list, json_pack("{s:s, s:f, s:s}", "name", name, "value", value, "unit", unit));
}

static json_t *measurements_of(const record *r) {
    json_t *list = json_array();
    add_measurement(list, "time", 1e3 * r->seconds, "ms");
    add_measurement(list, "time_of_best", 1e3 * r->best_seconds, "ms");
    add_measurement(list, "ratio", r->ratio, "");
    add_measurement(list, "predicted_cycles", r->cycles, "cycles");
    return list;
}

static json_t *result_of(arena *a, const record *r) {
    return json_pack("{s:s, s:o, s:[s], s:o, s:s, s:f, s:o, s:o}", "timestamp", exchange_time(a, r), "configuration",
                     exchange_configuration(a, r), "objectives", "time", "times", times_of(r), "invalidity",
                     record_outcome_words[r->outcome], "correctness", r->outcome == OUTCOME_CORRECTNESS ? 0.0 : 1.0,
                     "measurements", measurements_of(r), "convoke", record_to_json(r));
}

static char *print_results(arena *a, const record_list *list) {
    json_t *results = json_array();
    for (size_t i = 0; i < list->count; i++) json_array_append_new(results, result_of(a, &list->record[i]));
    json_t *document = json_pack("{s:s, s:o}", "schema_version", VERSION, "results", results);
    char *bytes = document ? json_dumps(document, JSON_INDENT(1) | JSON_REAL_PRECISION(RECORD_DIGITS)) : NULL;
    json_decref(document);
    return bytes;
}

/* CPUs and versions, each once. */
static void add_once(json_t *list, const char *words) {
    size_t i;
    json_t *there;
    json_array_foreach(list, i, there) if (strcmp(json_string_value(there), words) == 0) return;
    json_array_append_new(list, json_string(words));
}

static char *print_metadata(arena *a, const record_list *list) {
    json_t *cpus = json_array(), *requirements = json_array(), *described = json_array();
    struct utsname system;
    const bool known = uname(&system) == 0;
    size_t i;
    json_t *cpu;
    for (size_t k = 0; k < list->count; k++) {
        const record *r = &list->record[k];
        add_once(cpus, r->cpu);
        add_once(requirements, arena_format(a, "convoke==%s", r->convoke));
        add_once(requirements, arena_format(a, "llvm==%s", r->llvm));
    }
    json_array_foreach(cpus, i, cpu) json_array_append_new(described, json_pack("{s:O}", "cpu", cpu));
    json_decref(cpus);
    json_t *document =
        json_pack("{s:s, s:{s:{s:o, s:s}, s:{s:{}, s:o}}}", "schema_version", VERSION, "metadata", "hardware",
                  "hardware_description", described, "operating_system", known ? system.sysname : "", "environment",
                  "device_query", "requirements", requirements);
    char *bytes = document ? json_dumps(document, JSON_INDENT(1)) : NULL;
    json_decref(document);
    return bytes;
}

size_t exchange_print_t4(arena *a, const record_list *list, exchange_file *files) {
    files[0] = (exchange_file){"results.json", print_results(a, list)};
    files[1] = (exchange_file){"metadata.json", print_metadata(a, list)};
    return 2;
}

bool exchange_parse_t4(arena *a, const char *bytes, size_t size, record_list *list) {
    json_t *document = json_loadb(bytes, size, 0, NULL), *results = json_object_get(document, "results"), *result;
    bool good = json_is_array(results);
    size_t i;
    json_array_foreach(results, i, result) {
        record r;
        good = good && record_from_json(a, json_object_get(result, "convoke"), &r);
        if (good) record_list_add(a, list, &r);
    }
    json_decref(document);
    return good;
}
