/* Finding the latest match of a layer, and saying why there is none. */
#include "records/known.h"

#include "algo/algo.h"

#include <string.h>

cvk_status known_open(arena *a, const char *folder, cvk_diagnostics *d, known_plans *to) {
    *to = (known_plans){.folder = arena_string(a, folder, strlen(folder))};
    return database_read(a, folder, d, &to->list);
}

/* What a record has to have in common with the key to be found; each is less than the one before. */
typedef bool alike(const record *a, const record *b);
static bool on_any_machine(const record *a, const record *b) {
    return a->threads == b->threads && strcmp(a->layer, b->layer) == 0 && strcmp(a->target, b->target) == 0;
}
static bool of_any_version(const record *a, const record *b) {
    return on_any_machine(a, b) && strcmp(a->cpu, b->cpu) == 0;
}
static bool for_any_target(const record *a, const record *b) { return strcmp(a->layer, b->layer) == 0; }

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

static const cvk_spec *with_plan(arena *a, const cvk_spec *spec, const cvk_plan *plan) {
    cvk_spec *copy = arena_copy(a, spec, sizeof *copy);
    copy->schedule = plan;
    copy->schedule_at = spec->at;
    return copy;
}

static const cvk_spec *crown(const known_plans *known, arena *a, const cvk_spec *spec, goal aim, const record *match,
                             const char **why) {
    cvk_plan *plan = arena_new(a, cvk_plan);
    const problem p = problem_of(spec);
    if (!record_plan(a, match->plan, plan) || algo_refuse(&p, aim.target, plan)) {
        *why = arena_format(a, "the model's: that of %s does not fit the layer any more", known->folder);
        return spec;
    }
    *why = arena_format(a, "that of %s, which took %.3f of the time of the model's in %lld turns", known->folder,
                        match->ratio, (long long)match->turns);
    return with_plan(a, spec, plan);
}

const cvk_spec *known_layer(const known_plans *known, arena *a, const cvk_spec *spec, goal aim, const char **why) {
    const record key = record_of(a, spec, aim), *match = latest_match(&known->list, &key, record_same_key);
    *why = "its own schedule";
    if (spec->schedule) return spec;
    if (match && match->crowned) return crown(known, a, spec, aim, match, why);
    *why =
        match ? arena_format(a, "the model's, which stayed in a match of %s", known->folder) : why_none(known, a, &key);
    return spec;
}
