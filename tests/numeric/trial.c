/* Nests are proven to store everything once, and judged exactly. Kernels are run three ways: all tasks at once with
 * every buffer flush against the page after it; one task at a time, last first, with scratch of three workers in turn
 * and every buffer flush against the page before it; and by the evaluator. All must give the same bits, and the first
 * the right values. */
#include "trial.h"
#include "threads.h"

#include "bake.h"
#include "emit/emit.h"
#include "jit/kernel.h"
#include "judge/tensors.h"
#include "nest/stored.h"
#include "judge/bound.h"
#include "judge/nest_eval.h"
#include "judge/rounding.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_DRAWS = 4, WORKERS = 3 };

/* ---- data ---- */

static int64_t outputs(const cvk_spec *s) { return naive_channels(s) * naive_channel_size(s); }

static int64_t outputs_of_layer(const cvk_spec *s) {
    return s->batch * s->out_channels * s->out_size[0] * s->out_size[1] * s->out_size[2];
}

/* Where weights are known, a tap whose weight is 0 may be absent, or multiplied. */
static bool has_absent_taps(const cvk_spec *s) {
    for (int64_t i = 0; s->known && i < spec_weights_elements(s); i++)
        if (type_read(s->weights_type, (const char *)s->known + i * type_bytes(s->weights_type)) == s->weights_zero)
            return true;
    return false;
}

/* A few of the weights and of the inputs. */
static void add_infinities(const cvk_spec *s, layer_data *data, uint64_t seed) {
    static const double odd[] = {INFINITY, -INFINITY, INFINITY, NAN};
    const bool forward = s->direction == DIRECTION_FORWARD;
    const cvk_type x = s->input_type, w = forward ? s->weights_type : s->output_type;
    const int64_t inputs = s->batch * s->in_channels * s->in_size[0] * s->in_size[1] * s->in_size[2];
    const int64_t filters = forward ? spec_weights_elements(s) : outputs_of_layer(s);
    char *input = data->memory, *weights = input + ((const char *)data->tensors.weights - input);
    if (has_absent_taps(s)) return;
    for (uint64_t i = 0; i < 3; i++, seed = seed * 6364136223846793005u + 1442695040888963407u) {
        if (filters && !s->known)
            type_write(w, weights + (int64_t)((seed >> 33) % (uint64_t)filters) * type_bytes(w), odd[i]);
        if (inputs && (seed >> 63 || !filters || s->known))
            type_write(x, input + (int64_t)((seed >> 32) % (uint64_t)inputs) * type_bytes(x), odd[i + 1]);
    }
}

static void *allocate(int64_t count, size_t bytes) { return calloc((size_t)count + 1, bytes); }

static const cvk_plan sums_directly = {.algorithm = "direct"};
static const layer_plan direct = {.count = 1, .part = &sums_directly};

/* What the interpreter says of the data, with the bounds of what a plan computes. */
static bool expect(trial *t, const layer_plan *plan) {
    double *rounding;
    if (!rounding_of_plan(t->spec, plan, &t->data.tensors, NULL, &rounding)) return false;
    naive_tensors bounded = t->data.tensors;
    bounded.rounding = rounding;
    const bool good = naive_run(t->spec, &bounded, t->expected, t->bound);
    if (good && t->spec->indices) naive_places(t->spec, &bounded, 0, naive_channels(t->spec), t->places);
    free(rounding);
    t->plan = *plan;
    return good;
}

static bool expect_for(trial *t, const layer_plan *plan) {
    return rounding_is_shared(&t->plan, plan) || expect(t, plan);
}

static double share_of_zeros(const trial *t) {
    int64_t count = outputs(t->spec), zeros = 0;
    for (int64_t i = 0; i < count; i++) zeros += t->expected[i] == 0;
    return count ? (double)zeros / (double)count : 0;
}

bool trial_open(trial *t, const cvk_spec *s, data_kind kind, bool infinities, uint64_t seed) {
    *t = (trial){.spec = s, .zeros = 1};
    t->expected = allocate(outputs(s), sizeof *t->expected);
    t->bound = allocate(outputs(s), sizeof *t->bound);
    t->output = allocate(spec_result_elements(s), (size_t)type_bytes(spec_result_type(s)));
    t->places = allocate(outputs(s), sizeof *t->places);
    t->indices = allocate(spec_result_elements(s), sizeof *t->indices);
    t->identity = identity_new(s, NULL, seed, NULL);
    if (!t->places || !t->indices || !t->expected || !t->bound || !t->output || !t->identity) return false;
    for (int i = 0; i < MOST_DRAWS && t->zeros > TRIAL_MOST_ZEROS; i++) {
        data_free(&t->data);
        if (!data_draw(s, kind, seed + (uint64_t)i, &t->data)) return false;
        if (infinities) add_infinities(s, &t->data, seed);
        if (!expect(t, &direct)) return false;
        t->zeros = share_of_zeros(t);
    }
    return true;
}

bool trial_change(trial *t, void (*change)(const cvk_spec *s, layer_data *data)) {
    change(t->spec, &t->data);
    return expect(t, &direct);
}

void trial_close(trial *t) {
    identity_free(t->identity);
    data_free(&t->data);
    free(t->expected);
    free(t->bound);
    free(t->output);
    free(t->places);
    free(t->indices);
}

/* ---- judging ---- */

__attribute__((format(printf, 2, 3))) static bool wrong(trial *t, const char *format, ...) {
    va_list list;
    va_start(list, format);
    vsnprintf(t->words, sizeof t->words, format, list);
    va_end(list);
    return false;
}

static void say_wrong(trial *t, int64_t channel, int64_t position, const char *got) {
    const int64_t at = channel * naive_channel_size(t->spec) + position, channels = t->spec->out_channels;
    const cvk_type type = spec_result_type(t->spec);
    wrong(t, "wrong value: n %ld, channel %ld, position %ld: %.17g, not %.20Lg +- %.3g", (long)(channel / channels),
          (long)(channel % channels), (long)position, type_read(type, got + position * type_bytes(type)),
          t->expected[at], t->bound[at]);
}

/* Whether all indices of a channel are right. The first that is not is put into words. `got` has room for them. */
static bool judge_places(trial *t, const tensors *buffers, int64_t channel, int32_t *got) {
    const int64_t size = naive_channel_size(t->spec);
    const int32_t *expected = t->places + channel * size;
    tensors_read_places(buffers, channel, got);
    for (int64_t at = 0; at < size; at++)
        if (got[at] != expected[at])
            return wrong(t, "wrong index: channel %ld of all images, position %ld: %d, not %d", (long)channel, (long)at,
                         (int)got[at], (int)expected[at]);
    return true;
}

/* Error / bound of the worst output; an index that is wrong is infinitely so. The first that is wrong is put into
 * words. */
static double worst_ratio(trial *t, const tensors *buffers) {
    const int64_t size = naive_channel_size(t->spec);
    const cvk_type type = spec_result_type(t->spec);
    verdict worst = {0, 0};
    char *got = malloc((size_t)size * sizeof(double) + 1); /* of any type; indices, too */
    for (int64_t i = 0; got && i < naive_channels(t->spec); i++) {
        const bool right = worst.ratio <= 1;
        tensors_read(buffers, i, got);
        int64_t at = bound_judge(type, size, t->expected + i * size, t->bound + i * size, got, &worst);
        if (at >= 0 && right) say_wrong(t, i, at, got);
        if (t->spec->indices && !judge_places(t, buffers, i, (int32_t *)(void *)got)) worst.ratio = INFINITY;
    }
    free(got);
    return got ? worst.ratio : INFINITY;
}

static bool judge(trial *t, const tensors *buffers) {
    if (worst_ratio(t, buffers) > 1) return false;
    const char *damage = tensors_damage(buffers);
    return damage ? wrong(t, "%s", damage) : true;
}

/* Bit by bit, but for what a NaN carries. */
static bool same(cvk_type type, const char *a, const char *b, size_t bytes) {
    if (memcmp(a, b, bytes) == 0) return true;
    const size_t step = (size_t)type_bytes(type);
    for (size_t i = 0; i < bytes; i += step)
        if (memcmp(a + i, b + i, step) != 0 && !(isnan(type_read(type, a + i)) && isnan(type_read(type, b + i))))
            return false;
    return true;
}

static bool same_output(trial *t, const tensors *buffers, const char *way) {
    const guarded *output = &buffers->buffer[CVK_ROLE_OUTPUT];
    const guarded *indices = &buffers->buffer[CVK_ROLE_INDICES];
    /* Of any batch there may be more behind the last image, where that is part of a wider one. */
    const size_t bytes = (size_t)(spec_result_elements(t->spec) * type_bytes(spec_result_type(t->spec)));
    if (!same(spec_result_type(t->spec), output->data, t->output, bytes)) return wrong(t, "other bits %s", way);
    if (indices->bytes && memcmp(indices->data, t->indices, indices->bytes) != 0)
        return wrong(t, "other indices %s", way);
    const char *damage = tensors_damage(buffers);
    return damage ? wrong(t, "%s %s", damage, way) : true;
}

/* ---- running ---- */

typedef bool run_way(trial *t, const cvk_kernel_info *info, tensors *buffers);

/* Binds the buffers that a way of running needs, runs, and frees them. */
static bool with_buffers(trial *t, const cvk_kernel_info *info, guard_side side, uint32_t workers, run_way *run) {
    tensors buffers;
    cvk_status status = tensors_bind(t->spec, info, &t->data.tensors, side, workers, &buffers);
    bool right = status == CVK_OK ? run(t, info, &buffers) : wrong(t, "packing: %s", cvk_status_text(status));
    tensors_free(&buffers);
    return right;
}

static bool run_at_once(trial *t, const cvk_kernel_info *info, tensors *buffers) {
    cvk_status status = cvk_run(info, &buffers->buffers, NULL);
    if (status != CVK_OK) return wrong(t, "cvk_run: %s", cvk_status_text(status));
    memcpy(t->output, buffers->buffer[CVK_ROLE_OUTPUT].data, buffers->buffer[CVK_ROLE_OUTPUT].bytes);
    const guarded *indices = &buffers->buffer[CVK_ROLE_INDICES];
    if (indices->bytes) memcpy(t->indices, indices->data, indices->bytes);
    return judge(t, buffers);
}

static bool run_backwards(trial *t, const cvk_kernel_info *info, tensors *buffers) {
    const cvk_buffers *b = &buffers->buffers;
    cvk_args args = {
        .batch = b->batch,
#define CVK_BUFFER(NAME, member, needs, access, share) .member = b->member.data,
#include <convoke/buffers.def>
#undef CVK_BUFFER
    };
    uint64_t slice = b->scratch.bytes / WORKERS;
    uint32_t images = info->batch_any ? (uint32_t)b->batch : 1;
    for (uint32_t phase = 0; phase < info->phases; phase++)
        for (uint32_t task = (uint32_t)cvk_phase_tasks(info, phase, images); task-- > 0;) {
            args.scratch = (char *)b->scratch.data + slice * (task % WORKERS);
            info->run(&args, phase, task, task + 1);
        }
    return same_output(t, buffers, "with the tasks run one by one, backwards");
}

static bool run_again(trial *t, const cvk_kernel_info *info, tensors *buffers) {
    cvk_status status = cvk_run(info, &buffers->buffers, NULL);
    return status == CVK_OK ? same_output(t, buffers, "for any batch") : wrong(t, "any: %s", cvk_status_text(status));
}

static bool run_on_threads(trial *t, const cvk_kernel_info *info, tensors *buffers) {
    const cvk_parallel_for threads = threads_for(WORKERS);
    cvk_status status = cvk_run(info, &buffers->buffers, &threads);
    if (status != CVK_OK) return wrong(t, "cvk_run on threads: %s", cvk_status_text(status));
    return same_output(t, buffers, "on three threads");
}

/* ---- the evaluator ---- */

/* Packs and runs; its packed weights have no header. Those that are known are packed already. */
static cvk_status evaluate(const compile_unit *unit, const tensors *buffers, void *packed) {
    const eval_numbers as = eval_as(unit->target->fused);
    void *constant = (void *)(uintptr_t)unit->constant[ROLE_WEIGHTS];
    void *tensor[ROLE_COUNT] = {[ROLE_PACK_FROM] = buffers->dense.data, [ROLE_PACK_TO] = packed};
    for (int i = 0; i < CVK_ROLES; i++) tensor[i] = buffers->buffer[i].data;
    tensor[ROLE_WEIGHTS] = constant ? constant : packed;
    cvk_status status = unit->spec->known ? CVK_OK : nest_eval_phase(&unit->pack, tensor, as);
    return status ? status : nest_eval_program(&unit->run, tensor, as);
}

/* Each part in its own type. */
static bool same_packed(const nest_phase *pack, const char *a, const char *b) {
    bool alike = true;
    for (int i = 0; i < pack->count; i++)
        for (int k = 0; k < pack->nest[i]->tensor_count; k++) {
            const nest_tensor *t = &pack->nest[i]->tensors[k];
            const int64_t size = type_bytes(t->type), begin = t->begin * size;
            if (t->role == ROLE_PACK_TO)
                alike = alike && same(t->type, a + begin, b + begin, (size_t)(t->elements * size));
        }
    return alike;
}

static bool check_evaluator(trial *t, const cvk_kernel_info *info, const compile_unit *unit) {
    tensors buffers;
    size_t bytes = info->packed_weights.bytes ? (size_t)info->packed_weights.bytes - CVK_PACKED_HEADER : 0;
    char *packed = malloc(bytes + 1);
    cvk_status status =
        packed ? tensors_bind(t->spec, info, &t->data.tensors, GUARD_END, 1, &buffers) : CVK_ERROR_MEMORY;
    if (packed) memset(packed, 0xFF, bytes);
    if (status == CVK_OK) status = evaluate(unit, &buffers, packed);
    bool right = status == CVK_OK || wrong(t, "nest_eval: %s", cvk_status_text(status));
    const char *theirs = buffers.buffer[CVK_ROLE_WEIGHTS].data;
    if (right && !unit->spec->known && !same_packed(&unit->pack, packed, theirs + CVK_PACKED_HEADER))
        right = wrong(t, "other packed weights from nest_eval");
    right = right && same_output(t, &buffers, "from nest_eval");
    if (packed) tensors_free(&buffers);
    free(packed);
    return right;
}

/* The evaluator packs. */
static void pack_nothing(const void *weights, void *packed) { (void)weights, (void)packed; }

cvk_status trial_nests(trial *t, const compile_unit *unit, double *worst) {
    tensors buffers;
    cvk_kernel_info info = unit->info;
    info.pack = pack_nothing;
    info.cpu_features = 0;
    if (!expect_for(t, &unit->plan)) return CVK_ERROR_MEMORY;
    cvk_status status = tensors_bind(t->spec, &info, &t->data.tensors, GUARD_END, 1, &buffers);
    const guarded *packed = &buffers.buffer[CVK_ROLE_WEIGHTS];
    if (status == CVK_OK) memset(packed->data, 0xFF, packed->bytes);
    if (status == CVK_OK) status = evaluate(unit, &buffers, packed->data);
    if (status == CVK_OK) *worst = tensors_damage(&buffers) ? INFINITY : worst_ratio(t, &buffers);
    tensors_free(&buffers);
    return status;
}

/* ---- exactly ---- */

static bool is_certain(trial *t, cvk_status status, const cvk_diagnostics *d, const char *what) {
    return status == CVK_OK ||
           wrong(t, "%s: %s", what,
                 cvk_diagnostics_count(d) ? cvk_diagnostics_get(d, 0)->message : cvk_status_text(status));
}

bool trial_stored(trial *t, const nest_program *run, const nest_phase *pack) {
    cvk_diagnostics *d = cvk_diagnostics_new();
    cvk_status outputs = program_certify_stored(run, STORED_MOST_CHECKING, d);
    bool right = is_certain(t, outputs, d, "stored once");
    cvk_status packed = right ? pack_certify_stored(pack, STORED_MOST_CHECKING, d) : CVK_OK;
    right = right && is_certain(t, packed, d, "packed once");
    cvk_diagnostics_free(d);
    return right;
}

/* By the weights that the plan computes by. */
static cvk_status judge_unit(const trial *t, arena *a, const compile_unit *unit, char words[IDENTITY_WORDS]) {
    if (arena_guard(a)) return CVK_ERROR_MEMORY;
    const double *rounded = rounding_of_weights(a, unit->spec, &unit->plan);
    if (!rounded) return identity_judge(t->identity, &unit->pack, &unit->run, NULL, words);
    identity *own = identity_new(unit->spec, rounded, 1, NULL);
    cvk_status status = own ? identity_judge(own, &unit->pack, &unit->run, NULL, words) : CVK_ERROR_MEMORY;
    identity_free(own);
    return status;
}

bool trial_identity(trial *t, const compile_unit *unit) {
    char words[IDENTITY_WORDS];
    arena a;
    arena_init(&a);
    cvk_status status = judge_unit(t, &a, unit, words);
    arena_free(&a);
    if (status != CVK_OK) return wrong(t, "identity: %s", cvk_status_text(status));
    return !*words || wrong(t, "identity: %s", words);
}

/* ---- a kernel ---- */

static bool try_all_ways(trial *t, const cvk_kernel_info *info, const compile_unit *unit, trial_extras extras) {
    return with_buffers(t, info, GUARD_END, 1, run_at_once) &&
           with_buffers(t, info, GUARD_START, WORKERS, run_backwards) &&
           (!extras.threads || with_buffers(t, info, GUARD_END, WORKERS, run_on_threads)) &&
           (!extras.evaluator || check_evaluator(t, info, unit)) && trial_stored(t, &unit->run, &unit->pack) &&
           trial_identity(t, unit);
}

bool trial_any(trial *t, const cvk_kernel_info *info) {
    if (info->batch_any != 1) return wrong(t, "not for any batch");
    const bool sums = t->spec->direction != DIRECTION_FORWARD; /* in another order than where images are known */
    return with_buffers(t, info, GUARD_END, 1, sums ? run_at_once : run_again) &&
           with_buffers(t, info, GUARD_START, WORKERS, run_backwards) &&
           with_buffers(t, info, GUARD_END, WORKERS, run_on_threads);
}

cvk_spec trial_spec_any(const trial *t) {
    cvk_spec any = *t->spec;
    any.batch = 1;
    any.batch_any = true;
    return any;
}

/* The layer for any batch, by the same plan. */
static bool try_any_batch(trial *t, const cvk_target *target, const layer_plan *plan) {
    const cvk_spec any = trial_spec_any(t);
    cvk_kernel *kernel;
    cvk_status status = compile_kernel(&any, (goal){.target = target}, any.direction == DIRECTION_FORWARD ? plan : NULL,
                                       NULL, &kernel, NULL);
    if (status != CVK_OK) return wrong(t, "it does not compile for any batch: %s", cvk_status_text(status));
    bool right = trial_any(t, cvk_kernel_get_info(kernel));
    cvk_kernel_free(kernel);
    return right;
}

static bool run_baked(trial *t, const cvk_kernel_info *info, tensors *buffers) {
    cvk_status status = cvk_run(info, &buffers->buffers, NULL);
    return status == CVK_OK ? same_output(t, buffers, "with what is known in its code")
                            : wrong(t, "baked: %s", cvk_status_text(status));
}

static bool load_baked(trial *t, const compile_unit *unit) {
    cvk_object object = {0};
    cvk_kernel *kernel = NULL;
    cvk_status status = compile_emit(unit, &unit->spec->name, 1, 1, NULL, EMIT_OBJECT, NULL, &object, NULL);
    if (status == CVK_OK) status = kernel_load(object.bytes, object.size, unit->spec->name, NULL, &kernel);
    bool right = status == CVK_OK ? with_buffers(t, cvk_kernel_get_info(kernel), GUARD_END, 1, run_baked)
                                  : wrong(t, "it does not compile baked: %s", cvk_status_text(status));
    cvk_kernel_free(kernel);
    if (object.bytes) object_free(&object);
    return right;
}

/* All that the caller would bring to every run. */
static bool try_baked(trial *t, arena *a, const compile_unit *unit) {
    const cvk_spec *s = t->spec;
    const naive_tensors *of = &t->data.tensors;
    compile_unit baked = *unit;
    const known_tensors known = {spec_has_weights(s) && !s->known ? of->weights : NULL,
                                 spec_bias_elements(s) ? of->bias : NULL, spec_scales(s) ? of->scale : NULL,
                                 spec_shift_elements(s) ? of->shift : NULL};
    cvk_status status = bake(a, &baked, &known);
    return status == CVK_OK ? load_baked(t, &baked) : wrong(t, "baking: %s", cvk_status_text(status));
}

/* The plan's nests, from an arena that is not exhausted by them. */
static bool try_compiled(trial *t, const cvk_kernel_info *info, const cvk_target *target, const layer_plan *plan,
                         trial_extras extras) {
    arena a;
    compile_unit unit;
    arena_init(&a);
    bool right = !arena_guard(&a) &&
                 compile_plan(&a, t->spec, (goal){.target = target}, plan, NULL, &unit, NULL) == CVK_OK &&
                 try_all_ways(t, info, &unit, extras) && (!extras.baked || try_baked(t, &a, &unit));
    arena_free(&a);
    return right;
}

bool trial_kernel(trial *t, const cvk_target *target, const layer_plan *plan, trial_extras extras) {
    if (!expect_for(t, plan)) return wrong(t, "no memory");
    cvk_diagnostics *d = cvk_diagnostics_new();
    cvk_kernel *kernel;
    cvk_status status = compile_kernel(t->spec, (goal){.target = target}, plan, d, &kernel, NULL);
    bool right;
    if (status == CVK_OK)
        right = try_compiled(t, cvk_kernel_get_info(kernel), target, plan, extras);
    else
        right = wrong(t, "it does not compile: %s: %s", cvk_status_text(status),
                      cvk_diagnostics_count(d) ? cvk_diagnostics_get(d, 0)->message : "");
    right = right && (!extras.any || try_any_batch(t, target, plan));
    cvk_kernel_free(kernel);
    cvk_diagnostics_free(d);
    return right;
}

const char *trial_yaml(arena *a, const cvk_spec *s, const layer_plan *plan) {
    text layer = text_new(a), schedule = text_new(a);
    spec_print(s, &layer);
    if (plan) layer_plan_print(plan, &schedule);
    int length = (int)layer.length - (layer.length > 0 && layer.bytes[layer.length - 1] == '}');
    return arena_format(a, "version: 1\nlayers:\n  - %.*s%s%s}\n", length, layer.bytes, plan ? ", schedule: " : "",
                        schedule.bytes);
}
