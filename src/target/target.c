/* Finding a target: the table, and the host's row with the host's cache sizes. */
#include "target/target.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

static const cvk_target TARGETS[] = {
#define TARGET(name, triple, cpu, llvm, features, vscale, vector_bytes, registers, fused, masks, l1, l2, l3, about)    \
    {name,      triple, cpu,   llvm,        features,    vscale,      vector_bytes,                                    \
     registers, fused,  masks, (l1) * 1024, (l2) * 1024, (l3) * 1024, about},
#include "target/targets.def"
#undef TARGET
};
enum { TARGET_COUNT = sizeof TARGETS / sizeof TARGETS[0] };

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

/* What follows the architecture in triples of systems where an object of ours is complete. Windows is not among them:
 * its objects call a function for their stack and name a symbol of the C library for having used floats. */
static const char *const SYSTEMS[] = {"linux",  "darwin",  "macos", "ios",    "freebsd",
                                      "netbsd", "openbsd", "none",  "unknown"};
enum { SYSTEM_COUNT = sizeof SYSTEMS / sizeof SYSTEMS[0] };

/* Apple's word. */
static const char *usual_name(const char *triple) { return strncmp(triple, "arm64-", 6) == 0 ? "aarch64-" : triple; }

static bool same_architecture(const char *a, const char *b) {
    a = usual_name(a);
    b = usual_name(b);
    size_t length = strcspn(a, "-");
    return strcspn(b, "-") == length && memcmp(a, b, length) == 0;
}

static const char *architecture(const cvk_target *t) { return t->triple ? t->triple : HOST_ARCHITECTURE; }

bool target_same_architecture(const cvk_target *a, const cvk_target *b) {
    return same_architecture(architecture(a), architecture(b));
}

int target_lanes(const cvk_target *t, cvk_type type) { return t->vector_bytes / type_bytes(type); }

static bool known_system(const char *triple) {
    for (const char *part = strchr(triple, '-'); part; part = strchr(part + 1, '-'))
        for (int i = 0; i < SYSTEM_COUNT; i++)
            if (strncmp(part + 1, SYSTEMS[i], strlen(SYSTEMS[i])) == 0) return true;
    return false;
}

cvk_status target_takes_triple(const cvk_target *t, const char *triple) {
    if (!same_architecture(architecture(t), triple)) return CVK_ERROR_ARGUMENT;
    return known_system(triple) ? CVK_OK : CVK_ERROR_UNSUPPORTED;
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

const cvk_target *target_find(const char *name) {
    if (!name || strcmp(name, "host") == 0) return target_host();
    for (int i = 0; i < CPU_COUNT; i++)
        if (strcmp(name, CPUS[i].name) == 0) return find_row(CPUS[i].target);
    return find_row(name);
}
