/* Kernel Tuner's cache: a file a key, an entry a plan, under the values of its fields. What an entry cannot say is in
 * `convoke`: all records of the plan. */
#include "exchange/exchange.h"
#include "cache/entry.h"
#include "records/json.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

size_t exchange_print_kernel_tuner(arena *a, const record_list *list, exchange_file *files);
bool exchange_parse_kernel_tuner(arena *a, const char *bytes, size_t size, record_list *list);

static const char VERSION[] = "1.1.0";

/* Its words for what has no time. */
static json_t *time_of(const record *r) {
    static const char *const errors[OUTCOMES] = {[OUTCOME_TIMEOUT] = "RuntimeFailedConfig",
                                                 [OUTCOME_COMPILE] = "CompilationFailedConfig",
                                                 [OUTCOME_RUNTIME] = "RuntimeFailedConfig",
                                                 [OUTCOME_CORRECTNESS] = "RuntimeFailedConfig",
                                                 [OUTCOME_CONSTRAINTS] = "InvalidConfig"};
    if (errors[r->outcome]) return json_string(errors[r->outcome]);
    return isfinite(r->seconds) ? json_real(1e3 * r->seconds) : json_string("InvalidConfig");
}

/* "direct,out_channels,32,…" */
static const char *name_of(arena *a, json_t *configuration) {
    text words = text_new(a);
    const char *key;
    json_t *value;
    json_object_foreach(configuration, key, value) {
        text_add(&words, *words.bytes ? "," : "");
        if (json_is_string(value))
            text_add(&words, "%s", json_string_value(value));
        else
            text_add(&words, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    }
    return words.bytes;
}

static json_t *entry_of(arena *a, const record *r, json_t *configuration) {
    json_t *times = json_array();
    if (isfinite(r->seconds)) json_array_append_new(times, json_real(1e3 * r->seconds));
    json_t *entry =
        json_pack("{s:o, s:o, s:f, s:f, s:f, s:f, s:f, s:s, s:[]}", "time", time_of(r), "times", times, "compile_time",
                  exchange_milliseconds(r->compile_seconds), "verification_time",
                  exchange_milliseconds(r->check_seconds), "benchmark_time", exchange_milliseconds(r->measure_seconds),
                  "strategy_time", 0.0, "framework_time", 0.0, "timestamp", exchange_time(a, r), "convoke");
    json_object_update(entry, configuration);
    return entry;
}

/* The values that occur of each field. */
static void add_values(json_t *params, json_t *configuration) {
    const char *key;
    json_t *value, *there;
    json_object_foreach(configuration, key, value) {
        json_t *values = json_object_get(params, key);
        size_t i;
        bool known = false;
        if (!values) json_object_set_new(params, key, values = json_array());
        json_array_foreach(values, i, there) known |= json_equal(there, value) != 0;
        if (!known) json_array_append(values, value);
    }
}

static void add_record(arena *a, json_t *cache, json_t *params, const record *r) {
    json_t *configuration = exchange_configuration(a, r);
    const char *name = name_of(a, configuration);
    json_t *entry = json_object_get(cache, name);
    if (!entry) json_object_set_new(cache, name, entry = entry_of(a, r, configuration));
    json_array_append_new(json_object_get(entry, "convoke"), record_to_json(r));
    add_values(params, configuration);
    json_decref(configuration);
}

static json_t *keys_of(json_t *params) {
    json_t *keys = json_array(), *value;
    const char *key;
    json_object_foreach(params, key, value) json_array_append_new(keys, json_string(key));
    return keys;
}

/* Trials before matches, so that an entry's time is a trial's. */
static char *print_key(arena *a, const record_list *list, const record *key) {
    json_t *cache = json_object(), *params = json_object();
    for (int kind = 0; kind < RECORD_KINDS; kind++)
        for (size_t i = 0; i < list->count; i++)
            if ((int)list->record[i].kind == kind && record_same_key(&list->record[i], key))
                add_record(a, cache, params, &list->record[i]);
    json_t *document = json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:s, s:o}", "schema_version", VERSION, "device_name",
                                 key->cpu, "kernel_name", key->name, "problem_size", key->layer, "tune_params_keys",
                                 keys_of(params), "tune_params", params, "objective", "time", "cache", cache);
    char *bytes = document ? json_dumps(document, JSON_INDENT(1) | JSON_REAL_PRECISION(RECORD_DIGITS)) : NULL;
    json_decref(document);
    return bytes;
}

static bool is_first_of_its_key(const record_list *list, size_t at) {
    for (size_t i = 0; i < at; i++)
        if (record_same_key(&list->record[i], &list->record[at])) return false;
    return true;
}

static const char *file_of(arena *a, const record *key) {
    const char *words = arena_format(a, "%s\n%s\n%lld\n%s\n%s\n%s", key->layer, key->target, (long long)key->threads,
                                     key->cpu, key->llvm, key->convoke);
    return arena_format(a, "%s-%016" PRIx64 ".json", *key->name ? key->name : "layer", entry_hash(words));
}

size_t exchange_print_kernel_tuner(arena *a, const record_list *list, exchange_file *files) {
    size_t count = 0;
    for (size_t i = 0; i < list->count && count < EXCHANGE_MOST_FILES; i++)
        if (is_first_of_its_key(list, i)) {
            const record *key = &list->record[i];
            files[count++] = (exchange_file){file_of(a, key), print_key(a, list, key)};
        }
    return count;
}

bool exchange_parse_kernel_tuner(arena *a, const char *bytes, size_t size, record_list *list) {
    json_t *document = json_loadb(bytes, size, 0, NULL), *cache = json_object_get(document, "cache"), *entry, *one;
    bool good = json_is_object(cache);
    const char *key;
    size_t i;
    json_object_foreach(cache, key, entry) {
        json_t *records = json_object_get(entry, "convoke");
        good = good && json_is_array(records);
        json_array_foreach(records, i, one) {
            record r;
            good = good && record_from_json(a, one, &r);
            if (good) record_list_add(a, list, &r);
        }
    }
    json_decref(document);
    return good;
}
