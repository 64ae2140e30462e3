/* A module a call: context, target machine, lowering, a short pipeline, machine code. LLVM's fatal paths end the
 * process, so nothing reaches them that the verifier has not seen. */
#include "emit/door.h"
#include "base/clock.h"

#include "llvm/lowering.h"

#include <llvm-c/Analysis.h>
#include <llvm-c/Error.h>
#include <llvm-c/Target.h>
#include <llvm-c/TargetMachine.h>
#include <llvm-c/Transforms/PassBuilder.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* mem2reg's kin makes values of the register slots, early-cse folds addresses that turned out equal. Loops, hoisting
 * and unrolling were the nest's business. */
static const char PIPELINE[] = "function(sroa,early-cse)";

/* Bytes of stack a kernel may use: far below any thread's stack. */
static const char MOST_STACK[] = "16383";

static pthread_once_t initialised = PTHREAD_ONCE_INIT;

static void initialise(void) {
    LLVMInitializeAllTargetInfos();
    LLVMInitializeAllTargets();
    LLVMInitializeAllTargetMCs();
    LLVMInitializeAllAsmPrinters();
}

static void add_attribute(lower_module *m, LLVMValueRef function, const char *key, const char *value) {
    LLVMAttributeRef a =
        LLVMCreateStringAttribute(m->context, key, (unsigned)strlen(key), value, (unsigned)strlen(value));
    LLVMAddAttributeAtIndex(function, (LLVMAttributeIndex)LLVMAttributeFunctionIndex, a);
}

static void add_enum_attribute(lower_module *m, LLVMValueRef function, const char *name, uint64_t value) {
    unsigned kind = LLVMGetEnumAttributeKindForName(name, strlen(name));
    LLVMAddAttributeAtIndex(function, (LLVMAttributeIndex)LLVMAttributeFunctionIndex,
                            LLVMCreateEnumAttribute(m->context, kind, value));
}

/* vscale_range(n, unbounded): the lower end stands in the upper half. Vectors of known length then become SVE's. */
static uint64_t vscale_at_least(int n) { return (uint64_t)n << 32; }

void lower_place(lower_module *m, LLVMValueRef global, const char *kind, const char *symbol) {
    if (m->elf) LLVMSetSection(global, arena_format(m->arena, "%s.%s", kind, symbol));
}

/* Unwind tables that hold at every instruction, as profilers want them; LLVM's UWTableKind. The tables of 32-bit Arm
 * name functions of its C library, and there are none. */
enum { UNWIND_ANYWHERE = 2 };
static bool unwinds(lower_module *m) {
    const char *triple = LLVMGetTarget(m->module);
    return strncmp(triple, "arm", 3) == 0 ? strncmp(triple, "arm64", 5) == 0 : strncmp(triple, "thumb", 5) != 0;
}

void lower_attributes(lower_module *m, LLVMValueRef function) {
    const char *width = arena_format(m->arena, "%d", m->target->vector_bytes * 8);
    add_attribute(m, function, "target-cpu", m->target->cpu);
    if (m->target->llvm_features[0]) add_attribute(m, function, "target-features", m->target->llvm_features);
    add_attribute(m, function, "prefer-vector-width", width);
    add_attribute(m, function, "min-legal-vector-width", width);
    add_attribute(m, function, "warn-stack-size", MOST_STACK);
    if (m->target->vscale) add_enum_attribute(m, function, "vscale_range", vscale_at_least(m->target->vscale));
    add_enum_attribute(m, function, "nounwind", 0);
    if (unwinds(m)) add_enum_attribute(m, function, "uwtable", UNWIND_ANYWHERE);
}

/* Where LLVM's complaints go. */
typedef struct complaints {
    cvk_diagnostics *diagnostics;
    bool failed;
} complaints;

static void complain(complaints *c, const char *doing, const char *message) {
    c->failed = true;
    diag_error(c->diagnostics, E_LLVM, (place){.file = ""}, NULL, "%s: %s", doing,
               message ? message : "no reason given");
}

static void on_diagnostic(LLVMDiagnosticInfoRef info, void *context) {
    LLVMDiagnosticSeverity severity = LLVMGetDiagInfoSeverity(info);
    if (severity != LLVMDSError && severity != LLVMDSWarning) return;
    char *words = LLVMGetDiagInfoDescription(info);
    complain(context, "generating code", words);
    LLVMDisposeMessage(words);
}

static char *copied_triple(const char *triple) {
    return triple ? LLVMCreateMessage(triple) : LLVMGetDefaultTargetTriple();
}

bool llvm_triple_inside(const char *words, char *to, size_t size) {
    char *triple = LLVMNormalizeTargetTriple(words);
    size_t length = strlen(triple);
    if (length < size) memcpy(to, triple, length + 1);
    LLVMDisposeMessage(triple);
    return length < size;
}

/* WebAssembly knows no position-independent code but that of its shared libraries, which names symbols of theirs; its
 * linker moves any code. */
static LLVMRelocMode relocation(const char *triple) {
    return strncmp(triple, "wasm", 4) == 0 ? LLVMRelocStatic : LLVMRelocPIC;
}

static LLVMTargetMachineRef make_machine(const char *known_triple, const cvk_target *t, complaints *c) {
    char *triple = copied_triple(known_triple), *error = NULL;
    LLVMTargetRef target;
    LLVMTargetMachineRef machine = NULL;
    if (LLVMGetTargetFromTriple(triple, &target, &error)) {
        complain(c, "finding the target", error);
        LLVMDisposeMessage(error);
    } else {
        machine = LLVMCreateTargetMachine(target, triple, t->cpu, t->llvm_features, LLVMCodeGenLevelDefault,
                                          relocation(triple), LLVMCodeModelDefault);
        if (!machine) complain(c, "making a target machine", t->cpu);
    }
    LLVMDisposeMessage(triple);
    return machine;
}

static void add_flag(lower_module *m, const char *name) {
    LLVMMetadataRef one = LLVMValueAsMetadata(LLVMConstInt(m->i32, 1, false));
    LLVMAddModuleFlag(m->module, LLVMModuleFlagBehaviorOverride, name, strlen(name), one);
}

/* A program whose processor holds jumps to their targets and returns to their calls may link us. */
static void guard_branches(lower_module *m, const char *triple) {
    if (!m->elf || strncmp(triple, "x86_64-", 7) != 0) return;
    add_flag(m, "cf-protection-branch");
    add_flag(m, "cf-protection-return");
}

static lower_module make_module(arena *a, const char *known_triple, LLVMTargetMachineRef machine) {
    LLVMContextRef x = LLVMContextCreate();
    LLVMContextSetDiscardValueNames(x, false);
    lower_module m = {.arena = a, .context = x, .module = LLVMModuleCreateWithNameInContext("convoke", x)};
    lower_types(&m);
    char *triple = copied_triple(known_triple);
    LLVMSetTarget(m.module, triple);
    m.elf = target_makes_elf(triple);
    guard_branches(&m, triple);
    LLVMDisposeMessage(triple);
    LLVMTargetDataRef layout = LLVMCreateTargetDataLayout(machine);
    LLVMSetModuleDataLayout(m.module, layout);
    m.index = LLVMIntPtrTypeInContext(x, layout);
    LLVMDisposeTargetData(layout);
    return m;
}

/* The tensors that are known, as data of the module. */
static void lower_constants(lower_module *m, const emit_kernel *k, const char *symbol,
                            LLVMValueRef constant[ROLE_COUNT]) {
    for (int role = 0; role < ROLE_COUNT; role++) {
        const void *data = k->constant[role];
        program_buffer needs = program_needs(&k->run, (nest_role)role);
        if (data && needs.elements) constant[role] = lower_data(m, symbol, data, needs.bytes);
    }
}

static LLVMValueRef lower_kernel(lower_module *m, const emit_kernel *k, const char *symbol) {
    LLVMValueRef constant[ROLE_COUNT] = {0}, pack = LLVMConstNull(m->ptr);
    lower_constants(m, k, symbol, constant);
    LLVMValueRef run = lower_program(m, &k->run, arena_format(m->arena, "%s.run", symbol), k->info, constant);
    if (k->pack.count) pack = lower_pack(m, &k->pack, arena_format(m->arena, "%s.pack", symbol), k->info->packed_tag);
    return lower_info(m, symbol, k->info, run, pack);
}

static const char *variant_symbol(lower_module *m, const emit_kernel *k) {
    return arena_format(m->arena, "%s.%s", k->symbol, k->target->name);
}

/* What llvm_emit is asked for. */
typedef struct emit_job {
    const emit_kernel *kernels;
    size_t layers, targets;
    const emit_network *network;
    emit_kind kind;
} emit_job;

/* Target after target, so that the layers of each share its math functions. infos[l * targets + t] is layer l for
 * target t. */
static void lower_variants(lower_module *m, const emit_job *job, LLVMValueRef *infos) {
    for (size_t t = 0; t < job->targets; t++) {
        memset(m->math, 0, sizeof m->math);
        for (size_t l = 0; l < job->layers; l++) {
            const emit_kernel *k = &job->kernels[t * job->layers + l];
            m->target = k->target;
            infos[l * job->targets + t] = lower_kernel(m, k, job->targets > 1 ? variant_symbol(m, k) : k->symbol);
        }
    }
}

/* The table of each target, of the kernels that are for it. */
static void lower_networks(lower_module *m, const emit_job *job, LLVMValueRef *infos) {
    const emit_network *n = job->network;
    LLVMValueRef *tables = arena_array(m->arena, LLVMValueRef, job->targets);
    for (size_t t = 0; t < job->targets; t++) {
        const uint32_t steps = n->info[t].steps;
        LLVMValueRef *kernels = arena_array(m->arena, LLVMValueRef, steps + 1);
        for (uint32_t i = 0; i < steps; i++) kernels[i] = infos[n->layer[i] * job->targets + t];
        const char *variant = arena_format(m->arena, "%s.%s", n->symbol, job->kernels[t * job->layers].target->name);
        tables[t] = lower_network(m, job->targets > 1 ? variant : n->symbol, &n->info[t], kernels);
    }
    if (job->targets > 1) lower_set(m, n->symbol, tables, job->targets);
}

static void lower_kernels(lower_module *m, const emit_job *job) {
    LLVMValueRef *infos = arena_array(m->arena, LLVMValueRef, job->layers * job->targets);
    lower_variants(m, job, infos);
    for (size_t l = 0; l < job->layers; l++) {
        LLVMValueRef *variants = infos + l * job->targets;
        if (job->kernels[l].local)
            for (size_t t = 0; t < job->targets; t++) LLVMSetLinkage(variants[t], LLVMInternalLinkage);
        else if (job->targets > 1)
            lower_set(m, job->kernels[l].symbol, variants, job->targets);
    }
    if (job->network) lower_networks(m, job, infos);
}

static bool verified(lower_module *m, complaints *c) {
    char *error = NULL;
    bool bad = LLVMVerifyModule(m->module, LLVMReturnStatusAction, &error);
    if (bad) complain(c, "verifying", error);
    LLVMDisposeMessage(error);
    return !bad;
}

static void optimise(lower_module *m, LLVMTargetMachineRef machine, complaints *c) {
    LLVMPassBuilderOptionsRef options = LLVMCreatePassBuilderOptions();
    LLVMErrorRef error = LLVMRunPasses(m->module, PIPELINE, machine, options);
    LLVMDisposePassBuilderOptions(options);
    if (!error) return;
    char *words = LLVMGetErrorMessage(error);
    complain(c, "optimising", words);
    LLVMDisposeErrorMessage(words);
}

static cvk_status keep_bytes(cvk_object *object, const char *bytes, size_t size) {
    object->bytes = malloc(size + 1);
    if (!object->bytes) return CVK_ERROR_MEMORY;
    memcpy(object->bytes, bytes, size);
    object->bytes[size] = 0;
    object->size = size;
    return CVK_OK;
}

static cvk_status generate(lower_module *m, LLVMTargetMachineRef machine, emit_kind kind, complaints *c,
                           cvk_object *object) {
    if (kind == EMIT_LLVM) {
        char *words = LLVMPrintModuleToString(m->module);
        cvk_status status = keep_bytes(object, words, strlen(words));
        LLVMDisposeMessage(words);
        return status;
    }
    LLVMMemoryBufferRef buffer = NULL;
    char *error = NULL;
    LLVMCodeGenFileType type = kind == EMIT_OBJECT ? LLVMObjectFile : LLVMAssemblyFile;
    if (LLVMTargetMachineEmitToMemoryBuffer(machine, m->module, type, &error, &buffer)) {
        complain(c, "generating code", error);
        LLVMDisposeMessage(error);
        return CVK_ERROR_INTERNAL;
    }
    cvk_status status =
        c->failed ? CVK_ERROR_INTERNAL : keep_bytes(object, LLVMGetBufferStart(buffer), LLVMGetBufferSize(buffer));
    LLVMDisposeMemoryBuffer(buffer);
    return status;
}

static cvk_status emit_module(lower_module *m, LLVMTargetMachineRef machine, const emit_job *job, complaints *c,
                              cvk_object *object, emit_times *times) {
    double start = clock_seconds();
    lower_kernels(m, job);
    if (!verified(m, c)) return CVK_ERROR_INTERNAL;
    double lowered = clock_seconds();
    optimise(m, machine, c);
    if (c->failed) return CVK_ERROR_INTERNAL;
    double optimised = clock_seconds();
    cvk_status status = generate(m, machine, job->kind, c, object);
    if (times) {
        times->lower += lowered - start;
        times->optimise += optimised - lowered;
        times->generate += clock_seconds() - optimised;
    }
    return status;
}

static bool nest_computable(const nest *n, const cvk_target *t) {
    for (int i = 0; n && i < n->register_count; i++)
        if (!target_computes(t, n->registers[i].type)) return false;
    return true;
}

static bool phase_computable(const nest_phase *phase, const cvk_target *t) {
    for (int i = 0; i < phase->count; i++)
        if (!nest_computable(phase->nest[i], t)) return false;
    return true;
}

static bool program_computable(const nest_program *program, const cvk_target *t) {
    for (int p = 0; p < program->count; p++)
        if (!phase_computable(&program->phase[p], t)) return false;
    return true;
}

/* An object is complete: what its CPU cannot compute is refused. */
static cvk_status refuse_types(const emit_kernel *kernels, size_t count, cvk_diagnostics *d) {
    for (const emit_kernel *k = kernels; k < kernels + count; k++) {
        if (program_computable(&k->run, k->target) && phase_computable(&k->pack, k->target)) continue;
        diag_error(d, E_TARGET, (place){.file = ""}, NULL, "%s: %s cannot compute with its types", k->symbol,
                   k->target->name);
        return CVK_ERROR_UNSUPPORTED;
    }
    return CVK_OK;
}

/* Everything LLVM owns is freed here, also when the arena runs dry in the middle. The module is of the best target's
 * triple, and functions say what CPU they are for; what is not in a function is made for the weakest. */
cvk_status llvm_emit_inside(const emit_kernel *kernels, size_t layers, size_t targets, const emit_network *network,
                            emit_kind kind, cvk_diagnostics *diagnostics, cvk_object *object, emit_times *times) {
    pthread_once(&initialised, initialise);
    *object = (cvk_object){0};
    cvk_status status = refuse_types(kernels, layers * targets, diagnostics);
    if (status != CVK_OK) return status;
    const emit_job job = {kernels, layers, targets, network, kind};
    complaints c = {.diagnostics = diagnostics};
    const cvk_target *best = kernels[0].target, *weakest = kernels[layers * targets - 1].target;
    LLVMTargetMachineRef machine = make_machine(best->triple, weakest, &c);
    if (!machine) return CVK_ERROR_INTERNAL;
    arena a;
    arena_init(&a);
    lower_module m = make_module(&a, best->triple, machine);
    LLVMContextSetDiagnosticHandler(m.context, on_diagnostic, &c);
    if (arena_guard(&a))
        status = CVK_ERROR_MEMORY;
    else
        status = emit_module(&m, machine, &job, &c, object, times);
    LLVMDisposeModule(m.module);
    LLVMContextDispose(m.context);
    LLVMDisposeTargetMachine(machine);
    arena_free(&a);
    return status;
}
