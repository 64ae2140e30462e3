/* The cache in memory: a list under one lock, the most recently used first. Its length is bounded, so a search by hash
 * is a matter of microseconds. The lock is never held while a kernel is made. */
#include "cache/memory.h"

#include "cache/entry.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

typedef struct slot {
    struct slot *next, *previous;
    cvk_kernel *kernel; /* the cache's reference; NULL while it is being made */
    uint64_t hash;
    char key[];
} slot;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER; /* a kernel was made, or failed to be */
static slot *newest, *oldest;
static size_t count;

static void take_out(slot *s) {
    *(s->previous ? &s->previous->next : &newest) = s->next;
    *(s->next ? &s->next->previous : &oldest) = s->previous;
    count--;
}

static void put_first(slot *s) {
    s->previous = NULL;
    s->next = newest;
    *(newest ? &newest->previous : &oldest) = s;
    newest = s;
    count++;
}

static slot *find(const char *key, uint64_t hash) {
    for (slot *s = newest; s; s = s->next)
        if (s->hash == hash && strcmp(s->key, key) == 0) return s;
    return NULL;
}

static void drop(slot *s) {
    take_out(s);
    cvk_kernel_free(s->kernel);
    free(s);
}

/* Drops the kernels used longest ago until no more than `most` are left, not counting those being made. */
static void shrink(size_t most) {
    for (slot *s = oldest, *before; s && count > most; s = before) {
        before = s->previous;
        if (s->kernel) drop(s);
    }
}

/* The slot of a key with its kernel made, or a new one for the caller to make it; NULL if there is no memory for it. */
static slot *claim(const char *key, cvk_kernel **kernel) {
    uint64_t hash = entry_hash(key);
    slot *s;
    while ((s = find(key, hash)) && !s->kernel) pthread_cond_wait(&changed, &lock);
    if (s) {
        take_out(s);
        *kernel = cvk_kernel_ref(s->kernel);
    } else {
        size_t size = strlen(key) + 1;
        s = calloc(1, sizeof *s + size);
        if (!s) return NULL;
        s->hash = hash;
        memcpy(s->key, key, size);
    }
    put_first(s);
    return s;
}

static void settle(slot *s, cvk_kernel *kernel) {
    if (kernel) {
        s->kernel = cvk_kernel_ref(kernel);
        shrink(MEMORY_MOST_KERNELS);
    } else {
        drop(s);
    }
    pthread_cond_broadcast(&changed);
}

cvk_status memory_cache_get(const char *key, memory_maker *make, void *context, cvk_diagnostics *d,
                            cvk_kernel **kernel) {
    *kernel = NULL;
    pthread_mutex_lock(&lock);
    slot *s = claim(key, kernel);
    pthread_mutex_unlock(&lock);
    if (*kernel) return CVK_OK;
    cvk_status status = make(context, d, kernel);
    if (!s) return status;
    pthread_mutex_lock(&lock);
    settle(s, *kernel);
    pthread_mutex_unlock(&lock);
    return status;
}

void cvk_cache_clear(void) {
    pthread_mutex_lock(&lock);
    shrink(0);
    pthread_mutex_unlock(&lock);
}
