/* Streams through memory that is several times as large as the last level of cache, writing a byte a line. */
#include "lab/evict.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE = 64, TIMES_LAST_LEVEL = 2 };
static const size_t LEAST_BYTES = 64u << 20; /* also where the system does not say how large the caches are */

size_t evict_bytes(void) {
    long last = sysconf(_SC_LEVEL3_CACHE_SIZE);
    size_t bytes = last > 0 ? TIMES_LAST_LEVEL * (size_t)last : 0;
    return bytes > LEAST_BYTES ? bytes : LEAST_BYTES;
}

bool evict_open(evictor *e) {
    e->bytes = evict_bytes();
    e->memory = malloc(e->bytes);
    if (e->memory) memset(e->memory, 1, e->bytes);
    return e->memory != NULL;
}

void evict_run(const void *context) {
    const evictor *e = context;
    volatile unsigned char *byte = e->memory;
    for (size_t i = 0; i < e->bytes; i += LINE) byte[i] = (unsigned char)(byte[i] + 1);
}

#if defined(__x86_64__)
static void evict_line(const char *line) { __asm__ volatile("clflush %0" : : "m"(*line) : "memory"); }
static void await_eviction(void) { __asm__ volatile("mfence" : : : "memory"); }
enum { LINES_CAN_BE_EVICTED = true };
#elif defined(__aarch64__)
static void evict_line(const char *line) { __asm__ volatile("dc civac, %0" : : "r"(line) : "memory"); }
static void await_eviction(void) { __asm__ volatile("dsb sy" : : : "memory"); }
enum { LINES_CAN_BE_EVICTED = true };
#else
static void evict_line(const char *line) { (void)line; }
static void await_eviction(void) {}
enum { LINES_CAN_BE_EVICTED = false };
#endif

bool evict_lines(const void *memory, size_t bytes) {
    const char *all = memory;
    for (size_t i = 0; LINES_CAN_BE_EVICTED && i < bytes; i += LINE) evict_line(all + i);
    await_eviction();
    return LINES_CAN_BE_EVICTED;
}

void evict_close(evictor *e) { free(e->memory); }
