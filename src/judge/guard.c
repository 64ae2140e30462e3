/* Guard pages by mmap: one mapping without access, whose middle is then opened. What lies in the middle beside the
 * buffer is filled with a pattern, which a stray write disturbs. */
#include "judge/guard.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PATTERN = 0xA5 };

static size_t round_up(size_t n, size_t to) { return (n + to - 1) / to * to; }

static bool map(size_t inside, guarded *buffer) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    unsigned char *mapping = mmap(NULL, inside + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapping == MAP_FAILED) return false;
    if (mprotect(mapping + page, inside, PROT_READ | PROT_WRITE) != 0) {
        munmap(mapping, inside + 2 * page);
        return false;
    }
    buffer->pages = mapping + page;
    buffer->page_bytes = inside;
    return true;
}

/* Pages that are new are zeros. */
static bool take_pages(size_t inside, guarded *buffer) {
    if (buffer->page_bytes == inside) {
        memset(buffer->pages, 0, inside);
        return true;
    }
    guard_free(buffer);
    return map(inside, buffer);
}

bool guard_again(size_t bytes, size_t alignment, guard_side side, guarded *buffer) {
    if (bytes > SIZE_MAX / 2) return false;
    const size_t inside = round_up(bytes ? bytes : 1, (size_t)sysconf(_SC_PAGESIZE));
    if (!take_pages(inside, buffer)) return false;
    const size_t before = side == GUARD_END ? inside - round_up(bytes, alignment) : 0;
    memset(buffer->pages, PATTERN, before);
    memset(buffer->pages + before + bytes, PATTERN, inside - before - bytes);
    buffer->data = buffer->pages + before;
    buffer->bytes = bytes;
    return true;
}

bool guard_alloc(size_t bytes, size_t alignment, guard_side side, guarded *buffer) {
    *buffer = (guarded){0};
    return guard_again(bytes, alignment, side, buffer);
}

static bool is_pattern(const unsigned char *from, const unsigned char *to) {
    for (; from < to; from++)
        if (*from != PATTERN) return false;
    return true;
}

bool guard_intact(const guarded *buffer) {
    const unsigned char *begin = buffer->data, *end = begin + buffer->bytes;
    return is_pattern(buffer->pages, begin) && is_pattern(end, buffer->pages + buffer->page_bytes);
}

void guard_free(guarded *buffer) {
    if (!buffer->pages) return;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    munmap(buffer->pages - page, buffer->page_bytes + 2 * page);
    *buffer = (guarded){0};
}
