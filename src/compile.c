/* The compiler, stage by stage. Each stage takes what the one before made and makes something new. */
#include "compile.h"
#include "bake.h"
#include "base/clock.h"

#include "base/text.h"
#include "nest/stored.h"
#include "cache/entry.h"
#include "jit/kernel.h"

#include <stdlib.h>
#include <string.h>

/* As the program declares it. */
static cvk_buffer_info buffer_of(const nest_program *program, nest_role role) {
    program_buffer needs = program_needs(program, role);
    return (cvk_buffer_info){
        .bytes = (uint64_t)needs.bytes, .alignment = (uint32_t)needs.alignment, .held = needs.held};
}

static void set_shapes(cvk_kernel_info *info, const cvk_spec *s) {
    info->batch_any = s->batch_any;
    info->input_shape[0] = info->output_shape[0] = s->batch_any ? 0 : s->batch;
    info->input_shape[1] = s->in_channels;
    info->output_shape[1] = s->out_channels;
    info->weights_shape[0] = s->transposed ? s->in_channels : s->out_channels;
    info->weights_shape[1] = s->transposed ? spec_group_out(s) : spec_group_in(s);
    if (!spec_weighs(s)) info->weights_shape[0] = info->weights_shape[1] = 0;
    if (spec_is_chain(s)) info->weights_shape[0] = spec_weights_elements(s), info->weights_shape[1] = 1;
    for (int a = 0; a < AXES; a++) {
        info->input_shape[2 + a] = s->in_size[a];
        info->output_shape[2 + a] = s->out_size[a];
        info->weights_shape[2 + a] = s->kernel[a];
    }
}

/* Of gradients of weights, those come out, and gradients of the output stand for what they are of. */
static void trade_shapes(cvk_kernel_info *info) {
    const cvk_kernel_info forward = *info;
    memcpy(info->weights_shape, forward.output_shape, sizeof info->weights_shape);
    memcpy(info->output_shape, forward.weights_shape, sizeof info->output_shape);
    info->weights_dtype = forward.output_dtype;
    info->output_dtype = forward.weights_dtype;
}

static cvk_operation operation_of(const cvk_spec *s) {
    static const cvk_operation FORWARD[] = {CVK_CONVOLUTION, CVK_TRANSPOSED},
                               WEIGHTS[] = {CVK_WEIGHTS_GRADIENT, CVK_TRANSPOSED_WEIGHTS_GRADIENT};
    static const cvk_operation OF_KIND[LAYER_KINDS] = {[LAYER_MAX_POOL] = CVK_MAX_POOL,
                                                       [LAYER_AVERAGE_POOL] = CVK_AVERAGE_POOL,
                                                       [LAYER_DENSE] = CVK_DENSE,
                                                       [LAYER_IDENTITY] = CVK_IDENTITY};
    const cvk_spec last = spec_link(s, spec_link_count(s) - 1);
    if (spec_is_chain(s) && spec_has_weights(s)) return CVK_CONVOLUTION;
    if (last.kind != LAYER_CONVOLUTION) return OF_KIND[last.kind];
    return (spec_has_weights(s) ? FORWARD : WEIGHTS)[s->transposed];
}

static uint64_t round_up(uint64_t n, uint64_t to) { return (n + to - 1) / to * to; }

static void round_buffer(cvk_buffer_info *b) {
    if (b->alignment) b->bytes = round_up(b->bytes, b->alignment);
}

/* Of several workers, and of several images, each has a slice that begins aligned. */
static void set_buffers(cvk_kernel_info *info, const nest_program *program) {
#define CVK_BUFFER(NAME, member, needs, access, share) info->needs = buffer_of(program, ROLE_##NAME);
#include <convoke/buffers.def>
#undef CVK_BUFFER
    if (info->packed_weights.bytes) info->packed_weights.bytes += CVK_PACKED_HEADER;
    round_buffer(&info->scratch);
    if (info->batch_any) round_buffer(&info->workspace);
}

static void set_tasks(cvk_kernel_info *info, const nest_program *program) {
    info->phases = (uint32_t)program->count;
    for (int p = 0; p < program->count; p++) info->tasks[p] = (uint32_t)program_tasks(program, p);
}

/* All that decides what packed weights mean: the layer (but for what only steers the choice of a plan), its plan, the
 * target, and how they are packed. */
static uint64_t packed_tag(arena *a, const compile_unit *u, const char *plan) {
    text words = text_new(a);
    cvk_spec layer = *u->spec;
    layer.algorithm = "auto";
    layer.accuracy = ACCURACY_DEFAULT;
    layer.schedule = NULL;
    spec_print(&layer, &words);
    text_add(&words, "\n%s\n%s\n", u->target->name, plan);
    for (int i = 0; i < u->pack.count; i++) nest_print(u->pack.nest[i], &words);
    uint64_t tag = entry_hash(words.bytes);
    return tag ? tag : 1;
}

static cvk_buffer_info dense_weights(const cvk_spec *s) {
    const int bytes = type_bytes(s->weights_type);
    if (!spec_has_weights(s)) return (cvk_buffer_info){.alignment = (uint32_t)bytes};
    return (cvk_buffer_info){.bytes = (uint64_t)(spec_weights_elements(s) * bytes), .alignment = (uint32_t)bytes};
}

static cvk_kernel_info describe(arena *a, const compile_unit *u) {
    const cvk_spec *s = u->spec;
    text words = text_new(a);
    layer_plan_print(&u->plan, &words);
    cvk_kernel_info info = {.struct_size = sizeof info,
                            .abi_version = CVK_ABI_VERSION,
                            .name = s->name,
                            .target = u->target->name,
                            .plan = words.bytes,
                            .cpu_features = u->target->cpu_features,
                            .packed_tag = spec_has_weights(s) ? packed_tag(a, u, words.bytes) : 0,
                            .input_layout = s->input_layout,
                            .output_layout = s->output_layout,
                            .input_dtype = (cvk_dtype)s->input_type,
                            .weights_dtype = (cvk_dtype)s->weights_type,
                            .output_dtype = (cvk_dtype)s->output_type,
                            .spatial_rank = (uint32_t)s->rank,
                            .operation = operation_of(s),
                            .addends = (uint32_t)spec_operands(s, OPERAND_TENSOR),
                            .scales = (uint32_t)spec_scales(s),
                            .weights = dense_weights(s)};
    set_shapes(&info, s);
    if (s->direction == DIRECTION_BACKWARD_WEIGHTS) trade_shapes(&info);
    set_tasks(&info, &u->run);
    set_buffers(&info, &u->run);
    return info;
}

/* 1 at least: 0 would say that nothing is known. */
static uint32_t kilocycles(double cycles) {
    double thousands = cycles / 1000;
    return thousands<1 ? 1 : thousands>(double) INT32_MAX ? INT32_MAX : (uint32_t)thousands;
}

/* Those the layer pins. */
static cvk_status take_schedule(arena *a, const cvk_spec *spec, goal aim, cvk_diagnostics *d, ranked_layer *plan) {
    int problem_index;
    const char *why = layer_refuse(spec, aim.target, spec->schedule, &problem_index);
    if (!why) {
        layer_build(a, spec, aim, spec->schedule, plan);
        return CVK_OK;
    }
    text which = text_new(a);
    problem_print(spec, problem_index, &which);
    diag_error(d, E_SCHEDULE, spec->schedule_at, NULL, "%s: schedule: %s%s%s", spec->name, which.bytes,
               which.length ? ": " : "", why);
    return CVK_ERROR_SPEC;
}

cvk_status compile_rank(arena *a, const cvk_spec *spec, goal aim, int limit, cvk_diagnostics *d, ranked_layer **plans,
                        int *count) {
    const cvk_target *target = aim.target;
    const char *why = NULL;
    if (!target_computes(target, spec_sum_type(spec))) {
        diag_error(d, E_NO_PLAN, spec->at, NULL, "%s: %s has no arithmetic of %s", spec->name, target->name,
                   type_name(spec_sum_type(spec)));
        return CVK_ERROR_UNSUPPORTED;
    }
    if (spec->schedule) {
        *plans = arena_new(a, ranked_layer);
        *count = 1;
        return take_schedule(a, spec, aim, d, *plans);
    }
    layer_rank(a, spec, aim, limit, plans, count, &why);
    if (*count) return CVK_OK;
    diag_error(d, E_NO_PLAN, spec->at, NULL, "%s: algorithm %s cannot do this layer: %s", spec->name, spec->algorithm,
               why);
    return CVK_ERROR_UNSUPPORTED;
}

/* That each output and each packed weight is stored once, and that phases read what earlier ones stored; unless there
 * is so much of them that this would take its time. */
static cvk_status certify(const nest_program *run, const nest_phase *pack, cvk_diagnostics *d) {
    cvk_status status = program_certify_stored(run, STORED_MOST_COMPILING, d);
    if (status == CVK_OK || status == CVK_ERROR_UNSUPPORTED)
        status = pack_certify_stored(pack, STORED_MOST_COMPILING, d);
    return status == CVK_ERROR_UNSUPPORTED ? CVK_OK : status;
}

/* Kernels count in integers as wide as a pointer. Where those have 32 bits, every buffer's bytes must fit them with a
 * sign, and so must a position in the padded image with some tiles beyond. */
static bool counts_fit(const cvk_spec *s, const cvk_kernel_info *info, const cvk_target *t) {
    if (target_pointer_bits(t) > 32) return true;
    bool fit = info->weights.bytes <= INT32_MAX;
#define CVK_BUFFER(NAME, member, needs, access, share) fit &= info->needs.bytes <= INT32_MAX;
#include <convoke/buffers.def>
#undef CVK_BUFFER
    for (int k = 0; k < spec_link_count(s); k++) {
        const cvk_spec l = spec_link(s, k);
        for (int i = 0; i < AXES; i++)
            fit &= l.in_size[i] + l.pad_before[i] + l.pad_after[i] + l.dilation[i] * l.kernel[i] + l.stride[i] <=
                   INT32_MAX / 4;
    }
    for (uint32_t i = 0; i < info->phases; i++) fit &= info->tasks[i] <= INT32_MAX;
    return fit;
}

static cvk_status check_packing(const nest_phase *pack, cvk_diagnostics *d) {
    cvk_status status = CVK_OK;
    for (int i = 0; i < pack->count && !status; i++) status = nest_check(pack->nest[i], d, NULL);
    return status;
}

static cvk_status prove(compile_unit *unit, cvk_diagnostics *d) {
    cvk_status status = program_check(&unit->run, d, &unit->extent);
    if (!status) status = check_packing(&unit->pack, d);
    return status ? status : certify(&unit->run, &unit->pack, d);
}

/* Plans that fit. */
static cvk_status build(arena *a, const cvk_spec *spec, goal aim, const layer_plan *plan, cvk_diagnostics *d,
                        compile_unit *unit) {
    ranked_layer ranked;
    const layer_nests nests = layer_build(a, spec, aim, plan, &ranked);
    layer_plan kept = *plan;
    kept.part = arena_copy(a, plan->part, sizeof *plan->part * (size_t)plan->count);
    *unit = (compile_unit){.spec = spec,
                           .target = aim.target,
                           .plan = kept,
                           .predicted = ranked.seconds_per_peak,
                           .run = nests.run,
                           .pack = nests.pack,
                           .counts = nests.counts};
    cvk_status status = prove(unit, d);
    if (status) return status;
    unit->info = describe(a, unit);
    unit->info.kilocycles = kilocycles(ranked.cycles);
    if (counts_fit(spec, &unit->info, aim.target))
        return spec->known ? bake(a, unit, &(known_tensors){.weights = spec->known}) : CVK_OK;
    diag_error(d, E_NO_PLAN, spec->at, NULL, "%s: too large for the 32-bit addresses of %s", spec->name,
               aim.target->name);
    return CVK_ERROR_UNSUPPORTED;
}

static bool has_algorithms(const layer_plan *plan) {
    for (int i = 0; i < plan->count; i++)
        if (!algo_of(&plan->part[i])) return false;
    return true;
}

cvk_status compile_plan(arena *a, const cvk_spec *spec, goal aim, const layer_plan *plan, cvk_diagnostics *d,
                        compile_unit *unit, compile_times *times) {
    double start = clock_seconds();
    ranked_layer *chosen;
    int count;
    cvk_status status = CVK_OK;
    if (!plan && !(status = compile_rank(a, spec, aim, 1, d, &chosen, &count))) plan = &chosen->plan;
    if (!status && !has_algorithms(plan)) status = CVK_ERROR_ARGUMENT;
    if (!status) status = build(a, spec, aim, plan, d, unit);
    if (times) times->plan += clock_seconds() - start;
    return status;
}

const char *compile_maker(void) { return llvm_library(); }

cvk_status compile_emit(const compile_unit *units, const char *const *symbols, size_t layers, size_t targets,
                        emit_kind kind, cvk_diagnostics *d, cvk_object *object, compile_times *times) {
    *object = (cvk_object){0};
    emit_kernel *kernels = calloc(layers * targets, sizeof *kernels);
    if (!kernels) return CVK_ERROR_MEMORY;
    for (size_t i = 0; i < layers * targets; i++) {
        const compile_unit *u = &units[i];
        kernels[i] = (emit_kernel){symbols[i % layers], u->target, u->run, u->pack, &u->info, {0}};
        if (u->constant[ROLE_WEIGHTS]) kernels[i].pack.count = 0;
        memcpy(kernels[i].constant, u->constant, sizeof u->constant);
    }
    cvk_status status = llvm_emit(kernels, layers, targets, kind, d, object, times ? &times->emit : NULL);
    free(kernels);
    return status;
}

/* Everything but loading; the arena is the caller's. */
static cvk_status compile_in(arena *a, const cvk_spec *spec, goal aim, const layer_plan *plan, cvk_diagnostics *d,
                             cvk_object *object, compile_times *times) {
    if (arena_guard(a)) return CVK_ERROR_MEMORY;
    compile_unit unit;
    cvk_status status = compile_plan(a, spec, aim, plan, d, &unit, times);
    if (status) return status;
    return compile_emit(&unit, &spec->name, 1, 1, EMIT_OBJECT, d, object, times);
}

cvk_status compile_layer(const cvk_spec *spec, goal aim, const layer_plan *plan, cvk_diagnostics *d, cvk_object *object,
                         compile_times *times) {
    *object = (cvk_object){0};
    arena a;
    arena_init(&a);
    cvk_status status = compile_in(&a, spec, aim, plan, d, object, times);
    arena_free(&a);
    return status;
}

cvk_status compile_kernel(const cvk_spec *spec, goal aim, const layer_plan *plan, cvk_diagnostics *d,
                          cvk_kernel **kernel, compile_times *times) {
    *kernel = NULL;
    if (!target_runs_here(aim.target)) {
        diag_error(d, E_TARGET, spec->at, NULL, "%s: this CPU cannot run code for %s", spec->name, aim.target->name);
        return CVK_ERROR_CPU;
    }
    cvk_object object;
    cvk_status status = compile_layer(spec, aim, plan, d, &object, times);
    double start = clock_seconds();
    if (!status) status = kernel_load(object.bytes, object.size, spec->name, d, kernel);
    if (times) times->load += clock_seconds() - start;
    object_free(&object);
    return status;
}
