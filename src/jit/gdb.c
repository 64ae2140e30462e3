/* GDB's JIT interface: a list of object files in memory, and a function GDB has a breakpoint in. The two names and the
 * structs are GDB's, from its manual's chapter "JIT Compilation Interface". */
#include "jit/tools.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

struct gdb_entry {
    struct gdb_entry *next, *previous;
    const char *object;
    uint64_t size;
};

enum { GDB_NOTHING, GDB_REGISTER, GDB_UNREGISTER };

struct gdb_descriptor {
    uint32_t version, action;
    struct gdb_entry *relevant, *first;
};

#pragma GCC visibility push(default)
extern struct gdb_descriptor __jit_debug_descriptor;
void __jit_debug_register_code(void);

struct gdb_descriptor __jit_debug_descriptor = {.version = 1, .action = GDB_NOTHING};

/* GDB stops here and reads the descriptor. */
__attribute__((noinline)) void __jit_debug_register_code(void) { __asm__ volatile("" ::: "memory"); }
#pragma GCC visibility pop

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void tell(struct gdb_entry *entry, uint32_t action) {
    __jit_debug_descriptor.relevant = entry;
    __jit_debug_descriptor.action = action;
    __jit_debug_register_code();
}

gdb_entry *gdb_add(unsigned char *object, size_t size) {
    gdb_entry *entry = calloc(1, sizeof *entry);
    if (!entry) {
        free(object);
        return NULL;
    }
    pthread_mutex_lock(&lock);
    *entry = (gdb_entry){.next = __jit_debug_descriptor.first, .object = (const char *)object, .size = size};
    if (entry->next) entry->next->previous = entry;
    __jit_debug_descriptor.first = entry;
    tell(entry, GDB_REGISTER);
    pthread_mutex_unlock(&lock);
    return entry;
}

void gdb_remove(gdb_entry *entry) {
    if (!entry) return;
    pthread_mutex_lock(&lock);
    *(entry->previous ? &entry->previous->next : &__jit_debug_descriptor.first) = entry->next;
    if (entry->next) entry->next->previous = entry->previous;
    tell(entry, GDB_UNREGISTER);
    pthread_mutex_unlock(&lock);
    free((void *)(uintptr_t)entry->object);
    free(entry);
}
