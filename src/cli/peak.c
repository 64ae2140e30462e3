/* A nest of independent accumulators, enough to cover the latency of every FMA unit, one task a thread. */
#include "cli/peak.h"
#include "llvm/emit.h"
#include "nest/build.h"

#include <stdlib.h>
#include <string.h>

enum { TRIPS = 1 << 15, ALIGNMENT = 64, SPARE_REGISTERS = 4 };

static int accumulators(const cvk_target *t) { return t->registers - SPARE_REGISTERS; }

/* Elements of the input: two factors, then what the accumulators start from. */
static int64_t input_elements(const cvk_target *t) { return (int64_t)(2 + accumulators(t)) * t->lanes; }
static int64_t output_elements(const cvk_target *t) { return (int64_t)accumulators(t) * t->lanes; }

static nest *build_run(arena *a, const cvk_target *t, uint32_t threads) {
    const int lanes = t->lanes, count = accumulators(t);
    nest_builder b = nest_begin(a, "peak", ENTRY_TASKS, lanes);
    int input = nest_add_tensor(&b, "input", ROLE_INPUT, input_elements(t), ALIGNMENT, false);
    int output = nest_add_tensor(&b, "output", ROLE_OUTPUT, output_elements(t) * threads, ALIGNMENT, true);
    int factor = nest_add_register(&b, "factor", lanes, 2), sum = nest_add_register(&b, "sum", lanes, count);
    register_ref x = reg(factor, affine_constant(0)), y = reg(factor, affine_constant(1));
    affine task = build_task(&b, "thread", threads);
    build_load(&b, x, access_at(input, affine_constant(0), 1), NULL);
    build_load(&b, y, access_at(input, affine_constant(lanes), 1), NULL);
    affine i = build_unrolled(&b, "i", count);
    build_load(&b, reg(sum, i), access_at(input, affine_add(affine_constant(2 * lanes), affine_scale(i, lanes)), 1),
               NULL);
    build_end(&b);
    build_loop(&b, "trip", TRIPS);
    i = build_unrolled(&b, "i", count);
    build_fma(&b, reg(sum, i), x, y, NULL);
    build_end(&b);
    build_end(&b);
    i = build_unrolled(&b, "i", count);
    affine at = affine_add(affine_scale(task, output_elements(t)), affine_scale(i, lanes));
    build_store(&b, access_at(output, at, 1), reg(sum, i), NULL);
    build_end(&b);
    build_end(&b);
    return nest_finish(&b);
}

/* There are no weights; an object has a packing function nevertheless. */
static nest *build_pack(arena *a, const cvk_target *t) {
    nest_builder b = nest_begin(a, "peak_pack", ENTRY_PACK, t->lanes);
    nest_add_tensor(&b, "from", ROLE_PACK_FROM, 1, ALIGNMENT, false);
    nest_add_tensor(&b, "to", ROLE_PACK_TO, 1, ALIGNMENT, true);
    return nest_finish(&b);
}

static cvk_buffer_info buffer(int64_t elements) {
    return (cvk_buffer_info){.bytes = (uint64_t)elements * sizeof(float), .alignment = ALIGNMENT};
}

static cvk_status load(arena *a, const cvk_target *t, uint32_t threads, cvk_diagnostics *d, peak *p) {
    cvk_kernel_info info = {.struct_size = sizeof info,
                            .abi_version = CVK_ABI_VERSION,
                            .name = "peak",
                            .target = t->name,
                            .plan = "",
                            .cpu_features = t->cpu_features,
                            .tasks = threads,
                            .input = buffer(input_elements(t)),
                            .output = buffer(output_elements(t) * threads)};
    info.weights.alignment = info.packed_weights.alignment = info.bias.alignment = 1;
    info.scale.alignment = info.addend.alignment = info.scratch.alignment = 1;
    const emit_kernel kernel = {"peak", t, build_run(a, t, threads), build_pack(a, t), &info, {0}};
    cvk_object object;
    cvk_status status = llvm_emit(&kernel, 1, 1, EMIT_OBJECT, d, &object, NULL);
    if (status != CVK_OK) return status;
    const void *address;
    status = jit_load(object.bytes, object.size, "peak", d, &p->image, &address);
    object_free(&object);
    if (status == CVK_OK) p->info = address;
    return status;
}

static void *zeroed(uint64_t bytes) {
    void *memory = aligned_alloc(ALIGNMENT, (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
    return memory ? memset(memory, 0, bytes) : NULL;
}

cvk_status peak_open(const cvk_target *t, const cvk_parallel_for *parallel, cvk_diagnostics *d, peak *p) {
    *p = (peak){.parallel = *parallel};
    arena a;
    arena_init(&a);
    cvk_status status;
    if (arena_guard(&a))
        status = CVK_ERROR_MEMORY;
    else
        status = load(&a, t, parallel->workers, d, p);
    arena_free(&a);
    if (status != CVK_OK) return status;
    p->operations = 2 * (double)(TRIPS * output_elements(t)) * parallel->workers;
    p->input = zeroed(p->info->input.bytes);
    p->output = zeroed(p->info->output.bytes);
    return p->input && p->output ? CVK_OK : CVK_ERROR_MEMORY;
}

void peak_run(const peak *p) {
    const cvk_buffers buffers = {.struct_size = sizeof buffers,
                                 .input = {p->input, p->info->input.bytes},
                                 .output = {p->output, p->info->output.bytes}};
    cvk_run(p->info, &buffers, &p->parallel);
}

void peak_close(peak *p) {
    free(p->input);
    free(p->output);
    jit_unload(&p->image);
}
