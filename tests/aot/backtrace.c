/* A backtrace out of the middle of a kernel leads to main: kernels have unwind tables. The kernel is handed an output
 * that may not be written to, and what is asked is asked where it stops. */
#include "layers.h"

#include <execinfo.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MOST_FRAMES = 32, BYTES = 1 << 20 };

static void *expected; /* where `call` was called from */

static void on_fault(int signal) {
    void *frame[MOST_FRAMES];
    int count = backtrace(frame, MOST_FRAMES);
    (void)signal;
    for (int i = 0; i < count; i++)
        if (frame[i] == expected) _exit(0);
    backtrace_symbols_fd(frame, count, STDERR_FILENO);
    _exit(1);
}

__attribute__((noinline)) static void call(const cvk_args *args) {
    expected = __builtin_return_address(0);
    example_block.run(args, 0, 0, example_block.tasks[0]);
    puts("the kernel has not stopped"); /* and the call above is no tail call */
}

int main(void) {
    void *frame[1], *memory = calloc(1, BYTES);
    backtrace(frame, 1); /* loads what it needs */
    void *closed = mmap(NULL, BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (!memory || closed == MAP_FAILED) return 2;
    signal(SIGSEGV, on_fault);
    cvk_args args = {
        .input = memory, .weights = memory, .bias = memory, .output = closed, .scratch = memory, .workspace = memory};
    call(&args);
    return 2;
}
