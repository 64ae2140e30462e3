/* Arena: chunks of growing size in a list; allocation is a bump of the newest one. */
#include "base/arena.h"

#include <stdarg.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arena_chunk {
    struct arena_chunk *next;
    alignas(max_align_t) unsigned char bytes[];
};

/* A round that is rewound finds all it needs in one chunk the next time: memory that is given back in between would be
 * asked for, page by page, again. */
enum { FIRST_CHUNK = 1 << 16, LARGEST_CHUNK = 1 << 26 };

void arena_init(arena *a) { memset(a, 0, sizeof *a); }

void arena_free(arena *a) {
    for (struct arena_chunk *c = a->chunks, *next; c; c = next) {
        next = c->next;
        free(c);
    }
    a->chunks = NULL;
    a->used = a->size = 0;
}

/* The newest chunk is the largest that a round needed. */
void arena_rewind(arena *a) {
    for (struct arena_chunk *c = a->chunks ? a->chunks->next : NULL, *next; c; c = next) {
        next = c->next;
        free(c);
    }
    if (a->chunks) a->chunks->next = NULL;
    a->used = 0;
}

/* Behind the newest chunk, which `a` goes on filling. */
void arena_adopt(arena *a, arena *of) {
    struct arena_chunk **end = a->chunks ? &a->chunks->next : &a->chunks, **tail = &of->chunks;
    if (!of->chunks) return;
    while (*tail) tail = &(*tail)->next;
    *tail = *end;
    *end = of->chunks;
    arena_init(of);
}

void arena_exhaust(arena *a) { longjmp(a->exhausted, 1); }

static void grow(arena *a, size_t bytes) {
    size_t size = a->size ? a->size * 2 : FIRST_CHUNK;
    if (size > LARGEST_CHUNK) size = LARGEST_CHUNK;
    if (size < bytes) size = bytes;
    struct arena_chunk *c = size > SIZE_MAX - sizeof *c ? NULL : malloc(sizeof *c + size);
    if (!c) arena_exhaust(a);
    c->next = a->chunks;
    a->chunks = c;
    a->size = size;
    a->used = 0;
}

/* As it is. */
static void *take(arena *a, size_t bytes) {
    size_t align = alignof(max_align_t);
    if (bytes > SIZE_MAX - align) arena_exhaust(a);
    bytes = (bytes + align - 1) / align * align;
    if (!a->chunks || a->size - a->used < bytes) grow(a, bytes);
    void *p = a->chunks->bytes + a->used;
    a->used += bytes;
    return p;
}

void *arena_alloc(arena *a, size_t bytes) { return memset(take(a, bytes), 0, bytes); }

void *arena_copy(arena *a, const void *bytes, size_t length) {
    void *p = take(a, length);
    if (length) memcpy(p, bytes, length);
    return p;
}

char *arena_string(arena *a, const char *bytes, size_t length) {
    char *p = arena_alloc(a, length + 1);
    if (length) memcpy(p, bytes, length);
    return p;
}

char *arena_format(arena *a, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    size_t size = length < 0 ? 1 : (size_t)length + 1;
    char *p = arena_alloc(a, size);
    if (length >= 0) vsnprintf(p, size, format, again);
    va_end(again);
    return p;
}
