/* Finding a target: the table, and the host's row with the host's cache sizes. */
#include "target/target.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

static const cvk_target TARGETS[] = {
#define TARGET(name, triple, cpu, llvm, features, lanes, registers, fused, masks, l1, l2, l3, about)                   \
    {name, triple, cpu, llvm, features, lanes, registers, fused, masks, (l1) * 1024, (l2) * 1024, (l3) * 1024, about},
#include "target/targets.def"
#undef TARGET
};
enum { TARGET_COUNT = sizeof TARGETS / sizeof TARGETS[0] };

#if defined(__x86_64__)
static const char HOST_TRIPLE[] = "x86_64-unknown-linux-gnu";
#else
static const char HOST_TRIPLE[] = "";
#endif

bool target_runs_here(const cvk_target *t) {
    if (t->triple && strcmp(t->triple, HOST_TRIPLE) != 0) return false;
    return (t->cpu_features & ~cvk_cpu_features()) == 0;
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

const cvk_target *target_find(const char *name) {
    if (!name || strcmp(name, "host") == 0) return target_host();
    for (int i = 0; i < TARGET_COUNT; i++)
        if (strcmp(name, TARGETS[i].name) == 0) return &TARGETS[i];
    return NULL;
}
