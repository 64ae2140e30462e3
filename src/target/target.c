/* Finding a target: the table, and the host's row with the host's cache sizes. */
#include "target/target.h"

#include <limits.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#define FIGURE(member, how, unit, least, most, out_of_order, in_order, microcontroller, about) out_of_order,
static const machine_figures FIGURES_out_of_order = {
#include "target/figure_fields.def"
};
#undef FIGURE
#define FIGURE(member, how, unit, least, most, out_of_order, in_order, microcontroller, about) in_order,
static const machine_figures FIGURES_in_order = {
#include "target/figure_fields.def"
};
#undef FIGURE
#define FIGURE(member, how, unit, least, most, out_of_order, in_order, microcontroller, about) microcontroller,
static const machine_figures FIGURES_microcontroller = {
#include "target/figure_fields.def"
};
#undef FIGURE

static const cvk_target TARGETS[] = {
#define TARGET(name, triple, cpu, llvm, features, vscale, vector_bytes, registers, fused, masks, l1, l2, l3, figures,  \
               about)                                                                                                  \
    {name,  triple,      cpu,         llvm,        features,           vscale, vector_bytes, registers, fused,         \
     masks, (l1) * 1024, (l2) * 1024, (l3) * 1024, &FIGURES_##figures, about},
#include "target/targets.def"
#undef TARGET
};
enum { TARGET_COUNT = sizeof TARGETS / sizeof TARGETS[0] };

static const target_dot DOTS[] = {
#define DOT(feature, x, w, sum, factors, operations)                                                                   \
    {CVK_CPU_##feature, TYPE_##x, TYPE_##w, TYPE_##sum, factors, operations},
#include "target/dots.def"
#undef DOT
};
enum { DOT_COUNT = sizeof DOTS / sizeof DOTS[0] };

static const struct cpu_name {
    const char *name, *target;
} CPUS[] = {
#define CPU(name, target) {name, target},
#include "target/cpus.def"
#undef CPU
};
enum { CPU_COUNT = sizeof CPUS / sizeof CPUS[0] };

#if defined(__x86_64__)
static const char HOST_ARCHITECTURE[] = "x86_64";
#elif defined(__aarch64__)
static const char HOST_ARCHITECTURE[] = "aarch64";
#elif defined(__riscv) && __riscv_xlen == 64
static const char HOST_ARCHITECTURE[] = "riscv64";
#else
static const char HOST_ARCHITECTURE[] = "";
#endif

/* Systems where an object of ours is complete. Windows is not among them: its objects call a function for their stack
 * and name a symbol of the C library for having used floats. */
static const struct system_row {
    const char *word;
    bool macho;
} SYSTEMS[] = {{"linux", false},      {"darwin", true},  {"macos", true},    {"ios", true},
               {"freebsd", false},    {"netbsd", false}, {"openbsd", false}, {"wasi", false},
               {"emscripten", false}, {"none", false},   {"unknown", false}};
enum { SYSTEM_COUNT = sizeof SYSTEMS / sizeof SYSTEMS[0] };

/* Other words for an architecture: Apple's, the BSDs', Debian's, and those of compilers and of uname. */
static const struct alias {
    const char *word, *usual;
} ALIASES[] = {{"arm64", "aarch64"}, {"amd64", "x86_64"}, {"arm", "armv7"}, {"armv7a", "armv7"}, {"armv7l", "armv7"}};

/* The architecture of a triple, its first word. */
typedef struct architecture_word {
    const char *word;
    size_t length;
} architecture_word;

static architecture_word architecture_of(const char *triple) {
    size_t length = strcspn(triple, "-");
    for (size_t i = 0; i < sizeof ALIASES / sizeof *ALIASES; i++)
        if (strlen(ALIASES[i].word) == length && memcmp(triple, ALIASES[i].word, length) == 0)
            return (architecture_word){ALIASES[i].usual, strlen(ALIASES[i].usual)};
    return (architecture_word){triple, length};
}

static bool same_architecture(const char *a, const char *b) {
    architecture_word x = architecture_of(a), y = architecture_of(b);
    return x.length == y.length && memcmp(x.word, y.word, x.length) == 0;
}

static const char *architecture(const cvk_target *t) { return t->triple ? t->triple : HOST_ARCHITECTURE; }

int target_pointer_bits(const cvk_target *t) {
    static const char *const narrow[] = {"wasm32", "armv7", "thumbv7em"};
    for (size_t i = 0; i < sizeof narrow / sizeof *narrow; i++)
        if (same_architecture(architecture(t), narrow[i])) return 32;
    return t->triple ? 64 : CHAR_BIT * (int)sizeof(void *);
}

bool target_same_architecture(const cvk_target *a, const cvk_target *b) {
    return same_architecture(architecture(a), architecture(b));
}

int target_lanes(const cvk_target *t, cvk_type type) {
    int bytes = type_bytes(type);
    return bytes < t->vector_bytes ? t->vector_bytes / bytes : 1;
}

const target_dot *target_dot_row(const cvk_target *t, int index) {
    for (int i = 0; i < DOT_COUNT; i++)
        if ((t->cpu_features & DOTS[i].feature) && index-- == 0) return &DOTS[i];
    return NULL;
}

const target_dot *target_dot_of(const cvk_target *t, cvk_type sum, int factors) {
    const target_dot *d;
    for (int i = 0; (d = target_dot_row(t, i)); i++)
        if (d->sum == sum && d->factors == factors) return d;
    return NULL;
}

const target_dot *target_dot_widest(const cvk_target *t, cvk_type sum) {
    const target_dot *d, *widest = NULL;
    for (int i = 0; (d = target_dot_row(t, i)); i++)
        if (d->sum == sum && !type_is_float(sum) && (!widest || d->factors > widest->factors)) widest = d;
    return widest;
}

/* LLVM's name of an FPU for single precision alone ends so: vfp4d16sp. */
bool target_computes(const cvk_target *t, cvk_type type) {
    const size_t length = strlen(t->llvm_features);
    return type != TYPE_F64 || length < 2 || strcmp(t->llvm_features + length - 2, "sp") != 0;
}

/* The third word of a triple is its system, with a version behind it. */
static const struct system_row *system_of(const char *triple) {
    const char *word = triple;
    for (int i = 0; i < 2 && word; i++) word = strchr(word, '-') ? strchr(word, '-') + 1 : NULL;
    for (int i = 0; i < SYSTEM_COUNT && word; i++)
        if (strncmp(word, SYSTEMS[i].word, strlen(SYSTEMS[i].word)) == 0) return &SYSTEMS[i];
    return NULL;
}

bool target_makes_elf(const char *triple) {
    const struct system_row *system = system_of(triple);
    return strncmp(triple, "wasm", 4) != 0 && !(system && system->macho);
}

cvk_status target_takes_triple(const cvk_target *t, const char *triple) {
    if (!same_architecture(architecture(t), triple)) return CVK_ERROR_ARGUMENT;
    return system_of(triple) ? CVK_OK : CVK_ERROR_UNSUPPORTED;
}

bool target_runs_here(const cvk_target *t) {
    return same_architecture(architecture(t), HOST_ARCHITECTURE) && (t->cpu_features & ~cvk_cpu_features()) == 0;
}

static cvk_target host;
static pthread_once_t host_once = PTHREAD_ONCE_INIT;

/* What the system knows of its caches, else the row's own figure. */
static void measure_cache(int name, int64_t *bytes) {
    long size = sysconf(name);
    if (size > 0) *bytes = size;
}

static void choose_host(void) {
    int row = 0;
    while (row < TARGET_COUNT - 1 && !target_runs_here(&TARGETS[row])) row++;
    host = TARGETS[row];
    measure_cache(_SC_LEVEL1_DCACHE_SIZE, &host.l1_bytes);
    measure_cache(_SC_LEVEL2_CACHE_SIZE, &host.l2_bytes);
    measure_cache(_SC_LEVEL3_CACHE_SIZE, &host.l3_bytes);
}

const cvk_target *target_host(void) {
    pthread_once(&host_once, choose_host);
    return &host;
}

const cvk_target *target_row(int index) { return index >= 0 && index < TARGET_COUNT ? &TARGETS[index] : NULL; }

const char *target_name(int index) {
    if (index < 0 || index >= TARGET_COUNT + CPU_COUNT) return NULL;
    return index < TARGET_COUNT ? TARGETS[index].name : CPUS[index - TARGET_COUNT].name;
}

static const cvk_target *find_row(const char *name) {
    for (int i = 0; i < TARGET_COUNT; i++)
        if (strcmp(name, TARGETS[i].name) == 0) return &TARGETS[i];
    return NULL;
}

const char *target_cpu(int index, const cvk_target **row) {
    if (index < 0 || index >= CPU_COUNT) return NULL;
    *row = find_row(CPUS[index].target);
    return CPUS[index].name;
}

const cvk_target *target_find(const char *name) {
    if (!name || strcmp(name, "host") == 0 || strcmp(name, "native") == 0) return target_host();
    for (int i = 0; i < CPU_COUNT; i++)
        if (strcmp(name, CPUS[i].name) == 0) return find_row(CPUS[i].target);
    return find_row(name);
}
