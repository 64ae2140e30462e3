/* Measuring: each candidate is compiled, loaded, and run a few times on data of no meaning; its time is the shortest of
 * them, which other programs disturb least. Candidates are the plans ranked highest, and the best of each other way to
 * convolve: the model errs more between ways than between the tiles of one. */
#include "api/measure.h"
#include "base/clock.h"

#include "jit/kernel.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>

enum { RANKED = 64, ALWAYS = 4, CANDIDATES = 8, LEAST_RUNS = 4, MOST_RUNS = 200 };
static const double SECONDS_ENOUGH = 0.01; /* a candidate */

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

/* Past cvk_run, whose observer is not told of these runs. */
static void run_once(const cvk_kernel_info *info, const cvk_args *args) {
    for (uint32_t p = 0; p < info->phases; p++) info->run(args, p, 0, info->tasks[p]);
}

static double shortest_run(const cvk_kernel_info *info, void *const memory[CVK_ROLES]) {
    const cvk_args args = {
#define CVK_BUFFER(NAME, member, needs, access, share) .member = memory[CVK_ROLE_##NAME],
#include <convoke/buffers.def>
#undef CVK_BUFFER
    };
    double best = INFINITY, begin = clock_seconds();
    for (int i = 0; i < LEAST_RUNS || (i < MOST_RUNS && clock_seconds() - begin < SECONDS_ENOUGH); i++) {
        double start = clock_seconds();
        run_once(info, &args);
        double seconds = clock_seconds() - start;
        if (i > 0 && seconds < best) best = seconds; /* the first warms up */
    }
    return best;
}

/* Infinity where there is no memory to run it. */
static double time_kernel(const cvk_kernel_info *info) {
    void *memory[CVK_ROLES];
    bool complete = true;
    for (int i = 0; i < CVK_ROLES; i++) {
        const cvk_buffer_info needs = cvk_buffer_needs(info, (cvk_role)i, 1, 1);
        memory[i] = make_buffer(needs.bytes, needs.alignment);
        if (!memory[i] && needs.bytes) complete = false;
    }
    double seconds = complete ? shortest_run(info, memory) : INFINITY;
    for (int i = 0; i < CVK_ROLES; i++) free(memory[i]);
    return seconds;
}

/* One at a time in this process, lest they measure each other. */
static double time_object(const cvk_object *object, const char *symbol) {
    cvk_kernel *kernel;
    if (kernel_load(object->bytes, object->size, symbol, NULL, &kernel) != CVK_OK) return INFINITY;
    static pthread_mutex_t quiet = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&quiet);
    double seconds = time_kernel(cvk_kernel_get_info(kernel));
    pthread_mutex_unlock(&quiet);
    cvk_kernel_free(kernel);
    return seconds;
}

/* Whether none of the first `count` plans convolves in the way of this one. */
static bool is_new_way(const ranked_plan *ranked, int count, const cvk_plan *plan) {
    for (int i = 0; i < count; i++)
        if (algo_of(&ranked[i].plan) == algo_of(plan)) return false;
    return true;
}

/* Moves the candidates to the front, in their order; gives their number. */
static int gather_candidates(ranked_plan *ranked, int count) {
    int candidates = 0;
    for (int i = 0; i < count && candidates < CANDIDATES; i++)
        if (i < ALWAYS || is_new_way(ranked, candidates, &ranked[i].plan)) ranked[candidates++] = ranked[i];
    return candidates;
}

/* The fastest that could be timed, else the first. */
static cvk_status pick(const cvk_spec *spec, const cvk_target *target, const ranked_plan *ranked, int count,
                       cvk_diagnostics *d, cvk_object *object) {
    cvk_status status = compile_layer(spec, target, &ranked[0].plan, d, object, NULL);
    if (status || count == 1) return status;
    double best = time_object(object, spec->name);
    for (int i = 1; i < count; i++) {
        cvk_object other;
        if (compile_layer(spec, target, &ranked[i].plan, NULL, &other, NULL) != CVK_OK) continue;
        double seconds = time_object(&other, spec->name);
        cvk_object slower = seconds < best ? *object : other;
        if (seconds < best) *object = other;
        if (seconds < best) best = seconds;
        object_free(&slower);
    }
    return CVK_OK;
}

/* The arena is the caller's. */
static cvk_status rank(arena *a, const cvk_spec *spec, const cvk_target *target, cvk_diagnostics *d,
                       ranked_plan **ranked, int *count) {
    if (arena_guard(a)) return CVK_ERROR_MEMORY;
    cvk_status status = compile_rank(a, spec, target, RANKED, d, ranked, count);
    if (!status) *count = gather_candidates(*ranked, *count);
    return status;
}

cvk_status measure_object(const cvk_spec *spec, const cvk_target *target, cvk_diagnostics *d, cvk_object *object) {
    *object = (cvk_object){0};
    arena a;
    arena_init(&a);
    ranked_plan *ranked;
    int count;
    cvk_status status = rank(&a, spec, target, d, &ranked, &count);
    if (!status) status = pick(spec, target, ranked, count, d, object);
    arena_free(&a);
    return status;
}
