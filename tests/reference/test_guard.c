/* Guarded buffers are zeros between two pages that nobody may touch, also where they were others before. */
#include "judge/guard.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096 };

static void expect_zeros(const guarded *g) {
    for (size_t i = 0; i < g->bytes; i++) cr_assert_eq(((const char *)g->data)[i], 0);
}

Test(guard, pages_that_are_taken_again_are_as_good_as_new) {
    static const size_t bytes[] = {3 * PAGE, 2 * PAGE + 64, 3 * PAGE - 64, 64, 0, 5 * PAGE};
    guarded g = {0};
    for (int i = 0; i < 12; i++) {
        const guard_side side = i % 2 ? GUARD_START : GUARD_END;
        cr_assert(guard_again(bytes[i / 2], 64, side, &g));
        cr_assert_eq(g.bytes, bytes[i / 2]);
        expect_zeros(&g);
        cr_assert(guard_intact(&g));
        memset(g.data, 7, g.bytes);
        cr_assert(guard_intact(&g), "what is the buffer's is not beside it");
    }
    guard_free(&g);
}

Test(guard, a_write_beside_a_buffer_that_was_moved_shows) {
    guarded g = {0};
    cr_assert(guard_again(PAGE + 64, 64, GUARD_START, &g) && guard_again(PAGE + 128, 64, GUARD_END, &g));
    ((char *)g.data)[-1] = 0;
    cr_expect_not(guard_intact(&g));
    guard_free(&g);
}

Test(guard, a_write_past_a_buffer_that_was_moved_is_the_end) {
    guarded g = {0};
    int how = 0;
    cr_assert(guard_again(PAGE + 64, 64, GUARD_START, &g) && guard_again(PAGE + 64, 64, GUARD_END, &g));
    const pid_t writer = fork();
    if (writer == 0) {
        ((volatile char *)g.data)[g.bytes] = 0;
        _exit(0);
    }
    cr_assert_eq(waitpid(writer, &how, 0), writer);
    cr_expect_not(WIFEXITED(how) && WEXITSTATUS(how) == 0);
    guard_free(&g);
}
