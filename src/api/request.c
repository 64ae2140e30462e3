/* Requests: the caches in their order, and behind them the compiler. The key is made from the spec alone, so a hit
 * costs neither planning nor LLVM. */
#include "api/request.h"
#include "base/clock.h"

#include "api/measure.h"
#include "api/verbose.h"
#include "compile.h"
#include "cache/key.h"
#include "cache/maker.h"
#include "cache/memory.h"
#include "lab/calibration.h"

#include <stdlib.h>
#include <string.h>

typedef struct request {
    const cvk_spec *spec;
    const settings *settings;
    goal goal; /* the settings', its target calibrated */
    const char *key;
    const char *source; /* where the kernel came from */
    disk_trouble told;  /* of the disk, the last */
} request;

static void tell(request *r, const disk_trouble *trouble) {
    if (!*trouble->words || strcmp(trouble->words, r->told.words) == 0) return;
    r->told = *trouble;
    verbose_cache(r->spec->name, r->goal.target->name, trouble->words);
}

static cvk_status compile(const request *r, cvk_diagnostics *d, cvk_object *object) {
    if (r->settings->effort == CVK_EFFORT_MEASURE) return measure_object(r->spec, r->goal, d, object);
    return compile_layer(r->spec, r->goal, NULL, d, object, NULL);
}

/* Want of memory is a store that does not happen. */
static void store(const request *r, const cvk_object *object, disk_trouble *trouble) {
    size_t size;
    unsigned char *bytes = maker_sign(compile_maker(), object->bytes, object->size, &size);
    if (bytes) disk_cache_store(&r->settings->disk, r->key, bytes, size, trouble);
    free(bytes);
}

static cvk_status compile_and_store(request *r, cvk_diagnostics *d, cvk_kernel **kernel) {
    cvk_object object = {0};
    cvk_status status = compile(r, d, &object);
    if (!status) status = kernel_load(object.bytes, object.size, r->spec->name, d, kernel);
    disk_trouble trouble = {""};
    if (!status) store(r, &object, &trouble);
    tell(r, &trouble);
    object_free(&object);
    r->source = "compiled";
    return status;
}

/* `*kernel` is NULL where there is no such entry, or one that turns out not to be loadable. */
static cvk_status load_stored(request *r, cvk_kernel **kernel) {
    disk_entry entry;
    disk_trouble trouble;
    const unsigned char *object;
    size_t size;
    cvk_status status = disk_cache_load(&r->settings->disk, r->key, &entry, &trouble);
    tell(r, &trouble);
    if (status || !entry.object) return status;
    if (maker_is_there(entry.object, entry.object_size, &object, &size))
        status = kernel_load(object, size, r->spec->name, NULL, kernel);
    free(entry.bytes);
    r->source = "disk";
    return status == CVK_ERROR_MEMORY ? status : CVK_OK;
}

/* A memory_maker. */
static cvk_status make(void *context, cvk_diagnostics *d, cvk_kernel **kernel) {
    request *r = context;
    tell(r, &r->settings->disk_trouble);
    cvk_status status = load_stored(r, kernel);
    return status || *kernel ? status : compile_and_store(r, d, kernel);
}

/* The plan that a database knows becomes the layer's schedule, and so part of the key. */
static void take_known(arena *a, request *r, cvk_diagnostics *d) {
    known_origin origin;
    if (!r->settings->tuned) return;
    r->spec = known_layer(r->settings->tuned, a, r->spec, r->goal, &origin);
    if (origin.missing) diag_note(d, E_TUNED, r->spec->at, "%s: the plan is %s", r->spec->name, origin.words);
}

/* The arena is the caller's; nothing else is owned when it runs dry. */
static const char *make_key(arena *a, request *r, cvk_diagnostics *d) {
    if (arena_guard(a)) return NULL;
    take_known(a, r, d);
    return cache_key(a, r->spec, r->goal, settings_effort(r->settings));
}

cvk_status request_kernel(const cvk_spec *spec, const settings *s, cvk_diagnostics *d, cvk_kernel **kernel) {
    *kernel = NULL;
    double start = clock_seconds();
    arena a;
    arena_init(&a);
    request r = {.spec = spec, .settings = s, .source = "memory"};
    r.goal = s->goal;
    r.goal.target = calibration_of(s->goal.target, s->disk.directory);
    r.key = make_key(&a, &r, d);
    cvk_status status = CVK_ERROR_MEMORY;
    if (r.key) status = s->in_memory ? memory_cache_get(r.key, make, &r, d, kernel) : make(&r, d, kernel);
    if (!status) verbose_compile((*kernel)->info, r.source, clock_seconds() - start);
    arena_free(&a);
    return status;
}
