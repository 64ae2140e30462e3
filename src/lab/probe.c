/* Turns the nests of a probe into a kernel in this process, with zeroed buffers of its own. */
#include "lab/probe.h"
#include "emit/emit.h"

#include <sys/mman.h>

static cvk_buffer_info buffer(const probe_work *w, nest_role role) {
    return (cvk_buffer_info){.bytes = (uint64_t)program_needs(&w->run, role).bytes, .alignment = PROBE_ALIGNMENT};
}

static cvk_status load(const cvk_target *t, const probe_work *w, cvk_diagnostics *d, probe *p) {
    cvk_kernel_info info = {.struct_size = sizeof info,
                            .abi_version = CVK_ABI_VERSION,
                            .name = w->name,
                            .target = t->name,
                            .plan = "",
                            .cpu_features = t->cpu_features,
                            .phases = (uint32_t)w->run.count,
                            .input = buffer(w, ROLE_INPUT),
                            .output = buffer(w, ROLE_OUTPUT)};
    for (int i = 0; i < w->run.count; i++) info.tasks[i] = (uint32_t)program_tasks(&w->run, i);
    const emit_kernel kernel = {w->name, t, w->run, {0}, &info, {0}, false};
    cvk_object object;
    cvk_status status = program_check(&w->run, d, NULL);
    if (status == CVK_OK) status = llvm_emit(&kernel, 1, 1, NULL, EMIT_OBJECT, d, &object, NULL);
    if (status != CVK_OK) return status;
    const void *address;
    status = jit_load(object.bytes, object.size, w->name, d, &p->image, &address);
    object_free(&object);
    if (status == CVK_OK) p->info = address;
    return status;
}

/* Zeros, all there from the start: a fault a page can take longer, in a virtual machine, than what is to be timed. */
static void *zeroed(uint64_t bytes) {
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

cvk_status probe_open(const lab *l, const probe_work *work, probe *p) {
    *p = (probe){.lab = l, .amount = work->amount};
    cvk_status status = load(l->target, work, l->diagnostics, p);
    if (status != CVK_OK) return status;
    p->input = zeroed(p->info->input.bytes);
    p->output = zeroed(p->info->output.bytes);
    return p->input && p->output ? CVK_OK : CVK_ERROR_MEMORY;
}

void probe_close(probe *p) {
    if (p->input) munmap(p->input, p->info->input.bytes);
    if (p->output) munmap(p->output, p->info->output.bytes);
    jit_unload(&p->image);
}

void probe_run_task(const probe *p, uint32_t phase, uint32_t task) {
    p->info->run(&(cvk_args){.input = p->input, .output = p->output}, phase, task, task + 1);
}

static void run_probe(const void *context) {
    const probe *p = context;
    const cvk_buffers buffers = {.struct_size = sizeof buffers,
                                 .input = {p->input, p->info->input.bytes},
                                 .output = {p->output, p->info->output.bytes}};
    cvk_run(p->info, &buffers, p->lab->threads);
}

static void rest_probe(const void *context) { lab_rest(((const probe *)context)->lab); }

measured probe_measured(const probe *p) {
    return (measured){.run = run_probe, .rest = rest_probe, .context = p, .always_warm = true};
}

double probe_rate(const probe *p, const measured *m) { return p->amount / m->fastest; }
