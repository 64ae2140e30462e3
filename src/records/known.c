/* Finding the latest match of a layer, and saying why there is none. */
#include "records/known.h"

#include "layer.h"

#include <string.h>

cvk_status known_open(arena *a, const char *folder, cvk_diagnostics *d, known_plans *to) {
    *to = (known_plans){.folder = arena_string(a, folder, strlen(folder))};
    return database_read_matches(a, folder, d, &to->list);
}

/* Plans for any number of threads were timed on one, and so hold for one. */
static bool threads_fit(const record *r, const record *key) {
    return r->threads == key->threads || (r->threads == 0 && key->threads == 1);
}

/* What a record has to have in common with the key to be found; each is less than the one before. */
typedef bool alike(const record *r, const record *key);
static bool on_any_machine(const record *r, const record *key) {
    return threads_fit(r, key) && strcmp(r->layer, key->layer) == 0 && strcmp(r->target, key->target) == 0;
}
static bool of_any_version(const record *r, const record *key) {
    return on_any_machine(r, key) && strcmp(r->cpu, key->cpu) == 0;
}
static bool for_any_target(const record *r, const record *key) { return strcmp(r->layer, key->layer) == 0; }

static const record *latest_match(const record_list *list, const record *key, alike *same) {
    const record *latest = NULL;
    for (size_t i = 0; i < list->count; i++) {
        const record *r = &list->record[i];
        if (r->kind == RECORD_MATCH && same(r, key) && (!latest || r->time >= latest->time)) latest = r;
    }
    return latest;
}

static const char *why_none(const known_plans *known, arena *a, const record *key) {
    const record *r;
    if ((r = latest_match(&known->list, key, of_any_version)))
        return arena_format(a, "the model's: %s has this layer of convoke %s with LLVM %s", known->folder, r->convoke,
                            r->llvm);
    if ((r = latest_match(&known->list, key, on_any_machine)))
        return arena_format(a, "the model's: %s has this layer of another CPU: %s", known->folder, r->cpu);
    if ((r = latest_match(&known->list, key, for_any_target)))
        return arena_format(a, "the model's: %s has this layer for the target %s and %lld threads", known->folder,
                            r->target, (long long)r->threads);
    return arena_format(a, "the model's: %s has no match of this layer", known->folder);
}

static const cvk_spec *with_plan(arena *a, const cvk_spec *spec, const layer_plan *plan) {
    cvk_spec *copy = arena_copy(a, spec, sizeof *copy);
    copy->schedule = plan;
    copy->schedule_at = spec->at;
    return copy;
}

static const cvk_spec *crown(const known_plans *known, arena *a, const cvk_spec *spec, goal aim, const record *match,
                             known_origin *origin) {
    layer_plan *plan = arena_new(a, layer_plan);
    int problem_index;
    if (!record_plan(a, match->plan, plan) || layer_refuse(spec, aim.target, plan, &problem_index)) {
        *origin = (known_origin){
            arena_format(a, "the model's: that of %s does not fit the layer any more", known->folder), true};
        return spec;
    }
    origin->words = arena_format(a, "that of %s, which took %.3f of the time of the model's in %lld turns",
                                 known->folder, match->ratio, (long long)match->turns);
    return with_plan(a, spec, plan);
}

/* For one thread, a match for one comes before those for any number. */
static const record *find_match(const known_plans *known, const record *key) {
    record any = *key;
    const record *match = latest_match(&known->list, key, record_same_key);
    any.threads = 0;
    return match || key->threads != 1 ? match : latest_match(&known->list, &any, record_same_key);
}

const cvk_spec *known_layer(const known_plans *known, arena *a, const cvk_spec *spec, goal aim, known_origin *origin) {
    const record key = record_of(a, spec, aim), *match = find_match(known, &key);
    *origin = (known_origin){"its own schedule", false};
    if (spec->schedule) return spec;
    if (match && match->crowned) return crown(known, a, spec, aim, match, origin);
    origin->missing = !match;
    origin->words =
        match ? arena_format(a, "the model's, which stayed in a match of %s", known->folder) : why_none(known, a, &key);
    return spec;
}
