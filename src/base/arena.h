/* Arena: memory that is freed all at once, when its compile is over.
 *
 * Allocation never returns NULL. When the system has no more, control goes to the place marked by arena_guard: it
 * returns a second time, true, in the function that owns the arena. Between the two nothing but arenas and values may
 * be owned, so nothing leaks.
 *
 *     arena a; arena_init(&a);
 *     if (arena_guard(&a)) { arena_free(&a); return CVK_ERROR_MEMORY; }
 */
#ifndef CVK_BASE_ARENA_H
#define CVK_BASE_ARENA_H

#include <setjmp.h>
#include <stddef.h>

typedef struct arena {
    struct arena_chunk *chunks; /* newest first */
    size_t used, size;          /* of the newest chunk */
    jmp_buf exhausted;
} arena;

#define arena_guard(a) (setjmp((a)->exhausted) != 0)

void arena_init(arena *a);
void arena_free(arena *a);
/* Forgets everything allocated but keeps memory for the next round. */
void arena_rewind(arena *a);
/* `a` takes over all that `of` has allocated; `of` is then empty. */
void arena_adopt(arena *a, arena *of);
/* Goes to the guard as if memory had run out: for who was told so elsewhere. */
_Noreturn void arena_exhaust(arena *a);
/* Zeroed, aligned for any object. */
void *arena_alloc(arena *a, size_t bytes);
void *arena_copy(arena *a, const void *bytes, size_t length);
char *arena_string(arena *a, const char *bytes, size_t length); /* NUL-terminated copy */
char *arena_format(arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define arena_new(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define arena_array(a, type, n) ((type *)arena_alloc((a), sizeof(type) * (size_t)(n)))

#endif
