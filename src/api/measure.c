/* Measuring: the candidates are compiled and loaded, then run in turns by the lab's clock on data of no meaning; the
 * one of the least median then meets the model's pick in a match, as a tuner's winner does, but in this one process,
 * and takes its place if it wins most turns. Candidates are the plans ranked highest, and the best of each other way to
 * convolve: the model errs more between ways than between the tiles of one. */
#include "api/measure.h"

#include "jit/kernel.h"
#include "lab/turns.h"

#include <pthread.h>
#include <stdlib.h>

enum { RANKED = 64, ALWAYS = 4, CANDIDATES = 8 };

/* A plan's object, loaded, and what it runs on. */
typedef struct candidate {
    cvk_object object;
    cvk_kernel *kernel; /* NULL: it is out of the race */
    double handicap;    /* by the model: what its time on one core is to be multiplied by */
    cvk_args args;
} candidate;

/* One buffer a role, large enough for every candidate: they run in turns. */
typedef struct buffers {
    cvk_buffer_info needs[CVK_ROLES];
    void *memory[CVK_ROLES];
} buffers;

/* A buffer of ordinary numbers, so that no run meets denormals. NULL where the kernel has none, and for want of memory.
 */
static void *make_buffer(uint64_t bytes, uint32_t alignment) {
    void *memory = NULL;
    size_t least = alignment < sizeof memory ? sizeof memory : alignment;
    if (!bytes || posix_memalign(&memory, least, (size_t)bytes) != 0) return NULL;
    float *numbers = memory;
    for (uint64_t i = 0; i < bytes / sizeof *numbers; i++) numbers[i] = 0.125f * (float)(i % 15) - 0.875f;
    return memory;
}

static void widen(buffers *b, const cvk_kernel_info *info) {
    for (int i = 0; i < CVK_ROLES; i++) {
        const cvk_buffer_info needs = cvk_buffer_needs(info, (cvk_role)i, 1, 1);
        if (needs.bytes > b->needs[i].bytes) b->needs[i].bytes = needs.bytes;
        if (needs.alignment > b->needs[i].alignment) b->needs[i].alignment = needs.alignment;
    }
}

/* False: out of memory. */
static bool allocate(buffers *b) {
    bool complete = true;
    for (int i = 0; i < CVK_ROLES; i++) {
        b->memory[i] = make_buffer(b->needs[i].bytes, b->needs[i].alignment);
        if (!b->memory[i] && b->needs[i].bytes) complete = false;
    }
    return complete;
}

/* Past cvk_run, whose observer is not told of these runs. */
static void run_candidate(const void *context) {
    const candidate *c = context;
    const cvk_kernel_info *info = cvk_kernel_get_info(c->kernel);
    for (uint32_t p = 0; p < info->phases; p++) info->run(&c->args, p, 0, info->tasks[p]);
}

/* Whether the challenger is faster than the first; the model's word for what threads make of it. */
static bool wins(const measured *challenger, const measured *first, double handicap) {
    turns t;
    turns_take(challenger, first, &turns_of_match, &t);
    return turns_judge(&t, handicap).chance < turns_match_level;
}

/* The index of the fastest of those that are loaded. One race at a time in this process, lest they measure each other.
 */
static int race(candidate *all, int count, const buffers *b) {
    static pthread_mutex_t quiet = PTHREAD_MUTEX_INITIALIZER;
    measured things[CANDIDATES];
    int of[CANDIDATES], racing = 0, best = 0;
    for (int i = 0; i < count; i++) {
        if (!all[i].kernel) continue;
        all[i].args = (cvk_args){
#define CVK_BUFFER(NAME, member, needs, access, share) .member = b->memory[CVK_ROLE_##NAME],
#include <convoke/buffers.def>
#undef CVK_BUFFER
        };
        of[racing] = i;
        things[racing++] = (measured){.run = run_candidate, .context = &all[i]};
    }
    pthread_mutex_lock(&quiet);
    measure(things, (size_t)racing, NULL, NULL);
    for (int i = 0; i < racing; i++) things[i].seconds *= all[of[i]].handicap;
    for (int i = 1; i < racing; i++)
        if (things[i].seconds < things[best].seconds) best = i;
    if (best && of[0] == 0 && !wins(&things[best], &things[0], all[of[best]].handicap / all[0].handicap)) best = 0;
    pthread_mutex_unlock(&quiet);
    return racing ? of[best] : 0;
}

/* The first where there is no memory to run them. */
static int fastest(candidate *all, int count) {
    buffers b = {0};
    for (int i = 0; i < count; i++)
        if (all[i].kernel) widen(&b, cvk_kernel_get_info(all[i].kernel));
    int best = allocate(&b) ? race(all, count, &b) : 0;
    for (int i = 0; i < CVK_ROLES; i++) free(b.memory[i]);
    return best;
}

/* Whether two plans convolve each problem in the same way. */
static bool same_ways(const layer_plan *a, const layer_plan *b) {
    for (int i = 0; i < a->count; i++)
        if (algo_of(layer_plan_part(a, i)) != algo_of(layer_plan_part(b, i))) return false;
    return true;
}

/* Whether none of the first `count` plans convolves in the way of this one. */
static bool is_new_way(const ranked_layer *ranked, int count, const layer_plan *plan) {
    for (int i = 0; i < count; i++)
        if (same_ways(&ranked[i].plan, plan)) return false;
    return true;
}

/* Moves the candidates to the front, in their order; gives their number. */
static int gather_candidates(ranked_layer *ranked, int count) {
    int candidates = 0;
    for (int i = 0; i < count && candidates < CANDIDATES; i++)
        if (i < ALWAYS || is_new_way(ranked, candidates, &ranked[i].plan)) ranked[candidates++] = ranked[i];
    return candidates;
}

/* The first has to compile; of the others, those that do. */
static cvk_status compile_candidates(const cvk_spec *spec, goal aim, const ranked_layer *ranked, int count,
                                     cvk_diagnostics *d, candidate *all) {
    for (int i = 0; i < count; i++) {
        candidate *c = &all[i];
        c->handicap = ranked[i].cycles > 0 ? ranked[i].judged / ranked[i].cycles : 1;
        cvk_status status = compile_layer(spec, aim, &ranked[i].plan, i ? NULL : d, &c->object, NULL);
        if (status != CVK_OK && i == 0) return status;
        if (status == CVK_OK && count > 1) kernel_load(c->object.bytes, c->object.size, spec->name, NULL, &c->kernel);
    }
    return CVK_OK;
}

/* The fastest that could be timed, else the first. */
static cvk_status pick(const cvk_spec *spec, goal aim, const ranked_layer *ranked, int count, cvk_diagnostics *d,
                       cvk_object *object) {
    candidate all[CANDIDATES] = {0};
    cvk_status status = compile_candidates(spec, aim, ranked, count, d, all);
    int best = status == CVK_OK && count > 1 ? fastest(all, count) : 0;
    if (status == CVK_OK) *object = all[best].object;
    for (int i = 0; i < count; i++) {
        cvk_kernel_free(all[i].kernel);
        if (status != CVK_OK || i != best) object_free(&all[i].object);
    }
    return status;
}

/* The arena is the caller's. */
static cvk_status rank(arena *a, const cvk_spec *spec, goal aim, cvk_diagnostics *d, ranked_layer **ranked,
                       int *count) {
    if (arena_guard(a)) return CVK_ERROR_MEMORY;
    cvk_status status = compile_rank(a, spec, aim, RANKED, d, ranked, count);
    if (!status) *count = gather_candidates(*ranked, *count);
    return status;
}

cvk_status measure_object(const cvk_spec *spec, goal aim, cvk_diagnostics *d, cvk_object *object) {
    *object = (cvk_object){0};
    arena a;
    arena_init(&a);
    ranked_layer *ranked;
    int count;
    cvk_status status = rank(&a, spec, aim, d, &ranked, &count);
    if (!status) status = pick(spec, aim, ranked, count, d, object);
    arena_free(&a);
    return status;
}
